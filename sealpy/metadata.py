"""The ``sops`` block as values.

Read leniently, as sops does (``"false"`` is false, unknown fields are fine), and written with sorted keys.
Entries of master keys are kept as they were read, whatever their kind, so that nothing is lost on the way back.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from sealpy.errors import InvalidMetadata
from sealpy.keys import WrappedKey
from sealpy.selection import MODES, Selection
from sealpy.selection import from_metadata as selection_from_metadata
from sealpy.version import SOPS_VERSION

BACKENDS = ("kms", "gcp_kms", "hckms", "azure_kv", "hc_vault", "pgp", "age")
"""The key lists, in the order in which sops loads a group."""

# In a group of several, sops always writes these two lists, even empty.
_ALWAYS_IN_A_GROUP = ("age", "hc_vault")

# More key groups than Shamir's scheme has shares for; also what keeps infinity out.
_LARGEST_THRESHOLD = 256

_KNOWN = frozenset(
    {*BACKENDS, *MODES, "key_groups", "shamir_threshold", "lastmodified", "mac", "mac_only_encrypted", "version"}
)
_TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:[.,]\d+)?(Z|[+-]\d\d:\d\d)")
_VERSION = re.compile(
    r"1\..*|v?(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?", re.DOTALL
)

KeyGroup = tuple[WrappedKey, ...]


class Metadata(NamedTuple):
    """What a file says about its own sealing. Nothing of it is authenticated but ``last_modified``, by the MAC."""

    groups: tuple[KeyGroup, ...]
    threshold: int
    """How many groups must open; 0 where the file does not say."""
    mac: str
    """``ENC[…]``, or empty."""
    last_modified: str
    selection: Selection | None
    """None where none is stored (the binary format); reading then follows sops' default."""
    mac_only_encrypted: bool
    version: str
    unknown: Mapping[str, object]
    """Fields that sealpy does not know; written back."""

    def mac_additional_data(self) -> bytes:
        """Return what the MAC is bound to: the time in seconds; a fraction is dropped, an offset kept."""
        return _in_seconds(self.last_modified).encode()

    def master_keys(self) -> tuple[WrappedKey, ...]:
        """Return all master keys of all groups."""
        return tuple(key for group in self.groups for key in group)

    @property
    def quorum(self) -> int:
        """How many key groups must open. sops combines at least two shares, whatever the file says."""
        return 1 if len(self.groups) == 1 else max(self.threshold or len(self.groups), 2)


def parse(block: Mapping[str, object]) -> Metadata:
    """Read a ``sops`` block.

    Raises:
        InvalidMetadata
    """
    last_modified = block.get("lastmodified")
    if not isinstance(last_modified, str):
        raise InvalidMetadata("sops.lastmodified is missing or not a string", hint="quote the time stamp")
    _in_seconds(last_modified)
    version = block.get("version")
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        raise InvalidMetadata("sops.version is missing or not a version number")
    mac = block.get("mac")
    if mac is not None and not isinstance(mac, str):
        raise InvalidMetadata("sops.mac is not a string")
    stored = any(block.get(mode) for mode in MODES)
    return Metadata(
        groups=_groups(block),
        threshold=_integer(block.get("shamir_threshold"), "shamir_threshold"),
        mac=mac or "",
        last_modified=last_modified,
        selection=selection_from_metadata(block) if stored else None,
        mac_only_encrypted=_boolean(block.get("mac_only_encrypted"), "mac_only_encrypted"),
        version=version,
        unknown={name: value for name, value in block.items() if name not in _KNOWN},
    )


def to_mapping(metadata: Metadata) -> dict[str, object]:
    """Write a ``sops`` block as plain data, keys sorted at every level, empty fields left out."""
    block: dict[str, object] = dict(metadata.unknown)
    if len(metadata.groups) == 1:
        block.update(_lists(metadata.groups[0]))
    else:
        block["key_groups"] = [
            {**{name: [] for name in _ALWAYS_IN_A_GROUP}, **_lists(group)} for group in metadata.groups
        ]
    if metadata.threshold:
        block["shamir_threshold"] = metadata.threshold
    if metadata.mac_only_encrypted:
        block["mac_only_encrypted"] = True
    if metadata.selection is not None:
        block.update(metadata.selection.to_metadata())
    block["lastmodified"] = metadata.last_modified
    block["mac"] = metadata.mac
    block["version"] = metadata.version
    return {name: _sorted(block[name]) for name in sorted(block)}


def fresh(
    groups: tuple[KeyGroup, ...], *, selection: Selection | None, mac_only_encrypted: bool, threshold: int = 0
) -> Metadata:
    """Return the metadata of a new file, still without time and MAC."""
    return Metadata(groups, threshold, "", "", selection, mac_only_encrypted, SOPS_VERSION, {})


def timestamp(now: datetime) -> str:
    """Write a time as sops does: UTC, in seconds."""
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _groups(block: Mapping[str, object]) -> tuple[KeyGroup, ...]:
    """A key list at the top wins over key_groups, as in sops."""
    top = _group(block)
    if top:
        return (top,)
    listed = block.get("key_groups")
    if listed is None:
        listed = []
    if not isinstance(listed, Sequence) or isinstance(listed, str):
        raise InvalidMetadata("sops.key_groups is not a list")
    groups = []
    for group in listed:
        if not isinstance(group, Mapping):
            raise InvalidMetadata("an entry of sops.key_groups is not a map")
        groups.append(_group(group))
    if not any(groups):
        raise InvalidMetadata("no keys found in the file's sops metadata")
    return tuple(groups)


def _group(block: Mapping[str, object]) -> KeyGroup:
    keys = []
    for backend in BACKENDS:
        entries = block.get(backend)
        if not entries:
            continue
        if not isinstance(entries, Sequence) or isinstance(entries, str):
            raise InvalidMetadata(f"sops.{backend} is not a list")
        for entry in entries:
            if not isinstance(entry, Mapping):
                raise InvalidMetadata(f"an entry of sops.{backend} is not a map")
            keys.append(WrappedKey(backend, entry))
    return tuple(keys)


def _lists(group: KeyGroup) -> dict[str, object]:
    lists: dict[str, list[object]] = {}
    for key in group:
        lists.setdefault(key.backend, []).append(dict(key.entry))
    return dict(lists)


def _sorted(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(name): _sorted(value[name]) for name in sorted(value, key=str)}
    if isinstance(value, list):
        return [_sorted(item) for item in value]
    return value


def _in_seconds(text: str) -> str:
    found = _TIMESTAMP.fullmatch(text)
    if found:
        moment, offset = found.groups()
        try:
            datetime.fromisoformat(moment + ("+00:00" if offset == "Z" else offset))
        except ValueError:
            pass
        else:
            return moment + ("Z" if offset in ("+00:00", "-00:00") else offset)
    raise InvalidMetadata("sops.lastmodified is not an RFC 3339 time")


def _integer(value: object, name: str) -> int:
    if value is None or value == "":
        return 0
    if isinstance(value, (int, float)) and abs(value) < _LARGEST_THRESHOLD:
        return int(value)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    raise InvalidMetadata(f"sops.{name} is not a number")


def _boolean(value: object, name: str) -> bool:
    if value is None or value == "":
        return False
    if isinstance(value, (bool, int)):
        return bool(value)
    if value in ("1", "t", "T", "true", "TRUE", "True"):
        return True
    if value in ("0", "f", "F", "false", "FALSE", "False"):
        return False
    raise InvalidMetadata(f"sops.{name} is not a boolean")
