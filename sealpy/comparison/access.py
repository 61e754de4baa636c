"""Who reads a file, and how that changed: a comparison of two ``sops`` blocks.

None of it is authenticated. A label in the list of recipients is a claim: whether somebody can really open the file
is known to those who hold the key.
"""

from collections.abc import Iterator, Mapping

from sealpy.changeset import Access, KeyRelation, Recipient, Setting
from sealpy.comparison.sides import Side
from sealpy.document import Path
from sealpy.keys import WrappedKey
from sealpy.metadata import Metadata

# What changes with every wrapping and says nothing about who reads.
_WRAPPING = frozenset(("enc", "created_at"))


def compare_access(old: Side, new: Side) -> Access | None:
    """Compare the metadata of two versions; None if neither has any."""
    before, after = old.metadata, new.metadata
    if before is None and after is None:
        return None
    old_recipients = _recipients(before)
    new_recipients = _recipients(after)
    stayed = [recipient for recipient in new_recipients if recipient in old_recipients]
    relation = _relation(old, new, old_recipients, new_recipients)
    added = tuple(recipient for recipient in new_recipients if recipient not in old_recipients)
    removed = tuple(recipient for recipient in old_recipients if recipient not in new_recipients)
    return Access(
        recipients=tuple(new_recipients if after is not None else old_recipients),
        added=added,
        removed=removed,
        settings=tuple(_settings(before, after, old_recipients, new_recipients)) if before and after else (),
        data_key=relation,
        rewrapped=relation == "same"
        and any(
            old_recipients[recipient].entry.get("enc") != new_recipients[recipient].entry.get("enc")
            for recipient in stayed
        ),
    )


def labels(side: Side) -> tuple[str, ...]:
    """Name the master keys of a version: those to ask when it does not open."""
    return tuple(recipient.label for recipient in _recipients(side.metadata))


def differences(one: Side, other: Side) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the recipients of one version that another has not, and the other way round; of sealed ones only."""
    if not (one.is_sealed and other.is_sealed):
        return (), ()
    mine, theirs = labels(one), labels(other)
    return tuple(label for label in mine if label not in theirs), tuple(label for label in theirs if label not in mine)


def _recipients(metadata: Metadata | None) -> dict[Recipient, WrappedKey]:
    if metadata is None:
        return {}
    return {
        Recipient(key.backend, _label(key), number): key
        for number, group in enumerate(metadata.groups)
        for key in group
    }


def _label(key: WrappedKey) -> str:
    return "a private key, which does not belong there" if "AGE-SECRET-KEY-" in key.label.upper() else key.label


def _relation(
    old: Side, new: Side, old_recipients: Mapping[Recipient, WrappedKey], new_recipients: Mapping[Recipient, WrappedKey]
) -> KeyRelation:
    if not (old.is_sealed and new.is_sealed):
        return "none"
    if old.data_key is not None and new.data_key is not None:
        return "same" if old.data_key == new.data_key else "rotated"
    wrapped = {key.entry.get("enc") for key in old_recipients.values()}
    if any(key.entry.get("enc") in wrapped for key in new_recipients.values()):
        return "same"
    # A fresh data key makes every value's text new; one that stayed at its place shows that there was none.
    if _sealed_texts(old) & _sealed_texts(new):
        return "same"
    return "unknown"


def _sealed_texts(side: Side) -> set[tuple[Path, str]]:
    return {(leaf.path, text) for leaf, text in zip(side.leaves, side.sealed, strict=True) if text}


def _settings(
    before: Metadata,
    after: Metadata,
    old_recipients: Mapping[Recipient, WrappedKey],
    new_recipients: Mapping[Recipient, WrappedKey],
) -> Iterator[Setting]:
    pairs = (
        ("key groups", str(len(before.groups)), str(len(after.groups))),
        ("shamir_threshold", str(before.threshold), str(after.threshold)),
        ("selection", _rule(before), _rule(after)),
        ("mac_only_encrypted", _word(before.mac_only_encrypted), _word(after.mac_only_encrypted)),
        ("version", before.version, after.version),
    )
    for name, old, new in pairs:
        if old != new:
            yield Setting(name, old, new)
    for name in sorted({*before.unknown, *after.unknown}):
        if before.unknown.get(name) != after.unknown.get(name):
            yield Setting(name, _plain(before.unknown, name), _plain(after.unknown, name))
    for recipient, key in new_recipients.items():
        was = old_recipients.get(recipient)
        if was is None:
            continue
        for field in sorted({*was.entry, *key.entry} - _WRAPPING):
            if was.entry.get(field) != key.entry.get(field):
                yield Setting(f"{recipient.label} {field}", _plain(was.entry, field), _plain(key.entry, field))


def _rule(metadata: Metadata) -> str:
    return " ".join(metadata.selection) if metadata.selection is not None else ""


def _word(value: bool) -> str:
    return "true" if value else "false"


def _plain(mapping: Mapping[str, object], name: str) -> str:
    value = mapping.get(name, "")
    return value if isinstance(value, str) else str(value)
