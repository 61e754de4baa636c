"""Edits of a sealed file that somebody made without its key, as the history of the repository tells them."""

import os
import shlex
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress

from sealpy import operations, resealing, sealing
from sealpy.document import Path
from sealpy.errors import MacMismatch, SealpyError
from sealpy.formats import Format
from sealpy.resealing import Edits
from sealpy.secret import DataKey
from sealpy_cli import terminal
from sealpy_cli.repo.git import Git
from sealpy_cli.repo.repository import Repository, at

_SHORT = 10
"""How much of a commit's id is shown."""


class Versions:
    """The committed versions of a file, latest first."""

    def __init__(self, path: str, found: Iterable[tuple[str, bytes]]) -> None:
        self._path = path
        self._found = found
        self._commit = ""

    def __iter__(self) -> Iterator[bytes]:
        for commit, data in self._found:
            self._commit = commit
            yield data

    def restore(self) -> str:
        """Return the command that brings the version back at which the reading stopped."""
        return shlex.join(["git", "checkout", self._commit[:_SHORT], "--", self._path])


@contextmanager
def versions(path: str) -> Iterator[Versions]:
    """Give the committed versions of a file; none outside of a repository."""
    real = os.path.realpath(path)
    with Git(os.path.dirname(real)) as here:
        top, known = at(os.path.dirname(real), here)
    if not known:
        yield Versions(path, ())
        return
    with Git(top) as git:
        repository = Repository(git, top)
        try:
            yield Versions(path, repository.versions(repository.shown(real)))
        finally:
            repository.close()


def explained(error: MacMismatch, path: str, raw: bytes, fmt: Format, data_key: DataKey) -> MacMismatch:
    """Return an error that names what was edited, if that can be told."""
    edits: Edits | None = None
    restore = ""
    # What went wrong first is what counts.
    with suppress(SealpyError), versions(path) as earlier:
        document, metadata = operations.scan_sealed(raw, fmt)
        good = resealing.good_version(metadata, data_key, fmt, earlier)
        if good is not None:
            restore = earlier.restore()
            edits = resealing.compare(good, sealing.unseal_half(document, metadata, data_key))
    if edits is None or not any(edits):
        return error
    if edits.sealed or edits.rule:
        what = terminal.listing(names(edits.sealed)) if edits.sealed else "the file's rule of what is sealed"
        return MacMismatch(
            f"{error.message}: not as it was sealed: {what}",
            hint=f'"sealpy reseal {path}" shows all of it; "{restore}" brings a good version back',
        )
    listed = terminal.listing(names([field.path for field in edits.clear]))
    return MacMismatch(
        f"{error.message}: {listed} {'was' if len(edits.clear) == 1 else 'were'} edited without the key",
        hint=f'if that is right, "sealpy reseal {path}" signs the file as it is now; '
        f'if not, "{restore}" brings a good version back',
    )


def names(paths: Sequence[Path]) -> list[str]:
    """Write paths as people do: ``metadata.name``."""
    return [".".join(map(str, path)) for path in paths]
