"""Leaves as plain Python data: dicts, lists, strings, numbers, booleans, datetimes, None."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from sealpy import values
from sealpy.document import Leaf
from sealpy.errors import DocumentError

_MERGE = "<<"


def documents(leaves: Sequence[Leaf], count: int) -> list[dict[str, Any]]:
    """Build one dict for each document of a stream. Comments are left out, YAML's merge keys are applied.

    Raises:
        DocumentError: merge keys far too deep.
    """
    roots: list[dict[str, Any]] = [{} for _ in range(count)]
    merges = False
    for leaf in leaves:
        if leaf.kind == "comment":
            continue
        here: Any = roots[leaf.document]
        path = leaf.path
        for part, following in pairwise(path):
            here = _step(here, part, [] if isinstance(following, int) else {})
        merges = merges or _MERGE in path
        _put(here, path[-1], values.python_value(leaf.kind, leaf.content))
    if not merges:
        return roots
    try:
        return [_merged(root) for root in roots]
    except RecursionError:
        pass
    raise DocumentError("merge keys are nested too deeply")


def _step(here: Any, part: str | int, empty: Any) -> Any:
    if isinstance(part, int):
        # The last item may still be filled; an earlier one means that the list stands there a second time.
        del here[part + 1 :]
        if len(here) > part and isinstance(here[part], type(empty)):
            return here[part]
        # Of a part of a document the items before may not be there; nobody will look at them.
        here[part:] = [empty] * (part - min(len(here), part) + 1)
        return empty
    there = here.get(part)
    # Where a key stands twice (sops allows it in JSON and in later YAML documents), the last one wins.
    if not isinstance(there, type(empty)):
        there = here[part] = empty
    return there


def _put(here: Any, part: str | int, value: object) -> None:
    if isinstance(part, int):
        here[part:] = [value]
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
