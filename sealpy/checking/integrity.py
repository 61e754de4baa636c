"""Which fields of a sealed file were edited without a key, as far as its earlier versions tell.

The MAC covers values, and who edits one without the key cannot renew it. So where two versions carry the same MAC and
one of the values that it covers differs, one of the two is not what was sealed.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sealpy.document import Document, Leaf, Path
from sealpy.encrypted_value import looks_sealed
from sealpy.errors import DocumentError
from sealpy.formats import Format
from sealpy.mac_coverage import covered
from sealpy.metadata import Metadata


class Field(NamedTuple):
    """A field that was edited, and its leaf as it is now; None if it is gone.

    ``sealed``: it was sealed, or is: nobody edits that by hand, so that nothing is to be signed but brought back.
    """

    path: Path
    leaf: Leaf | None
    sealed: bool


def edited(document: Document, metadata: Metadata, fmt: Format, earlier: Iterable[bytes]) -> list[Field]:
    """Return the fields under the MAC that differ from the last version that had the same MAC and other values.

    ``earlier`` are versions of the file, the latest first; they are read as far back as the MAC goes. Nothing is
    returned if this version was there before: then it may be the good one, put back.
    """
    mine = _by_place(covered(document, metadata))
    found: list[Field] = []
    for data in earlier:
        try:
            before = fmt.scan(fmt.decode(data))
        except DocumentError:
            continue
        if before.metadata is None or not _same_mac(before.metadata, document):
            break
        theirs = _by_place(covered(before, metadata))
        changed = [
            Field(place[1], mine.get(place), any(looks_sealed(_content(each.get(place))) for each in (mine, theirs)))
            for place in {**mine, **theirs}
            if _content(mine.get(place)) != _content(theirs.get(place))
        ]
        if not changed and found:
            return []
        found = found or changed
    return found


def sealed_before(fmt: Format, earlier: Iterable[bytes]) -> set[Path]:
    """Return where the last earlier version had sealed values."""
    for data in earlier:
        try:
            return {leaf.path for leaf in fmt.scan(fmt.decode(data)).leaves if looks_sealed(leaf.content)}
        except DocumentError:
            break
    return set()


def _same_mac(block: Mapping[str, object], document: Document) -> bool:
    """Tell whether two versions carry one MAC."""
    now = document.metadata or {}
    return bool(now.get("mac")) and all(block.get(name) == now.get(name) for name in ("mac", "lastmodified"))


def _by_place(leaves: Iterable[Leaf]) -> dict[tuple[int, Path], Leaf]:
    return {(leaf.document, leaf.path): leaf for leaf in leaves}


def _content(leaf: Leaf | None) -> str:
    return leaf.content if leaf is not None else ""
