"""Read JSON into leaves with spans, as Go's ``encoding/json`` and sops understand it.

A scanner of our own, since ``json`` tells no positions: one regular expression match a member, without recursion.
Stricter than sops in one thing: sops takes an object that ends after a key or inside a list for a whole one and
drops what it has not finished; here a truncated file is an error.
"""

import re
from typing import NamedTuple, NoReturn

from sealpy import values
from sealpy.document import LISTED, Block, Document, Kind, Leaf, Path, line_and_column
from sealpy.errors import InvalidMetadata, ParseError
from sealpy.formats.flatten import nest

MAX_DEPTH = 1000
RESERVED = "sops"

SPACE = r"[ \t\r\n]*+"
STRING = r'"((?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+)"'
_NUMBER = r"(-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?)"
_EMPTY = rf"(\{{{SPACE}\}}|\[{SPACE}\])"
_VALUE = rf"{SPACE}(?:{STRING}|{_NUMBER}|(true|false|null)|{_EMPTY}|([\[{{])){SPACE}([,\]}}]?)"
_ITEM = re.compile(_VALUE)
_MEMBER = re.compile(rf"{SPACE}{STRING}{SPACE}:{_VALUE}")
_KEY = re.compile(rf"{STRING}{SPACE}:{SPACE}")
_AFTER = re.compile(rf"{SPACE}([,\]}}]?)")
_SPACES = re.compile(SPACE)
_ROOT = re.compile(rf"{SPACE}(?:{_EMPTY}|(\{{)|(\[|\"|[-0-9]|true|false|null))")
_SKIP = re.compile(rf"[^\"\[\]{{}}]*+(?:{STRING}|([\[{{])|([\]}}]))")

_ESCAPE = re.compile(
    r"\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(.))", re.DOTALL
)
_SHORT = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_SURROGATE = re.compile("[\ud800-\udfff]")
_TALL = 50
_MAX_WEIGHT = 10_000_000
"""How many path components all the leaves below depth 50 may have together: paths are what could grow."""
_SHORT_INT = 18
"""An integer of so many characters fits 64 bits for certain."""
_LONGEST_INT = 20


class Root(NamedTuple):
    """Where the last thing in the root object ends (or the object opened), and where its bracket closes it."""

    last: int
    close: int


class Entry(NamedTuple):
    """A member of an object, or an item of an array: where it begins, where its value does, where that ends."""

    key: str | None
    start: int
    value: int
    end: int


def scan(text: str, name: str) -> Document:
    """Scan the first object of a text; ``name`` is the format's.

    Raises:
        ParseError: with line and column.
    """
    root = _ROOT.match(text)
    if root is None or root[3] or text[root.end() - 1] == "]":
        fault = "sops knows only JSON files with an object at the top" if root else "not a JSON object"
        fail(text, past_space(text, 0), fault)
    if root[1]:
        layout = (Root(text.index("{") + 1, root.end() - 1),)
        return Document(name, text, (), notes=_notes(text, root.end()), layout=layout)
    end, leaves, reserved = _scan_object(text, root.end())
    document = Document(name, text, leaves, notes=_notes(text, end.close + 1), layout=(end,))
    return _with_metadata(document, reserved) if reserved else document


