"""Spell YAML: one scalar in the style of the text it replaces, and plain data as new text.

Styles are kept because sops opens a sealed text inside any of them: quotes, ``|``, ``>-``.
"""

import re
from collections.abc import Mapping

from sealpy import values
from sealpy.document import LISTED, Document, Kind, Leaf
from sealpy.errors import UnsealableValue
from sealpy.formats.yaml_resolve import is_plain_string
from sealpy.formats.yaml_scan import DOUBLE, FLOW, FOLDED, FOLDED_BODY, LITERAL, LITERAL_BODY, PLAIN, SINGLE
from sealpy.formats.yaml_spans import indent_of

_ESCAPES = {
    "\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0", "\a": "\\a", "\b": "\\b",
    "\x1b": "\\e", "\x85": "\\N", "\xa0": "\\_", "\u2028": "\\L", "\u2029": "\\P",
}  # fmt: skip
_MUST_ESCAPE = re.compile('[\\\\"\\x00-\\x1f\\x7f-\\xa0\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]')
# What a literal cannot hold: carriage returns and other line breaks, and what YAML forbids in clear.
_NOT_LITERAL = re.compile(
    "[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x84\\x85\\x86-\\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]"
)


def spell(document: Document, leaf: Leaf, kind: Kind, content: str) -> str:
    """Spell a value in the place of a leaf, in the leaf's style where that style can hold it."""
    if kind == "comment":
        # What it held may have been sealed for another place: a line break would end it, and make data of the rest.
        return "#" + _NOT_LITERAL.sub("\ufffd", content.replace("\n", " "))
    style, flow = leaf.style[:1], leaf.style[1:2] == FLOW
    prefix = leaf.style[2:] if flow else leaf.style[1:]
    before = "" if leaf.start != leaf.end or _after_space(document.text, leaf.start) else " "
    if style in (LITERAL, FOLDED):
        return prefix + _in_block(document, leaf, kind, content)
    if style in (LITERAL_BODY, FOLDED_BODY):
        return _body(document, leaf, kind, content)
    if kind != "str":
        return before + prefix + scalar(kind, content, flow=flow)
    if style == PLAIN:
        return before + prefix + text_scalar(content, flow=flow)
    if style == SINGLE and "\n" not in content and not _MUST_ESCAPE.search(content.replace("\\", "").replace('"', "")):
        return prefix + "'" + content.replace("'", "''") + "'"
    return prefix + double_quoted(content)


def spell_sealed(document: Document, leaf: Leaf, sealed: str) -> str:
    """Spell ``ENC[…]`` in the place of a leaf: its quotes and block style stay."""
    if leaf.kind == "comment":
        return ("- " if leaf.style == LISTED else "#") + sealed
    style, flow = leaf.style[:1], leaf.style[1:2] == FLOW
    prefix = leaf.style[2:] if flow else leaf.style[1:]
    if style in (LITERAL, FOLDED):
        text = document.text
        header_end = text.find("\n", leaf.start, leaf.end)
        if header_end >= 0 and not leaf.content.strip("\n "):
            # Nothing shows how far its content is indented.
            newline = "\n" if text.startswith("\n", leaf.end - 1) else ""
            return f'{prefix}"{sealed}"{newline}'
        if header_end >= 0:
            indent = indent_of(text, leaf)
            newline = "\n" if text.startswith("\n", leaf.end - 1) else ""
            carriage = "\r" if newline and text.startswith("\r", header_end - 1) else ""
            return f"{prefix}{text[leaf.start : header_end + 1]}{' ' * indent}{sealed}{carriage}{newline}"
        return prefix + sealed
    if style in (LITERAL_BODY, FOLDED_BODY):
        newline, carriage = _line_break(document.text, leaf)
        return f"{' ' * indent_of(document.text, leaf)}{sealed}{carriage}{newline}"
    if style == SINGLE:
        return f"{prefix}'{sealed}'"
    # In a flow collection a bare comma or bracket would end the value.
    if style == DOUBLE or flow:
        return f'{prefix}"{sealed}"'
    return prefix + sealed


def scalar(kind: Kind, content: str, *, flow: bool) -> str:
    """Spell a value of any kind on one line."""
    match kind:
        case "str" | "bytes":
            return text_scalar(content, flow=flow)
        case "float":
            text = values.float_general(float(content))
            # A whole number would come back as an integer, which has another type tag.
            return text if not re.fullmatch(r"-?[0-9]+", text) else text + ".0"
        case "bool":
            return content.lower()
        case "null":
            return "null"
        case "map":
            return "{}"
        case "list":
            return "[]"
        case _:
            return content


def text_scalar(content: str, *, flow: bool) -> str:
    """Spell a string on one line, without quotes if every reader takes it for just that."""
    return content if is_plain_string(content, flow=flow) else double_quoted(content)


def double_quoted(content: str) -> str:
    """Spell a string in double quotes, escaping only what must be."""
    if _has_raw_bytes(content):
        from binascii import b2a_base64

        return "!!binary " + b2a_base64(content.encode("utf-8", "surrogateescape"), newline=False).decode()
    return '"' + _MUST_ESCAPE.sub(_escape, content) + '"'


