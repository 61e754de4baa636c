"""The demo, run whole: what it claims must be what its reviewers see and what its programs read."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import places

OLD, NEW = "prod-correct-horse-battery", "prod-new-horse-new-battery"


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """Run the demo in a copy of its own; return its folder, and what it printed, step by step."""
    top = tmp_path_factory.mktemp("demo")
    shutil.copytree(places.ROOT / "examples", top / "examples")
    ended = subprocess.run(
        [sys.executable, "examples/demo.py"],
        cwd=top,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return top / "demo", ended.stdout.split("\n— ")[1:]


def step(story: tuple[Path, list[str]], words: str) -> str:
    """Return what a step printed; ``words`` are in its first line."""
    (found,) = [text for text in story[1] if words in text.partition("\n")[0]]
    return found


def test_every_step_begins_with_one_plain_line(story: tuple[Path, list[str]]) -> None:
    assert len(story[1]) > 8
    for text in story[1]:
        assert re.match(r"[A-Z…].*[.…]\n", text)


def test_what_is_committed_is_sealed(story: tuple[Path, list[str]]) -> None:
    repository = story[0] / "repository"
    history = subprocess.run(
        ["git", "-C", str(repository), "log", "--all", "--patch"], capture_output=True, text=True, check=True
    ).stdout

    assert "ENC[AES256_GCM," in history
    for value in ("correct-horse", "new-horse", "partner-prod.example.com"):
        assert value not in history


def test_a_reviewer_with_the_prod_key_sees_the_values(story: tuple[Path, list[str]]) -> None:
    seen = step(story, "with the prod key sees")

    assert f'~ stringData.DB_PASSWORD  "{OLD}" → "{NEW}"' in seen
    assert "stringData.SMTP_PASSWORD → stringData.MAIL_PASSWORD  renamed, value unchanged" in seen
    assert re.search(r"\+ recipient age1\w{58}\n", seen)


@pytest.mark.parametrize("who", ["with the dev key", "Without any key"])
def test_a_reviewer_without_the_prod_key_sees_the_structure_alone(story: tuple[Path, list[str]], who: str) -> None:
    seen = step(story, who)

    assert "horse" not in seen
    assert "stringData.DB_PASSWORD" in seen
    assert re.search(r"\+ recipient age1\w{58}\n", seen)
    assert re.search(r"no key here opens it; who has one: .* age1\w{58}", seen)


def test_the_merged_secret_runs_and_is_put_back(story: tuple[Path, list[str]]) -> None:
    assert "created Secret shop/service1-db" in step(story, "turns the branch into running secrets")
    assert "put back Secret shop/service1-db: DB_PASSWORD was changed" in step(story, "puts it back")
    running = story[0] / "running" / "shop" / "secrets" / "service1-db" / "DB_PASSWORD"
    assert running.read_text() == NEW
    assert running.resolve().stat().st_mode & 0o777 == 0o600


def test_the_environments_of_others_are_not_served(story: tuple[Path, list[str]]) -> None:
    served = [path.read_text() for path in (story[0] / "running" / "shop").rglob("*") if path.is_file()]

    assert len(served) > 5
    assert not any("dev-" in text or "qa-" in text for text in served)
