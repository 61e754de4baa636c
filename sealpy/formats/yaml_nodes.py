"""The node tree of a YAML text's first document, for structural edits.

libyaml's own composer refuses anchors that stand twice, goes as deep into itself as the document does, and forgets
where an alias stood.
"""

from collections.abc import Iterator
from typing import Any

from yaml._yaml import CParser
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)
from yaml.nodes import MappingNode, ScalarNode, SequenceNode


class Alias:
    """An alias in the tree. sops has a copy of what it names in its place, so a path that leads on changes the copy."""

    __slots__ = ("end_mark", "is_key", "start_mark", "target")

    def __init__(self, event: Any, target: Any, *, is_key: bool) -> None:
        self.start_mark = event.start_mark
        self.end_mark = event.end_mark
        self.target = target
        self.is_key = is_key

    @property
    def value(self) -> Any:
        """What it names, as a key."""
        return self.target.value


def compose(text: str) -> tuple[Any, list[Alias]]:
    """Return the first document's root node, None if there is no document, and its aliases.

    What the scalars mean is not asked.
    """
    next_event = CParser(text).get_event
    root = None
    opened: list[Any] = []
    keys: list[Any] = []
    """Of each open collection the key that waits for its value."""
    anchors: dict[str, Any] = {}
    aliases: list[Alias] = []
    while True:
        event: Any = next_event()
        kind: Any = type(event)
        if kind in (DocumentEndEvent, StreamEndEvent):
            return root, aliases
        if kind in (MappingEndEvent, SequenceEndEvent):
            opened.pop().end_mark = event.end_mark
            keys.pop()
            continue
        if kind is ScalarEvent:
            node: Any = ScalarNode(event.tag, event.value, event.start_mark, event.end_mark, event.style)
        elif kind is MappingStartEvent:
            node = MappingNode(event.tag, [], event.start_mark, None, event.flow_style)
        elif kind is SequenceStartEvent:
            node = SequenceNode(event.tag, [], event.start_mark, None, event.flow_style)
        elif kind is AliasEvent:
            is_key = isinstance(opened[-1], MappingNode) and keys[-1] is None
            node = Alias(event, anchors[event.anchor], is_key=is_key)
            aliases.append(node)
        else:
            continue
        if not opened:
            root = node
        elif isinstance(opened[-1], SequenceNode):
            opened[-1].value.append(node)
        elif keys[-1] is None:
            keys[-1] = node
        else:
            opened[-1].value.append((keys[-1], node))
            keys[-1] = None
        if event.anchor is not None and kind is not AliasEvent:
            anchors[event.anchor] = node
        if kind in (MappingStartEvent, SequenceStartEvent):
            opened.append(node)
            keys.append(None)


def below(node: Any) -> Iterator[Any]:
    """Return the nodes of a tree, root and keys included, not going through aliases."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, MappingNode):
            waiting += [part for pair in node.value for part in pair]
        elif isinstance(node, SequenceNode):
            waiting += node.value
