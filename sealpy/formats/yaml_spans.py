"""Where the text of a YAML value begins and ends, which libyaml's marks say only roughly.

They count anchors and tags to a value, and blank lines behind a block scalar.
"""

import re

from sealpy.document import Leaf

# Tags that say what the value is: they would speak of the sealed text too, so they belong to the value.
_TYPE_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("int", "float", "bool", "null", "timestamp", "binary"))
_PROPERTY = re.compile(r"[&!][^\s,\[\]{}]*|!<[^>\s]*>")
_GAP = re.compile(r"(?:[ \t\r\n]+(?:#[^\r\n]*)?)*")


def skip_properties(text: str, start: int, end: int, tag: str | None) -> tuple[int, str]:
    """Find where a value's own text begins, behind its anchor and tag.

    A tag that names the value's type would name the sealed text's too, so it counts as part of the value;
    an anchor behind such a tag is returned, to be written again.
    """
    position = start
    tag_at = -1
    anchor = ""
    while found := _PROPERTY.match(text, position, end):
        if found.group().startswith("!"):
            tag_at = position
        elif tag_at >= 0:
            anchor = found.group() + " "
        gap = _GAP.match(text, found.end(), end)
        position = gap.end() if gap else found.end()
        if position == end:
            # No value behind the properties: it is empty, and stands right after them.
            position = found.end() if gap is None or "\n" in gap.group() else end
            break
    if tag in _TYPE_TAGS and tag_at >= 0:
        return tag_at, anchor
    return position, ""


def block_scalar_end(text: str, start: int, end: int, content: str) -> int:
    """Trim what libyaml counts to a block scalar but is not its content: blank lines behind it.

    Kept (``+``) blank lines are content. The last line break is always part of the span.
    """
    header_end = text.find("\n", start, end)
    if header_end < 0:
        return end
    header = text[start:header_end].split("#", maxsplit=1)[0]
    if "+" in header:
        whole = end == len(text) or text.startswith("\n", end - 1)
        return end if whole else text.rfind("\n", start, end) + 1 or end
    indent = _indent(text, header_end + 1, end, content)
    position = last = header_end + 1
    while position < end:
        newline = text.find("\n", position, end)
        line_end = end if newline < 0 else newline
        if line_end - position > indent and text[position:line_end].rstrip("\r")[indent:]:
            last = line_end if newline < 0 else newline + 1
        if newline < 0:
            break
        position = newline + 1
    return last


def indent_of(text: str, leaf: Leaf) -> int:
    """Return the indentation of a block scalar's content, in columns."""
    body = text.find("\n", leaf.start, leaf.end) + 1 if text[leaf.start : leaf.start + 1] in ("|", ">") else leaf.start
    return _indent(text, body, leaf.end, leaf.content)


def _indent(text: str, body: int, end: int, content: str) -> int:
    """Compare the first line that shows something with what it means.

    That needs no knowledge of the parent's column, from which an explicit indentation (``|2``) counts.
    """
    meaning = next((line for line in content.split("\n") if line.strip(" ")), "")
    for line in text[body:end].split("\n"):
        shown = line.rstrip("\r").lstrip(" ")
        if shown:
            return len(line.rstrip("\r")) - len(shown) - (len(meaning) - len(meaning.lstrip(" ")))
    # Only white space: the first line of the content is what goes beyond the indentation.
    return max(len(text[body:end].split("\n", 1)[0].rstrip("\r")) - len(content.split("\n", 1)[0]), 0)
