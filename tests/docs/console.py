"""Runs the documentation: what a page shows is typed into a shell, and what it says comes back must come back.

A ``console`` block is a session at a terminal: ``$ `` begins a command, ``> `` continues it, other lines are what
it prints. ``…`` stands for any text of a line, on a line of its own for any lines. A command succeeds, unless
``# ends with 51`` stands behind it. A ``python`` block with prompts is a doctest, in the same folder; one without
prompts is a program, and only has to run.

All of a page runs in one shell, from its first block to its last.
"""

import doctest
import errno
import os
import pty
import re
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.cli.process import SEALPY

_FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_ENDS_WITH = re.compile(r"# ends with (\d+)$")
_ENDED = re.compile(rb"\x1e(\d+)\x1e")
# What a program that counts on a terminal leaves behind: nothing.
_PROGRESS = re.compile(r"\r[^\r\n]*\033\[K")
_WIDE_ENOUGH = (1000, 1000)


class Block(NamedTuple):
    """One fenced block of a page; ``line`` is that of its first line."""

    language: str
    text: str
    line: int


class Command(NamedTuple):
    """A command of a session, what it should print, and how it should end."""

    words: str
    shown: str
    code: int
    line: int


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page."""
    text = page.read_text()
    return [
        Block(found["language"], found["text"], text.count("\n", 0, found.start("text")) + 1)
        for found in _FENCE.finditer(text)
    ]


def commands(block: Block) -> list[Command]:
    """Read a session."""
    found: list[Command] = []
    for number, line in enumerate(block.text.splitlines(), block.line):
        if line.startswith("$ "):
            ends = _ENDS_WITH.search(line)
            found.append(Command(line[2:], "", int(ends[1]) if ends else 0, number))
            continue
        assert found, f"line {number}: a session begins with a command"
        last = found[-1]
        if line.startswith("> ") and not last.shown:
            found[-1] = last._replace(words=f"{last.words}\n{line[2:]}")
        else:
            found[-1] = last._replace(shown=f"{last.shown}{line}\n")
    return found


def matches(shown: str, printed: str) -> bool:
    """Tell whether what was printed is what a page shows; a last line without its end looks like any other."""
    if printed and not printed.endswith("\n"):
        printed += "\n"
    pattern = "".join(
        r"(?:.*\n)*?" if line.strip() == "…" else r".*?".join(map(re.escape, line.split("…"))) + r" *\n"
        for line in shown.splitlines()
    )
    return re.fullmatch(pattern, printed) is not None


class Shell:
    """A shell at a terminal, in one folder, with a home of its own and sealpy on its path."""

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        self._terminal, inner = pty.openpty()
        termios.tcsetwinsize(inner, _WIDE_ENOUGH)
        self._process = subprocess.Popen(
            ["bash", "--norc", "--noprofile"],
            stdin=subprocess.PIPE,
            stdout=inner,
            stderr=inner,
            cwd=folder,
            env=environ,
            start_new_session=True,
        )
        os.close(inner)

    def run(self, words: str) -> tuple[str, int]:
        """Run a command to its end; return what it printed and its exit code."""
        assert self._process.stdin
        self._process.stdin.write(f"{{ {words}\n}} </dev/null\nprintf '\\036%d\\036' $?\n".encode())
        self._process.stdin.flush()
        printed = b""
        while (ended := _ENDED.search(printed)) is None:
            try:
                piece = os.read(self._terminal, 65536)
            except OSError as error:  # so ends a terminal that nobody writes to any more
                if error.errno != errno.EIO:
                    raise
                piece = b""
            assert piece, f"the shell is gone after {words!r}"
            printed += piece
        text = printed[: ended.start()].decode().replace("\r\n", "\n")
        return _PROGRESS.sub("", text), int(ended[1])

    def close(self) -> None:
        """End the shell."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(timeout=10)
        os.close(self._terminal)


def environment(home: Path, **more: str) -> dict[str, str]:
    """Return the environment of a page: a clean home, and sealpy as an installed program."""
    programs = home / "bin"
    programs.mkdir(parents=True, exist_ok=True)
    for name, code in (("sealpy", SEALPY.format(name="sealpy")), ("python", "")):
        program = programs / name
        program.write_text(f"#!/bin/sh\nexec '{sys.executable}'" + (f' -c "{code}"' if code else "") + ' "$@"\n')
        program.chmod(0o755)
    return {
        **{name: value for name, value in os.environ.items() if name.startswith(("GIT_", "PYTHON"))},
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "TERM": "dumb",
        "PAGER": "cat",
        "GIT_PAGER": "cat",
        **more,
    }


def check(page: Path, folder: Path, environ: dict[str, str]) -> int:
    """Run all of a page, and return how many commands and examples it had.

    The folder and the environment must be those of this process too: Python blocks run in it.
    """
    shell = Shell(folder, environ)
    names: dict[str, object] = {"__name__": page.stem}
    count = 0
    try:
        for block in blocks(page):
            if block.language == "console":
                for command in commands(block):
                    _check_command(page, shell, command)
                    count += 1
            elif block.language == "python":
                count += _check_python(page, block, names)
    finally:
        shell.close()
    return count


def _check_command(page: Path, shell: Shell, command: Command) -> None:
    printed, code = shell.run(command.words)
    where = f"{page.name}:{command.line}: $ {command.words}"
    assert code == command.code, f"{where}\nended with {code} and printed\n{printed}"
    assert matches(command.shown, printed), f"{where}\nprinted\n{printed}\nand the page says\n{command.shown}"


def _check_python(page: Path, block: Block, names: dict[str, object]) -> int:
    if ">>> " not in block.text:
        exec(compile(block.text, f"{page.name}:{block.line}", "exec"), names)
        return 1
    test = doctest.DocTestParser().get_doctest(block.text.replace("…", "..."), {}, page.name, str(page), block.line)
    test.globs = names  # one page, one session
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE, verbose=False)
    report: list[str] = []
    result = runner.run(test, out=report.append, clear_globs=False)
    assert not result.failed, "".join(report)
    return result.attempted


def pages(root: Path) -> Iterator[Path]:
    """Return the pages that may show sessions."""
    yield root / "README.md"
    yield from sorted((root / "docs").glob("*.md"))
