"""Leaves as plain Python data: dicts, lists, strings, numbers, booleans, datetimes, None."""

from collections.abc import Sequence
from typing import Any

from sealpy import values
from sealpy.document import Leaf

_MERGE = "<<"


def documents(leaves: Sequence[Leaf], count: int) -> list[dict[str, Any]]:
    """Build one dict for each document of a stream. Comments are left out, YAML's merge keys are applied."""
    roots: list[dict[str, Any]] = [{} for _ in range(count)]
    merges = False
    for leaf in leaves:
        if leaf.kind == "comment":
            continue
        here: Any = roots[leaf.document]
        path = leaf.path
        for part, following in zip(path, path[1:], strict=False):
            here = _step(here, part, [] if isinstance(following, int) else {})
        merges = merges or _MERGE in path
        _put(here, path[-1], values.python_value(leaf.kind, leaf.content))
    return [_merged(root) for root in roots] if merges else roots


def _step(here: Any, part: str | int, empty: Any) -> Any:
    if isinstance(part, int):
        while len(here) <= part:
            here.append(empty)
        return here[part]
    there = here.get(part)
    # Where a key stands twice (sops allows it in JSON and in later YAML documents), the last one wins.
    if not isinstance(there, type(empty)):
        there = here[part] = empty
    return there


def _put(here: Any, part: str | int, value: object) -> None:
    if isinstance(part, int):
        here.append(value)
    else:
        here[part] = value


def _merged(value: Any) -> Any:
    if isinstance(value, list):
        return [_merged(item) for item in value]
    if not isinstance(value, dict):
        return value
    own = {name: _merged(item) for name, item in value.items() if name != _MERGE}
    bases = _merged(value.get(_MERGE, []))
    result: dict[str, Any] = {}
    # The first of several bases wins over the later ones, and own keys over all.
    for base in reversed(bases if isinstance(bases, list) else [bases]):
        if not isinstance(base, dict):
            return value
        result.update(base)
    return result | own
