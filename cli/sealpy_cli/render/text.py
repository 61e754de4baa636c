"""The report for people: one block a file, one line a key, totals at the end that account for every file.

    + added   - removed   ~ changed   = the same after all   ! wrong   ? cannot be told

A line never begins with text from outside, so that it cannot be taken for an order to a CI system.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Generic

from sealpy.changeset import Change, ChangeSet, FileChange, ObjectChange, Range, Totals, V
from sealpy.project import EMPTY, Project
from sealpy.redaction import PublicValue, RedactedValue
from sealpy.sanitise import visible, visible_path
from sealpy_cli.render import spelling

_SIGNS = {"added": "+", "removed": "-", "changed": "~", "renamed": "~", "moved": "="}
_COLOURS = {"#": "1", "+": "32", "-": "31", "~": "33", "!": "1;31", "?": "35", "=": "2", "@": "36"}
_WIDEST_KEY = 40
_INLINE = 100
"""Characters of two values together that still stand on one line."""
_MOST_NAMES = 8
_LACKING = "cannot read it, and so no more its file, which counts with its parts"

_TALLY = (
    ("changed", "with changes"),
    ("same", "with the same values in new ciphertext or layout"),
    ("opaque", "that no key here opens"),
    ("unreadable", "unreadable"),
    ("clear", "not encrypted"),
    ("other", "without secrets"),
)

Line = tuple[str, str]
"""A sign, and what it says."""


class TextRenderer(Generic[V]):
    """Writes for a terminal or a log; it takes revealed values or redacted ones, and shows what it gets.

    ``project`` has the names of the recipients.
    """

    def __init__(self, *, colour: bool = False, remarks: Sequence[str] = (), project: Project = EMPTY) -> None:
        self._colour = colour
        self._remarks = remarks
        self._project = project

    def render(self, changes: ChangeSet[V]) -> Iterator[str]:
        """Return the report file by file."""
        yield self._paint("#", f"diff {title(changes.range)}") + "\n"
        yield from (f"{remark}\n" for remark in self._remarks)
        others: list[str] = []
        hint = ""
        for file in changes:
            hint = hint or next((fault.hint for fault in file.faults if fault.kind == "key"), "")
            if file.standing == "other" and not file.note:
                others.append(visible_path(file.path))
            else:
                yield "\n" + "".join(f"{line}\n" for line in self._file(file))
        if others:
            yield f"\nwithout secrets: {_listing(others)}\n"
        yield "\n"
        if hint:
            yield f"to open more: {visible(hint)}\n"
        yield f"{summary(changes.totals)}\n"

    def _file(self, file: FileChange[V]) -> Iterator[str]:
        yield self._paint("#", visible_path(file.path)) + _after_name(file)
        several = len(file.objects) > 1
        yield from self._lines(
            "  ", (*_faults(file, self._project), *_access(file, self._project), *_parts(file, self._project))
        )
        for one in file.objects:
            if several:
                yield f"  {_identity(one, within=file)}"
            yield from self._object(one, file, "    " if several else "  ")
        yield from self._lines("  ", _counts(file))

    def _lines(self, indent: str, lines: Iterable[Line]) -> Iterator[str]:
        for sign, words in lines:
            yield f"{indent}{self._paint(sign, sign)} {words}"

    def _object(self, one: ObjectChange[V], file: FileChange[V], indent: str) -> Iterator[str]:
        shown: Sequence[Change[V]] = one.changes
        if one.happening in ("added", "removed"):
            # Of an object that came or went, its secrets; the clear fields are in git's own diff.
            shown = [change for change in one.changes if not _is_public(change)]
            if not shown:
                yield from self._lines(indent, [("=", "no secret value in it")])
        width = min(max((len(spelling.place(change)) for change in shown), default=0), _WIDEST_KEY)
        for change in shown:
            first, *rest = _change(change, width, _vouched(change, file))
            yield from self._lines(indent, [(_SIGNS[change.operation], first)])
            yield from (f"{indent}    {self._paint(line[0], line)}" for line in rest)

    def _paint(self, sign: str, text: str) -> str:
        colour = _COLOURS.get(sign)
        return f"\033[{colour}m{text}\033[0m" if self._colour and colour else text


def title(compared: Range) -> str:
    """Name a range."""
    if not compared.from_merge_base:
        return f"{spelling.snapshot(compared.old)} → {spelling.snapshot(compared.new)}"
    base = f"merge base {compared.merge_base[:7]}" if compared.merge_base else "since their merge base"
    return f"{visible(compared.old.label)}...{visible(compared.new.label)}  ({base})"


def summary(totals: Totals) -> str:
    """Account for every file."""
    words = ", ".join(f"{totals.tally[kind]} {text}" for kind, text in _TALLY if totals.tally[kind])
    if not totals.files:
        return f"no change: {_count(totals.unchanged, 'file')} looked at, none differs"
    looked_at = f"{_count(totals.files, 'changed file')} looked at: {words}"
    return looked_at if totals.differ else f"no change in any secret; {looked_at}"


def _after_name(file: FileChange[V]) -> str:
    text = ""
    if file.old_path is not None:
        text += f"  renamed from {visible_path(file.old_path)}"
    elif file.happening != "changed":
        text += "  new" if file.happening == "added" else "  removed"
    if len(file.objects) == 1 and file.objects[0].identity.kind:
        text += f"  {_identity(file.objects[0], within=file)}"
    return text


def _identity(one: ObjectChange[V], within: FileChange[V]) -> str:
    name = visible(str(one.identity))
    if one.was is not None:
        return f"{name}, renamed from {visible(str(one.was))}"
    if one.happening in ("changed", within.happening):
        return name
    return f"{name}, {'new' if one.happening == 'added' else 'removed'}"


def _faults(file: FileChange[V], project: Project) -> Iterator[Line]:
    if file.standing == "clear":
        if file.states[1] == "clear":
            yield "!", "NOT ENCRYPTED: whoever sees the repository reads these values"
        else:
            yield "=", "was not encrypted; its values stay readable in the history"
    if file.note:
        yield "=", visible(file.note)
    if file.standing == "opaque":
        names = [project.shown(name) for name in file.needs]
        yield "?", f"no key here opens it; who has one: {_listing(names)}"
    for fault in file.faults:
        if fault.kind == "key":
            continue  # said above, and what to do about it once at the end
        sign = "!" if fault.breaks_integrity or fault.kind in ("missing", "internal") else "="
        where = f"{spelling.key(fault.path)} " if fault.path else ""
        before = "before this change: " if fault.side == "old" else ""
        # What to do about a MAC is for whoever wrote the change; what to do about the rest is for the reader.
        hint = f"; {visible(fault.hint)}" if fault.hint and fault.kind not in ("mac", "value") else ""
        yield sign, f"{before}{where}{visible(fault.message)}{hint}"


def _access(file: FileChange[V], project: Project) -> Iterator[Line]:
    access = file.access
    if access is None:
        return
    for one in access.added:
        yield "+", f"recipient {spelling.recipient(one, project)}"
    if file.happening == "removed":
        return
    for one in access.removed:
        kept = (
            "; the data key did not change, so what it has still opens the values" if access.data_key == "same" else ""
        )
        yield "-", f"recipient {spelling.recipient(one, project)}{kept}"
    for setting in access.settings:
        old, new = (spelling.shortened(visible(text), _INLINE) or "(none)" for text in (setting.old, setting.new))
        yield "~", f"{_setting(setting.name, project)}: {old} → {new}{_tail('sops metadata are never under the MAC')}"


def _setting(name: str, project: Project) -> str:
    """Write the name of a setting; that of a recipient begins with it."""
    label, _, field = name.rpartition(" ")
    return f"{project.shown(label)} {visible(field)}" if project.name_of(label) else visible(name)


def _parts(file: FileChange[V], project: Project) -> Iterator[Line]:
    for part in file.parts:
        name = visible_path(part.path)
        if part.happening == "removed":
            yield "-", f"part {name}"
        else:
            sign = "+" if part.happening == "added" else "~"
            yield sign, f"part {name}, which whoever can push can write, without the key"
            for labels, what in ((part.beyond, "can read it, and not its file"), (part.lacking, _LACKING)):
                if labels:
                    yield "!", f"{_listing([project.shown(label) for label in labels])} {what}"


def _counts(file: FileChange[V]) -> Iterator[Line]:
    if file.unknown:
        values = _count(file.unknown, "value")
        yield "?", f"{values} with new ciphertext of the same length: without a key nobody can tell what changed"
    words = []
    if file.resealed:
        words.append(f"{_count(file.resealed, 'value')} re-encrypted, plaintext unchanged")
    if file.unchanged and file.happening != "added":
        words.append(f"{_count(file.unchanged, 'value')} unchanged")
    access = file.access
    if access is not None and access.data_key == "rotated":
        words.append("data key rotated")
    if access is not None and access.rewrapped:
        words.append("data key wrapped anew for those who had it")
    if not words and file.standing == "opened" and not file.differs:
        words.append("nothing but layout changed")
    if file.parts and all(part.happening == "removed" for part in file.parts) and not file.differs:
        words.append("folded in, no value changed")
    if words:
        yield "=", "; ".join(words)


def _change(change: Change[V], width: int, vouched: str) -> Iterator[str]:
    """Write a change: a line, and more where the values have lines of their own."""
    remarks = _tail(change.note, vouched)
    start = f"{spelling.place(change):<{width}}  "
    old, new = change.old, change.new
    if change.operation == "moved":
        yield f"{start}encoding moved, value unchanged{remarks}"
    elif change.operation == "renamed":
        yield f"{start}renamed, value unchanged{remarks}"
    elif old is None or new is None:
        yield from _came_or_went(new or old, _SIGNS[change.operation], start, remarks)
    elif isinstance(old, RedactedValue) and isinstance(new, RedactedValue):
        yield f"{start}{_certainty(change)} {spelling.sizes(old, new)}{remarks}"
    else:
        yield from _both(old, new, start, remarks)


def _both(old: spelling.Value, new: spelling.Value, start: str, remarks: str) -> Iterator[str]:
    one, other = spelling.value(old), spelling.value(new)
    old_text, new_text = spelling.text_of(old), spelling.text_of(new)
    if old_text == new_text is not None:
        kinds = f"type {visible(old.kind)} → {visible(new.kind)}, same text" if old.kind != new.kind else "same value"
        yield f"{start}{kinds}{remarks}"
    elif old_text is not None and new_text is not None and any(map(spelling.has_lines, (old_text, new_text))):
        yield f"{start}changed{remarks}"
        yield from spelling.differing_lines(old_text, new_text)
    elif len(one) + len(other) <= _INLINE:
        yield f"{start}{one} → {other}{remarks}"
    else:
        yield f"{start}changed{remarks}"
        yield f"- {one}"
        yield f"+ {other}"


def _came_or_went(value: spelling.Value | None, sign: str, start: str, remarks: str) -> Iterator[str]:
    text = spelling.text_of(value) if value is not None else None
    if text is not None and spelling.has_lines(text):
        yield f"{start}{spelling.count_lines(text)}{remarks}"
        yield from spelling.all_lines(text, sign)
    elif value is not None:
        yield f"{start}{spelling.value(value)}{remarks}"


def _certainty(change: Change[V]) -> str:
    match change.certainty:
        case "probable":
            return "re-encrypted, so probably changed:"
        case "unknown":
            return "perhaps changed:"
        case _:
            return "changed:"


def _vouched(change: Change[V], file: FileChange[V]) -> str:
    """Say what the MAC says about a change, where that is not what a reader expects."""
    if file.standing == "clear" or file.mac not in ("ok", "unchecked") or change.part:
        return ""
    if change.authenticated is False:
        return "not under the MAC"
    return "" if file.mac == "unchecked" or any(change.sealed) else "in clear, under the MAC"


def _is_public(change: Change[V]) -> bool:
    return all(value is None or isinstance(value, PublicValue) for value in (change.old, change.new))


def _tail(*remarks: str) -> str:
    words = [visible(remark) for remark in remarks if remark]
    return f"   [{'; '.join(words)}]" if words else ""


def _listing(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_MOST_NAMES])
    return shown if len(names) <= _MOST_NAMES else f"{shown} and {len(names) - _MOST_NAMES:,} more"


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"