# One loop without calls: a call for each value would double the time of a scan.
def _scan_object(text: str, start: int) -> tuple[Root, list[Leaf], list[int]]:  # noqa: C901, PLR0912, PLR0915
    """Scan a root object that is not empty: where it ends, its leaves, where its members named ``sops`` begin."""
    leaves: list[Leaf] = []
    append = leaves.append
    reserved: list[int] = []
    dirty = not text.isascii() and _SURROGATE.search(text) is not None
    stack: list[tuple[bool, Path, int, bool]] = []
    path: Path = ()
    in_object = True
    index = 0
    # Has this list had an item yet that is no comment? Only lists ask.
    begun = False
    position = start
    previous = start
    tall = False
    weight = 0
    while True:
        if in_object:
            found = _MEMBER.match(text, position)
            if found is None:
                _fail_at_member(text, position)
            key, string, number, word, empty, opening, after = found.groups()
            if dirty or "\\" in key:
                key = unescape(key)
            if not path and key == RESERVED:
                reserved.append(found.start(1) - 1)
            here: Path = (*path, key)
            group = 2
        else:
            found = _ITEM.match(text, position)
            if found is None:
                _fail_at_value(text, position)
            string, number, word, empty, opening, after = found.groups()
            here = (*path, index)
            index += 1
            group = 1
        position = found.end()
        if opening:
            if len(stack) >= MAX_DEPTH:
                fail(text, found.start(group + 4), "nested too deeply")
            stack.append((in_object, path, index, begun))
            in_object, path, index, begun = opening == "{", here, 0, False
            tall = len(path) > _TALL
            # The expression has taken a bracket for what follows the value, which a value cannot be.
            position = found.end(group + 4)
            continue
        if string is not None:
            begin, end = found.span(group)
            begin -= 1
            end += 1
            if dirty or "\\" in string:
                string = unescape(string)
            if not in_object and string.startswith("ENC[") and string.endswith(",type:comment]"):
                # What a comment in a YAML list became when sops wrote the file as JSON. Opened, it vanishes,
                # with the comma before it, or at the head of the list the one after it.
                if begun:
                    begin = previous
                elif after == ",":
                    end = past_space(text, position)
                append(Leaf(path, begin, end, "comment", string, LISTED))
                end = found.end(group) + 1
                index -= 1
            else:
                begun = True
                append(Leaf(here, begin, end, "str", string))
        else:
            begun = True
            if number:
                begin, end = found.span(group + 1)
                kind, content = _number(text, begin, number)
            elif word:
                begin, end = found.span(group + 2)
                kind, content = _WORDS[word]
            else:
                begin, end = found.span(group + 3)
                kind, content = ("map", "") if empty[0] == "{" else ("list", "")
            append(Leaf(here, begin, end, kind, content))
        if tall:
            weight += len(path)
            if weight > _MAX_WEIGHT:
                fail(text, begin, "too many values are nested too deeply")
        previous = end
        while after != ",":
            if not after or (after == "}") is not in_object:
                fail(text, position - len(after), "a comma or a closing bracket is missing")
            if not stack:
                return Root(previous, position - 1), leaves, reserved
            in_object, path, index, begun = stack.pop()
            tall = len(path) > _TALL
            previous = position
            begun = True
            closed = _sure(_AFTER.match(text, position))
            after, position = closed[1], closed.end()


def entries(text: str, opening: int) -> tuple[list[Entry], int]:
    """List what is directly in the object or array that opens there, of a well-formed text, and where it closes."""
    found: list[Entry] = []
    expression = _MEMBER if text[opening] == "{" else _ITEM
    group = 2 if text[opening] == "{" else 1
    position = opening + 1
    while True:
        match = expression.match(text, position)
        if match is None:
            return found, past_space(text, position)
        key = unescape(match[1]) if group == 2 else None
        if match[group + 4]:
            value = match.start(group + 4)
            end = skip(text, value)
        else:
            which = next(number for number in range(group, group + 4) if match[number] is not None)
            value, end = match.span(which)
            if which == group:
                value, end = value - 1, end + 1
        found.append(Entry(key, match.start(1) - 1 if group == 2 else value, value, end))
        after = _sure(_AFTER.match(text, end))
        if after[1] != ",":
            return found, after.end() - len(after[1])
        position = after.end()


def skip(text: str, opening: int) -> int:
    """Return where the object or array that opens there ends."""
    depth = 0
    position = opening
    while True:
        found = _sure(_SKIP.match(text, position))
        position = found.end()
        depth += (found[2] is not None) - (found[3] is not None)
        if depth == 0:
            return position


def past_space(text: str, position: int) -> int:
    """Return where the next thing that is no white space stands."""
    return _sure(_SPACES.match(text, position)).end()


def root_opening(text: str) -> int:
    """Return where the root object opens."""
    return text.index("{")


def unescape(raw: str) -> str:
    """Return what the inside of a string literal means; what is no character counts as U+FFFD, as in Go."""
    raw = _SURROGATE.sub("\ufffd", raw)
    return _ESCAPE.sub(_unescaped, raw) if "\\" in raw else raw


def fail(text: str, index: int, message: str) -> NoReturn:
    """Raise a ParseError that says where."""
    from sealpy import conflict  # what can be read does without

    line, column = line_and_column(text, index)
    raise conflict.explained(ParseError(message, line=line, column=column), text)


