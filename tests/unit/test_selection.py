"""Which leaves are sealed, checked against the real sops."""

import random
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from sealpy.document import Kind, Leaf
from sealpy.document import Path as LeafPath
from sealpy.errors import InvalidMetadata, RuleError
from sealpy.selection import (
    DEFAULT,
    KUBERNETES,
    MODES,
    Selection,
    from_metadata,
    from_settings,
    seals_nothing,
    select,
)
from tests.conftest import AgeKey


def leaf(*path: str | int, kind: Kind = "str", content: str = "x", document: int = 0) -> Leaf:
    return Leaf(path, 0, 0, kind, content, document=document)


def comment(content: str, *path: str | int, document: int = 0) -> Leaf:
    return leaf(*path, kind="comment", content=content, document=document)


def test_any_key_on_the_way_decides() -> None:
    leaves = [
        leaf("data", "password"),
        leaf("metadata", "annotations", "data"),
        leaf("kind"),
        leaf("items", 0, "data", 1),
    ]

    assert select(KUBERNETES, leaves) == [True, True, False, True]


def test_a_suffix_is_of_a_key_and_not_of_the_path() -> None:
    leaves = [leaf("a_unencrypted"), leaf("a_unencrypted", "b"), leaf("a_", "unencrypted"), leaf("list", 0)]

    assert select(DEFAULT, leaves) == [False, False, True, True]
    assert select(Selection("encrypted_suffix", "_enc"), [leaf("a_enc", 0, "b"), leaf("enc"), leaf()]) == [
        True,
        False,
        False,
    ]


def test_an_index_is_no_key() -> None:
    assert select(Selection("encrypted_regex", "."), [leaf(0, 1), leaf("a", 0)]) == [False, True]
    assert select(Selection("unencrypted_regex", "0"), [leaf(0, 1), leaf("a0", 0)]) == [True, False]


def test_a_comment_follows_the_keys_of_what_holds_it() -> None:
    leaves = [
        comment("on top"),
        comment("inside", "data"),
        comment("deeper", "data", "x"),
        comment("beside", "metadata"),
    ]

    assert select(KUBERNETES, leaves) == [False, True, True, False]
    assert select(DEFAULT, leaves) == [True, True, True, True]


def test_a_comment_acts_on_the_next_entry_and_all_that_it_holds() -> None:
    leaves = [
        leaf("a"),
        comment("seal this"),
        comment("and this comment"),
        leaf("b", "c"),
        comment("and one inside", "b"),
        leaf("b", "d", 0),
        leaf("e"),
        comment("outside"),
    ]

    assert select(Selection("encrypted_comment_regex", "seal"), leaves) == [
        False,
        False,
        True,
        True,
        True,
        True,
        False,
        False,
    ]
    assert select(Selection("unencrypted_comment_regex", "seal"), leaves) == [
        True,
        False,
        False,
        False,
        False,
        False,
        True,
        True,
    ]


def test_null_and_empty_collections_end_a_comments_reach() -> None:
    rule = Selection("encrypted_comment_regex", "seal")

    for kind in ("null", "map", "list"):
        leaves = [comment("seal"), leaf("a", kind=kind), leaf("b")]
        assert select(rule, leaves) == [False, True, False]


def test_a_comment_does_not_reach_into_the_next_document() -> None:
    leaves = [comment("seal"), leaf("a", document=1), leaf("b", "c"), comment("seal", "b"), leaf("b", "d", document=1)]

    assert select(Selection("encrypted_comment_regex", "seal"), leaves) == [False, False, False, False, False]


def test_a_pattern_that_is_none_matches_nothing_when_reading() -> None:
    leaves = [leaf("a"), comment("a")]

    assert select(Selection("encrypted_regex", "^("), leaves) == [False, False]
    assert select(Selection("unencrypted_regex", "^("), leaves) == [True, True]
    assert select(Selection("encrypted_comment_regex", "^("), leaves) == [False, False]
    assert select(Selection("unencrypted_comment_regex", "^("), leaves) == [True, True]


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode.endswith("_regex")])
def test_a_pattern_that_is_none_is_refused_before_sealing(mode: str) -> None:
    with pytest.raises(RuleError, match=rf"^{mode} is not a regular expression: missing \)$"):
        Selection(mode, "^(").check()


def test_a_suffix_is_no_pattern() -> None:
    Selection("encrypted_suffix", "^(").check()