def block_lines(value: object, indent: int, step: int, child: int = 0, *, literals: bool = True) -> list[str]:
    """Write plain data as the lines of a block collection, ``step`` columns a level, as sops lays out its own.

    ``child`` is the column of what is nested in it, where that is not simply one step further. ``literals``: texts of
    several lines become block scalars, which must not be followed by a comment that would become part of them.
    """
    pad = " " * indent
    child = child or indent + step
    lines: list[str] = []
    if isinstance(value, Mapping):
        for name, item in value.items():
            head = f"{pad}{text_scalar(str(name), flow=False)}:"
            if isinstance(item, (Mapping, list)) and item:
                lines.append(head)
                lines.extend(block_lines(item, child, step, literals=literals))
            else:
                lines.extend(_entry(head, item, child, literals=literals))
        return lines
    if isinstance(value, list):
        for item in value:
            if isinstance(item, (Mapping, list)) and item:
                # A map behind a dash is two columns in, but what it holds is counted from the dash.
                inner = block_lines(item, indent + 2, step, max(indent + step, indent + 3), literals=literals)
                inner[0] = f"{pad}- {inner[0][indent + 2 :]}"
                lines.extend(inner)
            else:
                lines.extend(_entry(f"{pad}-", item, child, literals=literals))
        return lines
    raise TypeError(type(value).__name__)


def inline(value: object, *, flow: bool) -> str:
    """Write plain data (or leaves in its place) on one line; collections with braces."""
    if isinstance(value, Leaf):
        return scalar(value.kind, value.content, flow=flow)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{double_quoted(str(k))}: {inline(v, flow=True)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(inline(item, flow=True) for item in value) + "]"
    kind, content = values.from_python(value)
    return scalar(kind, content, flow=flow)


def _entry(head: str, item: object, indent: int, *, literals: bool) -> list[str]:
    """One key or dash with a scalar or an empty collection behind it."""
    is_text = literals and isinstance(item, str) and "\n" in item and _fits_literal(item)
    if is_text and isinstance(item, str) and not item.endswith("\n\n") and not item.startswith((" ", "\t", "\n")):
        body = [(" " * indent + line) if line else "" for line in item.removesuffix("\n").split("\n")]
        return [f"{head} |{'' if item.endswith(chr(10)) else '-'}", *body]
    return [f"{head} {inline(item, flow=False)}"]


def _body(document: Document, leaf: Leaf, kind: Kind, content: str) -> str:
    """Spell in the place of a block scalar's body, under a header that cannot change, for it holds a comment."""
    body = _block_body(LITERAL if leaf.style[:1] == LITERAL_BODY else FOLDED, leaf.style[2:], content)
    if kind != "str" or body is None:
        raise UnsealableValue("a block scalar with a comment behind its indicator holds a value that does not fit it")
    newline, carriage = _line_break(document.text, leaf)
    pad = " " * indent_of(document.text, leaf)
    return f"{carriage}\n".join(pad + line if line else "" for line in body) + carriage + newline


def _line_break(text: str, leaf: Leaf) -> tuple[str, str]:
    """The line break that a leaf's text ends with, if it does: the line feed and what is before it."""
    if not text.startswith("\n", leaf.end - 1):
        return "", ""
    return "\n", "\r" if text.startswith("\r", leaf.end - 2) else ""


def _in_block(document: Document, leaf: Leaf, kind: Kind, content: str) -> str:
    """Spell in the place of a block scalar: under its header if that fits, else on one line."""
    text = document.text
    header_end = text.find("\n", leaf.start, leaf.end)
    newline = "\n" if text.startswith("\n", leaf.end - 1) else ""
    carriage = "\r" if newline and text.startswith("\r", header_end - 1) else ""
    header = text[leaf.start : header_end] if header_end >= 0 else ""
    comment = header.find(" #")
    if kind == "str" and header_end >= 0:
        # Where the text ends without a line break, a clipped scalar has none either.
        ended = content if newline or "-" in header or content.endswith("\n") else content + "\n"
        body = _block_body(leaf.style[:1], header[: comment if comment >= 0 else None], ended)
        if body is not None:
            pad = " " * indent_of(text, leaf)
            lines = [pad + line if line else "" for line in body]
            return (
                header + "\n" + "".join(line + carriage + "\n" for line in lines[:-1]) + lines[-1] + carriage + newline
            )
    if comment >= 0:
        # The comment of the header is a leaf of its own inside this one's text.
        raise UnsealableValue("a block scalar with a comment behind its indicator holds a value that does not fit it")
    return scalar(kind, content, flow=False) + carriage + newline


def _block_body(style: str, header: str, content: str) -> list[str] | None:
    """Return the lines of a block scalar's body, or None if its header does not fit the content."""
    if not _fits_literal(content):
        return None
    core = content.rstrip("\n")
    trailing = len(content) - len(core)
    if "+" in header:
        if trailing == 0:
            return None
    elif trailing != (0 if "-" in header else 1):
        return None
    if not core:
        return None
    explicit = re.search(r"[1-9]", header) is not None
    lines = core.split("\n")
    first = next(line for line in lines if line)
    if first.startswith((" ", "\t")) and not explicit:
        return None
    if style == FOLDED:
        lines_or_none = _folded(lines)
        if lines_or_none is None:
            return None
        lines = lines_or_none
    return lines + [""] * (trailing - 1 if "+" in header else 0)


def _folded(lines: list[str]) -> list[str] | None:
    """Lines of a folded scalar: a blank line for each break between two of them. None where spaces forbid it."""
    if any(line.startswith((" ", "\t")) or line.endswith((" ", "\t")) for line in lines):
        return None
    folded: list[str] = []
    for line in lines:
        if line and any(folded):
            folded.append("")
        folded.append(line)
    return folded


def _fits_literal(content: str) -> bool:
    return not _NOT_LITERAL.search(content) and not any(line and not line.strip(" \t") for line in content.split("\n"))


def _after_space(text: str, index: int) -> bool:
    return index == 0 or text[index - 1] in " \t\n"


def _has_raw_bytes(content: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in content) if not content.isascii() else False


def _escape(found: re.Match[str]) -> str:
    character = found.group()
    short = _ESCAPES.get(character)
    if short is not None:
        return short
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
