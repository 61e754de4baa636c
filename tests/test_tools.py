"""The real programs that other tests lean on are the pinned ones, and tests see nothing of the developer's."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import AgeKey

CLEAR = "# before\nport: 5432\nhosts:\n    - a\n    - 1.50\n"


def run(*command: str, text: str = "", **environment: str) -> str:
    done = subprocess.run(
        command, input=text, env=os.environ | environment, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout


def test_sops_is_the_version_that_sealpy_follows(tool: Callable[[str], str]) -> None:
    assert run(tool("sops"), "--disable-version-check", "--version").splitlines()[0] == "sops 3.13.3"


def test_age_is_the_pinned_version(tool: Callable[[str], str]) -> None:
    assert run(tool("age"), "--version").strip() == "v1.3.2"


def test_kustomize_is_the_pinned_version(tool: Callable[[str], str]) -> None:
    assert run(tool("kustomize"), "version").strip() == "v5.7.1"


def test_etcd_is_the_pinned_version(tool: Callable[[str], str]) -> None:
    assert run(tool("etcd"), "--version").splitlines()[0] == "etcd Version: 3.6.5"


@pytest.mark.parametrize(
    ("program", "module"),
    [
        ("kube-apiserver", b"\tk8s.io/kubernetes\tv1.34.4\t"),
        ("kube-apiserver", b"\tk8s.io/apiserver\tv0.34.4\t"),
        ("kustomize-controller", b"\tgithub.com/fluxcd/kustomize-controller\tv1.7.3\t"),
        ("kustomize-controller", b"\tsigs.k8s.io/kustomize/api\tv0.20.1\t"),
    ],
)
def test_what_does_not_say_its_version_is_built_from_the_pinned_one(
    tool: Callable[[str], str], program: str, module: bytes
) -> None:
    assert module in Path(tool(program)).read_bytes()


def test_gosops_prints_the_tree_that_sops_sees(tool: Callable[[str], str]) -> None:
    assert json.loads(run(tool("gosops"), "tree", "yaml", text=CLEAR)) == [
        {
            "type": "map",
            "items": [
                {"node": {"type": "comment", "value": " before"}},
                {"key": "port", "node": {"type": "int", "value": "5432"}},
                {
                    "key": "hosts",
                    "node": {
                        "type": "list",
                        "items": [
                            {"node": {"type": "str", "value": "a"}},
                            {"node": {"type": "float", "value": "1.5"}},
                        ],
                    },
                },
            ],
        }
    ]


def test_gosops_opens_what_sops_sealed(tool: Callable[[str], str], age_key: AgeKey) -> None:
    command = (tool("sops"), "encrypt", "--age", age_key.recipient, "--filename-override", "x.yaml")
    sealed = run(*command, text=CLEAR)

    opened = run(tool("gosops"), "decrypt-json", "yaml", text=sealed, SOPS_AGE_KEY=age_key.identity)

    assert "5432" not in sealed
    assert json.loads(opened) == json.loads(run(tool("gosops"), "tree", "yaml", text=CLEAR))


def test_the_environment_holds_no_key_or_setting_of_the_developer() -> None:
    expected = {"GIT_CONFIG_NOSYSTEM", "GIT_CONFIG_GLOBAL"}

    assert {name for name in os.environ if name.startswith(("SOPS_", "SEALPY_", "GIT_CONFIG", "GNUPG"))} == expected
    assert not os.listdir(os.environ["HOME"])
