"""What a set of changes holds, and that a redacted one holds no value."""

import gc

from sealpy.changeset import ChangeSet, Range, Snapshot, redact
from sealpy.redaction import PublicValue, RedactedValue, RevealedValue
from sealpy.secret import Secret
from tests.unit.comparing import changes, compared, edited, rotated, seal
from tests.unit.test_comparison import SECRET

RANGE = Range(Snapshot("main", "1" * 40), Snapshot("worktree"))


def reachable(start: object) -> list[object]:
    """Return all that can be reached from an object, but for modules, classes and functions."""
    seen: dict[int, object] = {}
    waiting = [start]
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, type) or callable(one):
            continue
        seen[id(one)] = one
        waiting.extend(gc.get_referents(one))
    return list(seen.values())


def test_a_redacted_set_holds_no_plaintext():
    old = seal(SECRET)
    file = compared(old, edited(old, SECRET.replace("hunter2", "n3w-canary")))

    (redacted,) = list(redact(ChangeSet(RANGE, [file])))

    held = reachable(redacted)
    assert not [one for one in held if isinstance(one, Secret | RevealedValue)]
    assert not [one for one in held if isinstance(one, str | bytes) and one in ("hunter2", "n3w-canary", b"n3w-canary")]
    assert [one for one in reachable(file) if isinstance(one, Secret)]


def test_redaction_keeps_what_changed_and_how_long_it_is():
    old = seal(SECRET)
    file = compared(old, edited(old, SECRET.replace("hunter2", "n3w-canary")))

    (redacted,) = list(redact(ChangeSet(RANGE, [file])))

    (change,) = redacted.objects[0].changes
    assert (change.old, change.new) == (RedactedValue("str", 7), RedactedValue("str", 10))
    assert redacted._replace(objects=()) == file._replace(objects=())


def test_the_length_of_a_boolean_is_redacted_too():
    assert RevealedValue("bool", Secret(b"True")).redacted() == RedactedValue("bool", None)


def test_clear_fields_stay_readable():
    old = seal(SECRET)
    file = compared(old, edited(old, SECRET.replace("namespace: shop", "namespace: store")))

    (redacted,) = list(redact(ChangeSet(RANGE, [file])))

    assert redacted.objects[0].changes[0].new == PublicValue("str", "store")


def test_a_revealed_value_does_not_print():
    assert "hunter2" not in f"{RevealedValue('str', Secret(b'hunter2'))!r} {RevealedValue('str', Secret(b'hunter2'))}"


def test_the_totals_have_every_file_exactly_once():
    old = seal(SECRET)
    files = [
        compared(old, edited(old, SECRET.replace("hunter2", "x"))),
        compared(old, rotated(old)),
        compared(old, edited(old, SECRET.replace("hunter2", "x")), by=()),
        compared(old, old[:-200]),
        compared(None, SECRET.encode()),
        compared(b"a: 1\n", b"a: 2\n"),
        compared(old, old.replace(b"namespace: shop", b"namespace: evil")),
    ]
    changeset = ChangeSet(RANGE, files)

    assert list(changeset) == files

    totals = changeset.totals
    assert totals.tally == {"changed": 2, "same": 1, "opaque": 1, "unreadable": 1, "clear": 1, "other": 1}
    assert (totals.files, totals.differ, totals.broken, totals.closed) == (7, 5, 2, 1)


def test_changes_are_told_by_their_own_object():
    assert changes(compared(seal(SECRET), seal(SECRET))) == []
