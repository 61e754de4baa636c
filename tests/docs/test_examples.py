"""The examples of the library, run as their page says."""

import re
import shutil
from pathlib import Path

import pytest

from tests import places
from tests.docs import console

EXAMPLES = places.ROOT / "examples"


def test_the_library_examples_run_as_their_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "library"
    shutil.copytree(EXAMPLES / "library", folder, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    monkeypatch.chdir(folder)

    ran = console.check(folder / "README.md", folder, console.environment(tmp_path / "home"))

    assert ran > 5
    assert "correct-horse-battery" not in (folder / "secrets.yaml").read_text()


def test_no_example_holds_a_private_key() -> None:
    files = [path for path in EXAMPLES.rglob("*") if path.is_file() and "__pycache__" not in path.parts]

    assert len(files) > 20
    for path in files:
        assert not re.search(r"AGE-SECRET-KEY-(PQ-)?1[0-9A-Z]{20}|PRIVATE KEY-----", path.read_text()), path
