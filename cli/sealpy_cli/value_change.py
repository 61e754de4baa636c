"""What ``set`` and ``unset`` do to one file, wherever its bytes come from: a folder, or the tip of a branch."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sealpy import clear_fields, operations
from sealpy import data as plain_data
from sealpy.document import Leaf, Path
from sealpy.encrypted_value import PREFIX
from sealpy.errors import (
    AlreadyEncrypted,
    DataKeyUnavailable,
    DocumentError,
    IntegrityError,
    KeyAccessError,
    PathNotFound,
)
from sealpy.formats import Format
from sealpy_cli.exit_codes import while_sealing
from sealpy_cli.session import Session


class ValueChange(NamedTuple):
    """A value put at a path, or with ``removes`` what is there taken out."""

    path: Path
    value: object = None
    removes: bool = False
    idempotent: bool = False
    """Whether a file that is so already is left alone."""

    @property
    def shown(self) -> str:
        """Return the path as people write it."""
        return ".".join(map(str, self.path))

    def apply(self, session: Session, raw: bytes, fmt: Format) -> bytes | None:
        """Return the changed file, None if it stays as it is.

        A field that stands in clear, and outside of the MAC, needs no key, and none is asked for; by the name of sops
        one is.

        Raises:
            DocumentError, KeyAccessError, IntegrityError, Stop
        """
        if not self.removes:
            self._refuse_reserved(fmt)
        if session.call.as_sops:
            return self._with_key(session, raw, fmt)
        document, metadata = operations.scan_sealed(raw, fmt)
        if metadata.mac_only_encrypted:
            if self.idempotent and not self.removes and self._is_there(document.leaves, document.documents):
                return None
            in_clear = self._in_clear(raw, fmt)
            if not in_clear.barrier:
                return None if in_clear.data == raw else in_clear.data
        try:
            return self._with_key(session, raw, fmt)
        except DataKeyUnavailable as error:
            closed = error
        raise self._explained(closed, session.arguments.operands[0], raw, fmt)

    def standing(self, session: Session, raw: bytes | None, fmt: Format) -> object:
        """Return what is at the path, to be compared: see ``standing``."""
        depth = len(self.path)
        return standing(session, raw, fmt, lambda path: path[:depth] == self.path)

    def _with_key(self, session: Session, raw: bytes, fmt: Format) -> bytes | None:
        is_verified = not session.arguments.switch("ignore-mac")
        open_document = operations.open_document if is_verified else operations.open_unverified
        opened = open_document(raw, fmt, session.keyring)
        if self.idempotent and not self.removes and self._is_there(opened.leaves, opened.document.documents):
            return None
        now = datetime.now(UTC)
        try:
            if not self.removes:
                return operations.set_value(opened, fmt, self.path, self.value, now=now)
            return operations.unset_value(opened, fmt, self.path, now=now)
        except DocumentError as error:
            fault = error
        if self.idempotent and self.removes and isinstance(fault, PathNotFound):
            return None
        # Its line and column would be those of the sealed text with the new value in it.
        raise while_sealing(fault)

    def _in_clear(self, raw: bytes, fmt: Format) -> clear_fields.Changed:
        document, metadata = operations.scan_sealed(raw, fmt)
        try:
            if not self.removes:
                return clear_fields.set_value(document, metadata, fmt, self.path, self.value)
            return clear_fields.unset_value(document, metadata, fmt, self.path)
        except DocumentError as error:
            fault = error
        if self.idempotent and self.removes and isinstance(fault, PathNotFound):
            return clear_fields.Changed(raw)
        raise while_sealing(fault)

    def _explained(self, closed: DataKeyUnavailable, file: str, raw: bytes, fmt: Format) -> DataKeyUnavailable:
        """Say why this field needs a key."""
        import shlex  # only a refusal needs it

        barrier = self._in_clear(raw, fmt).barrier
        if barrier == "mac":
            lead = f"{self.shown} stands in clear, but the MAC covers it"
            command = shlex.join(["sealpy", "reseal", file])
            hint = (
                f'edit it by hand, and have somebody who can open the file run "{command}"; '
                '"mac_only_encrypted: true" in its rule leaves clear fields to everybody'
            )
        else:
            document, _ = operations.scan_sealed(raw, fmt)
            is_there = any(leaf.path[: len(self.path)] == self.path for leaf in document.leaves)
            lead = f"{self.shown} {'is' if is_there else 'would be'} sealed"
            hints = [closed.hint or ""]
            if not self.removes and self.path[:-1] in (("data",), ("stringData",)):
                command = shlex.join(["sealpy", "add", file, str(self.path[-1])])
                hints.insert(0, f'"{command}" puts a value there without reading what is')
            hint = "; ".join(filter(None, hints))
        return DataKeyUnavailable(f"{lead}, and {closed.message}", hint=hint, attempts=closed.attempts)

    def _refuse_reserved(self, fmt: Format) -> None:
        first = str(self.path[0])
        if first == "sops" or (fmt.name == "dotenv" and first.startswith("sops_")):
            raise while_sealing(AlreadyEncrypted(f"{first} is a name that sops keeps for itself"))

    def _is_there(self, leaves: Sequence[Leaf], documents: int) -> bool:
        there: Any = plain_data.documents(leaves, documents)[0]
        for part in self.path:
            try:
                there = there[part]
            except (KeyError, IndexError, TypeError):
                return False
        return _same(there, self.value)


def standing(session: Session, raw: bytes | None, fmt: Format, is_meant: Callable[[Path], bool]) -> object:
    """Return the values of a file whose paths are meant, to be compared: opened if a key does it, else as they stand.

    Raises:
        DocumentError
    """
    if raw is None:
        return ()
    document, _ = operations.scan_sealed(raw, fmt)

    def meant(leaves: Sequence[Leaf]) -> list[Leaf]:
        return [leaf for leaf in leaves if leaf.kind != "comment" and is_meant(leaf.path)]

    found = meant(document.leaves)
    if any(leaf.content.startswith(PREFIX) for leaf in found):
        # What does not open is compared as it stands: two sealed texts are two values then.
        with suppress(KeyAccessError, IntegrityError):
            found = meant(operations.open_document(raw, fmt, session.keyring).leaves)
    return tuple((leaf.document, leaf.path, leaf.kind, leaf.content) for leaf in found)


def _same(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(_same(one[name], other[name]) for name in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(_same(*pair) for pair in zip(one, other, strict=True))
    return bool(one == other)
