"""A lock that a fork cannot leave locked."""

import os
from _thread import RLock  # threading itself takes milliseconds to import
from types import TracebackType


class Exclusive:
    """One thread at a time, and again the same thread.

    A plain lock that another thread holds during a fork stays held in the child, whose owner does not exist there.
    """

    __slots__ = ("_lock", "_process")

    def __init__(self) -> None:
        self._lock = RLock()
        self._process = os.getpid()

    def __enter__(self) -> None:
        if self._process != os.getpid():
            self._lock = RLock()
            self._process = os.getpid()
        self._lock.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()
