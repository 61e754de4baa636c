"""A real kube-apiserver on loopback, on a real etcd: one for all tests of a process.

There is no controller manager beside it: objects are stored, validated, defaulted and admitted, but nothing acts on
them. A namespace that is deleted stays, so each test makes one of its own (``ApiServer.namespace``).
"""

import json
import ssl
import urllib.error
import urllib.request
from base64 import b64decode
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.cluster.processes import Server, free_ports

READY_SECONDS = 60
"""Both take three together; more where all cores are busy."""

Json = dict[str, Any]


class ApiError(Exception):
    """What the API server answers instead of doing what it was asked."""

    def __init__(self, code: int, status: Json) -> None:
        self.code = code
        self.reason = status.get("reason", "")
        super().__init__(f"{code} {status.get('message', '')}")


class ApiServer:
    """The API as raw JSON. Paths are as in ``/api/v1/namespaces/default/secrets/web``."""

    def __init__(self, url: str, authority: Path, token: str, folder: Path) -> None:
        self.url = url
        self.authority = authority
        """The certificates to trust, as a PEM file."""
        self.token = token
        """A bearer token of an administrator."""
        self._folder = folder
        self._context = ssl.create_default_context(cafile=str(authority))
        self._numbers = count(1)

    def ask(self, method: str, path: str, body: Json | None = None, content: str = "application/json") -> Json:
        """Send a request, and return the answer.

        Raises:
            ApiError: the answer is no success.
        """
        request = urllib.request.Request(
            self.url + path,
            None if body is None else json.dumps(body).encode(),
            {"Authorization": f"Bearer {self.token}", "Content-Type": content, "Accept": "application/json"},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=30, context=self._context) as answer:
                return _json(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                raise ApiError(error.code, _json(error.read())) from None

    def get(self, path: str) -> Json:
        return self.ask("GET", path)

    def find(self, path: str) -> Json | None:
        """Return an object; None if there is none."""
        try:
            return self.get(path)
        except ApiError as error:
            if error.code != 404:
                raise
            return None

    def create(self, path: str, body: Json) -> Json:
        return self.ask("POST", path, body)

    def patch(self, path: str, body: Json) -> Json:
        """Merge into an object."""
        return self.ask("PATCH", path, body, "application/merge-patch+json")

    def apply(self, path: str, body: Json, manager: str = "tests") -> Json:
        """Make an object as the body says, server-side; its path ends in its name."""
        return self.ask("PATCH", f"{path}?fieldManager={manager}&force=true", body, "application/apply-patch+yaml")

    def delete(self, path: str) -> None:
        self.ask("DELETE", path)

    def namespace(self, prefix: str = "test") -> str:
        """Make a namespace that nothing else uses, and return its name."""
        name = f"{prefix}-{next(self._numbers)}"
        self.create("/api/v1/namespaces", {"metadata": {"name": name}})
        return name

    def secret(self, namespace: str, name: str) -> dict[str, bytes] | None:
        """Return the decoded values of a Secret; None if there is none."""
        found = self.find(f"/api/v1/namespaces/{namespace}/secrets/{name}")
        return found and {key: b64decode(value) for key, value in found.get("data", {}).items()}

    def kubeconfig(self) -> Path:
        """Write a kubeconfig for the administrator, and return its path."""
        path = self._folder / f"kubeconfig-{next(self._numbers)}.json"
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
            "clusters": [
                {"name": "test", "cluster": {"server": self.url, "certificate-authority": str(self.authority)}}
            ],
            "users": [{"name": "test", "user": {"token": self.token}}],
        }
        _write(path, json.dumps(config).encode())
        return path


def _json(data: bytes) -> Json:
    try:
        found = json.loads(data)
    except ValueError:
        # Such as "ok" of /readyz, and errors from before there is an API.
        return {"message": data.decode(errors="replace")}
    assert isinstance(found, dict)
    return found


@pytest.fixture(scope="session")
def apiserver(tool: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """Start etcd and kube-apiserver."""
    folder = tmp_path_factory.mktemp("apiserver")
    client, peer, port = free_ports(3)
    token = token_urlsafe()
    _write(folder / "tokens.csv", f'{token},admin,admin,"system:masters"\n'.encode())
    _write(folder / "accounts.pem", _signing_key())
    authority = folder / "apiserver.crt"
    url = f"https://127.0.0.1:{port}"
    etcd = [
        tool("etcd"),
        f"--data-dir={folder / 'etcd'}",
        f"--listen-client-urls=http://127.0.0.1:{client}",
        f"--advertise-client-urls=http://127.0.0.1:{client}",
        f"--listen-peer-urls=http://127.0.0.1:{peer}",
        "--log-level=warn",
        # Nothing in it outlives the tests.
        "--unsafe-no-fsync",
    ]
    kube_apiserver = [
        tool("kube-apiserver"),
        f"--etcd-servers=http://127.0.0.1:{client}",
        "--bind-address=127.0.0.1",
        # Else it looks for another address of the machine, for a Service that nobody calls.
        "--advertise-address=127.0.0.1",
        "--endpoint-reconciler-type=none",
        f"--secure-port={port}",
        # Where it writes apiserver.crt, a certificate that it makes for itself, and the key of that.
        f"--cert-dir={folder}",
        f"--token-auth-file={folder / 'tokens.csv'}",
        "--authorization-mode=RBAC",
        f"--service-account-issuer={url}",
        f"--service-account-key-file={folder / 'accounts.pem'}",
        f"--service-account-signing-key-file={folder / 'accounts.pem'}",
        "--service-cluster-ip-range=10.0.0.0/24",
        "--profiling=false",
    ]

    def healthy() -> bool | None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{client}/health", timeout=5):
                return True
        except OSError:
            return None

    def ready() -> ApiServer | None:
        try:
            server = ApiServer(url, authority, token, folder)
            server.get("/readyz")
        except (OSError, ApiError):
            # There is no certificate yet, or half of one; nobody listens; or not all is set up.
            return None
        return server

    with Server(etcd, folder / "etcd.log") as store:
        store.wait_for("etcd is healthy", healthy, READY_SECONDS)
        with Server(kube_apiserver, folder / "kube-apiserver.log") as running:
            yield running.wait_for("kube-apiserver is ready", ready, READY_SECONDS)


def _write(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)


def _signing_key() -> bytes:
    """Make a key for the tokens of service accounts."""
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
