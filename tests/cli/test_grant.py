"""``sealpy grant``: people with keys of their own, a git repository, and the real sops to see who opens what."""

import json
from pathlib import Path

import pytest

from tests.cli.team import FILES, NAMES, RULES, SECRET, Team, shown

DEV, PROD, MAIL = FILES


class TestWithTheKey:
    def test_a_newcomer_reads_that_environment_and_no_other(self, team: Team) -> None:
        assert team.readers(PROD) == ["olga", "leo"]

        ended = team.olga("grant", "prod", team.recipient("nina"), "--name", "nina")

        assert (ended.code, ended.out) == (0, "")
        assert ended.err == (
            f"sealpy: {shown(team, 'nina')} can read prod: 2 files re-wrapped; changed .sealpy.yaml, .sops.yaml\n"
            "sealpy: hint: commit and push the change; no value in it is another one\n"
        )
        assert [team.readers(file) for file in FILES] == [
            ["olga", "dan"],
            ["olga", "leo", "nina"],
            ["olga", "leo", "nina"],
        ]
        assert team.sops("nina", PROD)[1] == team.sops("olga", PROD)[1]

    def test_the_texts_keep_all_but_one_line(self, team: Team) -> None:
        team.olga("grant", "dev", team.recipient("nina"), "--name", "nina")

        assert team.read(".sops.yaml") == RULES.replace("      - {dan}\n", "      - {dan}\n      - {nina}\n")
        assert team.read(".sealpy.yaml") == f"{NAMES}  nina: {{nina}}\n"

    def test_no_value_changes(self, team: Team) -> None:
        before = team.read(PROD)

        team.olga("grant", "prod", team.recipient("nina"), "--name", "nina")

        values, _, block = team.read(PROD).partition("sops:")
        assert values == before.partition("sops:")[0]
        assert "{nina}" in block
        assert [line for line in before.splitlines() if "mac:" in line or "lastmodified" in line] == [
            line for line in block.splitlines() if "mac:" in line or "lastmodified" in line
        ]

    def test_only_that_environment_is_written(self, team: Team) -> None:
        team.olga("grant", "prod", team.recipient("nina"), "--name", "nina")

        assert team.changed() == [".sealpy.yaml", ".sops.yaml", PROD, MAIL]

    def test_a_second_run_has_nothing_to_do(self, team: Team) -> None:
        team.olga("grant", "prod", team.recipient("nina"), "--name", "nina")
        team.commit()

        ended = team.olga("grant", "prod", "nina")

        assert (ended.code, ended.err) == (0, f"sealpy: {shown(team, 'nina')} can read prod already: nothing to do\n")
        assert team.changed() == []

    def test_a_run_that_was_cut_off_is_finished_by_the_next(self, team: Team) -> None:
        before = (team.folder / MAIL).read_bytes()
        team.olga("grant", "prod", team.recipient("nina"), "--name", "nina")
        (team.folder / MAIL).write_bytes(before)
        assert team.readers(MAIL) == ["olga", "leo"]

        ended = team.olga("grant", "prod", "nina")

        assert ended.err.startswith(f"sealpy: {shown(team, 'nina')} can read prod: 1 file re-wrapped\n")
        assert team.readers(MAIL) == ["olga", "leo", "nina"]

    def test_a_known_name_will_do_for_the_recipient(self, team: Team) -> None:
        ended = team.olga("grant", "prod", "dan")

        assert ended.code == 0
        assert team.readers(PROD) == ["olga", "dan", "leo"]
        assert ".sealpy.yaml" not in team.changed()

    def test_who_reads_already_can_get_a_name(self, team: Team) -> None:
        team.write(".sealpy.yaml", NAMES.replace("  olga: {olga}\n", ""))
        team.commit()

        ended = team.pat("grant", "dev,prod", team.recipient("olga"), "--name", "olga")

        assert (ended.code, ended.err) == (
            0,
            f"sealpy: {shown(team, 'olga')} can read dev and prod already: changed .sealpy.yaml\n",
        )
        assert team.changed() == [".sealpy.yaml"]

    def test_it_works_from_a_folder_further_down(self, team: Team) -> None:
        ended = team.olga("grant", "prod", "dan", before=["env", "-C", "k8s/dev"])

        assert ended.code == 0
        assert "changed ../../.sops.yaml" in ended.err
        assert team.readers(MAIL) == ["olga", "dan", "leo"]

    def test_two_environments_at_once(self, team: Team) -> None:
        ended = team.olga("grant", "dev,prod", team.recipient("nina"), "--name", "nina")

        assert f"{shown(team, 'nina')} can read dev and prod: 3 files re-wrapped" in ended.err
        assert all("nina" in team.readers(file) for file in FILES)

    def test_it_is_told_in_json(self, team: Team) -> None:
        ended = team.olga("grant", "prod", team.recipient("nina"), "--name", "nina", "--json")

        assert json.loads(ended.out) == {
            "schema": "sealpy.grant/1",
            "environments": ["prod"],
            "recipient": team.recipient("nina"),
            "name": "nina",
            "request": False,
            "configuration": [".sealpy.yaml", ".sops.yaml"],
            "files": [PROD, MAIL],
            "waiting": [],
            "unchanged": 0,
        }

    def test_files_in_clear_and_under_another_configuration_are_none_of_its_business(self, team: Team) -> None:
        team.write("k8s/prod/app/kustomization.yaml", "resources: [secrets.yaml]\n")
        team.write("k8s/prod/other/.sops.yaml", "creation_rules:\n  - age: {dan}\n")
        team.write("k8s/prod/other/secrets.yaml", (team.folder / DEV).read_text())
        before = team.read("k8s/prod/other/secrets.yaml")

        ended = team.olga("grant", "prod", team.recipient("nina"), "--name", "nina")

        assert "2 files re-wrapped" in ended.err
        assert team.read("k8s/prod/other/secrets.yaml") == before

    def test_an_environment_is_what_sealpy_yaml_calls_one(self, team: Team) -> None:
        team.write(".sealpy.yaml", f"{NAMES}environments:\n  live: k8s/prod\n")
        team.write(".sops.yaml", RULES.replace("^k8s/prod/.*", "^k8s/pr.d/.*"))

        ended = team.olga("grant", "live", "dan")

        assert "can read live: 2 files re-wrapped" in ended.err
        assert team.readers(PROD) == ["olga", "dan", "leo"]


