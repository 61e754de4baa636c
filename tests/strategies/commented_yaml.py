"""Random YAML streams that are full of comments: before, beside and behind everything, in every column.

Sparser in values than ``yaml_text``, and not meant to look like what people write: each comment and key is numbered,
so that it is known where each one went.
"""

from collections.abc import Callable
from random import Random

COMMENTS = ["# c{}", "#c{}", "#  c{} ", "#\tc{}", "# c{}: x", "# - c{}"]
PLAIN = ["v", "1", "several words", "true", "1.5", "a#b", "http://x"]
QUOTED = ["'single'", '"double"', '"a # b"', "'it''s'"]
IN_FLOW = ["1", "abc", "'q'", '"d"', "true", "null", "x y"]
BLANK = ["", "", " ", "    ", "         "]


def commented_yaml(random: Random) -> str:
    """Make one stream; sops may refuse it, which is seldom."""
    return _Stream(random).text()


class _Stream:
    def __init__(self, random: Random) -> None:
        self.random = random
        self.lines: list[str] = []
        self.number = 0
        self.anchors: list[str] = []
        self.comments = random.choice([0.05, 0.2, 0.5, 0.9])
        self.blanks = random.choice([0, 0.1, 0.3])

    def text(self) -> str:
        for number in range(self.random.choice([1, 1, 1, 1, 2, 3])):
            self._between(0)
            self._document(first=number == 0)
            self._between(0)
            if self._chance(0.1):
                self.lines.append("..." + self._beside())
            self._between(0)
        newline = self.random.choice(["\n"] * 5 + ["\r\n"])
        text = newline.join("\n".join(self.lines).split("\n"))
        if self._chance(0.85):
            text += newline
        return "\ufeff" + text if self._chance(0.03) and not text.startswith(" ") else text

    def _document(self, *, first: bool) -> None:
        self.anchors = []
        if not first or self._chance(0.2):
            self.lines.append("---" + self._beside())
            self._between(0)
        elif self._chance(0.03):
            self.lines.append("%YAML 1.1" + self._beside())
            self._between(0)
            self.lines.append("---")
        if self._chance(0.05):
            self._add(f"{{k{self._next()}: 1, k{self._next()}: {self._flow(0)}}}{self._beside()}")
        elif self._chance(0.96):
            self._mapping(self.random.choice([0] * 19 + [2]), 0, "")

    # -- comments and blank lines ----------------------------------------------------------------------

    def _comment(self) -> str:
        return "#" if self._chance(0.03) else self.random.choice(COMMENTS).format(self._next())

    def _beside(self) -> str:
        """Something behind the content of a line."""
        if self._chance(self.comments * 0.5):
            return self.random.choice([" ", "  ", "\t", " " * 8]) + self._comment()
        return self.random.choice([" ", "   "]) if self._chance(0.03) else ""

    def _between(self, column: int, share: float = 1) -> None:
        """Lines before something in this column."""
        while self._chance(self.comments * 0.6 * share) or self._chance(self.blanks):
            if self._chance(0.3) or self._chance(self.blanks):
                self.lines.append(self.random.choice(BLANK))
                continue
            anywhere = [0, max(column - 1, 0), max(column - 2, 0), column + 1, column + 2, self.random.randrange(12)]
            self.lines.append(" " * (column if self._chance(0.6) else self.random.choice(anywhere)) + self._comment())

    # -- nodes -----------------------------------------------------------------------------------------

    def _mapping(self, column: int, depth: int, lead: str) -> None:
        for number in range(self.random.choice([1, 1, 2, 2, 3])):
            before = " " * column
            if number or not lead:
                self._between(column)
            else:
                before = lead
            if self._chance(0.03):
                self._add(f"{before}? k{self._next()}{self._beside()}")
                self._between(column, 0.3)
                self._node(column, f"{' ' * column}:", depth)
            else:
                self._node(column, f"{before}{self._key()}:", depth)
        if self._chance(0.4):
            self._between(column)

    def _sequence(self, column: int, depth: int, lead: str) -> None:
        for number in range(self.random.choice([1, 2, 2, 3])):
            before = " " * column
            if number or not lead:
                self._between(column)
            else:
                before = lead
            if self._chance(self.comments * 0.15):
                self._behind_dash(column, f"{before}- ", depth)
            else:
                self._node(column, f"{before}-", depth, item=True)
        if self._chance(0.4):
            self._between(column)

    def _behind_dash(self, column: int, dash: str, depth: int) -> None:
        self._add(dash + self._comment())
        inner = column + self.random.choice([1, 2, 4])
        self._between(inner)
        if self._chance(0.4):
            self._mapping(inner, depth + 1, "")
        elif self._chance(0.5):
            self._sequence(inner, depth + 1, "")
        else:
            self._add(f"{' ' * inner}item{self._beside()}")

    def _node(self, column: int, lead: str, depth: int, *, item: bool = False) -> None:
        """A value behind a key's colon or a dash, which stands in this column."""
        if depth > 4 or self._chance(0.5):
            self._scalar(column, lead)
            return
        collection: Callable[[int, int, str], None] = self.random.choice([self._mapping, self._sequence])
        tag = "!!map" if collection == self._mapping else "!!seq"
        properties = f" {self.random.choice([tag, f'&m{self._next()}'])}" if self._chance(0.06) else ""
        if item and self._chance(0.6) and not properties:
            gap = self.random.choice([1, 1, 1, 3])
            collection(column + 1 + gap, depth + 1, lead + " " * gap)
            return
        self._add(lead + properties + self._beside())
        indent = self.random.choice([1, 2, 2, 2, 4])
        if collection == self._sequence and not item and self._chance(0.3):
            indent = 0
        collection(column + indent, depth + 1, "")

    def _key(self) -> str:
        name = f"k{self._next()}"
        odd = [f'"{name}"', f"'{name}'", f"&a{self.number} {name}", f"!!str {name}"]
        return self.random.choice(odd) if self._chance(0.15) else name

    def _scalar(self, column: int, lead: str) -> None:
        indent = " " * (column + self.random.choice([1, 2, 4]))
        kind = self.random.random()
        if kind < 0.7:
            lead += self._properties()
        if kind < 0.35:
            self._add(f"{lead} {self.random.choice(PLAIN)}{self._beside()}")
        elif kind < 0.43:
            self._add(f"{lead} {self.random.choice(QUOTED)}{self._beside()}")
        elif kind < 0.5:
            self._block_scalar(column, lead, indent)
        elif kind < 0.55:
            more = f"\n\n{indent}again" if self._chance(0.3) else ""
            self._add(f"{lead} plain\n{indent}goes on{more}{self._beside()}")
        elif kind < 0.6:
            self._add(f'{lead} "quoted\n{indent}goes on"{self._beside()}')
        elif kind < 0.65:
            self._add(lead + self._beside())
        elif kind < 0.7:
            self._add(lead + self._beside())
            self._between(len(indent))
            self._add(f"{indent}below{self._beside()}")
        elif kind < 0.73 and self.anchors:
            self._add(f"{lead} *{self.random.choice(self.anchors)}{self._beside()}")
        else:
            self._add(f"{lead} {self._flow(0)}{self._beside()}")

    def _properties(self) -> str:
        if not self._chance(0.06):
            return ""
        anchor = f"s{self._next()}"
        self.anchors.append(anchor)
        return self.random.choice([f" &{anchor}", f" &{anchor} !!str", f" !!str &{anchor}"])

    def _block_scalar(self, column: int, lead: str, indent: str) -> None:
        sign = self.random.choice("|>")
        if self._chance(0.2):
            sign += "2"
            indent = " " * (column + 2)
        self._add(f"{lead} {sign}{self.random.choice(['', '-', '+'])}{self._beside()}")
        for _ in range(self.random.choice([0, 1, 1, 2, 3])):
            self._add(indent + self.random.choice(["text", "more # text", "# no comment"]))
        if self._chance(0.3):
            self._add(self.random.choice(["", " ", indent[:-1]]))

    def _flow(self, depth: int) -> str:
        kind = self.random.random()
        if kind < 0.4 or depth > 2:
            return self.random.choice(IN_FLOW)
        entries = []
        for _ in range(self.random.choice([0, 1, 1, 2, 3])):
            value = self._flow(depth + 1)
            if kind < 0.7:
                value = f"k{self._next()}: {value}" if self._chance(0.1) else value
            else:
                value = f"k{self._next()}: {self._gap()}{value}"
            entries.append(self._gap() + value + self._gap())
        last = "," + self._gap() if entries and self._chance(0.1) else ""
        opening, closing = "[]" if kind < 0.7 else "{}"
        return opening + ",".join(entries) + last + (self._gap() if self._chance(0.3) else "") + closing

    def _gap(self) -> str:
        """Something between two tokens in flow, that may begin new lines."""
        if not self._chance(0.12 * (0.3 + self.comments)):
            return self.random.choice(["", " "])
        gap = (" " + self._comment() if self._chance(self.comments) else "") + "\n"
        while self._chance(self.comments * 0.4):
            gap += " " * self.random.choice([1, 2, 4, 6]) + (self._comment() if self._chance(0.8) else "") + "\n"
        return gap + " " * self.random.choice([4, 12, 20, 26])

    # -- the rest --------------------------------------------------------------------------------------

    def _add(self, lines: str) -> None:
        self.lines.extend(lines.split("\n"))

    def _next(self) -> int:
        self.number += 1
        return self.number

    def _chance(self, share: float) -> bool:
        return self.random.random() < share
