"""Each form of a part in the hands of Flux: the real kustomize-controller, on a real API server.

What docs/parts.md says of Flux is what these tests saw: what is applied, what is refused and in which words, and that
a refusal leaves what runs as it is.
"""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cli.process import Program
from tests.cluster.apiserver import Json
from tests.cluster.flux import Flux, Ready
from tests.conftest import AgeKey

pytestmark = pytest.mark.xdist_group("cluster")

BASE = {"DB_USER": b"shop", "DB_PASSWORD": b"correct-horse", "TLS": b"abc"}
ADDED = {**BASE, "DB_PASSWORD": b"battery-staple", "STRIPE_KEY": b"sk_live_1"}


PATCHES = """\
secretGenerator:
  - name: web
    namespace: {namespace}
    options:
      disableNameSuffixHash: true
patches:
  - path: secrets.yaml
"""
"""The file under ``patches``, of an empty Secret. Flux opens what is named there before it builds."""


class Shop:
    """A folder that Flux deploys, and the namespace that it goes to; who adds to it has no key."""

    def __init__(self, program: Program, flux: Flux, key: AgeKey) -> None:
        self.program = program
        self._flux = flux
        self._key = key
        self.owner = {"SOPS_AGE_KEY": key.identity}
        self.namespace = flux.apiserver.namespace("shop")
        program.write(
            ".sops.yaml",
            f"creation_rules:\n  - path_regex: \\.env$\n    age: {key.recipient}\n"
            f"  - age: {key.recipient}\n    encrypted_regex: ^(data|stringData|binaryData)$\n",
        )
        program.write(
            "secrets.yaml",
            "apiVersion: v1\nkind: Secret\ntype: example.com/web\n"
            f"metadata:\n  name: web\n  namespace: {self.namespace}\n"
            "stringData:\n  DB_USER: shop\n  DB_PASSWORD: correct-horse\ndata:\n  TLS: YWJj\n",
        )
        program.write("kustomization.yaml", "resources:\n  - secrets.yaml\n")

    def seal(self) -> None:
        ended = self.program("encrypt", "-i", "secrets.yaml")
        assert ended.code == 0, ended.err

    def add(self, *words: str, value: str, by_whom: Mapping[str, str] | None = None) -> str:
        """Add a value, and return what sealpy said."""
        ended = self.program("add", *words, "--value-stdin", stdin=value, env=by_whom)
        assert ended.code == 0, ended.err
        return ended.err

    def add_two(self, *words: str) -> str:
        """Add a key, and replace one."""
        return self.add("secrets.yaml", "STRIPE_KEY", *words, value="sk_live_1") + self.add(
            "secrets.yaml", "DB_PASSWORD", *words, value="battery-staple"
        )

    def fold(self) -> None:
        ended = self.program("fold", "secrets.yaml", env=self.owner)
        assert ended.code == 0, ended.err

    def deploy(self) -> Ready:
        return self._flux.reconcile(self.namespace, self.program.folder, self._key.identity)

    def deployed(self) -> None:
        """Deploy, which must succeed."""
        ready = self.deploy()
        assert ready.succeeded, ready

    def refused(self) -> str:
        """Deploy, which must fail and leave the Secret untouched, and return why."""
        before = self.object()
        ready = self.deploy()
        assert not ready.succeeded, ready
        assert ready.reason == "BuildFailed"
        assert self.object() == before
        return ready.message

    def object(self) -> Json:
        """The Secret as the API server has it, with its resourceVersion."""
        return self._flux.apiserver.get(f"/api/v1/namespaces/{self.namespace}/secrets/web")

    def secret(self, name: str = "web") -> dict[str, bytes] | None:
        return self._flux.apiserver.secret(self.namespace, name)

    def names(self) -> set[str]:
        """The Secrets that Flux has made."""
        path = f"/api/v1/namespaces/{self.namespace}/secrets?labelSelector=kustomize.toolkit.fluxcd.io/name"
        return {one["metadata"]["name"] for one in self._flux.apiserver.get(path)["items"]}


