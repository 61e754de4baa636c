"""Whoever sits at the terminal, as the library sees them."""

from sealpy.secret import Secret
from sealpy_cli import terminal


class Person:
    """Asked for passphrases, and told what the holder of a key wants."""

    __slots__ = ()

    def ask_secret(self, question: str) -> Secret[str] | None:
        """Ask on the terminal itself; None when there is none."""
        answer = terminal.hidden(terminal.plain(question))
        return Secret(answer) if answer else None

    def show(self, message: str) -> None:
        """Show it on stderr."""
        terminal.say(terminal.plain(message))
