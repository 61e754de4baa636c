"""JSON: the user's text with values replaced, and the ``sops`` object as its last member.

sops prints a file anew, in tabs; here the file's own indentation is followed. A sealed value is always a string.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sealpy import values
from sealpy.document import LISTED, Document, Edit, Kind, Leaf, Path
from sealpy.errors import AlreadyEncrypted, ParseError, PathNotFound
from sealpy.formats import nested
from sealpy.formats.flatten import scalars
from sealpy.formats.json_scan import RESERVED, SPACE, STRING, Entry, Root, entries, fail, root_opening, scan

_BOM = "\ufeff"
_TO_ESCAPE = re.compile('["\\\\\x00-\x1f]')
_SURROGATES = re.compile("[\ud800-\udfff]")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_FIRST_MEMBER = re.compile(rf"\{{({SPACE}){STRING}{SPACE}:({SPACE})")


class _Layout(NamedTuple):
    """How a file is laid out, so that what is added looks like the rest."""

    newline: str
    """Empty for a file in one line."""
    unit: str
    """One step of indentation."""
    colon: str
    comma: str
    """A comma between two things in one line."""


class Json:
    """The JSON format."""

    name = "json"

    def decode(self, data: bytes) -> str:
        """Turn bytes into text; what is not UTF-8 counts as U+FFFD in a string, and is kept where it is not touched."""
        return data.decode("utf-8", "surrogateescape")

    def encode(self, text: str) -> bytes:
        """Turn text back into bytes."""
        return text.encode("utf-8", "surrogateescape")

    def scan(self, text: str) -> Document:
        """Find the values, and the ``sops`` member of the root.

        Raises:
            ParseError
        """
        if text.startswith(_BOM):
            fail(text, 0, "a JSON file has no byte order mark")
        return scan(text, self.name)

    def check_sealable(self, document: Document) -> None:
        """Do nothing: what can be read can be sealed; -0.0 in clear is refused where the selection is known."""

    def unfold(self, document: Document, wanted: Sequence[bool]) -> Sequence[Edit]:
        """Return nothing: there are no aliases."""
        return ()

    def spell(self, document: Document, leaf: Leaf, kind: Kind, content: str) -> str:
        """Write a value."""
        # sops drops the comments that a list has from YAML.
        return "" if kind == "comment" and leaf.style == LISTED else _scalar(kind, content)

    def spell_sealed(self, document: Document, leaf: Leaf, sealed: str) -> str:
        """Write a sealed value."""
        if leaf.style != LISTED:
            return f'"{sealed}"'
        # The span has a comma, too.
        before, _, rest = document.text[leaf.start : leaf.end].partition('"')
        after = rest.rpartition('"')[2]
        return f'{before}"{sealed}"{after}'

    def attach(self, document: Document, metadata: Mapping[str, object]) -> Sequence[Edit]:
        """Add the ``sops`` member, and take away what follows the object."""
        text = document.text
        opening = root_opening(text)
        layout = _layout(text, opening)
        last, close = _root(document)
        block = _member(RESERVED, metadata, layout, layout.unit)
        if last == opening + 1:
            inside = text[opening + 1 : close]
            if inside:
                edit = Edit(last, last, f"{inside}{block}")
            else:
                edit = Edit(last, last, f"{layout.newline}{layout.unit}{block}{layout.newline}")
        elif layout.newline:
            edit = Edit(last, last, f",{layout.newline}{layout.unit}{block}")
        else:
            edit = Edit(last, last, f"{layout.comma}{block}")
        end = len(text.rstrip(" \t\r\n"))
        return [edit, Edit(close + 1, end, "")] if end > close + 1 else [edit]

    def detach(self, document: Document) -> Sequence[Edit]:
        """Cut the ``sops`` member out."""
        return [Edit(block.start, block.end, "") for block in document.blocks]

    def update(self, document: Document, metadata: Mapping[str, object]) -> Sequence[Edit]:
        """Change the values that differ; metadata of another shape are written anew, in the same place."""
        block = document.blocks[0]
        standing = {leaf.path: leaf for leaf in block.leaves}
        wanted = {path: values.from_python(value) for path, value in scalars(metadata)}
        if wanted.keys() == standing.keys():
            return [
                Edit(standing[path].start, standing[path].end, _scalar(*scalar))
                for path, scalar in wanted.items()
                if scalar != (standing[path].kind, standing[path].content)
            ]
        return self._replace_member(document.text, (RESERVED,), dict(metadata))

    def insert(self, document: Document, path: Path, value: object) -> Sequence[Edit]:
        """Set what is at a path.

        Raises:
            PathNotFound: a negative index, a key of a list, or an index of a map.
            AlreadyEncrypted: the member that is reserved for the metadata.
        """
        _refuse_reserved(path)
        return self._replace_member(document.text, path, value)

    def _replace_member(self, text: str, path: Path, value: object) -> Sequence[Edit]:
        opening = root_opening(text)
        layout = _layout(text, opening)
        for depth, part in enumerate(path):
            found, close = entries(text, opening)
            entry = _pick(found, part, in_object=text[opening] == "{")
            if entry is None:
                return [_added(text, opening, close, found, part, nested.wrapped(path[depth + 1 :], value), layout)]
            if depth == len(path) - 1 or text[entry.value] not in "[{":
                new = _written(nested.wrapped(path[depth + 1 :], value), *_surroundings(text, entry.start, layout))
                return [Edit(entry.value, entry.end, new)]
            opening = entry.value
        raise AssertionError("a path is not empty")

    def remove(self, document: Document, path: Path) -> Sequence[Edit]:
        """Take out what is at a path; of several members of one name the first, as sops does.

        Raises:
            PathNotFound
        """
        _refuse_reserved(path)
        text = document.text
        opening = root_opening(text)
        for depth, part in enumerate(path):
            found, close = entries(text, opening)
            entry = _pick(found, part, in_object=text[opening] == "{")
            if entry is None:
                break
            if depth == len(path) - 1:
                at = found.index(entry)
                if at + 1 < len(found):
                    return [Edit(entry.start, found[at + 1].start, "")]
                if at > 0:
                    return [Edit(found[at - 1].end, entry.end, "")]
                return [Edit(opening + 1, close, "")]
            if text[entry.value] not in "[{":
                break
            opening = entry.value
        raise PathNotFound("there is nothing at this path")


FORMAT = Json()


def _refuse_reserved(path: Path) -> None:
    if not path:
        raise PathNotFound("the path is empty")
    if path[0] == RESERVED:
        raise AlreadyEncrypted(f"{RESERVED} is reserved for the metadata")


def _root(document: Document) -> Root:
    return next(part for part in document.layout if isinstance(part, Root))


def _layout(text: str, opening: int) -> _Layout:
    member = _FIRST_MEMBER.match(text, opening)
    if member is None:
        # Empty: as sops writes.
        return _Layout(_newline(text) or "\n", "\t", ": ", ", ")
    before, _, after = member.groups()
    colon = ": " if after else ":"
    comma = ", " if after else ","
    if "\n" not in before:
        return _Layout("", "", colon, comma)
    return _Layout(_newline(before), before[before.rindex("\n") + 1 :], colon, comma)


def _newline(text: str) -> str:
    at = text.find("\n")
    return "" if at < 0 else "\r\n" if text[at - 1 : at] == "\r" else "\n"


def _surroundings(text: str, start: int, layout: _Layout) -> tuple[_Layout, str]:
    """Return the layout for what stands at a place, and the indentation there.

    What is not at the beginning of a line is in a container of one line, and stays in it.
    """
    line = text.rfind("\n", 0, start) + 1
    margin = text[line:start]
    if margin.strip(" \t\r"):
        return layout._replace(newline=""), ""
    return layout, margin


def _pick(found: Sequence[Entry], part: str | int, *, in_object: bool) -> Entry | None:
    """Return the entry with a key or index, None where it can be added: any index beyond the end adds one item."""
    if in_object:
        if isinstance(part, int):
            raise PathNotFound("a map has keys, not indices")
        return next((entry for entry in found if entry.key == part), None)
    if isinstance(part, str):
        raise PathNotFound("a list has indices, not keys")
    if part < 0:
        raise PathNotFound("an index is negative")
    return found[part] if part < len(found) else None


def _added(
    text: str, opening: int, close: int, found: list[Entry], part: str | int, value: object, layout: _Layout
) -> Edit:
    """Return the edit that adds an entry to an object or array, after those that are there but before ``sops``."""
    if not found:
        line = text[text.rfind("\n", 0, opening) + 1 : opening]
        margin = line[: len(line) - len(line.lstrip(" \t"))]
        new = _entry(part, value, layout, margin + layout.unit)
        if layout.newline:
            new = f"{layout.newline}{margin}{layout.unit}{new}{layout.newline}{margin}"
        return Edit(opening + 1, close, new)
    last = next((entry for entry in reversed(found) if entry.key != RESERVED or opening != root_opening(text)), None)
    here, margin = _surroundings(text, (last or found[0]).start, layout)
    new = _entry(part, value, here, margin)
    separator = f",{here.newline}{margin}" if here.newline else here.comma
    if last is None:
        return Edit(found[0].start, found[0].start, f"{new}{separator}")
    return Edit(last.end, last.end, f"{separator}{new}")


def _entry(part: str | int, value: object, layout: _Layout, margin: str) -> str:
    return _member(part, value, layout, margin) if isinstance(part, str) else _written(value, layout, margin)


def _member(key: str, value: object, layout: _Layout, margin: str) -> str:
    return f"{_quoted(key)}{layout.colon}{_written(value, layout, margin)}"


def _written(value: object, layout: _Layout, margin: str) -> str:
    """Write plain data; ``margin`` is the indentation of the line on which it begins."""
    try:
        return _write(value, layout, margin)
    except RecursionError:
        pass
    raise ParseError("nested too deeply")


def _write(value: object, layout: _Layout, margin: str) -> str:
    inner = margin + layout.unit
    if isinstance(value, Mapping) and value:
        opening, closing = "{}"
        parts = [f"{_quoted(key)}{layout.colon}{_write(item, layout, inner)}" for key, item in value.items()]
    elif isinstance(value, list) and value:
        opening, closing = "[]"
        parts = [_write(item, layout, inner) for item in value]
    else:
        return _scalar(*values.from_python(value))
    if not layout.newline:
        return f"{opening}{layout.comma.join(parts)}{closing}"
    separator = f",{layout.newline}{inner}"
    return f"{opening}{layout.newline}{inner}{separator.join(parts)}{layout.newline}{margin}{closing}"


def _scalar(kind: Kind, content: str) -> str:
    match kind:
        case "int":
            return content
        case "float":
            # A whole number stays a float only with a point, or beyond the integers.
            text = values.float_json(float(content))
            return text if values.parse_int(text) is None else f"{text}.0"
        case "bool":
            return content.lower()
        case "null":
            return "null"
        case "map":
            return "{}"
        case "list":
            return "[]"
        case _:
            return _quoted(content)


def _quoted(content: str) -> str:
    if not content.isascii():
        content = _SURROGATES.sub("\ufffd", content)
    return f'"{_TO_ESCAPE.sub(_escaped, content)}"'


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    return _ESCAPES.get(character) or f"\\u{ord(character):04x}"
