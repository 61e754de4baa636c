"""Read YAML into leaves with spans, from libyaml's events.

go-yaml, which sops uses, is a port of libyaml: tokens and positions agree. What differs is the meaning of plain
scalars (``yaml_resolve``) and comments, which libyaml does not report (``yaml_comments``).

Longer than other modules, for it is one state machine: every event changes what the next one means.

Refused as sops refuses: roots that are no map, keys that are no string, a key twice in the first document.
"""

import re
from bisect import bisect_right
from typing import Any, NamedTuple, NoReturn

from yaml import YAMLError
from yaml._yaml import CParser
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from sealpy import values
from sealpy.document import LISTED, Block, Document, Kind, Leaf, Path, line_and_column
from sealpy.errors import (
    AlreadyEncrypted,
    DocumentError,
    EmptyDocument,
    InvalidMetadata,
    ParseError,
    UnsealableValue,
)
from sealpy.formats.yaml_resolve import FIRST_OF_TYPED, resolve
from sealpy.formats.yaml_spans import block_scalar_end, skip_properties

MAX_DEPTH = 1000
MAX_METADATA_DEPTH = 100
"""They have a depth of six at most."""
MAX_ALIASED = 1_000_000
"""How many leaves may be reached through aliases; more is an alias bomb."""

_TALL = 50
_MAX_WEIGHT = 10_000_000
"""How many path components all the leaves below depth 50 may have together: paths are what could grow."""

RESERVED = "sops"
BOM = "\ufeff"

PLAIN, SINGLE, DOUBLE, LITERAL, FOLDED, ALIAS = "p", "'", '"', "|", ">", "*"
FLOW = ","
_BLOCK_STYLES = (LITERAL, FOLDED)
LITERAL_BODY, FOLDED_BODY = "L", "F"
"""Block scalars without their header, which has a comment; the header without it follows in the style."""
_BODY_STYLES = (LITERAL_BODY, FOLDED_BODY)
_STYLES = {None: PLAIN, "": PLAIN, "'": SINGLE, '"': DOUBLE, "|": LITERAL, ">": FOLDED}

_LISTED_COMMENT = re.compile(r"-[ \t]+$")


class Root(NamedTuple):
    """Where one document of the stream is, for putting a block into it."""

    flow: bool
    """Is its root written with braces?"""
    column: int
    """The column of its root's keys, counted from 0."""
    start: int
    """Where the root begins; the closing brace is at ``close``."""
    close: int
    empty: bool
    end: int
    """Where the document ends: at ``---``, ``...`` or the end of the text."""


class _Anchored(NamedTuple):
    """The leaves of an anchored collection: a range of all, whose paths have ``depth`` parts above the anchor."""

    first: int
    last: int
    depth: int


# What Leaf(…) does, without the detour through a function of Python.
_new_leaf = tuple.__new__


class _Frame:
    """One open collection."""

    __slots__ = ("column", "flow", "index", "is_map", "key", "path", "seen", "start")

    def __init__(self, is_map: bool, path: Path, flow: bool, start: int, column: int, seen: set[str] | None) -> None:
        self.column = column
        self.is_map = is_map
        self.path = path
        self.flow = flow
        self.start = start
        self.key: str | None = None
        self.index = 0
        """How many values it has so far."""
        self.seen = seen


def scan(text: str) -> Document:
    """Scan a YAML stream; the document's ``layout`` are the ``Root``s of its documents.

    Raises:
        ParseError, EmptyDocument, UnsealableValue, AlreadyEncrypted: with line and column.
    """
    return _Scanner(text).run()


