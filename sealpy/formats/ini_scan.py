"""Read INI as go-ini does, which sops uses: what a line means, and where each part of it stands.

There is no standard for INI, so every quirk of go-ini counts: ``:`` separates as ``=`` does; ``#`` and ``;`` begin a
comment anywhere, also inside a word or between double quotes; backticks and three double quotes take a value
literally, over several lines if need be; a backslash at the end joins the next line; ``-`` as a key numbers itself.
"""

import re
from typing import NamedTuple, NoReturn

from sealpy.document import line_and_column
from sealpy.errors import ParseError

DEFAULT_SECTION = "DEFAULT"

# What Go calls white space. Python's own strip takes four characters more.
_SPACE = "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
_SPACES = re.compile(f"[{_SPACE}]*+")
_BOM = re.compile("\ufeff|\udcfe\udcff|\udcff\udcfe")
_DELIMITER = re.compile("[=:]")
_MARKER = re.compile("[#;]")

CONTINUED = "\\"
"""The style of a value that goes on in the next line; the other styles are the quotes themselves."""


class Span(NamedTuple):
    """A piece of the text without white space around it."""

    start: int
    end: int


class Key(NamedTuple):
    """A key and all that belongs to it."""

    name: str
    line: int
    """Where its line begins."""
    start: int
    """Its value, quotes included, without what follows it."""
    end: int
    style: str
    value: str
    above: list[Span]
    """The comment lines before it."""
    beside: Span | None
    """What follows the value on its line."""
    heard: bool
    """Is ``beside`` a comment for go-ini, which drops what follows a quoted value?"""
    stop: int
    """Where its last line ends, with its line break."""
    numbered: bool
    """Was its name ``-``?"""

    def __repr__(self) -> str:
        return f"<Key {self.name!r} at {self.start}>"


class Section(NamedTuple):
    """A section header and all keys up to the next one; without a header, the keys before any."""

    name: str
    line: int
    """Where its header's line begins, and the header itself."""
    start: int
    head: int
    """Where the header's line ends, with its line break."""
    keys: list[Key]
    above: list[Span]
    beside: Span | None
    stray: Span | None
    """What stands between its header and a comment beside that, and means nothing."""


def parse(text: str) -> tuple[list[Section], list[Span]]:
    """Take a text apart: its sections, first the one without header, and the comment lines after the last key.

    Raises:
        ParseError
    """
    return _Parser(text).run()


def strip(text: str) -> str:
    """Strip what Go calls white space."""
    return text.strip(_SPACE)


def has_quotes_around(value: str) -> bool:
    """Tell whether go-ini would take a value's first and last character for quotes."""
    return len(value) > 1 and value[0] in "'\"" and value.find(value[0], 1) == len(value) - 1


