"""Write values, keys and comments so that go-ini reads them back, in the style of what they replace.

sops keeps one comment a key or section: all comment lines before it, and the comment beside it, as one text. It opens
only the first line of such a text. So all of it is sealed into the first line, and the other lines keep their
markers: they show where the lines go when they come back. The comment beside a value is sealed in its place as well,
because no span can hold both; sops does not look at that one if there are lines above.
"""

from collections.abc import Sequence
from itertools import pairwise

from sealpy.document import Leaf
from sealpy.encrypted_value import looks_sealed
from sealpy.errors import ParseError
from sealpy.formats.ini_scan import CONTINUED, Span, has_quotes_around, strip

BLOCK = "lines"
"""Comment lines before a key or section, or at the end of the file."""
UNHEARD = "lines that sops drops"
MERGED = "lines with the comment beside the value"
HEADED = "lines with a section header and the comment beside it"
BESIDE = "beside a value"
REST = "beside a quoted value, without a marker"
OVERRIDDEN = "overridden:"
"""A value that a later one of the same name overrides, followed by its quotes: sealed like a comment, since sops
never sees it."""

_MARKERS = ("#", ";")


def value_text(content: str, style: str = "", *, before_comment: bool = False) -> str:
    """Write a value with the quotes it had, if they can hold it, else with those that go-ini would take.

    A backslash at the end joins lines, unless the line ends with a comment (``before_comment``).

    Raises:
        ParseError: a value that no quotes can hold.
    """
    others = ('"""', "`", '"', "'") if "\n" in content or "`" in content else ('"', "`", '"""', "'")
    for quote in (style, "", *others):
        ends_line = not before_comment and not quote and content.endswith("\\")
        if quote != CONTINUED and not ends_line and _holds(quote, content):
            return f"{quote}{content}{quote}"
    raise ParseError("an INI file cannot hold a value with three double quotes, backticks and line breaks in it")


def key_text(name: str) -> str:
    """Write the name of a key.

    Raises:
        ParseError: a name that go-ini would not read back.
    """
    good = bool(name) and name != "-" and "\n" not in name and strip(name) == name
    if good and name[0] not in '"`#;[' and "=" not in name and ":" not in name:
        return name
    quote = "`" if "`" not in name else '"""'
    if good and quote not in name:
        return f"{quote}{name}{quote}"
    raise ParseError("an INI file cannot hold this key")


def body(line: str) -> str:
    """Return what a comment line says, without its marker."""
    return line.lstrip(f"{line[0]} ")


def is_sealed(text: str, span: Span) -> bool:
    """Tell whether a comment stands sealed."""
    return looks_sealed(body(text[span.start : span.end]))


def is_bare(text: str, span: Span) -> bool:
    """Tell whether a comment is nothing but its marker."""
    return not body(text[span.start : span.end])


def grouped(text: str, lines: Sequence[Span]) -> list[list[Span]]:
    """Part the comment lines before something: a sealed line and the bare ones after it are one comment."""
    groups: list[list[Span]] = []
    sealed = False
    for line in lines:
        begins = is_sealed(text, line)
        if not groups or begins or (sealed and not is_bare(text, line)):
            groups.append([line])
            sealed = begins
        else:
            groups[-1].append(line)
    return groups


def lines_content(text: str, lines: Sequence[Span]) -> str:
    """Return what comment lines say, as sops takes it: the first without its marker, the others with theirs.

    A first line that says nothing keeps its marker: sops crashes on a comment that begins with an empty line.
    """
    first, *others = [text[line.start : line.end] for line in lines]
    first_body = body(first)
    if looks_sealed(first_body) or not others:
        return first_body
    return "\n".join([first_body or first, *others])


def begins_empty(text: str, leaf: Leaf) -> bool:
    """Tell whether a comment, left as it is, makes sops crash."""
    return leaf.style in (BLOCK, MERGED, HEADED) and "\n" in leaf.content and leaf.content[0] == text[leaf.start]


