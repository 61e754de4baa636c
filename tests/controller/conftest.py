"""A repository to reconcile from, a folder to reconcile to, and one round after another."""

import io
import json
import os
import subprocess
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sealpy import operations, registry
from sealpy.identities import Identities
from sealpy.keyring import Keyring
from sealpy.selection import KUBERNETES
from sealpy_controller.run import Settings, Stop, run
from tests.conftest import AgeKey

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def secret(name: str, namespace: str = "prod", kind: str = "Secret", **values: str) -> str:
    """Return a manifest in clear."""
    field = "stringData" if kind == "Secret" else "data"
    lines = [
        "apiVersion: v1",
        f"kind: {kind}",
        "metadata:",
        f"  name: {name}",
        f"  namespace: {namespace}",
        f"{field}:",
    ]
    return "\n".join([*lines, *(f"  {key}: {value}" for key, value in values.items())]) + "\n"


def config_map(name: str, namespace: str = "prod", **values: str) -> str:
    """Return a manifest in clear."""
    return secret(name, namespace, "ConfigMap", **values)


def keyring(*identities: str) -> Keyring:
    """Return a key ring of just these identities."""
    return Keyring(registry.backends(Identities({"SOPS_AGE_KEY": "\n".join(identities)}, home=os.devnull)))


class Ended(NamedTuple):
    """How a run ended."""

    code: int
    err: str
    documents: list[dict[str, Any]]

    @property
    def actions(self) -> list[tuple[str, str]]:
        """What the last round did, as (verb, name)."""
        return [(action["action"], action["name"]) for action in self.documents[-1]["actions"]]

    @property
    def reasons(self) -> list[str]:
        """Why the last round did not converge."""
        return [fault["reason"] for fault in self.documents[-1]["faults"]]


class Place:
    """A repository with a branch ``main``, a key, and a folder that it is reconciled to."""

    def __init__(self, folder: Path, key: AgeKey) -> None:
        self.folder = folder
        self.key = key
        self.repository = folder / "repository"
        self.target = folder / "target"
        self.environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "SOPS_AGE_KEY": key.identity}
        self.repository.mkdir()
        self.git("init", "-q")

    def git(self, *words: str) -> str:
        """Run git in the repository."""
        done = subprocess.run(["git", *words], cwd=self.repository, capture_output=True, check=True, timeout=60)
        return done.stdout.decode()

    def seal(self, text: str, key: AgeKey | None = None) -> str:
        """Seal a manifest as ``sealpy encrypt`` does."""
        plan = operations.Plan([[("age", (key or self.key).recipient)]], KUBERNETES)
        return operations.encrypt(text.encode(), registry.format_named("yaml"), plan, keyring(), now=NOW).decode()

    def commit(self, files: Mapping[str, str | None]) -> str:
        """Write files, or remove those that are None, commit, and return the commit's id."""
        for name, content in files.items():
            path = self.repository / name
            if content is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "x")
        return self.git("rev-parse", "HEAD").strip()

    def settings(self, **changed: Any) -> Settings:
        """Return what to do by default: one round, with documents."""
        settings = Settings(
            source=str(self.repository),
            ref="main",
            path="k8s",
            to=str(self.target),
            interval=0.05,
            once=True,
            dry_run=False,
            allow_prune=False,
            as_json=True,
        )
        return settings._replace(**changed)

    def reconcile(
        self,
        stop: Stop | None = None,
        environ: Mapping[str, str] | None = None,
        err: io.StringIO | None = None,
        **changed: Any,
    ) -> Ended:
        """Reconcile; ``err`` can be watched meanwhile."""
        out, err = io.StringIO(), err or io.StringIO()
        code = run(self.settings(**changed), environ or self.environ, stop or Stop(), out, err)
        return Ended(code, err.getvalue(), [json.loads(line) for line in out.getvalue().splitlines()])

    def read(self, name: str) -> str:
        """Read a served file."""
        return (self.target / name).read_text()

    def served(self) -> dict[str, str]:
        """Return all that is served, by path, as who follows the links of the objects' folders sees it."""
        return {
            str(path.relative_to(self.target)): path.read_text()
            for path in sorted(self.target.glob("*/*/*/*"))
            if not path.name.startswith("..") and not path.is_relative_to(self.target / ".sealpy")
        }


@pytest.fixture
def place(tmp_path: Path, age_key: AgeKey) -> Place:
    """Return a repository and an empty folder."""
    return Place(tmp_path, age_key)


@pytest.fixture(scope="session")
def other_key(tool: Callable[[str], str]) -> AgeKey:
    """Make a key that opens nothing of the others'."""
    made = subprocess.run([tool("age-keygen")], capture_output=True, text=True, check=True).stdout.splitlines()
    return AgeKey(identity=made[2], recipient=made[1].rpartition(" ")[2])
