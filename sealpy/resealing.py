"""A sealed file that was edited without its key: what was edited, and signing it anew.

The text itself says nothing about that, for the MAC only fits or does not. An earlier version under the same MAC
does: it is the one that was sealed. Where its sealed values are those of today, nothing but clear text was touched.

Pure: documents in, bytes out.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sealpy import operations, sealing
from sealpy.document import LISTED, Leaf, Path
from sealpy.errors import DocumentError, IntegrityError
from sealpy.formats import Format
from sealpy.metadata import Metadata
from sealpy.sealing import Opened
from sealpy.secret import DataKey
from sealpy.selection import DEFAULT, select

_NOT_UNDER_IT = frozenset(("null", "map", "list"))
_Place = tuple[int, Path]


class Field(NamedTuple):
    """A field in clear that is not as it was; a side without it is None."""

    path: Path
    old: Leaf | None
    new: Leaf | None


class Edits(NamedTuple):
    """How a file differs from its last good version.

    ``clear`` are fields that stay in clear. ``unsealed`` stand in clear now, and are to be sealed. ``sealed`` are
    sealed values that came, went or became others, which nobody does by editing text; and ``rule`` tells whether the
    file's own rule of what is sealed is another.
    """

    clear: Sequence[Field]
    unsealed: Sequence[Path]
    sealed: Sequence[Path]
    rule: bool


class _Seen(NamedTuple):
    leaf: Leaf
    chosen: bool
    sealed: bool


def good_version(metadata: Metadata, data_key: DataKey, fmt: Format, earlier: Iterable[bytes]) -> Opened | None:
    """Return the first of some earlier versions that has this MAC, and whose values fit it."""
    for data in earlier:
        try:
            document, known = operations.scan_sealed(data, fmt)
            if (known.mac, known.last_modified) == (metadata.mac, metadata.last_modified):
                return sealing.unseal(document, known, data_key)
        except (DocumentError, IntegrityError):
            continue
    return None


def unsealed(now: Opened) -> list[Path]:
    """Return what stands in clear and is to be sealed."""
    return [seen.leaf.path for seen in _seen(now) if seen.chosen and not seen.sealed]


def compare(good: Opened, now: Opened) -> Edits:
    """Tell how an edited file differs from its last good version."""
    before, after = _by_place(good), _by_place(now)
    clear: list[Field] = []
    bare: list[Path] = []
    others: list[Path] = []
    for place in {**before, **after}:
        old, new = before.get(place), after.get(place)
        path = place[1]
        if new is not None and new.chosen and not new.sealed:
            bare.append(path)
        elif (old is not None and old.sealed) or (new is not None and new.sealed):
            if old is None or new is None or not (old.sealed and new.sealed) or _value(old) != _value(new):
                others.append(path)
        elif not now.metadata.mac_only_encrypted and (old is None or new is None or _value(old) != _value(new)):
            clear.append(Field(path, old.leaf if old else None, new.leaf if new else None))
    same_rule = (good.metadata.selection, good.metadata.mac_only_encrypted) == (
        now.metadata.selection,
        now.metadata.mac_only_encrypted,
    )
    return Edits(clear, bare, others, not same_rule)


def sign(now: Opened, fmt: Format, *, when: datetime) -> bytes:
    """Seal what is to be sealed, and sign the file as it is; what stands sealed keeps its bytes.

    Raises:
        DocumentError: something in it cannot be sealed.
    """
    return operations.edit(now, fmt, operations.clear_text(now, fmt), now=when)


def _by_place(opened: Opened) -> Mapping[_Place, _Seen]:
    return {(seen.leaf.document, seen.leaf.path): seen for seen in _seen(opened)}


def _seen(opened: Opened) -> list[_Seen]:
    """Return what the MAC is over, or would be."""
    chosen = select(opened.metadata.selection or DEFAULT, opened.document.leaves)
    return [
        _Seen(leaf, wanted, sealed)
        for leaf, wanted, sealed in zip(opened.leaves, chosen, opened.sealed, strict=True)
        if leaf.content and leaf.kind not in _NOT_UNDER_IT and (leaf.kind != "comment" or leaf.style == LISTED)
    ]


def _value(seen: _Seen) -> tuple[str, str]:
    return seen.leaf.kind, seen.leaf.content
