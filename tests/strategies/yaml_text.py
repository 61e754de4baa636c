"""Random YAML texts: every style of scalar, comments wherever they may stand, layouts of all sorts.

Made as text, line by line, because the layout is what is to be tested. All of them are meant to be read by sops;
a few are not (a hypothesis strategy cannot know all of YAML's rules), and those the tests leave out by asking sops.
"""

from hypothesis import strategies as st

WORDS = st.text(alphabet="abcdefgxyzABC019_-./", min_size=1, max_size=12)
KEYS = st.from_regex(r"[a-zA-Z][a-zA-Z0-9_]{0,8}", fullmatch=True).filter(
    lambda key: key.lower() not in ("y", "n", "yes", "no", "on", "off", "true", "false", "null", "sops", "nan", "inf")
)
ANY_TEXT = st.text(
    alphabet=st.characters(codec="utf-8", exclude_categories=("Cs", "Co", "Cn"), exclude_characters="\ufffe\uffff"),
    min_size=0,
    max_size=20,
)
COMMENT = st.text(alphabet="abc DEF012:[]{},'\"!é", min_size=1, max_size=20).map(str.rstrip).filter(bool)
NUMBERS = st.one_of(
    st.integers(-(2**63), 2**63 - 1).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr).filter(lambda text: text != "-0.0"),
    st.sampled_from(
        ["0", "017", "0x1F", "0o17", "0b11", "1_000", "1.0", "1e3", "5.", ".5", "+1.5", "089", ".inf", "-.inf", ".nan"]
    ),
)
TIDY_NUMBERS = st.one_of(
    st.integers(-(2**63), 2**63 - 1).map(str), st.sampled_from(["0", "1.0", "2.5", "-0.25", "1e+21", "123.456"])
)
OTHER_PLAIN = st.sampled_from(
    ["true", "False", "TRUE", "null", "~", "Null", "yes", "no", "on", "off", "y", "n", "2001-12-14", "190:20:30",
     "2001-12-14t21:59:43.10-05:00", "2001-12-14 21:59:43", "=", "a: b".replace(": ", ":"), "x#y", "-x", "a,b", "é", "🔑"]
)  # fmt: skip


