"""``sealpy cp``: from one environment to another, under the other's rule, asking before two have one password."""

import json
from pathlib import Path

import pytest

from tests.cli.process import Ended, at_a_terminal
from tests.cli.team import FILES, RULES, Team, Tool, shown

DEV, PROD, MAIL = FILES
NEW = "k8s/prod/new/secrets.yaml"


@pytest.fixture
def team(tmp_path: Path, tool: Tool) -> Team:
    made = Team(tmp_path, tool)
    made.begin()
    (made.folder / "k8s/prod/new").mkdir()
    return made


def clear(team: Team, file: str, person: str = "olga") -> str:
    code, out = team.sops(person, file)
    assert code == 0
    return out


class TestWholeFiles:
    def test_a_new_file_is_sealed_by_the_rule_of_its_place(self, team: Team) -> None:
        ended = team.olga("cp", DEV, NEW, "--keep-values")

        assert (ended.code, ended.out, ended.err) == (0, "", f"sealpy: {DEV} to {NEW}: values 2 copied\n")
        assert team.readers(NEW) == ["olga", "leo"]
        assert clear(team, NEW) == clear(team, DEV)
        assert "canary" not in team.read(NEW)

    def test_no_sealed_text_and_no_data_key_is_shared(self, team: Team) -> None:
        team.olga("cp", DEV, NEW, "--keep-values")

        values = [{line for line in team.read(name).splitlines() if "ENC[" in line} for name in (DEV, NEW)]
        assert values[0].isdisjoint(values[1])

    def test_a_folder_takes_the_name_of_the_file(self, team: Team) -> None:
        assert team.olga("cp", DEV, "k8s/prod/new", "--keep-values").code == 0
        assert team.readers(NEW) == ["olga", "leo"]

    def test_only_the_public_half_of_the_target_is_needed_for_a_new_file(self, team: Team) -> None:
        ended = team.dan("cp", DEV, NEW, "--keep-values")

        assert ended.code == 0
        assert team.readers(NEW) == ["olga", "leo"]

    def test_the_same_again_has_nothing_to_do(self, team: Team) -> None:
        team.olga("cp", DEV, NEW, "--keep-values")
        team.commit()

        ended = team.olga("cp", DEV, NEW)

        assert (ended.code, ended.err) == (0, f"sealpy: {NEW} has it all already: nothing to do\n")
        assert team.changed() == []

    def test_without_a_terminal_nothing_is_made_the_same_unasked(self, team: Team) -> None:
        ended = team.olga("cp", DEV, PROD)

        assert (ended.code, ended.err) == (
            1,
            (
                "sealpy: stringData.DB_PASSWORD would be the same in prod as in dev, and there is no terminal to ask on; "
                "nothing was written\n"
                f"sealpy: hint: to copy every value as it is: sealpy cp {DEV} {PROD} --keep-values\n"
            ),
        )
        assert team.changed() == []

    def test_at_a_terminal_each_value_is_asked_for(self, team: Team) -> None:
        code, screen = at_a_terminal(
            team.olga,
            "cp",
            DEV,
            NEW,
            answers=(
                ("stringData.DB_PASSWORD: give prod the value of dev (n asks for another)? (y/n): ", "n"),
                ("value of stringData.DB_PASSWORD in prod, as plain text: ", "prod-only"),
                ("stringData.TOKEN: give prod the value of dev (n asks for another)? (y/n): ", "y"),
            ),
        )

        assert (code, screen.splitlines()[-1]) == (0, f"sealpy: {DEV} to {NEW}: values 1 copied, 1 new")
        assert "prod-only" not in screen
        text = clear(team, NEW)
        assert "DB_PASSWORD: prod-only" in text
        assert "TOKEN: dev-app-canary-token" in text

    def test_what_the_target_has_of_its_own_can_be_kept(self, team: Team) -> None:
        before = clear(team, PROD)

        code, screen = at_a_terminal(
            team.olga,
            "cp",
            DEV,
            PROD,
            answers=(
                (
                    "stringData.DB_PASSWORD: give prod the value of dev, in place of the one it has (n keeps prod's)?",
                    "n",
                ),
                ("stringData.TOKEN: give prod the value of dev, in place of the one it has (n keeps prod's)?", "y"),
            ),
        )

        assert (code, screen.splitlines()[-1]) == (
            0,
            f"sealpy: {DEV} to {PROD}: values 1 copied, 1 kept as they were",
        )
        assert clear(team, PROD) == before.replace("prod-app-canary-token", "dev-app-canary-token")

    def test_nobody_is_asked_within_one_environment(self, team: Team) -> None:
        ended = team.olga("cp", PROD, NEW)

        assert ended.code == 0
        assert clear(team, NEW) == clear(team, PROD)

    def test_base64_is_written_for_whoever_types_a_value(self, team: Team) -> None:
        team.write("k8s/dev/b.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: b}\ndata:\n  A: YWJj\n")
        team.olga("encrypt", "-i", "k8s/dev/b.yaml")

        code, _ = at_a_terminal(
            team.olga, "cp", "k8s/dev/b.yaml", "k8s/prod/", answers=(("(y/n): ", "n"), ("plain text: ", "secret"))
        )

        assert code == 0
        assert "A: c2VjcmV0\n" in clear(team, "k8s/prod/b.yaml")

    def test_a_field_in_clear_that_names_the_old_environment_is_pointed_out(self, team: Team) -> None:
        team.write("k8s/dev/n.yaml", "kind: Secret\nmetadata:\n  namespace: dev\nstringData:\n  A: x\n")
        team.olga("encrypt", "-i", "k8s/dev/n.yaml")

        ended = team.olga("cp", "k8s/dev/n.yaml", "k8s/prod/", "-y")

        assert "sealpy: warning: metadata.namespace, in clear, still says dev\n" in ended.err

    def test_what_only_the_target_has_is_not_lost(self, team: Team) -> None:
        team.olga("set", PROD, '["stringData"]["ONLY"]', '"here"')
        team.commit()

        ended = team.olga("cp", DEV, PROD, "--keep-values")

        assert (ended.code, ended.err) == (
            1,
            (
                f"sealpy: {PROD}: would lose stringData.ONLY, which the other file does not have\n"
                "sealpy: hint: copy keys (SRC:KEY) instead of the file, or remove DST first\n"
            ),
        )
        assert team.changed() == []

    def test_what_is_sealed_does_not_arrive_in_clear(self, team: Team) -> None:
        team.write(
            ".sops.yaml", RULES.replace("^(data|stringData)$\n    age: {olga}", "^(dta|TOKEN)$\n    age: {olga}")
        )
        team.commit()

        ended = team.olga("cp", DEV, NEW, "--keep-values")

        assert (ended.code, ended.err) == (
            1,
            (
                f"sealpy: {NEW}: stringData.DB_PASSWORD would stand there in clear, and is encrypted where it comes from\n"
                "sealpy: hint: mend the rule's regex or suffix for this path in .sops.yaml\n"
            ),
        )
        assert not (team.folder / NEW).exists()

    def test_a_comment_that_is_sealed_does_not_arrive_in_clear(self, team: Team) -> None:
        team.write(
            ".sops.yaml", RULES.replace("encrypted_regex: ^(data|stringData)$", "unencrypted_regex: ^metadata$", 1)
        )
        text = "# canary\napiVersion: v1\nkind: Secret\nmetadata: {name: n}\nstringData:\n  A: x # canary\n"
        team.write("k8s/dev/n.yaml", text)
        assert team.olga("encrypt", "-i", "k8s/dev/n.yaml").code == 0
        assert "canary" not in team.read("k8s/dev/n.yaml")

        ended = team.olga("cp", "k8s/dev/n.yaml", "k8s/prod/", "--keep-values")

        assert (ended.code, ended.err) == (
            1,
            (
                "sealpy: k8s/prod/n.yaml: a comment in the file would stand there in clear, and is encrypted where it "
                "comes from\n"
                "sealpy: hint: copy keys (SRC:KEY) instead of the file, or take the comment out of SRC\n"
            ),
        )
        assert not (team.folder / "k8s/prod/n.yaml").exists()

    def test_comments_that_are_in_clear_come_along(self, team: Team) -> None:
        text = "# seen\napiVersion: v1\nkind: Secret\nmetadata: {name: n}\nstringData:\n  A: x # seen\n"
        team.write("k8s/dev/n.yaml", text)
        assert team.olga("encrypt", "-i", "k8s/dev/n.yaml").code == 0

        ended = team.olga("cp", "k8s/dev/n.yaml", "k8s/prod/", "--keep-values")

        assert ended.code == 0, ended.err
        assert team.olga("decrypt", "k8s/prod/n.yaml").out == text

    def test_an_annotation_that_is_sealed_does_not_arrive_in_clear(self, team: Team) -> None:
        team.write(".sops.yaml", RULES.replace("^(data|stringData)$", "^(data|stringData|metadata)$", 1))
        team.write(
            "k8s/dev/n.yaml",
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: n\n  annotations: {token: canary}\nstringData:\n  A: x\n",
        )
        assert team.olga("encrypt", "-i", "k8s/dev/n.yaml").code == 0

        ended = team.olga("cp", "k8s/dev/n.yaml", "k8s/prod/", "--keep-values")

        assert ended.code == 1
        assert "k8s/prod/n.yaml: metadata.annotations.token would stand there in clear" in ended.err
        assert not (team.folder / "k8s/prod/n.yaml").exists()

    def test_the_rules_are_those_nearest_to_the_target(self, team: Team) -> None:
        team.write("k8s/prod/.sops.yaml", "creation_rules:\n  - encrypted_regex: ^stringData$\n    age: {leo}\n")

        ended = team.olga("cp", DEV, NEW, "--keep-values")

        assert ended.code == 0, ended.err
        assert team.readers(NEW) == ["leo"]

    def test_a_linked_folder_has_the_rule_of_its_place(self, team: Team) -> None:
        (team.folder / "k8s/dev/link").symlink_to("../prod/new")

        ended = team.olga("cp", DEV, "k8s/dev/link/", "--keep-values")

        assert ended.code == 0, ended.err
        assert team.readers(NEW) == ["olga", "leo"]

    def test_a_target_that_does_not_open_is_not_replaced(self, team: Team) -> None:
        ended = team.dan("cp", DEV, PROD, "--keep-values")

        assert (ended.code, ended.err) == (
            128,
            (
                f"sealpy: {PROD}: no key here opens it; who has one: {shown(team, 'olga')}, {shown(team, 'leo')}\n"
                "sealpy: hint: ask one of them to do it\n"
            ),
        )
        assert team.changed() == []

    def test_a_target_in_clear_is_not_replaced(self, team: Team) -> None:
        team.write(NEW, "a: b\n")

        ended = team.olga("cp", DEV, NEW, "--keep-values")

        assert (ended.code, ended.err) == (
            1,
            f"sealpy: {NEW}: it is not encrypted\nsealpy: hint: sealpy encrypt -i {NEW}\n",
        )

    def test_a_damaged_source_is_not_copied(self, team: Team) -> None:
        path = team.folder / DEV
        path.write_text(path.read_text().replace("name: app", "name: ape"))

        ended = team.olga("cp", DEV, NEW, "--keep-values")

        assert ended.code == 51
        assert "the MAC does not match the values" in ended.err
        assert not (team.folder / NEW).exists()

    def test_a_place_without_a_rule_is_refused(self, team: Team) -> None:
        ended = team.olga("cp", DEV, "elsewhere.yaml", "--keep-values")

        assert ended.code == 1
        assert "no creation rule of" in ended.err
        assert not (team.folder / "elsewhere.yaml").exists()

    def test_another_format_is_refused(self, team: Team) -> None:
        ended = team.olga("cp", DEV, "k8s/prod/app/secrets.json", "--keep-values")

        assert (ended.code, ended.err) == (
            1,
            "sealpy: converting yaml to json is not built yet\nsealpy: hint: give DST the same suffix\n",
        )

    def test_it_is_told_in_json(self, team: Team) -> None:
        ended = team.olga("cp", DEV, NEW, "--keep-values", "--json")

        assert json.loads(ended.out) == {
            "schema": "sealpy.cp/1",
            "source": DEV,
            "target": NEW,
            "written": True,
            "values": [
                {"path": "stringData.DB_PASSWORD", "what": "copied"},
                {"path": "stringData.TOKEN", "what": "copied"},
            ],
        }

    @pytest.mark.parametrize(
        ("name", "text"),
        [("x.json", '{"a": "canary"}\n'), ("x.env", "A=canary\n"), ("x.ini", "[s]\nA = canary\n"), ("x", "canary\n")],
    )
    def test_every_format_can_be_copied(self, team: Team, name: str, text: str) -> None:
        rules = RULES.replace(".*\\.yaml$", "").replace("    encrypted_regex: ^(data|stringData)$\n", "")
        team.write(".sops.yaml", rules)
        team.write(f"k8s/dev/{name}", text)
        team.olga("encrypt", "-i", f"k8s/dev/{name}")

        ended = team.olga("cp", f"k8s/dev/{name}", "k8s/prod/", "--yes")

        assert ended.code == 0, ended.err
        assert team.readers(f"k8s/prod/{name}") == ["olga", "leo"]
        assert team.olga("decrypt", f"k8s/prod/{name}").out == text


