"""The tokens of a YAML text, made from libyaml's events.

Comments are bound to tokens, and libyaml can report those too, but it takes as long again as the events do,
and comments need the tokens around them only. Between two scalars nothing stands but indicators, properties,
white space and comments, so that these tokens are found by looking at the text there.
"""

import re
from collections.abc import Generator, Iterable, Iterator
from typing import Any

from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

STREAM_START, STREAM_END, DIRECTIVE, DOCUMENT_START, DOCUMENT_END = range(5)
FLOW_SEQUENCE_START, FLOW_MAPPING_START, FLOW_SEQUENCE_END, FLOW_MAPPING_END, FLOW_ENTRY = range(5, 10)
ENTRY, KEY, VALUE, ALIAS, ANCHOR, TAG, BLOCK_SEQUENCE, BLOCK_MAPPING, BLOCK_END = range(10, 19)
# Scalars come last: ``kind >= PLAIN`` is any of them.
PLAIN, QUOTED, BLOCK_SCALAR = range(19, 22)

PROPERTIES = frozenset((ANCHOR, TAG))
_MARKERS = frozenset((DOCUMENT_START, DOCUMENT_END))

Token = tuple[int, ...]
"""Kind, index, line, column; end index, end line, end column. Counted from 0, in code points of the text."""

Place = tuple[int, int, int]
"""Index, line, column."""

BREAKS = "\n\r\x85\u2028\u2029"

_BREAK_CHARACTER = re.compile("[\n\r\x85\u2028\u2029]")
_SOMETHING = re.compile("[^ \t\n\r\x85\u2028\u2029]")
_PROPERTY = re.compile(r"!<[^>\s]*>|[&!][^\s,\[\]{}]*")
_INDICATORS = {
    ":": VALUE,
    "-": ENTRY,
    ",": FLOW_ENTRY,
    "[": FLOW_SEQUENCE_START,
    "]": FLOW_SEQUENCE_END,
    "{": FLOW_MAPPING_START,
    "}": FLOW_MAPPING_END,
    "?": KEY,
    "&": ANCHOR,
    "!": TAG,
    "%": DIRECTIVE,
}
_NODES = frozenset((ScalarEvent, AliasEvent, MappingStartEvent, SequenceStartEvent))

# What is known of a document's root: nothing yet, a block mapping, or something that takes no further key.
# From 0 on it is the column of a block mapping's keys.
UNSEEN, BLOCK_ROOT, CLOSED_ROOT = -1, -2, -3


def line_end(text: str, index: int) -> int:
    """Return where the line of an index ends."""
    found = _BREAK_CHARACTER.search(text, index)
    return found.start() if found else len(text)


def skip_white(text: str, index: int, stop: int) -> int:
    """Return where the next thing is that is neither a blank nor a line break, or ``stop``."""
    found = _SOMETHING.search(text, index, stop)
    return found.start() if found else stop


def breaks_in(white: str) -> int:
    """Count line breaks; a carriage return with its line feed is one."""
    return len((white + "x").splitlines()) - 1


def advance(text: str, place: Place, index: int) -> Place:
    """Return the place of a later index."""
    start, line, column = place
    # A YAML text has no other line breaks than those that Python knows.
    lines = (text[start:index] + "x").splitlines()
    if len(lines) == 1:
        return (index, line, column + index - start)
    return (index, line + len(lines) - 1, len(lines[-1]) - 1)


def first_column(text: str, index: int, column: int) -> int:
    """Return the column of the first thing on the line of a place that is no space."""
    before = text[index - column : index]
    return len(before) - len(before.lstrip(" "))


