"""What ``import sealpy`` offers: sealed files as plain Python data, and text in, text out.

Nothing here prints, keeps state, installs a hook or reads the environment at import. Whatever is returned was
authenticated: the MAC is verified before a value leaves.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sealpy import data, files, kubernetes, operations, part_folder, registry
from sealpy.document import line_and_column
from sealpy.errors import DocumentError, ParseError, PathNotFound, RuleError, SealpyError
from sealpy.formats import Format
from sealpy.identities import Identities
from sealpy.keyring import Keyring
from sealpy.sealing import Opened
from sealpy.secret import Secret
from sealpy.selection import DEFAULT, KUBERNETES, MODES, Selection

MAX_BYTES = 256 * 1024 * 1024
"""The largest file that is read."""


class Keys:
    """The identities that open files. Share one to open many files: what it unwrapped, it remembers.

    >>> keys = Keys.from_environment()
    """

    __slots__ = ("_keyring",)

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> "Keys":
        """Find identities where sops does: SOPS_AGE_KEY, SOPS_AGE_KEY_FILE, …, and the user's keys.txt."""
        source = dict(os.environ) if environ is None else environ
        return cls(Keyring(registry.backends(Identities(source))))

    @classmethod
    def of(cls, *identities: str) -> "Keys":
        """Use just these age identities (``AGE-SECRET-KEY-1…``)."""
        return cls(Keyring(registry.backends(Identities({"SOPS_AGE_KEY": "\n".join(identities)}, home=os.devnull))))

    @property
    def keyring(self) -> Keyring:
        """The key ring underneath, for ``sealpy.operations``."""
        return self._keyring

    def __repr__(self) -> str:
        return "<Keys>"


class Information(NamedTuple):
    """What a sealed text says about itself, without a key. Only ``last_modified`` is under the MAC."""

    recipients: tuple[str, ...]
    """All master keys: age recipients, fingerprints, ARNs and so on."""
    groups: tuple[tuple[str, ...], ...]
    threshold: int
    last_modified: datetime
    version: str
    selection: tuple[str, str]
    """The rule that says what is sealed, such as ("encrypted_regex", "^data$")."""
    mac_only_encrypted: bool


def load(path: str | os.PathLike[str], *, keys: Keys | None = None) -> dict[str, Any]:
    """Read a sealed file of one document as plain data. Its parts (``secrets.d`` beside ``secrets.yaml``) are in it.

    Raises:
        SealpyError: see ``sealpy.errors``; the message names the file, never a value.
    """
    found = load_all(path, keys=keys)
    if len(found) != 1:
        raise DocumentError("the file holds several documents", hint="use load_all", path=os.fspath(path))
    return found[0]


def load_all(path: str | os.PathLike[str], *, keys: Keys | None = None) -> list[dict[str, Any]]:
    """Read a sealed file as plain data, one dict for each of its documents."""
    opened = _opened(path, keys)
    return data.documents(opened.leaves, opened.document.documents)


def load_secret(path: str | os.PathLike[str], *, name: str | None = None, keys: Keys | None = None) -> dict[str, str]:
    """Read the values of a sealed Kubernetes Secret or ConfigMap as the pod would see them.

    ``data`` is base64-decoded and ``stringData`` wins over it. ``name`` chooses among several.

    Raises:
        PathNotFound: there is no such Secret in the file, or several and no name.
        DocumentError: a value is not text.
    """
    opened = _opened(path, keys)
    where = os.fspath(path)
    found = [
        manifest
        for manifest in kubernetes.manifests(opened.leaves)
        if kubernetes.is_secret_like(manifest) and name in (None, manifest.name)
    ]
    if len(found) != 1:
        fact = "holds no such Secret" if not found else "holds several Secrets"
        raise PathNotFound(f"the file {fact}", hint="give the name of one of its Secrets", path=where)
    texts: dict[str, str] = {}
    try:
        values = kubernetes.effective(opened.leaves, found[0])
    except DocumentError as error:
        error.path = where
        raise
    for key, value in values.items():
        text = _text(value.content)
        if text is None:
            raise DocumentError(f"the value of {key} is not text", hint="use load and decode it", path=where)
        texts[key] = text
    return texts


def decrypt(text: str | bytes, *, format: str = "yaml", keys: Keys | None = None) -> str:  # noqa: A002
    """Return the clear text of a sealed text (yaml, json, dotenv or ini)."""
    fmt = registry.format_named(format)
    clear = operations.decrypt(_bytes(text), fmt, _keyring(keys)).expose()
    return clear.decode("utf-8", "surrogateescape")


