"""What a project calls its recipients and environments."""

import pytest

from sealpy.errors import RuleError
from sealpy.project import EMPTY, parse

ALICE = "age1qxu7s9yfhz8sdqsvw4l8j9kxl2m4n5p6q7r8s9t0u1v2w3x4y5z6a7b8c7d"
BOB = "age1zwd3z4nl3e2k8fwyw8wa8upw5jfx9xyd6gxd7v6tr0j4s6q8ahzq9d0a7t"
TEXT = f"""\
version: 1
layout: k8s/{{env}}/{{service}}/{{file}}
environments:
  prod: k8s/gitops/prod
  qa: "k8s/**/qa-*"
recipients:
  alice: {ALICE}
  bob: {BOB}
severities:
  SP105: error
"""


def refused(text: str) -> RuleError:
    with pytest.raises(RuleError) as caught:
        parse(text, ".sealpy.yaml")
    assert caught.value.__context__ is None
    return caught.value


def test_a_recipient_with_a_name_is_shown_by_it_with_its_ends() -> None:
    assert parse(TEXT, ".sealpy.yaml").shown(ALICE) == "alice (age1qx…7d)"


def test_a_recipient_without_a_name_is_shown_whole_so_that_it_can_be_copied() -> None:
    assert EMPTY.shown(ALICE) == ALICE


def test_a_long_recipient_without_a_name_is_shortened() -> None:
    assert EMPTY.shown("age1pq1" + "q" * 1900) == "age1pq1" + "q" * 17 + "…" + "q" * 12


def test_a_private_key_in_a_list_of_recipients_is_not_shown() -> None:
    assert EMPTY.shown("AGE-SECRET-KEY-1QQQQ") == "a private key, which does not belong there"


def test_what_acts_on_a_terminal_is_made_visible() -> None:
    assert EMPTY.shown("age1\x1b[2J") == "age1⟦U+001B⟧[2J"


def test_names_work_in_both_directions() -> None:
    project = parse(TEXT, ".sealpy.yaml")
    assert project.names == {ALICE: "alice", BOB: "bob"}
    assert project.recipients == {"alice": ALICE, "bob": BOB}
    assert project.name_of(BOB) == "bob"
    assert project.name_of("age1other") == ""
    assert project.lines == {"alice": 7, "bob": 8}


def test_the_comment_of_an_ssh_key_does_not_count() -> None:
    project = parse("recipients:\n  alice: ssh-ed25519 AAAAC3Nz alice@laptop\n", ".sealpy.yaml")
    assert project.name_of("ssh-ed25519 AAAAC3Nz") == "alice"
    assert project.shown("ssh-ed25519 AAAAC3Nz other") == "alice (ssh-ed25519 …AAC3Nz)"


@pytest.mark.parametrize("order", [1, -1])
def test_of_environments_within_each_other_the_most_specific_counts(order: int) -> None:
    patterns = {"all": "k8s", "prod": "k8s/prod", "any": "k8s/*", "eu": "k8s/prod/*-eu", "deep": "**/prod"}
    written = "".join(f"  {name}: '{pattern}'\n" for name, pattern in list(patterns.items())[::order])
    project = parse(f"environments:\n{written}", ".sealpy.yaml")
    paths = ("k8s/a.yaml", "k8s/dev/a.yaml", "k8s/prod/a.yaml", "k8s/prod/shop-eu/a.yaml", "x/prod/a.yaml", "x/a.yaml")
    assert [project.environment_of(path) for path in paths] == ["any", "any", "prod", "eu", "deep", ""]


@pytest.mark.parametrize(
    ("path", "environment"),
    [
        ("k8s/gitops/prod/shop/secrets.yaml", "prod"),
        ("k8s/gitops/production/secrets.yaml", "gitops"),
        ("k8s/eu/de/qa-1/secrets.yaml", "qa"),
        ("k8s/qa-2/secrets.yaml", "qa"),
        ("k8s/dev/shop/secrets.yaml", "dev"),
        ("k8s/dev/shop/more/secrets.yaml", "dev"),
        ("k8s/dev/secrets.yaml", ""),
        ("other/dev/shop/secrets.yaml", ""),
    ],
)
def test_a_path_belongs_to_an_environment_by_pattern_then_by_layout(path: str, environment: str) -> None:
    assert parse(TEXT, ".sealpy.yaml").environment_of(path) == environment


def test_a_folder_is_matched_as_a_whole_name() -> None:
    project = parse("environments:\n  prod: k8s/prod\n", ".sealpy.yaml")
    assert project.environment_of("k8s/production/secrets.yaml") == ""
    assert project.environment_of("k8s/prod/secrets.yaml") == "prod"
    assert project.environment_of("other/k8s/prod/secrets.yaml") == ""


def test_an_empty_file_has_no_names() -> None:
    assert parse("", ".sealpy.yaml").names == {}


def test_a_slip_in_a_key_is_an_error_with_a_suggestion() -> None:
    error = refused("recipents:\n  alice: age1\n")
    assert error.message == ".sealpy.yaml:1: unknown key 'recipents'"
    assert error.hint == "did you mean recipients?"


def test_a_key_that_nobody_knows_is_a_note() -> None:
    assert parse("owner: me\n", ".sealpy.yaml").notes == ("line 1: unknown key 'owner' is ignored",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("version: 2", "1: version must be 1"),
        (f"recipients:\n  alice: {ALICE}\n  al: {ALICE}", "3: al and alice are one recipient"),
        (f"recipients:\n  {ALICE}: alice", "2: the name of a recipient looks like a recipient"),
        ('recipients:\n  "a b": age1', "2: the name of a recipient must be one word"),
        ('recipients:\n  "a\\e[2J": age1', "2: the name of a recipient must be one word"),
        ("recipients:\n  alice:", "2: this name has no recipient"),
        ("recipients:\n  alice: [age1]", "2: a recipient must be text"),
        ("recipients: alice", "1: this must be a map of settings"),
        ("layout: k8s/dev", "1: layout must say where {env} stands"),
        ("environments:\n  prod: /", "2: this environment has no path"),
        ("severities:\n  leaks: error", "2: this is no id of a finding"),
        ("severities:\n  SP101: loud", "2: there is no such severity"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, message: str) -> None:
    assert refused(text).message == f".sealpy.yaml:{message}"


def test_a_private_key_among_the_recipients_is_an_error_that_does_not_quote_it() -> None:
    error = refused("recipients:\n  alice: AGE-SECRET-KEY-1QQQQQQ\n")
    assert error.message == ".sealpy.yaml:2: a private key stands where its recipient belongs"
    assert "QQQQ" not in f"{error} {error.hint}"
