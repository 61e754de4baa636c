"""What a terminal gets, and what a pipe gets."""

import os
import pty
import select
import subprocess
import sys

import pytest

from tests.cli.process import SEALPY, Program


def on_a_terminal(program: Program, *words: str, env: dict[str, str] | None = None) -> str:
    """Run sealpy with its stderr on a terminal, and return what is shown there."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", SEALPY.format(name="sealpy"), *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        cwd=program.folder,
        env={**program.env, "TERM": "xterm", **(env or {})},
    )
    os.close(theirs)
    shown = b""
    while select.select([ours], [], [], 20)[0]:
        try:
            shown += os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
    os.close(ours)
    process.wait(timeout=20)
    return shown.decode()


def test_hints_are_coloured_on_a_terminal(run: Program) -> None:
    assert "\x1b[36mhint:\x1b[0m" in on_a_terminal(run, "decrypt", "--bogus")


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_nothing_is_coloured_where_that_is_not_wanted(run: Program, env: dict[str, str]) -> None:
    assert "\x1b" not in on_a_terminal(run, "decrypt", "--bogus", env=env)


def test_many_files_are_counted_on_a_terminal_and_the_count_goes_away(sealpy: Program) -> None:
    for name in "abc":
        sealpy.write(f"{name}.env", "A=1\n")

    shown = on_a_terminal(sealpy, "encrypt", "-i", "a.env", "b.env", "c.env")

    assert "\rsealpy: 2 of 3\x1b[K" in shown
    assert shown.endswith("\r\x1b[Ksealpy: 3 encrypted\r\n")


def test_nothing_is_counted_in_a_pipe(sealpy: Program) -> None:
    for name in "abc":
        sealpy.write(f"{name}.env", "A=1\n")

    assert sealpy("encrypt", "-i", "a.env", "b.env", "c.env").err == "sealpy: 3 encrypted\n"


def test_the_same_hint_is_given_once(run: Program, sealpy: Program) -> None:
    for name in "abc":
        sealpy.write(f"{name}.env", "A=1\n")
    assert sealpy("encrypt", "-i", "a.env", "b.env", "c.env").code == 0

    ended = run("decrypt", "a.env", "b.env", "c.env", "--output-dir", "out")

    assert ended.code == 128
    assert ended.err.count("no key here opens it") == 3
    assert ended.err.count("hint:") == 1


def test_scripts_find_the_words_of_sops_by_its_name(sealpy: Program) -> None:
    sealpy.write("x.yaml", "a: 1\n")
    assert "sops metadata not found" in sealpy("decrypt", "x.yaml", name="sops").err
    assert sealpy("encrypt", "-i", "x.yaml").code == 0
    sealpy.write("y.yaml", sealpy.read("x.yaml").replace('lastmodified: "2', 'lastmodified: "1'))

    assert "MAC mismatch" in sealpy("decrypt", "y.yaml", name="sops").err
    assert "Failed to get the data key" in sealpy("decrypt", "x.yaml", name="sops", env={"SOPS_AGE_KEY_FILE": "/"}).err


TELLING = [["decrypt", "a.yaml"], ["check"], ["check", "--json"], ["who"], ["--help"], ["--version"], ["check", "-h"]]


@pytest.fixture
def repository(sealpy: Program) -> Program:
    sealpy.write("a.yaml", "secret: canary\n")
    assert sealpy("encrypt", "-i", "a.yaml").code == 0
    sealpy.git("init", "-q")
    return sealpy


@pytest.mark.parametrize("words", TELLING, ids=" ".join)
def test_where_standard_output_is_full_it_says_so(repository: Program, words: list[str]) -> None:
    ended = repository(*words, before=["sh", "-c", 'exec "$@" >/dev/full', "sh"])

    assert (ended.code, ended.err) == (1, "sealpy: standard output takes no more: no space left on device\n")


@pytest.mark.parametrize("words", TELLING, ids=" ".join)
def test_a_closed_standard_output_is_nothing_to_stumble_over(repository: Program, words: list[str]) -> None:
    ended = repository(*words, before=["sh", "-c", 'exec "$@" >&-', "sh"])

    assert ended.code == repository(*words).code
    assert "internal" not in ended.err


def test_nothing_lands_in_a_file_that_took_the_number_of_a_closed_stream(repository: Program) -> None:
    before = repository.read("a.yaml")

    ended = repository("set", "a.yaml", '["secret"]', '"new"', before=["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"])

    assert ended.code == 0
    assert repository("decrypt", "a.yaml").out == "secret: new\n"
    assert before != repository.read("a.yaml")
