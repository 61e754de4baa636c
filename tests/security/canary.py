"""Looks for secrets in what a program leaves behind: in every form in which they may have got there.

A canary is a text that stands nowhere but in the secret. Where it turns up, the secret has leaked.
"""

import json
import logging
import os
import traceback
import warnings
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from secrets import choice
from string import ascii_letters, digits
from urllib.parse import quote

_LETTERS = 24
_SPLIT_FROM = 20
"""A canary of this length counts also by halves: messages may be cut short."""


class Leak(AssertionError):
    """A canary is where it must not be. Says where and in which form, not what."""


def draw() -> str:
    """Return a new canary, which any format takes as a value without quotes."""
    return "Canary" + "".join(choice(ascii_letters + digits) for _ in range(_LETTERS))


def forms(secret: str | bytes) -> dict[str, bytes]:
    """Return how a secret may look: as it is, its halves, base64 wherever it may begin, hexadecimal, escaped."""
    content = secret.encode() if isinstance(secret, str) else secret
    escaped = "".join(f"\\u{byte:04x}" for byte in content)
    found = {
        "raw": content,
        "hexadecimal": content.hex().encode(),
        "capital hexadecimal": content.hex().upper().encode(),
        "URL-escaped": "".join(f"%{byte:02X}" for byte in content).encode(),
        "URL-quoted": quote(content, safe="").encode(),
        "JSON-escaped": escaped.encode(),
        "JSON": json.dumps(content.decode("latin-1")).encode()[1:-1],
        "Python": repr(content).encode()[2:-1],
        "UTF-16": content.decode("latin-1").encode("utf-16-le"),
    }
    for offset in range(3):
        text = b64encode(b"\0" * offset + content)
        # The first and last digits may be of neighbours too.
        core = text[-(-offset * 8 // 6) : (offset + len(content)) * 8 // 6]
        found[f"base64 at {offset}"] = core
        found[f"URL-safe base64 at {offset}"] = core.replace(b"+", b"-").replace(b"/", b"_")
    if len(content) >= _SPLIT_FROM:
        found["first half"] = content[: len(content) // 2]
        found["second half"] = content[len(content) // 2 :]
    return found


class Search:
    """Searches for a set of named canaries."""

    def __init__(self, canaries: Mapping[str, str | bytes]) -> None:
        self._needles = [
            (needle, f"{name}, {form}")
            for name, secret in canaries.items()
            for form, needle in dict(sorted(forms(secret).items())).items()
        ]

    def found(self, haystack: str | bytes) -> list[str]:
        """Return which canaries are in a text or in bytes, and in which form."""
        content = haystack.encode("utf-8", "surrogatepass") if isinstance(haystack, str) else haystack
        return [name for needle, name in self._needles if needle in content]

    def refuse(self, where: str, haystack: str | bytes) -> None:
        """Raise a ``Leak`` if there is one."""
        found = self.found(haystack)
        if found:
            raise Leak(f"{where}: {', '.join(found)}")

    def refuse_error(self, error: BaseException) -> None:
        """Look at all that a handler, a logger or a traceback could show of an error and of those behind it."""
        for one in chain(error):
            self.refuse(type(one).__name__, all_of(one))


def chain(error: BaseException) -> Iterator[BaseException]:
    """Give an error, its causes and its contexts, also those that a traceback would not show."""
    waiting = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [other for other in (one.__cause__, one.__context__) if other is not None]


def all_of(error: BaseException) -> str:
    """Return an error's message, its attributes of all kinds and its traceback, which has no values of variables."""
    attributes = {
        name: value
        for name in dir(error)
        if not name.startswith("__") and not callable(value := getattr(error, name, None))
    }
    lines = traceback.TracebackException.from_exception(error).format()
    return "\n".join(
        [
            str(error),
            repr(error),
            repr(error.args),
            repr(vars(error)),
            repr(attributes),
            *map(str, attributes.values()),
            *lines,
        ]
    )


def tree(folders: Iterable[Path]) -> dict[str, tuple[int, int, int]]:
    """Return folders and every file and folder below them, with what changes when something is written there."""
    found = {}
    for folder in folders:
        for parent, _, files in os.walk(folder):
            # A folder's own time tells of a file that was there and has gone.
            for path in (parent, *(os.path.join(parent, name) for name in files)):
                status = os.lstat(path)
                found[path] = (status.st_ino, status.st_size, status.st_mtime_ns)
    return found


class _Records(logging.Handler):
    def __init__(self, notice: Callable[[str], None]) -> None:
        super().__init__(0)
        self._notice = notice

    def emit(self, record: logging.LogRecord) -> None:
        self._notice(f"{record.getMessage()} {record.__dict__!r}")


@contextmanager
def heard() -> Iterator[list[str]]:
    """Collect every log record, of any level, and every warning."""
    said: list[str] = []
    handler = _Records(said.append)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(1)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield said
            said += [str(warning) for warning in caught]
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
