"""Structural edits of a YAML text do to the text what the same edit does to the data."""

import copy
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from sealpy import data
from sealpy.document import Path, splice
from sealpy.errors import PathNotFound, SealpyError
from sealpy.formats.yaml import FORMAT
from tests.strategies.yaml_text import ANY_TEXT, KEYS, yaml_documents

VALUES = st.recursive(
    st.one_of(ANY_TEXT, st.integers(-(2**63), 2**63 - 1), st.booleans(), st.none(), st.just(1.5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=6,
)


def parsed(text: str) -> dict[str, Any]:
    document = FORMAT.scan(text)
    return data.documents(document.leaves, document.documents)[0]


def inserted(text: str, path: Path, value: object) -> str:
    return splice(text, FORMAT.insert(FORMAT.scan(text), path, value))


def removed(text: str, path: Path) -> str:
    return splice(text, FORMAT.remove(FORMAT.scan(text), path))


def paths_of(value: Any, base: Path = ()) -> list[Path]:
    if isinstance(value, dict):
        children: list[tuple[str | int, Any]] = list(value.items())
    elif isinstance(value, list):
        children = list(enumerate(value))
    else:
        return [base]
    return [base, *[path for name, item in children for path in paths_of(item, (*base, name))]]


def put(root: Any, path: Path, value: object) -> None:
    here = root
    for part, following in pairwise(path):
        here = here[part]
        assert isinstance(here, list if isinstance(following, int) else dict)
    if isinstance(path[-1], int) and path[-1] >= len(here):
        here.append(value)
    else:
        here[path[-1]] = value


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=yaml_documents(), value=VALUES, pick=st.randoms(use_true_random=False), new=KEYS)
def test_a_value_put_at_any_path_is_what_the_text_then_holds(text: str, value: object, pick: Any, new: str) -> None:
    # A clipped block scalar at the very end would get a line break; a sealed file ends with its metadata.
    text = text if text.endswith("\n") else text + "\n"
    try:
        before = parsed(text)
    except SealpyError:
        assume(False)
    places = [path for path in paths_of(before) if path]
    containers = [path for path in paths_of(before) if isinstance(at(before, path), dict)]
    path = pick.choice([*places, *[(*container, new) for container in containers]])

    after = inserted(text, path, value)

    expected = copy.deepcopy(before)
    put(expected, path, value)
    assert repr(parsed(after)) == repr(expected)  # nan is not itself


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=yaml_documents(), pick=st.randoms(use_true_random=False))
def test_what_is_taken_out_is_all_that_is_missing(text: str, pick: Any) -> None:
    try:
        before = parsed(text)
    except SealpyError:
        assume(False)
    path = pick.choice([path for path in paths_of(before) if path])
    assume(len(path) > 1 or len(before) > 1)

    after = removed(text, path)

    expected = copy.deepcopy(before)
    del at(expected, path[:-1])[path[-1]]
    assert repr(parsed(after)) == repr(expected)  # nan is not itself


def at(value: Any, path: Path) -> Any:
    for part in path:
        value = value[part]
    return value


def test_a_new_key_is_one_new_line_after_the_last_one() -> None:
    text = "kind: Secret\nstringData:\n  A: one  # kept\n  B: two\n\n# the end\n"

    assert inserted(text, ("stringData", "C"), "three") == text.replace("B: two\n", "B: two\n  C: three\n")


def test_a_value_is_replaced_in_its_own_quotes() -> None:
    assert inserted("a: 'x' # why\nb: 1\n", ("a",), "y") == "a: 'y' # why\nb: 1\n"


def test_a_missing_map_is_made_on_the_way() -> None:
    assert inserted("a: 1\n", ("b", "c", "d"), 2) == "a: 1\nb:\n    c:\n        d: 2\n"


def test_an_index_past_the_end_appends() -> None:
    assert inserted("l:\n- a\n- b\n", ("l", 9), "c") == "l:\n- a\n- b\n- c\n"


def test_a_null_makes_room_for_a_map() -> None:
    assert inserted("stringData:\nz: 1\n", ("stringData", "A"), "x") == "stringData:\n    A: x\nz: 1\n"


def test_the_last_key_of_a_map_leaves_an_empty_map() -> None:
    assert removed("a:\n  b: 1\nc: 2\n", ("a", "b")) == "a: {}\nc: 2\n"


def test_the_first_key_behind_a_dash_hands_its_place_on() -> None:
    assert removed("l:\n  - a: 1\n    b: 2\n", ("l", 0, "a")) == "l:\n  - b: 2\n"


def test_braces_keep_their_commas_right() -> None:
    text = "f: {a: 1, b: [1, 2], c: 3}\n"

    assert removed(text, ("f", "a")) == "f: {b: [1, 2], c: 3}\n"
    assert removed(text, ("f", "c")) == "f: {a: 1, b: [1, 2]}\n"
    assert removed(text, ("f", "b", 1)) == "f: {a: 1, b: [1], c: 3}\n"
    assert inserted(text, ("f", "d"), "x") == 'f: {a: 1, b: [1, 2], c: 3, "d": x}\n'


@pytest.mark.parametrize(
    ("text", "path"),
    [("a: 1\n", ("b",)), ("a:\n- 1\n", ("a", 3)), ("a: &x 1\nb: *x\n", ("a", "c"))],
)
def test_what_is_not_there_cannot_be_taken_out(text: str, path: Path) -> None:
    with pytest.raises(PathNotFound):
        removed(text, path)


@pytest.mark.parametrize("path", [("l", "k"), ("m", 0), ("l", -1), ("sops", "mac")])
def test_a_path_that_does_not_fit_is_refused(path: Path) -> None:
    with pytest.raises(PathNotFound):
        inserted("l: [1]\nm: {a: 1}\n", path, "x")
