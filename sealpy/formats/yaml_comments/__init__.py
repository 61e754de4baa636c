"""Where the comments of a YAML text belong in the tree that sops builds of it.

A sealed comment is bound to the path of the map or list that sops finds it in, and a comment may decide whether what
follows it is sealed at all. Which collection that is follows from the details of go-yaml's scanner and parser: they
are done again (``scanner``, ``parser``, ``nodes``) for the part of a text around each comment.
"""

from collections.abc import Iterator
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

from yaml._yaml import CParser
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from sealpy.formats.yaml_comments.nodes import RESUMABLE_DEPTH, Collection, Nodes
from sealpy.formats.yaml_comments.parser import Parser, resumable
from sealpy.formats.yaml_comments.scanner import Scanner
from sealpy.formats.yaml_comments.tokens import UNSEEN, Place, Tokens, line_end


class Comment(NamedTuple):
    """One line of comment. Indices count code points of the text, a byte order mark included."""

    start: int
    """Where its ``#`` is."""
    end: int
    """Where its text ends: before the line break; trailing white space belongs to it."""
    container: int
    """Where the collection begins that sops has it in, its anchor and tag included, as libyaml's event says.
    -1: the document has no root collection. No two collections begin at one place, but for a key that is a
    collection and the map that it is in; sops refuses such keys."""
    is_list: bool
    """Is that collection a list?"""
    sort: int
    """Sorted by this, before leaves whose node begins at the same index, comments and leaves are in the order of
    sops' tree. Comments with the same one are in order already."""
    kept: bool
    """False: sops drops it when it reads the text. Then the other facts are only near the truth."""
    document: int
    """Which document of the stream has it, counted from 0."""


def find_comments(text: str, *, sealed: bool) -> list[Comment]:
    """Find every comment of a text that libyaml accepts, in the order of sops' tree.

    With ``sealed`` false, comments are placed as if each document had a further key behind its end (behind comments
    that follow its root, before the next ``---`` or ``...``) at its root's column, as it will when it is sealed. A
    document whose root is written with braces has its key put inside them, which moves no comment.

    A comment may stand inside the span of a scalar: behind the sign that begins a block scalar, or between a tag or
    anchor and its value.
    """
    return _Walk(text, sealed=sealed).run()


_NODE, _KEY, _VALUE, _ITEM = range(4)


class _Open(NamedTuple):
    """An open collection, in those around it. It never changes: a place to resume at holds on to one."""

    around: "_Open | None"
    depth: int
    start: int
    column: int
    is_list: bool
    indentless: bool
    bare: bool
    is_key: bool
    sort: int
    order: int


