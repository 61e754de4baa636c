"""Nested maps and lists whose scalars are leaves or plain values: what an alias stands for, and a change in it."""

from typing import Any

from sealpy.document import Leaf, Path
from sealpy.errors import PathNotFound


def of_leaves(entries: list[tuple[Path, Leaf]]) -> object:
    """Build a tree from leaves and their paths."""
    if len(entries) == 1 and not entries[0][0]:
        return entries[0][1]
    children: dict[str | int, list[tuple[Path, Leaf]]] = {}
    for path, leaf in entries:
        children.setdefault(path[0], []).append((path[1:], leaf))
    if isinstance(entries[0][0][0], int):
        return [of_leaves(group) for group in children.values()]
    return {name: of_leaves(group) for name, group in children.items()}


def with_value(data: Any, path: Path, value: object) -> Any:
    """Return nested data with plain data at a path; what stands in the way is replaced, and a list gets an item more.

    Raises:
        PathNotFound
    """
    if not path:
        return value
    part, rest = path[0], path[1:]
    if isinstance(data, dict) and isinstance(part, str):
        return {**data, part: with_value(data.get(part), rest, value)}
    if isinstance(data, list) and isinstance(part, int) and part >= 0:
        return [*data[:part], with_value(data[part] if part < len(data) else None, rest, value), *data[part + 1 :]]
    if isinstance(data, dict | list):
        raise absent(path)
    return wrapped(path, value)


def without(data: Any, path: Path, whole: Path) -> Any:
    """Return nested data without what is at a path.

    Raises:
        PathNotFound: it names the ``whole`` path.
    """
    part, rest = path[0], path[1:]
    if isinstance(data, dict) and part in data:
        if rest:
            return {**data, part: without(data[str(part)], rest, whole)}
        return {name: item for name, item in data.items() if name != part}
    if isinstance(data, list) and isinstance(part, int) and 0 <= part < len(data):
        middle = [without(data[part], rest, whole)] if rest else []
        return [*data[:part], *middle, *data[part + 1 :]]
    raise absent(whole)


def wrapped(parts: Path, value: object) -> object:
    """Put a value into the maps and lists that a path wants."""
    for part in reversed(parts):
        value = {part: value} if isinstance(part, str) else [value]
    return value


def absent(path: Path) -> PathNotFound:
    """Say that nothing is there."""
    return PathNotFound(f"there is no {spelt(path)} in the document")


def spelt(path: Path) -> str:
    """Write a path as on sops' command line: ``["key"][0]``."""
    return "".join(f'["{part}"]' if isinstance(part, str) else f"[{part}]" for part in path)
