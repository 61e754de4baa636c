"""One object against its old version, key by key.

Three questions for each pair of leaves: is the value the same, how do we know, and does the MAC vouch for the change?
sops' MAC covers the values in their order and nothing else: no names of clear keys, no borders between neighbours, no
types, no comments, nothing that is empty. The place of a sealed value is bound to it by its own tag.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from sealpy.changeset import Certainty, Change, Operation
from sealpy.comparison.alignment import align
from sealpy.comparison.objects import Part
from sealpy.comparison.sides import Origin, Side
from sealpy.document import Leaf, Path
from sealpy.encrypted_value import parse
from sealpy.redaction import PublicValue, RedactedValue, RevealedValue
from sealpy.secret import Secret
from sealpy.values import decode_base64

_EMPTY_KINDS = ("null", "map", "list")
_SECTIONS = ("data", "stringData")

# Somebody's key in clear is published already, and still not ours to repeat.
_PRIVATE_KEY = re.compile(r"AGE-SECRET-KEY-|AGE-PLUGIN-|PRIVATE KEY-----")

_REPLACES = "replaces a value its author could not read"

Value = RevealedValue | RedactedValue | PublicValue


class Entry(NamedTuple):
    """One leaf of one side, with all that the comparison asks of it."""

    path: Path
    leaf: Leaf
    sealed: str
    """``ENC[…]``, or empty."""
    closed: bool
    secret: bool
    exposed: bool
    decodes: bool
    origin: Origin | None = None

    def content(self) -> tuple[str, bytes]:
        """Return type and bytes, as the workload gets them."""
        decoded = decode_base64(self.leaf.content) if self.decodes else None
        if decoded is not None:
            return "str", decoded
        return self.leaf.kind, self.leaf.content.encode("utf-8", "surrogateescape")

    def is_base64(self) -> bool:
        """Tell whether the content can be decoded."""
        return decode_base64(self.leaf.content) is not None

    def value(self, *, secret: bool) -> Value:
        """Return what a change holds of it."""
        if self.closed:
            return _opaque(self.sealed)
        kind, content = self.content()
        if secret:
            return RevealedValue(kind, Secret(content))
        return PublicValue(kind, content.decode("utf-8", "surrogateescape"))


class Counts:
    """What is counted instead of listed."""

    __slots__ = ("resealed", "unchanged", "unknown")

    def __init__(self) -> None:
        self.unchanged = 0
        self.resealed = 0
        self.unknown = 0


class Judge:
    """What one file's metadata say about changes: whether the MAC vouches, whether a data key stayed."""

    __slots__ = ("_clear", "_mac", "_same_key", "_sealed")

    def __init__(self, new: Side, *, same_key: bool) -> None:
        metadata = new.metadata
        self._mac = new.mac
        self._sealed = metadata is not None
        self._clear = metadata is not None and not metadata.mac_only_encrypted
        self._same_key = same_key

    def vouches(self, old: Entry | None, new: Entry | None, *, same_content: bool) -> bool | None:
        """Tell whether only somebody with the data key can have made this change."""
        if not self._sealed or any(entry is not None and entry.origin is not None for entry in (old, new)):
            return False
        there = [entry for entry in (old, new) if entry is not None]
        if not self._clear and not any(entry.sealed for entry in there):
            return False  # whatever the MAC says, it is not about this
        if self._mac == "unchecked":
            return None
        if self._mac != "ok":
            return False
        if same_content:
            # A type or the name of a clear key is not under the MAC; a sealed value is bound to its own key.
            # Where the MAC is of sealed values alone, one more of them is another MAC.
            sealed_now = old is not None and not old.sealed and not self._clear
            return old is not None and new is not None and bool(new.sealed) and (old.path != new.path or sealed_now)
        if any(entry.leaf.kind == "comment" for entry in there):
            return False
        if not any(entry.leaf.content and entry.leaf.kind not in _EMPTY_KINDS for entry in there):
            return False
        return self._clear or any(entry.sealed for entry in there)

    def certainty(self, old: str, new: str) -> Certainty:
        """Tell what two different sealed texts say without a key."""
        shapes = [(value.kind, len(value.ciphertext)) for text in (old, new) if (value := parse(text)) is not None]
        if len(shapes) != 2 or shapes[0] != shapes[1]:
            return "certain"
        return "probable" if self._same_key else "unknown"


