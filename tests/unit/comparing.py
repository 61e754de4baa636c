"""Sealed files for tests of comparison, made by the real engine under master keys that are simulated."""

from binascii import a2b_hex, hexlify
from collections.abc import Mapping
from datetime import UTC, datetime

from sealpy import operations, registry
from sealpy.changeset import Change, FileChange, FileVersion
from sealpy.comparison import Opener, compare
from sealpy.errors import KeyServiceError, NotMyKey
from sealpy.keyring import Keyring
from sealpy.keys import Backend
from sealpy.operations import Plan
from sealpy.redaction import PublicValue, RevealedValue
from sealpy.sealing import Opened
from sealpy.secret import KeyPart, Secret
from sealpy.selection import KUBERNETES, Selection

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = datetime(2026, 2, 1, tzinfo=UTC)
REGULAR = 0o100644


class Owner:
    """A back end whose wrapping is hexadecimal, and whose identities are names."""

    name = "age"

    def __init__(self, *names: str) -> None:
        self.names = names

    def wrap(self, text: str, part: KeyPart) -> Mapping[str, object]:
        return {"recipient": text, "enc": hexlify(part.expose()).decode()}

    def unwrap(self, entry: Mapping[str, object]) -> KeyPart:
        if entry.get("recipient") not in self.names:
            raise NotMyKey("no identity fits it")
        try:
            return KeyPart(a2b_hex(str(entry.get("enc"))))
        except ValueError:
            raise KeyServiceError("the wrapped key is damaged") from None

    def recognises(self, entry: Mapping[str, object]) -> bool:
        return entry.get("recipient") in self.names


def keyring(*names: str) -> Keyring:
    owner: Backend = Owner(*names)
    return Keyring(lambda _: owner)


def opener(*names: str) -> Opener:
    return Opener(keyring(*names).open, registry.format_for)


def seal(
    text: str | bytes,
    path: str = "x.yaml",
    *,
    to: tuple[str, ...] = ("ann",),
    selection: Selection | None = KUBERNETES,
    mac_only_encrypted: bool = False,
) -> bytes:
    data = text.encode() if isinstance(text, str) else text
    plan = Plan([[("age", name) for name in to]], selection, mac_only_encrypted)
    return operations.encrypt(data, registry.format_for(path), plan, keyring(*to), now=NOW, allow_clear=True)


def opened(sealed: bytes, path: str = "x.yaml", *, by: str = "ann") -> Opened:
    return operations.open_document(sealed, registry.format_for(path), keyring(by))


def edited(sealed: bytes, text: str, path: str = "x.yaml", *, by: str = "ann") -> bytes:
    """Give a file another clear text; what stays the same keeps its ciphertext."""
    after = Secret(text.encode())
    return operations.edit(opened(sealed, path, by=by), registry.format_for(path), after, now=LATER)


def rotated(
    sealed: bytes, path: str = "x.yaml", *, add: tuple[str, ...] = (), remove: tuple[str, ...] = (), by: str = "ann"
) -> bytes:
    file = opened(sealed, path, by=by)
    (names,) = operations.key_names(file.metadata)
    kept = [name for name in (*names, *(("age", name) for name in add)) if name[1] not in remove]
    return operations.rotate(file, registry.format_for(path), keyring(by, *add), now=LATER, groups=[kept])


def version(data: bytes, path: str = "x.yaml") -> FileVersion:
    return FileVersion(path.encode(), REGULAR, "", data)


def compared(
    old: bytes | None, new: bytes | None, path: str = "x.yaml", *, by: tuple[str, ...] = ("ann",)
) -> FileChange[RevealedValue]:
    return compare(
        None if old is None else version(old, path), None if new is None else version(new, path), opener(*by)
    )


def changes(file: FileChange[RevealedValue]) -> list[Change[RevealedValue]]:
    return [change for one in file.objects for change in one.changes]


def bare(value: object) -> object:
    """Return what a value holds."""
    if isinstance(value, RevealedValue):
        return value.content.expose()
    return value.text if isinstance(value, PublicValue) else value


def told(file: FileChange[RevealedValue]) -> list[tuple[str, str, object, object]]:
    """Return the changes of a file as operation, path, old and new."""
    return [
        (change.operation, ".".join(map(str, change.path)), bare(change.old), bare(change.new))
        for change in changes(file)
    ]
