"""Random YAML texts: every style of scalar, comments wherever they may stand, layouts of all sorts.

Made as text, line by line, because the layout is what is to be tested. All of them are meant to be read by sops;
a few are not (YAML has more rules than a generator should), and those the tests leave out by asking sops.

hypothesis draws one number for each document and a ``Random`` does the rest: drawing every line from hypothesis
takes longer than sealing it.
"""

from collections.abc import Callable
from random import Random

from hypothesis import strategies as st

LETTERS = "abcdefghijklmnopqrstuvwxyzABCXYZ"
FORBIDDEN_KEYS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null", "sops", "nan", "inf"))
# Planes and scripts that serializers get wrong, beside what people write.
RANGES = (
    (0x20, 0x7E),
    (0x20, 0x7E),
    (0x09, 0x0A),
    (0xA0, 0x17F),
    (0x2018, 0x2030),
    (0x4E00, 0x4E40),
    (0x1F510, 0x1F520),
    (0x00, 0x1F),
    (0x7F, 0x9F),
)
ODD_NUMBERS = [
    "0",
    "017",
    "0x1F",
    "0o17",
    "0b11",
    "1_000",
    "1.0",
    "1e3",
    "5.",
    ".5",
    "+1.5",
    "089",
    ".inf",
    "-.inf",
    ".nan",
]
TIDY_NUMBERS = ["0", "1.0", "2.5", "-0.25", "1e+21", "123.456"]
ODD_PLAIN = [
    "true", "False", "TRUE", "null", "~", "Null", "yes", "no", "on", "off", "y", "n", "2001-12-14", "190:20:30",
    "2001-12-14t21:59:43.10-05:00", "2001-12-14 21:59:43", "=", "a:b", "x#y", "-x", "a,b", "é", "🔑",
]  # fmt: skip
TIDY_PLAIN = ["true", "false", "null", "~", "x#y", "-x", "a,b", "é", "a:b", "2001-12-14T00:00:00Z"]


def text(random: Random, alphabet: str, low: int, high: int) -> str:
    """A string of some characters of an alphabet."""
    return "".join(random.choices(alphabet, k=random.randint(low, high)))


def any_text(random: Random) -> str:
    """A string of any characters that YAML can hold."""
    out = []
    for _ in range(random.randint(0, 20)):
        low, high = random.choice(RANGES)
        out.append(chr(random.randint(low, high)))
    return "".join(out)


def printable(random: Random) -> str:
    return "".join(character for character in any_text(random) if character.isprintable())


def key(random: Random) -> str:
    while True:
        name = random.choice(LETTERS) + text(random, LETTERS + "0123456789_", 0, 8)
        if name.lower() not in FORBIDDEN_KEYS:
            return name


def keys(random: Random, low: int, high: int) -> list[str]:
    return list(dict.fromkeys(key(random) for _ in range(random.randint(low, high))))


def comment(random: Random) -> str:
    return text(random, "abc DEF012:[]{},'\"!é", 0, 19).rstrip() + random.choice("xyz0]}\"':")


def number(random: Random, *, tidy: bool) -> str:
    match random.randint(0, 2):
        case 0:
            return str(random.randint(-(2**63), 2**63 - 1) >> random.randint(0, 63))
        case 1 if not tidy:
            return repr(random.uniform(-1, 1) * 10.0 ** random.randint(-300, 300))
        case _:
            return random.choice(TIDY_NUMBERS if tidy else ODD_NUMBERS)


def double_quoted(content: str) -> str:
    out = []
    for character in content:
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


def single_quoted(content: str) -> str:
    return "'" + content.replace("'", "''") + "'"


def word(random: Random) -> str:
    return random.choice(LETTERS) + text(random, LETTERS + "019_-./", 5, 12)


def scalar(random: Random, *, tidy: bool) -> str:
    """A scalar on one line, outside braces."""
    match random.randint(0, 6):
        case 0 | 1:
            return word(random)
        case 2:
            return number(random, tidy=tidy)
        case 3:
            return random.choice(TIDY_PLAIN if tidy else ODD_PLAIN)
        case 4:
            return double_quoted(printable(random) if tidy else any_text(random))
        case 5:
            return single_quoted(printable(random))
        case _:
            return ""


def flow(random: Random, depth: int = 0, *, tidy: bool) -> str:
    """A collection in braces, or inside one a scalar."""
    if depth > 1 or (depth and random.random() < 0.5):
        choices: list[Callable[[], str]] = [
            lambda: str(random.randint(-1000, 1000)),
            lambda: double_quoted(printable(random)),
        ]
        if not tidy:
            choices += [lambda: key(random).lower() + "q", lambda: single_quoted(printable(random))]
        return random.choice(choices)()
    if random.random() < 0.5:
        return "[" + ", ".join(flow(random, depth + 1, tidy=tidy) for _ in range(random.randint(0, 3))) + "]"
    return "{" + ", ".join(f"{name}: {flow(random, depth + 1, tidy=tidy)}" for name in keys(random, 0, 3)) + "}"


