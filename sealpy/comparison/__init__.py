"""Compares two versions of a file: bytes and keys in, a ``FileChange`` out. Nothing is written, nothing raises.

``sides`` reads a version as far as it can be read, ``objects`` finds the Kubernetes objects in it, ``alignment`` pairs
keys, ``leaves`` judges each pair, ``access`` compares who reads the file, ``renames`` finds files that moved,
``joining`` puts the parts of a file into it, ``standing_mac`` finds edits made without a key.
"""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from sealpy.changeset import (
    Change,
    Fault,
    FileChange,
    FileVersion,
    Happening,
    ObjectChange,
    PartChange,
    Standing,
    State,
)
from sealpy.comparison.access import compare_access, differences, labels
from sealpy.comparison.joining import Piece, belongs, join, piece, takes_parts
from sealpy.comparison.leaves import Counts, Judge, compare_leaves
from sealpy.comparison.objects import Part, holds_clear_secret, match, parts
from sealpy.comparison.sides import Opener, Side, expected_sealed, is_of_interest, read
from sealpy.comparison.standing_mac import doubt
from sealpy.redaction import RevealedValue

T = TypeVar("T")

__all__ = ["Opener", "PartVersions", "Versions", "compare", "compare_with_parts"]


Versions = tuple[FileVersion | None, FileVersion | None]
"""An old and a new version of a file; one of the two may be missing."""


class PartVersions(NamedTuple):
    """An old and a new version of what stands where parts of a file belong."""

    versions: Versions
    differs: bool
    """Whether it is among the changed files, or only read along with them."""


def compare_with_parts(
    base: Versions, parts: Sequence[PartVersions], opener: Opener, *, base_differs: bool
) -> list[FileChange[RevealedValue]]:
    """Compare a file together with all its parts; what turns out to be no part stands for itself, if it differs.

    ``base_differs``: whether the base is among the changed files, or only read along with its parts.
    """
    try:
        return _compare_with_parts(base, parts, opener, base_differs=base_differs)
    except Exception:  # noqa: BLE001 - a file made to trip us up must not hide the others
        several = [base] if base_differs else []
        return [compare(*each, opener) for each in several + [part.versions for part in parts if part.differs]]


def compare(old: FileVersion | None, new: FileVersion | None, opener: Opener) -> FileChange[RevealedValue]:
    """Compare two versions of a file; one of the two may be missing."""
    for where, version in (("old", old), ("new", new)):
        if version is not None and version.missing:
            fault = Fault(
                "old" if where == "old" else "new",
                "missing",
                "the content of the file is not in this clone",
                hint="git fetch brings it, unless the clone is partial on purpose",
            )
            return _unreadable(old, new, fault)
    if not any(
        version is not None and version.data is not None and is_of_interest(version.data) for version in (old, new)
    ):
        return _other(old, new)
    try:
        return _compare(old, new, opener)
    except Exception as error:  # noqa: BLE001 - a file made to trip us up must not hide the others
        kind = type(error).__name__
    return _unreadable(old, new, Fault("new", "internal", f"internal error {kind}; please report it"))


def _unreadable(old: FileVersion | None, new: FileVersion | None, fault: Fault) -> FileChange[RevealedValue]:
    """Return the report on a file that nothing can be said about."""
    states: tuple[State, State] = (
        "absent" if old is None else "unreadable",
        "absent" if new is None else "unreadable",
    )
    return _other(old, new)._replace(standing="unreadable", states=states, faults=(fault,))


def _compare_with_parts(
    base: Versions, parts: Sequence[PartVersions], opener: Opener, *, base_differs: bool
) -> list[FileChange[RevealedValue]]:
    sides = list(_read(base, opener))
    if not any(map(takes_parts, sides)):
        several = [base] if base_differs else []
        return [compare(*each, opener) for each in several + [part.versions for part in parts if part.differs]]
    joining: tuple[list[Piece], list[Piece]] = ([], [])
    changed: list[PartChange] = []
    found: list[FileChange[RevealedValue]] = []
    faults: list[Fault] = []
    for versions, differs in parts:
        read_parts = _read(versions, opener)
        pieces = [_piece(base, sides, number, versions, read_parts) for number in (0, 1)]
        problem = pieces[1] if isinstance(pieces[1], str) else ""
        usable = [one for one in pieces if isinstance(one, Piece)]
        if differs and (problem or not usable or any(isinstance(one, str) for one in pieces)):
            alone = compare(*versions, opener)
            if problem:
                fault = Fault("new", "text", f"{_label(base)} cannot be used while this is here: {problem}")
                standing = "unreadable" if alone.standing == "other" else alone.standing
                alone = alone._replace(standing=standing, faults=(*alone.faults, fault))
            found.append(alone)
        elif problem:
            faults.append(Fault("new", "text", f"{_shown(_there(*versions).path)}: {problem}"))
        if differs and usable and len(usable) == sum(version is not None for version in versions):
            beyond, lacking = differences(read_parts[1], sides[1])
            changed.append(PartChange(_there(*versions).path, _happening(*versions), beyond, lacking))
        for number, one in enumerate(pieces):
            if isinstance(one, Piece):
                joining[number].append(one)
    if not changed and not base_differs:
        return found
    before, after = join(sides[0], joining[0], "old"), join(sides[1], joining[1], "new")
    whole = _compare_sides(base[0], base[1], before, after._replace(faults=(*after.faults, *faults)))
    return [whole._replace(parts=tuple(changed), counts=base_differs + len(changed)), *found]


