"""``sealpy set`` and ``sealpy unset``, as processes."""

import os
import pty
import select
import subprocess
import sys

import pytest

from tests.cli.process import SEALPY, Program

CLEAR = '{"text": "a", "list": [1, 2], "map": {"x": true}}\n'


@pytest.fixture
def sealed(sealpy: Program) -> Program:
    """Return sealpy with a sealed file ``x.json``."""
    sealpy.write("x.json", CLEAR)
    assert sealpy("encrypt", "-i", "x.json").code == 0
    return sealpy


def test_one_value_changes_and_the_others_keep_their_bytes(sealed: Program) -> None:
    before = sealed.read("x.json").partition('"sops"')[0]

    assert sealed("set", "x.json", '["text"]', '"b"') == (0, "", "")

    after = sealed.read("x.json").partition('"sops"')[0]
    assert after.partition('"list"')[2] == before.partition('"list"')[2]
    assert after != before
    assert sealed("decrypt", "x.json").out == CLEAR.replace('"a"', '"b"')


@pytest.mark.parametrize(
    ("json", "clear"),
    [
        ("5", "5"),
        ("-5", "-5"),
        ("9007199254740993", "9007199254740993"),
        ("1.5", "1.5"),
        ("true", "true"),
        ('"5"', '"5"'),
        ('"a b"', '"a b"'),
    ],
)
def test_a_value_keeps_its_type(sealed: Program, json: str, clear: str) -> None:
    assert sealed("set", "x.json", '["text"]', json).code == 0

    assert sealed("decrypt", "x.json").out == CLEAR.replace('"a"', clear)


def test_a_list_can_be_set(sealed: Program) -> None:
    assert sealed("set", "x.json", '["list"]', "[3]").code == 0

    assert sealed("decrypt", "--extract", '["list"][0]', "x.json").out == "3"


def test_by_the_name_of_sops_numbers_become_floats_and_lists_are_refused(sealed: Program) -> None:
    assert sealed("set", "x.json", '["text"]', "5", name="sops").code == 0
    assert '"text": "ENC[' in sealed.read("x.json")
    assert sealed.read("x.json").partition("\n")[0].count("type:float") == 1
    assert sealed("set", "x.json", '["list"]', "[3]", name="sops").code == 7


def test_a_path_that_is_not_there_is_made(sealed: Program) -> None:
    assert sealed("set", "x.json", '["map"]["deep"]["er"]', '"v"').code == 0

    assert sealed("decrypt", "--extract", '["map"]["deep"]["er"]', "x.json").out == "v"


def test_the_value_can_come_from_stdin_or_a_file(sealed: Program) -> None:
    assert sealed("set", "x.json", '["text"]', "--value-stdin", stdin='"from stdin"').code == 0
    assert sealed("decrypt", "--extract", '["text"]', "x.json").out == "from stdin"

    sealed.write("value", '"from a file"')
    assert sealed("set", "--value-file", "x.json", '["text"]', "value").code == 0
    assert sealed("decrypt", "--extract", '["text"]', "x.json").out == "from a file"


def test_the_root_form_sets_too(sealed: Program) -> None:
    assert sealed("--set", '["text"] "root"', "x.json").code == 0
    assert sealed("decrypt", "--extract", '["text"]', "x.json").out == "root"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["x.json"], 100),
        (["x.json", '["text"]'], 100),
        (["x.json", '["text"]', '"v"', "more"], 100),
        (["--value-stdin", "x.json", '["text"]', '"v"'], 100),
        (["--value-stdin", "--value-file", "x.json", '["text"]'], 1),
        (["missing.json", '["text"]', '"v"'], 2),
        (["x.json", '["text"]', "v"], 7),
        (["x.json", '["text"]', "NaN"], 7),
        (["x.json", '["text"]', "1e999"], 7),
        (["x.json", '["text"]', "[" * 100_000], 7),
        (["x.json", "text", '"v"'], 7),
        (["x.json", "", '"v"'], 7),
        (["x.json", "[0]", '"v"'], 7),
        (["x.json", '["list"][-1]', '"v"'], 7),
        (["x.json", '["list"]["x"]', '"v"'], 1),
        (["x.json", '["sops"]', '"v"'], 203),
    ],
)
def test_what_makes_no_sense_leaves_the_file_alone(sealed: Program, words: list[str], code: int) -> None:
    before = sealed.read("x.json")

    ended = sealed("set", *words)

    assert (ended.code, ended.out) == (code, "")
    assert ended.err.startswith("sealpy: ")
    assert sealed.read("x.json") == before


def test_no_complaint_quotes_the_value(sealed: Program) -> None:
    assert "hunter2" not in sealed("set", "x.json", '["text"]', "hunter2").err


def test_idempotent_leaves_an_equal_value_alone(sealed: Program) -> None:
    before = sealed.read("x.json")

    assert sealed("set", "--idempotent", "x.json", '["map"]', '{"x": true}').code == 0
    assert sealed.read("x.json") == before
    assert sealed("set", "--idempotent", "x.json", '["map"]["x"]', "1").code == 0
    assert sealed.read("x.json") != before


def test_without_a_value_it_is_asked_for_and_not_shown(sealed: Program) -> None:
    ours, theirs = pty.openpty()
    # Opening it makes the terminal that of the new session.
    program = "import os; os.close(os.open(os.ttyname(0), os.O_RDWR)); " + SEALPY.format(name="sealpy")
    process = subprocess.Popen(
        [sys.executable, "-c", program, "set", "x.json", '["text"]'],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=sealed.folder,
        env=sealed.env,
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    while b"plain text: " not in shown:
        assert select.select([ours], [], [], 20)[0]
        shown += os.read(ours, 1024)
    os.write(ours, b"hunter2 5\n")
    assert process.wait(timeout=20) == 0
    while select.select([ours], [], [], 0.2)[0]:
        try:
            shown += os.read(ours, 1024)
        except OSError:
            break
    os.close(ours)

    assert b"hunter2" not in shown
    assert sealed("decrypt", "--extract", '["text"]', "x.json").out == "hunter2 5"


def test_unset_takes_one_branch_out(sealed: Program) -> None:
    assert sealed("unset", "x.json", '["map"]') == (0, "", "")

    assert sealed("decrypt", "x.json").out == '{"text": "a", "list": [1, 2]}\n'


def test_unset_of_nothing_is_an_error_unless_idempotent(sealed: Program) -> None:
    before = sealed.read("x.json")

    assert sealed("unset", "x.json", '["nothing"]').code == 1
    assert sealed("unset", "--idempotent", "x.json", '["nothing"]').code == 0
    assert sealed("unset", "x.json").code == 100
    assert sealed.read("x.json") == before
