"""What a file lacks to be as its rule says."""

from collections.abc import Mapping
from typing import Any

import pytest

from sealpy import metadata, registry, resync, rules
from sealpy.resync import Change, Groups
from sealpy.selection import DEFAULT, Selection

YAML = registry.format_named("yaml")
BASE = {"lastmodified": "2026-01-01T00:00:00Z", "mac": "", "version": "3.13.3", "age": [{"recipient": "A", "enc": ""}]}
AZURE = {"vault_url": "https://v.example", "name": "k", "version": "1", "enc": "", "created_at": ""}


def change(rule: str, block: Mapping[str, Any] | None = None, name: str = "yaml") -> Change:
    parsed = (rules.parse(f"creation_rules:\n  - {{{rule}}}\n", "x").creation_rules or ())[0]
    return resync.change_of(metadata.parse({**BASE, **(block or {})}), parsed, registry.format_named(name))


@pytest.mark.parametrize(
    ("rule", "block"),
    [
        ("age: A", {}),
        ("age: 'A,A'", {}),
        ("key_groups: [{age: [A]}], shamir_threshold: 3", {}),
        ("age: A", {"encrypted_regex": "^x$"}),
        ("age: A, unencrypted_suffix: _unencrypted", {}),
        ("path_regex: x", {}),
        ("path_regex: x", {"age": None, "key_groups": [{"age": [{"recipient": "A"}]}, {"age": [{"recipient": "B"}]}]}),
        ("age: A, azure_keyvault: https://v.example/keys/k", {"azure_kv": [AZURE]}),
        (
            "key_groups: [{age: [A]}, {age: [B]}]",
            {"age": None, "key_groups": [{"age": [{"recipient": "A"}]}, {"age": [{"recipient": "B"}]}]},
        ),
    ],
)
def test_a_file_that_is_as_its_rule_says_lacks_nothing(rule: str, block: Mapping[str, Any]) -> None:
    assert not change(rule, block)


def test_keys_come_and_go() -> None:
    found = change("age: 'B', pgp: F")

    assert (found.added, found.removed) == ((("age", "B"), ("pgp", "F")), (("age", "A"),))


def test_a_key_of_azure_goes_by_its_full_name() -> None:
    assert change("age: A", {"azure_kv": [AZURE]}).removed == (("azure_kv", "https://v.example/keys/k/1"),)


def test_what_is_sealed_and_what_the_mac_covers() -> None:
    found = change("age: A, encrypted_regex: ^a$, mac_only_encrypted: true")

    assert found == Change(selection=(DEFAULT, Selection("encrypted_regex", "^a$")), mac_only_encrypted=True)


def test_a_binary_file_has_no_selection() -> None:
    assert not change("age: A, encrypted_regex: ^a$, mac_only_encrypted: true", name="binary")


A, B, C = ("age", "A"), ("age", "B"), ("age", "C")
ONE = Groups(((A,),), 1)
TWO = Groups(((A,), (B,)), 2)
BLOCK = {"age": None, "key_groups": [{"age": [{"recipient": "A"}]}, {"age": [{"recipient": "B"}]}]}


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        ("key_groups: [{age: [A]}, {age: [B]}]", Change(added=(B,), groups=(ONE, TWO))),
        ("key_groups: [{age: [A]}, {age: [A]}]", Change(groups=(ONE, Groups(((A,), (A,)), 2)))),
        (
            "key_groups: [{age: [A, C]}, {age: [B]}, {age: [C]}], shamir_threshold: 2",
            Change(added=(C, B), groups=(ONE, Groups(((A, C), (B,), (C,)), 2))),
        ),
    ],
)
def test_several_groups_where_there_was_one_make_a_new_data_key(rule: str, wanted: Change) -> None:
    assert change(rule) == wanted
    assert wanted.renews


@pytest.mark.parametrize(
    ("rule", "wanted", "renews"),
    [
        ("key_groups: [{age: [A, C]}, {age: [B]}]", Change((C,), groups=(TWO, Groups(((A, C), (B,)), 2))), False),
        ("key_groups: [{age: [A, B]}, {age: [B]}]", Change(groups=(TWO, Groups(((A, B), (B,)), 2))), False),
        ("key_groups: [{age: [B]}, {age: [A]}]", Change(groups=(TWO, Groups(((B,), (A,)), 2))), True),
        ("key_groups: [{age: [A]}, {age: [C]}]", Change((C,), (B,), groups=(TWO, Groups(((A,), (C,)), 2))), True),
        (
            "key_groups: [{age: [A]}, {age: [B]}], shamir_threshold: 1",
            Change(groups=(TWO, TWO._replace(quorum=1))),
            True,
        ),
        ("age: 'A,B'", Change(groups=(TWO, Groups(((A, B),), 1))), True),
    ],
)
def test_other_groups_than_those_there_are(rule: str, wanted: Change, renews: bool) -> None:
    assert change(rule, BLOCK) == wanted
    assert wanted.renews is renews
