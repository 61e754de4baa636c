"""The configuration file, checked against what the real sops makes of it."""

import json
import random
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from sealpy import rules
from sealpy.errors import NoMatchingRule, RuleError
from sealpy.rules import CreationRule, KeySpec, Rules, Stores, named_keys
from sealpy.selection import DEFAULT, MODES, Selection, from_metadata
from tests.conftest import AgeKey


class Block(NamedTuple):
    """What sops wrote into a file, as far as a rule decides it."""

    groups: list[list[str]]
    threshold: int
    selection: Selection
    mac_only_encrypted: bool


@pytest.fixture(scope="session")
def recipients(tool: Callable[[str], str]) -> list[str]:
    """Four age recipients."""
    made = [subprocess.run([tool("age-keygen")], capture_output=True, text=True, check=True) for _ in range(4)]
    return [run.stderr.removeprefix("Public key: ").strip() for run in made]


@pytest.fixture
def sops(tool: Callable[[str], str], tmp_path: Path) -> Callable[..., Block | None]:
    """Let sops encrypt a JSON file under a configuration; None when it refuses."""

    def run(config: str, path: str = "file.json", *arguments: str) -> Block | None:
        (tmp_path / ".sops.yaml").write_text(config)
        plain = tmp_path / path
        plain.parent.mkdir(parents=True, exist_ok=True)
        plain.write_text('{"data": "x", "kind": "y"}')
        done = subprocess.run(
            [tool("sops"), "encrypt", *arguments, path], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        if done.returncode:
            return None
        block = json.loads(done.stdout)["sops"]
        groups = block.get("key_groups", [{"age": block.get("age")}])
        return Block(
            [[key["recipient"] for key in group["age"]] for group in groups],
            block.get("shamir_threshold", 0),
            from_metadata(block),
            block.get("mac_only_encrypted", False),
        )

    return run


def block_of(rule: CreationRule | None) -> Block:
    """Say what sops would write for a rule of ours."""
    assert rule is not None
    return Block(
        [[key.text for key in group] for group in rule.groups],
        rule.threshold or (len(rule.groups) if len(rule.groups) > 1 else 0),
        rule.selection or DEFAULT,
        rule.mac_only_encrypted,
    )


CONFIGS = {
    "a list": "creation_rules:\n- age: [A, B]\n",
    "a text with commas": "creation_rules:\n- age: ' A , B,'\n",
    "a folded text": "creation_rules:\n- age: >-\n    A,\n    B\n",
    "a key twice in a flat list": "creation_rules:\n- age: [A, B, A]\n",
    "commas in a list": "creation_rules:\n- age: ['A,B', C]\n",
    "the first match": "creation_rules:\n- {path_regex: nothing, age: A}\n- {path_regex: file, age: B}\n- age: C\n",
    "no path_regex": "creation_rules:\n- age: A\n- {path_regex: file, age: B}\n",
    "an empty path_regex": "creation_rules:\n- {path_regex: '', age: A}\n- age: B\n",
    "a rule that is null": "creation_rules:\n-\n- ~\n- age: A\n",
    "groups": "creation_rules:\n- key_groups: [{age: [A]}, {age: [B, C]}, {age: [D]}]\n",
    "groups before lists": "creation_rules:\n- {age: D, key_groups: [{age: [A]}, {age: [B]}]}\n",
    "one group": "creation_rules:\n- key_groups: [{age: [A, B]}]\n",
    "one group and a threshold": "creation_rules:\n- {shamir_threshold: 2, key_groups: [{age: [A, B]}]}\n",
    "a threshold": "creation_rules:\n- {shamir_threshold: 2, key_groups: [{age: [A]}, {age: [B]}, {age: [C]}]}\n",
    "no groups after all": "creation_rules:\n- {age: A, key_groups: []}\n",
    "a group that is null": "creation_rules:\n- {age: D, key_groups: [~, {age: [A]}]}\n",
    "a key twice in a group": "creation_rules:\n- key_groups: [{age: [A, B, A]}, {age: [A]}]\n",
    "commas in a group": "creation_rules:\n- key_groups: [{age: ['A,B', C]}]\n",
    "merged groups": "creation_rules:\n- key_groups: [{age: [A], merge: [{age: [B]}, {age: [C, A], merge: [{age: [D]}]}]}]\n",
    "anchors": "keys: [&a A, &b B]\ncreation_rules:\n- age: [*a, *b]\n",
    "an anchored group": "x: &g {age: [A]}\ncreation_rules:\n- key_groups: [{merge: [*g], age: [B]}, *g]\n",
    "a merged rule": "x: &r {encrypted_regex: ^data$, age: B}\ncreation_rules:\n- {<<: *r, age: A}\n",
    "merged rules": "x: &r {age: A}\ny: &s {age: B, encrypted_suffix: _enc}\ncreation_rules:\n- <<: [*r, *s]\n",
    "merged within merged": "x: &r {age: A}\ny: &s {<<: *r, encrypted_suffix: e}\ncreation_rules:\n- <<: *s\n",
    "a null over a merged one": "x: &r {encrypted_suffix: e}\ncreation_rules:\n- {age: A, encrypted_suffix: ~, <<: *r}\n",
    "null lists": "creation_rules:\n- {age: A, pgp: ~, kms: null, hckms: , key_groups: ~}\n",
    "empty lists": "creation_rules:\n- {age: A, pgp: '', kms: [], hckms: []}\n",
    "mac_only_encrypted": "creation_rules:\n- {age: A, mac_only_encrypted: true}\n",
    "mac_only_encrypted, as YAML 1.1 says it": "creation_rules:\n- {age: A, mac_only_encrypted: yes}\n",
    "mac_only_encrypted, off": "creation_rules:\n- {age: A, mac_only_encrypted: Off}\n",
    "a number for a text": "creation_rules:\n- {age: A, encrypted_suffix: 0x10, path_regex: .}\n",
    "a truth value for a text": "creation_rules:\n- {age: A, encrypted_regex: yes}\n",
    "two rules of values, one of them empty": "creation_rules:\n- {age: A, encrypted_regex: '', encrypted_suffix: e}\n",
    "keys that nobody knows": "creation_rules:\n- {age: A, description: x, owner: {a: b}}\nanything: [1]\n",
    "another document after it": "creation_rules:\n- age: A\n---\ncreation_rules:\n- age: B\n",
    "a byte order mark": "\ufeffcreation_rules:\n- age: A\n",
    "carriage returns": "creation_rules:\r\n- age: A\r\n",
    "a tag": "creation_rules: !!seq\n- age: !!str A\n",
    "a broken rule after the match": "creation_rules:\n- age: A\n- {path_regex: '^(', encrypted_regex: a, encrypted_suffix: b}\n",
    "two rules of values elsewhere": "creation_rules:\n- {path_regex: no, encrypted_regex: a, encrypted_suffix: b}\n- age: A\n",
    "an unknown key elsewhere": "creation_rules:\n- {path_regex: no, encryped_regex: a}\n- age: A\n",
    **{mode: f"creation_rules:\n- age: A\n  {mode}: '^data$'\n" for mode in MODES},
}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_configuration_says_what_it_says_to_sops(
    name: str, sops: Callable[..., Block | None], recipients: list[str]
) -> None:
    config = CONFIGS[name]
    for letter, recipient in zip("ABCD", recipients, strict=True):
        # Letters stand for recipients where no other letter is beside them.
        config = "".join(
            recipient
            if character == letter and not (config[i - 1 : i].isalnum() or config[i + 1 : i + 2].isalnum())
            else character
            for i, character in enumerate(config)
        )

    expected = sops(config)

    assert expected is not None
    assert block_of(rules.parse(config, ".sops.yaml").match("file.json")) == expected


REFUSED = {
    "no rule for it": ("creation_rules:\n- {path_regex: nothing, age: A}\n", NoMatchingRule),
    "no rules at all": ("creation_rules: []\n", NoMatchingRule),
    "two rules of values": ("creation_rules:\n- {age: A, encrypted_regex: a, encrypted_suffix: b}\n", RuleError),
    "a path_regex that is none": ("creation_rules:\n- {path_regex: '^(', age: A}\n", RuleError),
    "a map for a list of rules": ("creation_rules: {age: A}\n", RuleError),
    "a map for keys": ("creation_rules:\n- age: {A: B}\n", RuleError),
    "a map in the keys": ("creation_rules:\n- age: [{A: B}]\n", RuleError),
    "a text for a list of a group": ("creation_rules:\n- key_groups: [{age: A}]\n", RuleError),
    "two merges": ("x: &r {age: A}\ny: &s {age: B}\ncreation_rules:\n- <<: *r\n  <<: *s\n", RuleError),
    "an empty group": ("creation_rules:\n- key_groups: [{age: [A]}, {}]\n", RuleError),
    "an empty group alone": ("creation_rules:\n- key_groups: [{}]\n", RuleError),
    "a key twice": ("creation_rules:\n- age: A\n  age: B\n", RuleError),
    "a word for a number": ("creation_rules:\n- {age: A, shamir_threshold: two}\n", RuleError),
    "a word for a truth value": ("creation_rules:\n- {age: A, mac_only_encrypted: perhaps}\n", RuleError),
    "a number for a truth value": ("creation_rules:\n- {age: A, mac_only_encrypted: 1}\n", RuleError),
    "a list for a text": ("creation_rules:\n- {age: A, encrypted_regex: [a]}\n", RuleError),
    "a list for the file": ("- creation_rules\n", RuleError),
    "a text for the file": ("creation_rules\n", RuleError),
    "no YAML": ("creation_rules: [\n", RuleError),
    "an alias of nothing": ("creation_rules:\n- age: *a\n", RuleError),
    "a group within itself": ("creation_rules:\n- key_groups: [&g {age: [A], merge: [*g]}]\n", RuleError),
    "indent of a word": ("creation_rules:\n- age: A\nstores: {yaml: {indent: x}}\n", RuleError),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_sops_refuses_is_refused(name: str, sops: Callable[..., Block | None], recipients: list[str]) -> None:
    text, error = REFUSED[name]
    config = (
        text.replace(" A", f" {recipients[0]}").replace("[A]", f"[{recipients[0]}]").replace(" B", f" {recipients[1]}")
    )

    assert sops(config) is None
    with pytest.raises(error) as caught:
        rules.parse(config, ".sops.yaml").match("file.json")
    assert type(caught.value) is error
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def test_paths_are_matched_as_sops_matches_them(sops: Callable[..., Block | None], recipients: list[str]) -> None:
    patterns = ["^k8s/", "prod", r"\.json$", "^prod/", "k8s/prod/.*", "(?i)PROD", "^[^/]+$", r"^\./", "^/", "a b", "é"]
    paths = ["k8s/prod/a.json", "prod/b.json", "c.json", "x/prod.d/e.json", "a b/é.json"]
    for pattern in patterns:
        config = f"creation_rules:\n- path_regex: '{pattern}'\n  age: {recipients[0]}\n- age: {recipients[1]}\n"
        for path in paths:
            expected = sops(config, path)

            assert block_of(rules.parse(config, ".sops.yaml").match(path)) == expected, (pattern, path)


def test_random_groups_are_those_of_sops(
    sops: Callable[..., Block | None], recipients: list[str], rng: random.Random
) -> None:
    def group(depth: int) -> dict[str, object]:
        keys = rng.choices(recipients, k=rng.randint(1, 4))
        return {"age": keys, "merge": [group(depth + 1) for _ in range(rng.randint(0, 2 - depth))]}

    for _ in range(30):
        rule = {
            "key_groups": [group(0) for _ in range(rng.randint(1, 4))],
            rng.choice(MODES): rng.choice(["^data$", "_x"]),
            "mac_only_encrypted": rng.random() < 0.5,
        }
        config = json.dumps({"creation_rules": [rule]})

        assert block_of(rules.parse(config, ".sops.yaml").match("file.json")) == sops(config)


def test_named_keys_replace_those_of_the_rule_and_nothing_else(
    sops: Callable[..., Block | None], recipients: list[str]
) -> None:
    first, second, third, _ = recipients
    config = f"creation_rules:\n- {{encrypted_regex: ^data$, shamir_threshold: 2, age: {first}}}\n"
    rule = rules.parse(config, ".sops.yaml").match("file.json")
    assert rule is not None

    expected = sops(config, "file.json", "--age", f"{second}, {third}")

    assert block_of(rule.with_keys(named_keys({"age": f"{second}, {third}"}))) == expected


def test_named_keys_come_in_the_order_of_sops() -> None:
    named = named_keys(
        {
            "age": "a",
            "pgp": "AB CD,EF",
            "kms": "arn:x + arn:role",
            "azure_kv": "https://v/keys/k",
            "hc_vault": "",
            "gcp_kms": "g",
        },
        context={"b": "2", "a": "1"},
        aws_profile="p",
    )

    assert named == (
        KeySpec("kms", "arn:x+arn:role", (("a", "1"), ("b", "2")), "p"),
        KeySpec("gcp_kms", "g"),
        KeySpec("azure_kv", "https://v/keys/k"),
        KeySpec("pgp", "ABCD"),
        KeySpec("pgp", "EF"),
        KeySpec("age", "a"),
    )


def test_the_flat_lists_of_every_back_end() -> None:
    found = rules.parse(
        """
        creation_rules:
        - hc_vault_transit_uri: https://vault/v1/transit/keys/k
          azure_keyvault: [https://v/keys/k/1]
          hckms: ["r:1", "r:2"]
          gcp_kms: projects/p
          kms: arn:a , arn:b+arn:role
          aws_profile: me
          pgp:
          - AA BB
          - 1234567890
          age: age1a
        """,
        ".sops.yaml",
    ).match("x")

    assert found is not None
    assert found.groups == (
        (
            KeySpec("age", "age1a"),
            KeySpec("pgp", "AABB"),
            KeySpec("pgp", "1234567890"),
            KeySpec("kms", "arn:a", (), "me"),
            KeySpec("kms", "arn:b+arn:role", (), "me"),
            KeySpec("gcp_kms", "projects/p"),
            KeySpec("hckms", "r:1"),
            KeySpec("hckms", "r:2"),
            KeySpec("azure_kv", "https://v/keys/k/1"),
            KeySpec("hc_vault", "https://vault/v1/transit/keys/k"),
        ),
    )


def test_a_key_group_of_every_back_end() -> None:
    found = rules.parse(
        """
        creation_rules:
        - key_groups:
          - hc_vault: [https://vault/v1/transit/keys/k]
            azure_keyvault: [{vaultUrl: "https://v", key: k}, {vaultUrl: "https://v", key: k, version: 1}]
            hckms: [{key_id: "r:1"}]
            gcp_kms: [{resource_id: projects/p}]
            kms:
            - {arn: "arn:a", role: "arn:r", context: {z: 1, a: yes}, aws_profile: me}
            - {arn: "arn:a"}
            - {arn: "arn:a"}
            pgp: [AA BB]
            age: [age1a]
        """,
        ".sops.yaml",
    ).match("x")

    assert found is not None
    assert found.groups == (
        (
            KeySpec("age", "age1a"),
            KeySpec("pgp", "AABB"),
            KeySpec("kms", "arn:a+arn:r", (("a", "yes"), ("z", "1")), "me"),
            KeySpec("kms", "arn:a"),
            KeySpec("gcp_kms", "projects/p"),
            KeySpec("hckms", "r:1"),
            KeySpec("azure_kv", "https://v/keys/k"),
            KeySpec("azure_kv", "https://v/keys/k/1"),
            KeySpec("hc_vault", "https://vault/v1/transit/keys/k"),
        ),
    )


@pytest.mark.parametrize(
    ("group", "message"),
    [
        ("kms: [{role: r}]", "this key has no arn"),
        ("gcp_kms: [{}]", "this key has no resource_id"),
        ("hckms: [{key_id: ''}]", "this key has no key_id"),
        ("azure_keyvault: [{vaultUrl: u}]", "this key has no key"),
        ("azure_kv: [{vaultUrl: u}]", "unknown key 'azure_kv'"),
        ("hc_vault_transit_uri: [u]", "unknown key 'hc_vault_transit_uri'"),
        ("kms: [{arm: x}]", "unknown key 'arm'"),
    ],
)
def test_a_key_of_a_group_that_is_incomplete_is_refused(group: str, message: str) -> None:
    found = rules.parse(f"creation_rules:\n- key_groups:\n  - age: [a]\n  - {group}\n", ".sops.yaml")

    with pytest.raises(RuleError) as caught:
        found.match("x")

    assert caught.value.message == f".sops.yaml:4: {message}"


def test_without_rules_there_is_nothing_to_match() -> None:
    for text in ("", "creation_rules:\n", "destination_rules: []\n", "stores: {}\n"):
        assert rules.parse(text, ".sops.yaml").match("x") is None


def test_a_path_that_no_rule_is_for_is_told_with_the_file_and_the_next_step() -> None:
    found = rules.parse("creation_rules:\n- path_regex: ^prod/\n", "repo/.sops.yaml")

    with pytest.raises(NoMatchingRule) as caught:
        found.match("dev/a.yaml")

    assert caught.value.message == "no creation rule of repo/.sops.yaml matches dev/a.yaml"
    assert caught.value.hint == "add a rule whose path_regex matches this path, or a last rule without path_regex"


def test_backslashes_are_slashes_too() -> None:
    found = rules.parse("creation_rules:\n- path_regex: ^prod/a\n  encrypted_suffix: x\n- age: b\n", ".sops.yaml")

    rule = found.match("prod\\a.yaml")

    assert rule is not None
    assert rule.line == 2


def test_a_rule_that_is_wrong_says_so_for_its_own_files_only() -> None:
    found = rules.parse(
        """\
creation_rules:
- path_regex: ^a/
  encryped_regex: x
- path_regex: ^b/
  encrypted_regex: "^("
- path_regex: ^c/
  encrypted_regex: x
  unencrypted_suffix: y
- path_regex: ^d/
  azure_kv: x
- path_regex: ^e/
  age: [x]
- path_regx: ^f/
destination_rules:
- s3_bucket: a
  vault_path: b
""",
        ".sops.yaml",
    )
    messages = {
        "a/": ".sops.yaml:3: unknown key 'encryped_regex'",
        "b/": ".sops.yaml:4: encrypted_regex is not a regular expression: missing )",
        "c/": ".sops.yaml:6: unencrypted_suffix and encrypted_regex exclude each other",
        "d/": ".sops.yaml:10: unknown key 'azure_kv'",
        "f/": ".sops.yaml:13: unknown key 'path_regx'",
    }

    for path, message in messages.items():
        with pytest.raises(RuleError) as caught:
            found.match(path)
        assert caught.value.message == message
    rule = found.match("e/")

    assert rule is not None
    assert rule.groups == ((KeySpec("age", "x"),),)
    assert [fault.message for fault in found.faults()] == [
        *messages.values(),
        ".sops.yaml:15: more than one destination in one rule",
    ]


@pytest.mark.parametrize("name", ["creation_rule", "creation-rules", "Creation_Rules", "destination_rule", "store"])
def test_a_slip_at_the_top_is_an_error_for_every_file(name: str) -> None:
    with pytest.raises(RuleError, match=rf"^\.sops\.yaml:1: unknown key '{name}'$"):
        rules.parse(f"{name}: []\n", ".sops.yaml")


def test_unknown_keys_are_noted() -> None:
    found = rules.parse("keys: [&a x]\ncreation_rules:\n- {age: *a, owner: me}\n", ".sops.yaml")

    assert found.notes == ("line 1: unknown key 'keys' is ignored", "line 3: unknown key 'owner' is ignored")


def test_stores() -> None:
    text = "stores: {yaml: {indent: 2}, json: {indent: 3}, json_binary: {indent: 0}, dotenv: {}, ini: {}}"

    assert rules.parse(text, ".sops.yaml").stores == Stores(2, 3, 0)
    assert rules.parse("", ".sops.yaml").stores == Stores(0, -1, -1)


@pytest.mark.parametrize("text", ["json: {indent: -2}", "yaml: {indent: -1}"])
def test_an_impossible_indent_is_refused(text: str) -> None:
    with pytest.raises(RuleError, match=r"^\.sops\.yaml:1: indent is too small$"):
        rules.parse(f"stores: {{{text}}}", ".sops.yaml")


def test_destination_rules_are_kept() -> None:
    found = rules.parse(
        """
        destination_rules:
        - path_regex: ^a/
          vault_path: secret/
          vault_kv_version: 1
          omit_extensions: yes
          recreation_rule: {age: x, encrypted_suffix: _enc}
        - s3_bucket: b
        """,
        ".sops.yaml",
    ).destination_rules

    assert [rule.path_regex for rule in found] == ["^a/", ""]
    assert found[0].settings == {"vault_path": "secret/", "vault_kv_version": 1, "omit_extensions": True}
    assert found[0].recreation_rule is not None
    assert found[0].recreation_rule.groups == ((KeySpec("age", "x"),),)
    assert found[0].recreation_rule.selection == Selection("encrypted_suffix", "_enc")
    assert found[1].settings == {"s3_bucket": "b"}
    assert found[1].recreation_rule is None


def test_a_configuration_without_keys_has_no_groups(age_key: AgeKey) -> None:
    assert rules.parse("creation_rules:\n- encrypted_suffix: x\n", "x").match("x") == CreationRule(
        2, selection=Selection("encrypted_suffix", "x")
    )
    assert isinstance(rules.parse("", "x"), Rules)