@pytest.fixture
def clear_shop(tmp_path: Path, flux: Flux, age_key: AgeKey) -> Shop:
    """Return a folder with a Secret in clear, which nobody has deployed yet."""
    for name in ("home", "work"):
        (tmp_path / name).mkdir()
    return Shop(Program(tmp_path / "work", tmp_path / "home", {}), flux, age_key)


@pytest.fixture
def shop(clear_shop: Shop) -> Shop:
    """Return a folder with a sealed Secret, which Flux has deployed."""
    clear_shop.seal()
    clear_shop.deployed()
    assert clear_shop.secret() == BASE
    return clear_shop


def test_the_secret_in_clear_is_deployed(clear_shop: Shop) -> None:
    clear_shop.deployed()

    assert clear_shop.secret() == BASE


def test_the_sealed_secret_is_deployed_and_so_is_a_change_of_it(shop: Shop) -> None:
    shop.add("secrets.yaml", "STRIPE_KEY", value="sk_live_1", by_whom=shop.owner)
    shop.deployed()

    assert shop.secret() == {**BASE, "STRIPE_KEY": b"sk_live_1"}


def test_a_part_that_no_kustomization_names_is_not_seen(shop: Shop) -> None:
    shop.add_two()
    shop.deployed()

    assert shop.secret() == BASE
    assert shop.names() == {"web"}


def test_in_a_folder_without_a_kustomization_a_part_is_a_second_object_of_that_name(shop: Shop) -> None:
    (shop.program.folder / "kustomization.yaml").unlink()
    shop.deployed()
    shop.add_two()

    message = shop.refused()

    assert "may not add resource with an already registered id" in message
    assert f"Secret.v1.[noGrp]/web.{shop.namespace}" in message


def test_a_patched_secret_is_half_opened_and_does_not_open(shop: Shop) -> None:
    said = shop.add_two("--kustomize")

    message = shop.refused()

    assert f"failed to decrypt and format '{shop.namespace}/web' Secret data" in message
    assert "does not match sops' data format" in message
    assert "sk_live_1" not in message
    assert "battery-staple" not in message
    assert "warning: Flux" in said


def test_where_the_file_is_a_patch_itself_its_parts_are_merged(shop: Shop) -> None:
    shop.program.write("kustomization.yaml", PATCHES.format(namespace=shop.namespace))
    shop.deployed()
    assert shop.secret() == BASE
    uid = shop.object()["metadata"]["uid"]

    said = shop.add_two("--kustomize") + shop.add("secrets.yaml", "TLS", "--kustomize", value="xyz")
    shop.deployed()

    assert shop.secret() == {**ADDED, "TLS": b"xyz"}
    assert shop.object()["metadata"]["uid"] == uid
    assert shop.object()["type"] == "example.com/web"
    assert "Flux" not in said

    shop.fold()
    shop.deployed()

    assert shop.secret() == {**ADDED, "TLS": b"xyz"}


def test_a_secret_of_its_own_is_deployed_beside_the_first(shop: Shop) -> None:
    shop.add("secrets.yaml", "STRIPE_KEY", "--as-secret", "stripe", value="sk_live_1")
    shop.deployed()

    assert shop.secret("stripe") == {"STRIPE_KEY": b"sk_live_1"}
    assert shop.secret() == BASE


def test_an_env_file_for_a_generator_is_deployed(shop: Shop) -> None:
    shop.add("--env-file", "app.env", "TOKEN", value="t0ken")
    assert "t0ken" not in shop.program.read("app.env")
    shop.program.write(
        "kustomization.yaml",
        "resources: [secrets.yaml]\n"
        f"secretGenerator:\n  - name: app\n    namespace: {shop.namespace}\n    envs: [app.env]\n",
    )
    shop.deployed()

    (generated,) = shop.names() - {"web"}
    assert generated.startswith("app-")
    assert shop.secret(generated) == {"TOKEN": b"t0ken"}
    assert shop.secret() == BASE


def test_after_a_fold_everything_is_deployed(shop: Shop) -> None:
    shop.add_two()
    shop.fold()
    shop.deployed()

    assert shop.secret() == ADDED


def test_a_fold_mends_what_a_patch_broke(shop: Shop) -> None:
    shop.add_two("--kustomize")
    shop.refused()

    shop.fold()
    shop.deployed()

    assert shop.secret() == ADDED
