"""``sealpy revoke``: who leaves is out, of what is sealed from now on, and everybody knows what they may have kept."""

import json
from pathlib import Path

from tests.cli.team import FILES, NAMES, RULES, Team, shown

DEV, PROD, MAIL = FILES


class TestWithTheKey:
    def test_who_leaves_opens_no_file_any_more_and_the_others_do(self, team: Team) -> None:
        assert team.readers(PROD) == ["olga", "leo"]

        ended = team.olga("revoke", "prod", "leo")

        assert ended.code == 0
        assert [team.readers(file) for file in FILES] == [["olga", "dan"], ["olga"], ["olga"]]
        assert team.read(".sops.yaml") == RULES.replace("{olga},{leo}", "{olga}")
        assert team.read(".sealpy.yaml") == NAMES

    def test_what_they_could_read_is_listed_and_no_value_shown(self, team: Team) -> None:
        ended = team.olga("revoke", "prod", "leo")

        assert ended.out == (
            f"{PROD}: stringData.DB_PASSWORD, stringData.TOKEN\n{MAIL}: stringData.DB_PASSWORD, stringData.TOKEN\n"
        )
        assert ended.err == (
            "sealpy: leo could read these values, and may have kept them:\n"
            f"sealpy: {shown(team, 'leo')} cannot read prod any more: 2 files with a new data key; changed .sops.yaml\n"
            "sealpy: hint: commit and push the change, and change what is listed at its source: "
            "git's history still opens\n"
        )
        assert "canary" not in ended.out + ended.err

    def test_the_data_key_that_they_know_opens_nothing_new(self, team: Team) -> None:
        before = [line for line in team.read(PROD).splitlines() if ": ENC[" in line]
        clear = team.sops("olga", PROD)

        team.olga("revoke", "prod", "leo")

        after = [line for line in team.read(PROD).splitlines() if ": ENC[" in line]
        assert set(before).isdisjoint(after)
        assert len(before) == len(after) == 3
        assert team.sops("olga", PROD) == clear

    def test_other_environments_are_not_written(self, team: Team) -> None:
        team.olga("revoke", "prod", "leo")

        assert team.changed() == [".sops.yaml", PROD, MAIL]

    def test_a_second_run_has_nothing_to_do(self, team: Team) -> None:
        team.olga("revoke", "prod", "leo")
        team.commit()

        ended = team.olga("revoke", "prod", "leo")

        assert (ended.code, ended.out, ended.err) == (
            0,
            "",
            f"sealpy: {shown(team, 'leo')} cannot read prod: nothing to do\n",
        )
        assert team.changed() == []

    def test_a_run_that_was_cut_off_is_finished_by_the_next(self, team: Team) -> None:
        before = (team.folder / MAIL).read_bytes()
        team.olga("revoke", "prod", "leo")
        (team.folder / MAIL).write_bytes(before)
        assert team.readers(MAIL) == ["olga", "leo"]

        ended = team.olga("revoke", "prod", "leo")

        assert ended.out == f"{MAIL}: stringData.DB_PASSWORD, stringData.TOKEN\n"
        assert team.readers(MAIL) == ["olga"]

    def test_whoever_was_granted_can_be_revoked_by_recipient(self, team: Team) -> None:
        team.olga("grant", "prod", team.recipient("nina"), "--name", "nina")
        assert "nina" in team.readers(PROD)

        ended = team.olga("revoke", "prod", team.recipient("nina"))

        assert ended.code == 0
        assert team.readers(PROD) == ["olga", "leo"]
        assert team.read(".sops.yaml") == RULES

    def test_a_reader_whom_only_the_files_name_is_taken_out_too(self, team: Team) -> None:
        team.write(".sops.yaml", RULES.replace("{olga},{leo}", "{olga}"))
        team.commit()

        ended = team.olga("revoke", "prod", "leo")

        assert ended.code == 0
        assert team.readers(PROD) == team.readers(MAIL) == ["olga"]

    def test_it_is_told_in_json(self, team: Team) -> None:
        ended = team.olga("revoke", "prod", "leo", "--json")

        names = ["stringData.DB_PASSWORD", "stringData.TOKEN"]
        assert json.loads(ended.out) == {
            "schema": "sealpy.revoke/1",
            "environments": ["prod"],
            "recipient": team.recipient("leo"),
            "name": "leo",
            "request": False,
            "configuration": [".sops.yaml"],
            "files": [{"path": PROD, "keys": names}, {"path": MAIL, "keys": names}],
            "waiting": [],
            "unchanged": 0,
        }

    def test_documents_of_a_stream_are_told_apart(self, team: Team) -> None:
        team.write("k8s/prod/two.yaml", "data:\n  A: x\n---\ndata:\n  A: y\n")
        team.olga("encrypt", "-i", "k8s/prod/two.yaml")

        ended = team.olga("revoke", "prod", "leo")

        assert "k8s/prod/two.yaml: data.A (document 1), data.A (document 2)\n" in ended.out


