"""Where the configuration file is, and reading it."""

import os
from collections.abc import Callable
from typing import NamedTuple

from sealpy import files, rules
from sealpy.errors import RuleError

NAME = ".sops.yaml"
_OTHER_NAME = ".sops.yml"
_FOLDERS = 100
_SIZE_LIMIT = 1 << 20


class Found(NamedTuple):
    """The configuration file, None when there is none, and a remark on the search, often empty."""

    path: str | None
    note: str


def find(start: str, exists: Callable[[str], bool] = os.path.exists) -> Found:
    """Look for the configuration file in a folder and those above it, a hundred in all.

    ``start`` is the current folder, not that of the file at hand: so does sops.
    """
    folder = os.path.abspath(start)
    other = ""
    for _ in range(_FOLDERS):
        path = os.path.join(folder, NAME)
        if exists(path):
            return Found(path, f"{other} is not read, only {NAME} is" if other else "")
        candidate = os.path.join(folder, _OTHER_NAME)
        if not other and exists(candidate):
            other = candidate
        folder = os.path.dirname(folder)
    return Found(None, f"{other} is not read: the configuration file must be called {NAME}" if other else "")


def load(path: str) -> rules.Rules:
    """Read a configuration file.

    Raises:
        SourceError: it cannot be read, or has more than 1 MiB.
        RuleError: see ``rules.parse``.
    """
    data = files.read(path, _SIZE_LIMIT)
    return rules.parse(decode(data, path), path)


def decode(data: bytes, path: str) -> str:
    """Return the text of a configuration file.

    Raises:
        RuleError: it is not UTF-8.
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
    raise RuleError(f"{path}:{line}: not UTF-8")


def path_in(config: str, file: str) -> str:
    """Return the path that rules are matched against: from the configuration file's folder, absolute outside of it."""
    return os.path.abspath(file).removeprefix(os.path.dirname(os.path.abspath(config)) + os.sep)
