"""Where comments of random YAML streams are, in sops' tree and by our own account."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from random import Random

import pytest
from yaml import CLoader, YAMLError, parse
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from sealpy.document import Path, splice
from sealpy.formats.yaml import FORMAT
from sealpy.formats.yaml_comments import Comment, find_comments
from tests.conftest import AgeKey
from tests.interop.gosops import GoSops, Item
from tests.seed import SEED
from tests.strategies.commented_yaml import commented_yaml

STREAMS = 1500

Entry = tuple[str, Path, str, bool]
"""``value`` or ``comment``; its path, a comment's being that of its collection; its text; is that a list with items?"""


@pytest.fixture(scope="module")
def sops(tool: Callable[[str], str], age_key: AgeKey) -> Iterator[GoSops]:
    server = GoSops(tool("gosops"), age_key)
    yield server
    server.close()


def streams() -> Iterator[str]:
    """Make this run's streams; a few have no comment at all."""
    for number in range(STREAMS):
        text = commented_yaml(Random(f"{SEED} {number}"))
        if "#" in text:
            yield text


def test_every_comment_is_where_sops_has_it_and_in_its_order(sops: GoSops) -> None:
    read = comments = 0

    for text in streams():
        answer = sops.tree("yaml", text.encode())
        if answer.error or not libyaml_reads(text):
            continue
        read += 1
        expected = entries_of_sops(answer.items)
        comments += sum(kind == "comment" for kind, *_ in expected)

        assert our_entries(text, find_comments(text, sealed=True)) == expected, text

    print(f"{comments} comments in {read} streams")
    assert read > 0.7 * STREAMS
    assert comments > 5 * read


def test_comments_stay_where_they_were_said_to_be_when_metadata_are_added(sops: GoSops) -> None:
    read = comments = 0

    for text in streams():
        if sops.tree("yaml", text.encode()).error or not libyaml_reads(text):
            continue
        sealed = splice(text, FORMAT.attach(FORMAT.scan(text), {"mac": "x", "age": [{"recipient": "y"}]}))
        answer = sops.tree("yaml", sealed.encode())
        assert not answer.error, sealed
        read += 1
        expected = [entry for entry in entries_of_sops(answer.items) if entry[1][:1] != ("sops",)]
        comments += sum(kind == "comment" for kind, *_ in expected)

        assert our_entries(text, find_comments(text, sealed=False)) == expected, text

    print(f"{comments} comments in {read} streams")
    assert read > 0.7 * STREAMS
    assert comments > 5 * read


def libyaml_reads(text: str) -> bool:
    """libyaml has no tabs behind a question mark and the like, go-yaml has them before a comment."""
    try:
        list(parse(text, Loader=CLoader))
    except YAMLError:
        return False
    return True


def our_entries(text: str, comments: list[Comment]) -> list[Entry]:
    """Put comments and values in the order that we say is that of sops' tree."""
    collections, values = nodes(text)
    lists = {
        path[:-1] for path in [*collections.values(), *dict(values).values()] if path and isinstance(path[-1], int)
    }
    order: list[tuple[int, int, Entry]] = [(start, 1, ("value", path, "", False)) for start, path in values]
    for comment in comments:
        if comment.kept:
            path = collections[comment.container] if comment.container >= 0 else ()
            entry = ("comment", path, text[comment.start + 1 : comment.end], comment.is_list and path in lists)
            order.append((comment.sort, 0, entry))
    return [entry for *_, entry in sorted(order, key=lambda placed: placed[:2])]


def nodes(text: str) -> tuple[dict[int, Path], list[tuple[int, Path]]]:
    """Return the paths of collections by their start, and scalars' starts and paths, as libyaml says."""
    shift = 1 if text.startswith("\ufeff") else 0
    collections: dict[int, Path] = {}
    values: list[tuple[int, Path]] = []
    open_: list[tuple[Path, list[object]]] = []
    """Paths, with what is next in them: a map's key once it was read, else None; a list's next index."""
    for event in parse(text, Loader=CLoader):
        if isinstance(event, DocumentStartEvent):
            open_ = []
        elif isinstance(event, (MappingEndEvent, SequenceEndEvent)):
            open_.pop()
        elif isinstance(event, (ScalarEvent, AliasEvent, MappingStartEvent, SequenceStartEvent)):
            path: Path = ()
            if open_:
                around, here = open_[-1]
                if here[0] is None:
                    assert isinstance(event, ScalarEvent)
                    here[0] = event.value
                    continue
                assert isinstance(here[0], (str, int))
                path = (*around, here[0])
                here[0] = here[0] + 1 if isinstance(here[0], int) else None
            start = event.start_mark.index + shift
            if isinstance(event, (ScalarEvent, AliasEvent)):
                if open_:
                    values.append((start, path))
            else:
                collections[start] = path
                open_.append((path, [0 if isinstance(event, SequenceStartEvent) else None]))
    return collections, values


def entries_of_sops(items: list[Item]) -> list[Entry]:
    """Count the items of sops' lists without the comments among them; leave out empty collections."""
    lists: dict[Path, set[int]] = defaultdict(set)
    for path, *_ in items:
        for length, part in enumerate(path):
            if isinstance(part, int):
                lists[path[:length]].add(part)
    ranks = {path: {number: rank for rank, number in enumerate(sorted(found))} for path, found in lists.items()}

    def plain(path: Path) -> Path:
        return tuple(ranks[path[:length]][part] if isinstance(part, int) else part for length, part in enumerate(path))

    entries: list[Entry] = []
    for path, kind, content in items:
        if kind == "comment":
            entries.append(("comment", plain(path), content, path in lists))
        elif kind not in ("map", "list"):
            entries.append(("value", plain(path), "", False))
    return entries