class TestWithoutTheKey:
    def test_it_says_who_can_and_how_to_ask(self, team: Team) -> None:
        ended = team.dan("revoke", "prod", "leo")

        assert (ended.code, ended.out) == (128, "")
        assert ended.err.splitlines()[1:] == [
            (
                "sealpy: nothing was changed: taking leo out takes a key that opens 2 files of prod; who has one: "
                f"{shown(team, 'olga')}"
            ),
            (
                "sealpy: hint: ask them to do it, or write the change for a pull request: "
                "sealpy revoke --request prod leo"
            ),
        ]
        assert team.changed() == []

    def test_a_request_changes_the_rules_alone_and_the_key_holder_completes_it(self, team: Team) -> None:
        ended = team.pat("revoke", "--request", "prod", "leo")

        assert ended.code == 0
        assert ended.err == (
            f"sealpy: wrote .sops.yaml: {shown(team, 'leo')} may not read prod, but still opens 2 files\n"
            "sealpy: hint: open a pull request with it, in which another one who reads prod "
            f"({shown(team, 'olga')}) runs: sealpy revoke prod leo\n"
        )
        assert team.changed() == [".sops.yaml"]

        team.commit()

        assert team.olga("revoke", "prod", "leo").code == 0
        assert team.readers(PROD) == ["olga"]


class TestKeyGroups:
    def test_who_leaves_goes_from_every_group_and_is_no_help_any_more(self, team: Team) -> None:
        rule = "      - age: ['{olga}']\n      - age: ['{dan}', '{leo}']\n      - age: ['{nina}', '{leo}']\n"
        team.write(
            ".sops.yaml",
            "creation_rules:\n  - path_regex: ^k8s/prod/\n    shamir_threshold: 2\n    key_groups:\n" + rule,
        )
        assert team.olga("sync", "--yes", PROD, MAIL).code == 0
        assert team.together("olga", "leo", PROD)

        ended = team.olga("revoke", "prod", "leo", env={"SOPS_AGE_KEY": team.keys["dan"].identity})

        assert ended.code == 0, ended.err
        assert team.read(".sops.yaml").endswith(rule.replace(", '{leo}'", ""))
        assert [team.together(*pair, PROD) for pair in (("olga", "leo"), ("nina", "leo"), ("olga", "nina"))] == [
            False,
            False,
            True,
        ]
        assert team.pat("sync", "--check", "prod").code == 0


class TestRefusals:
    def test_a_damaged_file_stops_all(self, team: Team) -> None:
        path = team.folder / MAIL
        path.write_text(path.read_text().replace("name: mail", "name: mall"))
        team.commit()

        ended = team.olga("revoke", "prod", "leo")

        assert (ended.code, ended.out) == (51, "")
        assert "sealpy: nothing was changed: 1 file cannot be trusted or read\n" in ended.err
        assert team.changed() == []

    def test_the_last_reader_cannot_be_taken_out(self, team: Team) -> None:
        team.olga("revoke", "prod", "leo")
        team.commit()

        ended = team.olga("revoke", "prod", "olga")

        assert (ended.code, ended.out) == (1, "")
        assert ended.err == (
            f"sealpy: {team.folder}/.sops.yaml:8: this rule would be left without a key, and its files open for nobody\n"
            "sealpy: hint: let somebody else in first\n"
        )
        assert team.changed() == []

    def test_a_name_with_a_slip_is_no_success(self, team: Team) -> None:
        ended = team.olga("revoke", "prod", "loe")

        assert (ended.code, ended.err) == (
            1,
            (
                "sealpy: nobody is called loe in .sealpy.yaml, and it is no recipient either\n"
                "sealpy: hint: there are olga, dan, leo; for anybody else, give their recipient, "
                'which "sealpy key list" shows them\n'
            ),
        )

    def test_a_file_that_nobody_else_opens_waits_for_sync(self, team: Team) -> None:
        name = "k8s/prod/only/secrets.yaml"
        team.write(name, "data:\n  A: canary\n")
        team.leo("encrypt", "-i", name)
        team.leo("rotate", "-i", "--rm-age", team.recipient("olga"), name)
        team.commit()

        ended = team.leo("revoke", "prod", "leo")

        assert (ended.code, ended.out) == (1, "")
        assert ended.err == (
            f"sealpy: {name}: no key would be left that opens the file; nothing was changed\n"
            'sealpy: hint: "sealpy sync" gives it the keys of its rule first\n'
        )
        assert team.changed() == []


def test_an_ssh_key_is_recognised_whatever_its_comment(team: Team, tmp_path: Path) -> None:
    team.olga("-t", "ed25519", "-q", "-N", "", "-f", str(tmp_path / "id"), program=["ssh-keygen"])
    kind, text, _ = (tmp_path / "id.pub").read_text().split()
    team.write(".sops.yaml", RULES.replace("{olga},{leo}", f"'{{olga}},{kind} {text} zoe@laptop'"))
    team.write(".sealpy.yaml", f"{NAMES}  zoe: {kind} {text}\n")
    assert team.olga("sync", "--yes", "prod").code == 0
    assert f"{kind} {text} zoe@laptop" in team.read(PROD)
    team.commit()

    ended = team.olga("revoke", "prod", "zoe")

    assert ended.code == 0
    assert text not in team.read(PROD) + team.read(".sops.yaml")
    assert team.readers(PROD) == ["olga"]
