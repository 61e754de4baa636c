"""Flat names of metadata, and typed values as text, as sops writes them."""

import pytest

from sealpy.errors import InvalidMetadata, ParseError, UnsealableValue
from sealpy.formats import flatten

NESTED = {
    "age": [{"recipient": "age1x", "enc": "e\nf\n"}, {"enc": "g", "recipient": "age1y"}],
    "key_groups": [{"hc_vault": [], "kms": [{"context": {"a": "b"}}]}],
    "mac_only_encrypted": True,
    "shamir_threshold": 2,
    "version": "3.13.3",
}


def test_names_are_sorted_and_empty_lists_vanish() -> None:
    assert flatten.flatten(NESTED) == [
        ("age__list_0__map_enc", "e\nf\n"),
        ("age__list_0__map_recipient", "age1x"),
        ("age__list_1__map_enc", "g"),
        ("age__list_1__map_recipient", "age1y"),
        ("key_groups__list_0__map_kms__list_0__map_context__map_a", "b"),
        ("mac_only_encrypted", "true"),
        ("shamir_threshold", "2"),
        ("version", "3.13.3"),
    ]


def test_a_name_and_its_path_turn_into_each_other() -> None:
    path = ("key_groups", 11, "age", 0, "enc")

    assert flatten.flat_name(path) == "key_groups__list_11__map_age__list_0__map_enc"
    assert flatten.path_of(flatten.flat_name(path)) == path


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("mac", ("mac",)),
        ("a__list_x__map_b", ("a", 0, "b")),
        ("a__list_", ("a", 0)),
        ("a_list_0", ("a_list_0",)),
        ("__map_a", ("", "a")),
        ("a__map_", ("a", "")),
    ],
)
def test_odd_names_read_as_sops_reads_them(name: str, path: tuple[str | int, ...]) -> None:
    assert flatten.path_of(name) == path


def test_nesting_undoes_flattening() -> None:
    flat = [(flatten.path_of(name), text) for name, text in flatten.flatten({"a": [{"b": "1"}, {"c": "2"}], "d": "3"})]

    assert flatten.nest(reversed(flat)) == {"a": [{"b": "1"}, {"c": "2"}], "d": "3"}


@pytest.mark.parametrize(
    "names",
    [
        ["a", "a"],
        ["a", "a__map_b"],
        ["a__map_b", "a"],
        ["a__list_1"],
        ["a__list_0", "a__map_b"],
        ["a__list_0", "a__list_2"],
        ["a" + "__map_b" * 200],
    ],
)
def test_metadata_that_contradict_themselves_are_refused(names: list[str]) -> None:
    with pytest.raises(InvalidMetadata):
        flatten.nest((flatten.path_of(name), "x") for name in names)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("x", "x"),
        (5, "5"),
        (True, "true"),
        (False, "false"),
        (None, "<nil>"),
        (2.0, "2.0"),
        (1.5, "1.5"),
        (1e21, "1E+21"),
        (1e-7, "1E-07"),
        (1e6, "1E+06"),
        (123456.0, "123456.0"),
        (-0.0, "-0.0"),
    ],
)
def test_values_are_written_as_sops_writes_them_where_everything_is_text(value: object, text: str) -> None:
    assert flatten.value_text(value) == text


def test_a_time_loses_its_fraction() -> None:
    assert flatten.leaf_text("time", "2002-12-14T01:02:03.5+02:00") == "2002-12-14T01:02:03+02:00"


@pytest.mark.parametrize("value", [{}, [], {"a": 1}, ["a"]])
def test_there_is_no_place_for_maps_and_lists(value: object) -> None:
    with pytest.raises(ParseError):
        flatten.value_text(value)


def test_an_integer_of_more_than_64_bits_is_refused() -> None:
    with pytest.raises(UnsealableValue):
        flatten.value_text(2**63)