class TestKeys:
    def test_one_key_is_copied_and_the_rest_keeps_its_bytes(self, team: Team) -> None:
        before = team.read(PROD).splitlines()

        ended = team.olga("cp", f"{DEV}:stringData.TOKEN", PROD, "--keep-values")

        assert (ended.code, ended.err) == (0, f"sealpy: {DEV} to {PROD}: values 1 copied\n")
        assert clear(team, PROD).count("dev-app-canary-token") == 1
        assert "DB_PASSWORD: prod-app-canary" in clear(team, PROD)
        assert team.readers(PROD) == ["olga", "leo"]
        differing = [old for old, new in zip(before, team.read(PROD).splitlines(), strict=True) if old != new]
        assert [line.split(":")[0].strip() for line in differing] in (
            ["TOKEN", "lastmodified", "mac"],
            ["TOKEN", "mac"],
        )

    def test_a_map_is_copied_key_by_key(self, team: Team) -> None:
        team.olga("set", PROD, '["stringData"]["ONLY"]', '"here"')

        ended = team.olga("cp", f"{DEV}:stringData", PROD, "--keep-values")

        assert ended.code == 0
        text = clear(team, PROD)
        assert "ONLY: here" in text
        assert "DB_PASSWORD: dev-app-canary" in text
        assert "TOKEN: dev-app-canary-token" in text

    def test_a_key_can_get_another_name(self, team: Team) -> None:
        ended = team.olga("cp", f"{DEV}:stringData.TOKEN", f"{PROD}:stringData.DEV_TOKEN", "--keep-values")

        assert ended.code == 0
        assert "DEV_TOKEN: dev-app-canary-token" in clear(team, PROD)
        assert "TOKEN: prod-app-canary-token" in clear(team, PROD)

    def test_a_key_with_dots_is_found(self, team: Team) -> None:
        team.olga("set", DEV, '["stringData"]["tls.crt"]', '"canary-cert"')

        dotted = team.olga("cp", f"{DEV}:stringData.tls.crt", PROD, "--keep-values")
        bracketed = team.olga("cp", f'{DEV}:["stringData"]["tls.crt"]', MAIL, "--keep-values")

        assert (dotted.code, bracketed.code) == (0, 0)
        assert "tls.crt: canary-cert" in clear(team, PROD)
        assert "tls.crt: canary-cert" in clear(team, MAIL)

    def test_an_integer_stays_one(self, team: Team) -> None:
        for name in ("k8s/dev/v.yaml", "k8s/prod/v.yaml"):
            team.write(name, "data:\n  port: 5432\n  on: true\n" if "dev" in name else "data:\n  x: y\n")
            team.olga("encrypt", "-i", name)

        team.olga("cp", "k8s/dev/v.yaml:data", "k8s/prod/v.yaml", "-y")

        assert clear(team, "k8s/prod/v.yaml") == 'data:\n    x: "y"\n    port: 5432\n    "on": true\n'

    def test_the_same_again_has_nothing_to_do(self, team: Team) -> None:
        words = ("cp", f"{DEV}:stringData.TOKEN", PROD)
        team.olga(*words, "--keep-values")
        team.commit()

        ended = team.olga(*words)

        assert (ended.code, ended.err) == (0, f"sealpy: {PROD} has it all already: nothing to do\n")
        assert team.changed() == []

    def test_at_a_terminal_the_own_value_can_be_kept(self, team: Team) -> None:
        code, screen = at_a_terminal(
            team.olga, "cp", f"{DEV}:stringData.TOKEN", PROD, answers=(("(n keeps prod's)? (y/n): ", "n"),)
        )

        assert (code, screen.splitlines()[-1]) == (0, f"sealpy: {PROD} keeps its own: nothing to do")
        assert team.changed() == []

    def test_without_a_terminal_nothing_is_made_the_same_unasked(self, team: Team) -> None:
        ended: Ended = team.olga("cp", f"{DEV}:stringData.TOKEN", PROD)

        assert ended.code == 1
        assert "stringData.TOKEN would be the same in prod as in dev" in ended.err
        assert team.changed() == []

    def test_without_the_key_of_the_target_it_points_to_add(self, team: Team) -> None:
        ended = team.dan("cp", f"{DEV}:stringData.TOKEN", PROD, "--keep-values")

        assert (ended.code, ended.err) == (
            128,
            (
                f"sealpy: {PROD}: no key here opens it; who has one: {shown(team, 'olga')}, {shown(team, 'leo')}\n"
                f'sealpy: hint: "sealpy add {PROD} TOKEN" puts a key in without reading the rest\n'
            ),
        )

    @pytest.mark.parametrize(
        ("source", "code", "said"),
        [
            (f"{DEV}:stringData.NONE", 1, "sealpy: there is no such key\n"),
            (f'{DEV}:["stringData"]["NONE"]', 1, "sealpy: there is no such key\n"),
            (f"{DEV}:[oops", 91, "sealpy: this is not a path in a document\n"),
            ("nowhere.yaml:a", 100, "sealpy: nowhere.yaml:a: no such file or directory\n"),
        ],
    )
    def test_a_key_or_file_that_is_not_there(self, team: Team, source: str, code: int, said: str) -> None:
        ended = team.olga("cp", source, PROD, "--keep-values")

        assert ended.code == code
        assert ended.err.startswith(said)
        assert team.changed() == []

    def test_a_target_that_is_not_there(self, team: Team) -> None:
        ended = team.olga("cp", f"{DEV}:stringData.TOKEN", NEW, "--keep-values")

        assert (ended.code, ended.err) == (
            100,
            (
                f"sealpy: {NEW}: no such file, so there is nothing to put a key into\n"
                f"sealpy: hint: copy the whole file: sealpy cp {DEV} {NEW}\n"
            ),
        )

    def test_what_is_sealed_does_not_arrive_in_clear(self, team: Team) -> None:
        ended = team.olga("cp", f"{DEV}:stringData.TOKEN", f"{PROD}:metadata.token", "--keep-values")

        assert (ended.code, ended.err) == (
            1,
            (
                f"sealpy: {PROD}: metadata.token would stand there in clear, and is encrypted where it comes from\n"
                "sealpy: hint: mend the rule's regex or suffix for this path in .sops.yaml\n"
            ),
        )
        assert team.changed() == []

    def test_a_stream_of_documents_gets_no_key(self, team: Team) -> None:
        team.write(NEW, "data:\n  A: x\n---\ndata:\n  A: y\n")
        team.olga("encrypt", "-i", NEW)

        ended = team.olga("cp", f"{DEV}:stringData.TOKEN", NEW, "--keep-values")

        assert ended.code == 1
        assert f"{NEW}: it has several documents, and which of them gets the key is not said\n" in ended.err


