"""What is to be said when all is done: a change that is made again for another try of a push is told once."""

from collections.abc import Callable

from sealpy_cli import terminal


class Remarks:
    """Lines for the user, made safe, in their order; none is written before ``tell``."""

    def __init__(self) -> None:
        self._lines: list[tuple[Callable[[str], None], str]] = []

    def say(self, text: str) -> None:
        """Note a fact."""
        self._lines.append((terminal.say, terminal.plain(text)))

    def warn(self, text: str) -> None:
        """Note what may be wrong."""
        self._lines.append((terminal.warn, terminal.plain(text)))

    def hint(self, text: str) -> None:
        """Note a next step."""
        self._lines.append((terminal.hint, terminal.plain(text)))

    def tell(self) -> None:
        """Write them, and forget them."""
        for speak, text in self._lines:
            speak(text)
        self.clear()

    def clear(self) -> None:
        """Forget them: what they tell did not come to pass."""
        self._lines.clear()
