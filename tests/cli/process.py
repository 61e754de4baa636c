"""The program as a process of its own, in a clean environment."""

import os
import pty
import select
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

SEALPY = "import sys; sys.argv[0] = {name!r}; from sealpy_cli.main import main; sys.exit(main())"


class Ended(NamedTuple):
    """How a process ended. What it wrote is text; bytes that are no UTF-8 are surrogate escapes."""

    code: int
    out: str
    err: str


class Program:
    """sealpy, run in one folder by one person."""

    def __init__(self, folder: Path, home: Path, env: Mapping[str, str]) -> None:
        self.folder = folder
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / "config"),
            "LC_ALL": "C.UTF-8",
            **{name: value for name, value in os.environ.items() if name.startswith(("GIT_", "PYTHON"))},
            **env,
        }

    def __call__(
        self,
        *words: str | Path,
        stdin: str | bytes = b"",
        env: Mapping[str, str] | None = None,
        name: str = "sealpy",
        program: Sequence[str] = (),
        before: Sequence[str] = (),
    ) -> Ended:
        """Run sealpy, by another name, or another program; ``before`` goes in front of the command line."""
        command = list(program) or [sys.executable, "-c", SEALPY.format(name=name)]
        ended = subprocess.run(
            [*before, *command, *map(str, words)],
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
            cwd=self.folder,
            env={**self.env, **(env or {})},
            timeout=60,
            check=False,
        )
        return Ended(ended.returncode, _text(ended.stdout), _text(ended.stderr))

    def write(self, name: str, content: str | bytes) -> Path:
        """Write a file into the folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def read(self, name: str) -> str:
        """Read a file of the folder."""
        return _text((self.folder / name).read_bytes())

    def git(self, *words: str) -> str:
        """Run git in the folder."""
        ended = subprocess.run(
            ["git", *words], cwd=self.folder, env=self.env, capture_output=True, check=True, timeout=60
        )
        return _text(ended.stdout)


def at_a_terminal(program: Program, *words: str, answers: tuple[tuple[str, str], ...]) -> tuple[int, str]:
    """Run sealpy on a terminal of its own; each answer is typed once its question is there."""
    child, screen = pty.fork()
    if child == 0:
        os.chdir(program.folder)
        command = [sys.executable, "-c", SEALPY.format(name="sealpy"), *words]
        os.execvpe(command[0], command, {**program.env, "TERM": "dumb"})
    shown = b""
    waiting = list(answers)
    read_up_to = 0
    while select.select([screen], [], [], 30)[0]:
        try:
            piece = os.read(screen, 65536)
        except OSError:
            break
        if not piece:
            break
        shown += piece
        if waiting and waiting[0][0].encode() in shown[read_up_to:]:
            read_up_to = len(shown)
            os.write(screen, waiting.pop(0)[1].encode() + b"\n")
    os.close(screen)
    _, status = os.waitpid(child, 0)
    assert not waiting, shown.decode()
    return os.waitstatus_to_exitcode(status), shown.decode().replace("\r\n", "\n")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
