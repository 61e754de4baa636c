"""Which values of a sealed document its MAC is over; it is no key that is needed to know."""

from sealpy.document import LISTED, Document, Leaf
from sealpy.metadata import Metadata
from sealpy.selection import DEFAULT, select

_NOT_UNDER_IT = frozenset(("null", "map", "list"))


def covered(document: Document, metadata: Metadata) -> list[Leaf]:
    """Return the leaves that a MAC covers, in order, sealed ones with their sealed text; empty ones add nothing to it.

    Neither names of keys nor comments are under it, but for comments that are items of a list, as sops writes them.
    """
    chosen = select(metadata.selection or DEFAULT, document.leaves)
    return [
        leaf
        for leaf, sealed in zip(document.leaves, chosen, strict=True)
        if leaf.content
        and leaf.kind not in _NOT_UNDER_IT
        and (leaf.kind != "comment" or leaf.style == LISTED)
        and (sealed or not metadata.mac_only_encrypted)
    ]
