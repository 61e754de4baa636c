"""SOPS files as plain Python data, and the engine under the ``sealpy`` command.

    import sealpy

    settings = sealpy.load("config/prod.enc.yaml")
    password = sealpy.load_secret("k8s/gitops/prod/shop/secrets.yaml")["DB_PASSWORD"]

Importing this module imports nothing else, and changes nothing; names are looked up on first use.
"""

from typing import TYPE_CHECKING

from sealpy.version import __version__

if TYPE_CHECKING:
    from sealpy.errors import (
        DataKeyUnavailable,
        DocumentError,
        IntegrityError,
        KeyAccessError,
        MacMismatch,
        NotEncrypted,
        SealpyError,
    )
    from sealpy.library import Information, Keys, decrypt, edit, encrypt, inspect, load, load_all, load_secret

__all__ = [
    "DataKeyUnavailable",
    "DocumentError",
    "Information",
    "IntegrityError",
    "KeyAccessError",
    "Keys",
    "MacMismatch",
    "NotEncrypted",
    "SealpyError",
    "__version__",
    "decrypt",
    "edit",
    "encrypt",
    "inspect",
    "load",
    "load_all",
    "load_secret",
]

_ERRORS = frozenset(name for name in __all__ if name.endswith(("Error", "Mismatch", "Encrypted", "Unavailable")))


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'sealpy' has no attribute {name!r}")
    if name in _ERRORS:
        from sealpy import errors as source
    else:
        from sealpy import library as source  # type: ignore[no-redef]
    value = getattr(source, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