def compare_leaves(
    old: Side | None, old_part: Part | None, new: Side | None, new_part: Part | None, judge: Judge, counts: Counts
) -> list[Change[RevealedValue]]:
    """Compare an object with its old version; one of the two may be missing."""
    before = entries(old, old_part)
    after = entries(new, new_part)
    pairs = align([(entry.path, entry.leaf) for entry in before], [(entry.path, entry.leaf) for entry in after])
    found: list[tuple[Entry | None, Entry | None, Change[RevealedValue] | None]] = []
    for left, right in pairs:
        one = before[left] if left is not None else None
        other = after[right] if right is not None else None
        if one is not None and other is not None:
            change = _compare(one, other, judge, counts)
            if change is not None:
                found.append((one, other, change))
        else:
            found.append((one, other, None))
    return _changes(found, {entry.path for entry in after}, judge)


def entries(side: Side | None, part: Part | None) -> list[Entry]:
    """Return the leaves of an object with all that is known of each."""
    if side is None or part is None:
        return []
    leaves, sealed, closed, exposed = side.leaves, side.sealed, side.closed, side.exposed
    return [
        Entry(
            path,
            leaves[index],
            sealed[index],
            index in closed,
            bool(sealed[index]) or index in exposed or part.is_secret(path),
            index in exposed,
            part.decodes(path),
            side.origins.get(index),
        )
        for index, path in zip(part.leaves, part.paths, strict=True)
    ]


def _compare(one: Entry, other: Entry, judge: Judge, counts: Counts) -> Change[RevealedValue] | None:
    listed = other.leaf.kind != "comment"
    if one.sealed and one.sealed == other.sealed:
        counts.unchanged += listed
        return None
    certainty: Certainty = "known"
    same = False
    if one.closed or other.closed:
        if one.sealed and other.sealed:
            certainty = judge.certainty(one.sealed, other.sealed)
            if (one.origin or other.origin) and certainty == "probable":
                certainty = "unknown"  # each has a data key of its own
            if other.origin is not None:
                return _change("changed", one, other, judge, certainty=certainty)
            if certainty == "unknown":
                counts.unknown += 1
                return None
        elif one.leaf.content and other.leaf.content:
            certainty = "unknown"
    else:
        same = one.content() == other.content()
        if same and bool(one.sealed) == bool(other.sealed):
            counts.resealed += bool(one.sealed) and listed
            counts.unchanged += one.secret and not one.sealed and bool(one.leaf.content)
            return None
    note = _remark(other)
    if one.sealed and not other.sealed and other.leaf.content:
        note = "was encrypted, now stands in clear"
    elif other.sealed and not one.sealed and one.leaf.content:
        note = "stood in clear, now encrypted"
    return _change("changed", one, other, judge, same=same, certainty=certainty, note=note)


def _changes(
    found: Sequence[tuple[Entry | None, Entry | None, Change[RevealedValue] | None]],
    standing: set[Path],
    judge: Judge,
) -> list[Change[RevealedValue]]:
    """Settle the leaves without partner, and what the MAC does not notice."""
    moves = _moves(found)
    sources = set(moves.values())
    changes: list[Change[RevealedValue]] = []
    old_clear: list[tuple[int, str]] = []
    new_clear: list[tuple[int, str]] = []
    places: list[int] = []
    for index, (paired, other, settled) in enumerate(found):
        if index in sources:
            continue
        one = found[moves[index]][0] if index in moves else paired
        change = settled or _unpaired(one, other, judge, standing)
        if change.authenticated and not any(change.sealed):
            places.append(len(changes))
            if one is not None:
                old_clear.append((one.leaf.start, one.leaf.content))
            if other is not None:
                new_clear.append((other.leaf.start, other.leaf.content))
        changes.append(change)
    if places and _joined(old_clear) == _joined(new_clear):
        # The same characters in the same order, cut at other places or under other names: the MAC does not notice.
        for place in places:
            changes[place] = changes[place]._replace(authenticated=False)
    return changes


