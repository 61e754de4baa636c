"""The verbs on one document: bytes in, bytes out.

No files, no environment and no clock: ``now`` is given, keys come in a ``Keyring``. Everything that returns
clear text verified the MAC first; the one that does not says so in its name.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sealpy import sealing, values
from sealpy.document import Document, Edit, Leaf, Path, additional_data, splice
from sealpy.errors import AlreadyEncrypted, NotEncrypted, Refused, SealpyError
from sealpy.formats import Format
from sealpy.keyring import Keyring
from sealpy.keys import WrappedKey
from sealpy.metadata import Metadata, fresh, parse, timestamp, to_mapping
from sealpy.sealing import Opened, Sealed
from sealpy.secret import DataKey, Secret
from sealpy.selection import DEFAULT, Selection, select

KeyName = tuple[str, str]
"""A master key by back end and text: ("age", "age1…")."""


class Plan(NamedTuple):
    """How a new file is to be sealed."""

    groups: Sequence[Sequence[KeyName]]
    selection: Selection | None = DEFAULT
    mac_only_encrypted: bool = False
    threshold: int = 0


def scan_sealed(data: bytes, fmt: Format) -> tuple[Document, Metadata]:
    """Read a sealed document without opening it.

    Raises:
        DocumentError: also NotEncrypted and InvalidMetadata.
    """
    document = fmt.scan(fmt.decode(data))
    if document.metadata is None:
        raise NotEncrypted("sops metadata not found: the file is not encrypted")
    return document, parse(document.metadata)


def open_document(data: bytes, fmt: Format, keyring: Keyring) -> Opened:
    """Open a sealed document; the MAC is verified.

    Raises:
        DocumentError, KeyAccessError, IntegrityError
    """
    document, metadata = scan_sealed(data, fmt)
    return sealing.unseal(document, metadata, keyring.open(metadata))


def open_unverified(data: bytes, fmt: Format, keyring: Keyring) -> Opened:
    """Open a sealed document whatever its MAC says: for ``--ignore-mac`` alone."""
    document, metadata = scan_sealed(data, fmt)
    return sealing.unseal_unverified(document, metadata, keyring.open(metadata))


def clear_text(opened: Opened, fmt: Format) -> Secret[bytes]:
    """Return the decrypted file."""
    return Secret(fmt.encode(_clear(opened, fmt)))


def decrypt(data: bytes, fmt: Format, keyring: Keyring) -> Secret[bytes]:
    """Open a sealed document and return the decrypted file."""
    return clear_text(open_document(data, fmt, keyring), fmt)


def scan_clear(data: bytes, fmt: Format) -> Document:
    """Read a clear document that is to be sealed.

    Raises:
        DocumentError: also AlreadyEncrypted.
    """
    document = fmt.scan(fmt.decode(data))
    if document.metadata is not None or document.blocks:
        raise AlreadyEncrypted("the file is encrypted already", hint="to change it, use edit, set or rotate")
    return document


def encrypt(
    data: bytes,
    fmt: Format,
    plan: Plan,
    keyring: Keyring,
    *,
    now: datetime,
    earlier: Opened | None = None,
    allow_clear: bool = False,
    warn: Callable[[str], None] | None = None,
) -> bytes:
    """Seal a clear document.

    ``warn`` is told what cannot be kept, such as text behind a JSON document, which cannot carry a seal.

    ``earlier`` is a version of the same file that opened with a good MAC: if it has the same recipients and
    threshold, its data key serves again and equal values keep their sealed text. Otherwise anybody could plant a
    file whose data key they know, and have our values sealed under it.

    Raises:
        DocumentError
        Refused: a Secret of which nothing would be sealed, unless ``allow_clear``.
        KeyAccessError: no recipient, or one that cannot be wrapped for.
    """
    document = scan_clear(data, fmt)
    if warn is not None:
        for note in document.notes:
            warn(note)
    if plan.selection is not None:
        plan.selection.check()
    document = _unfolded(document, fmt, plan.selection)
    again = earlier is not None and _same_access(earlier.metadata, plan)
    if earlier is not None and again:
        data_key, groups = earlier.data_key, earlier.metadata.groups
        table = sealing.reusable(earlier, fmt.scan(_clear(earlier, fmt)))
    else:
        data_key, table = DataKey.generate(), None
        groups = keyring.close(data_key, plan.groups, plan.threshold)
    threshold = _stored_threshold(plan.groups, plan.threshold)
    only_encrypted = plan.mac_only_encrypted
    sealed = sealing.seal(document, fmt, plan.selection, data_key, only_encrypted=only_encrypted, reusable=table)
    if not sealed.sealed and not allow_clear and _holds_secret(document):
        raise Refused(
            "the rule would leave every value of this Secret in clear",
            hint="mend the rule's regex or suffix, or insist with --allow-clear",
        )
    metadata = fresh(groups, selection=plan.selection, mac_only_encrypted=only_encrypted, threshold=threshold)
    block = to_mapping(_signed(metadata, data_key, sealed, now))
    text = splice(document.text, [*sealed.edits, *fmt.attach(document, block)])
    return fmt.encode(_with_comments_at_home(text, fmt, data_key, sealed))


def edit(opened: Opened, fmt: Format, after: Secret[bytes], *, now: datetime) -> bytes:
    """Seal the edited clear text of an opened document: what did not change keeps its bytes.

    Raises:
        DocumentError: also AlreadyEncrypted, if the edited text brings metadata of its own.
    """
    document = scan_clear(after.expose(), fmt)
    metadata = opened.metadata
    document = _unfolded(document, fmt, metadata.selection)
    table = sealing.reusable(opened, fmt.scan(_clear(opened, fmt)))
    sealed = sealing.seal(
        document,
        fmt,
        metadata.selection,
        opened.data_key,
        only_encrypted=metadata.mac_only_encrypted,
        reusable=table,
    )
    signed = _signed(metadata, opened.data_key, sealed, now)
    text = splice(document.text, [*sealed.edits, *fmt.attach(document, to_mapping(signed))])
    text = _with_block_of(opened.document, text, fmt, signed)
    return fmt.encode(_with_comments_at_home(text, fmt, opened.data_key, sealed))


def set_value(opened: Opened, fmt: Format, path: Path, value: object, *, now: datetime) -> bytes:
    """Put plain data at a path; all other values keep their bytes.

    Raises:
        PathNotFound, UnsealableValue
    """
    values.check_data(path, value)
    return _restructured(opened, fmt, fmt.insert(opened.document, path, value), now)


def unset_value(opened: Opened, fmt: Format, path: Path, *, now: datetime) -> bytes:
    """Take out what is at a path; all other values keep their bytes.

    Raises:
        PathNotFound
    """
    return _restructured(opened, fmt, fmt.remove(opened.document, path), now)


def rotate(
    opened: Opened,
    fmt: Format,
    keyring: Keyring,
    *,
    now: datetime,
    groups: Sequence[Sequence[KeyName]] | None = None,
    threshold: int | None = None,
) -> bytes:
    """Seal everything anew under a new data key, for the same master keys and threshold or for others.

    Raises:
        KeyAccessError: a master key that cannot be wrapped for.
        Refused: a threshold that does not go with the key groups.
    """
    metadata = opened.metadata
    groups = key_names(metadata) if groups is None else groups
    threshold = _stored_threshold(groups, metadata.threshold if threshold is None else threshold)
    data_key = DataKey.generate()
    closed = keyring.close(data_key, groups, threshold)
    sealed = sealing.reseal(opened, fmt, data_key)
    signed = _signed(metadata._replace(groups=closed, threshold=threshold), data_key, sealed, now)
    document = opened.document
    return fmt.encode(splice(document.text, [*sealed.edits, *fmt.update(document, to_mapping(signed))]))


def update_keys(
    opened: Opened,
    fmt: Format,
    keyring: Keyring,
    groups: Sequence[Sequence[KeyName]],
    threshold: int | None = None,
) -> bytes:
    """Wrap the data key for other recipients; values, MAC and time stay, and so do entries that stay.

    The document was opened with a good MAC, so nothing tampered with is passed on to new readers. Without a
    ``threshold`` it is the file's, which cannot be more than there are groups. Several groups get new shares, all of
    them: no share of before goes with the new ones.

    Raises:
        KeyAccessError: a master key that cannot be wrapped for.
        Refused: a threshold that does not go with the key groups.
    """
    metadata = opened.metadata
    if threshold is None:
        threshold = 0 if len(groups) == 1 else min(metadata.threshold, len(groups))
    if len(groups) == 1 and len(metadata.groups) == 1:
        standing = {_name(key): key for key in metadata.groups[0]}
        missing = [name for name in groups[0] if name not in standing]
        added = iter(keyring.close(opened.data_key, [missing], 0)[0] if missing else ())
        closed: tuple[tuple[WrappedKey, ...], ...] = (tuple(standing.get(name) or next(added) for name in groups[0]),)
    else:
        closed = keyring.close(opened.data_key, groups, threshold)
    updated = metadata._replace(groups=closed, threshold=_stored_threshold(groups, threshold))
    document = opened.document
    return fmt.encode(splice(document.text, fmt.update(document, to_mapping(updated))))


def changed_groups(
    metadata: Metadata, *, add: Sequence[KeyName] = (), remove: Sequence[KeyName] = ()
) -> list[list[KeyName]]:
    """Return a file's master keys plus and minus some: added to the first group, once, and removed from every group.

    Raises:
        Refused: a group would be left without a key.
    """
    groups = [[name for name in group if name not in remove] for group in key_names(metadata)]
    for name in add:
        if name not in groups[0]:
            groups[0].append(name)
    if not all(groups):
        which = (
            "no key"
            if len(groups) == 1
            else f"no key of key group {1 + [bool(group) for group in groups].index(False)}"
        )
        raise Refused(f"{which} would be left that opens the file", hint="add a recipient in the same command")
    return groups


def key_names(metadata: Metadata) -> list[list[KeyName]]:
    """Return a file's master keys by back end and text, group by group."""
    return [[_name(key) for key in group] for group in metadata.groups]


