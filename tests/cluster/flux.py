"""Flux's real kustomize-controller, against the real API server: one for all tests of a process.

Its source-controller is not run. What that would make is made here: the archive of a folder, served on loopback, and a
GitRepository whose status names it. The definitions of Flux's resources are the least that its controller takes; what
is in an object is the tests' affair.
"""

import hashlib
import io
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.cluster.apiserver import ApiServer, Json
from tests.cluster.processes import Server, wait_for

STARTED_SECONDS = 60
RECONCILED_SECONDS = 60
NAMESPACE = "flux-system"
"""The controller's own."""
KINDS = (
    ("kustomize.toolkit.fluxcd.io", "Kustomization", "kustomizations"),
    ("source.toolkit.fluxcd.io", "GitRepository", "gitrepositories"),
    # Watched, though nothing is of them.
    ("source.toolkit.fluxcd.io", "OCIRepository", "ocirepositories"),
    ("source.toolkit.fluxcd.io", "Bucket", "buckets"),
)
GIT_REPOSITORIES = "/apis/source.toolkit.fluxcd.io/v1/namespaces/{}/gitrepositories"
KUSTOMIZATIONS = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/{}/kustomizations"


class Ready(NamedTuple):
    """What a Kustomization says of the last round."""

    succeeded: bool
    reason: str
    message: str


class Flux:
    """The controller, and folders given to it as if they had been pushed to a git repository."""

    def __init__(self, apiserver: ApiServer, controller: Server, archives: dict[str, bytes], address: str) -> None:
        self.apiserver = apiserver
        self._controller = controller
        self._archives = archives
        self._address = address

    def reconcile(self, namespace: str, folder: Path, age_identity: str = "", name: str = "app") -> Ready:
        """Hand a folder over as the next commit, and return how it went once the controller has been through it.

        Everything is in one namespace. With an identity, Flux decrypts with it.
        """
        data = archive(folder)
        digest = hashlib.sha256(data).hexdigest()
        # A revision that was there before would not be looked at again.
        revision = f"main@sha1:{digest[:38]}{len(self._archives):02x}"
        self._archives[f"/{revision}.tar.gz"] = data
        if age_identity:
            self.apiserver.apply(
                f"/api/v1/namespaces/{namespace}/secrets/sops-age",
                {
                    "apiVersion": "v1",
                    "kind": "Secret",
                    "metadata": {"name": "sops-age"},
                    "stringData": {"test.agekey": age_identity},
                },
            )
        source = f"{GIT_REPOSITORIES.format(namespace)}/{name}"
        self.apiserver.apply(
            source,
            {
                "apiVersion": "source.toolkit.fluxcd.io/v1",
                "kind": "GitRepository",
                "metadata": {"name": name},
                "spec": {"interval": "1h", "url": "https://git.example.com/shop"},
            },
        )
        artifact = {
            "url": f"{self._address}/{revision}.tar.gz",
            "path": f"{revision}.tar.gz",
            "digest": f"sha256:{digest}",
            "revision": revision,
            "lastUpdateTime": "2026-01-01T00:00:00Z",
            "size": len(data),
        }
        self.apiserver.patch(f"{source}/status", {"status": {"artifact": artifact}})
        place = f"{KUSTOMIZATIONS.format(namespace)}/{name}"
        self.apiserver.apply(
            place,
            {
                "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
                "kind": "Kustomization",
                "metadata": {"name": name},
                "spec": {
                    "interval": "1h",
                    "path": "./",
                    "prune": True,
                    "sourceRef": {"kind": "GitRepository", "name": name},
                    **({"decryption": {"provider": "sops", "secretRef": {"name": "sops-age"}}} if age_identity else {}),
                },
            },
        )
        return self._controller.wait_for(
            f"Flux is through {namespace}/{name}",
            lambda: _ready(self.apiserver.get(place), revision),
            RECONCILED_SECONDS,
        )


def archive(folder: Path) -> bytes:
    """Pack a folder, without what source-controller leaves out: names such as .git and .sops.yaml."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as tar:
        for path in sorted(folder.iterdir()):
            if not path.name.startswith("."):
                tar.add(path, path.name)
    return data.getvalue()


def _ready(kustomization: Json, revision: str) -> Ready | None:
    """Return the condition if it is about this generation and this revision, and final."""
    status = kustomization.get("status", {})
    if status.get("lastAttemptedRevision") != revision:
        return None
    for condition in status.get("conditions", []):
        if (
            condition["type"] == "Ready"
            and condition["status"] != "Unknown"
            and condition["observedGeneration"] == kustomization["metadata"]["generation"]
        ):
            return Ready(condition["status"] == "True", condition["reason"], condition["message"])
    return None


def _definition(group: str, kind: str, plural: str) -> Json:
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": kind, "listKind": f"{kind}List", "plural": plural, "singular": kind.lower()},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {
                        "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                    },
                    "subresources": {"status": {}},
                }
            ],
        },
    }


def _established(definition: Json) -> bool | None:
    # At first there is a status with null for conditions.
    conditions = definition.get("status", {}).get("conditions") or []
    return any(one["type"] == "Established" and one["status"] == "True" for one in conditions) or None


@contextmanager
def _serving(archives: dict[str, bytes]) -> Iterator[str]:
    """Serve archives by their paths on loopback, and give the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            data = archives.get(self.path)
            self.send_response(404 if data is None else 200)
            self.send_header("Content-Length", str(len(data or b"")))
            self.end_headers()
            self.wfile.write(data or b"")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base class
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="session")
def flux(apiserver: ApiServer, tool: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flux]:
    """Start kustomize-controller."""
    folder = tmp_path_factory.mktemp("flux")
    definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    for group, kind, plural in KINDS:
        path = f"{definitions}/{plural}.{group}"
        apiserver.create(definitions, _definition(group, kind, plural))
        wait_for(f"{kind} is served", lambda path=path: _established(apiserver.get(path)), STARTED_SECONDS)
    apiserver.create("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    controller = [
        tool("kustomize-controller"),
        "--metrics-addr=127.0.0.1:0",
        "--health-addr=127.0.0.1:0",
        "--events-addr=",
        "--watch-all-namespaces",
    ]
    environment = {
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "KUBECONFIG": str(apiserver.kubeconfig()),
        "RUNTIME_NAMESPACE": NAMESPACE,
    }
    archives: dict[str, bytes] = {}
    with _serving(archives) as address, Server(controller, folder / "controller.log", environment) as running:
        yield Flux(apiserver, running, archives, address)
