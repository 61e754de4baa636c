"""Parts: keys of a file that were added by people who cannot open it.

    envs/prod/secrets.yaml              the base
    envs/prod/secrets.d/STRIPE_KEY.yaml a part of it

A part is an ordinary sealed document of its own, with a data key of its own. Beside values it holds only what names
the object that they belong to. Base and parts are one object: what a part holds wins over the base. Folding a part in
makes its values the base's.

What a part is, ``claims`` says; where parts are, ``part_folder``. Leaves in, values out; only ``load`` touches files.
"""

from binascii import b2a_base64
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from sealpy import files, kubernetes, operations, part_folder, values
from sealpy.claims import Owner, check_first, claim, owner_of, owners, seat, target
from sealpy.document import Document, Leaf, Path, splice
from sealpy.errors import DocumentError, Refused, SealpyError
from sealpy.formats import Format
from sealpy.keyring import Keyring
from sealpy.kubernetes import Manifest, Value
from sealpy.sealing import Opened

__all__ = [
    "Owner",
    "Part",
    "Put",
    "check_key",
    "fold",
    "joined",
    "load",
    "owner_of",
    "owners",
    "place",
    "puts",
    "read",
    "text",
]

_DOTENV_KEY = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789"


class Part(NamedTuple):
    """A part that was opened; ``leaves`` are all of its document's, in clear."""

    path: str
    owner: Owner
    leaves: Sequence[Leaf]

    def __repr__(self) -> str:
        return f"<Part {self.path} of {self.owner}>"


class Put(NamedTuple):
    """A value of a part, and where in the base it goes."""

    path: Path
    value: object
    part: str
    replaces: bool
    """Whether the base has a value for that key."""

    def __repr__(self) -> str:
        return f"<Put of {self.part}>"


def load(base: str, open_part: Callable[[bytes], Opened], limit: int = files.MAX_BYTES) -> list[tuple[Part, bytes]]:
    """Open all parts of a file, and return each with the bytes that it was read from.

    Raises:
        SealpyError: one of them cannot be used; the message names it.
    """
    found = []
    for path in part_folder.beside(base):
        link = part_folder.link_to(path)
        if link is not None:
            raise Refused(f"{link} is a symbolic link, which is not followed", hint="put the part itself there")
        data = files.read(path, limit)
        try:
            opened = open_part(data)
        except DocumentError as error:
            error.path = error.path or path
            raise
        except SealpyError as error:
            error.message = f"{path}: {error.message}"
            raise
        found.append((read(path, opened.document, opened.leaves), data))
    return found


def check_key(key: str, fmt: Format, owner: Owner) -> None:
    """Refuse a name that cannot be a key there.

    Raises:
        Refused
    """
    if owner.kind or fmt.name != "dotenv":
        good = kubernetes.is_key(key)
        hint = "letters, digits, -, _ and . make a key"
    else:
        good = bool(key) and not set(key) - set(_DOTENV_KEY) and not key[0].isdigit()
        hint = "letters, digits and _ make the name of a variable"
    if not good:
        raise Refused("this is no name for a key", hint=hint)
    if not owner.kind and (key == "sops" or (fmt.name == "dotenv" and key.startswith("sops_"))):
        raise Refused(f"{key} is a name that sops keeps for itself", hint="take another one")


def text(owner: Owner, field: str, key: str, content: str, fmt: Format) -> str:
    """Write a part in clear; ``field`` is data, stringData or binaryData, and ``content`` as it stands there."""
    if owner.kind:
        start = '{"apiVersion": "v1"}\n' if fmt.name == "json" else "apiVersion: v1\n"
        filled: list[tuple[Path, str]] = [(("kind",), owner.kind), (("metadata", "name"), owner.name)]
        if owner.namespace:
            filled.append((("metadata", "namespace"), owner.namespace))
        filled.append(((field, key), content))
    else:
        start = {"json": f'{{"{key}": ""}}\n', "yaml": f'"{key}": ""\n'}.get(fmt.name, f"{key}=\n")
        filled = [((key,), content)]
    document = fmt.scan(start)
    for path, value in filled:
        document = _with(document, fmt, path, value)
    return document.text


def read(path: str, document: Document, leaves: Sequence[Leaf]) -> Part:
    """Take a document for a part, given with its leaves in clear.

    Raises:
        DocumentError: see ``claim``; or Kubernetes would not take a value.
    """
    claimed = claim(path, document)
    for manifest in kubernetes.manifests(leaves):
        try:
            kubernetes.effective(leaves, manifest)
        except DocumentError as error:
            error.path = path
            raise
    return Part(path, claimed.owner, leaves)


