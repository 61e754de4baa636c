"""Where ``.sealpy.yaml`` is, and reading it."""

import os

from sealpy import files, project
from sealpy.errors import NoSuchFile, RuleError

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


def parse(data: bytes, path: str) -> project.Project:
    """Read the bytes of a project file.

    Raises:
        RuleError
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
    else:
        return project.parse(text, path)
    raise RuleError(f"{path}:{line}: not UTF-8")
