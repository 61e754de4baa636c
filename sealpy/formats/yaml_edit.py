"""Change the structure of a YAML text: put a value at a path, take one out, unfold aliases.

Where things are comes from libyaml's node tree, which the scan does not keep: structural edits are rare.
As in sops, paths lead into the first document, and an alias is a copy: what changes in one place stays in the others.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, NoReturn

from yaml.nodes import MappingNode, ScalarNode, SequenceNode

from sealpy import values
from sealpy.document import LISTED, Document, Edit, Leaf, Path
from sealpy.errors import PathNotFound
from sealpy.formats import nested, yaml_spell
from sealpy.formats.yaml_nodes import Alias, below, compose
from sealpy.formats.yaml_scan import ALIAS, BOM, FLOW, RESERVED

_LOOK_AHEAD = 10_000
_NEVER_SEALED = ("null", "map", "list")


def unfold(document: Document, wanted: Sequence[bool]) -> list[Edit]:
    """Write out the aliases behind which something is to be sealed.

    A sealed text opens at one path only, so what stands in two places must be sealed twice. An alias of what
    stays in clear, under a path that stays in clear, is left alone.
    """
    aliases: dict[int, list[Leaf]] = {}
    sources: set[int] = set()
    unfolded: set[int] = set()
    for leaf, want in zip(document.leaves, wanted, strict=True):
        if want and leaf.kind not in _NEVER_SEALED and leaf.content:
            sources.add(leaf.start)
            if leaf.style[:1] == ALIAS:
                unfolded.add(leaf.start)
        if leaf.style[:1] == ALIAS:
            aliases.setdefault(leaf.start, []).append(leaf)
    edits = []
    for start, leaves in aliases.items():
        if start in unfolded or any(int(leaf.style[2:].split(":")[0]) in sources for leaf in leaves):
            depth = int(leaves[0].style.split(":")[1])
            value = nested.of_leaves([(leaf.path[depth:], leaf) for leaf in leaves])
            text = yaml_spell.inline(value, flow=leaves[0].style[1:2] == FLOW)
            edits.append(Edit(start, leaves[0].end, text))
    return edits


def insert(document: Document, path: Path, value: object) -> list[Edit]:
    """Put plain data at a path, in clear: see ``Format.insert``."""
    tree = _Tree(document)
    place = tree.find(path)
    copies = tree.unfold_copies(place)
    if isinstance(place.node, Alias):
        value = nested.with_value(tree.data_of(place.node), place.missing, value)
        return [*copies, *tree.rewrite(place.node, value)]
    if not place.missing:
        return [*copies, *tree.replace(place, path, value)]
    return [*copies, *tree.extend(place, nested.wrapped(place.missing[1:], value))]


def remove(document: Document, path: Path) -> list[Edit]:
    """Take out what is at a path: see ``Format.remove``."""
    tree = _Tree(document)
    place = tree.find(path)
    copies = tree.unfold_copies(place)
    if isinstance(place.node, Alias) and place.missing:
        return [*copies, *tree.rewrite(place.node, nested.without(tree.data_of(place.node), place.missing, path))]
    if place.missing or place.parent is None:
        raise nested.absent(path)
    return [*copies, *tree.remove(place, path)]


class _Place(NamedTuple):
    """How far a path leads: the node there, the collection that holds it, and what of the path is missing.

    ``key`` is the node of the key, None in a list; ``path`` is the path of ``node``; ``above`` are the nodes from the
    root down to it.
    """

    node: Any
    parent: Any
    key: Any
    path: Path
    missing: Path
    above: tuple[Any, ...]


class _Tree:
    """The first document's nodes over its text."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.text = document.text
        self.shift = 1 if self.text.startswith(BOM) else 0
        self.root, self.aliases = compose(self.text)
        first = self.text.find("\n")
        self.newline = "\r\n" if first > 0 and self.text[first - 1] == "\r" else "\n"
        self.comments = {leaf.start for leaf in document.leaves if leaf.style == LISTED}

    # -- finding ------------------------------------------------------------------------------------------

    def find(self, path: Path) -> _Place:
        node, parent, key = self.root, None, None
        above = [node]
        for depth, part in enumerate(path):
            child, child_key = None, None
            if isinstance(node, MappingNode):
                if isinstance(part, int):
                    self._nowhere(path, "an index leads into a map")
                if part == RESERVED and depth == 0:
                    self._nowhere(path, "the sops metadata are not data")
                for candidate, item in node.value:
                    if isinstance(candidate, ScalarNode | Alias) and candidate.value == part:
                        child, child_key = item, candidate
            elif isinstance(node, SequenceNode):
                items = self._items(node)
                if isinstance(part, str):
                    self._nowhere(path, "a key leads into a list")
                if part < 0:
                    self._nowhere(path, "an index is negative")
                if part < len(items):
                    child = items[part]
            if child is None:
                return _Place(node, parent, key, path[:depth], path[depth:], tuple(above))
            node, parent, key = child, node, child_key
            above.append(node)
        return _Place(node, parent, key, path, (), tuple(above))

    def _items(self, node: Any) -> list[Any]:
        """A list's items without those that are sops' comments."""
        if not self.comments:
            return list(node.value)
        return [item for item in node.value if self._dash(item) not in self.comments]

    def _dash(self, item: Any) -> int:
        return self.text.rfind("-", 0, item.start_mark.index + self.shift)

    # -- aliases ------------------------------------------------------------------------------------------

    def data_of(self, alias: Alias) -> Any:
        """Return what an alias stands for: maps and lists with leaves in them."""
        start = alias.start_mark.index + self.shift
        leaves = [leaf for leaf in self.document.leaves if leaf.start == start and leaf.style[:1] == ALIAS]
        depth = int(leaves[0].style.split(":")[1])
        return nested.of_leaves([(leaf.path[depth:], leaf) for leaf in leaves])

    def rewrite(self, alias: Alias, value: object) -> list[Edit]:
        """Put data in the place of an alias."""
        start, end = alias.start_mark.index + self.shift, alias.end_mark.index + self.shift
        leaf = next(leaf for leaf in self.document.leaves if leaf.start == start and leaf.style[:1] == ALIAS)
        return [Edit(start, end, yaml_spell.inline(value, flow=leaf.style[1:2] == FLOW))]

    def unfold_copies(self, place: _Place) -> list[Edit]:
        """Write out the aliases of what is changed at a place: elsewhere the values are to stay as they are."""
        if not self.aliases:
            return []
        changed = {id(node) for node in place.above}
        start = end = -1
        if not place.missing:
            changed |= {id(node) for node in below(place.node)}
            start = (place.key or place.node).start_mark.index
            end = place.node.end_mark.index
        edits = []
        for alias in self.aliases:
            if id(alias.target) not in changed or start <= alias.start_mark.index < end:
                continue
            if alias.is_key:
                where = alias.start_mark.index + self.shift, alias.end_mark.index + self.shift
                edits.append(Edit(*where, yaml_spell.double_quoted(alias.value)))
            else:
                edits += self.rewrite(alias, self.data_of(alias))
        return edits

    # -- changing -----------------------------------------------------------------------------------------

    def replace(self, place: _Place, path: Path, value: object) -> list[Edit]:
        leaf = next((leaf for leaf in self._leaves(path) if leaf.path == path), None)
        simple = not isinstance(value, (dict, list)) or not value
        if leaf is not None and simple and leaf.kind not in ("map", "list"):
            kind, content = values.from_python(value)
            return [Edit(leaf.start, leaf.end, yaml_spell.spell(self.document, leaf, kind, content))]
        start = leaf.start if leaf is not None else place.node.start_mark.index + self.shift
        end = self._end(place.node, path)
        flow = self._braces(place.parent)
        if flow or simple:
            newline = "\n" if not flow and self.text.startswith("\n", end - 1) else ""
            where = self._behind(place, start)
            return [Edit(where, end, " " * (not flow) + yaml_spell.inline(value, flow=flow) + newline)]
        return [Edit(self._behind(place, start), end, self._block_value(place, value, end))]

    def extend(self, place: _Place, value: object) -> list[Edit]:
        part = place.missing[0]
        node = place.node
        if self._braces(node):
            return self._extend_braces(node, part, value)
        if isinstance(node, MappingNode):
            return self._extend_block(node, place.path, {part: value})
        if isinstance(node, SequenceNode):
            return self._extend_block(node, place.path, [value])
        new: object = {part: value} if isinstance(part, str) else [value]
        if node is None or place.parent is None:
            end = len(self.text)
            lines = yaml_spell.block_lines(new, 0, _step(self.text))
            return [Edit(end, end, self.newline.join(lines) + self.newline)]
        # A scalar or a null stands in the way: it is replaced.
        return self.replace(place, place.path, new)

    def remove(self, place: _Place, path: Path) -> list[Edit]:
        parent = place.parent
        siblings = [item for _, item in parent.value] if isinstance(parent, MappingNode) else list(parent.value)
        start = (place.key or place.node).start_mark.index + self.shift
        end = self._end(place.node, path)
        if self._braces(parent):
            return [_without_comma(self.text, start, end)]
        if len(siblings) == 1 and len(path) > 1:
            newline = self.newline if self.text.startswith("\n", end - 1) else ""
            empty = " {}" if place.key is not None else " []"
            return [Edit(self._behind(self.find(path[:-1]), start), end, empty + newline)]
        if place.key is None:
            start = self._dash(place.node)
        line = self.text.rfind("\n", 0, start) + 1
        if self.text[line:start].strip(" " + BOM):
            # The first entry of a map behind a dash: the next one takes its place.
            position = self.text.find("\n", end - 1) + 1
            rest = self.text[position:]
            return [Edit(start, position + len(rest) - len(rest.lstrip(" ")), "")]
        end = self._past_own_comments(self._line_end(end), start - line)
        return [Edit(max(line, self.shift), self._past_blank_lines(line, end), "")]

    # -- where and how ------------------------------------------------------------------------------------

    def _leaves(self, path: Path) -> list[Leaf]:
        depth = len(path)
        return [
            leaf
            for leaf in self.document.leaves
            if leaf.document == 0 and leaf.kind != "comment" and leaf.path[:depth] == path
        ]

    def _end(self, node: Any, path: Path) -> int:
        """Where a value's text ends; libyaml counts blank lines and comments behind a block to it."""
        leaves = self._leaves(path)
        while True:
            leaf = leaves[0] if leaves else None
            part: str | int
            if not isinstance(node, MappingNode | SequenceNode) or node.flow_style:
                break
            if isinstance(node, MappingNode):
                key, node = node.value[-1]
                part = key.value
            else:
                items = self._items(node)
                # The last one may be a comment, which has no path.
                part = len(items) - 1 if items and items[-1] is node.value[-1] else -1
                node = node.value[-1]
            leaves = [leaf for leaf in leaves if leaf.path[len(path)] == part]
            path = (*path, part)
        if leaf is not None and leaf.path == path:
            return leaf.end
        return int(node.end_mark.index) + self.shift

    def _line_end(self, index: int) -> int:
        if self.text.startswith("\n", index - 1):
            return index
        newline = self.text.find("\n", index)
        return len(self.text) if newline < 0 else newline + 1

    def _lines(self, value: object, column: int, where: int) -> list[str]:
        """Write lines that go in at a place; what a comment follows has no block scalars that would swallow it."""
        behind = self.text[where : where + _LOOK_AHEAD].lstrip(" \t\r\n")
        return yaml_spell.block_lines(value, column, _step(self.text), literals=not behind.startswith("#"))

    def _past_own_comments(self, end: int, column: int) -> int:
        """Comments further in than what is cut out were its own; a block scalar before it would swallow them."""
        text = self.text
        position = end
        while position < len(text):
            newline = text.find("\n", position)
            line_end = len(text) if newline < 0 else newline + 1
            line = text[position:line_end]
            shown = line.lstrip(" ")
            if shown.startswith("#") and len(line) - len(shown) > column:
                end = line_end
            elif shown.strip():
                break
            position = line_end
        return end

    def _past_blank_lines(self, start: int, end: int) -> int:
        """Blank lines behind what is cut out must go too where a block scalar before it would keep them."""
        before = next((leaf for leaf in self.document.leaves if leaf.end == start and leaf.style[:1] in "|>"), None)
        if before is None or "+" not in self.text[before.start : before.end].split("\n", 1)[0]:
            return end
        rest = self.text[end:]
        kept = rest.lstrip(" \r\n")
        return end + rest.rfind("\n", 0, len(rest) - len(kept)) + 1

    def _braces(self, node: Any) -> bool:
        return isinstance(node, (MappingNode, SequenceNode)) and bool(node.flow_style)

    def _behind(self, place: _Place, start: int) -> int:
        """Where the text behind a key's colon or an item's dash begins; inside braces, where the value does."""
        if self._braces(place.parent):
            return start
        if place.key is None:
            return self._dash(place.node) + 1
        return self.text.index(":", place.key.end_mark.index + self.shift) + 1

    def _block_value(self, place: _Place, value: object, end: int) -> str:
        """Lines below a key (or behind a dash) for a map or list."""
        step = _step(self.text)
        newline = self.newline if self.text.startswith("\n", end - 1) else ""
        if place.key is None:
            column = self._column_of_dash(place.node) + 2
            lines = self._lines(value, column, end)
            return " " + self.newline.join(lines).lstrip(" ") + newline
        column = place.key.start_mark.column + step
        return self.newline + self.newline.join(self._lines(value, column, end)) + newline

    def _column_of_dash(self, item: Any) -> int:
        dash = self._dash(item)
        return dash - self.text.rfind("\n", 0, dash) - 1

    def _extend_block(self, node: Any, path: Path, new: object) -> list[Edit]:
        if isinstance(node, MappingNode):
            entries = [(key, item) for key, item in node.value if path or key.value != RESERVED]
            column = node.value[0][0].start_mark.column
            if not entries:
                # Only the metadata are there: go before them.
                where = self.text.rfind("\n", 0, node.value[0][0].start_mark.index + self.shift) + 1
                lines = self._lines(new, column, where)
                where = max(where, self.shift)
                return [Edit(where, where, self.newline.join(lines) + self.newline)]
            last_path: Path = (*path, entries[-1][0].value)
            last = entries[-1][1]
        else:
            column = self._column_of_dash(node.value[0])
            last = node.value[-1]
            last_path = (*path, len(self._items(node)) - 1)
        where = self._line_end(self._end(last, last_path))
        lines = self._lines(new, column, where)
        text = self.newline.join(lines) + self.newline
        if where and not self.text.startswith("\n", where - 1):
            text = self.newline + text.removesuffix(self.newline)
        return [Edit(where, where, text)]

    def _extend_braces(self, node: Any, part: str | int, value: object) -> list[Edit]:
        close = node.end_mark.index + self.shift - 1
        body = self.text[:close].rstrip()
        comma = "" if not node.value or body.endswith(",") else ", "
        where = len(body) if node.value else close
        name = f"{yaml_spell.double_quoted(part)}: " if isinstance(part, str) else ""
        return [Edit(where, where, f"{comma}{name}{yaml_spell.inline(value, flow=True)}")]

    def _nowhere(self, path: Path, why: str) -> NoReturn:
        raise PathNotFound(f"{nested.spelt(path)} cannot be followed: {why}")


def _without_comma(text: str, start: int, end: int) -> Edit:
    """Cut an entry out of braces, with the comma that separates it."""
    after = text[end:]
    rest = after.lstrip()
    if rest.startswith(","):
        rest = rest[1:].lstrip(" ")
        return Edit(start, len(text) - len(rest), "")
    before = text[:start].rstrip()
    return Edit(len(before) - 1 if before.endswith(",") else start, end, "")


def _step(text: str) -> int:
    """The indentation that a text uses: that of its first indented line."""
    for line in text.split("\n", 200)[:200]:
        stripped = line.lstrip(" ")
        if stripped and stripped != line and stripped[0] not in "#-":
            return max(len(line) - len(stripped), 2)
    return 4