class TestWithoutTheKey:
    def test_it_says_who_can_and_how_to_ask(self, team: Team) -> None:
        ended = team.dan("grant", "prod", team.recipient("nina"), "--name", "nina")

        lines = ended.err.splitlines()
        assert ended.code == 128
        assert lines[0].startswith(f"sealpy: {PROD}: no key here opens it: it is sealed for ")
        assert lines[1:] == [
            (
                "sealpy: nothing was changed: letting nina in takes a key that opens 2 files of prod; who has one: "
                f"{shown(team, 'olga')}, {shown(team, 'leo')}"
            ),
            (
                "sealpy: hint: ask them to do it, or write the change for a pull request: "
                f"sealpy grant --request prod {team.recipient('nina')} --name nina"
            ),
        ]
        assert team.changed() == []

    def test_a_request_changes_the_two_configurations_and_no_file(self, team: Team) -> None:
        ended = team.pat("grant", "--request", "prod", team.recipient("nina"), "--name", "nina")

        assert ended.code == 0
        assert ended.err == (
            f"sealpy: wrote .sealpy.yaml, .sops.yaml: {shown(team, 'nina')} may read prod, "
            "but 2 files still cannot be opened by them\n"
            "sealpy: hint: open a pull request with it, in which one who reads prod "
            f"({shown(team, 'olga')}, {shown(team, 'leo')}) runs: sealpy sync prod\n"
        )
        assert team.changed() == [".sealpy.yaml", ".sops.yaml"]
        assert team.read(".sops.yaml") == RULES.replace("{olga},{leo}", "{olga},{leo},{nina}")

    def test_what_a_request_asks_for_is_what_then_happens(self, team: Team) -> None:
        team.pat("grant", "--request", "prod", team.recipient("nina"), "--name", "nina")

        assert team.olga("sync", "prod", "--yes").code == 0

        assert [team.readers(file) for file in FILES] == [
            ["olga", "dan"],
            ["olga", "leo", "nina"],
            ["olga", "leo", "nina"],
        ]

    def test_a_second_request_has_nothing_to_write(self, team: Team) -> None:
        words = ("grant", "--request", "prod", team.recipient("nina"), "--name", "nina")
        team.pat(*words)

        ended = team.pat(*words)

        assert ended.code == 0
        assert ended.err.startswith("sealpy: the rules say so already: ")


