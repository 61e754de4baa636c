"""Carries out a plan, so that at every moment the inventory knows what of the target is ours.

Before an object is written its new digests are put down as pending; after a crash both the old and the new content
are recognised. One that fails does not stop the others, but then nothing is removed.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from sealpy.errors import SealpyError
from sealpy.secret import Secret
from sealpy_controller.directory import Directory
from sealpy_controller.faults import Fault, of_error
from sealpy_controller.inventory import Inventory
from sealpy_controller.objects import Entry, Object, Wanted
from sealpy_controller.plan import Action, Plan


class Origin(NamedTuple):
    """Where what is wanted comes from, for the inventory."""

    source: str
    commit: str


class Application:
    """One plan on its way into the target."""

    def __init__(self, inventory: Inventory, target: Directory, origin: Origin, stop: Callable[[], bool]) -> None:
        self._inventory = inventory
        self._entries = inventory.entries
        self._target = target
        self._origin = origin
        self._stop = stop
        self.done: list[Action] = []
        """What was carried out, was in order already, or was held."""
        self.failed: list[Fault] = []
        self.stopped = False
        """Not all was carried out, because somebody asked to stop."""

    def carry_out(
        self, plan: Plan, values: Mapping[Object, Mapping[str, Secret[bytes]]], wanted: Mapping[Object, Wanted]
    ) -> None:
        """Do what the plan says. Asked to stop, end after the object at hand.

        Raises:
            SourceError: the inventory cannot be written; then nothing was touched.
        """
        before = dict(self._entries)
        writes = plan.of("create", "update", "revert")
        for action in writes:
            self._announce(action, wanted[action.object])
        if writes:
            self._inventory.save()
        for action in writes:
            self._write(action, values[action.object], wanted[action.object])
        for action in plan.of("unchanged"):
            self._recognise(action, wanted[action.object])
        for action in plan.of("prune"):
            self._prune(action)
        for action in plan.of("forget"):
            del self._entries[action.object]
        self.done = sorted([*self.done, *plan.of("held", "forget")], key=lambda action: action.object)
        if self._entries != before:
            self._save()

    def _announce(self, action: Action, wanted: Wanted) -> None:
        known = self._entries.get(action.object)
        applied = known.applied if known else None
        self._entries[action.object] = Entry(action.file, *self._origin, applied, wanted.digests)

    def _write(self, action: Action, values: Mapping[str, Secret[bytes]], wanted: Wanted) -> None:
        if self._did(action, lambda: self._target.write(action.object, values)):
            entry = self._entries[action.object]
            self._entries[action.object] = entry._replace(applied=wanted.digests, pending=None)

    def _recognise(self, action: Action, wanted: Wanted) -> None:
        known = self._entries.get(action.object)
        # The commit that last wrote it stays.
        commit = known.commit if known else self._origin.commit
        self._entries[action.object] = Entry(action.file, self._origin.source, commit, wanted.digests)
        self.done.append(action)

    def _prune(self, action: Action) -> None:
        if self.failed:
            why = "nothing is removed while something else fails"
            self.done.append(action._replace(verb="held", why=why, reason="PruneGuard"))
        elif self._did(action, lambda: self._target.remove(action.object)):
            del self._entries[action.object]

    def _did(self, action: Action, work: Callable[[], None]) -> bool:
        """Do one thing, and tell whether it was done."""
        if self._stop():
            self.stopped = True
            return False
        try:
            work()
        except SealpyError as error:
            fault = of_error(error, action.file, "ApplyFailed")
        else:
            self.done.append(action)
            return True
        self.failed.append(fault._replace(objects=(action.object,)))
        return False

    def _save(self) -> None:
        try:
            self._inventory.save()
        except SealpyError as error:
            # What was written stays known as pending.
            self.failed.append(of_error(error, reason="TargetNotReady"))
