"""``sealpy diff`` of files with parts: one object, and it says what anybody could have written."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.process import Program
from tests.cli.test_add import FILE, PART, SECRET, Team
from tests.conftest import AgeKey


@pytest.fixture
def team(run: Program, home: Path, age_key: AgeKey, tool: Callable[[str], str]) -> Team:
    """Return a team with a committed Secret."""
    team = Team(run, home, age_key, tool("sops"))
    team.rules(team.rule("^k8s/prod/"))
    team.seal(FILE, SECRET)
    team.dev.git("init", "-q", "-b", "main")
    _commit(team)
    return team


def _commit(team: Team) -> None:
    team.dev.git("add", "-A")
    team.dev.git("commit", "-q", "-m", "x")


def _diff(team: Team, *words: str) -> str:
    ended = team.ops("diff", "--reveal", *words)
    assert (ended.code, ended.err) == (0, "")
    return ended.out.partition("\n\n")[2]


def test_a_part_is_shown_as_keys_of_its_file(team: Team) -> None:
    team.dev("add", FILE, "STRIPE_KEY", "--value-stdin", stdin="sk_live_1")
    wanted = (
        f"{FILE}  Secret shop/web\n"
        f"  + part {PART}, which whoever can push can write, without the key\n"
        '  + stringData.STRIPE_KEY  "sk_live_1"\n'
        "  = 4 values unchanged\n\n"
        "1 changed file looked at: 1 with changes\n"
    ).replace("4 values", "3 values")

    assert _diff(team) == wanted
    team.dev.git("add", "-A")
    assert _diff(team, "--staged") == wanted
    _commit(team)
    assert _diff(team, "HEAD~1", "HEAD") == wanted


def test_a_part_that_replaces_a_value_is_flagged(team: Team) -> None:
    team.dev("add", FILE, "DB_PASSWORD", "--value-stdin", stdin="battery-staple")

    shown = _diff(team)

    assert (
        '  ~ stringData.DB_PASSWORD  "correct-horse" → "battery-staple"   [replaces a value its author could not read]\n'
        in shown
    )
    assert "  = 2 values unchanged\n" in shown


def test_without_a_key_the_flag_is_there_too(team: Team) -> None:
    team.dev("add", FILE, "DB_PASSWORD", "--value-stdin", stdin="battery-stap")
    team.dev("add", FILE, "DB_USER", "--value-stdin", stdin="sh0p")

    shown = team.dev("diff").out

    assert shown.count("[replaces a value its author could not read]") == 2
    assert "perhaps changed" in shown
    assert "no key here opens it" in shown


def test_a_fold_changes_no_value(team: Team) -> None:
    for key, value in (("STRIPE_KEY", "sk_live_1"), ("DB_PASSWORD", "battery-staple"), ("TLS", "xyz")):
        team.dev("add", FILE, key, "--value-stdin", stdin=value)
    _commit(team)
    assert team.ops("fold", FILE).code == 0

    shown = _diff(team)

    assert f"  - part {PART}\n" in shown
    assert "3 values re-encrypted, plaintext unchanged; 1 value unchanged; folded in, no value changed\n" in shown
    assert "no change in any secret; 4 changed files looked at: 4 with the same values" in shown
    assert "stringData" not in shown


def test_a_part_that_goes_takes_its_value_with_it(team: Team) -> None:
    team.dev("add", FILE, "DB_PASSWORD", "--value-stdin", stdin="battery-staple")
    _commit(team)
    (team.dev.folder / "k8s/prod/secrets.d/DB_PASSWORD.yaml").unlink()

    shown = _diff(team)

    assert '  ~ stringData.DB_PASSWORD  "battery-staple" → "correct-horse"\n' in shown
    assert "folded" not in shown


def test_a_tampered_part_is_found(team: Team) -> None:
    team.dev("add", FILE, "STRIPE_KEY", "--value-stdin", stdin="sk_live_1")
    text = team.dev.read(PART)
    team.dev.write(
        PART, text.replace("apiVersion: v1\n", "apiVersion: v1 # x\n").replace('lastmodified: "2', 'lastmodified: "1')
    )

    ended = team.ops("diff", "--reveal")

    assert ended.code == 5
    assert f"! {PART}: the MAC does not open" in ended.out


PARTIAL = "apiVersion: v1\nkind: Secret\nmetadata: {name: web, namespace: shop}\nstringData:\n  STRIPE_KEY: sk_live_1\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            SECRET.replace("name: web", "name: other"),
            "is a part of Secret shop/other, and its base has no such object",
        ),
        (
            SECRET.replace("  name: web\n", "  name: web\n  labels: {a: b}\n"),
            "a part holds values and the name of their object, not metadata",
        ),
        (SECRET + "---\n" + SECRET.replace("name: web", "name: other"), "a part holds one object, not several"),
        ("a: {b: c}\n", "a part holds values and the name of their object, not a"),
        (PARTIAL.replace("  STRIPE_KEY: ", "  <<: {DB_PASSWORD: evil}\n  A: "), "a part has no merge keys (<<)"),
        (PARTIAL + "data:\n  STRIPE_KEY: Z29vZA==\n", "a part holds STRIPE_KEY twice"),
    ],
)
def test_what_decrypting_refuses_among_the_parts_stands_for_itself_and_is_a_fault(
    team: Team, text: str, problem: str
) -> None:
    team.seal("k8s/prod/secrets.d/x.yaml", text)

    ended = team.ops("diff", "--reveal")

    assert ended.code == 5
    assert "k8s/prod/secrets.d/x.yaml  new" in ended.out
    assert f"  ! {FILE} cannot be used while this is here: {problem}\n" in ended.out
    assert "part k8s" not in ended.out
    assert "1 changed file looked at: 1 with changes" in ended.out
    assert team.ops("decrypt", FILE).out == ""


def test_what_stands_beside_a_file_in_clear_without_secrets_is_like_any_other(team: Team) -> None:
    team.dev.write("k8s/prod/app.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: app}\n")
    _commit(team)
    team.seal("k8s/prod/app.d/x.yaml", SECRET)

    shown = _diff(team)

    assert "k8s/prod/app.d/x.yaml  new" in shown
    assert "cannot be used" not in shown


@pytest.mark.parametrize("linked", ["k8s/prod/secrets.d", PART])
@pytest.mark.parametrize("committed", [False, True])
def test_a_link_among_the_parts_is_a_fault(team: Team, linked: str, *, committed: bool) -> None:
    team.seal("k8s/prod/elsewhere/STRIPE_KEY.yaml", PARTIAL)
    _commit(team)
    away = team.dev.folder / "k8s/prod/elsewhere" / ("STRIPE_KEY.yaml" if linked == PART else "")
    (team.dev.folder / linked).parent.mkdir(exist_ok=True)
    (team.dev.folder / linked).symlink_to(away)
    if committed:
        _commit(team)

    ended = team.ops("diff", "--reveal", *(["HEAD~1", "HEAD"] if committed else []))

    assert ended.code == 5
    assert f"! {FILE} cannot be used while this is here: symbolic link to {away}, which is not followed\n" in ended.out
    assert "no change in any secret" not in ended.out
    assert f"{linked} is a symbolic link" in team.ops("decrypt", FILE).err


def test_two_parts_with_one_key_are_a_fault_though_only_one_is_new(team: Team) -> None:
    team.dev("add", FILE, "NEW", "--value-stdin", stdin="one")
    _commit(team)
    team.seal("k8s/prod/secrets.d/a.yaml", PARTIAL.replace("STRIPE_KEY", "NEW"))

    ended = team.ops("diff", "--reveal")

    assert ended.code == 5
    assert "! k8s/prod/secrets.d/NEW.yaml and k8s/prod/secrets.d/a.yaml both hold NEW" in ended.out


def test_a_part_that_nobody_reads_any_more_is_told_with_a_change_of_its_file(team: Team) -> None:
    team.seal("k8s/prod/secrets.d/x.yaml", "a: {b: c}\n")
    _commit(team)
    assert team.ops("set", FILE, '["stringData"]["DB_USER"]', '"x"').code == 0

    assert "! k8s/prod/secrets.d/x.yaml: a part holds values and the name of their object, not a\n" in (
        team.ops("diff", "--reveal").out
    )


def test_what_a_part_hides_of_its_file_is_no_change(team: Team) -> None:
    team.dev("add", FILE, "DB_PASSWORD", "--value-stdin", stdin="battery-staple")
    _commit(team)
    assert team.ops("set", FILE, '["stringData"]["DB_PASSWORD"]', '"behind the part"').code == 0

    shown = _diff(team)

    assert "stringData.DB_PASSWORD" not in shown
    assert "no change in any secret" in shown


@pytest.mark.parametrize("reader", ["ops", "dev"])
def test_a_part_that_takes_the_place_of_another_persons_is_flagged(team: Team, reader: str) -> None:
    team.dev("add", FILE, "STRIPE_KEY", "--value-stdin", stdin="sk_live_1")
    _commit(team)
    team.dev("add", FILE, "STRIPE_KEY", "--value-stdin", stdin="sk_live_2")

    shown = getattr(team, reader)("diff", "--reveal").out

    (line,) = [line for line in shown.splitlines() if "~ stringData.STRIPE_KEY" in line]
    assert "replaces a value its author could not read" in line


@pytest.mark.parametrize("new_name", ["", "k8s/prod/web.yaml"])
def test_a_file_that_goes_or_moves_without_its_parts_loses_their_keys(team: Team, new_name: str) -> None:
    team.dev("add", FILE, "STRIPE_KEY", "--value-stdin", stdin="sk_live_1")
    _commit(team)
    if new_name:
        (team.dev.folder / FILE).rename(team.dev.folder / new_name)
    else:
        (team.dev.folder / FILE).unlink()

    ended = team.ops("diff", "--reveal")

    assert ended.code == 5
    assert f"! {PART}: its file is gone, and its value with it\n" in ended.out
    assert '- stringData.STRIPE_KEY "sk_live_1"' in " ".join(ended.out.split())
    assert ("stringData.DB_PASSWORD" in ended.out) is not bool(new_name)


def test_a_file_that_moves_with_its_parts_keeps_their_keys(team: Team) -> None:
    team.dev("add", FILE, "STRIPE_KEY", "--value-stdin", stdin="sk_live_1")
    _commit(team)
    (team.dev.folder / FILE).rename(team.dev.folder / "k8s/prod/web.yaml")
    (team.dev.folder / "k8s/prod/secrets.d").rename(team.dev.folder / "k8s/prod/web.d")

    shown = _diff(team)

    assert "stringData" not in shown
    assert "gone" not in shown


def test_a_value_goes_where_its_file_has_the_key_and_the_section_that_counts(team: Team) -> None:
    team.seal(FILE, SECRET + "  DB_USER: bG9zZXI=\n")
    _commit(team)
    team.seal(
        "k8s/prod/secrets.d/DB_USER.yaml",
        PARTIAL.replace("stringData:", "data:").replace("STRIPE_KEY: sk_live_1", "DB_USER: ZXZpbA=="),
    )

    shown = _diff(team)

    assert '  ~ stringData.DB_USER  "shop" → "evil"   [replaces a value its author could not read]\n' in shown
    assert "data.DB_USER  " not in shown.replace("stringData.DB_USER", "")
    assert "DB_USER: evil\n" in team.ops("decrypt", FILE).out


def test_json_names_the_part(team: Team) -> None:
    team.dev("add", FILE, "DB_PASSWORD", "--value-stdin", stdin="battery-staple")

    document = json.loads(team.ops("diff", "--json").out)

    (file,) = document["files"]
    assert file["path"] == FILE
    assert file["parts"] == [
        {"path": "k8s/prod/secrets.d/DB_PASSWORD.yaml", "happening": "added", "beyond_file": [], "missing": []}
    ]
    (change,) = file["objects"][0]["changes"]
    assert change["part"] == "k8s/prod/secrets.d/DB_PASSWORD.yaml"
    assert change["authenticated"] is False
    assert document["summary"]["files"] == 1


def test_a_part_that_others_can_read_than_its_file_is_flagged(team: Team, other_key: AgeKey) -> None:
    _seal_part_for(team, other_key)
    team.dev.git("checkout", "-q", "-b", "pull-request")
    _commit(team)
    ours, theirs = team.key.recipient, other_key.recipient
    lines = (
        f"  + part {PART}, which whoever can push can write, without the key\n"
        f"  ! {theirs} can read it, and not its file\n"
        f"  ! {ours} cannot read it, and so no more its file, which counts with its parts\n"
    )

    for words, person in ((("main", "HEAD"), team.ops), (("pull-request",), team.dev)):
        ended = person("diff", *words)
        assert ended.code == 0
        assert lines in ended.out
    (part,) = json.loads(team.dev("diff", "--json", "main", "HEAD").out)["files"][0]["parts"]
    assert part == {
        "path": PART,
        "happening": "added",
        "beyond_file": [{"recipient": theirs, "called": None}],
        "missing": [{"recipient": ours, "called": None}],
    }


def test_a_part_that_is_removed_is_readable_by_nobody(team: Team, other_key: AgeKey) -> None:
    _seal_part_for(team, other_key)
    _commit(team)
    (team.dev.folder / PART).unlink()

    shown = team.dev("diff").out

    assert f"  - part {PART}\n" in shown
    assert "can read" not in shown


def _seal_part_for(team: Team, key: AgeKey) -> None:
    text = "apiVersion: v1\nkind: Secret\nmetadata: {name: web, namespace: shop}\nstringData: {STRIPE_KEY: x}\n"
    team.dev.write(PART, text)
    assert team.dev("encrypt", "-i", "--age", key.recipient, PART).code == 0
