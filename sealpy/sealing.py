"""A document's leaves and a data key: seal them all, or open them all and verify the MAC.

Pure: texts in, edits out. Which leaves are sealed is ``selection``'s to say; how a value is spelt is the format's.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from sealpy import mac, regex, values
from sealpy.cipher import Cipher
from sealpy.document import LISTED, Document, Edit, Leaf, Path, additional_data, line_and_column
from sealpy.encrypted_value import PREFIX, looks_sealed
from sealpy.errors import InvalidEncryptedValue, MacMismatch, Refused, UnsealableValue
from sealpy.formats import Format
from sealpy.metadata import Metadata
from sealpy.secret import DataKey
from sealpy.selection import DEFAULT, Selection, select

_NEVER_SEALED = frozenset({"null", "map", "list"})
# What Leaf(…) does, without the detour through a function of Python.
_new_leaf = tuple.__new__
_OUTWARD = 8
_NOTED_COMMENTS = 100
_TAMPERED = "the file was changed by something that does not hold the key; compare it with its last good revision"


class Opened(NamedTuple):
    """A sealed document and what is in it.

    ``leaves`` carry clear kinds and contents, while their spans are still those of ``document.text``.
    ``sealed[i]`` tells whether ``leaves[i]`` stands sealed in the text. ``notes`` are warnings for the user.
    """

    document: Document
    metadata: Metadata
    data_key: DataKey
    leaves: Sequence[Leaf]
    sealed: Sequence[bool]
    notes: Sequence[str]

    def __repr__(self) -> str:
        return f"<Opened {self.document!r}>"


class Sealed(NamedTuple):
    """The edits that seal a document's leaves, the digest for its MAC, and how many leaves stand sealed."""

    edits: Sequence[Edit]
    digest: str
    sealed: int
    comments: Mapping[str, Leaf]
    """The clear comments, by the sealed text that stands for them."""

    def __repr__(self) -> str:
        return f"<Sealed {self.sealed} leaves>"


class Earlier(NamedTuple):
    """How one value stood in an earlier version of the file, so that it can stand there again unchanged."""

    sealed: str
    """``ENC[…]``"""
    text: str
    """The same as it was spelt in the file."""
    clear_text: str
    """How the decrypted file spelt it; with ``clear_style``, tells whether the user touched it."""
    clear_style: str

    def __repr__(self) -> str:
        return f"<Earlier {self.sealed}>"


Reusable = dict[tuple[bytes, str, str], list[Earlier]]
"""By additional data, kind and content: under one data key these three make a sealed text reusable."""


def unseal(document: Document, metadata: Metadata, data_key: DataKey) -> Opened:
    """Open every sealed leaf and verify the MAC.

    Raises:
        InvalidEncryptedValue: a value under the selection is not sealed, or does not open.
        MacMismatch
    """
    opened, digest = _open_leaves(document, metadata, data_key)
    _verify_mac(metadata, data_key, digest)
    return opened


def unseal_unverified(document: Document, metadata: Metadata, data_key: DataKey) -> Opened:
    """Open every sealed leaf without looking at the MAC: for ``--ignore-mac`` alone."""
    return _open_leaves(document, metadata, data_key)[0]


def unseal_half(document: Document, metadata: Metadata, data_key: DataKey) -> Opened:
    """Open what stands sealed, whatever the MAC says and whatever stands in clear: for mending a file."""
    return _open_leaves(document, metadata, data_key, half=True)[0]


def clear_edits(opened: Opened, fmt: Format) -> list[Edit]:
    """Return the edits that turn the sealed text into the clear one."""
    document = opened.document
    spell = fmt.spell
    edits = [
        Edit(old.start, old.end, spell(document, old, new.kind, new.content))
        for old, new, sealed in zip(document.leaves, opened.leaves, opened.sealed, strict=True)
        if sealed
    ]
    edits.extend(fmt.detach(document))
    return edits