def _holds_secret(document: Document) -> bool:
    from sealpy import kubernetes

    return kubernetes.holds_secret(document.leaves)


def _name(key: WrappedKey) -> KeyName:
    return key.backend, key.label


def _clear(opened: Opened, fmt: Format) -> str:
    return splice(opened.document.text, sealing.clear_edits(opened, fmt))


def _unfolded(document: Document, fmt: Format, selection: Selection | None) -> Document:
    edits = fmt.unfold(document, select(selection or DEFAULT, document.leaves))
    return fmt.scan(splice(document.text, edits)) if edits else document


def _same_access(metadata: Metadata, plan: Plan) -> bool:
    ours = [sorted(group) for group in plan.groups]
    threshold = _stored_threshold(plan.groups, plan.threshold)
    return [sorted(group) for group in key_names(metadata)] == ours and metadata.threshold == threshold


def _stored_threshold(groups: Sequence[object], threshold: int) -> int:
    """Several groups without a threshold are all needed, and sops writes down how many that are."""
    return threshold or len(groups) if len(groups) > 1 else threshold


def _signed(metadata: Metadata, data_key: DataKey, sealed: Sealed, now: datetime) -> Metadata:
    """Return the metadata with the time and the MAC over it."""
    timed = metadata._replace(last_modified=timestamp(now))
    return timed._replace(mac=sealing.seal_mac(data_key, sealed.digest, timed))


