"""Where comments belong: what sops does, one fact a test. The random streams of the interop tests ask sops itself."""

import time

import pytest

from sealpy.formats.yaml_comments import Comment, find_comments


def homes(text: str, *, sealed: bool = True) -> list[tuple[str, str]]:
    """Each kept comment, in tree order, and the first line of its collection."""
    return [
        (text[comment.start : comment.end], text[comment.container :].split("\n", 1)[0])
        for comment in find_comments(text, sealed=sealed)
        if comment.kept
    ]


def only(text: str, *, sealed: bool = True) -> Comment:
    [comment] = find_comments(text, sealed=sealed)
    return comment


def test_a_text_without_comments_has_none() -> None:
    assert find_comments("a: 1\nb: 'x # y'\nc: x#y\nd: |\n  # no comment\n", sealed=True) == []


def test_an_empty_text_has_no_comments() -> None:
    assert find_comments("", sealed=False) == []


def test_a_comment_before_a_key_is_in_the_map_of_the_key() -> None:
    assert homes("a: 1\nb:\n  c: 1\n  # x\n  d: 2\n") == [("# x", "c: 1")]


def test_a_comment_after_the_colon_is_outside_the_collection_that_follows() -> None:
    assert homes("a: 1\nb: # x\n  c: 1\n") == [("# x", "a: 1")]


def test_a_comment_between_the_colon_and_a_map_is_in_that_map() -> None:
    assert homes("a: 1\nb:\n  # x\n  c: 1\n") == [("# x", "c: 1")]


def test_a_comment_beside_a_value_sorts_before_its_leaf() -> None:
    comment = only("a: 1\nb: 2 # x\n")

    assert comment.sort == 5
    assert comment.container == 0


def test_a_comment_behind_a_block_stays_with_the_block_by_its_column() -> None:
    assert homes("a:\n  b: 1\n  # x\nc: 1\n") == [("# x", "b: 1")]


def test_a_comment_that_is_dedented_belongs_to_what_follows() -> None:
    assert homes("a:\n  b: 1\n# x\nc: 1\n") == [("# x", "a:")]


def test_a_comment_at_the_end_of_a_block_sorts_behind_all_its_leaves() -> None:
    text = "a:\n  b: 1\n  c: 2\n  # x\nd: 3\n"

    assert text.index("2") < only(text).sort <= text.index("d")


def test_a_blank_line_parts_the_foot_of_one_pair_from_the_head_of_the_next() -> None:
    text = "a: 1\n# foot\n\n# head\nb: 2\n"

    foot, head = find_comments(text, sealed=True)

    assert text.index("1") < foot.sort < text.index("b")
    assert head.sort == text.index("b")


def test_a_foot_that_another_one_replaces_is_dropped() -> None:
    text = "a:\n  b: 1\n# one\n # two\n\n  c: 3\n"

    assert homes(text) == [("# two", "b: 1")]
    assert {text[comment.start : comment.end]: comment.kept for comment in find_comments(text, sealed=True)} == {
        "# one": False,
        "# two": True,
    }


def test_a_comment_beside_a_dash_is_in_the_list() -> None:
    text = "a:\n  - # x\n    b: 1\n"
    comment = only(text)

    assert (comment.container, comment.is_list) == (text.index("b"), False)


def test_a_comment_before_a_dash_is_in_the_list() -> None:
    text = "a:\n  - 1\n  # x\n  - 2\n"
    comment = only(text)

    assert (comment.container, comment.is_list) == (text.index("-"), True)


def test_a_comment_beside_an_item_is_in_the_list_before_its_leaf() -> None:
    text = "a:\n- 1\n- 2 # x\n"
    comment = only(text)

    assert (comment.container, comment.is_list, comment.sort) == (text.index("-"), True, text.index("2"))


def test_a_comment_in_braces_is_kept_in_the_collection_that_go_yaml_gives_it_to() -> None:
    text = "a: [1, # x\n  2]\n"
    comment = only(text)

    assert (comment.container, comment.is_list, comment.kept) == (text.index("["), True, True)


def test_a_comment_behind_an_opening_brace_is_dropped() -> None:
    text = "a: [ # x\n  1,\n  2]\n"

    assert homes(text) == []
    assert text[only(text).start : only(text).end] == "# x"


def test_a_comment_in_a_key_is_dropped() -> None:
    assert homes("? [a, # x\n  b]\n: 1\n") == []


def test_a_comment_behind_an_empty_collection_is_inside_it() -> None:
    assert homes("a: {} # x\n") == [("# x", "{} # x")]


def test_a_comment_behind_the_sign_of_a_block_scalar_is_found_inside_its_span() -> None:
    assert homes("b: | # x\n  text # y\n") == [("# x", "b: | # x")]


