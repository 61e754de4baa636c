"""go-yaml's parser: libyaml's, with comments handed on to the nodes.

Only some events take the comments that were taken up so far: scalars, aliases, starts and ends of flow collections,
ends of mappings, ends of documents. With the others they wait. The parser has no opinion on grammar here: libyaml has
accepted the text.
"""

from collections.abc import Callable

from sealpy.formats.yaml_comments.groups import BLANK_LINE, NOTHING, Lines
from sealpy.formats.yaml_comments.nodes import Nodes
from sealpy.formats.yaml_comments.scanner import Scanner
from sealpy.formats.yaml_comments.tokens import (
    ALIAS,
    BLOCK_END,
    BLOCK_MAPPING,
    BLOCK_SEQUENCE,
    DIRECTIVE,
    DOCUMENT_END,
    DOCUMENT_START,
    ENTRY,
    FLOW_ENTRY,
    FLOW_MAPPING_END,
    FLOW_MAPPING_START,
    FLOW_SEQUENCE_END,
    FLOW_SEQUENCE_START,
    KEY,
    PLAIN,
    PROPERTIES,
    STREAM_END,
    VALUE,
    Token,
)

_NO_CONTENT = frozenset((DIRECTIVE, DOCUMENT_START, DOCUMENT_END, STREAM_END))
_BEFORE_DOCUMENT = frozenset((DOCUMENT_END, DIRECTIVE))
_BLOCKS = frozenset((BLOCK_SEQUENCE, BLOCK_MAPPING))
_FLOWS = frozenset((FLOW_SEQUENCE_START, FLOW_MAPPING_START))
_NO_NODE = frozenset((KEY, VALUE, BLOCK_END))
_NO_ITEM = frozenset((ENTRY, KEY, VALUE, BLOCK_END))


