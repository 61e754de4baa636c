"""Decisions: each case is what runs, what is wanted, what is remembered, and what follows."""

import pytest

from sealpy_controller.faults import Fault
from sealpy_controller.objects import Entry, Object, Running, Wanted
from sealpy_controller.plan import Changes, Plan, plan

DB = Object("prod", "Secret", "db")
SOURCE = "repository#main:k8s"
OLD, NEW = {"a": "1", "b": "2"}, {"a": "1", "b": "3"}


def _wanted(digests: dict[str, str] = OLD, file: str = "db.yaml") -> Wanted:
    return Wanted(digests, file)


def _entry(
    applied: dict[str, str] | None = OLD, *, pending: dict[str, str] | None = None, file: str = "db.yaml"
) -> Entry:
    return Entry(file, SOURCE, "c0ffee", applied, pending)


def _one(
    running: Running | None, wanted: Wanted | None, entry: Entry | None, faults: tuple[Fault, ...] = ()
) -> tuple[str, Changes, str]:
    planned = plan(
        {DB: running} if running else {},
        {DB: wanted} if wanted else {},
        {DB: entry} if entry else {},
        source=SOURCE,
        faults=faults,
    )
    assert len(planned.actions) == 1
    action = planned.actions[0]
    assert action.object == DB
    return action.verb, action.keys, action.why


@pytest.mark.parametrize(
    ("running", "wanted", "entry", "expected"),
    [
        pytest.param(None, _wanted(), None, ("create", Changes(added=("a", "b")), ""), id="new"),
        pytest.param(
            None,
            _wanted(),
            _entry(None, pending=OLD),
            ("create", Changes(added=("a", "b")), ""),
            id="killed before it was made",
        ),
        pytest.param(Running(OLD), _wanted(), _entry(), ("unchanged", Changes(), ""), id="in order"),
        pytest.param(Running(OLD), _wanted(), None, ("unchanged", Changes(), ""), id="inventory lost, content right"),
        pytest.param(
            Running(OLD), _wanted(NEW), _entry(), ("update", Changes(changed=("b",)), ""), id="source changed a key"
        ),
        pytest.param(
            Running(OLD),
            _wanted({"b": "2", "c": "4"}),
            _entry(),
            ("update", Changes(added=("c",), removed=("a",)), ""),
            id="source renamed a key",
        ),
        pytest.param(
            Running(NEW),
            _wanted(OLD),
            _entry(OLD, pending=NEW),
            ("update", Changes(changed=("b",)), ""),
            id="killed, then reverted in git",
        ),
        pytest.param(
            Running(NEW, ("the link a was removed",)),
            _wanted(NEW),
            _entry(OLD, pending=NEW),
            ("update", Changes(), ""),
            id="killed between content and links",
        ),
        pytest.param(
            Running(NEW),
            _wanted(),
            _entry(),
            ("revert", Changes(changed=("b",)), "b was changed"),
            id="somebody changed a key",
        ),
        pytest.param(
            Running({"a": "1", "x": "9"}),
            _wanted(),
            _entry(),
            ("revert", Changes(added=("b",), removed=("x",)), "x was added, b was removed"),
            id="somebody added and removed keys",
        ),
        pytest.param(
            Running(OLD, ("a had mode 0644 instead of 0600",)),
            _wanted(),
            _entry(),
            ("revert", Changes(), "a had mode 0644 instead of 0600"),
            id="somebody changed a mode",
        ),
        pytest.param(
            Running({}, ("its folder was replaced",)),
            _wanted(),
            _entry(),
            ("revert", Changes(added=("a", "b")), "its folder was replaced"),
            id="somebody replaced it",
        ),
        pytest.param(
            None, _wanted(), _entry(), ("revert", Changes(added=("a", "b")), "was deleted"), id="somebody deleted it"
        ),
        pytest.param(
            Running({"a": "9", "b": "9"}),
            _wanted(NEW),
            _entry(),
            ("revert", Changes(changed=("a", "b")), "a was changed, b was changed"),
            id="somebody and the source changed it",
        ),
        pytest.param(None, None, _entry(), ("forget", Changes(), ""), id="gone on both sides"),
    ],
)
def test_one_object(running, wanted, entry, expected) -> None:
    assert _one(running, wanted, entry) == expected


