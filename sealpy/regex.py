"""Regular expressions with the meaning that sops gives them: RE2's, not Python's.

Patterns and texts come from files that strangers may write, so a search must never take exponential time: RE2
guarantees that. Loading it takes longer than opening a small file, though, so Python's own engine serves the simple
patterns that nearly everybody writes, where the two mean the same, for as long as its work stays below that.
"""

import re
from functools import lru_cache
from typing import NamedTuple, Protocol

from sealpy.errors import RuleError

_PATTERN_LIMIT = 256
"""The longest pattern, in characters, that Python's engine is given."""
_WORK_LIMIT = 1_000_000
"""Steps of Python's engine that take about as long as loading RE2 does: five milliseconds."""
_MEMO_ENTRIES = 4096
_MEMO_TEXT = 256

_ESCAPABLE = frozenset(".^$*+?()[]{}|\\/-")
_SPECIAL = frozenset(".^$*+?()[]{}|\\")
_FACTS = (
    "invalid escape sequence",
    "invalid character class range",
    "invalid character class",
    "missing ]",
    "missing )",
    "unexpected )",
    "trailing \\",
    "no argument for repetition operator",
    "invalid repetition size",
    "bad repetition operator",
    "invalid perl operator",
    "invalid UTF-8",
    "invalid named capture group",
    "pattern too large",
)
"""What RE2 may have against a pattern; the rest of its message quotes the pattern."""


class _Compiled(Protocol):
    """A compiled pattern of either engine."""

    def search(self, text: str, /) -> object: ...


class _Simple(NamedTuple):
    """A pattern in Python's engine, and the bound of its work."""

    compiled: _Compiled
    weight: int
    degree: int

    def steps(self, text: str) -> int:
        """Return how many steps a search may take at most."""
        return self.weight * int((len(text) + 1) ** self.degree)


class Matcher:
    """A compiled pattern. Threads may share it."""

    __slots__ = ("_allowance", "_known", "_pattern", "_re2", "_simple")

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._known: dict[str, bool] = {}
        self._allowance = _WORK_LIMIT
        self._simple = _simplify(pattern)
        self._re2 = _compile_re2(pattern) if self._simple is None else None

    def search(self, text: str, *, remember: bool = True) -> bool:
        """Tell whether the pattern matches anywhere in ``text``.

        Answers are remembered, since key names repeat; say ``remember=False`` for a text that may be a secret.
        """
        found = self._known.get(text)
        if found is not None:
            return found
        found = self._search(text if text.isascii() else _replace_surrogates(text))
        if remember and len(text) <= _MEMO_TEXT:
            if len(self._known) >= _MEMO_ENTRIES:
                self._known.clear()
            self._known[text] = found
        return found

    def _search(self, text: str) -> bool:
        if self._simple is not None:
            steps = self._simple.steps(text)
            if steps <= self._allowance:
                if self._simple.degree > 1:
                    # A linear search is as good as RE2's for ever, any other only until RE2 would have paid off.
                    self._allowance -= steps
                return self._simple.compiled.search(text) is not None
        if self._re2 is None:
            self._re2 = _compile_re2(self._pattern)
        return self._re2.search(text) is not None


@lru_cache(maxsize=64)
def compile(pattern: str) -> Matcher:  # noqa: A001 - what every module of regular expressions calls it
    """Compile a pattern.

    Raises:
        RuleError: not a regular expression, with what is wrong and, where known, at which character.
    """
    return Matcher(pattern)


def _simplify(pattern: str) -> _Simple | None:
    """Compile a pattern that both engines read alike, and bound the work of searching with it.

    Simple are literals, dots, escaped punctuation, plain classes, ``^``, ``$``, alternatives, groups that hold no
    group, ``* + ?`` after one character and ``?`` after a group. A ``?`` doubles the ways to try, alternatives
    multiply them, and ``*``, ``+`` and a missing ``^`` multiply them by the length of the text.
    """
    if len(pattern) > _PATTERN_LIMIT or not pattern.isprintable():
        return None
    parts: list[str] = []
    in_group = False
    before = ""  # what a quantifier would repeat: "one" character, a "group", or nothing
    outer = inner = ways = 1
    repetitions = index = 0
    while index < len(pattern):
        part = translated = pattern[index]
        after = ""
        if part in "*+?":
            if not before or (before == "group" and part != "?"):
                return None
            ways *= 2 if part == "?" else 1
            repetitions += part != "?"
        elif part == "(" and not in_group:
            in_group, inner = True, 1
            part = translated = "(?:" if pattern.startswith("(?:", index) else part
        elif part == ")" and in_group:
            in_group, ways, after = False, ways * inner, "group"
        elif part == "|":
            inner, outer = inner + in_group, outer + (not in_group)
        elif part == "$":
            translated = r"\Z"  # Python's own would also match before a last newline
        elif part == "[":
            part = translated = pattern[index : _class_end(pattern, index)]
            after = "one"
        elif part == "\\":
            part = translated = pattern[index : index + 2] if pattern[index + 1 : index + 2] in _ESCAPABLE else ""
            after = "one"
        elif part == "." or part not in _SPECIAL:
            after = "one"
        elif part != "^":
            return None
        if not part:
            return None
        parts.append(translated)
        index += len(part)
        before = after
    if in_group:
        return None
    starts = 0 if pattern.startswith("^") and outer == 1 else 1
    return _Simple(re.compile("".join(parts)), ways * outer * (len(pattern) + 1), repetitions + starts)


def _class_end(pattern: str, start: int) -> int:
    """Return where the character class at ``start`` ends, or ``start`` when it is not a plain one."""
    end = pattern.find("]", start)
    body = pattern[start + 1 : end].removeprefix("^").removesuffix("-")
    index = 0
    while index < len(body):
        if not (body[index].isalnum() or body[index] in "_./"):
            return start
        if body[index + 1 : index + 2] == "-":
            last = body[index + 2 : index + 3]
            if not last.isalnum() or last < body[index]:
                return start
            index += 2
        index += 1
    return end + 1 if body and end > 0 else start


def _replace_surrogates(text: str) -> str:
    """Put a replacement character for each byte that is no UTF-8, as Go does when it matches."""
    return "".join("\ufffd" if "\ud800" <= character <= "\udfff" else character for character in text)


def _compile_re2(pattern: str) -> _Compiled:
    # Its shared library takes longer to load than a small file to open. It has no type stubs.
    import re2  # type: ignore[import-untyped]

    options = re2.Options()
    options.log_errors = False
    try:
        compiled: _Compiled = re2.compile(pattern, options)
    except re2.error as error:
        fact = _fact(str(error.args[0], "utf-8", "replace"), pattern)
    except UnicodeEncodeError:
        fact = "invalid UTF-8"
    else:
        return compiled
    raise RuleError(f"not a regular expression: {fact}", hint="patterns are RE2's: no look-around, no back-references")


def _fact(message: str, pattern: str) -> str:
    """Say what RE2 found wrong, without the quotation of the pattern."""
    for fact in _FACTS:
        if message.startswith(fact):
            culprit = message[len(fact) :].removeprefix(": ")
            place = pattern.find(culprit) if culprit and culprit != pattern else -1
            return fact if place < 0 else f"{fact} at character {place + 1}"
    return "it does not compile"
