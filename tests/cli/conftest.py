"""Programs to run: sealpy without a key, and with one."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.process import Program
from tests.cli.team import Team, Tool
from tests.conftest import AgeKey, make_age_key

Run = Program
"""What the fixture ``run`` gives."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return an empty home folder."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def run(tmp_path: Path, home: Path) -> Program:
    """Return sealpy in an empty folder, without any key."""
    folder = tmp_path / "work"
    folder.mkdir()
    return Program(folder, home, {})


@pytest.fixture
def sealpy(run: Program, home: Path, age_key: AgeKey) -> Program:
    """Return sealpy in an empty folder, with a key and a rule that names it."""
    key_file = home / "keys.txt"
    key_file.write_text(f"{age_key.identity}\n")
    run.write(".sops.yaml", f"creation_rules:\n  - age: {age_key.recipient}\n")
    return Program(run.folder, home, {"SOPS_AGE_KEY_FILE": str(key_file)})


@pytest.fixture(scope="session")
def other_key(tool: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> AgeKey:
    """Make a key that opens nothing of the others'."""
    return make_age_key(tool, tmp_path_factory.mktemp("other") / "key.txt")


@pytest.fixture
def team(tmp_path: Path, tool: Tool) -> Team:
    """Return a team at the beginning of its repository."""
    made = Team(tmp_path, tool)
    made.begin()
    return made
