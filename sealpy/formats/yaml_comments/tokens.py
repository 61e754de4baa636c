"""The tokens of a YAML text, made from libyaml's events.

Comments are bound to tokens, and libyaml can report those too, but it takes as long again as the events do,
and comments need the tokens around them only. Between two scalars nothing stands but indicators, properties,
white space and comments, so that these tokens are found by looking at the text there.
"""

import re
from collections.abc import Iterable, Iterator
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

Token = tuple[int, ...]
"""Kind, index, line, column; end index, end line, end column. Counted from 0, in code points of the text."""

Place = tuple[int, int, int]
"""Index, line, column."""

BREAKS = "\n\r\x85\u2028\u2029"
BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
LINE = re.compile("[^\n\r\x85\u2028\u2029]*")
WHITE = re.compile("[ \t\n\r\x85\u2028\u2029]*")

_PROPERTY = re.compile(r"!<[^>\s]*>|[&!][^\s,\[\]{}]*")
_DIRECTIVE = re.compile("%[^#\n\r\x85\u2028\u2029]*")
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


def advance(text: str, place: Place, index: int) -> Place:
    """Return the place of a later index."""
    start, line, column = place
    last = -1
    for found in BREAK.finditer(text, start, index):
        line += 1
        last = found.end()
    return (index, line, column + index - start) if last < 0 else (index, line, index - last)


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
                if place[0] < index:
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
        index, line, column = place
        while True:
            skipped = index
            while skipped < stop:
                skipped = WHITE.match(text, skipped, stop).end()  # type: ignore[union-attr]  (it matches nothing too)
                if not text.startswith("#", skipped) or skipped >= stop:
                    break
                skipped = LINE.match(text, skipped, stop).end()  # type: ignore[union-attr]
            if skipped != index:
                index, line, column = advance(text, (index, line, column), skipped)
            if index >= stop:
                return
            kind = _INDICATORS.get(text[index], DOCUMENT_END)
            end = index + 1
            if kind == ENTRY and text.startswith("---", index):
                kind = DOCUMENT_START
            if kind == DOCUMENT_START or kind == DOCUMENT_END:
                end = index + 3
            elif kind == ANCHOR or kind == TAG:
                end = _PROPERTY.match(text, index).end()  # type: ignore[union-attr]
            elif kind == DIRECTIVE:
                end = _DIRECTIVE.match(text, index).end()  # type: ignore[union-attr]
            yield (kind, index, line, column, end, line, column + end - index)
            column += end - index
            index = end

    def _with_properties(self, event: Any, place: Place, end: Place) -> Iterator[Token]:
        """Yield a scalar's properties and the scalar; libyaml gives the place of both together."""
        text = self._text
        found = _PROPERTY.match(text, place[0], end[0])
        while found:
            place = (found.start(), place[1], place[2])
            behind = (found.end(), place[1], place[2] + found.end() - found.start())
            yield (TAG if found.group().startswith("!") else ANCHOR, *place, *behind)
            index = behind[0]
            while index < end[0]:
                index = WHITE.match(text, index, end[0]).end()  # type: ignore[union-attr]
                if not text.startswith("#", index):
                    break
                index = LINE.match(text, index, end[0]).end()  # type: ignore[union-attr]
            place = advance(text, behind, index)
            found = _PROPERTY.match(text, index, end[0])
        if place[0] < end[0]:
            yield (_scalar(event), *place, *end)

    def _one_more_key(self, place: Place, column: int) -> Iterator[Token]:
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