def _joined(clear: list[tuple[int, str]]) -> str:
    return "".join(text for _, text in sorted(clear))


def _moves(
    found: Sequence[tuple[Entry | None, Entry | None, Change[RevealedValue] | None]],
) -> dict[int, int]:
    """Return which added leaf is which removed one: the same key in the other section of a Secret, or the same value."""
    removed = [(index, one) for index, (one, other, _) in enumerate(found) if one is not None and other is None]
    added = [(index, other) for index, (one, other, _) in enumerate(found) if other is not None and one is None]
    moves: dict[int, int] = {}
    if not removed or not added:
        return moves
    for mark in (_key, _value):
        taken = set(moves.values())
        offered: dict[object, list[int]] = {}
        for index, entry in removed:
            if index not in taken:
                offered.setdefault(mark(entry), []).append(index)
        asking: dict[object, list[int]] = {}
        for index, entry in added:
            if index not in moves:
                asking.setdefault(mark(entry), []).append(index)
        for sought, indices in asking.items():
            if sought is not None and len(indices) == 1 == len(offered.get(sought, ())):
                moves[indices[0]] = offered[sought][0]
    return moves


def _key(entry: Entry) -> object:
    return entry.path[1] if entry.secret and len(entry.path) == 2 and entry.path[0] in _SECTIONS else None


def _value(entry: Entry) -> object:
    if not entry.leaf.content or entry.leaf.kind == "comment":
        return None
    holder = entry.path[:-1]
    if holder in (("data",), ("stringData",)):
        holder = ()
    return holder, entry.sealed if entry.closed else entry.content()


def _unpaired(one: Entry | None, other: Entry | None, judge: Judge, standing: set[Path]) -> Change[RevealedValue]:
    if other is None:
        return _change("removed", one, other, judge)
    note = _remark(other)
    if one is None:
        section = other.path[0] if other.secret and len(other.path) == 2 else ""
        if section == "stringData" and ("data", other.path[1]) in standing:
            note = "overrides the same key of data"
        elif section == "data" and ("stringData", other.path[1]) in standing:
            note = "without effect beside the same key of stringData"
        return _change("added", one, other, judge, note=note)
    if _value(one) != _value(other):
        certainty: Certainty = "certain" if one.closed or other.closed else "known"
        return _change("changed", one, other, judge, certainty=certainty, note=note)
    operation: Operation = "moved" if one.path[-1] == other.path[-1] else "renamed"
    return _change(operation, one, other, judge, same=True, note=note)


def _change(
    operation: Operation,
    one: Entry | None,
    other: Entry | None,
    judge: Judge,
    *,
    same: bool = False,
    certainty: Certainty = "known",
    note: str = "",
) -> Change[RevealedValue]:
    there = [entry for entry in (other, one) if entry is not None]
    secret = any(entry.secret or _PRIVATE_KEY.search(entry.leaf.content) for entry in there)
    origin = next((entry.origin for entry in there if entry.origin is not None), None)
    if other is not None and other.origin is not None and (other.origin.replaces or _overwrites(one, other)):
        note = "; ".join(filter(None, (_REPLACES, note)))
    was = one.path if one is not None and other is not None and one.path != other.path else None
    return Change(
        operation,
        there[0].path,
        was,
        one.value(secret=secret) if one is not None else None,
        other.value(secret=secret) if other is not None else None,
        (bool(one and one.sealed), bool(other and other.sealed)),
        judge.vouches(one, other, same_content=same),
        certainty,
        note,
        origin.path if origin is not None else b"",
    )


def _overwrites(one: Entry | None, other: Entry) -> bool:
    """Tell whether a part's value takes the place of one that a part brought."""
    return one is not None and one.origin is not None and one.path[-1:] == other.path[-1:]


def _remark(entry: Entry) -> str:
    if entry.exposed:
        return "stands in clear, against the file's rule"
    if entry.decodes and not entry.closed and not entry.is_base64():
        return "is not base64"
    return ""


def _opaque(sealed: str) -> RedactedValue:
    value = parse(sealed)
    if value is None:
        return RedactedValue("str", None)
    return RedactedValue(value.kind, None if value.kind == "bool" else len(value.ciphertext))
