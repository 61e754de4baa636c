"""Servers that tests run: on loopback, with a log to show, gone when the tests are, however those end."""

import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self, TypeVar

Found = TypeVar("Found")


def free_ports(count: int) -> list[int]:
    """Return ports of loopback that nothing listens on now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


def wait_for(what: str, look: Callable[[], Found | None], seconds: float, note: Callable[[], str] = str) -> Found:
    """Look until something is found, and return it; ``note`` says what to know when nothing was.

    Raises:
        AssertionError: nothing was found in time.
    """
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found is not None:
            return found
        assert time.monotonic() < deadline, f"{what}: not within {seconds:g} s\n{note()}"
        time.sleep(0.05)


class Server:
    """A program that runs while it is entered, at the longest as long as this process."""

    def __init__(self, command: Sequence[str | Path], log: Path, env: Mapping[str, str] | None = None) -> None:
        self.name = Path(command[0]).name
        self.log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                # The kernel ends it with its parent, also where no fixture is torn down any more. A session of its
                # own keeps Ctrl-C for pytest, which stops it in good order.
                ["setpriv", "--pdeathsig", "KILL", *map(str, command)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(env or {}),
                start_new_session=True,
            )

    def tail(self) -> str:
        """Return the end of its log."""
        return "\n".join([f"{self.name} says:", *self.log.read_text(errors="replace").splitlines()[-20:]])

    def wait_for(self, what: str, look: Callable[[], Found | None], seconds: float) -> Found:
        """Look until something is found, for as long as the program runs.

        Raises:
            AssertionError: nothing was found in time, or the program ended; with what it said at last.
        """

        def look_alive() -> Found | None:
            code = self._process.poll()
            assert code is None, f"{what}: {self.name} ended with code {code}\n{self.tail()}"
            return look()

        return wait_for(what, look_alive, seconds, self.tail)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