def comment_sealed(text: str, leaf: Leaf, sealed: str) -> str:
    """Write a sealed comment in the place of one."""
    raw = text[leaf.start : leaf.end]
    if leaf.style == REST:
        return sealed
    if leaf.style == BESIDE:
        return _prefix(raw) + sealed
    slots = _slots(raw)
    first = slots[0]
    line = _prefix(raw[first.start : first.end]) + sealed
    if first.start > 0:
        # Only beside a header, where a closing bracket must not stand: it gets a line of its own above.
        return f"{line}{_line_break(text, leaf)}{raw[: first.start + 1]}"
    bare = [raw[before.end : slot.start + 1] for before, slot in pairwise(slots)]
    return "".join([line, *bare, raw[slots[-1].end :]])


def comment_clear(text: str, leaf: Leaf, content: str) -> str:
    """Write a comment in clear in the place of a sealed one."""
    raw = text[leaf.start : leaf.end]
    if leaf.style == REST:
        return content.replace("\n", " ")
    if leaf.style == BESIDE:
        return _prefix(raw) + content.replace("\n", " ")
    slots = _slots(raw)
    first, *others = [line.rstrip(" \t\r") for line in content.split("\n")]
    marker = raw[slots[0].start]
    if not first.startswith(marker):
        first = _prefix(raw[slots[0].start : slots[0].end]) + first
    lines = [first, *(line if line.startswith(_MARKERS) else f"{marker} {line}" for line in others)]
    headed = leaf.style == HEADED and len(slots) > 1 and "[" in raw[slots[-2].end : slots[-1].start]
    if headed and len(lines) == 1 and len(slots) == 2:
        # It came from beside the header, and goes back there.
        return raw[slots[0].end : slots[1].start].lstrip() + lines[0]
    if leaf.style == MERGED and len(lines) == len(slots) + 1:
        # The last line is the comment beside the value, which comes back by itself.
        lines.pop()
    beside = lines.pop() if headed and len(lines) > 1 else None
    above = slots[:-1] if headed else slots
    pieces = []
    for number, slot in enumerate(above):
        pieces.append(raw[above[number - 1].end : slot.start] if number else "")
        pieces.append(lines[number] if number < len(lines) else raw[slot.start : slot.end])
    pieces.extend(_line_break(text, leaf) + line for line in lines[len(above) :])
    if headed:
        pieces.append(raw[above[-1].end : slots[-1].start])
        pieces.append(beside if beside is not None else raw[slots[-1].start : slots[-1].end])
    else:
        pieces.append(raw[above[-1].end :])
    return "".join(pieces)


def _holds(quote: str, content: str) -> bool:
    """Tell whether go-ini reads a value back from within these quotes."""
    if quote in ('"""', "`"):
        # The last such quote of a line closes it, except that on all lines but the last any does.
        return quote not in content.rpartition("\n")[0]
    if "\n" in content or "#" in content or ";" in content or (quote and quote in content):
        return False
    return bool(quote) or (
        strip(content) == content and not content.startswith(("`", '"""')) and not has_quotes_around(content)
    )


def _slots(raw: str) -> list[Span]:
    """Find the comments in a span of comment lines, blank lines, and possibly a section header at the end."""
    slots = []
    position = 0
    for line in raw.split("\n"):
        shown = strip(line)
        start = position + line.find(shown)
        if shown.startswith("["):
            after = shown.rfind("]")
            marker = min(at for at in (shown.find("#", after), shown.find(";", after), len(shown)) if at >= 0)
            if marker < len(shown):
                slots.append(Span(start + marker, start + len(shown)))
        elif shown:
            slots.append(Span(start, start + len(shown)))
        position += len(line) + 1
    return slots


def _prefix(line: str) -> str:
    return line[: len(line) - len(body(line))]


def _line_break(text: str, leaf: Leaf) -> str:
    """Return a line break as the file has them, and the indentation of the leaf's line."""
    line = text.rfind("\n", 0, leaf.start) + 1
    indent = text[line : leaf.start]
    return line_break(text, leaf.start) + (indent if not indent.strip() else "")


def line_break(text: str, position: int) -> str:
    """Return the line break that a text uses around a place."""
    at = text.find("\n", position)
    if at < 0:
        at = text.rfind("\n")
    return "\r\n" if at > 0 and text[at - 1] == "\r" else "\n"
