"""Programs to run: sealpy without a key, and with one."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.process import Program
from tests.conftest import AgeKey

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
    path = tmp_path_factory.mktemp("other") / "key.txt"
    subprocess.run([tool("age-keygen"), "-o", str(path)], capture_output=True, check=True)
    recipient, identity = path.read_text().splitlines()[1:]
    return AgeKey(identity=identity, recipient=recipient.rpartition(" ")[2])