def seal(
    document: Document,
    fmt: Format,
    selection: Selection | None,
    data_key: DataKey,
    *,
    only_encrypted: bool,
    reusable: Reusable | None = None,
    standing: Mapping[int, Leaf] | None = None,
) -> Sealed:
    """Seal every leaf that the selection names.

    ``reusable``: values of an earlier version under the same data key keep their sealed text.
    ``standing``: leaves by their start that stand sealed already, with their clear kind and content.

    Raises:
        UnsealableValue: sops could not read the result back.
        Refused: what stands sealed would be in clear now.
    """
    fmt.check_sealable(document)
    selected = select(selection or DEFAULT, document.leaves)
    seal_value = Cipher(data_key).seal
    refuses_comment = _comment_refusal(selection)
    edits: list[Edit] = []
    hashed: list[bytes] = []
    comments: dict[str, Leaf] = {}
    count = 0
    for leaf, chosen in zip(document.leaves, selected, strict=True):
        kind, content = leaf.kind, leaf.content
        clear = standing.get(leaf.start) if standing else None
        if clear is not None:
            if not chosen:
                raise _in_clear(document, leaf)
            count += 1
            if clear.kind != "comment":
                hashed.append(clear.content.encode("utf-8", "surrogateescape"))
            continue
        if kind in _NEVER_SEALED:
            continue
        if kind != "comment" and (chosen or not only_encrypted):
            if not chosen and kind == "float" and content == "-0":
                raise _located(
                    UnsealableValue, document, leaf, "sops cannot read an unencrypted -0.0 back", hint="write 0.0"
                )
            hashed.append(content.encode("utf-8", "surrogateescape"))
        if not chosen or not content:
            continue
        count += 1
        data = additional_data(leaf.path)
        was = reusable.get((data, kind, content)) if reusable else None
        if was:
            earlier = was.pop(0)
            sealed = earlier.sealed
            untouched = earlier.clear_style == leaf.style and earlier.clear_text == document.text[leaf.start : leaf.end]
            text = earlier.text if untouched else fmt.spell_sealed(document, leaf, sealed)
        else:
            sealed = seal_value(content, kind, data)
            if kind == "comment" and refuses_comment(sealed):
                raise _located(
                    UnsealableValue, document, leaf, "the encrypted comment matches unencrypted_comment_regex itself"
                )
            text = fmt.spell_sealed(document, leaf, sealed)
        if kind == "comment":
            comments[sealed] = leaf
        edits.append(Edit(leaf.start, leaf.end, text))
    return Sealed(edits, mac.digest(hashed, only_encrypted=only_encrypted), count, comments)


def rehome_comments(document: Document, fmt: Format, data_key: DataKey, sealed: Sealed) -> list[Edit]:
    """Seal comments again that the sealed text puts into another map or list than the clear text did.

    Where a comment belongs goes by the lines around it, and a sealed block scalar has fewer of them.
    """
    seal_value = Cipher(data_key).seal
    edits = []
    for leaf in document.leaves:
        clear = sealed.comments.get(leaf.content) if leaf.kind == "comment" else None
        if clear is None:
            continue
        data = additional_data(leaf.path)
        if data != additional_data(clear.path):
            text = fmt.spell_sealed(document, leaf, seal_value(clear.content, "comment", data))
            edits.append(Edit(leaf.start, leaf.end, text))
    return edits


def seal_mac(data_key: DataKey, digest: str, metadata: Metadata) -> str:
    """Seal a digest as the MAC of these metadata."""
    return Cipher(data_key).seal(digest, "str", metadata.mac_additional_data())


def reusable(opened: Opened, clear: Document) -> Reusable:
    """Collect the sealed texts of an opened document; ``clear`` is the scan of its clear text."""
    table: Reusable = {}
    same_shape = len(clear.leaves) == len(opened.leaves)
    for index, (old, new, sealed) in enumerate(zip(opened.document.leaves, opened.leaves, opened.sealed, strict=True)):
        if not sealed:
            continue
        clear_text = clear_style = ""
        if same_shape:
            there = clear.leaves[index]
            clear_text, clear_style = clear.text[there.start : there.end], there.style
        standing = Earlier(old.content, opened.document.text[old.start : old.end], clear_text, clear_style)
        table.setdefault((additional_data(new.path), new.kind, new.content), []).append(standing)
    return table


def reseal(opened: Opened, fmt: Format, data_key: DataKey) -> Sealed:
    """Seal what stands sealed under another data key, with new nonces."""
    seal_value = Cipher(data_key).seal
    only_encrypted = opened.metadata.mac_only_encrypted
    selected = select(opened.metadata.selection or DEFAULT, opened.document.leaves)
    edits = []
    hashed = []
    for old, new, sealed, chosen in zip(opened.document.leaves, opened.leaves, opened.sealed, selected, strict=True):
        if sealed:
            text = seal_value(new.content, new.kind, additional_data(new.path))
            edits.append(Edit(old.start, old.end, fmt.spell_sealed(opened.document, old, text)))
        if new.kind not in _NEVER_SEALED and new.kind != "comment" and (chosen or not only_encrypted):
            hashed.append(new.content.encode("utf-8", "surrogateescape"))
    return Sealed(edits, mac.digest(hashed, only_encrypted=only_encrypted), len(edits), {})


