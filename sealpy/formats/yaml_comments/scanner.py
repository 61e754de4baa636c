"""Comments as go-yaml's scanner reads them: gathered in groups, each bound to a token.

go-yaml is libyaml with comments added. While its scanner looks for the next token it collects comments, decides
whether they stand at the head of what follows, at the foot of what came before, or on its line, and remembers the
index from which a token may take them. Its parser takes them up token by token. Where a comment ends up therefore
also depends on how far the scanner has read when the parser looks, which is at least two tokens ahead, further while
a key may still turn out to be one. This is done again here, on tokens that are known already.

Indentation, simple keys and look-ahead are libyaml's; only what comments need of them is kept. It is one state that
every token moves on, so it is one class and a longer module.
"""

from collections.abc import Iterator

from sealpy.formats.yaml_comments.groups import HEAD, LINE_END, NOTHING, Block, Group, Lines, Parts, joined
from sealpy.formats.yaml_comments.tokens import (
    ALIAS,
    BLOCK_END,
    BLOCK_MAPPING,
    BLOCK_SCALAR,
    BLOCK_SEQUENCE,
    BREAKS,
    DIRECTIVE,
    ENTRY,
    FLOW_ENTRY,
    FLOW_MAPPING_END,
    FLOW_MAPPING_START,
    FLOW_SEQUENCE_END,
    FLOW_SEQUENCE_START,
    KEY,
    PLAIN,
    PROPERTIES,
    QUOTED,
    STREAM_END,
    STREAM_START,
    VALUE,
    Place,
    Token,
    advance,
    breaks_in,
    line_end,
    skip_white,
)

WINDOW = 512
"""How many characters the scanner looks ahead for the next comment."""

KEY_WINDOW = 1024
"""How long a simple key may be."""

BREAKS_OR_END = BREAKS + "\0"
_NOWHERE = 1 << 62
_WIDE_BREAKS = "\x85\u2028\u2029"
_SIMPLE_NODES = PROPERTIES | {QUOTED, ALIAS}
_OPENERS = frozenset((FLOW_SEQUENCE_START, FLOW_MAPPING_START))
_CLOSERS = frozenset((FLOW_SEQUENCE_END, FLOW_MAPPING_END))


