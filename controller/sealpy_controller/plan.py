"""What to do about the difference between what is wanted and what runs. Pure: no files, no clock, no values.

The rules, in the order in which they win:

1. What a failed file held, or several files claim, is held: neither changed nor removed.
2. What runs and was not put there by us is held, unless it is just what is wanted.
3. What somebody changed is reverted; what the source changed is updated; what is missing is created.
4. What is no longer wanted is removed, but never in a round with any fault, never when nothing at all is wanted,
   and without ``allow_prune`` neither more than half of what runs (three are always allowed) nor what came from
   another repository, branch or folder: a slip in an option must not empty an environment.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from sealpy_controller.faults import Fault, Reason
from sealpy_controller.objects import Digests, Entry, Object, Running, Wanted

Verb = Literal["create", "update", "revert", "unchanged", "prune", "forget", "held"]

_ALWAYS_PRUNED = 3


class Changes(NamedTuple):
    """Names of keys, by what happens to them."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


class Action(NamedTuple):
    """One step of a plan.

    ``keys`` are against what runs. ``why`` is set for what is reverted and for what is held. ``forget`` takes an
    entry out of the inventory of what neither runs nor is wanted.
    """

    verb: Verb
    object: Object
    file: str
    keys: Changes = Changes()
    why: str = ""
    reason: Reason | None = None


class Plan(NamedTuple):
    """All steps, in order of the objects; ``held`` are the faults that the plan itself found."""

    actions: tuple[Action, ...]
    held: tuple[Fault, ...] = ()

    def of(self, *verbs: Verb) -> list[Action]:
        """Return the actions with one of these verbs."""
        return [action for action in self.actions if action.verb in verbs]


def plan(
    snapshot: Mapping[Object, Running],
    desired: Mapping[Object, Wanted],
    inventory: Mapping[Object, Entry],
    *,
    source: str,
    faults: Sequence[Fault] = (),
    allow_prune: bool = False,
) -> Plan:
    """Decide what happens to each object.

    ``snapshot`` has what runs of all objects in ``desired`` and ``inventory``. ``source`` is what entries that
    this run may remove carry.
    """
    failed = _by_file(faults)
    claimed = {each: fault for fault in faults for each in fault.objects}
    actions: list[Action] = []
    held: list[Fault] = []
    gone: list[Object] = []
    for each in sorted({*desired, *inventory}):
        entry, wanted, running = inventory.get(each), desired.get(each), snapshot.get(each)
        file = wanted.file if wanted else entry.file if entry else ""
        fault = claimed.get(each) or (failed.get(entry.file) if entry else None)
        if fault is not None:
            actions.append(Action("held", each, file, why=_why_held(entry, running), reason=fault.reason))
        elif wanted is not None:
            action = _converge(each, wanted, entry, running)
            actions.append(action)
            if action.verb == "held":
                held.append(_foreign(action))
        elif running is None:
            actions.append(Action("forget", each, file))
        else:
            gone.append(each)
    actions += _prune(gone, snapshot, inventory, desired, held, source=source, faults=faults, allow_prune=allow_prune)
    return Plan(tuple(sorted(actions, key=lambda action: action.object)), tuple(held))


def _converge(each: Object, wanted: Wanted, entry: Entry | None, running: Running | None) -> Action:
    if running is None:
        keys = Changes(added=tuple(sorted(wanted.digests)))
        if entry is None or entry.applied is None:
            return Action("create", each, wanted.file, keys)
        return Action("revert", each, wanted.file, keys, "was deleted")
    keys = _changes(running.digests, wanted.digests)
    if not running.damage and not any(keys):
        return Action("unchanged", each, wanted.file)
    if entry is None:
        return Action("held", each, wanted.file, keys, "is not sealpy's", "OwnershipConflict")
    # While it was being written, links may be missing.
    if running.digests in (entry.applied, entry.pending) and (not running.damage or entry.pending is not None):
        return Action("update", each, wanted.file, keys)
    return Action("revert", each, wanted.file, keys, _drift(entry, running))


def _prune(
    gone: Sequence[Object],
    snapshot: Mapping[Object, Running],
    inventory: Mapping[Object, Entry],
    desired: Mapping[Object, Wanted],
    held: list[Fault],
    *,
    source: str,
    faults: Sequence[Fault],
    allow_prune: bool,
) -> list[Action]:
    """Remove what is gone from the source, or hold all or some of it."""
    if not gone:
        return []
    elsewhere = [each for each in gone if inventory[each].source != source]
    guard: Fault | None = None
    kept: Sequence[Object] = gone
    if faults or held:
        why = "nothing is removed while something else fails"
    elif not desired:
        why = "the source has no Secret and no ConfigMap at all"
        hint = "see whether --path and --ref are right; if it is meant, delete the folders yourself"
        guard = _guard(why, hint, gone)
    elif not allow_prune and len(gone) > max(_ALWAYS_PRUNED, len(inventory) // 2):
        why = f"{len(gone)} of {len(inventory)} objects would be removed"
        guard = _guard(why, "see whether --path is right; if it is meant, say --allow-prune", gone)
    elif not allow_prune and elsewhere:
        why = "it came from another source, branch or folder"
        guard = _guard(why, "if this source takes its place, say --allow-prune", elsewhere)
        kept = elsewhere
    else:
        kept, why = (), ""
    if guard is not None:
        held.append(guard)
    reason: Reason = "PruneGuard"
    return [
        Action("held", each, inventory[each].file, why=why, reason=reason)
        if each in kept
        else Action("prune", each, inventory[each].file, Changes(removed=tuple(sorted(snapshot[each].digests))))
        for each in gone
    ]


def _guard(why: str, hint: str, objects: Iterable[Object]) -> Fault:
    return Fault("PruneGuard", f"{why}; nothing of it was touched", hint, objects=tuple(objects))


def _foreign(action: Action) -> Fault:
    return Fault(
        "OwnershipConflict",
        f"there is a {action.object} that sealpy did not put there",
        "move it away, and sealpy makes its own",
        (action.file,),
        (action.object,),
    )


def _by_file(faults: Iterable[Fault]) -> dict[str, Fault]:
    # A fault about certain objects leaves the others of its files alone.
    return {file: fault for fault in faults if not fault.objects for file in fault.files}


def _why_held(entry: Entry | None, running: Running | None) -> str:
    """Say whether somebody changed it: without its file nothing can be done about that, but it can be told."""
    if entry is None or entry.applied is None:
        return ""
    if running is None:
        return "was deleted meanwhile"
    if running.damage or running.digests not in (entry.applied, entry.pending):
        return f"{_drift(entry, running)} meanwhile"
    return ""


def _drift(entry: Entry, running: Running) -> str:
    # Where the whole content is out of reach, naming each key says nothing more.
    keys = _changes(entry.applied or {}, running.digests) if running.digests or not running.damage else Changes()
    words = [f"{key} was {what}" for what, names in zip(keys._fields, keys, strict=True) for key in names]
    return ", ".join([*words, *running.damage])


def _changes(before: Digests, after: Digests) -> Changes:
    return Changes(
        added=tuple(sorted(after.keys() - before.keys())),
        changed=tuple(sorted(key for key in before.keys() & after.keys() if before[key] != after[key])),
        removed=tuple(sorted(before.keys() - after.keys())),
    )