class TestRefusals:
    @pytest.fixture(autouse=True)
    def _nothing_changes(self, team: Team):
        before = {
            path: path.read_bytes() for path in team.folder.rglob("*") if path.is_file() and ".git" not in path.parts
        }
        self.before = before
        yield
        assert {path: path.read_bytes() for path in self.before} == self.before

    def test_a_damaged_file_stops_all(self, team: Team) -> None:
        path = team.folder / MAIL
        path.write_text(path.read_text().replace("name: mail", "name: mall"))
        self.before[path] = path.read_bytes()

        ended = team.olga("grant", "prod", team.recipient("nina"), "--name", "nina")

        assert ended.code == 51
        assert ended.err.splitlines()[-2:] == [
            "sealpy: nothing was changed: 1 file cannot be trusted or read",
            "sealpy: hint: mend or remove them, then run it again; nothing damaged is handed on to anybody",
        ]
        assert f"{MAIL}: the MAC does not match the values" in ended.err

    def test_a_recipient_without_a_name(self, team: Team) -> None:
        ended = team.olga("grant", "prod", team.recipient("nina"))

        assert (ended.code, ended.err) == (
            1,
            "sealpy: whose recipient is this?\nsealpy: hint: add --name NAME; it is shown wherever the recipient is\n",
        )

    def test_a_name_that_nobody_has(self, team: Team) -> None:
        ended = team.olga("grant", "prod", "nina")

        assert (ended.code, ended.err) == (
            1,
            (
                "sealpy: nobody is called nina in .sealpy.yaml, and it is no recipient either\n"
                "sealpy: hint: there are olga, dan, leo; for anybody else, give their recipient, "
                'which "sealpy key list" shows them\n'
            ),
        )

    def test_a_name_that_is_taken(self, team: Team) -> None:
        ended = team.olga("grant", "prod", team.recipient("nina"), "--name", "leo")

        assert (ended.code, ended.err) == (
            1,
            (
                f"sealpy: leo is {team.recipient('leo')} already\n"
                "sealpy: hint: choose another name, or change the recipient in .sealpy.yaml if it is the same person's "
                "new key\n"
            ),
        )

    def test_another_name_for_somebody(self, team: Team) -> None:
        ended = team.olga("grant", "prod", team.recipient("dan"), "--name", "daniel")

        assert (ended.code, ended.err) == (
            1,
            "sealpy: this recipient is called dan already\nsealpy: hint: leave --name out, or use --name dan\n",
        )

    def test_a_private_key(self, team: Team) -> None:
        ended = team.olga("grant", "prod", team.keys["nina"].identity, "--name", "nina")

        assert (ended.code, ended.err) == (
            1,
            (
                "sealpy: this is a private key, and now it stands where others can read it\n"
                'sealpy: hint: make a new one with "sealpy key new", and give its recipient, which begins with age1\n'
            ),
        )

    def test_a_recipient_with_a_slip(self, team: Team) -> None:
        ended = team.olga("grant", "prod", team.recipient("nina")[:-1] + "!", "--name", "nina")

        assert ended.code != 0
        assert ended.err.startswith("sealpy: ")
        assert "Traceback" not in ended.err

    def test_an_environment_that_is_not_there(self, team: Team) -> None:
        ended = team.olga("grant", "qa", "dan")

        assert (ended.code, ended.err) == (
            1,
            (
                "sealpy: there is no environment qa with encrypted files, and no rule names it\n"
                "sealpy: hint: there are dev, prod\n"
            ),
        )

    def test_a_rule_for_several_environments(self, team: Team) -> None:
        team.write(".sops.yaml", RULES.replace("^k8s/prod/", "^k8s/(prod|stage)/"))
        self.before[team.folder / ".sops.yaml"] = (team.folder / ".sops.yaml").read_bytes()

        ended = team.olga("grant", "prod", "dan")

        assert (ended.code, ended.err) == (
            1,
            (
                f"sealpy: {team.folder}/.sops.yaml:8: the rule for prod is for stage too, so who reads one reads all\n"
                "sealpy: hint: give prod a rule of its own, above this one, or name all of them, as in dev,qa\n"
            ),
        )

    def test_a_rule_for_everything(self, team: Team) -> None:
        team.write(".sops.yaml", "creation_rules:\n  - age: {olga}\n")
        self.before[team.folder / ".sops.yaml"] = (team.folder / ".sops.yaml").read_bytes()

        ended = team.olga("grant", "dev", "dan")

        assert ended.code == 1
        assert f"the rule for dev is for {PROD}, {MAIL} too, so who reads one reads all\n" in ended.err

    def test_a_repository_without_rules(self, team: Team, tmp_path: Path) -> None:
        ended = team.olga("grant", "dev", "dan", before=["env", "-C", str(tmp_path)])

        assert (ended.code, ended.err) == (
            1,
            (
                "sealpy: there is no .sops.yaml with creation rules here\n"
                'sealpy: hint: run it in your repository; "sealpy init" writes one\n'
            ),
        )


