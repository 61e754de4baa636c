"""The servers that other tests lean on are real, and do not outlive them."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests import places
from tests.cluster.apiserver import ApiError, ApiServer
from tests.cluster.flux import Flux
from tests.cluster.processes import Server, wait_for

pytestmark = pytest.mark.xdist_group("cluster")


def test_the_api_server_is_of_the_pinned_release(apiserver: ApiServer) -> None:
    version = apiserver.get("/version")

    assert (version["major"], version["minor"]) == ("1", "34")


def test_the_api_server_stores_merges_and_deletes(apiserver: ApiServer) -> None:
    secrets = f"/api/v1/namespaces/{apiserver.namespace()}/secrets"

    apiserver.create(secrets, {"metadata": {"name": "web"}, "stringData": {"USER": "shop"}})
    apiserver.patch(f"{secrets}/web", {"data": {"PASSWORD": "YWJj"}})
    held = apiserver.secret(secrets.split("/")[4], "web")
    apiserver.delete(f"{secrets}/web")

    assert held == {"USER": b"shop", "PASSWORD": b"abc"}
    assert apiserver.find(f"{secrets}/web") is None


def test_the_api_server_validates(apiserver: ApiServer) -> None:
    path = f"/api/v1/namespaces/{apiserver.namespace()}/secrets"

    with pytest.raises(ApiError, match=r"data\[not a key\]") as caught:
        apiserver.create(path, {"metadata": {"name": "web"}, "data": {"not a key": "YWJj"}})

    assert (caught.value.code, caught.value.reason) == (422, "Invalid")


def test_the_api_server_knows_no_other_token(apiserver: ApiServer, tmp_path: Path) -> None:
    stranger = ApiServer(apiserver.url, apiserver.authority, "guessed", tmp_path)

    with pytest.raises(ApiError) as caught:
        stranger.get("/api/v1/namespaces")

    assert caught.value.code == 401


def test_flux_applies_a_folder_prunes_and_says_why_it_cannot(flux: Flux, tmp_path: Path) -> None:
    namespace = flux.apiserver.namespace()
    config_map = tmp_path / "a.yaml"
    config_map.write_text(f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a, namespace: {namespace}}}\n")
    path = f"/api/v1/namespaces/{namespace}/configmaps/a"

    first = flux.reconcile(namespace, tmp_path)
    assert first.succeeded, first
    assert flux.apiserver.find(path) is not None

    config_map.write_text("a: b\n")
    second = flux.reconcile(namespace, tmp_path)
    assert (second.succeeded, second.reason) == (False, "BuildFailed")
    assert "missing Resource metadata" in second.message
    assert flux.apiserver.find(path) is not None

    config_map.rename(tmp_path / "a.txt")
    third = flux.reconcile(namespace, tmp_path)
    assert third.succeeded, third
    assert flux.apiserver.find(path) is None


def test_a_server_that_ends_too_early_is_reported_with_what_it_said(tmp_path: Path) -> None:
    command = ["/bin/sh", "-c", "echo no room; exit 3"]

    with (
        Server(command, tmp_path / "log") as server,
        pytest.raises(AssertionError, match=r"it is up: sh ended with code 3\nsh says:\nno room"),
    ):
        server.wait_for("it is up", lambda: None, 20)


def test_a_server_ends_when_it_is_left(tmp_path: Path) -> None:
    with Server(["/bin/sh", "-c", "echo $$; exec sleep 100"], tmp_path / "log") as server:
        pid = server.wait_for("it runs", lambda: _number(tmp_path / "log"), 20)
        os.kill(pid, 0)

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_server_ends_with_tests_that_are_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    code = (
        "import sys, time; from pathlib import Path; from tests.cluster.processes import Server\n"
        "Server(['/bin/sh', '-c', 'echo $$; exec sleep 100'], Path(sys.argv[1])); time.sleep(100)"
    )
    with subprocess.Popen([sys.executable, "-c", code, log], cwd=places.ROOT) as tests:
        pid = wait_for("it runs", lambda: _number(log), 20)
        assert _runs(pid)
        tests.send_signal(signal.SIGKILL)

    wait_for("it is gone", lambda: not _runs(pid) or None, 20)


def _number(log: Path) -> int | None:
    return int(log.read_text()) if log.exists() and log.read_text().endswith("\n") else None


def _runs(pid: int) -> bool:
    """Whether there is such a process, and not just one that nobody waited for."""
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except FileNotFoundError:
        return False
