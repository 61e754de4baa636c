"""How a key, a value, a file is written in a report for people. All text from outside passes ``visible`` here."""

from collections.abc import Iterator, Sequence

from sealpy.changeset import Change, Recipient, Snapshot, V
from sealpy.document import Path
from sealpy.project import Project
from sealpy.redaction import PublicValue, RedactedValue, RevealedValue
from sealpy.sanitise import visible

Value = RevealedValue | RedactedValue | PublicValue

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./")
_EMPTY = {"null": "null", "map": "{}", "list": "[]"}

MOST_CHARACTERS = 2_000
MOST_LINES = 100
# Beyond this the comparison of lines, which is quadratic, is not worth its time.
_MOST_COMPARED = 5_000


def key(path: Path) -> str:
    """Write a path: ``data.tls.crt``, ``spec.hosts[2].name``; a key that would mislead stands in quotes."""
    text = ""
    for part in path:
        if type(part) is int:
            text += f"[{part}]"
            continue
        word = str(part)
        name = word if word and _PLAIN.issuperset(word) else f'"{visible(word)}"'
        text += f".{name}" if text else name
    return text or "(top)"


def place(change: Change[V]) -> str:
    """Write where a change is; a rename with both names."""
    here = key(change.path)
    value = change.new or change.old
    if value is not None and value.kind == "comment":
        return f"{here} #" if change.path else "#"
    return here if change.was is None else f"{key(change.was)} → {here}"


def recipient(one: Recipient, project: Project) -> str:
    """Write a master key by its name, if it has one; age recipients speak for themselves."""
    name = project.shown(one.label)
    return name if one.backend == "age" else f"{visible(one.backend)} {name}"


def snapshot(one: Snapshot) -> str:
    """Write a side of the range."""
    if one.commit.startswith(one.label) and one.label:
        return one.commit[:10]
    return f"{visible(one.label)} ({one.commit[:7]})" if one.commit else visible(one.label)


def size(value: RedactedValue) -> str:
    """Write what a value is like: ``str, 12 B``."""
    kind = visible(value.kind)
    if value.size == 0:
        return '""'  # that it is empty, everybody sees
    return kind if value.size is None else f"{kind}, {value.size:,} B"


def sizes(old: RedactedValue, new: RedactedValue) -> str:
    """Write what two values are like, the common part once."""
    if old.kind != new.kind:
        return f"{size(old)} → {size(new)}"
    if old.size is None or new.size is None or old.size == new.size:
        return size(new)
    return f"{visible(new.kind)}, {old.size:,} → {new.size:,} B"


def value(one: Value) -> str:
    """Write a value on one line: text in quotes, other types bare, bytes that are no text by their size."""
    if isinstance(one, RedactedValue):
        return size(one)
    if one.kind in _EMPTY:
        return _EMPTY[one.kind]
    text = text_of(one)
    if text is None:
        return f"binary, {len(one.content.expose()):,} B" if isinstance(one, RevealedValue) else one.kind
    shown = shortened(visible(text), MOST_CHARACTERS)
    if one.kind in ("str", "comment", "bytes"):
        return f'"{shown}"'
    return shown.lower() if one.kind == "bool" else shown


def text_of(one: Value) -> str | None:
    """Return the text of a value that is shown; None if it is hidden, or no text."""
    if isinstance(one, PublicValue):
        return one.text
    if isinstance(one, RedactedValue):
        return None
    try:
        return one.content.expose().decode()
    except UnicodeDecodeError:
        return None


def shortened(text: str, most: int) -> str:
    """Cut a long text, and say by how much."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text) - most:,} more characters)"


def has_lines(text: str | None) -> bool:
    """Tell whether a text has more than one line."""
    return text is not None and "\n" in text[:-1]


def differing_lines(old: str, new: str) -> Iterator[str]:
    """Write the difference of two texts line by line, with context; each line begins with a sign of ours."""
    before, after = _lines(old), _lines(new)
    if max(len(before), len(after)) > _MOST_COMPARED:
        yield f"@ {len(before):,} lines became {len(after):,}: too many to compare here"
        return
    from difflib import unified_diff  # only for texts of several lines

    lines = [line for line in unified_diff(before, after, lineterm="", n=2) if not line.startswith(("---", "+++"))]
    yield from _limited(
        [f"@{line[2:].rpartition(' @@')[0]}" if line.startswith("@@") else _line(line) for line in lines]
    )
    if old.endswith("\n") != new.endswith("\n"):
        yield "- the new line at the end" if old.endswith("\n") else "+ a new line at the end"


def all_lines(text: str, sign: str) -> Iterator[str]:
    """Write a text line by line."""
    yield from _limited([_line(sign + line) for line in _lines(text)])


def count_lines(text: str) -> str:
    """Write how many lines a text has."""
    return f"{len(_lines(text)):,} lines" + ("" if text.endswith("\n") else ", no new line at the end")


def _lines(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n")


def _line(line: str) -> str:
    return shortened(f"{line[0]} {visible(line[1:])}", MOST_CHARACTERS)


def _limited(lines: Sequence[str]) -> Iterator[str]:
    yield from lines[:MOST_LINES]
    if len(lines) > MOST_LINES:
        yield f"… {len(lines) - MOST_LINES:,} more lines; --json has them all"
