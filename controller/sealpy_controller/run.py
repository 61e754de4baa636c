"""Rounds in time: once, or again and again until somebody says stop."""

import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import NamedTuple, TextIO

from sealpy import registry
from sealpy.errors import SealpyError
from sealpy.identities import Identities
from sealpy.keyring import Keyring
from sealpy_controller import backoff
from sealpy_controller.directory import Directory
from sealpy_controller.faults import exit_code, of_error
from sealpy_controller.git import Stopped
from sealpy_controller.inventory import Inventory
from sealpy_controller.report import Report
from sealpy_controller.rounds import Outcome, Rounds
from sealpy_controller.source import Source

MOST_WAIT = 900.0
"""The longest wait for a source or a target that fails, in seconds."""
MOST_WAIT_FOR_FILE = 120.0
"""The longest wait for a file that does not open: somebody may be adding the key right now."""

_TICK = 0.2


class Settings(NamedTuple):
    """What a run is asked to do."""

    source: str
    ref: str
    path: str
    to: str
    interval: float
    """Seconds between two rounds."""
    once: bool
    dry_run: bool
    allow_prune: bool
    as_json: bool


class Stop:
    """Whether somebody asked us to stop."""

    def __init__(self) -> None:
        self._asked = False

    def __call__(self) -> bool:
        return self._asked

    def ask(self) -> None:
        """Ask."""
        self._asked = True

    def wait(self, seconds: float) -> None:
        """Wait, but not much longer than until somebody asks."""
        until = time.monotonic() + seconds
        # No threading.Event: a signal that comes while it holds its own lock would wait for itself.
        while not self._asked and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, _TICK))

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """Take SIGTERM and SIGINT as the question."""
        before = {number: signal.signal(number, self._ask) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.ask()


def run(settings: Settings, environ: Mapping[str, str], stop: Stop, out: TextIO, talk: TextIO) -> int:
    """Reconcile, and return the exit code. ``out`` gets the documents, ``talk`` the lines for people.

    Raises:
        SourceError: what was asked for makes no sense.
        KeyboardInterrupt: asked to stop before the only round was through.
    """
    target = Directory(settings.to)
    retries = backoff.Retries(time.monotonic, MOST_WAIT_FOR_FILE)
    with Source(settings.source, settings.ref, settings.path, environ=environ, stop=stop) as source:
        header = {"source": source.shown, "ref": source.ref, "path": source.path or ".", "to": target.path}
        report = Report(header, dry_run=settings.dry_run, as_json=settings.as_json, out=out, talk=talk)
        rounds = Rounds(
            source,
            target,
            lambda shown: Keyring(registry.backends(Identities(environ, shown=shown)), shown=shown),
            retries,
            stop,
            allow_prune=settings.allow_prune,
            dry_run=settings.dry_run,
        )
        memory = _Memory(target, report, dry_run=settings.dry_run)
        try:
            if settings.once:
                return _once(memory, rounds, report)
            return _loop(memory, rounds, report, retries, settings.interval, stop)
        finally:
            memory.close()


def _once(memory: "_Memory", rounds: Rounds, report: Report) -> int:
    try:
        outcome = memory.round(rounds)
    except Stopped:
        outcome = None
    if outcome is not None:
        report.tell(outcome, None)
    if outcome is None or outcome.stopped:
        raise KeyboardInterrupt
    return exit_code(outcome.faults)


def _loop(
    memory: "_Memory", rounds: Rounds, report: Report, retries: backoff.Retries, interval: float, stop: Stop
) -> int:
    failures = 0
    while not stop():
        try:
            outcome = memory.round(rounds)
        except Stopped:
            break
        failures = failures + 1 if outcome.fatal else 0
        wait = backoff.delay(failures, MOST_WAIT) if failures else _next(interval, retries.next())
        report.tell(outcome, wait)
        stop.wait(wait)
    return 0


def _next(interval: float, due: float | None) -> float:
    return interval if due is None else min(interval, due)


class _Memory:
    """The target's inventory, held open from round to round: the lock on it keeps others away meanwhile."""

    def __init__(self, target: Directory, report: Report, *, dry_run: bool) -> None:
        self._target = target
        self._report = report
        self._dry_run = dry_run
        self._inventory: Inventory | None = None

    def round(self, rounds: Rounds) -> Outcome:
        if self._target.on_disk():
            self._report.warn(f"{self._target.path} is not on a tmpfs: what is decrypted there lands on a disk")
        try:
            outcome = rounds.run(self._opened())
        except SealpyError as error:
            outcome = Outcome("", (), [of_error(error, reason="TargetNotReady")], fatal=True)
        if any(fault.reason == "TargetNotReady" for fault in outcome.faults):
            # What is remembered may not be what lies there.
            self.close()
        return outcome

    def close(self) -> None:
        if self._inventory is not None:
            self._inventory.close()
            self._inventory = None

    def _opened(self) -> Inventory:
        if self._inventory is not None and not self._inventory.locked:
            self.close()
        if self._inventory is None:
            if not self._dry_run:
                self._target.make()
            self._inventory = Inventory(self._target.path, read_only=self._dry_run)
        return self._inventory
