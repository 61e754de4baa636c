"""Settings files in YAML, read so that a mistake can be pointed at.

A setting keeps the line it is on and the text it was written as, for what a text means depends on where it stands:
``no`` is a truth value for one setting and a name for another. Anchors, aliases and merge keys work. A key that
nobody knows is a note, but one that looks like a slip of the pen is an error: ``encryped_regex``, taken for a
remark, would leave secrets in clear.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from sealpy.errors import RuleError

if TYPE_CHECKING:
    from yaml import Event

_DEPTH_LIMIT = 64
_VISIT_LIMIT = 200_000
"""How many settings are looked at before aliases of aliases are taken for an attack."""

_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_TRUE = frozenset(("y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE"))
_FALSE = frozenset(("n", "N", "no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE"))


class _Source:
    """The file that settings come from, the remarks on it, and how often its settings were looked at."""

    __slots__ = ("name", "notes", "visits")

    def __init__(self, name: str) -> None:
        self.name = name
        self.notes: list[str] = []
        self.visits = 0


class Setting:
    """One node of a settings file: a text, a list or a map. ``line`` counts from 1."""

    __slots__ = ("_children", "_source", "_value", "depth", "kind", "line", "null")

    def __init__(self, source: _Source, line: int, kind: Literal["text", "list", "map"], value: str = "") -> None:
        self._source = source
        self.kind = kind
        self._value = value
        self._children: list[Setting] = []  # of a map: key, value, key, value…
        self.line = line
        self.depth = 1
        self.null = False

    def __repr__(self) -> str:
        return f"<Setting {self.kind} at line {self.line}>"

    def add(self, child: Setting) -> None:
        """Put in the next item, key or value."""
        self._children.append(child)
        self.depth = max(self.depth, child.depth + 1)

    def fault(self, message: str, *, hint: str | None = None) -> RuleError:
        """Make an error that names the file and this line."""
        return RuleError(f"{self._source.name}:{self.line}: {message}", hint=hint)

    @property
    def notes(self) -> Sequence[str]:
        """The remarks on the whole file, as far as it was read by now."""
        return self._source.notes

    def fields(self, known: Sequence[str], mistaken: Mapping[str, str] | None = None) -> dict[str, Setting]:
        """Return the entries of a map that are known and not null; other names are noted.

        ``mistaken`` are names that people write where they mean one of the known ones.

        Raises:
            RuleError: not a map, a name twice, or one that is mistaken or nearly a known one.
        """
        found: dict[str, Setting] = {}
        for key, value in self.entries(set()):
            name = key.text("a key")
            if name in known:
                if not value.null:
                    found[name] = value
                continue
            meant = (mistaken or {}).get(name) or _nearest(name, known)
            if meant is not None:
                raise key.fault(f"unknown key {_shown(name)}", hint=f"did you mean {meant}?")
            self._source.notes.append(f"line {key.line}: unknown key {_shown(name)} is ignored")
        return found

    def field(self, name: str) -> Setting | None:
        """Return one entry of a map, None when it is not there or this is no map; a null entry is not there."""
        if self.kind != "map":
            return None
        return next((value for key, value in self.entries(set()) if key.text("a key") == name and not value.null), None)

    def items(self, what: str) -> list[Setting]:
        """Return the items of a list; ``what`` is what the error calls it.

        Raises:
            RuleError
        """
        self._visit()
        if self.kind != "list":
            raise self.fault(f"{what} must be a list")
        return self._children

    def text(self, what: str) -> str:
        """Return a text, a number or the like as it was written.

        Raises:
            RuleError
        """
        self._visit()
        if self.kind != "text":
            raise self.fault(f"{what} must be text")
        return self._value

    def texts(self, what: str) -> list[str]:
        """Return the items of a list, or the parts of a text with commas; blank ones are left out.

        Raises:
            RuleError
        """
        given = [self] if self.kind == "text" else self.items(what)
        return [part.strip() for item in given for part in item.text(what).split(",") if part.strip()]

    def pairs(self, what: str) -> dict[str, str]:
        """Return a map of texts.

        Raises:
            RuleError
        """
        return {key.text("a key"): "" if value.null else value.text(what) for key, value in self.entries(set())}

    def integer(self, what: str) -> int:
        """Return a whole number.

        Raises:
            RuleError
        """
        try:
            return int(self.text(what), 0)
        except ValueError:
            pass
        raise self.fault(f"{what} must be a whole number")

    def boolean(self, what: str) -> bool:
        """Return a truth value, in any spelling that a version of YAML had for one.

        Raises:
            RuleError
        """
        text = self.text(what)
        if text in _TRUE or text in _FALSE:
            return text in _TRUE
        raise self.fault(f"{what} must be true or false")

    def entries(self, taken: set[str]) -> Iterator[tuple[Setting, Setting]]:
        """Give a map's own entries, then the ones that it merges in, but none whose name is taken."""
        self._visit()
        if self.kind != "map":
            raise self.fault("this must be a map of settings")
        own: set[str] = set()
        merged: Setting | None = None
        for key, value in zip(self._children[::2], self._children[1::2], strict=True):
            name = key.text("a key")
            if name in own:
                raise key.fault(f"the key {_shown(name)} stands here twice")
            own.add(name)
            if name == "<<":
                merged = value
            elif name not in taken:
                taken.add(name)
                yield key, value
        if merged is not None:
            for parent in [merged] if merged.kind == "map" else merged.items("what is merged"):
                yield from parent.entries(taken)

    def _visit(self) -> None:
        self._source.visits += 1
        if self._source.visits > _VISIT_LIMIT:
            raise self.fault("aliases blow this file up")


