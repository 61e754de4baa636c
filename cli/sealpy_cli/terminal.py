"""What goes where.

- stdout is data: the decrypted or encrypted text, one JSON document, a list that was asked for. Nothing else.
- stderr is talk: every line begins with ``sealpy: ``, lower case, no full stop; ``hint: `` is the next step.
- Progress and colour only where stderr is a terminal; colour never with ``NO_COLOR`` or ``TERM=dumb``.
- Questions go to the terminal itself, so that they work while stdin and stdout are pipes; what is secret is
  not echoed.
- A name that comes from outside is printed with its control characters escaped.
"""

import os
import sys
from collections.abc import Sequence

from sealpy.errors import (
    DataKeyUnavailable,
    DocumentError,
    InvalidEncryptedValue,
    MacMismatch,
    SealpyError,
)

_SOPS_SAYS: Sequence[tuple[type[SealpyError], str]] = (
    (MacMismatch, "MAC mismatch"),
    (InvalidEncryptedValue, "Error decrypting tree"),
    (DataKeyUnavailable, "Failed to get the data key required to decrypt the SOPS file"),
)
"""Words of sops that scripts look for in what goes wrong."""

_speaker = "sealpy"
_hinted: set[str] = set()


def speak_as_sops() -> None:
    """Go by the name of sops from now on, and say the words that scripts look for."""
    global _speaker  # noqa: PLW0603 - there is one terminal
    _speaker = "sops"


def speaks_as_sops() -> bool:
    """Tell whether we go by the name of sops."""
    return _speaker == "sops"


def data(content: bytes) -> None:
    """Write data to stdout."""
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def say(message: str) -> None:
    """Tell the user something."""
    _line(message)


def warn(message: str) -> None:
    """Tell the user something that may be wrong."""
    _line(f"{_colour('33', 'warning:')} {message}")


def hint(message: str) -> None:
    """Tell the user the next step; the same one only once in a run, however many files need it."""
    if message not in _hinted:
        _hinted.add(message)
        _line(f"{_colour('36', 'hint:')} {message}")


def fail(error: SealpyError, path: str = "") -> None:
    """Report an error; ``path`` is the file that was worked on, for errors that do not name one themselves."""
    if isinstance(error, DocumentError) and error.path:
        path = error.path
    where = ""
    if path and not error.message.startswith(path):
        where = f"{plain(path)}: "
        if isinstance(error, DocumentError) and error.line is not None:
            where = f"{plain(path)}:{error.line}:" + (f"{error.column}: " if error.column is not None else " ")
    lead = next((words for kind, words in _SOPS_SAYS if isinstance(error, kind)), "") if _speaker == "sops" else ""
    _line(f"{where}{lead}{': ' if lead else ''}{plain(error.message)}")
    if error.hint:
        hint(plain(error.hint))


def plain(text: str) -> str:
    """Return text that no terminal and no CI system obeys, on one line."""
    if text.isascii() and text.isprintable() and "##" not in text:
        return text
    from sealpy.sanitise import visible  # rarely needed

    return visible(text)


def is_screen(stream: int) -> bool:
    """Return whether 0 (stdin), 1 (stdout) or 2 (stderr) is a terminal."""
    try:
        return os.isatty(stream)
    except OSError:
        return False


def confirm(question: str) -> bool | None:
    """Ask until the answer is y or n; None when stdin ends before that."""
    answer = ""
    while answer not in ("y", "n"):
        sys.stderr.write(f"{_speaker}: {question} (y/n): ")
        sys.stderr.flush()
        line = sys.stdin.readline()
        if not line:
            sys.stderr.write("\n")
            return None
        answer = line.strip().lower()
    return answer == "y"


def hidden(question: str) -> str | None:
    """Ask on the terminal for something that is not echoed; None when there is no terminal."""
    try:
        screen = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return None
    os.close(screen)
    import getpass  # brings termios; only for this

    try:
        return getpass.getpass(f"{_speaker}: {question}: ")
    except EOFError:
        return None


def wait_for_enter(message: str) -> bool:
    """Say something and wait; return False when there is nobody to press enter."""
    say(message)
    return bool(sys.stdin.readline())


class Progress:
    """One line that counts, on a terminal only."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._shown = total > 1 and is_screen(2)

    def step(self) -> None:
        """Count one more."""
        self._done += 1
        if self._shown:
            sys.stderr.write(f"\r{_speaker}: {self._done} of {self._total}\033[K")
            sys.stderr.flush()

    def clear(self) -> None:
        """Take the line away, before something else is printed."""
        if self._shown and self._done:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()


def listing(names: Sequence[str], most: int = 10) -> str:
    """Join names for a sentence, and count those left out."""
    shown = ", ".join(plain(name) for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def _line(text: str) -> None:
    sys.stderr.write(f"{_speaker}: {text}\n")
    sys.stderr.flush()


def _colour(code: str, text: str) -> str:
    if not is_screen(2) or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    return f"\033[{code}m{text}\033[0m"
