"""Tells what happened: one plain line on stderr for each thing, and with ``--json`` one document a round on stdout.

Names of objects, keys and files are told, values never. In a loop a thing that stays as it is is told once.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TextIO

from sealpy.sanitise import visible
from sealpy_controller.faults import Fault
from sealpy_controller.objects import Object
from sealpy_controller.plan import Action, Changes, Verb
from sealpy_controller.rounds import Outcome

SCHEMA = "sealpy.reconcile/1"

_DONE: dict[Verb, str] = {"create": "created", "update": "updated", "revert": "put back", "prune": "removed"}
_PLANNED: dict[Verb, str] = {
    "create": "would create",
    "update": "would update",
    "revert": "would put back",
    "prune": "would remove",
}
_COUNTED: dict[Verb, str] = {"unchanged": "unchanged", "held": "held"}
_TO_DO: dict[Verb, str] = {verb: word.replace("would", "to") for verb, word in _PLANNED.items()}
_SHORT_COMMIT = 10
_SHOWN = 5


class Report:
    """The voice of one run."""

    def __init__(self, header: Mapping[str, str], *, dry_run: bool, as_json: bool, out: TextIO, talk: TextIO) -> None:
        """``header`` says in each document what the run is about."""
        self._header = header
        self._dry_run = dry_run
        self._as_json = as_json
        self._out = out
        self._talk = talk
        self._told: set[tuple[str, ...]] = set()
        self._commit: str | None = None

    def warn(self, message: str) -> None:
        """Tell something that may be wrong, once in the life of this object."""
        if ("warning", message) not in self._told:
            self._told.add(("warning", message))
            self._line(f"warning: {visible(message)}")

    def tell(self, outcome: Outcome, retry_in: float | None) -> None:
        """Tell what came of a round; ``retry_in`` is when the next one comes, in seconds."""
        if self._as_json:
            json.dump(self._document(outcome, retry_in), self._out)
            self._out.write("\n")
            self._out.flush()
        for remark in outcome.found.remarks:
            self.warn(remark)
        words = _PLANNED if self._dry_run else _DONE
        for action in outcome.actions:
            if action.verb in words:
                self._line(f"{words[action.verb]} {_sentence(action)}")
        self._tell_faults(outcome)
        happened = any(action.verb in words for action in outcome.actions)
        if not outcome.fatal and (happened or outcome.commit != self._commit):
            self._line(self._summary(outcome))
            self._commit = outcome.commit

    def _tell_faults(self, outcome: Outcome) -> None:
        """Tell what failed, unless it was told before, and what does so no more."""
        held: dict[str, list[Action]] = {}
        for action in outcome.actions:
            if action.verb == "held":
                held.setdefault(action.file, []).append(action)
        now = set()
        for fault in outcome.faults:
            key = ("fault", fault.reason, fault.message, *fault.files, *map(str, fault.objects))
            now.add(key)
            if key in self._told:
                continue
            self._told.add(key)
            self._line(f"{'held' if fault.reason == 'PruneGuard' else 'failed'}: {_fault(fault, held)}")
            if fault.hint:
                self._line(f"hint: {visible(fault.hint)}")
        drifted = [action for actions in held.values() for action in actions if action.why.endswith("meanwhile")]
        for action in drifted:
            self.warn(f"{action.object}: {action.why}; without its file it cannot be put back")
        if not outcome.fatal:
            recovered = {key for key in self._told if key[0] == "fault"} - now
            self._told -= recovered
            if recovered and not now:
                self._line("all is well again")

    def _summary(self, outcome: Outcome) -> str:
        counts = Counter(action.verb for action in outcome.actions)
        words = (_TO_DO if self._dry_run else _DONE) | _COUNTED
        parts = [f"{counts[verb]} {word}" for verb, word in words.items() if counts[verb]]
        if outcome.faults:
            parts.append(f"{len(outcome.faults)} failed")
        left = f"{_files(outcome.found.skipped)} left alone"
        where = f"{self._header['ref']} at {outcome.commit[:_SHORT_COMMIT]}"
        return f"{where}: {', '.join(parts) or 'no Secret and no ConfigMap'}; {left}"

    def _document(self, outcome: Outcome, retry_in: float | None) -> dict[str, object]:
        counts = Counter(action.verb for action in outcome.actions)
        found = outcome.found
        return {
            "schema": SCHEMA,
            **self._header,
            "dry_run": self._dry_run,
            "commit": outcome.commit or None,
            "converged": not outcome.faults,
            "actions": [_action(action) for action in outcome.actions if action.verb not in ("unchanged", "forget")],
            "faults": [_fault_document(fault) for fault in outcome.faults],
            "in_clear": [_object(each) for each in found.in_clear],
            "counts": {
                "unchanged": counts["unchanged"],
                "files": found.files,
                "skipped": found.skipped,
                "kustomizations": found.kustomizations,
                "links": found.links,
            },
            "retry_in": None if retry_in is None else round(retry_in, 1),
        }

    def _line(self, text: str) -> None:
        self._talk.write(f"sealpy: {text}\n")
        self._talk.flush()


def _sentence(action: Action) -> str:
    """Say what, why and from where."""
    about = visible(str(action.object))
    keys = _keys(action.keys)
    file = visible(action.file)
    if action.verb == "create":
        return f"{about} from {file}: {keys or 'no keys'}"
    if action.verb == "prune":
        return f"{about}: {file} no longer has it"
    if action.verb == "revert":
        return f"{about}: {visible(action.why)}"
    return f"{about} from {file}: {keys or 'finished what was interrupted'}"


def _keys(changes: Changes) -> str:
    words = {"added": "+", "changed": "~", "removed": "-"}
    return ", ".join(
        f"{words[what]}{visible(key)}" for what, names in zip(Changes._fields, changes, strict=True) for key in names
    )


def _fault(fault: Fault, held: dict[str, list[Action]]) -> str:
    where = ", ".join(visible(file) for file in fault.files)
    text = f"{where}: {visible(fault.message)}" if where else visible(fault.message)
    about = fault.objects or [action.object for file in fault.files for action in held.get(file, ())]
    if fault.reason == "PruneGuard":
        return f"{text} ({_listing(about)})"
    if fault.reason in ("SourceNotReady", "TargetNotReady"):
        return f"{text}; what runs stays as it is"
    if about and not fault.objects:
        return (
            f"{text}; {_listing(about)} stays as it is"
            if len(about) == 1
            else f"{text}; {_listing(about)} stay as they are"
        )
    return text


def _listing(objects: Iterable[Object]) -> str:
    names = [visible(str(each)) for each in objects]
    shown = ", ".join(names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"


def _files(count: int) -> str:
    return f"{count} file" if count == 1 else f"{count} files"


def _object(each: Object) -> dict[str, str]:
    return each._asdict()


def _action(action: Action) -> dict[str, object]:
    document: dict[str, object] = {"action": action.verb, **_object(action.object), "file": action.file}
    keys = {name: list(value) for name, value in action.keys._asdict().items() if value}
    if keys:
        document["keys"] = keys
    if action.why:
        document["why"] = action.why
    if action.reason:
        document["reason"] = action.reason
    return document


def _fault_document(fault: Fault) -> dict[str, object]:
    return {
        "reason": fault.reason,
        "message": fault.message,
        "hint": fault.hint,
        "files": list(fault.files),
        "objects": [_object(each) for each in fault.objects],
    }
