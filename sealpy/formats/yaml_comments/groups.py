"""Comments that go together: which part of a node they are, and from which token on they are taken up."""

from sealpy.formats.yaml_comments.tokens import FLOW_ENTRY, VALUE, Place, Token

BLANK_LINE = -1
"""Stands between the comments of a group for a line break of its text beyond the one that ends a comment."""

HEAD, LINE_END, FOOT = range(3)

Lines = list[int]
"""Numbers of comments, and blank lines between them."""

Parts = tuple[Lines, Lines, Lines]
"""The comments at a node's head, on its line and at its foot."""

NOTHING: Parts = ([], [], [])


class Group:
    """Comments that go together. ``lines`` are numbers of comments, and line breaks between them."""

    __slots__ = ("column", "end", "lines", "part", "scan", "start", "token")

    def __init__(self, part: int, lines: Lines, token: int, start: int, column: int, scan: int, end: int) -> None:
        self.part = part
        self.lines = lines
        self.token = token
        """The first token at or behind this index takes it."""
        self.start = start
        self.column = column
        """Where its first comment stands, counted from 1."""
        self.scan = scan
        """Where the scanner began to look for it."""
        self.end = end


class Block:
    """Comments that follow each other, while they are read.

    Columns count from 1 here, and the line that a comment stands on is forgotten once its end was passed: lines
    after it are numbered one too low. The reference compares with these numbers, so they decide where comments go.
    """

    __slots__ = (
        "_after_value",
        "_column",
        "_first_empty",
        "_foot_line",
        "_indent",
        "_line",
        "_place_line",
        "_recent_empty",
        "_scan",
        "_start",
        "_token",
        "lines",
        "place_column",
    )

    def __init__(self, queue: list[Token], indent: int, scan: Place, place: Place) -> None:
        token = queue[-1]
        if token[0] == FLOW_ENTRY and len(queue) > 1:
            token = queue[-2]
        self._token = token[1]
        self._after_value = token[0] == VALUE
        self._indent = max(indent, 0)
        self._scan = scan[0]
        self._foot_line = 0 if scan[1] > 0 else -1
        self._first_empty = True
        self._recent_empty = False
        self._start = self._line = self._column = 0
        _, self._place_line, self.place_column = place
        self.lines: Lines = []

    def newlines(self, count: int) -> None:
        """Say how many lines ended since the last content: the foot of that begins on the line after it."""
        if self._foot_line == 0:
            self._foot_line = self._place_line - count + 1
            if count == 0 and self.place_column > 1:
                self._foot_line += 1
        self._first_empty = count <= 1

    def add(self, index: int, number: int, line: int) -> None:
        if self.lines:
            self.lines.append(BLANK_LINE)
        else:
            self._start, self._line, self._column = index, self._place_line, self.place_column
        self.lines.append(number)
        self._recent_empty = False
        self._place_line = line
        self.place_column = 0

    def end_line(self, index: int, groups: list[Group], *, closing: bool, last: bool) -> None:
        """Note an empty line, or the end of it all.

        The first empty line parts the foot of what came before from the head of what follows.
        """
        if closing or not self._recent_empty:
            dedented = self._column - 1 < self._indent
            at_foot = self._line == self._foot_line and not self._after_value
            if closing or (self._first_empty and (at_foot or dedented)):
                if self.lines:
                    if dedented:
                        self._token = self._start
                    groups.append(self._foot(index))
            elif self.lines and not last:
                self.lines.append(BLANK_LINE)
        self._first_empty = False
        self._recent_empty = True
        self._place_line += 1
        self.place_column = 0

    def split(self, index: int, groups: list[Group]) -> None:
        """Part what came before from something in another column, left of the block: it was a foot."""
        column = self.place_column
        if self.lines and column - 1 < self._indent and column != self._column:
            groups.append(self._foot(index))

    def _foot(self, end: int) -> Group:
        group = Group(FOOT, self.lines, self._token, self._start, self._column, self._scan, end)
        self._scan = self._token = end
        self.lines = []
        return group

    def head(self, end: int) -> Group:
        return Group(HEAD, self.lines, self._start, self._start, self._column, self._scan, end)


def joined(first: Lines, more: Lines) -> Lines:
    """Put comments behind others that are due for the same part of a node."""
    if not first:
        return more
    first.append(BLANK_LINE)
    first += more
    return first