def test_a_rule_that_seals_nothing_is_noticed() -> None:
    values = [leaf("kind"), leaf("empty", content=""), leaf("none", kind="null", content=""), comment("c", "data")]

    assert seals_nothing(values, select(KUBERNETES, values))
    assert not seals_nothing([*values, leaf("data", "a")], [False, False, False, True, True])


def test_where_nothing_could_be_sealed_no_rule_is_to_blame() -> None:
    values = [leaf("empty", content=""), leaf("none", kind="null", content=""), leaf("map", kind="map", content="{}")]

    assert not seals_nothing(values, [False, False, False])


@pytest.mark.parametrize("mode", MODES)
def test_a_rule_survives_the_metadata(mode: str) -> None:
    selection = Selection(mode, "text")

    assert from_metadata({"version": "3.13.3", **selection.to_metadata()}) == selection


def test_without_a_rule_the_default_holds() -> None:
    assert from_metadata({}) == DEFAULT
    assert from_metadata({"encrypted_regex": "", "encrypted_suffix": None}) == DEFAULT


def test_numbers_and_truth_values_count_as_text() -> None:
    assert from_metadata({"encrypted_suffix": 12}) == Selection("encrypted_suffix", "12")
    assert from_metadata({"encrypted_suffix": 1.5}) == Selection("encrypted_suffix", "1.5")
    assert from_metadata({"encrypted_suffix": True}) == Selection("encrypted_suffix", "1")


def test_two_rules_in_the_metadata_are_refused() -> None:
    with pytest.raises(InvalidMetadata, match="both encrypted_suffix and encrypted_regex"):
        from_metadata({"encrypted_regex": "a", "encrypted_suffix": "b"})


def test_a_rule_that_is_no_text_is_refused() -> None:
    with pytest.raises(InvalidMetadata, match=r"sops\.encrypted_regex is not text"):
        from_metadata({"encrypted_regex": ["a"]})


def test_a_setting_replaces_the_rule_of_its_own_mode_only() -> None:
    rule = Selection("encrypted_regex", "^data$")

    assert from_settings({}) is None
    assert from_settings({"encrypted_regex": ""}, rule) == rule
    assert from_settings({"encrypted_regex": "^x$"}, rule) == Selection("encrypted_regex", "^x$")
    with pytest.raises(RuleError, match=r"^encrypted_suffix and encrypted_regex exclude each other$"):
        from_settings({"encrypted_suffix": "_enc"}, rule)


# Random documents, sealed by sops.

KEYS = ("data", "stringData", "name_unencrypted", "pw_enc", "kind", "meta", "xdata", "data-x")
RULES = (
    DEFAULT,
    Selection("encrypted_suffix", "_enc"),
    Selection("encrypted_regex", "^(data|stringData)$"),
    Selection("unencrypted_regex", "^(meta|kind)|x$"),
    Selection("encrypted_comment_regex", "seal"),
    Selection("unencrypted_comment_regex", "^ keep"),
)
EMPTY: dict[str, Kind] = {"null": "null", "{}": "map", "[]": "list"}


class Line(NamedTuple):
    """A line of block-style YAML, and the leaf on it."""

    text: str
    leaf: Leaf | None


