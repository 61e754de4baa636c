"""``sealpy edit``, as a process with an editor that is a script."""

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.process import SEALPY, Program

CLEAR = '{"a": "one", "b": "two"}\n'


@pytest.fixture
def sealed(sealpy: Program) -> Program:
    """Return sealpy with a sealed file ``x.json``."""
    sealpy.write("x.json", CLEAR)
    assert sealpy("encrypt", "-i", "x.json").code == 0
    return sealpy


@pytest.fixture
def editor(tmp_path: Path) -> Callable[[str], dict[str, str]]:
    """Return a function that makes an editor of a shell script; the file is ``$1``."""

    def make(script: str) -> dict[str, str]:
        path = tmp_path / "the editor"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return {"EDITOR": f"'{path}'"}

    return make


def test_what_was_changed_is_sealed_and_the_rest_keeps_its_bytes(sealed: Program, editor) -> None:
    before = sealed.read("x.json").partition('"sops"')[0]

    assert sealed("edit", "x.json", env=editor('sed -i s/two/three/ "$1"')) == (0, "", "")

    after = sealed.read("x.json").partition('"sops"')[0]
    assert after.partition(', "b"')[0] == before.partition(', "b"')[0]
    assert sealed("decrypt", "x.json").out == CLEAR.replace("two", "three")


def test_the_root_form_edits(sealed: Program, editor) -> None:
    assert sealed("x.json", env=editor('sed -i s/two/three/ "$1"')).code == 0
    assert "three" in sealed("decrypt", "x.json").out


def test_the_text_is_in_a_private_place_in_memory_that_goes_away(sealed: Program, editor, tmp_path: Path) -> None:
    seen = tmp_path / "seen"

    ended = sealed(
        "edit",
        "x.json",
        env=editor(f'stat -c \'%a %n\' "$1" "$(dirname "$1")" > {seen}; cp "$1" "$1.swp"; sed -i s/two/2/ "$1"'),
    )

    assert ended.code == 0
    file, folder = (line.split(" ", 1) for line in seen.read_text().splitlines())
    assert file[0] == "600"
    assert folder[0] == "700"
    assert os.path.basename(file[1]) == "x.json"
    assert file[1].startswith("/dev/shm/")
    assert not os.path.exists(folder[1])


def test_nothing_changed_is_told_by_the_code_and_writes_nothing(sealed: Program, editor) -> None:
    path = sealed.folder / "x.json"
    before = (path.stat().st_ino, path.stat().st_mtime_ns)

    ended = sealed("edit", "x.json", env=editor('touch "$1"'))

    assert ended.code == 200
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == before


@pytest.mark.parametrize(
    "env", [{"EDITOR": "false"}, {"EDITOR": "/no/such/editor"}, {"EDITOR": "'open"}, {"PATH": "/nowhere"}]
)
def test_an_editor_that_fails_is_told_by_the_code(sealed: Program, env: dict[str, str]) -> None:
    before = sealed.read("x.json")

    ended = sealed("edit", "x.json", env=env)

    assert (ended.code, ended.out) == (201, "")
    assert sealed.read("x.json") == before


def test_the_editor_of_sops_comes_first(sealed: Program, editor) -> None:
    env = {**editor('sed -i s/two/2/ "$1"'), "SOPS_EDITOR": "false"}

    assert sealed("edit", "x.json", env=env).code == 201


def test_a_text_that_cannot_be_sealed_goes_back_to_the_editor(sealed: Program, editor, tmp_path: Path) -> None:
    env = editor(
        f'if [ -e {tmp_path}/again ]; then echo \'{{"c": 3}}\' > "$1"; else echo \'{{\' > "$1"; fi; touch {tmp_path}/again'
    )

    ended = sealed("edit", "x.json", stdin="\n", env=env)

    assert ended.code == 0
    assert "sealpy: x.json:" in ended.err
    assert "press Enter" in ended.err
    assert sealed("decrypt", "x.json").out == '{"c": 3}\n'


