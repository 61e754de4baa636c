"""The real sops in a folder of its own, and our engine with the same key."""

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from sealpy import operations, registry
from sealpy.formats import Format
from sealpy.identities import Identities
from sealpy.keyring import Keyring
from sealpy.sealing import Opened
from sealpy.selection import DEFAULT, Selection
from tests.conftest import AgeKey

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class Pair:
    """sops and sealpy, side by side on one format."""

    def __init__(self, sops: str, key: AgeKey, folder: Path, name: str) -> None:
        self.sops = sops
        self.key = key
        self.folder = folder
        self.format: Format = registry.format_named(name)
        self.suffix = {"yaml": ".yaml", "json": ".json", "dotenv": ".env", "ini": ".ini", "binary": ".bin"}[name]
        self.keyring = Keyring(registry.backends(Identities({"SOPS_AGE_KEY": key.identity}, home=os.devnull)))

    def run(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        environment = {"PATH": os.environ["PATH"], "HOME": os.devnull, "SOPS_AGE_KEY": self.key.identity}
        return subprocess.run(
            [self.sops, *arguments], cwd=self.folder, env=environment, capture_output=True, check=False
        )

    def sops_encrypt(self, data: bytes, *flags: str) -> subprocess.CompletedProcess[bytes]:
        (self.folder / f"plain{self.suffix}").write_bytes(data)
        return self.run("encrypt", "--age", self.key.recipient, *flags, f"plain{self.suffix}")

    def sops_decrypt(self, data: bytes) -> subprocess.CompletedProcess[bytes]:
        (self.folder / f"sealed{self.suffix}").write_bytes(data)
        return self.run("decrypt", f"sealed{self.suffix}")

    def encrypt(self, data: bytes, selection: Selection | None = DEFAULT, *, only_encrypted: bool = False) -> bytes:
        chosen = None if self.format.name == "binary" else selection
        plan = operations.Plan([[("age", self.key.recipient)]], chosen, only_encrypted)
        return operations.encrypt(data, self.format, plan, self.keyring, now=NOW, allow_clear=True)

    def open(self, data: bytes) -> Opened:
        return operations.open_document(data, self.format, self.keyring)

    def decrypt(self, data: bytes) -> bytes:
        return operations.decrypt(data, self.format, self.keyring).expose()