class Parser:
    """Reads tokens to the end, or to the first place ``beyond`` an index where all comments have found their nodes."""

    __slots__ = (
        "_beyond",
        "_nodes",
        "_peek",
        "_scanner",
        "_skip",
        "_state",
        "_states",
        "_stem",
        "_text",
        "last",
        "rest",
    )

    def __init__(self, text: str, scanner: Scanner, nodes: Nodes, beyond: int) -> None:
        self._text = text
        self._beyond = beyond
        self._scanner = scanner
        self._nodes = nodes
        self._peek = scanner.peek
        self._skip = scanner.skip
        self._states: list[Callable[[], None]] = []
        self._state: Callable[[], None] | None = None
        self._stem: Lines = []
        """The head of a block that is an item of a list, parted from that of its first entry."""
        self.rest = -1
        """Where the key or item begins at which it stopped; -1 at the end of the stream."""
        self.last = -1
        """Where the last leaf before that begins."""

    def start(self) -> None:
        """Read from the beginning of the stream."""
        self._state = self._implicit_document
        self._run()

    def resume(self) -> None:
        """Read on before a further item of the last open collection of the nodes."""
        states = [self._document_end]
        for collection in self._nodes.open:
            if not collection.is_list:
                states.append(self._block_mapping)
            else:
                states.append(self._indentless_sequence if collection.indentless else self._block_sequence)
        self._state = states.pop()
        self._states = states
        self._run()

    def _run(self) -> None:
        while self._state is not None:
            self._state()

    def _may_rest(self, first: Token, last: int) -> None:
        """Stop before a key or item of a block if no comment is on its way, nor behind it yet."""
        scanner = self._scanner
        start, column = first[1], first[3]
        found = scanner.found
        # The key that is only thought of takes no room; there is no event of it to go on with.
        if first[4] > start > self._beyond and scanner.idle and not (found and found[-1][0] > start):
            around = self._nodes.open[-1]
            index = resumable(self._text, start, column, around.column, item=around.is_list)
            if around.bare and index >= 0 and self._nodes.idle:
                self.rest = start
                self.last = last
                self._state = None

    # -- documents ----------------------------------------------------------------------------------------

    def _implicit_document(self) -> None:
        kind = self._peek()[0]
        if kind in _NO_CONTENT:
            self._document()
            return
        # A blank line in the head parts the document's from that of its first key.
        head = self._scanner.head
        lines: Lines = []
        for index in range(len(head) - 1, 0, -1):
            if head[index] == BLANK_LINE and (index == len(head) - 1 or head[index - 1] == BLANK_LINE):
                lines = head[: index if index == len(head) - 1 else index - 1]
                self._scanner.head = head[index + 1 :]
                break
        self._states.append(self._document_end)
        self._state = self._block_node
        self._nodes.begin_document(lines)

    def _document(self) -> None:
        kind = self._peek()[0]
        while kind in _BEFORE_DOCUMENT:
            self._skip()
            kind = self._peek()[0]
        if kind == STREAM_END:
            self._state = None
            return
        self._states.append(self._document_end)
        self._state = self._document_content
        self._nodes.begin_document([])
        self._skip()

    def _document_content(self) -> None:
        token = self._peek()
        if token[0] in _NO_CONTENT:
            self._state = self._states.pop()
            self._nodes.leaf(_where(token), NOTHING)
        else:
            self._node()

    def _document_end(self) -> None:
        if self._peek()[0] == DOCUMENT_END:
            self._skip()
        self._state = self._document
        self._nodes.end_document(self._scanner.take())

    # -- nodes --------------------------------------------------------------------------------------------

    def _block_node(self) -> None:
        self._node()

    def _node(self, *, indentless: bool = False) -> None:
        first = token = self._peek()
        kind = token[0]
        if kind >= PLAIN or kind == ALIAS:
            self._scalar(first)
            return
        start = first[1]
        while kind in PROPERTIES:
            self._skip()
            token = self._peek()
            kind = token[0]
        bare = token is first
        if kind >= PLAIN:
            self._scalar(first)
        elif kind in _BLOCKS:
            self._state = self._first_pair if kind == BLOCK_MAPPING else self._first_item
            self._nodes.enter(start, token[2], self._stem, is_list=kind == BLOCK_SEQUENCE, block=True, bare=bare)
            self._stem = []
        elif kind == ENTRY and indentless:
            self._state = self._indentless_sequence
            self._nodes.enter(start, token[3], [], is_list=True, block=True, bare=bare).indentless = True
        elif kind in _FLOWS:
            self._state = self._flow_sequence_start if kind == FLOW_SEQUENCE_START else self._flow_mapping_start
            head, line, foot = self._scanner.take()
            self._nodes.lose(line + foot)
            self._nodes.enter(start, token[3], head, is_list=kind == FLOW_SEQUENCE_START, block=False, bare=False)
        else:
            # Nothing but properties.
            self._state = self._states.pop()
            self._nodes.leaf(start, NOTHING)

    def _scalar(self, first: Token) -> None:
        """Take a scalar or an alias, which begins with this token."""
        parts = self._scanner.take()
        self._skip()
        self._state = self._states.pop()
        last = self._nodes.last
        if self._nodes.leaf(first[1], parts):
            self._may_rest(first, last)

    def _empty(self, start: int) -> None:
        """Add a value that is not there; comments wait for one that is."""
        self._nodes.leaf(start, NOTHING)

    # -- blocks -------------------------------------------------------------------------------------------

    def _first_item(self) -> None:
        self._peek()
        self._skip()
        self._block_sequence()

    def _block_sequence(self) -> None:
        token = self._peek()
        if token[0] == ENTRY:
            self._item(token, self._block_sequence)
        else:
            self._state = self._states.pop()
            self._skip()
            self._nodes.leave(NOTHING)

    def _indentless_sequence(self) -> None:
        token = self._peek()
        if token[0] == ENTRY:
            self._item(token, self._indentless_sequence)
        else:
            self._state = self._states.pop()
            self._nodes.leave(NOTHING)

    def _item(self, dash: Token, following: Callable[[], None]) -> None:
        length = len(self._scanner.head)
        self._skip()
        kind = self._peek()[0]
        if length and kind in _BLOCKS:
            # The head that was there before the dash is the block's; what came behind it, its first entry's.
            head = self._scanner.head
            self._stem = head[:length]
            self._scanner.head = head[length + 1 :]
        if kind in _NO_ITEM:
            self._state = following
            self._empty(dash[1] + 1)
        else:
            self._states.append(following)
            self._node()

    def _first_pair(self) -> None:
        self._peek()
        self._skip()
        self._block_mapping()

    def _block_mapping(self) -> None:
        token = self._peek()
        if token[0] != KEY:
            self._state = self._states.pop()
            parts = self._scanner.take()
            self._skip()
            self._nodes.leave(parts)
            return
        self._skip()
        if self._peek()[0] in _NO_NODE:
            self._state = self._block_value
            self._empty(token[1] + 1)
        else:
            self._states.append(self._block_value)
            self._node(indentless=True)

    def _block_value(self) -> None:
        token = self._peek()
        if token[0] != VALUE:
            self._state = self._block_mapping
            self._empty(_where(token))
            return
        self._skip()
        if self._peek()[0] in _NO_NODE:
            self._state = self._block_mapping
            self._empty(token[1] + 1)
        else:
            self._states.append(self._block_mapping)
            self._node(indentless=True)

    # -- flow ---------------------------------------------------------------------------------------------

    def _flow_sequence_start(self) -> None:
        self._peek()
        self._skip()
        self._flow_sequence_item(first=True)

    def _flow_sequence(self) -> None:
        self._flow_sequence_item(first=False)

    def _flow_sequence_item(self, *, first: bool) -> None:
        token = self._next_in_flow(first=first)
        if token[0] == KEY:
            self._state = self._pair_key
            self._skip()
            self._nodes.enter(token[1], 0, [], is_list=False, block=False, bare=False)
        elif token[0] == FLOW_SEQUENCE_END:
            self._end_flow()
        else:
            self._states.append(self._flow_sequence)
            self._node()

    def _next_in_flow(self, *, first: bool) -> Token:
        token = self._peek()
        if token[0] == FLOW_ENTRY and not first:
            self._skip()
            token = self._peek()
        return token

    def _end_flow(self) -> None:
        self._state = self._states.pop()
        parts = self._scanner.take()
        self._skip()
        self._nodes.leave(parts)

    def _pair_key(self) -> None:
        token = self._peek()
        if token[0] not in (VALUE, FLOW_ENTRY, FLOW_SEQUENCE_END):
            self._states.append(self._pair_value)
            self._node()
        else:
            self._skip()
            self._state = self._pair_value
            self._empty(token[1] + 1)

    def _pair_value(self) -> None:
        self._flow_value(self._pair_end, FLOW_SEQUENCE_END)

    def _pair_end(self) -> None:
        self._peek()
        self._state = self._flow_sequence
        self._nodes.leave(NOTHING)

    def _flow_mapping_start(self) -> None:
        self._peek()
        self._skip()
        self._flow_mapping_key(first=True)

    def _flow_mapping(self) -> None:
        self._flow_mapping_key(first=False)

    def _flow_mapping_key(self, *, first: bool) -> None:
        token = self._next_in_flow(first=first)
        if token[0] == FLOW_MAPPING_END:
            self._end_flow()
        elif token[0] != KEY:
            self._states.append(self._flow_mapping_no_value)
            self._node()
        else:
            self._skip()
            token = self._peek()
            if token[0] in (VALUE, FLOW_ENTRY, FLOW_MAPPING_END):
                self._state = self._flow_mapping_value
                self._empty(token[1])
            else:
                self._states.append(self._flow_mapping_value)
                self._node()

    def _flow_mapping_value(self) -> None:
        self._flow_value(self._flow_mapping, FLOW_MAPPING_END)

    def _flow_mapping_no_value(self) -> None:
        self._state = self._flow_mapping
        self._empty(self._peek()[1])

    def _flow_value(self, following: Callable[[], None], end: int) -> None:
        token = self._peek()
        if token[0] == VALUE:
            self._skip()
            token = self._peek()
            if token[0] != FLOW_ENTRY and token[0] != end:
                self._states.append(following)
                self._node()
                return
        self._state = following
        self._empty(token[1])


def resumable(text: str, start: int, column: int, around: int, *, item: bool) -> int:
    """Return where to read on before a further key or item of a block, -1 if that is not simple to say.

    ``column`` is its own, ``around`` that of the block. A key behind ``?`` or a distant dash is not simple, nor is
    a key that begins with a colon: the scanner looks back from it.
    """
    if item:
        return start - 2 if column == around + 2 and text.startswith("- ", start - 2) else -1
    return start if column == around and not text.startswith(":", start) else -1


def _where(token: Token) -> int:
    """Return where libyaml has a value that is not there: go-yaml moves the ends of blocks."""
    return token[2] if token[0] == BLOCK_END else token[1]