class _Parser:
    """One pass over the lines; its attributes are the state between two of them."""

    def __init__(self, text: str) -> None:
        self.text = text
        mark = _BOM.match(text)
        self.position = mark.end() if mark else 0
        self.count = 1
        self.comment: list[Span] = []
        self.section = Section(DEFAULT_SECTION, self.position, self.position, self.position, [], [], None, None)
        self.sections = [self.section]

    def run(self) -> tuple[list[Section], list[Span]]:
        text = self.text
        while self.position < len(text):
            line = self.position
            end = self._next_line()
            start = _past_space(text, line, end)
            if start == end:
                continue
            if text[start] in "#;":
                self.comment.append(self._span(start, end))
            elif text[start] == "[":
                self._header(line, start, end)
            else:
                self._key(line, start, end)
        return self.sections, self.comment

    def _next_line(self) -> int:
        """Step over one line and return where it ended, without its line feed."""
        end = self.text.find("\n", self.position)
        if end < 0:
            end = self.position = len(self.text)
        else:
            self.position = end + 1
        return end

    def _header(self, line: int, start: int, end: int) -> None:
        text = self.text
        close = text.rfind("]", start, end)
        if close < 0:
            self._fail(start, "a section is not closed")
        name = text[start + 1 : close]
        if not name:
            self._fail(start, "a section has no name")
        marker = _MARKER.search(text, close, end)
        beside = self._span(marker.start(), end) if marker else None
        stray = self._rest(close + 1, marker.start() if marker else end)
        self.section = Section(name, line, start, self.position, [], self._comment_lines(), beside, stray)
        self.sections.append(self.section)
        self.count = 1

    def _key(self, line: int, start: int, end: int) -> None:
        name, position = self._name(start, end)
        numbered = name == "-"
        if numbered:
            name = f"#{self.count}"
            self.count += 1
        above = self._comment_lines()
        begin, stop, style, value, beside, heard = self._value(position, end)
        self.section.keys.append(
            Key(name, line, begin, stop, style, value, above, beside, heard, self.position, numbered)
        )

    def _name(self, start: int, end: int) -> tuple[str, int]:
        """Return a key's name and where its value may begin."""
        text = self.text
        quote = ""
        if text[start] == '"':
            # Three quotes count only if more than three characters follow, the line feed being one.
            quote = '"""' if text.startswith('"""', start) and self.position - start > 6 else '"'
        elif text[start] == "`":
            quote = "`"
        begin = start + len(quote)
        close = start
        if quote:
            close = text.find(quote, begin, end)
            if close < 0:
                self._fail(start, "the quote of a key is not closed")
        delimiter = _DELIMITER.search(text, close + len(quote), end)
        if delimiter is None:
            self._fail(start, "a line without an equals sign or a colon")
        name = strip(text[begin : close if quote else delimiter.start()])
        if not name:
            self._fail(start, "a key has no name")
        return name, delimiter.end()

    def _value(self, position: int, end: int) -> tuple[int, int, str, str, Span | None, bool]:
        """Return a value's span, style and meaning, and what follows it: its span, and whether go-ini hears it."""
        text = self.text
        start = _past_space(text, position, end)
        if start == end:
            # Where a value would be written: after the spaces that follow the delimiter, but on this line.
            blank = end - len(text[position:end].lstrip(" \t"))
            return blank, blank, "", "", None, False
        quote = ""
        if text.startswith('"""', start) and self.position - start > 3:
            quote = '"""'
        elif text[start] == "`":
            quote = "`"
        if quote:
            begin = start + len(quote)
            close = text.rfind(quote, begin, end)
            if close >= 0:
                return start, close + len(quote), quote, text[begin:close], self._rest(close + len(quote), end), False
            close, end = self._quoted_lines(start, quote)
            rest = self._rest(close + len(quote), end)
            heard = rest is not None and text[rest.start] in "#;"
            return start, close + len(quote), quote, text[begin:close], rest, heard
        stop = self._span(start, end).end
        if text[stop - 1] == "\\":
            return self._continued(start, stop)
        marker = _MARKER.search(text, start, stop)
        beside = Span(marker.start(), stop) if marker else None
        if marker:
            stop = self._span(start, marker.start()).end
        value = text[start:stop]
        if has_quotes_around(value):
            return start, stop, value[0], value[1:-1], beside, True
        return start, stop, "", value, beside, True

    def _quoted_lines(self, start: int, quote: str) -> tuple[int, int]:
        """Read on to the line with the closing quote: where that is, and where its line ends."""
        text = self.text
        while True:
            if self.position == len(text):
                self._fail(start, "a quoted value is not closed")
            line = self.position
            end = self._next_line()
            close = text.rfind(quote, line, end)
            # A backslash at the very end takes the quote back.
            if close >= 0 and not strip(text[close + len(quote) : end]).endswith("\\"):
                return close, end

    def _continued(self, start: int, stop: int) -> tuple[int, int, str, str, Span | None, bool]:
        text = self.text
        parts = [text[start : stop - 1]]
        while self.position < len(text):
            line = self.position
            end = self._next_line()
            span = self._span(_past_space(text, line, end), end)
            if span.start >= span.end:
                break
            stop = span.end
            if text[stop - 1] != "\\":
                parts.append(text[span.start : stop])
                break
            parts.append(text[span.start : stop - 1])
        return start, stop, CONTINUED, "".join(parts), None, False

    def _rest(self, start: int, end: int) -> Span | None:
        span = self._span(_past_space(self.text, start, end), end)
        return span if span.start < span.end else None

    def _comment_lines(self) -> list[Span]:
        lines, self.comment = self.comment, []
        return lines

    def _span(self, start: int, end: int) -> Span:
        return Span(start, start + len(self.text[start:end].rstrip(_SPACE)))

    def _fail(self, index: int, message: str) -> NoReturn:
        from sealpy import conflict  # what can be read does without

        line, column = line_and_column(self.text, index)
        raise conflict.explained(ParseError(message, line=line, column=column), self.text)


def _past_space(text: str, start: int, end: int) -> int:
    found = _SPACES.match(text, start, end)
    return found.end() if found else start