class Writer:
    """Writes a random document and its leaves at once; comments stand on lines of their own, above what they are of."""

    def __init__(self, rng: random.Random, *, lists: bool = True) -> None:
        self.rng = rng
        self.lists = lists
        self.document = 0

    def comments(self, indent: int, path: LeafPath) -> Iterator[Line]:
        for _ in range(self.rng.choice((0, 0, 0, 1, 1, 2))):
            text = self.rng.choice((" seal it", " keep it", " a remark", "keep seal"))
            yield Line(" " * indent + "#" + text, comment(text, *path, document=self.document))

    def entries(self, indent: int, path: LeafPath, depth: int) -> Iterator[Line]:
        if self.lists and path and self.rng.random() < 0.4:
            for index in range(self.rng.randint(1, 4)):
                yield from self.comments(indent, path)
                yield from self.item(" " * indent + "-", indent, (*path, index), depth)
            return
        for key in self.rng.sample(KEYS, self.rng.randint(1, 4)):
            yield from self.comments(indent, path)
            yield from self.value(" " * indent + key + ":", indent, (*path, key), depth)

    def item(self, opening: str, indent: int, path: LeafPath, depth: int) -> Iterator[Line]:
        """Write an item of a list; of a map in it the first entry stands on the line of the dash, without comments."""
        if depth == 4 or self.rng.random() < 0.5:
            yield from self.value(opening, indent, path, 4)
            return
        first, *rest = self.rng.sample(KEYS, self.rng.randint(1, 3))
        yield from self.value(f"{opening} {first}:", indent + 2, (*path, first), depth + 1)
        for key in rest:
            yield from self.comments(indent + 2, path)
            yield from self.value(" " * (indent + 2) + key + ":", indent + 2, (*path, key), depth + 1)

    def value(self, opening: str, indent: int, path: LeafPath, depth: int) -> Iterator[Line]:
        chance = self.rng.random()
        if depth < 4 and chance < 0.4:
            yield Line(opening, None)
            yield from self.entries(indent + 4, path, depth + 1)
        elif chance < 0.5:
            text = self.rng.choice(list(EMPTY))
            yield Line(f"{opening} {text}", leaf(*path, kind=EMPTY[text], content=text, document=self.document))
        else:
            yield Line(f"{opening} value", leaf(*path, document=self.document))

    def stream(self, documents: int) -> list[Line]:
        lines: list[Line] = []
        for self.document in range(documents):
            if self.document:
                lines.append(Line("---", None))
            lines += self.entries(0, (), 0)
        return lines


def sealed_lines(encrypted: str) -> list[tuple[bool, bool]]:
    """Read of each value and comment in what sops wrote: is it a comment, and is it sealed?"""
    found = []
    in_block = False
    for line in encrypted.splitlines():
        if line == "---":
            in_block = False
        elif line == "sops:":
            in_block = True
        elif not in_block and "ENC[" in line:
            found.append((",type:comment]" in line, True))
        elif not in_block and "#" in line:
            found.append((True, False))
        elif not in_block and line.endswith("value"):
            found.append((False, False))
    return found


@pytest.fixture
def encrypt(tool: Callable[[str], str], age_key: AgeKey, tmp_path: Path) -> Callable[[Selection, str], str]:
    def run(selection: Selection, text: str) -> str:
        (tmp_path / "plain.yaml").write_text(text)
        # Two of the rules have no flag on the subcommand.
        (tmp_path / ".sops.yaml").write_text(
            f"creation_rules:\n  - age: {age_key.recipient}\n    {selection.mode}: '{selection.pattern}'\n"
        )
        done = subprocess.run(
            [tool("sops"), "encrypt", "plain.yaml"], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        return done.stdout

    return run


@pytest.mark.parametrize("selection", RULES, ids=lambda rule: rule.mode)
def test_sops_seals_the_same_leaves_of_random_documents(
    selection: Selection, encrypt: Callable[[Selection, str], str], rng: random.Random
) -> None:
    sealed = 0
    for _ in range(20):
        lines = Writer(rng).stream(12)
        leaves = [line.leaf for line in lines if line.leaf]
        text = "".join(line.text + "\n" for line in lines)
        expected = sealed_lines(encrypt(selection, text))

        answers = zip(leaves, select(selection, leaves), strict=True)

        found = [(leaf.kind == "comment", answer) for leaf, answer in answers if leaf.kind in ("str", "comment")]
        assert found == expected, text
        sealed += sum(answer for _, answer in found)
    assert sealed > 50


@pytest.mark.parametrize("selection", RULES, ids=lambda rule: rule.mode)
def test_a_sealed_document_is_read_by_the_rule_that_sealed_it(
    selection: Selection, encrypt: Callable[[Selection, str], str], rng: random.Random
) -> None:
    for _ in range(5):
        # Of a list sops makes items of sealed comments, which are other leaves then.
        lines = Writer(rng, lists=False).stream(12)
        leaves = [line.leaf for line in lines if line.leaf]
        encrypted = encrypt(selection, "".join(line.text + "\n" for line in lines))
        flags = iter(sealed_lines(encrypted))
        texts = iter(re.findall(r"ENC\[.*\]", encrypted))
        expected = [leaf.kind in ("str", "comment") and next(flags)[1] for leaf in leaves]
        in_file = [
            leaf._replace(content=next(texts)) if sealed else leaf
            for leaf, sealed in zip(leaves, expected, strict=True)
        ]

        answers = select(selection, in_file)

        found = [answer and leaf.kind in ("str", "comment") for leaf, answer in zip(leaves, answers, strict=True)]
        assert found == expected
