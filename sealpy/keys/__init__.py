"""Master keys: the second of the two places where things plug in.

A back end wraps a data key for a master key, and unwraps it. It is the only extensible thing about keys;
how groups, thresholds and files work is not.
"""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from sealpy.secret import KeyPart


class WrappedKey(NamedTuple):
    """One master key of a file, with the data key (or a share of it) wrapped for it.

    ``entry`` is the file's own mapping, unknown fields and ``enc`` included; it is written back as it was read.
    """

    backend: str
    """The name of its list in the metadata: age, pgp, kms, gcp_kms, azure_kv, hc_vault, hckms."""
    entry: Mapping[str, object]

    @property
    def label(self) -> str:
        """What people call it: an age recipient, a fingerprint, an ARN, a URL."""
        return label_of(self.backend, self.entry)


class Backend(Protocol):
    """Wraps and unwraps for one kind of master key."""

    @property
    def name(self) -> str:
        """The name of its list in the metadata."""

    def wrap(self, text: str, part: KeyPart) -> Mapping[str, object]:
        """Wrap for the master key that ``text`` names, and return its metadata entry.

        Raises:
            KeyServiceError: the text is no such key, or the service fails.
        """

    def unwrap(self, entry: Mapping[str, object]) -> KeyPart:
        """Unwrap a metadata entry.

        Raises:
            NotMyKey: no identity here fits it; another master key of the file may.
            KeyServiceError: the entry is damaged, or the service fails.
        """


def label_of(backend: str, entry: Mapping[str, object]) -> str:
    """Name a master key as sops and people do."""

    def field(name: str) -> str:
        return str(entry.get(name, "") or "")

    match backend:
        case "age":
            return field("recipient")
        case "pgp":
            return field("fp")
        case "kms":
            return field("arn") + (f"+{field('role')}" if field("role") else "")
        case "gcp_kms":
            return field("resource_id")
        case "azure_kv":
            return f"{field('vault_url')}/keys/{field('name')}/{field('version')}"
        case "hc_vault":
            return f"{field('vault_address')}/v1/{field('engine_path')}/keys/{field('key_name')}"
        case "hckms":
            return field("key_id")
        case _:
            return backend