def _restructured(opened: Opened, fmt: Format, edits: Sequence[Edit], now: datetime) -> bytes:
    """Apply edits that bring in clear text, then seal just that."""
    document = fmt.scan(splice(opened.document.text, edits))
    metadata = opened.metadata
    known = {
        (additional_data(clear.path), old.content): clear
        for old, clear, sealed in zip(opened.document.leaves, opened.leaves, opened.sealed, strict=True)
        if sealed
    }
    new = _spans_of_new_text(edits)
    standing: dict[int, Leaf] = {}
    for leaf in document.leaves:
        if any(leaf.start < end and start < leaf.end for start, end in new):
            continue
        found = _standing(known, leaf)
        if found is not None:
            standing[leaf.start] = found
    table = sealing.reusable(opened, opened.document)
    sealed = sealing.seal(
        document,
        fmt,
        metadata.selection,
        opened.data_key,
        only_encrypted=metadata.mac_only_encrypted,
        reusable=table,
        standing=standing,
    )
    signed = _signed(metadata, opened.data_key, sealed, now)
    return fmt.encode(splice(document.text, [*sealed.edits, *fmt.update(document, to_mapping(signed))]))


def _spans_of_new_text(edits: Sequence[Edit]) -> list[tuple[int, int]]:
    """Return where the replacements of edits stand once they are applied."""
    spans = []
    shift = 0
    for start, end, replacement in sorted(edits, key=lambda edit: edit.start):
        spans.append((start + shift, start + shift + len(replacement)))
        shift += len(replacement) - (end - start)
    return spans


def _standing(known: Mapping[tuple[bytes, str], Leaf], leaf: Leaf) -> Leaf | None:
    """Find the clear leaf of a sealed text; a comment may have been sealed for a container further out."""
    for path in sealing.containers(leaf.path) if leaf.kind == "comment" else (leaf.path,):
        found = known.get((additional_data(path), leaf.content))
        if found is not None:
            return found
    return None


def _with_comments_at_home(text: str, fmt: Format, data_key: DataKey, sealed: Sealed) -> str:
    if not sealed.comments:
        return text
    return splice(text, sealing.rehome_comments(fmt.scan(text), fmt, data_key, sealed))


def _with_block_of(before: Document, text: str, fmt: Format, metadata: Metadata) -> str:
    """Keep the layout of the earlier metadata block, if it can stand in the new text."""
    block = to_mapping(metadata)
    document = fmt.scan(text)
    kept = fmt.scan(splice(before.text, fmt.update(before, block)))
    if len(kept.blocks) != len(document.blocks):
        return text
    edits = []
    for new, old in zip(document.blocks, kept.blocks, strict=True):
        wanted = kept.text[old.start : old.end]
        if new.style != old.style or wanted.endswith("\n") != text[new.start : new.end].endswith("\n"):
            return text
        edits.append(Edit(new.start, new.end, wanted))
    result = splice(text, edits)
    try:
        good = fmt.scan(result).metadata == kept.metadata
    except SealpyError:
        good = False
    return result if good else text
