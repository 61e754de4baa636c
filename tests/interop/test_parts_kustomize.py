"""Each form of a part in the hands of the real kustomize and the real sops, which opens files before or after."""

import base64
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.process import Program
from tests.conftest import AgeKey

SECRET = """\
apiVersion: v1
kind: Secret
metadata:
  name: web
  namespace: shop
stringData:
  DB_USER: shop
  DB_PASSWORD: correct-horse
data:
  TLS: YWJj
"""
PART = "secrets.d/STRIPE_KEY.yaml"


class Folder:
    """One folder with a sealed Secret and a kustomization; ``add`` has no key."""

    def __init__(self, program: Program, tool: Callable[[str], str], key: AgeKey) -> None:
        self.program = program
        self._tool = tool
        self._env = {"PATH": os.environ["PATH"], "HOME": os.devnull, "SOPS_AGE_KEY": key.identity}
        program.write(
            ".sops.yaml",
            f"creation_rules:\n  - path_regex: \\.env$\n    age: {key.recipient}\n"
            f"  - age: {key.recipient}\n    encrypted_regex: ^(data|stringData|binaryData)$\n",
        )
        program.write("secrets.yaml", SECRET)
        program.write("kustomization.yaml", "resources:\n  - secrets.yaml\n")
        assert program("encrypt", "-i", "secrets.yaml").code == 0

    def add(self, *words: str, value: str) -> None:
        ended = self.program("add", *words, "--value-stdin", stdin=value)
        assert ended.code == 0, ended.err

    def sops(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [self._tool("sops"), *words],
            cwd=self.program.folder,
            env=self._env,
            capture_output=True,
            text=True,
            check=False,
        )

    def open(self, name: str) -> None:
        """Decrypt a file in its place, as programs do that open all before they build."""
        done = self.sops("decrypt", "-i", name)
        assert done.returncode == 0, done.stderr

    def build(self) -> list[dict[str, Any]]:
        done = subprocess.run(
            [self._tool("kustomize"), "build", "."],
            cwd=self.program.folder,
            env=self._env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return [document for document in yaml.safe_load_all(done.stdout) if document]

    def open_built(self, built: dict[str, Any]) -> dict[str, Any]:
        """Decrypt an object that came out of kustomize, which may have moved its keys, and so the MAC does not fit."""
        self.program.write("built.yaml", yaml.safe_dump(built, sort_keys=False))
        done = self.sops("decrypt", "--ignore-mac", "built.yaml")
        assert done.returncode == 0, done.stderr
        return yaml.safe_load(done.stdout)


@pytest.fixture
def folder(tmp_path: Path, tool: Callable[[str], str], age_key: AgeKey) -> Folder:
    """Return a folder, and people without a key who add to it."""
    for name in ("home", "work"):
        (tmp_path / name).mkdir()
    return Folder(Program(tmp_path / "work", tmp_path / "home", {}), tool, age_key)


def test_where_all_is_opened_before_kustomize_the_patch_is_merged(folder: Folder) -> None:
    folder.add("secrets.yaml", "STRIPE_KEY", "--kustomize", value="sk_live_1")
    folder.add("secrets.yaml", "DB_PASSWORD", "--kustomize", value="battery-staple")
    folder.add("secrets.yaml", "TLS", "--kustomize", value="xyz")
    for name in ("secrets.yaml", PART, "secrets.d/DB_PASSWORD.yaml", "secrets.d/TLS.yaml"):
        folder.open(name)

    (built,) = folder.build()

    assert built["stringData"] == {"DB_USER": "shop", "DB_PASSWORD": "battery-staple", "STRIPE_KEY": "sk_live_1"}
    assert built["data"] == {"TLS": "eHl6"}


def test_where_the_file_is_a_patch_itself_its_parts_are_merged_too(folder: Folder) -> None:
    folder.program.write(
        "kustomization.yaml",
        "secretGenerator:\n  - name: web\n    namespace: shop\n    options:\n      disableNameSuffixHash: true\n"
        "patches:\n  - path: secrets.yaml\n",
    )
    folder.add("secrets.yaml", "DB_PASSWORD", "--kustomize", value="battery-staple")
    for name in ("secrets.yaml", "secrets.d/DB_PASSWORD.yaml"):
        folder.open(name)

    (built,) = folder.build()

    assert built["stringData"] == {"DB_USER": "shop", "DB_PASSWORD": "battery-staple"}
    assert built["data"] == {"TLS": "YWJj"}


def test_a_secret_of_its_own_is_one_more(folder: Folder) -> None:
    folder.add("secrets.yaml", "STRIPE_KEY", "--as-secret", "stripe", value="sk_live_1")

    web, stripe = sorted(folder.build(), key=lambda built: built["metadata"]["name"], reverse=True)

    assert folder.open_built(stripe)["stringData"] == {"STRIPE_KEY": "sk_live_1"}
    assert folder.open_built(web)["stringData"]["DB_USER"] == "shop"
    assert stripe["metadata"] == {"name": "stripe", "namespace": "shop"}


def test_an_env_file_for_a_generator_is_read(folder: Folder) -> None:
    folder.add("--env-file", "app.env", "TOKEN", value="t0ken")
    assert "t0ken" not in folder.program.read("app.env")
    folder.program.write(
        "kustomization.yaml",
        "resources: [secrets.yaml]\nsecretGenerator:\n  - name: app\n    namespace: shop\n    envs: [app.env]\n",
    )
    folder.open("app.env")

    built = {one["metadata"]["name"].partition("-")[0]: one for one in folder.build()}

    assert base64.b64decode(built["app"]["data"]["TOKEN"]) == b"t0ken"


def test_a_part_that_the_kustomization_does_not_name_changes_nothing(folder: Folder) -> None:
    before = folder.build()
    folder.add("secrets.yaml", "STRIPE_KEY", value="sk_live_1")

    assert folder.build() == before


def test_after_a_fold_everything_builds_as_before(folder: Folder, age_key: AgeKey) -> None:
    folder.add("secrets.yaml", "STRIPE_KEY", "--kustomize", value="sk_live_1")
    ended = folder.program("fold", "secrets.yaml", env={"SOPS_AGE_KEY": age_key.identity})
    assert ended.code == 0, ended.err

    (built,) = folder.build()

    assert folder.open_built(built)["stringData"] == {
        "DB_USER": "shop",
        "DB_PASSWORD": "correct-horse",
        "STRIPE_KEY": "sk_live_1",
    }
