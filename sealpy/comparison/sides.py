"""One version of a file, read as far as it can be read: opened, sealed without a key, in clear, or not at all.

Nothing here raises for what is wrong with a file: one damaged file must not keep a reviewer from the others. What is
wrong becomes a ``Fault``.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

from sealpy import metadata as sops_metadata
from sealpy.changeset import Fault, FileVersion, State
from sealpy.document import Document, Leaf
from sealpy.encrypted_value import PREFIX, looks_sealed
from sealpy.errors import (
    DocumentError,
    InvalidEncryptedValue,
    InvalidMetadata,
    KeyAccessError,
    MacMismatch,
)
from sealpy.formats import Format
from sealpy.metadata import Metadata
from sealpy.sealing import unseal, unseal_unverified
from sealpy.secret import DataKey
from sealpy.selection import DEFAULT, Selection, select

Mac = Literal["ok", "bad", "absent", "unchecked", "none"]

# Any of these, and a file is looked into: a sealed value, a sops block in one of the spellings of the formats.
_SEALED = re.compile(rb"""ENC\[AES256_GCM,|^[ \t{"']*sops["']?[ \t]*:|"sops"\s*:|^sops_mac=|^\[sops\]""", re.MULTILINE)
_CLEAR_SECRET = re.compile(rb"""kind["']?\s*:\s*(?:!!str\s+)?["']?Secret\b""")

# Selects every leaf that can be sealed at all: no key ends so.
_EVERYTHING = Selection("unencrypted_suffix", "\0")

_NOT_SEALED = "stands in clear, but the file's rule says that it must be encrypted"
_NOT_OPENED = "does not open: edited, moved, or sealed under another data key"


class Opener(NamedTuple):
    """What reading a version takes from outside."""

    open_key: Callable[[Metadata], DataKey]
    """A key ring's ``open``."""
    format_for: Callable[[str], Format]
    """From the name of a file to its format."""


class Origin(NamedTuple):
    """The part that a leaf comes from, and whether its base has a value for that key."""

    path: bytes
    replaces: bool


class Side(NamedTuple):
    """A version of a file with its leaves.

    ``leaves`` carry clear contents as far as they were opened. ``sealed[i]`` is the ``ENC[…]`` that stands in the file,
    empty where it is clear. ``closed`` are those that did not open; ``exposed`` those that the rule wants sealed.
    """

    state: State
    format: str = ""
    document: Document | None = None
    metadata: Metadata | None = None
    data_key: DataKey | None = None
    leaves: Sequence[Leaf] = ()
    sealed: Sequence[str] = ()
    closed: frozenset[int] = frozenset()
    exposed: frozenset[int] = frozenset()
    mac: Mac = "none"
    faults: tuple[Fault, ...] = ()
    origins: Mapping[int, Origin] = {}
    """Of the leaves that come from parts of the file, by position."""

    def __repr__(self) -> str:
        return f"<Side {self.state}>"

    @property
    def is_sealed(self) -> bool:
        """Whether the version has sops metadata."""
        return self.metadata is not None


ABSENT = Side("absent")
OTHER = Side("other")


def is_of_interest(data: bytes) -> bool:
    """Tell, without parsing, whether a file can hold sealed values or a Kubernetes Secret."""
    return bool(_SEALED.search(data) or _CLEAR_SECRET.search(data))


def read(version: FileVersion | None, opener: Opener, where: Literal["old", "new"]) -> Side:
    """Read one version of a file."""
    if version is None:
        return ABSENT
    data = version.data
    if data is None:
        return OTHER
    fmt = opener.format_for(version.path.decode("utf-8", "surrogateescape"))
    marked = _SEALED.search(data) is not None
    try:
        document = fmt.scan(fmt.decode(data))
    except DocumentError as error:
        return _unparsable(fmt, data, Fault(where, "text", str(error), hint=error.hint or "")) if marked else OTHER
    if document.metadata is None:
        return _clear(document, where)
    try:
        metadata = sops_metadata.parse(document.metadata)
    except InvalidMetadata as error:
        fault = Fault(where, "metadata", str(error), hint=error.hint or "")
        return _sealed(document, None, where, "unreadable", fault)
    try:
        data_key = opener.open_key(metadata)
    except KeyAccessError as error:
        return _sealed(document, metadata, where, "opaque", Fault(where, "key", error.message, hint=error.hint or ""))
    return _open(document, metadata, data_key, where)


def expected_sealed(leaves: Sequence[Leaf], rule: Metadata) -> frozenset[int]:
    """Return the clear leaves that another version's rule would have sealed."""
    chosen = select(rule.selection or DEFAULT, leaves)
    return frozenset(index for index, leaf in enumerate(leaves) if chosen[index] and _can_be_sealed(leaf))


def _unparsable(fmt: Format, data: bytes, fault: Fault) -> Side:
    # A text that merely mentions sops is no broken document, unless its name says that it should be one.
    if fmt.name == "binary" and not data.lstrip().startswith(b"{"):
        return OTHER
    return Side("unreadable", fmt.name, faults=(fault,))


def _clear(document: Document, where: Literal["old", "new"]) -> Side:
    leaves = document.leaves
    sealed = [leaf.content if looks_sealed(leaf.content) else "" for leaf in leaves]
    if not any(sealed):
        return Side("clear", document.format, document, leaves=leaves, sealed=sealed)
    fault = Fault(where, "metadata", "has encrypted values, but no sops metadata")
    closed = frozenset(index for index, text in enumerate(sealed) if text)
    return Side("unreadable", document.format, document, None, None, leaves, sealed, closed, faults=(fault,))


def _sealed(
    document: Document,
    metadata: Metadata | None,
    where: Literal["old", "new"],
    state: State,
    *faults: Fault,
) -> Side:
    """A version that stays sealed, for want of a key or of metadata."""
    leaves = document.leaves
    sealed = [leaf.content if leaf.content.startswith(PREFIX) and looks_sealed(leaf.content) else "" for leaf in leaves]
    closed = frozenset(index for index, text in enumerate(sealed) if text)
    exposed: frozenset[int] = frozenset()
    if metadata is not None:
        exposed = expected_sealed(leaves, metadata) - closed
        faults = (*faults, *_exposures(leaves, exposed, where))
    mac: Mac = "absent" if metadata is not None and not metadata.mac else "unchecked"
    return Side(state, document.format, document, metadata, None, leaves, sealed, closed, exposed, mac, faults)


def _open(document: Document, metadata: Metadata, data_key: DataKey, where: Literal["old", "new"]) -> Side:
    faults: list[Fault] = []
    mac: Mac = "ok"
    try:
        opened = unseal(document, metadata, data_key)
    except MacMismatch as error:
        mac = "bad" if metadata.mac else "absent"
        faults.append(Fault(where, "mac", error.message, hint=error.hint or ""))
        opened = unseal_unverified(document, metadata, data_key)
    except InvalidEncryptedValue:
        return _open_what_opens(document, metadata, data_key, where)
    faults.extend(Fault(where, "note", note) for note in opened.notes)
    sealed = [
        leaf.content if stands_sealed else ""
        for leaf, stands_sealed in zip(document.leaves, opened.sealed, strict=True)
    ]
    return Side(
        "opened", document.format, document, metadata, data_key, opened.leaves, sealed, mac=mac, faults=tuple(faults)
    )


def _open_what_opens(document: Document, metadata: Metadata, data_key: DataKey, where: Literal["old", "new"]) -> Side:
    """Open leaf by leaf, since one of them does not open; without that one there is no MAC to verify."""
    chosen = select(metadata.selection or DEFAULT, document.leaves)
    every = metadata._replace(selection=_EVERYTHING)
    leaves: list[Leaf] = []
    sealed: list[str] = []
    closed: set[int] = set()
    exposed: set[int] = set()
    faults: list[Fault] = []
    for index, leaf in enumerate(document.leaves):
        stands_sealed = leaf.content if chosen[index] and looks_sealed(leaf.content) else ""
        clear = leaf
        if stands_sealed:
            try:
                one = unseal_unverified(document._replace(leaves=(leaf,)), every, data_key)
                clear = one.leaves[0]
            except InvalidEncryptedValue:
                closed.add(index)
                faults.append(Fault(where, "value", _NOT_OPENED, leaf.path))
        elif chosen[index] and _can_be_sealed(leaf):
            exposed.add(index)
        leaves.append(clear)
        sealed.append(stands_sealed)
    faults.extend(_exposures(document.leaves, frozenset(exposed), where))
    return Side(
        "opened",
        document.format,
        document,
        metadata,
        data_key,
        leaves,
        sealed,
        frozenset(closed),
        frozenset(exposed),
        "unchecked",
        tuple(faults),
    )


def _exposures(leaves: Sequence[Leaf], exposed: frozenset[int], where: Literal["old", "new"]) -> list[Fault]:
    return [Fault(where, "value", _NOT_SEALED, leaves[index].path) for index in sorted(exposed)]


def _can_be_sealed(leaf: Leaf) -> bool:
    return bool(leaf.content) and leaf.kind not in ("null", "map", "list", "comment")