def test_a_comment_behind_the_sign_of_a_block_scalar_that_ends_the_text_is_found() -> None:
    assert homes("a: 1\nb: >- # x") == [("# x", "a: 1")]


def test_a_comment_between_a_tag_and_its_value_is_found() -> None:
    assert homes("a: !!str # x\n  value\n") == [("# x", "a: !!str # x")]


def test_a_comment_behind_a_directive_is_dropped() -> None:
    comment = only("%YAML 1.1 # x\n---\na: 1\n")

    assert (comment.kept, comment.container) == (False, -1)


def test_comments_that_begin_a_document_are_in_its_root() -> None:
    assert homes("# one\n\n# two\na: 1\n") == [("# one", "a: 1"), ("# two", "a: 1")]


def test_each_document_has_its_own_comments() -> None:
    text = "# a\na: 1\n---\n# b\nb: 2\n...\n"

    assert [(comment.document, comment.container) for comment in find_comments(text, sealed=True)] == [
        (0, text.index("a: 1")),
        (1, text.index("b: 2")),
    ]


def test_an_empty_document_has_no_root_to_hold_its_comments() -> None:
    assert [only("---\n# x\n", sealed=sealed).container for sealed in (True, False)] == [-1, -1]


@pytest.mark.parametrize(
    ("text", "as_it_is", "with_a_key"),
    [
        ("a:\n  b:\n    c: 1\n  # x\n", "b:", "c: 1"),
        ("a:\n- 1\n# x\n", "- 1", "a:"),
        ("a:\n  b: 1\n# x\n", "a:", "a:"),
    ],
)
def test_a_last_comment_may_go_elsewhere_once_a_key_follows(text: str, as_it_is: str, with_a_key: str) -> None:
    assert homes(text, sealed=True) == [("# x", as_it_is)]
    assert homes(text, sealed=False) == homes(text + "sops: 1\n", sealed=True) == [("# x", with_a_key)]


@pytest.mark.parametrize("text", ["a:\n  - 1\n# x", " a:\n   - 1\n# x", "a:\n  - 1\n  # x", "a:\r\n  - 1\r\n # x"])
def test_a_last_line_without_its_break_gets_one_before_the_key_that_is_added(text: str) -> None:
    newline = "\r\n" if "\r" in text else "\n"
    indent = " " if text.startswith(" ") else ""
    sealed = f"{text}{newline}{indent}sops: 1{newline}"

    assert find_comments(text, sealed=False) == find_comments(sealed, sealed=True)


def test_spans_hold_trailing_blanks_but_no_carriage_return() -> None:
    text = "a: 1\r\n# x \r\nb: 2\r\n"
    comment = only(text)

    assert text[comment.start : comment.end] == "# x "


def test_a_byte_order_mark_counts() -> None:
    text = "\ufeff# x\na: 1\n"
    comment = only(text)

    assert (comment.start, comment.container) == (1, text.index("a"))


def test_comments_of_one_block_are_one_each_and_so_is_an_empty_one() -> None:
    assert [text for text, _ in homes("#one\n#\n#  two\na: 1\n")] == ["#one", "#", "#  two"]


def test_a_carriage_return_counts_as_an_empty_line_behind_a_comment() -> None:
    unix, windows = "a:\n  b: 1\n  # x\n  c: 2\n", "a:\r\n  b: 1\r\n  # x\r\n  c: 2\r\n"

    assert only(unix).sort == unix.index("c")
    assert only(windows).sort < windows.index("c")


def test_far_apart_comments_are_placed_as_if_all_was_read_closely() -> None:
    """Between comments nothing but the outline is followed; what is found must not depend on that."""
    filler = "".join(f"  k{number}:\n    - {number}\n    - m: {number}\n      n: [1, 2]\n" for number in range(50))
    text = f"# head\na:\n{filler}  # foot\nb: 1 # line\n"

    assert homes(text) == [("# head", "a:"), ("# foot", "m: 49"), ("# line", "a:")]


@pytest.mark.parametrize(
    "lines",
    [
        ["  # x\n"],
        ["# x\n", " # x\n", "   # x\n"],
        ["  k: 1 # x\n"],
        ["  k: 1\n"] * 9 + ["  # x\n"],
        ["\n"] * 20 + ["  # x\n"],
        ["  k: !!str a#b\n"],
    ],
)
def test_time_grows_with_the_text_and_no_faster(lines: list[str]) -> None:
    def seconds(count: int) -> float:
        text = "a:\n" + "".join(lines[number % len(lines)] for number in range(count)) + "  z: 1\n"
        started = time.perf_counter()
        find_comments(text, sealed=False)
        return time.perf_counter() - started

    small, large = (min(seconds(count) for _ in range(3)) for count in (1_000, 16_000))

    assert large < 64 * small
