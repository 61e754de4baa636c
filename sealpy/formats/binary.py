"""Binary: any bytes at all, sealed as the one value of a JSON file.

In clear, the text is the bytes with what is not UTF-8 as surrogate escapes, and the only leaf is all of it. Sealed,
it is ``{"data": "ENC[…]", "sops": {…}}`` as sops lays it out. Which of the two a text is can be seen, but a sealed file
is also a byte string that may be sealed, and sops does so; ``scan_clear`` reads it that way.
"""

from collections.abc import Mapping, Sequence

from sealpy.document import Document, Edit, Kind, Leaf, Path
from sealpy.errors import DocumentError, ParseError, PathNotFound
from sealpy.formats import json

_DATA: Path = ("data",)
_OPENING = '{\n\t"data": "'


class Binary:
    """The binary format."""

    name = "binary"

    def decode(self, data: bytes) -> str:
        """Turn bytes into text that turns back into the same bytes."""
        return data.decode("utf-8", "surrogateescape")

    def encode(self, text: str) -> bytes:
        """Turn text back into bytes."""
        return text.encode("utf-8", "surrogateescape")

    def scan(self, text: str) -> Document:
        """Read a sealed file if the text is one: a JSON object with a map ``sops`` and a string ``data``.

        Raises:
            ParseError: a sealed file with other values beside the data.
        """
        document = _sealed(text)
        if document is None:
            return self.scan_clear(text)
        if len(document.leaves) > 1:
            raise ParseError("a sealed binary file has nothing but data and sops")
        leaf = document.leaves[0]
        if document.blocks[0].start < leaf.start:
            raise ParseError("the data of a sealed binary file come before sops")
        # What stands before the data goes with them, as it comes with them when they are sealed.
        whole = leaf._replace(start=0, end=leaf.end - 1, style=text[: leaf.start + 1])
        return document._replace(format=self.name, leaves=[whole])

    def scan_clear(self, text: str) -> Document:
        """Read any text as bytes to seal."""
        return Document(self.name, text, [Leaf(_DATA, 0, len(text), "str", text)])

    def check_sealable(self, document: Document) -> None:
        """Do nothing: any bytes can be sealed."""

    def unfold(self, document: Document, wanted: Sequence[bool]) -> Sequence[Edit]:
        """Return nothing: there are no aliases."""
        return ()

    def spell(self, document: Document, leaf: Leaf, kind: Kind, content: str) -> str:
        """Return the bytes."""
        return content

    def spell_sealed(self, document: Document, leaf: Leaf, sealed: str) -> str:
        """Write the sealed bytes, and what stands before them in a sealed file."""
        return f"{leaf.style or _OPENING}{sealed}"

    def attach(self, document: Document, metadata: Mapping[str, object]) -> Sequence[Edit]:
        """Put what follows the sealed bytes; around no bytes at all, everything."""
        end = len(document.text)
        block = json.FORMAT.attach(json.FORMAT.scan('{\n\t"data": ""\n}'), metadata)[0].replacement
        return [Edit(end, end, f'{"" if end else _OPENING}"{block}\n}}\n')]

    def detach(self, document: Document) -> Sequence[Edit]:
        """Cut out all but the bytes; of no bytes at all, that nothing replaces, everything."""
        leaf = document.leaves[0]
        return [Edit(leaf.end if leaf.content else 0, len(document.text), "")]

    def update(self, document: Document, metadata: Mapping[str, object]) -> Sequence[Edit]:
        """Change the values of the metadata that differ."""
        return json.FORMAT.update(document, metadata)

    def insert(self, document: Document, path: Path, value: object) -> Sequence[Edit]:
        """Replace the bytes, the only thing there is, by a string.

        Raises:
            PathNotFound: another path than ``data``.
            ParseError: another value than a string.
        """
        if path != _DATA:
            raise PathNotFound("a binary file has only data")
        if not isinstance(value, str):
            raise ParseError("the data of a binary file are a string")
        if document.blocks:
            return json.FORMAT.insert(document, path, value)
        return [Edit(0, len(document.text), value)]

    def remove(self, document: Document, path: Path) -> Sequence[Edit]:
        """Refuse: a binary file without data is none.

        Raises:
            PathNotFound
        """
        raise PathNotFound("a binary file has only data, which can be replaced but not taken out")


FORMAT = Binary()


def _sealed(text: str) -> Document | None:
    """Return the text as a JSON document if it is a sealed file."""
    if not text.lstrip(" \t\r\n").startswith("{") or '"sops"' not in text:
        return None
    try:
        document = json.FORMAT.scan(text)
    except DocumentError:
        return None
    has_data = any(leaf.path == _DATA and leaf.kind == "str" for leaf in document.leaves)
    return document if has_data and document.metadata is not None else None