def puts(base: Sequence[Leaf], parts: Sequence[Part]) -> list[Put]:
    """Tell what parts do to the base, given its leaves in clear.

    Raises:
        DocumentError: two parts hold one key, or a part is of an object that the base does not hold.
        Refused: the value cannot go where the key stands, or the object is not in the first document.
    """
    found: list[Put] = []
    taken: dict[tuple[Owner, str], str] = {}
    for part in parts:
        for key, put in _puts_of(base, target(base, part.path, part.owner), part):
            other = taken.setdefault((part.owner, key), part.path)
            if other != part.path:
                raise DocumentError(f"{other} and {part.path} both hold {key}", hint="remove one of the two")
            found.append(put)
    return found


def place(base: Sequence[Leaf], manifest: Manifest | None, key: str, content: bytes) -> tuple[Path, str, bool]:
    """Tell where the value of a key goes: its path, its spelling there, and whether the base has that key.

    A key stays where it stands; a new one goes where its text can be read, or as base64 if it is none.

    Raises:
        Refused: bytes that are no text have to go where only text goes; or it is not the first document.
    """
    check_first(manifest)
    field, replaces = seat(base, manifest, key)
    if manifest is None:
        return (key,), _as_text(content, key), replaces
    field = field or _field_for(manifest.kind, content)
    if kubernetes.is_encoded(manifest.kind, field):
        return (*manifest.prefix, field, key), b2a_base64(content, newline=False).decode(), replaces
    return (*manifest.prefix, field, key), _as_text(content, key), replaces


def joined(opened: Opened, fmt: Format, parts: Sequence[Part]) -> Opened:
    """Return the base with its parts put in: a clear document that stands for both.

    Raises:
        DocumentError, Refused: see ``puts``.
    """
    document = fmt.scan(fmt.decode(operations.clear_text(opened, fmt).expose()))
    for put in puts(opened.leaves, parts):
        document = _with(document, fmt, put.path, put.value)
    return opened._replace(document=document, leaves=document.leaves, sealed=[False] * len(document.leaves))


def fold(data: bytes, fmt: Format, keyring: Keyring, parts: Sequence[Part], *, now: datetime) -> bytes:
    """Return the sealed base with the values of its parts in it; the same bytes where it has them already.

    Raises:
        SealpyError: it does not open; and as ``puts``.
    """
    opened = operations.open_document(data, fmt, keyring)
    for put in puts(opened.leaves, parts):
        if _value_at(opened.leaves, put.path) != put.value:
            data = operations.set_value(opened, fmt, put.path, put.value, now=now)
            opened = operations.open_document(data, fmt, keyring)
    return data


def _puts_of(base: Sequence[Leaf], manifest: Manifest | None, part: Part) -> list[tuple[str, Put]]:
    if manifest is None:
        rows = [(str(leaf.path[0]), leaf) for leaf in part.leaves if leaf.kind != "comment"]
        return [(key, Put((key,), _plain(leaf), part.path, seat(base, None, key)[1])) for key, leaf in rows]
    found: list[tuple[str, Put]] = []
    values_: dict[str, Value] = kubernetes.effective(part.leaves, kubernetes.manifests(part.leaves)[0])
    for key, value in values_.items():
        path, spelt, replaces = place(base, manifest, key, value.content)
        found.append((key, Put(path, spelt, part.path, replaces)))
    return found


def _field_for(kind: str, content: bytes) -> str:
    try:
        content.decode()
    except UnicodeDecodeError:
        return "data" if kind == "Secret" else "binaryData"
    return "stringData" if kind == "Secret" else "data"


def _as_text(content: bytes, key: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        pass
    raise Refused(f"the value is no text, and {key} stands where only text goes", hint="take another key for it")


def _plain(leaf: Leaf) -> object:
    # A date is spelt as it was written.
    return leaf.content if leaf.kind == "time" else values.python_value(leaf.kind, leaf.content)


def _value_at(leaves: Sequence[Leaf], path: Path) -> object:
    return next(
        (_plain(leaf) for leaf in leaves if leaf.path == path and leaf.document == 0 and leaf.kind != "comment"), None
    )


def _with(document: Document, fmt: Format, path: Path, value: object) -> Document:
    return fmt.scan(splice(document.text, fmt.insert(document, path, value)))