class TestSections:
    """data holds base64, stringData text."""

    @pytest.fixture
    def encoded(self, team: Team) -> Team:
        assert team.olga("set", DEV, '["data"]', '{"C": "Yy1kZXY=", "BIN": "AP8K", "BAD": "c"}').code == 0
        return team

    def test_base64_is_decoded_for_string_data(self, encoded: Team) -> None:
        ended = encoded.olga("cp", f"{DEV}:data.C", f"{PROD}:stringData.C", "--keep-values")

        assert ended.code == 0, ended.err
        assert "C: c-dev\n" in clear(encoded, PROD)
        again = encoded.olga("cp", f"{DEV}:data.C", f"{PROD}:stringData.C")
        assert again.err == f"sealpy: {PROD} has it all already: nothing to do\n"

    def test_text_is_encoded_for_data(self, encoded: Team) -> None:
        ended = encoded.olga("cp", f"{DEV}:stringData.TOKEN", f"{PROD}:data.T", "--keep-values")

        assert ended.code == 0, ended.err
        assert "T: ZGV2LWFwcC1jYW5hcnktdG9rZW4=\n" in clear(encoded, PROD)

    def test_base64_stays_as_it_is_for_data(self, encoded: Team) -> None:
        assert encoded.olga("cp", f"{DEV}:data.C", PROD, "--keep-values").code == 0
        assert "C: Yy1kZXY=\n" in clear(encoded, PROD)

    @pytest.mark.parametrize(("key", "what"), [("BIN", "none"), ("BAD", "no base64")])
    def test_what_is_no_text_is_sent_where_it_can_go(self, encoded: Team, key: str, what: str) -> None:
        before = encoded.read(PROD)

        ended = encoded.olga("cp", f"{DEV}:data.{key}", f"{PROD}:stringData.{key}", "--keep-values")

        assert (ended.code, ended.err) == (
            1,
            (
                f"sealpy: {PROD}: stringData.{key} takes text, and the value is {what}\n"
                f"sealpy: hint: copy it to where base64 goes: DST:data.{key}\n"
            ),
        )
        assert encoded.read(PROD) == before

    def test_a_value_that_another_one_would_win_over_is_refused(self, encoded: Team) -> None:
        encoded.olga("set", PROD, '["stringData"]["C"]', '"own"')
        before = encoded.read(PROD)

        ended = encoded.olga("cp", f"{DEV}:data.C", PROD, "--keep-values")

        assert (ended.code, ended.err) == (
            1,
            (
                f"sealpy: {PROD}: it has stringData.C, which wins over data.C\n"
                "sealpy: hint: copy it to there: DST:stringData.C\n"
            ),
        )
        assert encoded.read(PROD) == before


