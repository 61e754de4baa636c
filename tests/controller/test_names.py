"""Recipients are told by the names that the source has for them; names stop nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import AgeKey
from tests.controller.conftest import Place, secret

FILE = "k8s/prod/db.yaml"


@pytest.fixture
def locked(place: Place, other_key: AgeKey) -> Place:
    """Return a place whose Secret is sealed for a key that is not here."""
    place.commit({FILE: place.seal(secret("db", password="hunter2"), other_key)})
    return place


def names(place: Place, other_key: AgeKey, cluster: str = "cluster") -> str:
    return f"recipients:\n  {cluster}: {other_key.recipient}\n  mine: {place.key.recipient}\n"


def shown(name: str, key: AgeKey) -> str:
    return f"{name} ({key.recipient[:6]}…{key.recipient[-2:]})"


@pytest.mark.parametrize("kind", ["folder", "address"])
def test_a_file_that_does_not_open_is_told_by_name(locked: Place, other_key: AgeKey, kind: str) -> None:
    locked.commit({".sealpy.yaml": names(locked, other_key)})
    source = str(locked.repository) if kind == "folder" else f"file://{locked.repository}"

    ended = locked.reconcile(source=source)

    fault = ended.documents[0]["faults"][0]
    assert (ended.code, fault["reason"], fault["files"]) == (128, "NoMatchingIdentity", [FILE])
    assert fault["message"].startswith(
        f"no key here opens it: it is sealed for {shown('cluster', other_key)}; tried {shown('mine', locked.key)} ("
    )
    assert f"sealpy: failed: {FILE}: {fault['message']}\n" in ended.err
    assert other_key.recipient not in ended.err


@pytest.mark.parametrize("path", [".", "k8s", "k8s/prod"])
def test_the_names_nearest_to_the_folder_hold(locked: Place, other_key: AgeKey, path: str) -> None:
    locked.commit(
        {
            ".sealpy.yaml": names(locked, other_key, "far"),
            "k8s/.sealpy.yaml": names(locked, other_key, "near"),
            "k8s/prod/deeper/.sealpy.yaml": names(locked, other_key, "below"),
        }
    )

    assert shown("far" if path == "." else "near", other_key) in locked.reconcile(path=path).err


def test_names_are_those_of_the_commit(locked: Place, other_key: AgeKey) -> None:
    locked.commit({".sealpy.yaml": names(locked, other_key)})
    (locked.repository / ".sealpy.yaml").write_text(names(locked, other_key, "worktree"))

    assert shown("cluster", other_key) in locked.reconcile().err


@pytest.mark.parametrize(
    "text",
    ["recipients: [", "recipients: {x: 1}\nrecipients: 2\n", "\x00", "[" * 50_000, "a: &a [*a]\n", "#" * (2 << 20), ""],
    ids=["no-yaml", "twice", "nul", "deep", "loop", "large", "empty"],
)
def test_names_that_cannot_be_read_stop_nothing(locked: Place, other_key: AgeKey, text: str) -> None:
    good = locked.seal(secret("app", token="t0k3n"))
    locked.commit({".sealpy.yaml": text, "k8s/app.yaml": good})

    ended = locked.reconcile()

    assert ended.reasons == ["NoMatchingIdentity"]
    assert f"it is sealed for {other_key.recipient}; tried {locked.key.recipient} (" in ended.err
    assert locked.read("prod/secrets/app/token") == "t0k3n"


def test_names_that_are_no_file_stop_nothing(locked: Place, other_key: AgeKey, tmp_path: Path) -> None:
    (tmp_path / "names").write_text(names(locked, other_key))
    os.symlink(tmp_path / "names", locked.repository / ".sealpy.yaml")
    locked.commit({"k8s/.sealpy.yaml/x": "a folder"})

    assert f"it is sealed for {other_key.recipient};" in locked.reconcile().err


def test_a_name_cannot_act_on_a_terminal(locked: Place, other_key: AgeKey) -> None:
    locked.commit({".sealpy.yaml": f'recipients: {{"\\e[31m": {other_key.recipient}}}\n'})

    ended = locked.reconcile()

    assert "\x1b" not in ended.err
    assert f"it is sealed for {other_key.recipient};" in ended.err


def test_without_names_recipients_are_told_as_they_are(locked: Place, other_key: AgeKey) -> None:
    assert f"it is sealed for {other_key.recipient}; tried {locked.key.recipient} (" in locked.reconcile().err


def test_names_are_read_anew_with_a_new_commit(locked: Place, other_key: AgeKey) -> None:
    locked.commit({".sealpy.yaml": names(locked, other_key, "old")})
    assert shown("old", other_key) in locked.reconcile().err
    locked.commit({".sealpy.yaml": names(locked, other_key, "new")})

    ended = locked.reconcile()

    assert shown("new", other_key) in ended.err
    assert "old (" not in ended.err


def test_the_program_says_them_too(locked: Place, other_key: AgeKey, tmp_path: Path) -> None:
    locked.commit({".sealpy.yaml": names(locked, other_key)})
    command = "import sys; from sealpy_cli.main import main; sys.argv[0] = 'sealpy'; sys.exit(main())"
    words = ["reconcile", "--source", locked.repository, "--ref", "main", "--path", "k8s", "--to", tmp_path / "to"]

    ended = subprocess.run(
        [sys.executable, "-c", command, *map(str, words), "--once"],
        env=locked.environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.returncode == 128
    assert f"it is sealed for {shown('cluster', other_key)}; tried {shown('mine', locked.key)}" in ended.stderr
