"""A file and its parts, read as one: what a part holds stands in the place of what its base has for that key.

Whoever can push can write a part: it needs no key of the base, and nothing vouches for who wrote it. What decrypting
would refuse is not joined and becomes a fault, for then nothing of the file is used.
"""

from binascii import b2a_base64
from collections.abc import Sequence
from typing import Literal, NamedTuple

from sealpy import claims, kubernetes, part_folder
from sealpy.changeset import Fault, FileVersion
from sealpy.claims import Claim
from sealpy.comparison.sides import Origin, Side
from sealpy.document import Leaf
from sealpy.errors import DocumentError, Refused
from sealpy.kubernetes import Manifest
from sealpy.values import decode_base64

_REGULAR = 0o100000


class Piece(NamedTuple):
    """A version of a part, and what it claims."""

    path: str
    side: Side
    claim: Claim


def takes_parts(base: Side) -> bool:
    """Tell whether what stands in the folder of a version of a file is taken for parts of it."""
    return base.document is not None and claims.takes_parts(base.document)


def belongs(path: bytes, base: FileVersion | None) -> bool:
    """Tell whether a path is that of a part of a file, or of the folder of its parts."""
    if base is None:
        return False
    place, name = _text(path), _text(base.path)
    return part_folder.base_of(place) == name or part_folder.folder_of(name) == place


def piece(base: Side, version: FileVersion, part: Side) -> Piece | str:
    """Take a version of a file for a part of a version of another, or say why it is none."""
    path = _text(version.path)
    if version.mode & 0o170000 not in (0, _REGULAR):
        return f"{version.problem or 'it is no file'}, which is not followed"
    if part.document is None:
        return part.faults[0].message if part.faults else version.problem or "it cannot be read"
    try:
        claimed = claims.claim(path, part.document)
        manifest = claims.target(base.leaves, path, claimed.owner)
        for key in claimed.values:
            claims.seat(base.leaves, manifest, key)
    except (DocumentError, Refused) as error:
        return error.message
    return Piece(path, part, claimed)


def join(base: Side, pieces: Sequence[Piece], where: Literal["old", "new"]) -> Side:
    """Put the values of parts into their base; of a key that two parts hold, only the first."""
    leaves, sealed = list(base.leaves), list(base.sealed) or [""] * len(base.leaves)
    closed, exposed, origins = set(base.closed), set(base.exposed), dict(base.origins)
    faults = list(base.faults)
    state = base.state
    taken: dict[tuple[claims.Owner, str], str] = {}
    for path, part, claimed in sorted(pieces, key=lambda piece: piece.path):
        manifest = claims.target(base.leaves, path, claimed.owner)
        faults += [fault._replace(message=f"{path}: {fault.message}") for fault in part.faults]
        state = part.state if part.state in ("opaque", "unreadable") and state != "unreadable" else state
        positions = {leaf.path: index for index, leaf in enumerate(part.leaves) if leaf.kind != "comment"}
        for key, stands in claimed.values.items():
            other = taken.setdefault((claimed.owner, key), path)
            if other != path:
                faults.append(Fault(where, "text", f"{other} and {path} both hold {key}", hint="remove one of the two"))
                continue
            index = positions[stands.path]
            field, replaces = claims.seat(base.leaves, manifest, key)
            moved = _moved(part.leaves[index], manifest, field, is_open=index not in part.closed)
            place = _position(leaves, moved)
            if place < len(leaves):
                leaves[place], sealed[place] = moved, part.sealed[index]
            else:
                leaves.append(moved)
                sealed.append(part.sealed[index])
            origins[place] = Origin(path.encode("utf-8", "surrogateescape"), replaces)
            for mine, theirs in ((closed, part.closed), (exposed, part.exposed)):
                mine.discard(place)
                if index in theirs:
                    mine.add(place)
    return base._replace(
        state=state,
        leaves=leaves,
        sealed=sealed,
        closed=frozenset(closed),
        exposed=frozenset(exposed),
        origins=origins,
        faults=tuple(faults),
    )


def _moved(value: Leaf, manifest: Manifest | None, field: str, *, is_open: bool) -> Leaf:
    """Return a part's value as it stands in its base: under the base's section, spelt as values are there."""
    if manifest is None:
        return value
    own, key = value.path
    field = field or str(own)
    content = value.content
    if is_open and kubernetes.is_encoded(manifest.kind, field) != kubernetes.is_encoded(manifest.kind, str(own)):
        if kubernetes.is_encoded(manifest.kind, field):
            content = b2a_base64(content.encode("utf-8", "surrogateescape"), newline=False).decode()
        else:
            content = (decode_base64(content) or b"").decode("utf-8", "surrogateescape")
    return value._replace(path=(*manifest.prefix, field, key), document=manifest.document, content=content)


def _position(leaves: Sequence[Leaf], value: Leaf) -> int:
    """Return where the base's value for a key stands, or the end."""
    for index, leaf in enumerate(leaves):
        if leaf.path == value.path and leaf.document == value.document and leaf.kind != "comment":
            return index
    return len(leaves)


def _text(path: bytes) -> str:
    return path.decode("utf-8", "surrogateescape")
