"""Which leaf of the new version is which leaf of the old.

By path, with three kinds of care: items of a list keep their partner when others come or go before them, comments
(which have no key) are matched by their text, and a key that a format allows twice is counted.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence

from sealpy.document import Leaf, Path

# What names an item of a list, in the order in which it is tried.
_NAMES = ("name", "key", "id", "host")

# Beyond this many pairs of items the long comparison of two lists is not worth its time; they pair by position.
_MOST_PAIRS = 40_000

Pair = tuple[int | None, int | None]
Placed = Sequence[tuple[Path, Leaf]]
"""Leaves with their paths below what is compared."""
Item = tuple[tuple[Path, str, str], ...]


def align(old: Placed, new: Placed) -> list[Pair]:
    """Return pairs of positions in ``old`` and ``new``, None for a leaf without partner.

    Paths are relative to what is compared. The order is that of the new version; what was removed stands after
    what stood before it.
    """
    old_paths = [path for path, _ in old]
    new_paths = [path for path, _ in new]
    if any(type(part) is int for path in old_paths for part in path):
        _pair_items(old, new, old_paths, new_paths)
    places = {key: index for index, key in enumerate(_keys(old, old_paths)) if key is not None}
    partners: dict[int, int] = {}
    for index, key in enumerate(_keys(new, new_paths)):
        if key is not None and key in places:
            partners[places[key]] = index
    partners.update(_pair_comments(old, new, old_paths, new_paths))
    return _in_order(partners, len(old), len(new))


def _keys(leaves: Placed, paths: Sequence[Path]) -> Iterator[tuple[Path, int] | None]:
    """Return for each leaf its path and how often that occurred before; None for a comment."""
    counts: dict[Path, int] = {}
    for path, (_, leaf) in zip(paths, leaves, strict=True):
        if leaf.kind == "comment":
            yield None
            continue
        count = counts.get(path, 0)
        counts[path] = count + 1
        yield path, count


def _in_order(partners: Mapping[int, int], old_count: int, new_count: int) -> list[Pair]:
    placed: list[tuple[tuple[int, int], Pair]] = []
    taken = set(partners.values())
    before = -1
    for index in range(old_count):
        partner = partners.get(index)
        if partner is None:
            placed.append(((before, index + 1), (index, None)))
        else:
            before = partner
            placed.append(((partner, 0), (index, partner)))
    placed.extend(((index, 0), (None, index)) for index in range(new_count) if index not in taken)
    placed.sort(key=lambda entry: entry[0])
    return [pair for _, pair in placed]


def _pair_comments(old: Placed, new: Placed, old_paths: Sequence[Path], new_paths: Sequence[Path]) -> dict[int, int]:
    """Pair comments of one container: equal texts first, the rest in order."""
    same: dict[tuple[Path, str], deque[int]] = {}
    for index, (_, leaf) in enumerate(new):
        if leaf.kind == "comment":
            same.setdefault((new_paths[index], leaf.content), deque()).append(index)
    partners: dict[int, int] = {}
    waiting: dict[Path, deque[int]] = {}
    for index, (_, leaf) in enumerate(old):
        if leaf.kind == "comment":
            candidates = same.get((old_paths[index], leaf.content))
            if candidates:
                partners[index] = candidates.popleft()
            else:
                waiting.setdefault(old_paths[index], deque()).append(index)
    for index in sorted(index for candidates in same.values() for index in candidates):
        others = waiting.get(new_paths[index])
        if others:
            partners[others.popleft()] = index
    return partners


def _pair_items(old: Placed, new: Placed, old_paths: list[Path], new_paths: list[Path]) -> None:
    """Give items of lists that belong together the same index, the new one; items that are gone a negative one."""
    depth = 0
    while True:
        old_lists = _lists_at(depth, old, old_paths)
        new_lists = _lists_at(depth, new, new_paths)
        partners = {
            prefix: _partners(items, new_lists[prefix])
            for prefix, items in old_lists.items()
            if prefix in new_lists and items != new_lists[prefix]
        }
        if partners:
            for index, path in enumerate(old_paths):
                if len(path) > depth and type(path[depth]) is int and path[:depth] in partners:
                    item = int(path[depth])
                    item = partners[path[:depth]].get(item, -1 - item)
                    old_paths[index] = (*path[:depth], item, *path[depth + 1 :])
        depth += 1
        if not any(len(path) > depth for path in old_paths):
            return


def _lists_at(depth: int, leaves: Placed, paths: Sequence[Path]) -> dict[Path, dict[int, Item]]:
    found: dict[Path, dict[int, list[tuple[Path, str, str]]]] = {}
    for path, (_, leaf) in zip(paths, leaves, strict=True):
        if len(path) > depth and type(path[depth]) is int:
            items = found.setdefault(path[:depth], {})
            items.setdefault(int(path[depth]), []).append((path[depth + 1 :], leaf.kind, leaf.content))
    return {prefix: {index: tuple(item) for index, item in items.items()} for prefix, items in found.items()}


def _partners(old: Mapping[int, Item], new: Mapping[int, Item]) -> dict[int, int]:
    for name in _NAMES:
        named_old, named_new = _named(old, name), _named(new, name)
        if named_old is not None and named_new is not None:
            return {index: named_new[label] for label, index in named_old.items() if label in named_new}
    old_order, new_order = sorted(old), sorted(new)
    partners: dict[int, int] = {}
    while old_order and new_order and old[old_order[-1]] == new[new_order[-1]]:
        partners[old_order.pop()] = new_order.pop()
    same = 0
    while same < min(len(old_order), len(new_order)) and old[old_order[same]] == new[new_order[same]]:
        partners[old_order[same]] = new_order[same]
        same += 1
    old_order, new_order = old_order[same:], new_order[same:]
    if len(old_order) * len(new_order) > _MOST_PAIRS:
        return partners | dict(zip(old_order, new_order, strict=False))
    from difflib import SequenceMatcher  # only for lists that differ

    matcher = SequenceMatcher(None, [old[index] for index in old_order], [new[index] for index in new_order], False)
    for _, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        # Equal stretches pair, and so do replaced ones as far as they go; the rest came or went.
        partners.update(zip(old_order[old_start:old_end], new_order[new_start:new_end], strict=False))
    return partners


def _named(items: Mapping[int, Item], name: str) -> dict[str, int] | None:
    """Return the items by the content of one field; None unless each has it, and each its own."""
    labels: dict[str, int] = {}
    for index, item in items.items():
        label = next((content for path, kind, content in item if path == (name,) and kind == "str"), None)
        if label is None or label in labels:
            return None
        labels[label] = index
    return labels
