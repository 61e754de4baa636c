"""Which leaf is which: list items that moved, comments without a key, keys that occur twice."""

from sealpy.comparison.alignment import align
from sealpy.document import Leaf, Path


def leaf(path: Path, content: str, kind: str = "str") -> tuple[Path, Leaf]:
    return path, Leaf(path, 0, 0, kind, content)


def test_an_item_put_before_others_moves_no_one():
    old = [leaf(("l", 0), "a"), leaf(("l", 1), "b")]
    new = [leaf(("l", 0), "x"), leaf(("l", 1), "a"), leaf(("l", 2), "b")]

    assert align(old, new) == [(None, 0), (0, 1), (1, 2)]


def test_an_item_that_changed_keeps_its_partner():
    old = [leaf(("l", 0), "a"), leaf(("l", 1), "b"), leaf(("l", 2), "c")]
    new = [leaf(("l", 0), "a"), leaf(("l", 1), "x"), leaf(("l", 2), "c")]

    assert align(old, new) == [(0, 0), (1, 1), (2, 2)]


def test_items_with_a_name_are_matched_by_it():
    old = [
        leaf(("env", 0, "name"), "HOST"),
        leaf(("env", 0, "value"), "a"),
        leaf(("env", 1, "name"), "PORT"),
        leaf(("env", 1, "value"), "1"),
    ]
    new = [
        leaf(("env", 0, "name"), "PORT"),
        leaf(("env", 0, "value"), "2"),
        leaf(("env", 1, "name"), "HOST"),
        leaf(("env", 1, "value"), "a"),
    ]

    assert sorted(align(old, new)) == [(0, 2), (1, 3), (2, 0), (3, 1)]


def test_lists_inside_items_follow_their_item():
    old = [leaf(("l", 0, "name"), "a"), leaf(("l", 0, "hosts", 0), "x"), leaf(("l", 1, "name"), "b")]
    new = [leaf(("l", 0, "name"), "b"), leaf(("l", 1, "name"), "a"), leaf(("l", 1, "hosts", 0), "x")]

    assert sorted(align(old, new)) == [(0, 1), (1, 2), (2, 0)]


def test_a_key_that_occurs_twice_is_counted():
    old = [leaf(("a",), "1"), leaf(("a",), "2")]
    new = [leaf(("a",), "1"), leaf(("a",), "3")]

    assert align(old, new) == [(0, 0), (1, 1)]


def test_comments_are_matched_by_their_text_then_in_order():
    old = [leaf((), "one", "comment"), leaf((), "two", "comment")]
    new = [leaf((), "two", "comment"), leaf((), "three", "comment")]

    assert sorted(align(old, new)) == [(0, 1), (1, 0)]


def test_what_was_removed_stands_after_what_stood_before_it():
    old = [leaf(("a",), "1"), leaf(("b",), "2"), leaf(("c",), "3")]
    new = [leaf(("a",), "1"), leaf(("c",), "3"), leaf(("d",), "4")]

    assert align(old, new) == [(0, 0), (1, None), (2, 1), (None, 2)]


def test_very_long_lists_without_names_pair_by_position():
    old = [leaf(("l", index), f"old {index}") for index in range(2000)]
    new = [leaf(("l", index), f"new {index}") for index in range(2000)]

    assert align(old, new) == [(index, index) for index in range(2000)]