def _piece(
    base: Versions, sides: Sequence[Side], number: int, versions: Versions, read_parts: Sequence[Side]
) -> Piece | str | None:
    """Take one version of a file for a part of the base's version; say why it is none; None if there is nothing."""
    version = versions[number]
    if version is None:
        return None
    if belongs(version.path, base[number]):
        return piece(sides[number], version, read_parts[number]) if takes_parts(sides[number]) else None
    if number and belongs(version.path, base[0]) and isinstance(piece(sides[0], version, read_parts[1]), Piece):
        return "its file is gone, and its value with it"
    return None


def _compare(old: FileVersion | None, new: FileVersion | None, opener: Opener) -> FileChange[RevealedValue]:
    return _compare_sides(old, new, *_read((old, new), opener))


def _read(versions: Versions, opener: Opener) -> tuple[Side, Side]:
    old, new = read(versions[0], opener, "old"), read(versions[1], opener, "new")
    fault = doubt(old, new)
    return old, new if fault is None else new._replace(faults=(*new.faults, fault))


def _compare_sides(
    old: FileVersion | None, new: FileVersion | None, before: Side, after: Side
) -> FileChange[RevealedValue]:
    note = _note(old, new)
    if before.is_sealed and after.state == "other" and new is not None and new.data is not None:
        after, note = after._replace(state="clear"), "was encrypted; now it is not, and no document either"
    if before.is_sealed and after.state == "clear" and before.metadata is not None:
        after = after._replace(exposed=expected_sealed(after.leaves, before.metadata))
    if after.is_sealed and before.state == "clear" and after.metadata is not None:
        before = before._replace(exposed=expected_sealed(before.leaves, after.metadata))
    old_parts, new_parts = parts(before), parts(after)
    standing = _standing(before, after, old_parts, new_parts)
    if standing == "other":
        return _other(old, new)
    access = compare_access(before, after)
    judge = Judge(after, same_key=access is not None and access.data_key == "same")
    counts = Counts()
    objects = []
    for old_part, new_part in match(old_parts, new_parts):
        changes = compare_leaves(before, old_part, after, new_part, judge, counts)
        one = _object(old_part, new_part, tuple(changes))
        if one is not None:
            objects.append(one)
    closed = [side for side in (before, after) if side.state == "opaque"]
    return FileChange(
        path=_there(old, new).path,
        old_path=_old_path(old, new),
        happening=_happening(old, new),
        standing=standing,
        states=(before.state, after.state),
        format=after.format or before.format,
        objects=tuple(objects),
        access=access,
        faults=(*before.faults, *after.faults),
        unchanged=counts.unchanged,
        resealed=counts.resealed,
        unknown=counts.unknown,
        mac=after.mac,
        needs=tuple(dict.fromkeys(label for side in closed for label in labels(side))),
        modes=_modes(old, new),
        sizes=_sizes(old, new),
        note=note,
    )


def _standing(before: Side, after: Side, old_parts: list[Part], new_parts: list[Part]) -> Standing:
    states = (before.state, after.state)
    if "unreadable" in states:
        return "unreadable"
    if "opaque" in states:
        return "opaque"
    if after.state == "clear" and (before.is_sealed or holds_clear_secret(after, new_parts)):
        return "clear"
    if "opened" in states:
        return "opened"
    return "clear" if before.state == "clear" and holds_clear_secret(before, old_parts) else "other"


def _object(
    old: Part | None, new: Part | None, changes: tuple[Change[RevealedValue], ...]
) -> ObjectChange[RevealedValue] | None:
    if old is None or new is None:
        there = _there(old, new)
        if not there.name[0] and not changes:
            return None
        return ObjectChange(there.identity, None, "added" if old is None else "removed", changes)
    if old.name != new.name:
        return ObjectChange(new.identity, old.identity, "renamed", changes)
    return ObjectChange(new.identity, None, "changed", changes) if changes else None


def _other(old: FileVersion | None, new: FileVersion | None) -> FileChange[RevealedValue]:
    return FileChange(
        path=_there(old, new).path,
        old_path=_old_path(old, new),
        happening=_happening(old, new),
        standing="other",
        states=("absent" if old is None else "other", "absent" if new is None else "other"),
        format="",
        modes=_modes(old, new),
        sizes=_sizes(old, new),
        note=_note(old, new),
    )


def _label(versions: Versions) -> str:
    return _shown(_there(*versions).path)


def _shown(path: bytes) -> str:
    return path.decode("utf-8", "surrogateescape")


def _there(old: T | None, new: T | None) -> T:
    there = old if new is None else new
    if there is None:
        raise ValueError("neither an old nor a new version")
    return there


def _old_path(old: FileVersion | None, new: FileVersion | None) -> bytes | None:
    return old.path if old is not None and new is not None and old.path != new.path else None


def _happening(old: FileVersion | None, new: FileVersion | None) -> Happening:
    if old is None:
        return "added"
    if new is None:
        return "removed"
    return "renamed" if old.path != new.path else "changed"


def _modes(old: FileVersion | None, new: FileVersion | None) -> tuple[int, int]:
    return (old.mode if old is not None else 0, new.mode if new is not None else 0)


def _sizes(old: FileVersion | None, new: FileVersion | None) -> tuple[int, int]:
    sizes = [len(one.data) if one is not None and one.data is not None else -1 for one in (old, new)]
    return sizes[0], sizes[1]


def _note(old: FileVersion | None, new: FileVersion | None) -> str:
    """Say what a file is that is not looked into, and a change of mode."""
    for version in (new, old):
        if version is not None and version.problem:
            return version.problem
    if old is not None and new is not None and old.mode != new.mode:
        return f"mode {old.mode:o} to {new.mode:o}"
    return ""