def encrypt(
    text: str | bytes,
    *,
    recipients: Sequence[str],
    format: str = "yaml",  # noqa: A002
    selection: tuple[str, str] | None = None,
    mac_only_encrypted: bool = False,
) -> str:
    """Seal a clear text for age recipients; no identity is needed.

    ``selection`` is one of sops' six rules and its pattern, such as ("encrypted_regex", "^data$"). Without it a
    Kubernetes Secret or ConfigMap has its values sealed, and anything else all of it.

    Raises:
        RuleError: no recipient: nobody could open the result.
        SealpyError: see ``sealpy.errors``.
    """
    if not recipients:
        raise RuleError("there is no recipient to encrypt for", hint="give one or more, such as age1…")
    fmt = registry.format_named(format)
    raw = _bytes(text)
    if selection is not None:
        if selection[0] not in MODES:
            raise DocumentError("there is no such selection rule", hint=f"one of {', '.join(MODES)}")
        chosen: Selection | None = Selection(*selection)
    elif format == "binary":
        chosen = None
    else:
        leaves = operations.scan_clear(raw, fmt).leaves
        chosen = KUBERNETES if kubernetes.default_selection_applies(leaves) else DEFAULT
    plan = operations.Plan([[("age", recipient) for recipient in recipients]], chosen, mac_only_encrypted)
    return operations.encrypt(raw, fmt, plan, _no_keys(), now=_now()).decode("utf-8", "surrogateescape")


def edit(
    text: str | bytes,
    change: Callable[[str], str],
    *,
    format: str = "yaml",  # noqa: A002
    keys: Keys | None = None,
) -> str:
    """Apply ``change`` to the clear text and seal the result; what did not change keeps its bytes.

    Where nothing changed, the text comes back as it was.
    """
    fmt = registry.format_named(format)
    opened = operations.open_document(_bytes(text), fmt, _keyring(keys))
    clear = operations.clear_text(opened, fmt).expose().decode("utf-8", "surrogateescape")
    changed = change(clear)
    if changed == clear:
        return _bytes(text).decode("utf-8", "surrogateescape")
    after = Secret(_bytes(changed))
    return operations.edit(opened, fmt, after, now=_now()).decode("utf-8", "surrogateescape")


def inspect(text: str | bytes, *, format: str = "yaml") -> Information:  # noqa: A002
    """Return what a sealed text says about itself. No key is needed, and nothing is verified."""
    _, metadata = operations.scan_sealed(_bytes(text), registry.format_named(format))
    rule = metadata.selection or DEFAULT
    return Information(
        recipients=tuple(key.label for key in metadata.master_keys()),
        groups=tuple(tuple(key.label for key in group) for group in metadata.groups),
        threshold=metadata.threshold,
        last_modified=datetime.fromisoformat(metadata.mac_additional_data().decode()),
        version=metadata.version,
        selection=(rule.mode, rule.pattern),
        mac_only_encrypted=metadata.mac_only_encrypted,
    )


def _opened(path: str | os.PathLike[str], keys: Keys | None) -> Opened:
    where = os.fspath(path)
    raw = files.read(where, MAX_BYTES)
    fmt: Format = registry.format_for(where)
    keyring = _keyring(keys)
    try:
        opened = operations.open_document(raw, fmt, keyring)
    except DocumentError as error:
        error.path = error.path or where
        raise
    except SealpyError as error:
        error.message = f"{where}: {error.message}"
        raise
    if not part_folder.beside(where):
        return opened
    from sealpy import parts  # few files have any

    found = parts.load(where, lambda part: operations.open_document(part, fmt, keyring), MAX_BYTES)
    return parts.joined(opened, fmt, [part for part, _ in found])


def _keyring(keys: Keys | None) -> Keyring:
    return (keys or Keys.from_environment()).keyring


def _no_keys() -> Keyring:
    """Sealing needs public keys only."""
    return Keyring(registry.backends(Identities({}, home=os.devnull)))


def _bytes(text: str | bytes) -> bytes:
    if isinstance(text, bytes):
        return text
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        # It carries the whole text.
        line, column = line_and_column(text, error.start)
    raise ParseError("half of a surrogate pair is no character", line=line, column=column)


def _text(content: bytes) -> str | None:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None


def _now() -> datetime:
    return datetime.now(UTC)
