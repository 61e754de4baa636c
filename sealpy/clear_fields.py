"""The fields of a sealed file that stand in clear, changed without its data key.

With ``mac_only_encrypted`` the MAC covers encrypted values alone, so a clear field may change and the MAC still fits.
The time stamp is bound to the MAC: it stays too, and with it every byte but those of the field. Nobody vouches for
such a change, whoever makes it.

Pure: documents in, bytes out.
"""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from sealpy import values
from sealpy.document import Document, Edit, Path, additional_data, splice
from sealpy.formats import Format
from sealpy.metadata import Metadata
from sealpy.selection import DEFAULT, select

Barrier = Literal["", "sealed", "mac"]
"""Why a change needs the data key: what it touches is to be sealed, or is in clear and under the MAC."""


class Changed(NamedTuple):
    """A file after a change. ``data`` is empty where there is a ``barrier``: it would hold in clear what must not."""

    data: bytes
    barrier: Barrier = ""


def set_value(document: Document, metadata: Metadata, fmt: Format, path: Path, value: object) -> Changed:
    """Put plain data at a path.

    Raises:
        PathNotFound, UnsealableValue
    """
    values.check_data(path, value)
    return _changed(document, metadata, fmt, fmt.insert(document, path, value))


def unset_value(document: Document, metadata: Metadata, fmt: Format, path: Path) -> Changed:
    """Take out what is at a path.

    Raises:
        PathNotFound
    """
    return _changed(document, metadata, fmt, fmt.remove(document, path))


def _changed(document: Document, metadata: Metadata, fmt: Format, edits: Sequence[Edit]) -> Changed:
    text = splice(document.text, edits)
    after = fmt.scan(text)
    # In order: the MAC knows nothing else of where a value is.
    if list(_sealed(after, metadata)) != list(_sealed(document, metadata)) or after.metadata != document.metadata:
        return Changed(b"", "sealed")
    if not metadata.mac_only_encrypted:
        return Changed(b"", "mac")
    fmt.check_sealable(after)
    return Changed(fmt.encode(text))


def _sealed(document: Document, metadata: Metadata) -> Iterator[tuple[object, ...]]:
    """Give what the rule of the file wants sealed, with what binds it; where in the text or a list it is does not."""
    leaves = document.leaves
    for leaf, chosen in zip(leaves, select(metadata.selection or DEFAULT, leaves), strict=True):
        if chosen:
            yield leaf.document, additional_data(leaf.path), leaf.kind, leaf.content, leaf.style
