"""Identities in the operating system's keyring: opt-in, through ``sealpy key``.

A keyring cannot be listed, so an index beside sealpy's configuration holds the recipients that are in it. Nothing
here imports the ``keyring`` package before the index says that it is worth it.
"""

import os
from typing import TYPE_CHECKING

from sealpy.errors import BackendMissing, KeyServiceError
from sealpy.secret import Secret

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SERVICE = "sealpy:age"
_INDEX_SCHEMA = "sealpy.keyring/1"
# keyrings.alt is a family of plain files, which the keyring package takes without a word once it is installed.
_KEEPS_NO_SECRETS = ("keyrings.alt.", "keyring.backends.null", "keyring.backends.fail")


def recipients(config_folder: str) -> list[str]:
    """Return the recipients whose identities were put into the keyring.

    Raises:
        KeyServiceError: the index is damaged.
    """
    path = _index_path(config_folder)
    if not os.path.exists(path):
        return []
    import json

    listed = None
    try:
        with open(path, encoding="utf-8") as file:
            listed = json.load(file)["recipients"]
    except (OSError, ValueError, KeyError, TypeError):
        listed = None
    if not isinstance(listed, list) or not all(isinstance(recipient, str) for recipient in listed):
        raise KeyServiceError(f"{path} is damaged", hint='it holds {"recipients": ["age1…"]}; delete it to start anew')
    return listed


def fetch(config_folder: str, recipient: str) -> Secret[str]:
    """Return the identity of a recipient.

    Raises:
        KeyServiceError: it is not there, or the keyring is locked or keeps no secrets.
        BackendMissing: the keyring package is not installed.
    """
    if recipient not in recipients(config_folder):
        raise KeyServiceError("the recipient is not in the keyring")
    keyring = _trusted()
    try:
        text = keyring.get_password(SERVICE, recipient)
    except Exception:  # noqa: BLE001 - back ends are third parties' and raise anything; its text may quote anything
        text = None
    if not text:
        raise KeyServiceError("the keyring does not give it out", hint="unlock the keyring of your desktop")
    return Secret(text)


def store(config_folder: str, recipient: str, identity: Secret[str]) -> None:
    """Put an identity into the keyring, and its recipient into the index.

    Raises:
        KeyServiceError, BackendMissing: as for ``fetch``.
    """
    listed = recipients(config_folder)
    keyring = _trusted()
    try:
        keyring.set_password(SERVICE, recipient, identity.expose())
        stored = True
    except Exception:  # noqa: BLE001 - as in fetch
        stored = False
    if not stored:
        raise KeyServiceError("the keyring does not take it", hint="unlock the keyring of your desktop")
    if recipient not in listed:
        _write_index(config_folder, [*listed, recipient])


def _trusted() -> "KeyringBackend":
    """Return this system's keyring, if it is one that keeps secrets."""
    backend = None
    try:
        import keyring

        backend = keyring.get_keyring()
        installed = True
    except ImportError:
        installed = False
    except Exception:  # noqa: BLE001 - as in fetch
        installed = True
    if not installed:
        raise BackendMissing("the package keyring is not installed", hint="pip install 'sealpy[keyring]'")
    # A chainer asks several in turn; each of them must be trusted.
    names = [type(part).__module__ for part in getattr(backend, "backends", [backend])]
    if backend is None or not names or any(f"{name}.".startswith(_KEEPS_NO_SECRETS) for name in names):
        raise KeyServiceError(
            "this system has no keyring that keeps secrets",
            hint='leave out --keyring: "sealpy key new" then writes a key file that only you can read',
        )
    return backend


def _write_index(config_folder: str, listed: list[str]) -> None:
    import json

    path = _index_path(config_folder)
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    draft = f"{path}.{os.getpid()}"
    with open(draft, "w", encoding="utf-8") as file:
        json.dump({"schema": _INDEX_SCHEMA, "recipients": listed}, file, indent=2)
        file.write("\n")
    os.replace(draft, path)


def _index_path(config_folder: str) -> str:
    return os.path.join(config_folder, "sealpy", "keyring.json")
