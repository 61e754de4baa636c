"""Names of formats and back ends, and where they live: they are imported on first use.

The tables are literal. Third parties cannot take the place of what is built in.
"""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sealpy.errors import BackendMissing, SourceError
from sealpy.formats import Format
from sealpy.keys import Backend

if TYPE_CHECKING:
    from sealpy.identities import Identities

_FORMATS = {
    "yaml": "sealpy.formats.yaml:FORMAT",
    "json": "sealpy.formats.json:FORMAT",
    "dotenv": "sealpy.formats.dotenv:FORMAT",
    "ini": "sealpy.formats.ini:FORMAT",
    "binary": "sealpy.formats.binary:FORMAT",
}
# Case-sensitive, as in sops; everything else is binary.
_SUFFIXES = ((".yaml", "yaml"), (".yml", "yaml"), (".json", "json"), (".env", "dotenv"), (".ini", "ini"))

_BACKENDS = {"age": "sealpy.keys.age:AgeBackend"}
_NOT_BUILT_IN = {
    "pgp": "PGP",
    "kms": "AWS KMS",
    "gcp_kms": "Google Cloud KMS",
    "azure_kv": "Azure Key Vault",
    "hc_vault": "HashiCorp Vault",
    "hckms": "Huawei Cloud KMS",
}

format_names = tuple(_FORMATS)
backend_names = (*_BACKENDS, *_NOT_BUILT_IN)
"""Every kind of master key that a file can have, whether this version opens it or not."""


def format_for(path: str) -> Format:
    """Return the format of a file name, by its suffix."""
    return format_named(next((name for suffix, name in _SUFFIXES if path.endswith(suffix)), "binary"))


def format_named(name: str) -> Format:
    """Return a format.

    Raises:
        SourceError: there is no such format.
    """
    target = _FORMATS.get(name)
    if target is None:
        raise SourceError("there is no format of that name", hint=f"one of {', '.join(_FORMATS)}")
    found: Format = _load(target)
    return found


def backends(identities: "Identities") -> Callable[[str], Backend]:
    """Return the look-up that a key ring takes: from a name to its back end, which is made on first use."""
    made: dict[str, Backend] = {}

    def look_up(name: str) -> Backend:
        backend = made.get(name)
        if backend is None:
            backend = made[name] = _backend(name, identities)
        return backend

    return look_up


def _backend(name: str, identities: "Identities") -> Backend:
    target = _BACKENDS.get(name)
    if target is not None:
        backend: Backend = _load(target)(identities)
        return backend
    kind = _NOT_BUILT_IN.get(name)
    if kind is None:
        raise BackendMissing("its kind of master key is not known here", hint="a newer sealpy may know it")
    raise BackendMissing(
        f"{kind} keys are not supported yet",
        hint="add an age recipient with sops, which opens it: sops rotate --in-place --add-age age1… FILE",
    )


def _load(target: str) -> Any:
    module, _, attribute = target.partition(":")
    # importlib costs a millisecond and does no more than this.
    __import__(module)
    return getattr(sys.modules[module], attribute)