class Scanner:
    """The queue of tokens between scanner and parser, and the comments that came with them.

    ``head``, ``line``, ``foot`` are what the parser's latest look has taken up and no node has yet.
    ``found`` are all comments: the index of ``#`` and of their end.
    """

    __slots__ = (
        "_allowed",
        "_content",
        "_flow",
        "_groups",
        "_indent",
        "_indents",
        "_key_tokens",
        "_keys",
        "_place",
        "_queue",
        "_read",
        "_sharp",
        "_taken",
        "_text",
        "_tokens",
        "foot",
        "found",
        "head",
        "line",
    )

    def __init__(
        self, text: str, tokens: Iterator[Token], place: Place, indents: list[int], found: list[tuple[int, int]]
    ) -> None:
        self._text = text
        self._tokens = tokens
        self._place = place
        self._content = place[0]
        """Where the last thing ends that is no white space."""
        self._sharp = _find(text, place[0])
        """Where the next number sign is; it may be in a scalar."""
        self._queue: list[Token] = [(STREAM_START, place[0])] if len(indents) == 1 else []
        self._read = len(self._queue)
        """How many tokens of the queue the parser is done with."""
        self._indent = indents[-1]
        self._indents = indents[:-1]
        self._flow = 0
        self._allowed = True
        """May a simple key begin here?"""
        self._keys = [_SimpleKey()]
        """The possible simple key of each flow level."""
        self._key_tokens: dict[int, int] = {}
        """Which token may turn out to be which level's simple key."""
        self._groups: list[Group] = []
        self._taken = 0
        self.found = found
        self.head: Lines = []
        self.line: Lines = []
        self.foot: Lines = []

    # -- for the parser -----------------------------------------------------------------------------------

    def peek(self) -> Token:
        """Return the next token, having taken up the comments that are due with it."""
        queue = self._queue
        read = self._read
        while read >= len(queue) - 2 or (read in self._key_tokens and self._may_be_key(self._key_tokens[read])):
            self._fetch()
        token = queue[read]
        if self._taken < len(self._groups):
            self._take_up(token)
        return token

    def skip(self) -> None:
        """Be done with the token."""
        self._read += 1

    def take(self) -> Parts:
        """Hand over what was taken up."""
        if not (self.head or self.line or self.foot):
            return NOTHING
        taken = self.head, self.line, self.foot
        self.head, self.line, self.foot = [], [], []
        return taken

    @property
    def idle(self) -> bool:
        """Is no comment on its way to a node?"""
        return self._taken == len(self._groups) and not (self.head or self.line or self.foot)

    def _take_up(self, token: Token) -> None:
        groups = self._groups
        while self._taken < len(groups) and token[1] >= groups[self._taken].token:
            group = groups[self._taken]
            if group.part == HEAD:
                if token[0] == BLOCK_END:
                    # No head on an end: it waits for what follows, and so do those behind it.
                    break
                self.head = joined(self.head, group.lines)
            elif group.part == LINE_END:
                self.line = joined(self.line, group.lines)
            else:
                self.foot = joined(self.foot, group.lines)
            self._taken += 1

    # -- tokens -------------------------------------------------------------------------------------------

    def _fetch(self) -> None:
        """Put the next token into the queue, with the starts and ends of blocks that it implies."""
        token = next(self._tokens, None)
        if token is None:
            self._queue.append((STREAM_END, self._place[0]))
            return
        kind, index, line, column = token[:4]
        scan = self._place[0]
        if self._sharp < index:
            self._read_comments(token)
        if line > self._place[1] and not self._flow:
            self._allowed = True
        self._place = (index, line, column)
        if self._indent > column and not self._flow:
            self._unroll(column, scan)
        self._add(kind, token)

    def _add(self, kind: int, token: Token) -> None:
        if kind == PLAIN:
            self._plain(token)
        elif kind == VALUE:
            self._value(token)
        elif kind == ENTRY:
            self._entry(token)
        elif kind in _SIMPLE_NODES:
            self._node(token)
        elif kind == BLOCK_SCALAR:
            self._block_scalar(token)
        elif kind == FLOW_ENTRY:
            self._flow_entry(token)
        elif kind in _OPENERS:
            self._flow_start(token)
        elif kind in _CLOSERS:
            self._flow_end(token)
        elif kind == KEY:
            self._key(token)
        elif kind == STREAM_END:
            self._stream_end(token)
        elif kind == DIRECTIVE:
            self._directive(token)
        else:
            self._document_indicator(token)

    def _unroll(self, column: int, scan: int) -> None:
        """End the blocks that are indented deeper.

        A block ends before comments in its own column that follow it: they are the foot of what is around it.
        """
        mark = scan - 1
        firsts: dict[int, int] | None = None
        while self._indent > column:
            if firsts is None:
                firsts = self._first_comments(mark)
            mark = firsts.get(self._indent + 1, mark)
            self._queue.append((BLOCK_END, mark, self._place[0]))
            self._indent = self._indents.pop()

    def _first_comments(self, stop: int) -> dict[int, int]:
        """Return where the first comment of each column stands, among those with nothing between them and here."""
        firsts = {}
        for group in self._groups[: self._taken - 1 if self._taken else None : -1]:
            if group.end < stop:
                break
            firsts[group.column] = group.start
            stop = group.scan
        return firsts

    def _roll(self, kind: int, index: int, column: int, number: int) -> None:
        """Begin a block, if this is indented deeper than the one around it."""
        if self._indent < column and not self._flow:
            self._indents.append(self._indent)
            self._indent = column
            self._queue.insert(number, (kind, index, column))

    def _save_key(self) -> None:
        if self._allowed:
            self._remove_key()
            number = len(self._queue)
            self._keys[-1].save(number, self._place)
            self._key_tokens[number] = len(self._keys) - 1

    def _remove_key(self) -> None:
        key = self._keys[-1]
        if key.possible:
            key.possible = False
            self._key_tokens.pop(key.number, None)

    def _may_be_key(self, level: int) -> bool:
        key = self._keys[level]
        if key.possible and (key.line < self._place[1] or key.index + KEY_WINDOW < self._place[0]):
            key.possible = False
        return key.possible

    def _append(self, token: Token) -> None:
        self._queue.append(token)
        self._place = token[4], token[5], token[6]
        self._content = token[4]

    def _stream_end(self, token: Token) -> None:
        index, line, column = self._place
        if column:
            self._place = (index, line + 1, 0)
        self._unroll(-1, index)
        self._remove_key()
        self._queue.append(token)

    def _document_indicator(self, token: Token) -> None:
        self._unroll(-1, token[1])
        self._remove_key()
        self._allowed = False
        self._append(token)

    def _directive(self, token: Token) -> None:
        """A comment behind a directive is dropped."""
        self._document_indicator(token)
        text = self._text
        index = token[4]
        if self._sharp == index:
            end = line_end(text, index)
            self._note(index, end)
            index = end
        # The reference reads the line break, too; there is always one before what a directive is for.
        index += 2 if text.startswith("\r\n", index) else 1
        self._place = (index, token[5] + 1, 0)

    def _flow_start(self, token: Token) -> None:
        self._save_key()
        # Until something in there may be a key, the level goes by this token's number.
        self._keys.append(_SimpleKey(len(self._queue)))
        self._flow += 1
        self._allowed = True
        self._append(token)
        self._read_line_comment(token[1])

    def _flow_end(self, token: Token) -> None:
        self._remove_key()
        if self._flow:
            self._flow -= 1
            self._key_tokens.pop(self._keys.pop().number, None)
        self._allowed = False
        self._append(token)
        self._read_line_comment(token[1])

    def _flow_entry(self, token: Token) -> None:
        self._remove_key()
        self._allowed = True
        # A comment behind a comma belongs to what is before it.
        before = self._queue[-1][1]
        self._append(token)
        self._read_line_comment(before)

    def _entry(self, token: Token) -> None:
        """A comment behind a dash is none on its line: it is at the head of the item."""
        self._roll(BLOCK_SEQUENCE, token[1], token[3], len(self._queue))
        self._remove_key()
        self._allowed = True
        self._append(token)

    def _key(self, token: Token) -> None:
        self._roll(BLOCK_MAPPING, token[1], token[3], len(self._queue))
        self._remove_key()
        self._allowed = not self._flow
        self._append(token)
        self._read_line_comment(token[1])

    def _value(self, token: Token) -> None:
        # In a block, a comment behind the colon belongs to the token before, which is the key.
        before = token[1] if self._flow or not self._queue else self._queue[-1][1]
        if self._may_be_key(-1):
            key = self._keys[-1]
            self._queue.insert(key.number, (KEY, key.index))
            self._roll(BLOCK_MAPPING, key.index, key.column, key.number)
            key.possible = False
            self._key_tokens.pop(key.number, None)
            self._allowed = False
        else:
            self._roll(BLOCK_MAPPING, token[1], token[3], len(self._queue))
            self._allowed = not self._flow
        self._append(token)
        self._read_line_comment(before)

    def _node(self, token: Token) -> None:
        """Add an anchor, a tag, an alias or a quoted scalar."""
        self._save_key()
        self._allowed = False
        self._append(token)
        if self._sharp < token[4]:
            self._sharp = _find(self._text, token[4])
        self._read_line_comment(token[1])

    def _plain(self, token: Token) -> None:
        """A plain scalar ends where something else begins: the white space behind it was read in search of more."""
        self._save_key()
        before = token[1]
        if not self._flow and self._queue and self._text.startswith(":", before):
            before = self._queue[-1][1]
        self._allowed = False
        self._append(token)
        if not self._skip_white(token):
            self._read_line_comment(before)

    def _block_scalar(self, token: Token) -> None:
        self._remove_key()
        start, end = token[1], token[4]
        if self._sharp < end:
            text = self._text
            header = line_end(text, start)
            if self._sharp < header:
                self._note(self._sharp, header)
                lines = [len(self.found) - 1]
                self._groups.append(Group(LINE_END, lines, start, self.found[-1][0], 0, 0, 0))
            self._sharp = _find(text, end)
        self._allowed = True
        self._append(token)
        self._content = start + len(self._text[start:end].rstrip(" \t" + BREAKS))
        self._skip_white(token)

    def _skip_white(self, token: Token) -> bool:
        """Move on to what follows a scalar; say whether it is on another line."""
        text = self._text
        end = token[4]
        if self._sharp < end:
            self._sharp = _find(text, end)
        white = skip_white(text, end, len(text))
        if white > end:
            self._place = advance(text, self._place, white)
            if self._place[1] > token[5]:
                self._allowed = True
        return self._place[1] > token[5]

    # -- comments -----------------------------------------------------------------------------------------

    def _note(self, start: int, end: int) -> int:
        """Remember a comment, and return its number."""
        self.found.append((start, end))
        self._content = end
        self._sharp = _find(self._text, end)
        return len(self.found) - 1

    def _read_line_comment(self, token: int) -> None:
        """Read a comment on the same line as what was just added."""
        index, line, column = self._place
        start = self._sharp
        if start - index >= WINDOW or self._text[index:start].strip(" \t"):
            return
        end = line_end(self._text, start)
        self._groups.append(Group(LINE_END, [self._note(start, end)], token, start, 0, 0, 0))
        self._place = (end, line, column + end - index)

    def _read_comments(self, token: Token) -> None:
        """Read the comments on the lines before a token."""
        scan = self._place
        stop = token[1]
        ahead = "\0" if token[0] == STREAM_END else "]" if token[0] in _CLOSERS else "x"
        while self._sharp < stop:
            if advance(self._text, self._place, self._sharp)[1] > self._place[1] and not self._flow:
                self._allowed = True
            self._place = advance(self._text, self._place, self._sharp)
            self._read_block(scan, token, ahead)

    def _read_block(self, scan: Place, token: Token, ahead: str) -> None:
        """Read comments that follow each other, and sort them into groups.

        ``ahead`` is what the next token begins with: nothing more, the end of a flow collection, or something else.
        """
        text = self._text
        size = len(text)
        stop = token[1]
        block = Block(self._queue, self._indent, scan, self._place)
        block.newlines(breaks_in(text[self._content : self._place[0]]))
        base = self._place[0]
        peek = 0
        wide = False
        while peek < WINDOW:
            index = base + peek
            # Behind the end of the text is the line break that a last line lacks when one more key is added.
            char = ahead if index >= stop else text[index] if index < size else "\r\n"[index - stop]
            if wide:
                # The rest of a line break of several bytes is neither white space nor a comment.
                char, wide = "x", False
            # The key that is only thought of may be indented by spaces that are not there.
            block.place_column = token[3] + 1 if index == stop else block.place_column + 1
            if char in " \t":
                peek += 1
                continue
            closing = char in "]}" and self._flow > 0
            if closing or char in BREAKS_OR_END:
                block.end_line(index, self._groups, closing=closing, last=char == "\0")
                if char not in BREAKS:
                    break
                wide = char in _WIDE_BREAKS
                peek += 1
                continue
            block.split(index, self._groups)
            if char != "#":
                break
            end = line_end(text, index)
            self._place = advance(text, self._place, end)
            block.add(index, self._note(index, end), self._place[1])
            # The line break behind a comment goes unseen: a carriage return does, and its line feed does not.
            base = end
            peek = 1
            wide = end < size and text[end] in _WIDE_BREAKS
        if block.lines:
            self._groups.append(block.head(base + peek - 1))


class _SimpleKey:
    """A token that may turn out to be a key, once a colon follows."""

    __slots__ = ("column", "index", "line", "number", "possible")

    def __init__(self, number: int = 0) -> None:
        self.possible = False
        self.number = number
        self.index = self.line = self.column = 0

    def save(self, number: int, place: Place) -> None:
        self.possible = True
        self.number = number
        self.index, self.line, self.column = place


def _find(text: str, start: int) -> int:
    """Return where the next number sign is, or somewhere far behind the end."""
    found = text.find("#", start)
    return _NOWHERE if found < 0 else found