def _open_leaves(
    document: Document, metadata: Metadata, data_key: DataKey, *, half: bool = False
) -> tuple[Opened, str]:
    leaves = document.leaves
    selected = select(metadata.selection or DEFAULT, leaves)
    only_encrypted = metadata.mac_only_encrypted
    unlock = Cipher(data_key).open
    opened: list[Leaf] = []
    sealed: list[bool] = []
    hashed: list[bytes] = []
    closed: list[int] = []
    for leaf, chosen in zip(leaves, selected, strict=True):
        path, start, end, kind, content, style, number = leaf
        if not chosen:
            opened.append(leaf)
            sealed.append(False)
            if not only_encrypted and kind not in _NEVER_SEALED and (kind != "comment" or style == LISTED):
                hashed.append(content.encode("utf-8", "surrogateescape"))
            continue
        if kind in _NEVER_SEALED or not content:
            opened.append(leaf)
            sealed.append(False)
            continue
        if kind == "comment":
            clear = _open_comment(leaf, unlock)
            if clear is None and style == LISTED:
                raise _does_not_open(document, leaf)
            if clear is None and looks_sealed(content):
                closed.append(start)
            opened.append(clear or leaf)
            sealed.append(clear is not None)
            continue
        if kind != "str" or not content.startswith(PREFIX):
            if half:
                opened.append(leaf)
                sealed.append(False)
                continue
            raise _located_value(document, leaf, "is not encrypted, but the file's rule says that it must be")
        found = unlock(content, additional_data(path))
        if found is None:
            raise _does_not_open(document, leaf)
        opened_kind, raw = found
        text = raw.decode("utf-8", "surrogateescape")
        if opened_kind == "comment":
            # The type is not authenticated: a value that is called a comment would vanish, and not be missed by the MAC.
            raise _located_value(document, leaf, "is marked as a comment")
        if opened_kind != "str":
            normal = None
            with suppress(InvalidEncryptedValue):
                normal = values.normalise(opened_kind, text)
            if normal is None:
                raise _located_value(document, leaf, "opens, but not to what its type says")
            text = normal
            raw = text.encode("utf-8", "surrogateescape")
        hashed.append(raw)
        opened.append(_new_leaf(Leaf, (path, start, end, opened_kind, text, style, number)))
        sealed.append(True)
    result = Opened(document, metadata, data_key, opened, sealed, _notes(document.text, closed))
    return result, mac.digest(hashed, only_encrypted=only_encrypted)


def _open_comment(leaf: Leaf, unlock: Callable[[str, bytes], tuple[str, bytes] | None]) -> Leaf | None:
    """Open a comment; the container that sops gave it may be one further out than ours."""
    if not leaf.content.startswith(PREFIX):
        return None
    tried = None
    for path in containers(leaf.path):
        data = additional_data(path)
        if data != tried:
            found = unlock(leaf.content, data)
            if found is not None:
                return leaf._replace(path=path, kind="comment", content=found[1].decode("utf-8", "surrogateescape"))
            tried = data
    return None


def containers(path: Path) -> Iterator[Path]:
    """Give the container of a comment, and those around it that sops may have sealed it for.

    Not all of them: comments that open nowhere, many levels deep, would be work without end.
    """
    yield path
    for _ in range(min(len(path), _OUTWARD)):
        path = path[:-1]
        yield path


def _notes(text: str, closed: Sequence[int]) -> list[str]:
    """Say which comments stayed sealed; of very many, only some."""
    notes = [
        f"line {line_and_column(text, start)[0]}: a comment does not open and stays sealed"
        for start in closed[:_NOTED_COMMENTS]
    ]
    if len(closed) > _NOTED_COMMENTS:
        notes.append(f"{len(closed) - _NOTED_COMMENTS} more comments do not open and stay sealed")
    return notes


def _verify_mac(metadata: Metadata, data_key: DataKey, digest: str) -> None:
    if not metadata.mac:
        raise MacMismatch("the file has no MAC", hint=_TAMPERED)
    stored = Cipher(data_key).open(metadata.mac, metadata.mac_additional_data())
    if stored is None:
        raise MacMismatch("the MAC does not open: sops.mac or sops.lastmodified was edited", hint=_TAMPERED)
    if stored[1] != digest.encode():
        raise MacMismatch("the MAC does not match the values", hint=_TAMPERED)


def _comment_refusal(selection: Selection | None) -> Callable[[str], bool]:
    if selection is not None and selection.mode == "unencrypted_comment_regex":
        return regex.compile(selection.pattern).search
    return lambda _: False


def _does_not_open(document: Document, leaf: Leaf) -> InvalidEncryptedValue:
    return _located_value(document, leaf, "does not open: edited, moved, or sealed under another data key")


def _located_value(document: Document, leaf: Leaf, fact: str) -> InvalidEncryptedValue:
    name = ".".join(str(part) for part in leaf.path)
    line, column = line_and_column(document.text, leaf.start)
    return InvalidEncryptedValue(f"line {line}, column {column}: the value of {name} {fact}", hint=_TAMPERED)


def _in_clear(document: Document, leaf: Leaf) -> Refused:
    name = ".".join(str(part) for part in leaf.path)
    line, _ = line_and_column(document.text, leaf.start)
    return Refused(
        f"a comment would now leave {name or 'another comment'} in clear, which is sealed in line {line} of the result",
        hint='comments decide what this file\'s rule seals; move them with "sealpy edit"',
    )


def _located(
    error: type[UnsealableValue], document: Document, leaf: Leaf, message: str, hint: str | None = None
) -> UnsealableValue:
    line, column = line_and_column(document.text, leaf.start)
    return error(message, hint=hint, line=line, column=column)
