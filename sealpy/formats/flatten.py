"""What dotenv and INI share, because both know nothing but names and strings.

Metadata are flattened: ``age__list_0__map_recipient`` is ``["age"][0]["recipient"]``. Typed values, which only a
file converted from another format has, are written as sops writes them there.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from sealpy import values
from sealpy.document import Path
from sealpy.errors import InvalidMetadata, ParseError

_MAP = "__map_"
_LIST = "__list_"
_SEPARATOR = re.compile(r"(__map_|__list_)")
_INDEX = re.compile(r"[0-9]{1,9}")
_FRACTION = re.compile(r"\.[0-9]+")
_MAX_DEPTH = 100
"""Metadata have a depth of six at most."""


def scalars(value: object, path: Path = ()) -> Iterator[tuple[Path, object]]:
    """Walk plain data in the order in which sops writes metadata: keys sorted. Empty maps and lists count as scalars."""
    if isinstance(value, Mapping) and value:
        for key in sorted(value):
            yield from scalars(value[key], (*path, key))
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from scalars(item, (*path, index))
    else:
        yield path, value


def nest(leaves: Iterable[tuple[Path, object]]) -> dict[str, object]:
    """Put scalars with paths together to plain data again.

    Raises:
        InvalidMetadata: a value twice, a map that is also a list or a scalar, a list with gaps, or a deep nest.
    """
    root: dict[str | int, object] = {}
    for path, value in leaves:
        if len(path) > _MAX_DEPTH:
            raise InvalidMetadata("the sops metadata are nested too deeply")
        node = root
        for part in path[:-1]:
            below = node.setdefault(part, _Node())
            if not isinstance(below, _Node):
                raise InvalidMetadata("the sops metadata have a value where a map or list is")
            node = below
        if path[-1] in node:
            raise InvalidMetadata("the sops metadata have one name twice")
        node[path[-1]] = value
    plain = _plain(root)
    if not isinstance(plain, dict):
        raise InvalidMetadata("the sops metadata are a list")
    return plain


def flat_name(path: Path) -> str:
    """Return the one name of a path."""
    return str(path[0]) + "".join(f"{_LIST}{part}" if isinstance(part, int) else f"{_MAP}{part}" for part in path[1:])


def path_of(name: str) -> Path:
    """Return the path of a flat name; an index that is no number counts as 0, as in sops."""
    first, *rest = _SEPARATOR.split(name)
    path: list[str | int] = [first]
    for separator, part in zip(rest[::2], rest[1::2], strict=True):
        if separator == _MAP:
            path.append(part)
        else:
            path.append(int(part) if _INDEX.fullmatch(part) else 0)
    return tuple(path)


def flatten(metadata: Mapping[str, object]) -> list[tuple[str, str]]:
    """Return metadata as sorted flat names and texts; empty maps and lists vanish."""
    flat = [
        (flat_name(path), value_text(value))
        for path, value in scalars(metadata)
        if path and not isinstance(value, (Mapping, list))
    ]
    return sorted(flat)


def value_text(value: object) -> str:
    """Return plain data as text.

    Raises:
        ParseError: a map or list.
    """
    if isinstance(value, (Mapping, list)):
        raise ParseError("the format has no place for a map or list here")
    return leaf_text(*values.from_python(value))


def leaf_text(kind: str, content: str) -> str:
    """Return the text of a leaf of any kind: floats with an exponent from 1E+06 on, ``true``, times in seconds.

    Raises:
        ParseError: a map or list.
    """
    match kind:
        case "float":
            number = float(content)
            if number - number != 0:
                return content
            text = values.float_general(number).upper()
            return text if "." in text or "E" in text else f"{text}.0"
        case "bool":
            return content.lower()
        case "time":
            return _FRACTION.sub("", content)
        case "null":
            return "<nil>"
        case "map" | "list":
            raise ParseError("the format has no place for a map or list here")
        case _:
            return content


class _Node(dict[str | int, object]):
    """A map or list that is still being put together, told apart from an empty map that is a value."""


def _plain(node: object) -> object:
    if not isinstance(node, dict) or not node:
        return node
    numbers = [part for part in node if isinstance(part, int)]
    if not numbers:
        return {key: _plain(node[key]) for key in node}
    if len(numbers) != len(node) or max(numbers) != len(node) - 1:
        raise InvalidMetadata("the sops metadata have a list with gaps, or one that is also a map")
    return [_plain(node[index]) for index in range(len(node))]
