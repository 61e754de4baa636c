"""The program as a process of its own, in a clean environment."""

import os
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


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