def block_scalar(random: Random, indent: int, *, tidy: bool) -> list[str]:
    """The header and the lines of a block scalar whose parent is at ``indent``."""
    header = random.choice(["|", "|-", "|+"] if tidy else ["|", "|-", "|+", ">", ">-"])
    lines = [text(random, "abc ':#{}é", 0, 14).strip() for _ in range(random.randint(1, 4))]
    lines[0] = lines[0] or "x"
    if lines[-1] == "" and not header.endswith("+"):
        lines[-1] = "z"
    pad = " " * (indent + random.randint(1, 4))
    return [header, *[pad + line if line else "" for line in lines]]


class _Writer:
    """Collects lines."""

    def __init__(self, random: Random, *, comments: bool, tidy: bool) -> None:
        self.random = random
        self.comments = comments
        self.tidy = tidy
        self.lines: list[str] = []

    def chance(self, percent: int) -> bool:
        return self.random.randrange(100) < percent

    def maybe_comment(self, indent: int, percent: int) -> None:
        if self.comments and self.chance(percent):
            for _ in range(self.random.randint(1, 2)):
                self.lines.append(" " * indent + "#" + comment(self.random))
            if self.chance(25):
                self.lines.append("")
        elif self.chance(8):
            self.lines.append("")

    def inline_comment(self) -> str:
        return " #" + comment(self.random) if self.comments and self.chance(12) else ""

    def mapping(self, indent: int, depth: int) -> None:
        step = self.random.choice([1, 2, 2, 2, 4])
        for name in keys(self.random, 1, 4):
            self.maybe_comment(indent, 15)
            self.value(" " * indent + name + ":", indent, indent + step, depth)
        self.maybe_comment(indent, 8)

    def sequence(self, indent: int, depth: int) -> None:
        for _ in range(self.random.randint(1, 3)):
            self.maybe_comment(indent, 12)
            if depth < 3 and self.chance(30):
                before = len(self.lines)
                self.mapping(indent + 2, depth + 1)
                while self.lines[before:] and (not self.lines[before].strip() or self.lines[before].lstrip()[0] == "#"):
                    del self.lines[before]
                self.lines[before] = " " * indent + "- " + self.lines[before][indent + 2 :]
            else:
                self.value(" " * indent + "-", indent, indent + 2, depth)
        self.maybe_comment(indent, 6)

    def value(self, head: str, indent: int, inner: int, depth: int) -> None:
        choice = self.random.randrange(100)
        is_item = head.endswith("-")
        if depth < 3 and choice < 18 and not is_item:
            self.lines.append(head + self.inline_comment())
            self.mapping(inner, depth + 1)
        elif depth < 3 and choice < 32 and not is_item:
            self.lines.append(head + self.inline_comment())
            self.sequence(indent if self.chance(50) else inner, depth + 1)
        elif choice < 42:
            header, *body = block_scalar(self.random, indent, tidy=self.tidy)
            self.lines.append(f"{head} {header}")
            self.lines.extend(body)
        elif choice < 52:
            self.lines.append(f"{head} {flow(self.random, tidy=self.tidy)}{self.inline_comment()}")
        else:
            content = scalar(self.random, tidy=self.tidy)
            self.lines.append((f"{head} {content}" if content else head) + self.inline_comment())


def yaml_text(random: Random, *, comments: bool = True, tidy: bool = False) -> str:
    """A YAML stream of one to three documents, each a map.

    ``tidy``: without the spellings that decrypting may change: folded and escaped strings, hexadecimal and octal
    integers, ``True``, words that YAML 1.1 takes for booleans, unquoted strings in braces.
    """
    documents = []
    for position in range(random.choice([1, 1, 1, 1, 2, 3])):
        writer = _Writer(random, comments=comments, tidy=tidy)
        if position or writer.chance(15):
            writer.lines.append("---")
        writer.mapping(0, 0)
        documents.append("\n".join(writer.lines) + "\n")
    result = "".join(documents)
    shape = random.randrange(100)
    if shape < 6:
        return result.replace("\n", "\r\n")
    if shape < 9:
        return "\ufeff" + result
    return result.rstrip("\n") if shape < 14 else result


def yaml_documents(*, comments: bool = True, tidy: bool = False) -> st.SearchStrategy[str]:
    """Draw ``yaml_text``."""
    return st.integers(0, 2**64).map(lambda drawn: yaml_text(Random(drawn), comments=comments, tidy=tidy))


KEYS = st.integers(0, 2**64).map(lambda drawn: key(Random(drawn)))
ANY_TEXT = st.integers(0, 2**64).map(lambda drawn: any_text(Random(drawn)))
