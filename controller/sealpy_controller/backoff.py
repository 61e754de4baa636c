"""When to try again what failed: after five seconds, then twice as long each time, with some chance in it."""

import random
from collections.abc import Callable

from sealpy_controller.faults import Fault

FIRST = 5.0
_SPREAD = 0.2


def delay(failures: int, most: float) -> float:
    """Return how many seconds to wait after so many failures in a row, one or more; ``most`` bounds it."""
    # The bound on the exponent keeps a float from overflowing after a year of failures.
    seconds = min(FIRST * 2.0 ** min(failures - 1, 32), most)
    # So that many that failed together do not come back together.
    return seconds * random.uniform(1 - _SPREAD, 1 + _SPREAD)  # noqa: S311 - not a secret


class Retries:
    """Files that failed: none is opened again before it changes or its time has come."""

    def __init__(self, clock: Callable[[], float], most: float) -> None:
        self._clock = clock
        self._most = most
        self._failed: dict[str, tuple[str, Fault, int, float]] = {}

    def waiting(self, file: str, blob: str) -> Fault | None:
        """Return what went wrong with this content, if it is too early to try it again."""
        known = self._failed.get(file)
        return known[1] if known and known[0] == blob and known[3] > self._clock() else None

    def failed(self, file: str, blob: str, fault: Fault) -> None:
        """Remember that opening this content failed, once more or for the first time."""
        known = self._failed.get(file)
        failures = known[2] + 1 if known and known[0] == blob else 1
        self._failed[file] = blob, fault, failures, self._clock() + delay(failures, self._most)

    def keep(self, files: set[str]) -> None:
        """Forget all files but these."""
        self._failed = {file: known for file, known in self._failed.items() if file in files}

    def succeeded(self, file: str) -> None:
        """Forget a file."""
        self._failed.pop(file, None)

    def next(self) -> float | None:
        """Return in how many seconds the next file is due; None if none waits."""
        if not self._failed:
            return None
        return max(min(due for _, _, _, due in self._failed.values()) - self._clock(), 0.0)