def test_without_anybody_to_press_enter_it_ends(sealed: Program, editor) -> None:
    before = sealed.read("x.json")

    ended = sealed("edit", "x.json", env=editor("echo '{' > \"$1\""))

    assert ended.code == 2
    assert sealed.read("x.json") == before


def test_a_missing_file_starts_with_an_example_and_is_sealed_under_its_rule(sealed: Program, editor) -> None:
    assert sealed("edit", "new.json", env=editor('sed -i s/world/secret/ "$1"')).code == 0

    assert "ENC[" in sealed.read("new.json")
    assert '"hello": "secret"' in sealed("decrypt", "new.json").out


@pytest.mark.parametrize("suffix", ["yaml", "json", "env", "ini", "txt"])
def test_there_is_an_example_of_every_format_that_can_be_sealed(sealed: Program, editor, suffix: str) -> None:
    assert (
        sealed("edit", f"new.{suffix}", env=editor('sed -i s/world/secret/ "$1"; sed -i s/Write/Draw/ "$1"')).code == 0
    )

    assert "ENC[" in sealed.read(f"new.{suffix}")


def test_a_missing_file_without_a_key_is_refused_before_the_editor_opens(run: Program, editor, tmp_path: Path) -> None:
    ended = run("edit", "new.yaml", env=editor(f"touch {tmp_path}/opened"))

    assert ended.code == 1
    assert not (tmp_path / "opened").exists()


def test_who_saves_second_loses_nothing_and_overwrites_nothing(sealed: Program, editor, tmp_path: Path) -> None:
    inner = editor('sed -i s/one/first/ "$1"')["EDITOR"]
    first = tmp_path / "first"
    program = SEALPY.format(name="sealpy").replace("'", '"')
    first.write_text(
        f"#!/bin/sh\ncd {sealed.folder}\nEDITOR=\"{inner}\" {sys.executable} -c '{program}' edit x.json\n"
        'sed -i s/two/second/ "$1"\n'
    )
    first.chmod(0o755)

    ended = sealed("edit", "x.json", env={"EDITOR": str(first)})

    assert ended.code == 1
    assert "x.edited-1.json" in ended.err
    assert sealed("decrypt", "x.json").out == CLEAR.replace("one", "first")
    assert "second" not in sealed.read("x.edited-1.json")
    assert sealed("decrypt", "x.edited-1.json").out == CLEAR.replace("two", "second")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_takes_the_text_away(sealed: Program, editor, tmp_path: Path, number: int) -> None:
    place = tmp_path / "place"
    process = subprocess.Popen(
        [sys.executable, "-c", SEALPY.format(name="sealpy"), "edit", "x.json"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=sealed.folder,
        env={**sealed.env, **editor(f'echo "$1" > {place}.new; mv {place}.new {place}; exec sleep 30')},
    )
    for _ in range(400):
        if place.exists():
            break
        time.sleep(0.05)
    text = Path(place.read_text().strip())
    assert text.exists()

    process.send_signal(number)
    process.communicate(timeout=20)

    assert process.returncode == 128 + number
    assert not text.parent.exists()


def test_with_metadata_shown_values_can_be_changed_all_the_same(sealed: Program, editor, tmp_path: Path) -> None:
    ended = sealed("edit", "-s", "x.json", env=editor(f'cp "$1" {tmp_path}/shown; sed -i s/two/three/ "$1"'))

    assert (ended.code, ended.err) == (0, "")
    assert "age1" in (tmp_path / "shown").read_text()
    assert sealed("decrypt", "x.json").out == CLEAR.replace("two", "three")


def test_a_mode_is_kept(sealed: Program, editor) -> None:
    path = sealed.folder / "x.json"
    path.chmod(0o640)

    assert sealed("edit", "x.json", env=editor('sed -i s/two/three/ "$1"')).code == 0

    assert stat.S_IMODE(path.stat().st_mode) == 0o640
