"""``sealpy reconcile`` as a process."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.process import SEALPY, Program
from tests.conftest import AgeKey

SECRET = """\
apiVersion: v1
kind: Secret
metadata:
  name: db
  namespace: prod
stringData:
  DB_PASSWORD: hunter2
  DB_URL: postgres://db
"""


@pytest.fixture
def repository(sealpy: Program) -> Program:
    """Return sealpy in a repository with one sealed Secret on main."""
    sealpy.git("init", "-q")
    sealpy.write("k8s/prod/secrets.yaml", SECRET)
    assert sealpy("encrypt", "-i", "k8s/prod/secrets.yaml").code == 0
    _commit(sealpy)
    return sealpy


def _commit(program: Program) -> None:
    program.git("add", "-A")
    program.git("commit", "-q", "-m", "x")


def _words(program: Program, *more: str) -> list[str]:
    target = program.folder.parent / "target"
    return ["reconcile", "--source", ".", "--ref", "main", "--path", "k8s/prod", "--to", str(target), *more]


def _target(program: Program) -> Path:
    return program.folder.parent / "target" / "prod" / "secrets" / "db"


def test_a_branch_becomes_files(repository: Program) -> None:
    ended = repository(*_words(repository, "--once"))

    assert (ended.code, ended.out) == (0, "")
    assert "sealpy: created Secret prod/db from k8s/prod/secrets.yaml: +DB_PASSWORD, +DB_URL\n" in ended.err
    assert (_target(repository) / "DB_PASSWORD").read_text() == "hunter2"
    assert "hunter2" not in ended.err


def test_one_document_a_round_goes_to_stdout(repository: Program) -> None:
    ended = repository(*_words(repository, "--once", "--json"))

    document = json.loads(ended.out)
    assert document["schema"] == "sealpy.reconcile/1"
    assert [action["action"] for action in document["actions"]] == ["create"]
    assert document["source"] == str(repository.folder.resolve())


def test_a_wrong_mac_ends_with_51_and_leaves_what_runs(repository: Program) -> None:
    assert repository(*_words(repository, "--once")).code == 0
    sealed = repository.read("k8s/prod/secrets.yaml")
    repository.write("k8s/prod/secrets.yaml", sealed.replace("namespace: prod", "namespace: dev"))
    _commit(repository)

    ended = repository(*_words(repository, "--once"))

    assert ended.code == 51
    assert (_target(repository) / "DB_PASSWORD").read_text() == "hunter2"
    assert "k8s/prod/secrets.yaml" in ended.err
    assert "Secret prod/db stays as it is" in ended.err


def test_without_a_key_it_ends_with_128(repository: Program, other_key: AgeKey) -> None:
    ended = repository(*_words(repository, "--once"), env={"SOPS_AGE_KEY_FILE": "", "SOPS_AGE_KEY": other_key.identity})

    assert ended.code == 128
    assert other_key.recipient in ended.err
    assert not _target(repository).exists()


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (("--ref", "mian"), "there is no branch mian"),
        (("--path", "k8s/prd"), "there is no folder k8s/prd on main"),
        (("--source", "https://user:pass@example.com/x"), "password"),
        (("--interval", "soon"), "write it like 30s"),
        (("--interval", "0s"), "write it like 30s"),
    ],
)
def test_what_cannot_be_done_is_said_on_one_line(repository: Program, change: tuple[str, str], part: str) -> None:
    ended = repository(*_words(repository, "--once"), *change)

    assert ended.code != 0
    assert any(line.startswith("sealpy: ") and part in line for line in ended.err.splitlines())
    assert "Traceback" not in ended.err


def test_a_dry_run_writes_nothing(repository: Program) -> None:
    ended = repository(*_words(repository, "--dry-run"))

    assert ended.code == 0
    assert "would create Secret prod/db" in ended.err
    assert not _target(repository).exists()


def test_the_help_names_every_option(run: Program) -> None:
    ended = run("reconcile", "--help")

    assert ended.code == 0
    for option in ("source", "ref", "path", "to", "interval", "once", "dry-run", "allow-prune", "json"):
        assert f"--{option}" in ended.out


def _start(program: Program, *more: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", SEALPY.format(name="sealpy"), *_words(program, *more)]
    return subprocess.Popen(
        command, cwd=program.folder, env=program.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def _wait_for(path: Path, text: str) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            if path.read_text() == text:
                return
        except OSError:
            pass
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(repository: Program, number: signal.Signals, tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    repository.env["TMPDIR"] = str(temporary)
    words = ("--source", f"file://{repository.folder}", "--interval", "30s")
    with _start(repository, *words) as process:
        _wait_for(_target(repository) / "DB_PASSWORD", "hunter2")
        assert len(list(temporary.iterdir())) == 1
        process.send_signal(number)
        _, err = process.communicate(timeout=20)

    assert process.returncode == 0
    assert "Traceback" not in err
    assert list(temporary.iterdir()) == []


def test_killed_at_any_time_it_serves_one_version_and_the_next_run_tidies_up(repository: Program) -> None:
    keys = [f"KEY_{number}" for number in range(40)]
    versions = ("one", "two")
    for version in versions:
        lines = "".join(f"  {key}: {version}\n" for key in keys)
        repository.write("k8s/prod/secrets.yaml", SECRET.partition("  DB_PASSWORD")[0] + lines)
        assert repository("encrypt", "-i", "k8s/prod/secrets.yaml").code == 0
        _commit(repository)
        if version == "one":
            assert repository(*_words(repository, "--once")).code == 0
    target = _target(repository)
    parent = target.parent

    # The moment in which it is killed is moved through the moment in which it writes.
    delay = 0.0
    seen = set()
    while delay < 3:
        with _start(repository, "--once") as process:
            deadline = time.monotonic() + 20
            while process.poll() is None and len(os.listdir(target)) == len(keys) + 2:
                assert time.monotonic() < deadline
            time.sleep(delay)
            process.kill()
            process.communicate(timeout=20)
        content = target / os.readlink(target / "..data")
        found = {(content / key).read_text() for key in os.listdir(content)}
        assert len(found) == 1
        seen |= found
        if process.returncode == 0:
            break
        delay += 0.006 + delay / 3
    assert repository(*_words(repository, "--once")).code == 0

    assert seen <= set(versions)
    assert {(target / key).read_text() for key in keys} == {"two"}
    assert sorted(os.listdir(target)) == sorted([*keys, "..data", os.readlink(target / "..data")])
    assert os.listdir(parent) == ["db"]
