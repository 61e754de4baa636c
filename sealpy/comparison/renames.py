"""Which removed file is which added one, where git does not see it.

A file that moves and is re-encrypted shares almost no text with its old version, so git takes it for a file gone and
another come, and a reviewer would see every value twice. What it still shares is what it holds: the same Kubernetes
objects, or the same keys. Nothing is decrypted for this.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import NamedTuple

from sealpy.changeset import FileVersion
from sealpy.comparison.objects import parts
from sealpy.comparison.sides import Opener, Side, is_of_interest
from sealpy.document import Path
from sealpy.errors import DocumentError


class Trait(NamedTuple):
    """What is recognisable of a file."""

    path: bytes
    content: bytes
    """A digest of its bytes; empty if it has none."""
    objects: frozenset[tuple[str, str, str]]
    """Its Kubernetes objects by kind, namespace and name."""
    keys: frozenset[Path]
    """Its key paths, without list items; empty for what is no document of interest."""


def trait(version: FileVersion, opener: Opener) -> Trait:
    """Return what is recognisable of a file."""
    data = version.data
    # An empty file, or one that cannot be read, is like any other of its kind.
    content = sha256(data).digest() if data else b""
    nothing = Trait(version.path, content, frozenset(), frozenset())
    if data is None or not is_of_interest(data):
        return nothing
    fmt = opener.format_for(version.path.decode("utf-8", "surrogateescape"))
    try:
        document = fmt.scan(fmt.decode(data))
    except DocumentError:
        return nothing
    side = Side("other", fmt.name, leaves=document.leaves)
    objects = frozenset(part.name for part in parts(side) if part.name[0])
    keys = frozenset(
        tuple(part for part in leaf.path if type(part) is str) for leaf in document.leaves if leaf.kind != "comment"
    )
    return Trait(version.path, content, objects, keys)


def pair(removed: Sequence[Trait], added: Sequence[Trait]) -> dict[int, int]:
    """Return the position of the removed file for that of an added one.

    The same bytes, else the same objects, else the same keys under the same file name; where that fits several, those
    whose paths end alike, or that stand in one folder. What stays ambiguous stays unpaired: a wrong pair would confuse
    more than none.
    """
    partners: dict[int, int] = {}
    for mark in (_content, _objects, _keys):
        for place in _PLACES:
            taken = set(partners.values())
            offered: dict[object, list[int]] = {}
            for index, trait_ in enumerate(removed):
                if index not in taken and (known := mark(trait_)) is not None:
                    offered.setdefault((known, place(trait_.path)), []).append(index)
            asking: dict[object, list[int]] = {}
            for index, trait_ in enumerate(added):
                if index not in partners and (known := mark(trait_)) is not None:
                    asking.setdefault((known, place(trait_.path)), []).append(index)
            for sought, indices in asking.items():
                if len(indices) == 1 == len(offered.get(sought, ())):
                    partners[indices[0]] = offered[sought][0]
    return partners


def _content(one: Trait) -> object:
    return one.content or None


def _objects(one: Trait) -> object:
    return one.objects or None


def _keys(one: Trait) -> object:
    return (one.keys, one.path.rpartition(b"/")[2]) if one.keys and not one.objects else None


def _ending(kept: int) -> Callable[[bytes], object]:
    return lambda path: b"/".join(path.split(b"/")[-kept:])


_PLACES: Sequence[Callable[[bytes], object]] = (
    *(_ending(kept) for kept in (5, 4, 3, 2)),
    lambda path: path.rpartition(b"/")[0],
    lambda _: b"",
)
"""From the strictest to none at all."""
