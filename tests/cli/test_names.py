"""Who is meant by a recipient is said by name, wherever one is printed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.repository import SECRET, Repository
from tests.conftest import AgeKey

PATH = "k8s/prod/secrets.yaml"


@pytest.fixture
def repository(
    tmp_path: Path, home: Path, tool: Callable[[str], str], age_key: AgeKey, other_key: AgeKey
) -> Repository:
    """Return a repository in which the cluster and alice have names."""
    keys = {"prod": tuple(age_key), "dev": tuple(other_key)}
    made = Repository(tmp_path / "repository", home, tool("sops"), keys)
    made.plain.write(".sops.yaml", f"creation_rules:\n  - age: {made.recipient('prod')}\n")
    names = f"recipients:\n  cluster: {made.recipient('prod')}\n  alice: {made.recipient('dev')}\n"
    made.plain.write(".sealpy.yaml", names)
    made.add(PATH, SECRET.format(name="db", password="hunter2"))
    made.commit()
    return made


def called(repository: Repository, name: str, key: str) -> str:
    recipient = repository.recipient(key)
    return f"{name} ({recipient[:6]}…{recipient[-2:]})"


def test_whoever_cannot_open_a_file_reads_who_can(repository: Repository) -> None:
    ended = repository.sealpy("decrypt", PATH, keys=())
    assert ended.code == 128
    assert f"no key here opens it: it is sealed for {called(repository, 'cluster', 'prod')}; " in ended.err


def test_updatekeys_shows_who_comes_and_who_goes(repository: Repository) -> None:
    repository.plain.write(".sops.yaml", f"creation_rules:\n  - age: {repository.recipient('dev')}\n")
    ended = repository.sealpy("updatekeys", "--yes", PATH)
    assert ended.code == 0
    assert f"sealpy:   +++ {called(repository, 'alice', 'dev')}\n" in ended.err
    assert f"sealpy:   --- {called(repository, 'cluster', 'prod')}\n" in ended.err


def test_a_review_shows_who_was_added(repository: Repository) -> None:
    repository.sops("rotate", "-i", "--add-age", repository.recipient("dev"), PATH)
    assert f"+ recipient {called(repository, 'alice', 'dev')}\n" in repository.diff().out


def test_a_review_says_by_name_whom_to_ask(repository: Repository) -> None:
    repository.set(PATH, '["stringData"]["PASSWORD"]', "other")
    assert f"who has one: {called(repository, 'cluster', 'prod')}\n" in repository.diff(keys=()).out


def test_a_change_does_not_choose_the_names_its_reviewer_reads(repository: Repository) -> None:
    repository.branch("change")
    repository.sops("rotate", "-i", "--add-age", repository.recipient("dev"), PATH)
    repository.plain.write(".sealpy.yaml", f"recipients:\n  cluster: {repository.recipient('dev')}\n")
    repository.commit()
    assert f"+ recipient {called(repository, 'alice', 'dev')}\n" in repository.diff("change").out


def test_names_that_cannot_be_read_stop_nothing(repository: Repository) -> None:
    repository.plain.write(".sealpy.yaml", "recipients: [\n")
    ended = repository.sealpy("decrypt", PATH, keys=())
    assert ended.code == 128
    assert f"it is sealed for {repository.recipient('prod')}; " in ended.err


def test_under_the_name_of_sops_there_are_no_names(repository: Repository) -> None:
    from tests.cli.process import Program

    ended = Program(repository.folder, repository.home, {})("decrypt", PATH, name="sops")
    assert "cluster" not in ended.err
    assert repository.recipient("prod") in ended.err