class TestParts:
    PART = "k8s/dev/app/secrets.d/TOKEN.yaml"

    @pytest.mark.parametrize(("source", "count"), [(f"{DEV}:stringData.TOKEN", 1), (DEV, 2)])
    def test_a_file_and_its_parts_are_copied_as_one(self, team: Team, source: str, count: int) -> None:
        team.pat("add", DEV, "TOKEN", "--value-stdin", stdin="newer")
        before = team.read(DEV), team.read(self.PART)

        ended = team.olga("cp", source, PROD, "--keep-values")

        assert (ended.code, ended.err) == (0, f"sealpy: {source.partition(':')[0]} to {PROD}: values {count} copied\n")
        assert "TOKEN: newer\n" in clear(team, PROD)
        assert (team.read(DEV), team.read(self.PART)) == before

    def test_a_key_that_only_a_part_has_is_found(self, team: Team) -> None:
        team.pat("add", DEV, "MORE", "--value-stdin", stdin="canary")

        ended = team.olga("cp", f"{DEV}:stringData.MORE", f"{PROD}:metadata.more", "--keep-values")

        assert ended.code == 1
        assert "metadata.more would stand there in clear" in ended.err
        assert team.olga("cp", f"{DEV}:stringData.MORE", PROD, "--keep-values").code == 0
        assert "MORE: canary\n" in clear(team, PROD)

    def test_a_part_that_does_not_open_stops_the_copy(self, team: Team) -> None:
        team.pat("add", DEV, "TOKEN", "--value-stdin", stdin="newer")
        path = team.folder / self.PART
        path.write_text(path.read_text().replace("name: app", "name: ape"))

        ended = team.olga("cp", f"{DEV}:stringData.DB_PASSWORD", PROD, "--keep-values")

        assert ended.code == 51
        assert self.PART in ended.err
        assert "DB_PASSWORD: prod-app-canary" in clear(team, PROD)

    def test_a_target_with_parts_says_that_they_go_on_to_win(self, team: Team) -> None:
        part = "k8s/prod/app/secrets.d/TOKEN.yaml"
        team.pat("add", PROD, "TOKEN", "--value-stdin", stdin="newer")

        ended = team.olga("cp", DEV, PROD, "--keep-values")

        assert (ended.code, ended.err) == (
            0,
            (
                f"sealpy: {DEV} to {PROD}: values 2 copied\n"
                f"sealpy: warning: {PROD}: the keys of its parts win over what was copied: {part}\n"
                f'sealpy: hint: "sealpy fold {PROD}" makes them part of the file\n'
            ),
        )
        assert "newer" in team.olga("decrypt", PROD).out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((DEV, DEV), "SRC and DST are one and the same"),
        ((f"{DEV}:stringData.TOKEN", DEV), "SRC and DST are one and the same"),
        ((DEV, f"{PROD}:stringData"), "a whole file does not go into a key"),
    ],
)
def test_what_makes_no_sense_is_refused(team: Team, words: tuple[str, str], said: str) -> None:
    ended = team.olga("cp", *words)

    assert ended.code == 1
    assert ended.err.startswith(f"sealpy: {said}\n")
