"""Where ``.sealpy.yaml`` is, and reading it."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from sealpy import config_file, files, project
from sealpy.errors import NoSuchFile, RuleError, SourceError

if TYPE_CHECKING:
    from sealpy_cli.repo.git import Git

_FOLDERS = 100
_SIZE_LIMIT = 1 << 20


def load(config: str | None, start: str | None = None) -> project.Project:
    """Read the project file that stands beside a ``.sops.yaml``, or in a folder above it; without one, no names.

    ``config`` is the path of the ``.sops.yaml``; where there is none, the search begins in ``start``, or in the
    current folder.

    Raises:
        SourceError: it cannot be read, or has more than 1 MiB.
        RuleError: see ``project.parse``.
    """
    folder = os.path.dirname(os.path.abspath(config)) if config else os.path.abspath(start or os.getcwd())
    for _ in range(_FOLDERS):
        path = os.path.join(folder, project.NAME)
        try:
            return parse(files.read(path, _SIZE_LIMIT), path)
        except NoSuchFile:
            folder = os.path.dirname(folder)
    return project.EMPTY


def committed(git: "Git", commit: str) -> project.Project:
    """Return the project file at the top of a commit; one that cannot be used has no names, and stops no review."""
    data = next(git.blobs([f"{commit}:{project.NAME}"], _SIZE_LIMIT)).data if commit else None
    try:
        return project.EMPTY if data is None else parse(data, project.NAME)
    except RuleError:
        return project.EMPTY


def usable(config: str | None) -> project.Project:
    """Return the project file as ``load`` does; one that cannot be used has no names."""
    try:
        return load(config)
    except (RuleError, SourceError):
        return project.EMPTY


def shown(config: Callable[[], str | None]) -> Callable[[str], str]:
    """Return what writes the label of a master key by its name; the file is read when the first one is written.

    ``config`` gives the path of the ``.sops.yaml``. A project file that cannot be used has no names: what is said
    with them matters more.
    """
    known: list[project.Project] = []

    def write(label: str) -> str:
        if not known:
            known.append(usable(config()))
        return known[0].shown(label)

    return write


def parse(data: bytes, path: str) -> project.Project:
    """Read the bytes of a project file.

    Raises:
        RuleError
    """
    return project.parse(config_file.decode(data, path), path)
