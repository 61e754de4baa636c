"""What may go wrong around a file: rights, space, size, a killed process."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import places
from tests.cli.process import SEALPY, Program
from tests.conftest import AgeKey

NOBODY = 65534


@pytest.fixture
def sealed(sealpy: Program) -> Program:
    """Return sealpy with a sealed file ``x.yaml``."""
    sealpy.write("x.yaml", "a: one\nb: two\n")
    assert sealpy("encrypt", "-i", "x.yaml").code == 0
    return sealpy


@pytest.fixture
def unprivileged(sealed: Program, age_key: AgeKey) -> Iterator[tuple[Program, list[str]]]:
    """Return sealpy in a folder of a user who is not root, and what to put before its command line."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(sealed.folder, folder / "work")
        program = Program(folder / "work", folder, {"SOPS_AGE_KEY": age_key.identity})
        if os.geteuid() != 0:
            yield program, []
            return
        before = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        for path in (folder, *folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
        if program("--version", before=before).code:
            assert not places.IN_CI, "another user cannot run this Python"
            pytest.skip("another user cannot run this Python")
        yield program, before


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["decrypt"], 2),
        (["encrypt"], 2),
        (["rotate", "-i"], 2),
        (["edit"], 2),
        (["filestatus"], 1),
        (["updatekeys", "-y"], 2),
    ],
)
def test_a_file_that_may_not_be_read(unprivileged: tuple[Program, list[str]], words: list[str], code: int) -> None:
    program, before = unprivileged
    (program.folder / "x.yaml").chmod(0)

    ended = program(*words, "x.yaml", before=before)

    assert (ended.code, ended.out) == (code, "")
    assert ended.err.startswith("sealpy: x.yaml: permission denied\n")


@pytest.mark.parametrize("words", [["decrypt", "-i"], ["rotate", "-i"], ["decrypt", "--output", "y.yaml"]])
def test_a_folder_that_may_not_be_written_to(unprivileged: tuple[Program, list[str]], words: list[str]) -> None:
    program, before = unprivileged
    content = program.read("x.yaml")
    program.folder.chmod(0o500)

    ended = program(*words, "x.yaml", before=before)
    program.folder.chmod(0o700)

    assert (ended.code, ended.out) == (3, "")
    assert "permission denied" in ended.err
    assert program.read("x.yaml") == content
    assert sorted(path.name for path in program.folder.iterdir()) == [".sops.yaml", "x.yaml"]


def test_a_file_that_may_not_be_written_to(unprivileged: tuple[Program, list[str]]) -> None:
    program, before = unprivileged
    content = program.read("x.yaml")
    (program.folder / "x.yaml").chmod(0o400)

    ended = program("decrypt", "-i", "x.yaml", before=before)

    assert ended.code == 3
    assert program.read("x.yaml") == content


@pytest.mark.parametrize("words", [["decrypt", "-i"], ["rotate", "-i"], ["decrypt", "--output", "y.yaml"]])
def test_a_full_disk_leaves_the_old_file(sealed: Program, words: list[str]) -> None:
    # No more than a few blocks may be written: the same to the program as a disk that is full.
    sealed.write("x.yaml", "".join(f"k{number}: {'v' * 200}\n" for number in range(200)))
    assert sealed("encrypt", "-i", "x.yaml").code == 0
    content = sealed.read("x.yaml")

    ended = sealed(*words, "x.yaml", before=["sh", "-c", 'ulimit -f 8; exec "$@"', "sh"])

    assert (ended.code, ended.out) == (3, "")
    assert ended.err.startswith("sealpy: ")
    assert sealed.read("x.yaml") == content
    assert sorted(path.name for path in sealed.folder.iterdir()) == [".sops.yaml", "x.yaml"]


def test_a_small_file_system_that_is_full_leaves_the_old_file(sealed: Program, tmp_path: Path) -> None:
    mount = tmp_path / "small"
    mount.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(mount)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount; a limit on the size of files stands in for it above")
    try:
        sealed.write("big.yaml", f"a: {'v' * 30_000}\n")
        assert sealed("encrypt", "--output", mount / "big.yaml", "big.yaml").code == 0
        content = (mount / "big.yaml").read_bytes()

        ended = sealed("rotate", "-i", mount / "big.yaml")

        assert ended.code == 3
        assert "no space left" in ended.err
        assert (mount / "big.yaml").read_bytes() == content
        assert [path.name for path in mount.iterdir()] == ["big.yaml"]
    finally:
        subprocess.run(["umount", str(mount)], check=True)


