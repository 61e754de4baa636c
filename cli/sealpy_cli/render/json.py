"""The report for programs: one JSON document, schema ``sealpy.diff/1``, written file by file.

Everything is plain ASCII, so nothing in it acts on a terminal; names that are no text are ``{"b64": …}``. Sorted as the
files are, no time stamps: the same input gives the same bytes. Fields are added over time, never changed.
"""

import json
from binascii import b2a_base64
from collections.abc import Iterator
from typing import Generic

from sealpy.changeset import (
    Change,
    ChangeSet,
    FileChange,
    Identity,
    ObjectChange,
    Range,
    Recipient,
    Snapshot,
    Totals,
    V,
)
from sealpy.project import EMPTY, Project
from sealpy.redaction import PublicValue, RedactedValue, RevealedValue

SCHEMA = "sealpy.diff/1"


class JsonRenderer(Generic[V]):
    """Writes for programs; ``revealed`` only tells the reader what to expect, the values are what they are.

    ``project`` has the names of the recipients.
    """

    def __init__(self, *, revealed: bool, project: Project = EMPTY) -> None:
        self._revealed = revealed
        self._project = project

    def render(self, changes: ChangeSet[V]) -> Iterator[str]:
        """Return the document piece by piece."""
        head = {"schema": SCHEMA, **_range(changes.range), "revealed": self._revealed}
        yield f'{_dump(head)[:-1]}, "files": ['
        between = "\n"
        for file in changes:
            yield between + _dump(_file(file, self._project))
            between = ",\n"
        yield f'\n], "summary": {_dump(_summary(changes.totals))}}}\n'


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=True)


def _range(compared: Range) -> dict[str, object]:
    return {
        "old": _snapshot(compared.old),
        "new": _snapshot(compared.new),
        "from_merge_base": compared.from_merge_base,
        "merge_base": compared.merge_base or None,
    }


def _snapshot(one: Snapshot) -> dict[str, object]:
    return {"label": _text(one.label), "commit": one.commit or None}


def _file(file: FileChange[V], calls: Project) -> dict[str, object]:
    access = file.access
    return {
        "path": _path(file.path),
        "old_path": _path(file.old_path) if file.old_path is not None else None,
        "happening": file.happening,
        "standing": file.standing,
        "differs": file.differs,
        "states": {"old": file.states[0], "new": file.states[1]},
        "format": file.format or None,
        "modes": {"old": f"{file.modes[0]:06o}", "new": f"{file.modes[1]:06o}"},
        "sizes": {"old": _size(file.sizes[0]), "new": _size(file.sizes[1])},
        "mac": file.mac,
        "note": _text(file.note) or None,
        "parts": [
            {
                "path": _path(part.path),
                "happening": part.happening,
                "beyond_file": [_called(label, calls) for label in part.beyond],
                "missing": [_called(label, calls) for label in part.lacking],
            }
            for part in file.parts
        ],
        "needs": [_text(name) for name in file.needs],
        "holders": [_called(name, calls) for name in file.needs],
        "faults": [
            {
                "side": fault.side,
                "kind": fault.kind,
                "path": _keys(fault.path),
                "message": _text(fault.message),
                "hint": _text(fault.hint) or None,
                "integrity": fault.breaks_integrity,
            }
            for fault in file.faults
        ],
        "access": None
        if access is None
        else {
            "recipients": [_recipient(one, calls) for one in access.recipients],
            "added": [_recipient(one, calls) for one in access.added],
            "removed": [_recipient(one, calls) for one in access.removed],
            "settings": [
                {"name": _text(one.name), "old": _text(one.old), "new": _text(one.new)} for one in access.settings
            ],
            "data_key": access.data_key,
            "rewrapped": access.rewrapped,
        },
        "values": {"unchanged": file.unchanged, "reencrypted": file.resealed, "unknown": file.unknown},
        "objects": [_object(one) for one in file.objects],
    }


def _object(one: ObjectChange[V]) -> dict[str, object]:
    return {
        "identity": _identity(one.identity),
        "was": _identity(one.was) if one.was is not None else None,
        "happening": one.happening,
        "changes": [_change(change) for change in one.changes],
    }


def _identity(one: Identity) -> dict[str, object]:
    return {
        "document": one.document,
        "api_version": _text(one.api_version) or None,
        "kind": _text(one.kind) or None,
        "namespace": _text(one.namespace) or None,
        "name": _text(one.name) or None,
    }


def _change(change: Change[V]) -> dict[str, object]:
    return {
        "operation": change.operation,
        "path": _keys(change.path),
        "was": _keys(change.was) if change.was is not None else None,
        "encrypted": {"old": change.sealed[0], "new": change.sealed[1]},
        "authenticated": change.authenticated,
        "certainty": change.certainty,
        "note": _text(change.note) or None,
        "part": _path(change.part) if change.part else None,
        "old": _value(change.old),
        "new": _value(change.new),
    }


def _value(value: RevealedValue | RedactedValue | PublicValue | None) -> dict[str, object] | None:
    if value is None:
        return None
    if isinstance(value, RedactedValue):
        return {"type": _text(value.kind), "size": value.size}
    if isinstance(value, PublicValue):
        return {"type": value.kind, "value": _text(value.text)}
    content = value.content.expose()
    return {"type": value.kind, "size": len(content), "value": _path(content)}


def _summary(totals: Totals) -> dict[str, object]:
    return {
        "files": totals.files,
        "differ": totals.differ,
        **totals.tally,
        "integrity_failures": totals.broken,
        "not_decrypted": totals.closed,
        "missing": totals.missing,
        "internal_errors": totals.failed,
    }


def _recipient(one: Recipient, calls: Project) -> dict[str, object]:
    # "name" was the recipient before recipients had names.
    called = calls.name_of(one.label) or None
    return {"type": _text(one.backend), "name": _text(one.label), "called": called, "group": one.group}


def _called(label: str, calls: Project) -> dict[str, object]:
    return {"recipient": _text(label), "called": calls.name_of(label) or None}


def _keys(path: tuple[str | int, ...]) -> list[object]:
    return [part if type(part) is int else _text(str(part)) for part in path]


def _size(size: int) -> int | None:
    return size if size >= 0 else None


def _text(text: str) -> str:
    # A byte that is no UTF-8 came in as half a surrogate pair, which strict readers of JSON refuse.
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _path(data: bytes) -> object:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"b64": b2a_base64(data, newline=False).decode()}
