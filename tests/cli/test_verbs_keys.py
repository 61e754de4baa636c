"""``sealpy rotate``, ``sealpy updatekeys`` and ``sealpy filestatus``, as processes."""

from collections.abc import Callable

import pytest

from tests.cli.process import Program
from tests.conftest import AgeKey


@pytest.fixture
def sealed(sealpy: Program) -> Program:
    """Return sealpy with a sealed file ``x.yaml``."""
    sealpy.write("x.yaml", "a: one\nb: two\n")
    assert sealpy("encrypt", "-i", "x.yaml").code == 0
    return sealpy


def test_rotate_changes_every_value_and_prints(sealed: Program) -> None:
    before = sealed.read("x.yaml")

    ended = sealed("rotate", "x.yaml")

    assert (ended.code, ended.err) == (0, "")
    assert sealed.read("x.yaml") == before
    old, new = (dict(line.split(": ", 1) for line in text.splitlines()[:2]) for text in (before, ended.out))
    assert old["a"] != new["a"]
    assert old["b"] != new["b"]


def test_rotate_adds_and_removes_recipients(
    sealed: Program, age_key: AgeKey, other_key: AgeKey, tool: Callable[[str], str]
) -> None:
    assert sealed("rotate", "-i", "--add-age", other_key.recipient, "--rm-age", age_key.recipient, "x.yaml").code == 0

    assert age_key.recipient not in sealed.read("x.yaml")
    assert sealed("decrypt", "x.yaml").code == 128
    opened = sealed(
        "decrypt",
        "x.yaml",
        program=[tool("sops")],
        env={"SOPS_AGE_KEY": other_key.identity, "SOPS_AGE_KEY_FILE": "/dev/null"},
    )
    assert (opened.code, opened.out) == (0, "a: one\nb: two\n")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ([], 100),
        (["missing.yaml"], 2),
        (["--add-age", "age1x", "missing.yaml"], 49),
        (["-i", "--output", "y", "x.yaml"], 8),
        (["-i", "--add-age", "age1nonsense", "x.yaml"], 1),
        (["-i", "--add-pgp", "ABCD", "x.yaml"], 1),
        (["--age", "age1x", "x.yaml"], 1),
    ],
)
def test_a_rotation_that_makes_no_sense_is_refused(sealed: Program, words: list[str], code: int) -> None:
    before = sealed.read("x.yaml")

    ended = sealed("rotate", *words)

    assert (ended.code, ended.out) == (code, "")
    assert sealed.read("x.yaml") == before


def test_the_last_recipient_is_not_removed(sealed: Program, age_key: AgeKey) -> None:
    assert sealed("rotate", "-i", "--rm-age", age_key.recipient, "x.yaml").code == 1
    assert sealed("decrypt", "x.yaml").code == 0


def test_a_recipient_that_is_not_there_is_told(sealed: Program, other_key: AgeKey) -> None:
    assert other_key.recipient in sealed("rotate", "--rm-age", other_key.recipient, "x.yaml").err


def test_the_root_form_rotates(sealed: Program) -> None:
    before = sealed.read("x.yaml")

    assert sealed("-r", "-i", "x.yaml").code == 0

    assert sealed.read("x.yaml") != before


def _add_to_rule(sealed: Program, age_key: AgeKey, other_key: AgeKey) -> None:
    sealed.write(".sops.yaml", f"creation_rules:\n  - age: {age_key.recipient},{other_key.recipient}\n")


def test_updatekeys_changes_the_keys_and_nothing_else(sealed: Program, age_key: AgeKey, other_key: AgeKey) -> None:
    _add_to_rule(sealed, age_key, other_key)
    before = sealed.read("x.yaml").splitlines()

    ended = sealed("updatekeys", "--yes", "x.yaml")

    assert (ended.code, ended.out) == (0, "")
    assert f"+++ {other_key.recipient}" in ended.err
    after = sealed.read("x.yaml").splitlines()
    assert [line for line in before if line not in after] == []
    assert sealed("decrypt", "x.yaml", env={"SOPS_AGE_KEY": other_key.identity}).out == "a: one\nb: two\n"
    assert sealed("updatekeys", "--yes", "x.yaml") == (0, "", "")