def test_a_killed_process_leaves_the_old_file_or_the_new(sealed: Program) -> None:
    sealed.write("x.yaml", "".join(f"k{number}: value {number}\n" for number in range(2000)))
    clear = sealed.read("x.yaml")
    start = time.monotonic()
    assert sealed("encrypt", "-i", "x.yaml").code == 0
    duration = time.monotonic() - start
    content = sealed.read("x.yaml")
    killed = 0
    for part in range(12):
        process = subprocess.Popen(
            [sys.executable, "-c", SEALPY.format(name="sealpy"), "rotate", "-i", "x.yaml"],
            cwd=sealed.folder,
            env=sealed.env,
        )
        time.sleep(duration * (0.4 + part * 0.06))
        process.send_signal(signal.SIGKILL)
        killed += process.wait(timeout=20) == -signal.SIGKILL
        now = sealed.read("x.yaml")
        if now != content:
            assert sealed("decrypt", "x.yaml").out == clear
            content = now
    assert killed > 0


def test_a_file_larger_than_the_limit_is_not_read(sealed: Program) -> None:
    ended = sealed("decrypt", "--max-size", "1K", "x.yaml")

    assert (ended.code, ended.out) == (2, "")
    assert "--max-size" in ended.err
    assert sealed("decrypt", "x.yaml", env={"SEALPY_MAX_SIZE": "1K"}).code == 2
    assert sealed("--max-size=1K", "-d", "x.yaml").code == 2
    assert sealed("decrypt", "--max-size", "1M", "x.yaml").code == 0


@pytest.mark.parametrize(
    "source", [{}, {"SOPS_AGE_KEY": "AGE-SECRET-KEY-1NONSENSE"}, {"SOPS_AGE_KEY_FILE": "/nowhere"}]
)
def test_without_a_key_that_works_it_says_what_to_do(run: Program, sealed: Program, source: dict[str, str]) -> None:
    ended = run("decrypt", "x.yaml", env=source)

    assert (ended.code, ended.out) == (128, "")
    assert "sealpy: hint: " in ended.err
    assert "NONSENSE" not in ended.err


def test_no_message_shows_a_value_or_a_line_of_the_file(sealed: Program) -> None:
    secret = "hunter2sekret"
    texts = {
        "a.yaml": f"a: [{secret}\n",
        "b.yaml": f"{secret}\n",
        "c.yaml": f"a: {secret}\na: {secret}\n",
        "d.json": f'{{"a": {secret}}}',
        "e.env": f"{secret}\n",
        "f.ini": f"[s]\n{secret}\n",
        "g.yaml": f"a: !!int {secret}\n",
        "h.json": f'{{"a": "{secret}"',
    }
    for name, text in texts.items():
        sealed.write(name, text)
        for verb in ("encrypt", "decrypt", "filestatus"):
            ended = sealed(verb, name)
            assert secret not in ended.out + ended.err
        assert sealed("encrypt", name).code != 0, name
        assert re.match(rf"sealpy: {name}(:\d+)*: [a-z]", sealed("encrypt", name).err), name


def test_two_writers_at_once_cannot_undo_each_other(sealed: Program) -> None:
    sealed.write("x.json", "{" + ", ".join(f'"k{number}": 0' for number in range(8)) + "}\n")
    assert sealed("encrypt", "-i", "x.json").code == 0
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", SEALPY.format(name="sealpy"), "set", "x.json", f'["k{number}"]', "1"],
            cwd=sealed.folder,
            env=sealed.env,
            stderr=subprocess.DEVNULL,
        )
        for number in range(8)
    ]
    done = sum(process.wait(timeout=60) == 0 for process in processes)

    assert done > 0
    assert sealed("decrypt", "x.json").out.count(": 1") == done
