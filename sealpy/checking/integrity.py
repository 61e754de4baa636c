"""Which fields of a sealed file were edited without a key, as far as its earlier versions tell.

The MAC covers values, and who edits one without the key cannot renew it. So where two versions carry the same MAC and
one of the values that it covers differs, one of the two is not what was sealed.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sealpy.document import LISTED, Document, Leaf, Path
from sealpy.errors import DocumentError
from sealpy.formats import Format
from sealpy.metadata import Metadata
from sealpy.selection import DEFAULT, select

_NOT_UNDER_IT = frozenset(("null", "map", "list"))


class Field(NamedTuple):
    """A field that was edited, and its leaf as it is now; None if it is gone."""

    path: Path
    leaf: Leaf | None


def edited(document: Document, metadata: Metadata, fmt: Format, earlier: Iterable[bytes]) -> list[Field]:
    """Return the fields under the MAC that differ from the last version that had the same MAC and other values.

    ``earlier`` are versions of the file, the latest first; they are read as far back as the MAC goes. Nothing is
    returned if this version was there before: then it may be the good one, put back.
    """
    mine = _covered(document, metadata)
    found: list[Field] = []
    for data in earlier:
        try:
            before = fmt.scan(fmt.decode(data))
        except DocumentError:
            continue
        if before.metadata is None or not _same_mac(before.metadata, document):
            break
        theirs = _covered(before, metadata)
        changed = [
            Field(place[1], mine.get(place))
            for place in {**mine, **theirs}
            if _content(mine.get(place)) != _content(theirs.get(place))
        ]
        if not changed and found:
            return []
        found = found or changed
    return found


def _same_mac(block: Mapping[str, object], document: Document) -> bool:
    """Tell whether two versions carry one MAC."""
    now = document.metadata or {}
    return bool(now.get("mac")) and all(block.get(name) == now.get(name) for name in ("mac", "lastmodified"))


def _covered(document: Document, metadata: Metadata) -> dict[tuple[int, Path], Leaf]:
    """Return the values that the MAC covers, by their places; an empty one adds nothing to it."""
    chosen = select(metadata.selection or DEFAULT, document.leaves)
    return {
        (leaf.document, leaf.path): leaf
        for leaf, sealed in zip(document.leaves, chosen, strict=True)
        if leaf.content
        and leaf.kind not in _NOT_UNDER_IT
        and (leaf.kind != "comment" or leaf.style == LISTED)
        and (sealed or not metadata.mac_only_encrypted)
    }


def _content(leaf: Leaf | None) -> str:
    return leaf.content if leaf is not None else ""
