"""Bring a sealed file in line with its creation rule: who opens it, what is sealed in it, what its MAC covers.

Pure. Whoever is no longer named knows the data key, so the file gets a new one then, and also where key groups change
by more than a key that comes; otherwise values that stay sealed keep their bytes.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sealpy import kubernetes, operations, sealing
from sealpy.errors import Refused
from sealpy.formats import Format
from sealpy.keyring import Keyring
from sealpy.metadata import Metadata
from sealpy.operations import KeyName
from sealpy.rules import CreationRule
from sealpy.sealing import Opened
from sealpy.selection import DEFAULT, Selection, select


class Groups(NamedTuple):
    """Key groups, and how many of them open the file."""

    keys: tuple[tuple[KeyName, ...], ...]
    quorum: int


class Change(NamedTuple):
    """What a file lacks to be as its rule says; false when it lacks nothing."""

    added: tuple[KeyName, ...] = ()
    removed: tuple[KeyName, ...] = ()
    selection: tuple[Selection, Selection] | None = None
    """What holds and what should."""
    mac_only_encrypted: bool | None = None
    """What should hold, None if it does."""
    groups: tuple[Groups, Groups] | None = None
    """What holds and what should; None if that is the same, or one group before and after."""

    def __bool__(self) -> bool:
        return self != Change()

    @property
    def renews(self) -> bool:
        """Whether the file gets a new data key: it does unless whoever opened it alone, or with others, still may."""
        if self.groups is None:
            return bool(self.removed)
        (before, quorum), (after, wanted) = self.groups
        grown = len(before) == len(after) and all(set(old) <= set(new) for old, new in zip(before, after, strict=True))
        return not grown or quorum != wanted


def change_of(metadata: Metadata, rule: CreationRule, fmt: Format) -> Change:
    """Compare a file with its rule.

    A rule that names no key, or no selection, says nothing about it: the file's own, from a flag or a default,
    stays. A binary file is one value, which no selection and no MAC mode splits. The order of keys is of no account,
    nor is the threshold of a single group, nor the version of an Azure key that the rule leaves open.
    """
    names = operations.key_names(metadata)
    present = [[rule.called(*name) for name in group] for group in names]
    wanted = [list(dict.fromkeys((key.backend, key.text) for key in group)) for group in rule.groups]
    change = Change()
    if wanted:
        there, named = (dict.fromkeys(name for group in groups for name in group) for groups in (present, wanted))
        change = change._replace(
            added=tuple(name for name in named if name not in there),
            removed=tuple(dict.fromkeys(name for group in names for name in group if rule.called(*name) not in named)),
        )
    if len(wanted) > 1 or (wanted and len(present) > 1):
        standing, asked = _groups(present, metadata.threshold), _groups(wanted, rule.threshold)
        same = [set(group) for group in present] == [set(group) for group in wanted]
        if not same or standing.quorum != asked.quorum:
            change = change._replace(groups=(standing, asked))
    if fmt.name == "binary":
        return change
    held = metadata.selection or DEFAULT
    if rule.selection is not None and rule.selection != held:
        change = change._replace(selection=(held, rule.selection))
    if rule.mac_only_encrypted != metadata.mac_only_encrypted:
        change = change._replace(mac_only_encrypted=rule.mac_only_encrypted)
    return change


def _groups(keys: Sequence[Sequence[KeyName]], threshold: int) -> Groups:
    return Groups(tuple(map(tuple, keys)), (threshold or len(keys)) if len(keys) > 1 else 1)


def into_clear(opened: Opened, change: Change) -> list[tuple[str | int, ...]]:
    """Return the paths of the values that stand sealed and would stand in clear."""
    if change.selection is None:
        return []
    chosen = select(change.selection[1], opened.leaves)
    return [
        leaf.path
        for leaf, sealed, stays in zip(opened.leaves, opened.sealed, chosen, strict=True)
        if sealed and not stays and leaf.kind != "comment"
    ]


def apply(opened: Opened, fmt: Format, keyring: Keyring, change: Change, *, now: datetime) -> bytes:
    """Seal a file as its rule says; it was opened with a good MAC.

    Raises:
        DocumentError: what is to be sealed now could not be read back.
        KeyAccessError: a recipient that cannot be wrapped for.
        Refused: a threshold that its rule's key groups cannot have; or no value of a Secret would stand sealed.
        RuleError: the selection is no regular expression.
    """
    if change.selection is not None or change.mac_only_encrypted is not None:
        opened = _resealed(opened, fmt, change, now)
    if not (change.added or change.removed or change.groups):
        return fmt.encode(opened.document.text)
    groups: Sequence[Sequence[KeyName]]
    threshold: int | None = None
    if change.groups is not None:
        groups, threshold = change.groups[1]
        threshold = 0 if len(groups) == 1 else threshold
    else:
        groups = operations.changed_groups(opened.metadata, add=change.added, remove=change.removed)
    if change.renews:
        return operations.rotate(opened, fmt, keyring, now=now, groups=groups, threshold=threshold)
    return operations.update_keys(opened, fmt, keyring, groups, threshold)


def _resealed(opened: Opened, fmt: Format, change: Change, now: datetime) -> Opened:
    """Seal under another selection, or with a MAC over other values; the data key stays."""
    metadata = opened.metadata
    if change.selection is not None:
        change.selection[1].check()
        metadata = metadata._replace(selection=change.selection[1])
    if change.mac_only_encrypted is not None:
        metadata = metadata._replace(mac_only_encrypted=change.mac_only_encrypted)
    clear = operations.clear_text(opened, fmt)
    sealed = operations.edit(opened._replace(metadata=metadata), fmt, clear, now=now)
    document, written = operations.scan_sealed(sealed, fmt)
    result = sealing.unseal(document, written, opened.data_key)
    if not any(result.sealed) and any(opened.sealed) and kubernetes.holds_secret(result.leaves):
        raise Refused(
            "its rule would leave every value of this Secret in clear", hint="mend the rule's regex or suffix"
        )
    return result