def _double(text: str) -> str:
    out = []
    for character in text:
        code = ord(character)
        if character in '"\\':
            out.append("\\" + character)
        elif character == "\n":
            out.append("\\n")
        elif code < 0x20 or 0x7F <= code < 0xA1 or character in "\u2028\u2029\ufeff":
            out.append(f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")
        else:
            out.append(character)
    return '"' + "".join(out) + '"'


def _single(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


PRINTABLE = ANY_TEXT.map(lambda text: "".join(c for c in text if c.isprintable()))
FLOW_SCALAR = st.one_of(
    st.from_regex(r"[a-z][a-z0-9]{0,6}", fullmatch=True),
    st.integers(-1000, 1000).map(str),
    PRINTABLE.map(_double),
    PRINTABLE.map(_single),
)
INLINE_SCALAR = st.one_of(
    WORDS.filter(lambda word: word[0] not in "-."),
    NUMBERS,
    OTHER_PLAIN,
    ANY_TEXT.map(_double),
    PRINTABLE.map(_single),
    st.just(""),
)


TIDY_PLAIN = st.sampled_from(["true", "false", "null", "~", "x#y", "-x", "a,b", "é", "a:b", "2001-12-14T00:00:00Z"])
TIDY_FLOW_SCALAR = st.one_of(st.integers(-1000, 1000).map(str), PRINTABLE.map(_double))
TIDY_SCALAR = st.one_of(
    WORDS.filter(lambda word: word[0].isalpha() and len(word) > 5),
    TIDY_NUMBERS,
    TIDY_PLAIN,
    PRINTABLE.map(_double),
    PRINTABLE.map(_single),
    st.just(""),
)


@st.composite
def _block_scalar(draw: st.DrawFn, indent: int, *, tidy: bool) -> list[str]:
    """Return the header and the lines of a block scalar whose parent is at ``indent``."""
    header = draw(st.sampled_from(["|", "|-", "|+"] if tidy else ["|", "|-", "|+", ">", ">-"]))
    line = st.text(alphabet="abc ':#{}é", min_size=1, max_size=15).map(str.strip).filter(bool)
    lines = draw(st.lists(st.one_of(line, line, st.just("")), min_size=1, max_size=4))
    lines[0] = lines[0] or "x"
    if lines[-1] == "" and not header.endswith("+"):
        lines[-1] = "z"
    pad = " " * (indent + draw(st.integers(1, 4)))
    return [header, *[pad + text if text else "" for text in lines]]


@st.composite
def _flow(draw: st.DrawFn, depth: int = 0, *, tidy: bool) -> str:
    if depth > 1 or (depth and draw(st.booleans())):
        return draw(TIDY_FLOW_SCALAR if tidy else FLOW_SCALAR)
    if draw(st.booleans()):
        return "[" + ", ".join(draw(st.lists(_flow(depth + 1, tidy=tidy), max_size=3))) + "]"
    keys = draw(st.lists(KEYS, max_size=3, unique=True))
    return "{" + ", ".join(f"{key}: {draw(_flow(depth + 1, tidy=tidy))}" for key in keys) + "}"


class _Writer:
    """Collects lines; how it draws decides the layout."""

    def __init__(self, draw: st.DrawFn, *, comments: bool, tidy: bool) -> None:
        self.draw = draw
        self.comments = comments
        self.tidy = tidy
        self.lines: list[str] = []

    def chance(self, percent: int) -> bool:
        return self.draw(st.integers(0, 99)) < percent

    def maybe_comment(self, indent: int, percent: int) -> None:
        if self.comments and self.chance(percent):
            for _ in range(self.draw(st.integers(1, 2))):
                self.lines.append(" " * indent + "#" + self.draw(COMMENT))
            if self.chance(25):
                self.lines.append("")
        elif self.chance(8):
            self.lines.append("")

    def inline_comment(self) -> str:
        return " #" + self.draw(COMMENT) if self.comments and self.chance(12) else ""

    def mapping(self, indent: int, depth: int) -> None:
        step = self.draw(st.sampled_from([1, 2, 2, 2, 4]))
        for key in self.draw(st.lists(KEYS, min_size=1, max_size=4, unique=True)):
            self.maybe_comment(indent, 15)
            self.value(" " * indent + key + ":", indent, indent + step, depth)
        self.maybe_comment(indent, 8)

    def sequence(self, indent: int, depth: int) -> None:
        for _ in range(self.draw(st.integers(1, 3))):
            self.maybe_comment(indent, 12)
            if depth < 3 and self.chance(30):
                before = len(self.lines)
                self.mapping(indent + 2, depth + 1)
                while self.lines[before:] and (
                    self.lines[before].strip() == "" or self.lines[before].lstrip()[0] == "#"
                ):
                    del self.lines[before]
                self.lines[before] = " " * indent + "- " + self.lines[before][indent + 2 :]
            else:
                self.value(" " * indent + "-", indent, indent + 2, depth)
        self.maybe_comment(indent, 6)

    def value(self, head: str, indent: int, inner: int, depth: int) -> None:
        choice = self.draw(st.integers(0, 99))
        is_item = head.endswith("-")
        if depth < 3 and choice < 18 and not is_item:
            self.lines.append(head + self.inline_comment())
            self.mapping(inner, depth + 1)
        elif depth < 3 and choice < 32 and not is_item:
            self.lines.append(head + self.inline_comment())
            self.sequence(indent if self.chance(50) else inner, depth + 1)
        elif choice < 42:
            header, *body = self.draw(_block_scalar(indent, tidy=self.tidy))
            self.lines.append(f"{head} {header}")
            self.lines.extend(body)
        elif choice < 52:
            self.lines.append(f"{head} {self.draw(_flow(tidy=self.tidy))}{self.inline_comment()}")
        else:
            text = self.draw(TIDY_SCALAR if self.tidy else INLINE_SCALAR)
            self.lines.append((f"{head} {text}" if text else head) + self.inline_comment())


@st.composite
def yaml_documents(draw: st.DrawFn, *, comments: bool = True, tidy: bool = False) -> str:
    """A YAML stream of one to three documents, each a map.

    ``tidy``: without the spellings that decrypting may change: folded and escaped strings, hexadecimal and octal
    integers, ``True``, words that YAML 1.1 takes for booleans, unquoted strings in braces.
    """
    documents = []
    for number in range(draw(st.sampled_from([1, 1, 1, 1, 2, 3]))):
        writer = _Writer(draw, comments=comments, tidy=tidy)
        if number or writer.chance(15):
            writer.lines.append("---")
        writer.mapping(0, 0)
        documents.append("\n".join(writer.lines) + "\n")
    text = "".join(documents)
    shape = draw(st.integers(0, 99))
    if shape < 6:
        text = text.replace("\n", "\r\n")
    elif shape < 9:
        text = "\ufeff" + text
    elif shape < 14:
        text = text.rstrip("\n")
    return text
