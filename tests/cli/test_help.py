"""What the program says about itself."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sealpy.version import __version__
from sealpy_cli.verbs_table import LATER, VERBS
from tests.cli.process import Program


def test_the_version_names_both_programs(run: Program) -> None:
    ended = run("--version")

    assert ended.out == f"sealpy {__version__} (sops 3.13.3 compatible)\n"
    assert ended.code == 0


@pytest.mark.parametrize("words", [["--version"], ["-v"], ["--version", "--disable-version-check"]])
def test_by_the_name_of_sops_the_version_line_is_that_of_sops(run: Program, words: list[str]) -> None:
    assert run(*words, name="/usr/bin/sops").out == "sops 3.13.3\n"
    assert run(*words, env={"SEALPY_SOPS_COMPAT": "1"}).out == "sops 3.13.3\n"


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["help"], ["h"]])
def test_the_short_help_fits_on_half_a_screen(run: Program, words: list[str]) -> None:
    ended = run(*words)

    assert ended.code == 0
    assert ended.err == ""
    assert len(ended.out.splitlines()) < 20
    assert "encrypt" in ended.out
    assert ended.out.endswith('more with "sealpy help --all"\n')


def test_the_long_help_names_every_verb(run: Program) -> None:
    text = run("help", "--all").out

    for verb in VERBS:
        assert f"  {verb.name} " in text


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb.flags], ids=lambda verb: verb.name)
def test_the_help_of_a_verb_names_every_flag_of_it(run: Program, verb) -> None:  # type: ignore[no-untyped-def]
    text = run(verb.name, "--help").out

    for flag in verb.flags:
        assert f"--{flag.name}" in text
        assert flag.help in text
    assert run("help", verb.name).out == text


def test_by_the_name_of_sops_there_are_none_of_our_own_flags(run: Program) -> None:
    assert "--output-dir" in run("decrypt", "--help").out
    assert "--output-dir" not in run("decrypt", "--help", name="sops").out
    assert run("decrypt", "--output-dir", "x", "f", name="sops").code == 1


@pytest.mark.parametrize("verb", LATER)
def test_a_verb_that_is_not_built_yet_says_so(run: Program, verb: str) -> None:
    ended = run(verb, "a", "b")

    assert ended.code == 1
    assert ended.out == ""
    assert f'sealpy: "{verb}" is not built yet\n' in ended.err


def test_an_unknown_flag_is_one_line_and_a_hint(run: Program) -> None:
    ended = run("decrypt", "--extrakt", "x", "f")

    assert ended.code == 1
    assert ended.out == ""
    assert ended.err == "sealpy: unknown flag --extrakt\nsealpy: hint: did you mean --extract?\n"


def test_another_mistake_points_to_the_help_of_the_verb(run: Program) -> None:
    assert run("decrypt", "f", "--output").err == (
        'sealpy: flag --output needs a value\nsealpy: hint: see "sealpy decrypt --help"\n'
    )


def test_a_misspelt_verb_does_not_become_a_new_file(run: Program) -> None:
    ended = run("decrpyt", "f")

    assert ended.code == 1
    assert 'did you mean "decrypt"?' in ended.err


def test_without_a_file_there_is_nothing_to_do(run: Program) -> None:
    assert run().code == 100
    assert run("-d").code == 100


def test_a_flag_of_the_root_before_a_verb_is_warned_about(run: Program) -> None:
    assert "--in-place before" in run("-i", "filestatus", "missing").err


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_the_completion_script_is_one_that_the_shell_accepts(run: Program, shell: str) -> None:
    ended = run("completion", shell)
    assert ended.code == 0
    assert "sealpy" in ended.out
    program = shutil.which(shell)
    if program is None:
        assert shell == "zsh", "bash is part of every system that runs these tests"
        return
    subprocess.run([program, "-n"], input=ended.out.encode(), check=True, timeout=20)


def test_bash_completes_verbs_and_flags(run: Program, tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "sealpy"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m sealpy_cli.main "$@"\n')
    program.chmod(0o755)
    script = run("completion", "bash").out + (
        'COMP_WORDS=(sealpy decr); COMP_CWORD=1; _sealpy_complete; echo "${COMPREPLY[@]}"\n'
        'COMP_WORDS=(sealpy decrypt --ext); COMP_CWORD=2; _sealpy_complete; echo "${COMPREPLY[@]}"\n'
    )

    ended = subprocess.run(
        ["bash"], input=script.encode(), capture_output=True, check=True, timeout=20,
        env={"PATH": f"{folder}:/usr/bin:/bin"},
    )  # fmt: skip

    assert ended.stdout.decode().split("\n") == ["decrypt", "--extract", ""]


def test_a_script_made_for_sops_gets_names_and_meanings(run: Program) -> None:
    ended = run("--generate-bash-completion", env={"_CLI_ZSH_AUTOCOMPLETE_HACK": "1"})

    assert "decrypt:decrypt files; stdin if there is none" in ended.out.splitlines()


def test_finding_the_verb_imports_neither_click_nor_the_engine() -> None:
    program = (
        "import sys; from sealpy_cli.main import main; main(['sealpy', '--version']); "
        "print(sorted({'click', 'yaml', 'cryptography', 'dataclasses', 'inspect', 'subprocess'} & set(sys.modules)))"
    )

    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, timeout=20)

    assert ended.stdout.decode().splitlines()[-1] == "[]"