def _sure(found: re.Match[str] | None) -> re.Match[str]:
    """Take a match that cannot fail: of what may be empty, or in a text that was scanned before."""
    if found is None:
        raise ParseError("not a JSON object")
    return found


def _notes(text: str, end: int) -> tuple[str, ...]:
    if past_space(text, end) == len(text):
        return ()
    return ("what follows the object is no part of it; it cannot be encrypted and is left out",)


_WORDS: dict[str, tuple[Kind, str]] = {"true": ("bool", "True"), "false": ("bool", "False"), "null": ("null", "")}


def _number(text: str, start: int, number: str) -> tuple[Kind, str]:
    if "." not in number and "e" not in number and "E" not in number:
        if len(number) <= _SHORT_INT:
            return "int", number if number != "-0" else "0"
        if len(number) <= _LONGEST_INT and values.INT_MIN <= int(number) <= values.INT_MAX:
            return "int", number
    real = float(number)
    if real - real != 0:
        fail(text, start, "a number is out of range")
    return "float", values.float_text(real)


def _unescaped(match: re.Match[str]) -> str:
    high, low, code, short = match.groups()
    if short:
        return _SHORT.get(short, short)
    if code:
        point = int(code, 16)
        return "\ufffd" if 0xD800 <= point < 0xE000 else chr(point)
    return chr(0x10000 + ((int(high, 16) - 0xD800) << 10) + int(low, 16) - 0xDC00)


def _with_metadata(document: Document, reserved: list[int]) -> Document:
    """Take the ``sops`` members out of the leaves and make them the block."""
    text = document.text
    below = [leaf._replace(path=leaf.path[1:]) for leaf in document.leaves if leaf.path[0] == RESERVED]
    blocks = []
    for start in reserved:
        value = _sure(_KEY.match(text, start)).end()
        end = _value_end(text, value)
        # With two of them there are no metadata, so nobody will ask which leaf is in which.
        mine = below if len(reserved) == 1 else ()
        blocks.append(Block(*_cut(text, start, end), mine))
    metadata: dict[str, object] = {}
    fault = ""
    if len(reserved) > 1:
        fault = "there are two entries named sops"
    elif not below or not below[0].path:
        fault = "" if below and below[0].kind == "map" else "the entry named sops is no map"
    else:
        try:
            metadata = nest((leaf.path, values.python_value(leaf.kind, leaf.content)) for leaf in below)
        except InvalidMetadata as error:
            fault = error.message
    # A fault is no error yet: to encrypt such a file is refused for the reserved name, as sops does.
    notes = (*document.notes, fault) if fault else document.notes
    leaves = [leaf for leaf in document.leaves if leaf.path[0] != RESERVED]
    return document._replace(leaves=leaves, blocks=blocks, metadata=metadata, notes=notes)


def _value_end(text: str, value: int) -> int:
    if text[value] in "[{":
        return skip(text, value)
    found = _sure(_ITEM.match(text, value))
    return max(found.end(1) + 1, found.end(2), found.end(3))


def _cut(text: str, start: int, end: int) -> tuple[int, int]:
    """Return what to cut out so that one member is gone and the rest is an object."""
    before = start
    while text[before - 1] in " \t\r\n":
        before -= 1
    after = past_space(text, end)
    if text[before - 1] == ",":
        return before - 1, end
    if text[after] == ",":
        return start, past_space(text, after + 1)
    # The only member. What stands around it goes too, unless it is the same on both sides: then the object
    # had it before the block came.
    if text[before:start] == text[end:after]:
        return start, after
    return before, after


def _fail_at_member(text: str, position: int) -> NoReturn:
    start = past_space(text, position)
    key = re.compile(STRING).match(text, start)
    if key is None:
        fail(text, start, _string_fault(text, start) or "a key is missing")
    colon = _SPACES.match(text, key.end()).end()  # type: ignore[union-attr]
    if not text.startswith(":", colon):
        fail(text, colon, "a colon is missing")
    _fail_at_value(text, colon + 1)


def _fail_at_value(text: str, position: int) -> NoReturn:
    start = past_space(text, position)
    fail(text, start, _string_fault(text, start) or "a value is missing")


def _string_fault(text: str, start: int) -> str:
    if text.startswith('"', start):
        return "a string is not closed, or has a control character or an escape that JSON does not know"
    return ""
