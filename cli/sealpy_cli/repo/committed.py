"""What HEAD has at a path: the version that ``encrypt -i`` writes over.

Git is asked only when the file is in a repository, by one process for all files of a repository.
"""

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sealpy_cli.repo.git import Git


class Committed:
    """The committed versions of files."""

    def __init__(self) -> None:
        self._repositories: dict[str, Git] = {}

    def version_of(self, path: str, limit: int) -> bytes | None:
        """Return the committed content of a file, or None: not in a repository, not committed, or too large."""
        real = os.path.realpath(path)
        top = _top(os.path.dirname(real))
        if top is None:
            return None
        name = os.path.relpath(real, top).replace(os.sep, "/")
        if not name.isprintable():
            return None
        from sealpy.errors import SourceError
        from sealpy_cli.repo.git import Git  # brings subprocess

        git = self._repositories.get(top)
        if git is None:
            git = self._repositories[top] = Git(top)
        try:
            return next(iter(git.blobs([f"HEAD:{name}"], limit))).data
        except SourceError:
            # No git, or a repository that git distrusts: then nothing is known about the past.
            return None

    def close(self) -> None:
        """End the processes."""
        for git in self._repositories.values():
            git.__exit__(None, None, None)


def _top(folder: str) -> str | None:
    while not os.path.exists(os.path.join(folder, ".git")):
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent
    return folder
