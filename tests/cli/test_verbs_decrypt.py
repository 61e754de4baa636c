"""``sealpy decrypt``, as a process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.process import SEALPY, Program
from tests.conftest import AgeKey

CLEAR = """\
name: shop  # of the house
port: 5432
ratio: 0.5
on: true
nothing: null
hosts:
  - one
  - two
nested:
  list: [1, 2]
  text: "a: b"
"""


@pytest.fixture
def sealed(sealpy: Program) -> Program:
    """Return sealpy with a sealed file ``x.yaml``."""
    sealpy.write("x.yaml", CLEAR)
    assert sealpy("encrypt", "-i", "x.yaml").code == 0
    return sealpy


def test_it_prints_every_byte_that_was_encrypted(sealed: Program) -> None:
    assert sealed("decrypt", "x.yaml") == (0, CLEAR, "")


def test_the_root_form_does_the_same(sealed: Program) -> None:
    assert sealed("-d", "x.yaml") == (0, CLEAR, "")
    assert sealed("--decrypt", "x.yaml", name="sops").out == CLEAR


def test_stdin_is_read_as_binary_unless_it_is_named(sealed: Program) -> None:
    text = sealed.read("x.yaml")

    assert sealed("decrypt", "--filename-override", "y.yaml", stdin=text).out == CLEAR
    assert sealed("decrypt", "--input-type", "yaml", stdin=text).out == CLEAR
    assert sealed("decrypt", stdin=text).code == 1


def test_what_is_wrong_with_stdin_is_said_of_standard_input(sealed: Program) -> None:
    text = sealed.read("x.yaml").replace("name: ", "named: ")

    ended = sealed("decrypt", "--input-type", "yaml", stdin="a: [\n")
    assert (ended.code, ended.err) == (1, "sealpy: standard input:2:1: not YAML: did not find expected node content\n")
    ended = sealed("decrypt", "--input-type", "yaml", stdin=text)
    assert ended.code == 25
    assert ended.err.startswith("sealpy: standard input: ")
    ended = sealed("decrypt", "--input-type", "yaml", stdin=sealed.read("x.yaml"), env={"SOPS_AGE_KEY_FILE": ""})
    assert ended.code == 128
    assert ended.err.startswith("sealpy: standard input: no key here opens it: ")


def test_a_remark_on_stdin_is_one_on_standard_input(sealpy: Program) -> None:
    text = sealpy("encrypt", "--filename-override", "x.json", stdin='{"a": "secret"}').out

    ended = sealpy("decrypt", "--input-type", "json", stdin=f"{text}\nx\n")

    assert ended.code == 0
    assert ended.err.startswith("sealpy: warning: standard input: ")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ('["name"]', "shop"),
        ("['name']", "shop"),
        ('["port"]', "5432\n"),
        ('["ratio"]', "0.5\n"),
        ('["on"]', "true\n"),
        ('["nothing"]', "null\n"),
        ('["hosts"][1]', "two"),
        ('["nested"]["text"]', "a: b"),
        ('["hosts"]', "- one\n- two\n"),
        ('["nested"]', "list:\n    - 1\n    - 2\ntext: 'a: b'\n"),
    ],
)
def test_one_value_or_branch_is_extracted(sealed: Program, path: str, value: str) -> None:
    assert sealed("decrypt", "--extract", path, "x.yaml") == (0, value, "")


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ('["nam"]', 1),
        ('["hosts"][2]', 1),
        ('["name"]["x"]', 1),
        ('["hosts"]["x"]', 1),
        ("name", 91),
        ('["name"', 91),
        ("[x]", 91),
        ("[-1]", 91),
        ('["hosts"][99999999999999]', 91),
    ],
)
def test_a_path_that_leads_nowhere_or_is_none_has_its_code(sealed: Program, path: str, code: int) -> None:
    ended = sealed("decrypt", "--extract", path, "x.yaml")

    assert (ended.code, ended.out) == (code, "")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["-i"], 8),
        (["-i", "--output", "y", "x.yaml"], 8),
        (["missing.yaml"], 100),
        (["."], 2),
        (["--decryption-order", "age,age", "x.yaml"], 112),
        (["--output", "no/such/folder", "x.yaml"], 3),
        (["--output", ".", "x.yaml"], 3),
        (["--max-size", "10", "x.yaml"], 2),
        (["--max-size", "much", "x.yaml"], 1),
        (["--enable-local-keyservice=false", "x.yaml"], 128),
        (["x.yaml", "y.yaml"], 8),
        (["--extract", '["a"]', "x.yaml", "x.yaml"], 8),
        (["nothing*.yaml"], 100),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_code_of_sops(sealed: Program, words: list[str], code: int) -> None:
    before = sealed.read("x.yaml")

    ended = sealed("decrypt", *words)

    assert (ended.code, ended.out) == (code, "")
    assert ended.err.startswith("sealpy: ")
    assert sealed.read("x.yaml") == before


def test_a_new_file_with_plaintext_is_its_owners_alone(sealed: Program) -> None:
    assert sealed("decrypt", "--output", "clear.yaml", "x.yaml") == (0, "", "")

    assert sealed.read("clear.yaml") == CLEAR
    assert (sealed.folder / "clear.yaml").stat().st_mode & 0o777 == 0o600


def test_an_existing_file_keeps_its_mode(sealed: Program) -> None:
    sealed.write("clear.yaml", "").chmod(0o644)

    assert sealed("decrypt", "--output", "clear.yaml", "x.yaml").code == 0

    assert (sealed.folder / "clear.yaml").stat().st_mode & 0o777 == 0o644


def test_output_may_be_a_device(sealed: Program) -> None:
    assert sealed("decrypt", "--output", "/dev/stdout", "x.yaml").out == CLEAR


def test_a_key_that_is_not_there_is_told_with_what_was_tried(
    sealed: Program, age_key: AgeKey, other_key: AgeKey
) -> None:
    ended = sealed("decrypt", "x.yaml", env={"SOPS_AGE_KEY_FILE": "", "SOPS_AGE_KEY": other_key.identity})

    assert (ended.code, ended.out) == (128, "")
    assert ended.err.startswith("sealpy: x.yaml: ")
    assert age_key.recipient in ended.err
    assert other_key.recipient in ended.err
    assert "SOPS_AGE_KEY" in ended.err
    assert other_key.identity not in ended.err
    assert "sealpy: hint: " in ended.err


def test_a_changed_value_is_told_by_its_place_and_without_its_text(sealed: Program) -> None:
    text = sealed.read("x.yaml")
    place = text.index("data:") + 6
    flipped = "A" if text[place] != "A" else "B"
    sealed.write("x.yaml", text[:place] + flipped + text[place + 1 :])

    ended = sealed("decrypt", "x.yaml")

    assert (ended.code, ended.out) == (25, "")
    assert "line 1" in ended.err
    assert "shop" not in ended.err


def test_a_mac_that_does_not_fit_stops_everything_but_ignore_mac(sealed: Program) -> None:
    text = sealed.read("x.yaml")
    sealed.write("x.yaml", text.replace('lastmodified: "2', 'lastmodified: "1'))

    ended = sealed("decrypt", "x.yaml")

    assert (ended.code, ended.out) == (51, "")
    assert sealed("decrypt", "--ignore-mac", "x.yaml").out == CLEAR


def test_a_reader_that_goes_away_is_no_error_to_tell(sealed: Program) -> None:
    sealed.write("big.yaml", "".join(f"k{number}: {'v' * 100}\n" for number in range(3000)))
    assert sealed("encrypt", "-i", "big.yaml").code == 0
    reader, writer = os.pipe()
    os.close(reader)

    ended = subprocess.run(
        [sys.executable, "-c", SEALPY.format(name="sealpy"), "decrypt", "big.yaml"],
        stdout=writer,
        stderr=subprocess.PIPE,
        cwd=sealed.folder,
        env=sealed.env,
        timeout=60,
        check=False,
    )
    os.close(writer)

    assert (ended.returncode, ended.stderr) == (141, b"")


def test_an_error_of_our_own_says_where_and_never_what(sealed: Program, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "sitecustomize.py").write_text(
        "import sealpy.operations as o\ndef fail(*a, **k):\n    raise KeyError('hunter2')\no.sealing.unseal = fail\n"
    )

    ended = sealed("decrypt", "x.yaml", env={"PYTHONPATH": str(broken)})

    assert (ended.code, ended.out) == (70, "")
    assert "internal error: KeyError at sealpy/operations.py:" in ended.err
    assert "hunter2" not in ended.err


def test_the_process_leaves_no_core_file(sealed: Program) -> None:
    program = (
        "import resource; from sealpy_cli.main import main; main(['sealpy', '--version']); "
        "print(resource.getrlimit(resource.RLIMIT_CORE)[0])"
    )

    assert sealed(program=[sys.executable, "-c", program]).out.splitlines()[-1] == "0"


def test_names_with_control_signs_do_not_reach_the_terminal(run: Program) -> None:
    ended = run("decrypt", "a\x1b[31mb")

    assert ended.code == 100
    assert "\x1b" not in ended.err


def test_colour_is_for_terminals(sealed: Program) -> None:
    assert "\x1b" not in sealed("decrypt", "missing.yaml").err
