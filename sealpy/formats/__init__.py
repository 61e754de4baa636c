"""What a format is: the first of the two places where things plug in.

A format never prints a document. It scans a text into leaves, spells one leaf in the style of the text
it replaces, and knows where the metadata block goes. Everything it returns for writing is a list of
edits of the text that it scanned.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from sealpy.document import Document, Edit, Kind, Leaf, Path


class Format(Protocol):
    """One file format."""

    @property
    def name(self) -> str:
        """``yaml``, ``json``, ``dotenv``, ``ini`` or ``binary``."""

    def decode(self, data: bytes) -> str:
        """Turn a file's bytes into text.

        Raises:
            ParseError: not UTF-8, where the format needs that.
        """

    def encode(self, text: str) -> bytes:
        """Turn text back into a file's bytes."""

    def scan(self, text: str) -> Document:
        """Find the leaves, in the order in which sops hashes them, and the metadata block.

        Raises:
            ParseError, EmptyDocument, UnsealableValue, InvalidMetadata: with line and column.
        """

    def check_sealable(self, document: Document) -> None:
        """Refuse what sops could not read back once sealed (spec: ``bug-*``), before anything is written.

        Raises:
            UnsealableValue
        """

    def unfold(self, document: Document, wanted: Sequence[bool]) -> Sequence[Edit]:
        """Return the edits that give each leaf to be sealed (``wanted``, one for each leaf) a text of its own.

        A leaf reached through a YAML alias shares its text with another; formats without aliases return nothing.
        """

    def spell(self, document: Document, leaf: Leaf, kind: Kind, content: str) -> str:
        """Return the text that puts ``content`` in the place of ``leaf``, in clear."""

    def spell_sealed(self, document: Document, leaf: Leaf, sealed: str) -> str:
        """Return the text that puts ``ENC[…]`` in the place of ``leaf``."""

    def attach(self, document: Document, metadata: Mapping[str, object]) -> Sequence[Edit]:
        """Return the edits that add the metadata block to a clear text."""

    def detach(self, document: Document) -> Sequence[Edit]:
        """Return the edits that cut the metadata block out."""

    def update(self, document: Document, metadata: Mapping[str, object]) -> Sequence[Edit]:
        """Return the edits that make the block say ``metadata``, touching only what differs."""

    def insert(self, document: Document, path: Path, value: object) -> Sequence[Edit]:
        """Return the edits that put plain data (dict, list, str, int, float, bool, None) at a path, in clear.

        A missing map on the way is made; an index past the end appends, once; what stands in the way is replaced.

        Raises:
            PathNotFound: a negative index, or a key of a list.
        """

    def remove(self, document: Document, path: Path) -> Sequence[Edit]:
        """Return the edits that take out what is at a path.

        Raises:
            PathNotFound
        """