@pytest.mark.parametrize(
    ("answer", "code", "changes"), [("y\n", 0, True), ("n\n", 0, False), ("x\ny\n", 0, True), ("", 1, False)]
)
def test_updatekeys_asks(
    sealed: Program, age_key: AgeKey, other_key: AgeKey, answer: str, code: int, changes: bool
) -> None:
    _add_to_rule(sealed, age_key, other_key)
    before = sealed.read("x.yaml")

    ended = sealed("updatekeys", "x.yaml", stdin=answer)

    assert ended.code == code
    assert "is this okay? (y/n)" in ended.err
    assert (sealed.read("x.yaml") != before) == changes


def test_updatekeys_check_changes_nothing_and_needs_no_key(sealed: Program, age_key: AgeKey, other_key: AgeKey) -> None:
    assert sealed("updatekeys", "--check", "x.yaml", env={"SOPS_AGE_KEY_FILE": "/dev/null"}).code == 0
    _add_to_rule(sealed, age_key, other_key)
    before = sealed.read("x.yaml")

    ended = sealed("updatekeys", "--check", "x.yaml", env={"SOPS_AGE_KEY_FILE": "/dev/null"})

    assert ended.code == 1
    assert other_key.recipient in ended.err
    assert sealed.read("x.yaml") == before


def test_updatekeys_does_not_hand_on_what_was_tampered_with(
    sealed: Program, age_key: AgeKey, other_key: AgeKey
) -> None:
    _add_to_rule(sealed, age_key, other_key)
    sealed.write("x.yaml", sealed.read("x.yaml").replace('lastmodified: "2', 'lastmodified: "1'))
    before = sealed.read("x.yaml")

    assert sealed("updatekeys", "--yes", "x.yaml").code == 51
    assert sealed.read("x.yaml") == before


def test_by_the_name_of_sops_updatekeys_says_what_scripts_look_for(
    sealed: Program, age_key: AgeKey, other_key: AgeKey
) -> None:
    assert "already up to date" in sealed("updatekeys", "x.yaml", name="sops").err
    _add_to_rule(sealed, age_key, other_key)

    ended = sealed("updatekeys", "-y", "x.yaml", name="sops")

    assert ended.out == (
        "The following changes will be made to the file's groups:\n"
        f"Group 1\n    {age_key.recipient}\n+++ {other_key.recipient}\n"
    )
    assert "synced with new keys" in ended.err


@pytest.mark.parametrize(("words", "code"), [([], 100), (["missing.yaml"], 1), (["."], 1), (["plain.yaml"], 1)])
def test_updatekeys_of_what_is_no_sealed_file_is_refused(sealed: Program, words: list[str], code: int) -> None:
    sealed.write("plain.yaml", "a: 1\n")

    assert sealed("updatekeys", "-y", *words).code == code


def test_updatekeys_needs_a_configuration(run: Program) -> None:
    assert run("updatekeys", "x.yaml").code == 1


def test_updatekeys_takes_a_folder_and_goes_on_after_a_failure(
    sealed: Program, age_key: AgeKey, other_key: AgeKey
) -> None:
    sealed.write("deep/y.yaml", sealed.read("x.yaml"))
    sealed.write("deep/bad.yaml", sealed.read("x.yaml").replace("version:", "versoin:"))
    sealed.write("deep/plain.yaml", "a: 1\n")
    _add_to_rule(sealed, age_key, other_key)

    ended = sealed("updatekeys", "-y", "-r", "deep")

    assert ended.code == 1
    assert ended.err.endswith("sealpy: 1 up to date, 1 left alone, 1 failed\n")
    assert other_key.recipient in sealed.read("deep/y.yaml")


def test_filestatus_is_one_line_of_json(sealed: Program, run: Program) -> None:
    sealed.write("plain.yaml", "a: 1\n")

    assert sealed("filestatus", "x.yaml") == (0, '{"encrypted":true}\n', "")
    assert sealed("filestatus", "plain.yaml") == (0, '{"encrypted":false}\n', "")
    assert run("filestatus", "x.yaml").out == '{"encrypted":true}\n'


@pytest.mark.parametrize(("words", "code"), [([], 100), (["missing.yaml"], 1), (["."], 1), (["bad.yaml"], 1)])
def test_filestatus_of_what_cannot_be_read_is_an_error(sealed: Program, words: list[str], code: int) -> None:
    sealed.write("bad.yaml", "a: [\n")

    ended = sealed("filestatus", *words)

    assert (ended.code, ended.out) == (code, "")