def parse(text: str, name: str) -> Setting | None:
    """Read the first document of a text; None when there is none. ``name`` is what errors call the file.

    Raises:
        RuleError: not well-formed, or too deep.
    """
    # It takes longer to import than a file of settings to read, and most runs read none.
    from yaml import YAMLError
    from yaml._yaml import CParser

    source = _Source(name)
    try:
        return _build(CParser(text).get_event, source)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else text.count("\n", 0, getattr(error, "position", 0)) + 1
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
    raise RuleError(f"{name}:{line}: not well-formed YAML")


def _build(next_event: Callable[[], Event | None], source: _Source) -> Setting | None:
    """Make settings of the first document's events, without recursion: nesting may be deep on purpose."""
    from yaml import AliasEvent, DocumentEndEvent, ScalarEvent, StreamEndEvent
    from yaml.events import CollectionEndEvent, CollectionStartEvent, MappingStartEvent, NodeEvent

    root = Setting(source, 1, "list")
    opened = [root]
    anchors: dict[str, Setting] = {}
    while True:
        event = next_event()
        if event is None or isinstance(event, DocumentEndEvent | StreamEndEvent):
            children = root.items("the file")
            return children[0] if children and not children[0].null else None
        if isinstance(event, CollectionEndEvent):
            closed = opened.pop()
            opened[-1].depth = max(opened[-1].depth, closed.depth + 1)
        if not isinstance(event, NodeEvent):
            continue
        line = event.start_mark.line + 1 if event.start_mark else 0
        if isinstance(event, AliasEvent):
            found = anchors.get(event.anchor or "")
            if found is None or any(found is outer for outer in opened):
                raise Setting(source, line, "text").fault("an alias of something that is not complete here")
            setting = found
        elif isinstance(event, ScalarEvent):
            setting = Setting(source, line, "text", event.value)
            setting.null = event.implicit[0] and event.value in _NULLS
        else:
            setting = Setting(source, line, "map" if isinstance(event, MappingStartEvent) else "list")
        if event.anchor:
            anchors[event.anchor] = setting
        opened[-1].add(setting)
        if isinstance(event, CollectionStartEvent):
            opened.append(setting)
        if len(opened) + setting.depth > _DEPTH_LIMIT:
            raise setting.fault("nested too deeply")


def _nearest(name: str, known: Sequence[str]) -> str | None:
    """Return the known name that a name is a slip of, if any."""
    plain = name.lower().replace("-", "_")
    allowed = 1 if len(name) < 8 else 2
    near = [(distance, other) for other in known if (distance := _distance(plain, other, allowed)) <= allowed]
    return min(near)[1] if near else None


def _distance(one: str, other: str, limit: int) -> int:
    """Count the letters to insert, leave out, replace or swap; what is over the limit may be any number over it."""
    if abs(len(one) - len(other)) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        before, last, row = row, before, [i]
        for j, theirs in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != theirs))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == theirs:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]


def _shown(name: str) -> str:
    return repr(name if len(name) <= 40 else name[:39] + "…")
