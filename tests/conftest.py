"""What every test stands on: a clean environment, the real programs, and throw-away keys."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest

from tests import places
from tests.seed import SEED, VARIABLE

pytest_plugins = ["tests.cluster.apiserver", "tests.cluster.flux"]

KEPT = re.compile(
    r"PATH|LANG|LC_.*|TZ|TMPDIR|PYTHON.*|PYTEST_.*|HYPOTHESIS_.*|COV_.*|LD_LIBRARY_PATH|VIRTUAL_ENV|SSL_CERT_.*"
)
"""Everything else goes: no test may find a developer's keys, cloud credentials, editor or git settings."""


def pytest_report_header() -> str:
    """Say how to draw the same random documents again."""
    return f"random documents: {VARIABLE}={SEED}"


class AgeKey(NamedTuple):
    """A pair made by the real age-keygen."""

    identity: str
    recipient: str


def make_age_key(tool: Callable[[str], str], path: Path) -> AgeKey:
    """Make a pair and leave it in a file, as age-keygen writes it."""
    subprocess.run([tool("age-keygen"), "-o", str(path)], capture_output=True, check=True)
    recipient, identity = path.read_text().splitlines()[1:]
    return AgeKey(identity=identity, recipient=recipient.rpartition(" ")[2])


GIT_CONFIG = """\
[user]
    name = Test
    email = test@example.com
[init]
    defaultBranch = main
"""


@pytest.fixture(scope="session", autouse=True)
def _clean_session(tmp_path_factory: pytest.TempPathFactory) -> None:
    for name in set(os.environ):
        if not KEPT.fullmatch(name):
            del os.environ[name]
    git_config = tmp_path_factory.mktemp("git") / "config"
    git_config.write_text(GIT_CONFIG)
    os.environ |= {
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": str(git_config),
        "GIT_TERMINAL_PROMPT": "0",
    }


@pytest.fixture(scope="session")
def _homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    base = tmp_path_factory.mktemp("homes", numbered=False)
    return (base / str(number) for number in count())


@pytest.fixture(autouse=True)
def _clean_environment(_clean_session: None, _homes: Iterator[Path]) -> Iterator[None]:
    """Give each test a home of its own, and undo what it does to the environment."""
    before = dict(os.environ)
    home = next(_homes)
    home.mkdir(mode=0o700)
    os.environ |= {"HOME": str(home), "XDG_CONFIG_HOME": f"{home}/.config", "XDG_CACHE_HOME": f"{home}/.cache"}
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def tool() -> Callable[[str], str]:
    """Return a function from a real program's name (sops, age, age-keygen, kustomize, gosops, …) to its path."""
    command = [sys.executable, str(places.ROOT / "tests" / "tools" / "build")]
    built = subprocess.run(command, env=places.ENVIRONMENT, capture_output=True, text=True, check=False)
    if built.returncode == places.NO_GO and not places.IN_CI:
        pytest.skip("the real programs cannot be built: there is no Go here, and it could not be installed")
    if built.returncode:
        pytest.fail(f"tests/tools/build failed:\n{built.stderr}", pytrace=False)
    folder = Path(built.stdout.splitlines()[-1])

    def locate(name: str) -> str:
        path = folder / name
        assert path.exists(), f"tests/tools builds no {name}"
        return str(path)

    return locate


@pytest.fixture(scope="session")
def age_key(tool: Callable[[str], str]) -> AgeKey:
    """Make a key that nothing else uses."""
    made = subprocess.run([tool("age-keygen")], capture_output=True, text=True, check=True)
    found = re.search(r"public key: (age1\S+)\n(AGE-SECRET-KEY-1\S+)", made.stdout)
    assert found
    return AgeKey(identity=found[2], recipient=found[1])


@pytest.fixture(scope="session")
def vectors() -> Path:
    """Return the folder of files made by the real sops."""
    folder = places.vectors()
    if folder is None and not places.IN_CI:
        pytest.skip("no vectors here: set SEALPY_VECTORS to their folder")
    assert folder, "no vectors: set SEALPY_VECTORS to their folder"
    return folder