class _Walk:
    """Passes over the events, and reads closely from the last simple place before a comment to the next behind it."""

    def __init__(self, text: str, *, sealed: bool) -> None:
        self._text = text
        self._bom = 1 if text.startswith("\ufeff") else 0
        self._next_event = CParser(text).get_event
        self._events: list[Any] = []
        """The events from the place to resume at on."""
        self._position = 0
        self._tokens = Tokens(text, self._bom, sealed=sealed)
        self._nodes = Nodes()
        self._found: list[tuple[int, int]] = []
        self._sharp = text.find("#")
        """The next number sign that may begin a comment; -1: none."""
        self._current: _Open | None = None
        self._expected = _NODE
        self._further = False
        self._last = -1
        self._document = -1
        # Where to resume: the event, the place of its key or dash, and what was so before it.
        self._rest: tuple[int, Place, _Open | None, int, int] = (0, (self._bom, 0, 0), None, -1, -1)

    def run(self) -> list[Comment]:
        while self._sharp >= 0:
            event = self._event(self._position)
            kind = type(event)
            if kind is ScalarEvent or kind is AliasEvent:
                if self._sharp < event.end_mark.index + self._bom and not self._pass_number_sign(event):
                    continue
                if self._expected == _VALUE:
                    self._last = event.start_mark.index + self._bom
                    self._expected = _KEY
                    self._further = True
                elif self._expected != _NODE:
                    self._pass_key_or_item(event.start_mark)
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                self._enter(event, is_list=kind is SequenceStartEvent)
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                self._leave()
            elif kind is DocumentStartEvent:
                self._document += 1
            elif self._sharp < event.start_mark.index + self._bom:
                # The end of a document or of the stream.
                self._read_closely()
                continue
            self._position += 1
        return self._comments()

    def _event(self, position: int) -> Any:
        if position == len(self._events):
            self._events.append(self._next_event())
        return self._events[position]

    def _following(self, position: int) -> Iterator[Any]:
        while True:
            event = self._event(position)
            yield event
            if type(event) is StreamEndEvent:
                return
            position += 1

    def _pass_number_sign(self, event: Any) -> bool:
        """Read comments before a scalar or in its properties closely; say whether the number sign was but content."""
        if self._sharp < event.start_mark.index + self._bom or _may_hold_comment(
            self._text, event, self._sharp, self._bom
        ):
            self._read_closely()
            return False
        self._sharp = self._text.find("#", event.end_mark.index + self._bom)
        return True

    def _pass_key_or_item(self, mark: Any) -> None:
        current = self._current
        if current is None:
            return
        start = mark.index + self._bom
        if self._further and current.bare:
            self._remember(start, mark.line, mark.column)
        if current.is_list:
            self._last = start
            self._further = True
        else:
            self._expected = _VALUE

    def _remember(self, start: int, line: int, column: int) -> None:
        """Note this key or item as the place to resume at, if it is one, and let go of the events before it."""
        current = self._current
        index = -1 if current is None else resumable(self._text, start, column, current.column, item=current.is_list)
        if current is None or index < 0:
            return
        if self._position > _KEPT_EVENTS:
            del self._events[: self._position]
            self._position = 0
        self._rest = (self._position, (index, line, current.column), current, self._last, self._document)

    def _enter(self, event: Any, *, is_list: bool) -> None:
        around = self._current
        mark = event.start_mark
        is_key = self._expected == _KEY
        bare = not (is_key or event.flow_style or event.anchor is not None or event.tag is not None)
        column = mark.column
        indentless = False
        depth = 1
        if around is not None:
            depth += around.depth
            bare = bare and around.bare and depth <= RESUMABLE_DEPTH
            indentless = is_list and not around.is_list and column == around.column
        self._current = _Open(around, depth, mark.index + self._bom, column, is_list, indentless, bare, is_key, 0, 0)
        self._expected = _ITEM if is_list else _KEY
        self._further = False

    def _leave(self) -> None:
        left = self._current
        if left is None:
            return
        self._last = max(self._last, left.start)
        self._current = left.around
        self._further = True
        if left.around is None:
            self._expected = _NODE
        elif left.is_key:
            self._expected = _VALUE
        else:
            self._expected = _ITEM if left.around.is_list else _KEY

    def _read_closely(self) -> None:
        """Place the next comment and those that follow soon, and go on behind them."""
        event, place, current, last, document = self._rest
        chain: list[Collection] = []
        while current is not None:
            chain.append(_collection(current))
            current = current.around
        chain.reverse()
        indents = [-1, *(collection.column for collection in chain if not collection.indentless)]
        root = chain[0].column if chain else UNSEEN
        tokens = self._tokens.read(self._following(event), place, root)
        scanner = Scanner(self._text, tokens, place, indents, self._found)
        parser = Parser(self._text, scanner, self._nodes, beyond=self._sharp)
        if chain:
            self._nodes.resume(chain, last, document)
            parser.resume()
        else:
            parser.start()
        if parser.rest < 0:
            self._sharp = -1
            return
        self._sharp = self._text.find("#", parser.rest)
        self._last = parser.last
        self._document = self._nodes.document
        self._current = None
        for depth, collection in enumerate(self._nodes.open, 1):
            self._current = _Open(
                self._current, depth, collection.start, collection.column, collection.is_list, collection.indentless,
                collection.bare, is_key=False, sort=collection.sort, order=collection.order,
            )  # fmt: skip
        self._expected = _ITEM if self._nodes.open[-1].is_list else _KEY
        self._further = True
        start = parser.rest - self._bom
        while True:
            found = self._event(event)
            if type(found) in _LEAVES and found.start_mark.index == start and found.end_mark.index > start:
                break
            event += 1
        self._position = event
        self._remember(parser.rest, found.start_mark.line, found.start_mark.column)

    def _comments(self) -> list[Comment]:
        added = self._tokens.added
        comments = []
        unplaced = set(range(len(self._found)))
        placed = sorted(self._nodes.placed, key=itemgetter(0, 1))
        for sort, _, number, container, is_list, document, kept in placed:
            start, end = self._found[number]
            unplaced.discard(number)
            inside = -1 if container in added else container
            comments.append(Comment(start, end, inside, is_list, sort if kept else start, kept, document))
        for number in sorted(unplaced):
            start, end = self._found[number]
            comments.append(
                Comment(start, end, -1, is_list=False, sort=start, kept=False, document=max(self._nodes.document, 0))
            )
        comments.sort(key=_sort)
        return comments


_sort = attrgetter("sort")

_LEAVES = frozenset((ScalarEvent, AliasEvent))

_KEPT_EVENTS = 1000
"""How many events may be kept that nobody needs any more."""


def _collection(open_: _Open) -> Collection:
    collection = Collection(open_.start, open_.column, is_list=open_.is_list, block=True)
    collection.indentless = open_.indentless
    collection.sort, collection.order = max(open_.sort, open_.start), open_.order
    return collection


def _may_hold_comment(text: str, event: Any, sharp: int, bom: int) -> bool:
    """Say whether a number sign in a scalar may begin a comment: behind its anchor or tag, or what begins a block."""
    if type(event) is AliasEvent:
        return False
    if event.style in ("|", ">") and sharp < line_end(text, event.start_mark.index + bom):
        return True
    return (event.tag is not None or event.anchor is not None) and event.start_mark.line < event.end_mark.line
