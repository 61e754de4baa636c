"""Bring a sealed file in line with its creation rule: who opens it, what is sealed in it, what its MAC covers.

Pure. Whoever is no longer named knows the data key, so the file gets a new one then; otherwise values that stay
sealed keep their bytes.
"""

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


class Change(NamedTuple):
    """What a file lacks to be as its rule says; false when it lacks nothing."""

    added: tuple[KeyName, ...] = ()
    removed: tuple[KeyName, ...] = ()
    selection: tuple[Selection, Selection] | None = None
    """What holds and what should."""
    mac_only_encrypted: bool | None = None
    """What should hold, None if it does."""
    groups: bool = False
    """Whether its key groups are to be others, and there are several before or after: that cannot be written yet."""

    def __bool__(self) -> bool:
        return self != Change()


def change_of(metadata: Metadata, rule: CreationRule, fmt: Format) -> Change:
    """Compare a file with its rule.

    A rule that names no key, or no selection, says nothing about it: the file's own, from a flag or a default,
    stays. A binary file is one value, which no selection and no MAC mode splits. The order of keys is of no account,
    nor is the threshold of a single group, nor the version of an Azure key that the rule leaves open.
    """
    unversioned = {key.text for group in rule.groups for key in group if key.backend == "azure_kv"}
    labels = {
        (backend, text): (backend, short if (short := text.rpartition("/")[0]) in unversioned else text)
        for group in operations.key_names(metadata)
        for backend, text in group
    }
    present = [[labels[name] for name in group] for group in operations.key_names(metadata)]
    wanted = [list(dict.fromkeys((key.backend, key.text) for key in group)) for group in rule.groups]
    change = Change()
    if len(wanted) > 1 or (wanted and len(present) > 1):
        thresholds = [number or len(wanted) for number in (metadata.threshold, rule.threshold)]
        same = [set(group) for group in present] == [set(group) for group in wanted]
        change = change._replace(groups=not same or thresholds[0] != thresholds[1])
    elif wanted:
        change = change._replace(
            added=tuple(name for name in wanted[0] if name not in present[0]),
            removed=tuple(name for name, label in labels.items() if label not in wanted[0]),
        )
    if fmt.name == "binary":
        return change
    held = metadata.selection or DEFAULT
    if rule.selection is not None and rule.selection != held:
        change = change._replace(selection=(held, rule.selection))
    if rule.mac_only_encrypted != metadata.mac_only_encrypted:
        change = change._replace(mac_only_encrypted=rule.mac_only_encrypted)
    return change


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
        Refused: several key groups; no key left; or no value of a Secret would stand sealed.
        RuleError: the selection is no regular expression.
    """
    if change.groups:
        raise Refused(
            "its rule wants other key groups, and a file with several cannot be written yet",
            hint="use sops updatekeys for it",
        )
    if change.selection is not None or change.mac_only_encrypted is not None:
        opened = _resealed(opened, fmt, change, now)
    if change.removed:
        return operations.rotate(opened, fmt, keyring, now=now, add=change.added, remove=change.removed)
    if change.added:
        names = operations.key_names(opened.metadata)
        return operations.update_keys(opened, fmt, keyring, [[*names[0], *change.added]])
    return fmt.encode(opened.document.text)


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
