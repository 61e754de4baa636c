"""A document: the user's own text, and the leaves in it.

Nothing is re-emitted. A format scans text into leaves with spans; sealing and opening replace spans;
everything between the leaves (order, indentation, quoting, blank lines) is never touched.

These types are tuples, not dataclasses: they are made a hundred thousand at a time, and importing
``dataclasses`` alone costs a fifth of the start of the command line.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, cast

Kind = Literal["str", "int", "float", "bool", "time", "bytes", "comment", "null", "map", "list"]
"""What a leaf is: sops' type names, and ``null``, empty ``map`` and empty ``list``, which are never
sealed and never under the MAC."""

Path = tuple[str | int, ...]
"""Where a leaf is: keys, and indices in lists. INI: (section, key). dotenv: (key,). binary: ("data",)."""


LISTED = "listed"
"""The style of a comment that stands as an item of a list: sops' own way of sealing a comment there."""


class Leaf(NamedTuple):
    """A scalar, a comment or an empty container, and where its text stands."""

    path: Path
    """Its own path; of a comment, the path of the map or list that holds it."""
    start: int
    end: int
    """Its span in the text, in code points; what replaces it is spelt by the format. A comment's span
    begins with its marker."""
    kind: Kind
    content: str
    """The text that sops seals and hashes: a string unescaped; an int in decimal; a float without exponent;
    ``True``; RFC 3339; a comment without its marker. Bytes that are no UTF-8 are surrogate escapes."""
    style: str = ""
    """How it was written. Only the format that wrote it reads it."""
    document: int = 0
    """Which document of a stream it is in."""

    def __repr__(self) -> str:
        return f"<Leaf {self.kind} {self.path!r} at {self.start}>"


class Edit(NamedTuple):
    """Replace ``text[start:end]`` by ``replacement``."""

    start: int
    end: int
    replacement: str

    def __repr__(self) -> str:
        return f"<Edit {self.start}:{self.end}>"


class Block(NamedTuple):
    """The sops metadata of one document: the span to cut out for the clear text, and its scalars.

    ``leaves`` have paths below ``sops`` (``("mac",)``, ``("age", 0, "enc")``), so that one of them can be
    replaced without touching the rest.
    """

    start: int
    end: int
    leaves: Sequence[Leaf]
    document: int = 0
    style: str = ""
    """How it was written. Only the format that wrote it reads it."""


class Document(NamedTuple):
    """A scanned text, clear or sealed.

    ``metadata`` is the content of the first document's ``sops`` block as plain data, None for clear text.
    ``documents`` is how many documents the stream has. ``notes`` are warnings for the user.
    """

    format: str
    text: str
    leaves: Sequence[Leaf]
    blocks: Sequence[Block] = ()
    metadata: Mapping[str, object] | None = None
    documents: int = 1
    notes: Sequence[str] = ()
    layout: Sequence[object] = ()
    """What its format needs besides, to write into it. Only the format that wrote it reads it."""

    def __repr__(self) -> str:
        return f"<Document {self.format}, {len(self.leaves)} leaves>"


def splice(text: str, edits: Iterable[Edit]) -> str:
    """Apply edits, given in any order, that don't overlap; those at one place apply in the order given."""
    pieces = []
    position = 0
    for start, end, replacement in sorted(edits, key=lambda edit: edit[0]):
        if start < position:
            raise ValueError("edits overlap")
        pieces.append(text[position:start])
        pieces.append(replacement)
        position = end
    pieces.append(text[position:])
    return "".join(pieces)


def line_and_column(text: str, index: int) -> tuple[int, int]:
    """Return where a code point stands, both counted from 1."""
    return text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)


def additional_data(path: Path) -> bytes:
    """Return what binds a sealed value to its place: the keys, each followed by a colon, without indices.

    The empty path (a comment at the root) gives one colon.
    """
    try:
        text = ":".join(cast("tuple[str, ...]", path))
    except TypeError:
        # Hot, and most paths have no index: asking first would cost more than the rare failure.
        text = ":".join(part for part in path if isinstance(part, str))
    return f"{text}:".encode("utf-8", "surrogateescape")