class _Scanner:
    """One pass over the events; its attributes are the state between two of them."""

    def __init__(self, text: str) -> None:
        self.text = text
        # libyaml does not count the byte order mark.
        self.shift = 1 if text.startswith(BOM) else 0
        self.leaves: list[Leaf] = []
        self.starts: list[int] = []
        """Where each leaf's node begins, properties included: the order of comments goes by it."""
        self.blocks: list[Block] = []
        self.metadata: dict[str, object] | None = None
        self.roots: list[Root] = []
        self.containers: dict[int, Path] = {}
        self.frames: list[_Frame] = []
        self.number = 0
        self.root: _Frame | None = None
        self.root_close = 0
        self.anchors: dict[str, Leaf | _Anchored | None] = {}
        """What each anchor names; None while its collection is still open. As in go-yaml they outlive a document."""
        self.open_anchors: list[tuple[int, str, int, int]] = []
        self.aliased = 0
        self.weight = 0
        # The sops block, while we are in it: its leaves and where its key stands.
        self.block: list[Leaf] | None = None
        self.block_start = 0
        self.block_column = 0

    def run(self) -> Document:
        text = self.text
        position: tuple[int, int] | None = None
        what = ""
        try:
            parser = CParser(text)
            next_event = parser.get_event
            while True:
                event = next_event()
                kind = type(event)
                if kind is ScalarEvent:
                    self._scalar(event)
                elif kind is MappingStartEvent or kind is SequenceStartEvent:
                    self._enter(event, kind is MappingStartEvent)
                elif kind is MappingEndEvent or kind is SequenceEndEvent:
                    self._leave(event)
                elif kind is AliasEvent:
                    self._alias(event)
                elif kind is DocumentStartEvent:
                    self._start_document(event)
                elif kind is DocumentEndEvent:
                    self._end_document(event)
                elif kind is StreamEndEvent:
                    break
        except YAMLError as error:
            # The foreign error quotes the source: take the position and let it go.
            mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
            position = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
            what = _plain_words(getattr(error, "problem", None))
        except (UnicodeError, RecursionError):
            position, what = (1, 1), "it is not text"
        if position is not None:
            from sealpy import conflict  # what can be read does without

            raise conflict.explained(ParseError(f"not YAML: {what}", line=position[0], column=position[1]), text)
        if not self.roots:
            if text.strip(BOM + " \t\r\n"):
                raise ParseError("there is no YAML document, only comments", line=1, column=1)
            raise EmptyDocument("the file is empty", line=1, column=1)
        return self._finish()

    # -- events -------------------------------------------------------------------------------------------

    def _scalar(self, event: Any) -> None:
        if not self.frames:
            self._root_scalar(event)
            return
        # This runs for every key and value, so what is usual (no tag, no anchor, a string) is asked first.
        frame = self.frames[-1]
        content = event.value
        tag = event.tag
        bare = tag is None and event.anchor is None
        if frame.is_map and frame.key is None:
            if not bare or (not event.style and content[:1] in FIRST_OF_TYPED):
                self._key(event, frame)
            elif content == RESERVED or (frame.seen is not None and content in frame.seen):
                self._name(frame, content, event)
            else:
                frame.key = content
                if frame.seen is not None:
                    frame.seen.add(content)
            return
        style = _STYLES[event.style]
        start = node_start = event.start_mark.index + self.shift
        end = event.end_mark.index + self.shift
        kind: Kind = "str"
        prefix = ""
        if not bare:
            start, prefix = skip_properties(self.text, start, end, tag)
        if tag is not None or (style == PLAIN and content[:1] in FIRST_OF_TYPED):
            kind, content = self._resolve(event, style, node_start)
        if style in _BLOCK_STYLES:
            end = block_scalar_end(self.text, start, end, content)
        if frame.is_map:
            if self.block is not None and len(self.frames) == 1:
                self._reserved(node_start)
            path: Path = (*frame.path, frame.key or "")
            frame.key = None
        else:
            path = (*frame.path, frame.index)
            if kind == "str" and content.endswith("type:comment]") and content.startswith("ENC["):
                line = start if frame.flow else self.text.rfind("\n", 0, start) + 1
                dash = _LISTED_COMMENT.search(self.text, line, start)
                if dash:
                    self._add(Leaf(frame.path, dash.start(), end, "comment", content, LISTED, self.number), start)
                    return
        frame.index += 1
        if frame.flow:
            style += FLOW
        leaf = _new_leaf(Leaf, (path, start, end, kind, content, style + prefix, self.number))
        if self.block is None and len(path) <= _TALL:
            self.leaves.append(leaf)
            self.starts.append(node_start)
        else:
            self._add(leaf, node_start)
        if not bare and event.anchor is not None:
            self.anchors[event.anchor] = Leaf((), start, end, kind, content)

    def _key(self, event: Any, frame: _Frame) -> None:
        name: str = event.value
        if not event.style or event.tag is not None:
            start = event.start_mark.index + self.shift
            kind, name = self._resolve(event, _STYLES[event.style], start)
            if kind != "str":
                self._fail(UnsealableValue, f"a key is {_ARTICLES[kind]}, and sops needs strings", start, "quote it")
        if event.anchor is not None:
            start = event.start_mark.index + self.shift
            self.anchors[event.anchor] = Leaf((), start, start, "str", name)
        self._name(frame, name, event)

    def _name(self, frame: _Frame, name: str, event: Any) -> None:
        if frame.seen is not None:
            if name in frame.seen:
                self._fail(ParseError, "a key stands twice in one map", event.start_mark.index + self.shift, None)
            frame.seen.add(name)
        frame.key = name
        if name == RESERVED and len(self.frames) == 1:
            self.block = []
            self.block_start = event.start_mark.index + self.shift
            self.block_column = event.start_mark.column

    def _enter(self, event: Any, is_map: bool) -> None:
        frames = self.frames
        start = event.start_mark.index + self.shift
        path: Path = ()
        flow = bool(event.flow_style)
        if frames:
            frame = frames[-1]
            flow = flow or frame.flow
            if not frame.is_map:
                path = (*frame.path, frame.index)
            elif frame.key is None:
                self._fail(ParseError, "a key is a map or list, and sops needs strings", start, None)
            elif self.block is None or len(frames) > 1:
                path = (*frame.path, frame.key)
            elif not is_map:
                self._reserved(start)
            if len(frames) >= MAX_METADATA_DEPTH and self.block is not None:
                self._fail(InvalidMetadata, "the sops metadata are nested too deeply", start, None)
            if len(frames) >= MAX_DEPTH:
                self._fail(ParseError, f"nested deeper than {MAX_DEPTH} levels", start, None)
        elif not is_map:
            self._fail(ParseError, "the document is a list, and sops needs a map", start, "put the list below a key")
        if self.block is None:
            self.containers[start] = path
        if event.anchor is not None:
            self.anchors[event.anchor] = None
            if self.block is None:
                self.open_anchors.append((len(frames), event.anchor, len(self.leaves), len(path)))
            else:
                # The metadata are no data that an alias could repeat.
                del self.anchors[event.anchor]
        # sops decodes the first document into a map as well, and only there a key may not stand twice.
        seen: set[str] | None = set() if is_map and self.number == 0 else None
        frame = _Frame(is_map, path, flow, start, event.start_mark.column, seen)
        frames.append(frame)
        if len(frames) == 1:
            self.root = frame

    def _leave(self, event: Any) -> None:
        frames = self.frames
        frame = frames.pop()
        end = event.end_mark.index + self.shift
        if not frames:
            self.root_close = end
        elif not frame.index and (self.block is None or len(frames) > 1):
            style = PLAIN + (FLOW if frames[-1].flow else "")
            start, prefix = skip_properties(self.text, frame.start, end, None)
            kind: Kind = "map" if frame.is_map else "list"
            self._add(Leaf(frame.path, start, end, kind, "", style + prefix, self.number), frame.start)
        if self.open_anchors and self.open_anchors[-1][0] == len(frames):
            _, name, first, depth = self.open_anchors.pop()
            self.anchors[name] = _Anchored(first, len(self.leaves), depth)
        if not frames:
            return
        parent = frames[-1]
        if self.block is not None and len(frames) == 1:
            self._end_block(end if frame.flow else 0, in_flow=frames[0].flow)
        parent.key = None
        parent.index += 1

    def _alias(self, event: Any) -> None:
        start = event.start_mark.index + self.shift
        end = event.end_mark.index + self.shift
        if event.anchor not in self.anchors:
            self._fail(ParseError, "an alias of an anchor that is not there", start, None)
        target = self.anchors[event.anchor]
        if target is None:
            self._fail(ParseError, "an anchor holds an alias of itself", start, None)
        if not self.frames:
            self._fail(ParseError, "the document is an alias, and sops needs a map", start, None)
        frame = self.frames[-1]
        if frame.is_map and frame.key is None:
            if not isinstance(target, Leaf) or target.kind != "str":
                self._fail(UnsealableValue, "a key is an alias of something that is no string", start, None)
            self._name(frame, target.content, event)
            return
        if frame.is_map:
            if self.block is not None and len(self.frames) == 1:
                self._reserved(start)
            base: Path = (*frame.path, frame.key or "")
            frame.key = None
        else:
            base = (*frame.path, frame.index)
        frame.index += 1
        if isinstance(target, Leaf):
            named, depth = [target], 0
        else:
            named, depth = self.leaves[target.first : target.last], target.depth
        self.aliased += len(named)
        if self.aliased > MAX_ALIASED:
            self._fail(ParseError, "aliases of aliases make the document enormous", start, None)
        flow = FLOW if frame.flow else " "
        for leaf in named:
            style = f"{ALIAS}{flow}{leaf.start}:{len(base)}"
            self._add(Leaf(base + leaf.path[depth:], start, end, leaf.kind, leaf.content, style, self.number), start)

    def _root_scalar(self, event: Any) -> None:
        """A root that is no collection: nothing at all is an empty document, anything else is refused."""
        start = event.start_mark.index + self.shift
        if event.style or self._resolve(event, PLAIN, start)[0] != "null":
            self._fail(ParseError, "the document is a single value, and sops needs a map", start, None)
        if event.value:
            # A written null: sops reads an empty document; a key cannot stand beside it.
            self._fail(ParseError, "the document is a single null, and sops needs a map", start, "remove it")

    def _start_document(self, event: Any) -> None:
        self.root = None
        # libyaml takes 1.2 as well, go-yaml does not.
        if event.version not in (None, (1, 1)):
            start = event.start_mark.index + self.shift
            self._fail(ParseError, "sops reads YAML 1.1 only", start, "remove the %YAML directive")

    def _end_document(self, event: Any) -> None:
        root = self.root
        end = event.start_mark.index + self.shift
        if root is None:
            self.roots.append(Root(flow=False, column=0, start=end, close=end, empty=True, end=end))
        else:
            self.roots.append(Root(root.flow, root.column, root.start, self.root_close - 1, not root.index, end))
        self.number += 1
        self.root = None

    # -- the sops block -----------------------------------------------------------------------------------

    def _reserved(self, index: int) -> NoReturn:
        self._fail(
            AlreadyEncrypted, f"the top-level key {RESERVED} is reserved for the metadata", index, "rename the key"
        )

    def _end_block(self, closed: int, *, in_flow: bool) -> None:
        """Note where the block is: whole lines, or in braces just the entry."""
        text = self.text
        leaves = self.block or []
        self.block = None
        start, end = self.block_start, closed
        if not in_flow:
            # A block map's own end event comes after blank lines and comments that are not its.
            end = closed or max((leaf.end for leaf in leaves), default=start)
            if not text.startswith("\n", end - 1):
                newline = text.find("\n", end)
                end = len(text) if newline < 0 else newline + 1
            start -= self.block_column
        self.blocks.append(Block(start, end, leaves, self.number, FLOW if in_flow else ""))
        if self.metadata is None and self.number == 0:
            self.metadata = _plain_data(leaves)

    # -- helpers of the events ----------------------------------------------------------------------------

    def _add(self, leaf: Leaf, node_start: int) -> None:
        if len(leaf.path) > _TALL:
            self.weight += len(leaf.path)
            if self.weight > _MAX_WEIGHT:
                self._fail(ParseError, "too many values are nested too deeply", node_start, None)
        if self.block is None:
            self.leaves.append(leaf)
            self.starts.append(node_start)
        else:
            self.block.append(leaf)

    def _resolve(self, event: Any, style: str, start: int) -> tuple[Kind, str]:
        tag = event.tag
        if style != PLAIN and (tag is None or tag == "!"):
            return "str", event.value
        fault: DocumentError
        try:
            return resolve(event.value, tag)
        except DocumentError as error:
            fault = type(error)(error.message, hint=error.hint)
        fault.line, fault.column = line_and_column(self.text, start)
        raise fault

    def _finish(self) -> Document:
        leaves = self.leaves
        if "#" in self.text:
            leaves = self._with_comments()
        if self.blocks and not self.text.endswith("\n"):
            self._give_line_break_to_block(leaves)
        return Document("yaml", self.text, leaves, self.blocks, self.metadata, len(self.roots), (), self.roots)

    def _give_line_break_to_block(self, leaves: list[Leaf]) -> None:
        """A text without a last line break got one before its block: it is the block's, not a block scalar's."""
        border = self.blocks[-1].start
        for position in range(len(leaves) - 1, -1, -1):
            leaf = leaves[position]
            if leaf.end == border and leaf.style[:1] in (LITERAL, FOLDED):
                leaves[position] = leaf._replace(end=border - (2 if self.text.startswith("\r", border - 2) else 1))
            if leaf.kind != "comment":
                return

    def _with_comments(self) -> list[Leaf]:
        from sealpy.formats.yaml_comments import find_comments

        text = self.text
        blocks = {block.document: (block.start, block.end) for block in self.blocks}
        order = [(start, 1, position) for position, start in enumerate(self.starts)]
        by_start = sorted((leaf.start, position) for position, leaf in enumerate(self.leaves))
        comments: list[Leaf] = []
        for comment in find_comments(text, sealed=bool(self.blocks)):
            start, end = blocks.get(comment.document, (0, 0))
            if start <= comment.start < end or self._lies_in_value(comment.start, by_start):
                continue
            path = self.containers.get(comment.container, ())
            content = text[comment.start + 1 : comment.end]
            if not content and comment.is_list:
                # sops reads an empty comment in a sealed list as an empty item; nothing empty can be sealed.
                content = " "
            order.append((comment.sort, 0, len(comments)))
            comments.append(Leaf(path, comment.start, comment.end, "comment", content, "#", comment.document))
        order.sort()
        return [self.leaves[position] if is_leaf else comments[position] for _, is_leaf, position in order]

    def _lies_in_value(self, index: int, by_start: list[tuple[int, int]]) -> bool:
        """Tell whether a comment goes with the value around it: between a tag and what it names.

        One behind the indicator of a block scalar is a leaf of its own, and the scalar is then its body alone.
        """
        at = bisect_right(by_start, (index, len(self.leaves))) - 1
        if at < 0:
            return False
        position = by_start[at][1]
        leaf = self.leaves[position]
        if index >= leaf.end:
            return False
        if leaf.style[:1] not in _BLOCK_STYLES:
            return leaf.style[:1] not in _BODY_STYLES
        header = self.text[leaf.start : index].split("#", 1)[0].strip()
        body = self.text.find("\n", index, leaf.end) + 1
        style = _BODY_STYLES[_BLOCK_STYLES.index(leaf.style[:1])]
        self.leaves[position] = leaf._replace(start=body or leaf.end, style=f"{style} {header}")
        return False

    def _fail(self, kind: type[DocumentError], message: str, index: int, hint: str | None) -> NoReturn:
        line, column = line_and_column(self.text, index)
        raise kind(message, hint=hint, line=line, column=column)


_ARTICLES = {
    "int": "an integer", "float": "a number", "bool": "a boolean", "time": "a date", "null": "a null",
}  # fmt: skip


def _plain_data(leaves: list[Leaf]) -> dict[str, object]:
    """Build plain data from the leaves of a block."""
    root: dict[str, object] = {}
    for leaf in leaves:
        if leaf.kind == "comment":
            continue  # as the item of a list it has no place of its own, and metadata have no comments
        here: Any = root
        for part, following in zip(leaf.path, leaf.path[1:], strict=False):
            empty: object = [] if isinstance(following, int) else {}
            if isinstance(part, int):
                if part == len(here):
                    here.append(empty)
                here = here[part]
            else:
                here = here.setdefault(part, empty)
        last = leaf.path[-1]
        value = values.python_value(leaf.kind, leaf.content)
        if isinstance(last, int):
            here.append(value)
        else:
            here[last] = value
    return root


def _plain_words(problem: object) -> str:
    """Keep libyaml's own words; they name tokens, never content, but for characters that they quote."""
    text = str(problem or "it cannot be read")
    return re.split(r"['\"#]", text)[0].strip().rstrip(",") or "it cannot be read"