def test_a_mistake_in_the_rule_of_another_environment_is_none_of_ours(team: Team) -> None:
    team.write(".sops.yaml", RULES.replace("    age:\n", "    encrypted_suffix: x\n    age:\n"))

    ended = team.olga("grant", "prod", "dan")
    broken = team.olga("grant", "dev", "leo")

    assert ended.code == 0, ended.err
    assert team.readers(PROD) == ["olga", "dan", "leo"]
    assert broken.code == 1
    assert "exclude each other" in broken.err
    assert team.readers(DEV) == ["olga", "dan"]


def test_a_pattern_that_is_none_is_said_once(team: Team) -> None:
    team.write(".sops.yaml", RULES.replace("^k8s/dev/", "^k8s/(dev/"))

    ended = team.olga("grant", "prod", "dan")

    assert ended.code == 1
    assert ended.err.count("\n") <= 2
    assert ended.err.startswith(f"sealpy: {team.folder}/.sops.yaml:3: path_regex is ")


def test_a_rule_with_an_alias_is_left_to_an_editor(team: Team) -> None:
    team.write(
        ".sops.yaml",
        "team: &team\n  - {olga}\ncreation_rules:\n  - path_regex: k8s/dev/\n    age: *team\n"
        "  - path_regex: k8s/prod/\n    age: *team\n",
    )

    ended = team.olga("grant", "prod", "dan")

    assert (ended.code, ended.err) == (
        1,
        (
            f"sealpy: {team.folder}/.sops.yaml:6: this rule takes its recipients from elsewhere, through an alias (*) or a "
            "merge key (<<)\n"
            'sealpy: hint: change the list where its anchor (&) stands with an editor, then run "sealpy sync"\n'
        ),
    )


def test_no_value_is_printed_or_left_anywhere(team: Team) -> None:
    ended = team.olga("grant", "prod", "dan")

    assert "canary" not in ended.out + ended.err
    left = [path for path in team.folder.rglob("*") if path.is_file() and b"canary" in path.read_bytes()]
    assert left == []
    assert "prod-app-canary" in team.sops("dan", PROD)[1]
    assert SECRET.count("{value}") == 2


def test_an_environment_whose_rule_matches_nothing_is_not_proposed_again(team: Team) -> None:
    team.write(".sops.yaml", RULES.replace("^k8s/prod/", "^k8s/nomatch/"))
    team.write(".sealpy.yaml", NAMES + "environments:\n  dev: k8s/dev\n  prod: k8s/prod\n")
    ended = team.olga("grant", "prod", "dan")
    assert (ended.code, ended.err) == (
        1,
        (
            "sealpy: no rule covers an encrypted file of prod, so nothing says who reads it\n"
            f"sealpy: hint: give prod a rule in {team.folder}/.sops.yaml, "
            "or mend the path_regex of the one meant for it\n"
        ),
    )


def test_a_comma_in_the_comment_of_an_ssh_key_does_not_cut_a_list_in_two(team: Team) -> None:
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINOMp/8RF7nIsK5vMCnDQutpsAbs/IOTzU2fMpWTyIuA"
    ended = team.olga("grant", "prod", f"{key} me,you", "--name", "nina")
    assert ended.code == 0, ended.err
    assert f"age: {{olga}},{{leo}},{key}\n" in team.read(".sops.yaml")
    assert "me,you" not in team.read(".sealpy.yaml")