def test_what_is_not_ours_is_held() -> None:
    planned = plan({DB: Running(NEW)}, {DB: _wanted()}, {}, source=SOURCE)

    assert [action.verb for action in planned.actions] == ["held"]
    assert [fault.reason for fault in planned.held] == ["OwnershipConflict"]


FAILED = Fault("IntegrityFailed", "the MAC is wrong", files=("db.yaml",))


@pytest.mark.parametrize(
    ("running", "wanted", "why"),
    [
        (Running(OLD), None, ""),
        (Running(NEW), None, "b was changed meanwhile"),
        (None, None, "was deleted meanwhile"),
        # Another file claims it now; the one that failed may do so too.
        (Running(OLD), _wanted(NEW, "other.yaml"), ""),
    ],
)
def test_what_a_failed_file_held_is_neither_changed_nor_removed(running, wanted, why) -> None:
    assert _one(running, wanted, _entry(), (FAILED,)) == ("held", Changes(), why)


def test_a_fault_about_one_object_leaves_the_others_of_its_file_alone() -> None:
    other = Object("prod", "Secret", "other")
    fault = Fault("DuplicateObject", "twice", files=("db.yaml", "copy.yaml"), objects=(DB,))

    planned = plan(
        {DB: Running(OLD), other: Running(OLD)},
        {other: _wanted(NEW)},
        {DB: _entry(), other: _entry()},
        source=SOURCE,
        faults=[fault],
    )

    assert [(action.verb, action.object.name) for action in planned.actions] == [("held", "db"), ("update", "other")]


def _many(
    count: int, gone: int, *, source: str = SOURCE, faults: tuple[Fault, ...] = (), allow_prune: bool = False
) -> Plan:
    """Plan for so many objects in the inventory, of which the last ones are gone from the source."""
    objects = [Object("prod", "Secret", f"s{number:02}") for number in range(count)]
    return plan(
        dict.fromkeys(objects, Running(OLD)),
        dict.fromkeys(objects[: count - gone], _wanted()),
        dict.fromkeys(objects, _entry()),
        source=source,
        faults=faults,
        allow_prune=allow_prune,
    )


@pytest.mark.parametrize(
    ("count", "gone", "allow_prune", "removed"),
    [
        (4, 1, False, 1),
        (4, 3, False, 3),  # three are always allowed
        (8, 4, False, 4),  # just half
        (8, 5, False, 0),
        (8, 5, True, 5),
        (9, 5, False, 0),
        (1, 1, False, 0),  # nothing at all would be left
        (8, 8, False, 0),
        (8, 8, True, 0),
    ],
)
def test_the_prune_guard(count: int, gone: int, allow_prune: bool, removed: int) -> None:
    planned = _many(count, gone, allow_prune=allow_prune)

    assert len(planned.of("prune")) == removed
    assert len(planned.of("held")) == gone - removed
    assert [fault.reason for fault in planned.held] == ([] if removed else ["PruneGuard"])


def test_nothing_is_removed_while_any_file_fails() -> None:
    planned = _many(4, 1, faults=(Fault("NoMatchingIdentity", "no key", files=("elsewhere.yaml",)),), allow_prune=True)

    assert [action.verb for action in planned.actions] == ["unchanged", "unchanged", "unchanged", "held"]
    # The fault itself says enough.
    assert planned.held == ()


def test_nothing_is_removed_while_something_of_others_is_in_the_way() -> None:
    foreign = Object("prod", "Secret", "foreign")
    gone = Object("prod", "Secret", "gone")

    planned = plan(
        {foreign: Running(NEW), gone: Running(OLD), DB: Running(OLD)},
        {foreign: _wanted(), DB: _wanted()},
        {gone: _entry(), DB: _entry()},
        source=SOURCE,
    )

    assert [action.verb for action in planned.actions] == ["unchanged", "held", "held"]


def test_what_another_source_put_there_is_not_removed_by_this_one() -> None:
    planned = _many(4, 1, source="repository#main:typo")

    assert len(planned.of("held")) == 1
    assert planned.held[0].message.startswith("it came from another source")
    assert len(_many(4, 1, source="repository#main:typo", allow_prune=True).of("prune")) == 1