class Tokens:
    """Tokens of one text, to be read from any event on.

    With ``sealed`` false, each document whose root is a block mapping, or which is empty, gets one more key at its
    end. ``added`` are the indices of mappings that are there only by this.
    """

    __slots__ = ("_bom", "_sealed", "_text", "added")

    def __init__(self, text: str, bom: int, *, sealed: bool) -> None:
        self._text = text
        self._bom = bom
        self._sealed = sealed
        self.added: set[int] = set()

    def read(self, events: Iterable[Any], place: Place, root: int) -> Iterator[Token]:
        """Yield the tokens from a place on, ``events`` being those whose text begins there or later.

        Implied tokens (a simple key's, the starts and ends of block collections) are left to the scanner.
        """
        text, bom = self._text, self._bom
        for event in events:
            kind = type(event)
            if kind in _NODES and root < 0:
                root = self._root(root, event)
            if kind is ScalarEvent or kind is AliasEvent:
                start = event.start_mark
                index = start.index + bom
                between = text[place[0] : index]
                if between == ": ":
                    yield (VALUE, *place, place[0] + 1, place[1], place[2] + 1)
                elif between and not between.isspace():
                    yield from self._between(place, index)
                mark = event.end_mark
                place = end = (mark.index + bom, mark.line, mark.column)
                if kind is AliasEvent:
                    yield (ALIAS, index, start.line, start.column, *end)
                elif event.tag is None and event.anchor is None:
                    if index < end[0]:
                        yield (_scalar(event), index, start.line, start.column, *end)
                else:
                    yield from self._with_properties(event, (index, start.line, start.column), end)
            elif kind is DocumentEndEvent or kind is StreamEndEvent:
                index = event.start_mark.index + bom
                if place[0] < index:
                    yield from self._between(place, index)
                place = advance(text, place, index)
                if kind is StreamEndEvent:
                    yield (STREAM_END, *place, *place)
                elif not self._sealed and root >= UNSEEN:
                    place = yield from self._one_more_key(place, root)
            elif kind is DocumentStartEvent:
                root = UNSEEN

    def _root(self, root: int, event: Any) -> int:
        """Update what is known of the root by one more node."""
        kind = type(event)
        index = event.start_mark.index + self._bom
        if root == BLOCK_ROOT:
            if kind is ScalarEvent or kind is AliasEvent:
                return first_column(self._text, index, event.start_mark.column)
            return root
        if root != UNSEEN:
            return root
        if kind is ScalarEvent:
            if event.value or event.style:
                return CLOSED_ROOT
            # It may have an anchor: then that will be where the root begins.
            self.added.add(index)
            return UNSEEN
        return BLOCK_ROOT if kind is MappingStartEvent and not event.flow_style else CLOSED_ROOT

    def _between(self, place: Place, stop: int) -> Iterator[Token]:
        """Yield the indicators and properties between two scalars."""
        text = self._text
        while True:
            place = advance(text, place, self._skip(place[0], stop))
            index, line, column = place
            if index >= stop:
                return
            kind = _INDICATORS.get(text[index], DOCUMENT_END)
            end = index + 1
            if kind == ENTRY and text.startswith("---", index):
                kind = DOCUMENT_START
            if kind in _MARKERS:
                end = index + 3
            elif kind == DIRECTIVE:
                end = line_end(text, index)
                comment = text.find("#", index, end)
                end = comment if comment >= 0 else end
            elif kind in PROPERTIES and (found := _PROPERTY.match(text, index)):
                end = found.end()
            place = (end, line, column + end - index)
            yield (kind, index, line, column, *place)

    def _skip(self, index: int, stop: int) -> int:
        """Return where the next thing is that is neither white space nor a comment."""
        text = self._text
        while True:
            index = skip_white(text, index, stop)
            if index == stop or not text.startswith("#", index):
                return index
            index = min(line_end(text, index), stop)

    def _with_properties(self, event: Any, place: Place, end: Place) -> Iterator[Token]:
        """Yield a scalar's properties and the scalar; libyaml gives the place of both together."""
        text = self._text
        found = _PROPERTY.match(text, place[0], end[0])
        while found:
            behind = (found.end(), place[1], place[2] + found.end() - place[0])
            yield (TAG if text.startswith("!", place[0]) else ANCHOR, *place, *behind)
            place = advance(text, behind, self._skip(found.end(), end[0]))
            found = _PROPERTY.match(text, place[0], end[0])
        if place[0] < end[0]:
            yield (_scalar(event), *place, *end)

    def _one_more_key(self, place: Place, column: int) -> Generator[Token, None, Place]:
        """Yield a key with a value, on a line of its own, where a document ends.

        They take no room, so that what follows keeps its place. Only a last line without its line break is ended, as
        the first line is: then they stand behind the end of the text.
        """
        text = self._text
        index, line, _ = place
        if index > self._bom and text[index - 1] not in BREAKS:
            newline = text.find("\n")
            index += 2 if newline > 0 and text[newline - 1] == "\r" else 1
            line += 1
        if column == UNSEEN:
            column = 0
            self.added.add(index)
        yield (PLAIN, index, line, column, index, line, column + 1)
        yield (VALUE, index, line, column + 1, index, line, column + 2)
        yield (PLAIN, index, line, column + 2, index, line, column + 3)
        return place


def _scalar(event: Any) -> int:
    style = event.style
    if not style:
        return PLAIN
    return BLOCK_SCALAR if style in "|>" else QUOTED
