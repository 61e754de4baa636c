"""A git repository with files that the real sops sealed, and sealpy to look at it."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.cli.process import SEALPY, Ended, Program

SECRET = """\
apiVersion: v1
kind: Secret
metadata:
  name: {name}
  namespace: shop
type: Opaque
stringData:
  PASSWORD: {password}
  USER: app
  EMPTY: ""
data:
  TLS: YWJj
"""


class Repository:
    """A repository on its branch ``main``; ``sealpy`` runs with the keys that are named."""

    def __init__(self, folder: Path, home: Path, sops: str, keys: Mapping[str, tuple[str, str]]) -> None:
        self.folder = folder
        self.home = home
        self.sops_program = sops
        self.keys = keys
        folder.mkdir()
        self.plain = Program(folder, home, {})
        self.plain.git("init", "-q", "-b", "main")

    def recipient(self, name: str) -> str:
        return self.keys[name][1]

    def key_environment(self, *names: str) -> dict[str, str]:
        return {"SOPS_AGE_KEY": "\n".join(self.keys[name][0] for name in names)} if names else {}

    def sealpy(
        self, *words: str | Path, keys: tuple[str, ...] = ("prod",), env: Mapping[str, str] | None = None
    ) -> Ended:
        return Program(self.folder, self.home, self.key_environment(*keys))(*words, env=env)

    def diff(
        self, *words: str | Path, keys: tuple[str, ...] = ("prod",), env: Mapping[str, str] | None = None
    ) -> Ended:
        return self.sealpy("diff", *words, keys=keys, env=env)

    def json(self, *words: str, keys: tuple[str, ...] = ("prod",)) -> dict[str, Any]:
        ended = self.diff("--json", *words, keys=keys)
        assert ended.err == ""
        document: dict[str, Any] = json.loads(ended.out)
        return document

    def sops(self, *words: str) -> str:
        """Run the real sops with every key there is."""
        environment = {**self.plain.env, **self.key_environment(*self.keys)}
        ended = subprocess.run(
            [self.sops_program, *words], cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def add(self, name: str, text: str | bytes, *, to: str = "prod", rule: str = "^(data|stringData)$") -> None:
        """Write a file and have the real sops seal it."""
        self.plain.write(name, text)
        words = ["--encrypted-regex", rule] if rule else []
        self.sops("encrypt", "-i", *words, "--age", self.recipient(to), name)

    def set(self, name: str, path: str, value: str) -> None:
        self.sops("set", name, path, json.dumps(value))

    def replace(self, name: str, old: str, new: str) -> None:
        """Edit the sealed text by hand."""
        text = self.plain.read(name)
        assert old in text
        self.plain.write(name, text.replace(old, new))

    def commit(self, message: str = "change") -> None:
        self.plain.git("add", "-A")
        self.plain.git("commit", "-q", "-m", message)

    def branch(self, name: str) -> None:
        self.plain.git("checkout", "-q", "-b", name)

    def contents(self) -> dict[str, str]:
        """Return every file below the folder, git's own included, with a digest."""
        return {
            str(path.relative_to(self.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and not path.is_symlink()
        }


def on_a_terminal(repository: Repository, *words: str, env: Mapping[str, str] | None = None) -> str:
    """Run ``sealpy diff`` with a terminal for its output, and return what is on the screen."""
    controller, terminal = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", SEALPY.format(name="sealpy"), "diff", *words],
        cwd=repository.folder,
        env={**repository.plain.env, **repository.key_environment("prod"), "TERM": "xterm", **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    screen = b""
    while True:
        try:
            piece = os.read(controller, 65536)
        except OSError:  # Linux says so when the last writer is gone
            break
        if not piece:
            break
        screen += piece
    os.close(controller)
    assert process.wait(timeout=60) == 0
    return screen.decode()
