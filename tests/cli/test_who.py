"""``sealpy who`` on real repositories, with files that the real sops sealed."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.repository import SECRET, Repository
from tests.conftest import AgeKey


@pytest.fixture
def repository(
    tmp_path: Path, home: Path, tool: Callable[[str], str], age_key: AgeKey, other_key: AgeKey
) -> Repository:
    """Return a repository of two environments; production has two files."""
    keys = {"prod": tuple(age_key), "dev": tuple(other_key)}
    made = Repository(tmp_path / "repository", home, tool("sops"), keys)
    rules = "".join(f"  - path_regex: ^k8s/{name}/\n    age: {made.recipient(name)}\n" for name in keys)
    made.plain.write(".sops.yaml", f"creation_rules:\n{rules}")
    names = f"recipients:\n  cluster: {made.recipient('prod')}\n  alice: {made.recipient('dev')}\n"
    made.plain.write(".sealpy.yaml", names)
    for path, to in (("prod/a", "prod"), ("prod/b", "prod"), ("dev/a", "dev")):
        made.add(f"k8s/{path}.yaml", SECRET.format(name="db", password="hunter2"), to=to)
    made.plain.write("k8s/prod/kustomization.yaml", "resources: [a.yaml]\n")
    made.commit()
    return made


def called(repository: Repository, name: str, key: str) -> str:
    recipient = repository.recipient(key)
    return f"{name} ({recipient[:6]}…{recipient[-2:]})"


def test_every_environment_is_told_without_a_key(repository: Repository) -> None:
    ended = repository.sealpy("who", keys=())
    cluster, alice = called(repository, "cluster", "prod"), called(repository, "alice", "dev")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == f"dev  1 encrypted file\n  {alice}\nprod  2 encrypted files\n  {cluster}\n"


def test_one_environment_or_one_file_can_be_asked_for(repository: Repository) -> None:
    cluster = called(repository, "cluster", "prod")
    assert repository.sealpy("who", "prod", keys=()).out == f"prod  2 encrypted files\n  {cluster}\n"
    assert repository.sealpy("who", "k8s/prod", keys=()).out == f"prod  2 encrypted files\n  {cluster}\n"
    assert repository.sealpy("who", "k8s/prod/b.yaml", keys=()).out == f"k8s/prod/b.yaml\n  {cluster}\n"


def test_who_reads_some_files_or_beyond_the_rule_is_told(repository: Repository) -> None:
    repository.sops("rotate", "-i", "--add-age", repository.recipient("dev"), "k8s/prod/b.yaml")
    cluster, alice = called(repository, "cluster", "prod"), called(repository, "alice", "dev")
    assert repository.sealpy("who", "prod", keys=()).out == (
        f"prod  2 encrypted files\n  {cluster}\n  {alice}  (1 of 2: k8s/prod/b.yaml; not named by the rule)\n"
    )
    assert repository.sealpy("who", "k8s/prod/b.yaml", keys=()).out == (
        f"k8s/prod/b.yaml\n  {cluster}\n  {alice}  (not named by the rule)\n"
    )


def test_who_is_named_by_the_rule_and_cannot_read_is_told(repository: Repository) -> None:
    rules = repository.plain.read(".sops.yaml")
    prod, dev = repository.recipient("prod"), repository.recipient("dev")
    repository.plain.write(".sops.yaml", rules.replace(prod, f"{prod},{dev}"))
    alice = called(repository, "alice", "dev")
    line = f"  ! {alice} is named by the rule and cannot read"
    assert repository.sealpy("who", "prod", keys=()).out.endswith(f"{line} all 2\n")
    assert repository.sealpy("who", "k8s/prod/a.yaml", keys=()).out.endswith(f"{line} it\n")


def test_json_has_every_file(repository: Repository) -> None:
    repository.sops("rotate", "-i", "--add-age", repository.recipient("dev"), "k8s/prod/b.yaml")
    document = json.loads(repository.sealpy("who", "--json", "prod", keys=()).out)
    prod, dev = repository.recipient("prod"), repository.recipient("dev")
    assert document["schema"] == "sealpy.who/1"
    assert document["environments"] == [
        {
            "name": "prod",
            "files": 2,
            "readers": [
                {"backend": "age", "recipient": prod, "name": "cluster", "files": 2, "not_in_rule": 0},
                {"backend": "age", "recipient": dev, "name": "alice", "files": 1, "not_in_rule": 1},
            ],
        }
    ]
    assert document["files"][1] == {
        "path": "k8s/prod/b.yaml",
        "environment": "prod",
        "ruled": True,
        "needed_groups": 1,
        "groups": [[prod, dev]],
        "beyond_rule": [dev],
        "missing": [],
    }


def test_an_environment_without_files_is_an_error_that_lists_the_others(repository: Repository) -> None:
    ended = repository.sealpy("who", "qa", keys=())
    assert (ended.code, ended.out) == (100, "")
    assert ended.err == (
        "sealpy: qa: no such file, and no environment with encrypted files\n"
        "sealpy: hint: the environments with encrypted files are dev, prod\n"
    )


def test_key_groups_are_told(repository: Repository) -> None:
    prod, dev = repository.recipient("prod"), repository.recipient("dev")
    repository.plain.write(
        ".sops.yaml", f"creation_rules:\n  - key_groups:\n      - age: [{prod}]\n      - age: [{dev}]\n"
    )
    repository.plain.write("k8s/qa/a.yaml", SECRET.format(name="db", password="hunter2"))
    repository.sops("encrypt", "-i", "k8s/qa/a.yaml")
    for place, title in (("qa", "qa  1 encrypted file"), ("k8s/qa/a.yaml", "k8s/qa/a.yaml")):
        ended = repository.sealpy("who", place, keys=())
        assert ended.out.startswith(f"{title}\n  2 of 2 key groups together open it\n")
    repository.plain.write("k8s/qa/b.yaml", repository.plain.read("k8s/qa/a.yaml"))
    assert "\n  2 of 2 key groups together open each of them\n" in repository.sealpy("who", "qa", keys=()).out
    repository.plain.write("k8s/qa/c.yaml", repository.plain.read("k8s/prod/a.yaml"))
    assert "\n  2 of 2 key groups together open some of them\n" in repository.sealpy("who", "qa", keys=()).out
    assert repository.sealpy("who", "k8s/qa/a.yaml", keys=()).out == (
        "k8s/qa/a.yaml\n  2 of 2 key groups together open it\n"
        f"  {called(repository, 'cluster', 'prod')}\n  {called(repository, 'alice', 'dev')}\n"
    )


def test_a_name_from_a_file_cannot_act_on_a_terminal(repository: Repository) -> None:
    dev = repository.recipient("dev")
    repository.replace("k8s/dev/a.yaml", f"recipient: {dev}", 'recipient: "age1\\e[2J"')
    for words in (("who",), ("who", "--json")):
        out = repository.sealpy(*words, keys=()).out
        assert "[2J" in out
        assert "\x1b" not in out


def test_without_an_encrypted_file_that_is_said(repository: Repository) -> None:
    assert repository.sealpy("who", "k8s/prod/kustomization.yaml", keys=()).out == "no encrypted file\n"
