"""A part that no creation rule matches is its file's: whoever comes and goes, comes and goes there too."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.cli.team import Team, Tool, shown

RULES = """\
creation_rules:
  - path_regex: ^k8s/dev/secrets\\.yaml$
    encrypted_regex: ^(data|stringData)$
    age: {olga},{dan}
  - path_regex: ^k8s/prod/\\.?secrets\\.yaml$
    encrypted_regex: ^(data|stringData)$
    age: {olga},{leo}
"""
NAMES = "version: 1\nrecipients:\n  olga: {olga}\n  dan: {dan}\n  leo: {leo}\n"
SECRET = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: web\nstringData:\n  DB_PASSWORD: canary\n"
DEV, PROD, HIDDEN = "k8s/dev/secrets.yaml", "k8s/prod/secrets.yaml", "k8s/prod/.secrets.yaml"
PART, HIDDEN_PART = "k8s/prod/secrets.d/STRIPE_KEY.yaml", "k8s/prod/.secrets.d/STRIPE_KEY.yaml"
ALL = [HIDDEN_PART, HIDDEN, PART, PROD]


@pytest.fixture
def team(tmp_path: Path, tool: Tool) -> Team:
    """Return a team in whose production Pat, who has no key, added a key to each file."""
    made = Team(tmp_path, tool)
    made.write(".sops.yaml", RULES)
    made.write(".sealpy.yaml", NAMES)
    for name in (DEV, PROD, HIDDEN):
        made.write(name, SECRET)
        assert made.olga("encrypt", "-i", name, program=[tool("sops")]).code == 0
    for name in (PROD, HIDDEN):
        assert made.pat("add", name, "STRIPE_KEY", "--value-stdin", stdin="sk_live_canary").code == 0
    made.olga.git("init", "-q", ".")
    made.commit()
    return made


def sealed(team: Team, file: str) -> list[str]:
    return [line for line in team.read(file).splitlines() if ": ENC[" in line]


def test_who_leaves_opens_no_part_any_more(team: Team) -> None:
    assert [team.readers(file) for file in ALL] == [["olga", "leo"]] * 4
    before = [sealed(team, file) for file in ALL]

    ended = team.olga("revoke", "prod", "leo")

    assert ended.code == 0, ended.err
    assert "4 files with a new data key" in ended.err
    assert sorted(ended.out.splitlines()) == sorted(
        f"{file}: stringData.{'STRIPE_KEY' if file.endswith('KEY.yaml') else 'DB_PASSWORD'}" for file in ALL
    )
    assert [team.readers(file) for file in ALL] == [["olga"]] * 4
    # Nothing that the data keys they know would open is left.
    for file, lines in zip(ALL, before, strict=True):
        assert len(lines) == len(sealed(team, file)) == 2
        assert set(lines).isdisjoint(sealed(team, file))
    assert "STRIPE_KEY: sk_live_canary" in team.olga("decrypt", PROD).out


def test_a_part_that_was_written_after_the_rules_changed_is_for_those_who_stayed(team: Team) -> None:
    assert team.olga("revoke", "prod", "leo").code == 0

    assert team.pat("add", PROD, "MAIL_KEY", "--value-stdin", stdin="x").code == 0

    assert team.readers("k8s/prod/secrets.d/MAIL_KEY.yaml") == ["olga"]


def test_without_the_key_parts_are_counted_among_what_waits(team: Team) -> None:
    ended = team.pat("revoke", "--request", "prod", "leo")

    assert ended.code == 0
    assert f"{shown(team, 'leo')} may not read prod, but still opens 4 files\n" in ended.err


def test_who_comes_opens_the_parts_too(team: Team) -> None:
    ended = team.olga("grant", "prod", team.recipient("nina"), "--name", "nina")

    assert ended.code == 0, ended.err
    assert "4 files re-wrapped" in ended.err
    assert [team.readers(file) for file in ALL] == [["olga", "leo", "nina"]] * 4
    assert team.readers(DEV) == ["olga", "dan"]


@pytest.mark.parametrize("operands", [[], ["prod"], ["k8s/prod"], [PROD, HIDDEN]])
def test_sync_finds_parts_that_are_not_as_the_rule_of_their_file_says(team: Team, operands: list[str]) -> None:
    team.write(".sops.yaml", RULES.replace("{olga},{leo}", "{olga},{nina}"))

    ended = team.pat("sync", "--check", "--json", *operands)
    assert ended.code == 1
    assert sorted(file["path"] for file in json.loads(ended.out)["files"]) == sorted(ALL)

    assert team.olga("sync", "--yes", *operands).code == 0
    assert [team.readers(file) for file in ALL] == [["olga", "nina"]] * 4
    assert team.pat("sync", "--check").code == 0


@pytest.mark.parametrize("environments", ["", "environments: {prod: k8s/prod/*secrets.yaml}\n"])
def test_a_part_is_of_the_environment_of_its_file(team: Team, environments: str) -> None:
    team.write(".sealpy.yaml", NAMES + environments)
    found = json.loads(team.pat("who", "--json").out)

    assert {file["path"]: (file["environment"], file["ruled"]) for file in found["files"]} == {
        DEV: ("dev", True),
        **dict.fromkeys(ALL, ("prod", True)),
    }
    assert f"{shown(team, 'leo')}\n" in team.pat("who", "prod").out


def test_an_environment_that_is_one_file_has_its_parts(team: Team, tool: Tool) -> None:
    # The folder of the parts looks like an environment of its own.
    team.write(".sops.yaml", "creation_rules:\n  - path_regex: ^envs/live\\.yaml$\n    age: {olga},{leo}\n")
    team.write(".sealpy.yaml", NAMES + "environments: {live: envs/live.yaml}\n")
    team.write("envs/live.yaml", "A: canary\n")
    assert team.olga("encrypt", "-i", "envs/live.yaml", program=[tool("sops")]).code == 0
    assert team.pat("add", "envs/live.yaml", "B", "--value-stdin", stdin="x").code == 0

    ended = team.olga("revoke", "live", "leo")

    assert ended.code == 0, ended.err
    assert team.readers("envs/live.yaml") == team.readers("envs/live.d/B.yaml") == ["olga"]
    assert {file["environment"] for file in json.loads(team.pat("who", "--json").out)["files"]} == {
        "live",
        "prod",
        "dev",
    }


def test_who_reads_one_file_is_told_of_its_parts_too(team: Team, tool: Tool) -> None:
    words = ("rotate", "-i", "--add-age", team.recipient("dan"), PART)
    assert team.olga(*words, program=[tool("sops")]).code == 0

    ended = team.pat("who", PROD)

    assert f"{shown(team, 'dan')}  (1 of 2: {PART}; not named by the rule)\n" in ended.out


@pytest.mark.parametrize("operands", [[], ["k8s/prod"], [PROD]])
def test_check_holds_parts_to_the_rule_of_their_file(team: Team, tool: Tool, operands: list[str]) -> None:
    words = ("rotate", "-i", "--add-age", team.recipient("dan"), PART)
    assert team.olga(*words, program=[tool("sops")]).code == 0

    ended = team.pat("check", *operands)

    assert ended.code == 1
    assert f"{PART}: {shown(team, 'dan')} can read it, but the rule does not say so  (SP301)\n" in ended.out
    assert "SP506" not in ended.out


def test_check_of_what_is_staged_holds_parts_to_the_rule_of_their_file(team: Team, tool: Tool) -> None:
    words = ("rotate", "-i", "--add-age", team.recipient("dan"), PART)
    assert team.olga(*words, program=[tool("sops")]).code == 0
    team.olga.git("add", PART)

    assert f"{PART}: {shown(team, 'dan')} can read it" in team.pat("check", "--staged").out


def test_a_mistake_in_the_rule_of_a_file_stops_what_would_miss_its_parts(team: Team) -> None:
    # The file itself is for others to see; what stands beside it must not be passed over in silence.
    team.write(".sops.yaml", RULES.replace("{olga},{leo}", "{olga},{leo}\n    shamir_threshold: x"))
    before = {file: team.read(file) for file in ALL}

    assert team.olga("revoke", "prod", "leo").code != 0

    assert {file: team.read(file) for file in ALL} == before
    assert os.path.exists(team.folder / PART)


class TestAPartThatOthersCanReadThanItsFile:
    """The finding SP316; sops' rotate made it so, or another rule for the part."""

    def test_is_warned_of_with_the_step_that_mends_it(self, team: Team, tool: Tool) -> None:
        words = ("rotate", "-i", "--add-age", team.recipient("dan"), "--rm-age", team.recipient("leo"), PART)
        assert team.olga(*words, program=[tool("sops")]).code == 0

        found = findings(team)

        assert [(one["path"], one["severity"], one["message"], one["fix"]) for one in found] == [
            (PART, "warning", f"{shown(team, 'dan')} can read this part, and not {PROD}", f"sealpy sync {PART}"),
            (PART, "warning", f"{shown(team, 'leo')} can read {PROD}, and not this part of it", f"sealpy sync {PART}"),
        ]
        assert team.olga("sync", "--yes", PART).code == 0
        assert findings(team) == []

    def test_by_a_rule_of_its_own_is_in_line_with_that_and_warned_of(self, team: Team) -> None:
        more = "  - path_regex: secrets\\.d/\n    encrypted_regex: ^(data|stringData)$\n    age: {olga},{leo}\n"
        team.write(".sops.yaml", RULES + more)
        assert findings(team) == []

        ended = team.olga("revoke", "prod", "leo")

        assert ended.code == 0
        for part, base in ((HIDDEN_PART, HIDDEN), (PART, PROD)):
            assert (
                f"sealpy: warning: {part}: can be read by them still: the rule in line 8 of "
                f"{team.folder}/.sops.yaml holds\n"
                f'sealpy: hint: let the rule of {base} take in {part.rpartition("/")[0]}, then "sealpy sync"\n'
            ) in ended.err
        assert team.readers(PART) == ["olga", "leo"]
        assert [(one["path"], one["message"], one["fix"]) for one in findings(team)] == [
            (
                part,
                (
                    f"{shown(team, 'leo')} can read this part, and not {base}, for they have different rules: "
                    f"let the rule of {base} take it in"
                ),
                None,
            )
            for part, base in ((HIDDEN_PART, HIDDEN), (PART, PROD))
        ]

    def test_by_a_rule_of_its_own_is_told_to_who_lets_somebody_in(self, team: Team) -> None:
        more = "  - path_regex: secrets\\.d/\n    encrypted_regex: ^(data|stringData)$\n    age: {olga},{leo}\n"
        team.write(".sops.yaml", RULES + more)

        ended = team.olga("grant", "prod", team.recipient("nina"), "--name", "nina")

        assert ended.code == 0
        assert f"warning: {PART}: cannot be read by them, and so its file neither: the rule in line 8 of" in ended.err
        assert team.readers(PART) == ["olga", "leo"]

    def test_is_found_when_it_is_staged(self, team: Team, tool: Tool) -> None:
        words = ("rotate", "-i", "--add-age", team.recipient("dan"), PART)
        assert team.olga(*words, program=[tool("sops")]).code == 0
        assert findings(team, "--staged") == []
        team.olga.git("add", PART)

        assert [one["path"] for one in findings(team, "--staged")] == [PART]

    def test_can_be_made_an_error_or_be_let_be(self, team: Team, tool: Tool) -> None:
        words = ("rotate", "-i", "--add-age", team.recipient("dan"), PART)
        assert team.olga(*words, program=[tool("sops")]).code == 0

        for severity in ("error", "off"):
            team.write(".sealpy.yaml", NAMES + f"severities: {{SP316: {severity}}}\n")
            assert [one["severity"] for one in findings(team)] == [severity] * (severity != "off")


def findings(team: Team, *words: str) -> list[dict[str, Any]]:
    """Return what check says of parts that others can read."""
    found: list[dict[str, Any]] = json.loads(team.pat("check", "--json", *words).out)["findings"]
    return [one for one in found if one["id"] == "SP316"]
