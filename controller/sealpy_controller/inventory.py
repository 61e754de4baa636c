"""What a target remembers in ``DIR/.sealpy``, beside the folders that it serves.

- ``inventory.json``: which objects were put there, from which file and commit, and keyed digests of their values;
- ``key``: the random key of those digests, so that nobody can try passwords on them elsewhere;
- ``lock``: held as long as somebody works on the target.

No value is here, in no form from which it could be had.
"""

import fcntl
import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from typing import Any

from sealpy import files
from sealpy.errors import NoSuchFile, SourceError
from sealpy.secret import Secret
from sealpy_controller.objects import Digests, Entry, Object

FOLDER = ".sealpy"
_SCHEMA = "sealpy.inventory/1"
_KEY_BYTES = 32
_MAX_BYTES = 256 * 2**20


class Inventory:
    """The memory of one target. ``read_only`` writes nothing and takes no lock."""

    def __init__(self, target: str, *, read_only: bool) -> None:
        """Take the lock and read what there is.

        Raises:
            SourceError: somebody else works on the target, or what is remembered is damaged or cannot be read.
        """
        self._folder = os.path.join(target, FOLDER)
        self._read_only = read_only
        self._lock = -1
        if not read_only:
            self._take_lock()
        try:
            self._key = self._read_key()
            self.entries = self._read_entries()
        except BaseException:
            self.close()
            raise

    @property
    def locked(self) -> bool:
        """Tell whether others are still kept away: whoever deletes the folder deletes the lock with it."""
        if self._read_only:
            return True
        try:
            return os.path.samestat(os.fstat(self._lock), os.stat(self._path("lock"), follow_symlinks=False))
        except OSError:
            return False

    def close(self) -> None:
        """Let others work on the target."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def digest(self, each: Object, values: Mapping[str, Secret[bytes]]) -> Digests:
        """Return the digests of an object's values; equal values of other keys or objects have other digests."""
        return {key: self.digest_of(each, key, value.expose()) for key, value in values.items()}

    def digest_of(self, each: Object, key: str, content: bytes) -> str:
        """Return the digest of one value."""
        name = "\0".join((*each, key, "")).encode("utf-8", "surrogateescape")
        return hmac.new(self._key.expose(), name + content, hashlib.sha256).hexdigest()

    def save(self) -> None:
        """Write the entries, whole or not at all.

        Raises:
            SourceError
        """
        objects = [
            {
                **each._asdict(),
                **{name: value for name, value in entry._asdict().items() if name != "pending" or value is not None},
            }
            for each, entry in sorted(self.entries.items())
        ]
        text = json.dumps({"schema": _SCHEMA, "objects": objects}, indent=1) + "\n"
        files.replace(self._path("inventory.json"), text.encode(), mode=files.PRIVATE)

    def _path(self, name: str) -> str:
        return os.path.join(self._folder, name)

    def _take_lock(self) -> None:
        problem = None
        hint = None
        try:
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            self._lock = os.open(self._path("lock"), flags, files.PRIVATE)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            problem, hint = "another sealpy reconcile works on it", "let one process at a time serve a folder"
        except OSError as error:
            problem = (error.strerror or "it cannot be written to").lower()
        if problem:
            self.close()
            raise SourceError(f"{os.path.dirname(self._folder)}: {problem}", hint=hint)

    def _read_key(self) -> Secret[bytes]:
        try:
            key = files.read(self._path("key"), _KEY_BYTES + 1)
        except NoSuchFile:
            key = os.urandom(_KEY_BYTES)
            if not self._read_only:
                files.create(self._path("key"), key)
        if len(key) != _KEY_BYTES:
            raise self._damaged("key")
        return Secret(key)

    def _read_entries(self) -> dict[Object, Entry]:
        try:
            text = files.read(self._path("inventory.json"), _MAX_BYTES)
        except NoSuchFile:
            return {}
        try:
            content = json.loads(text)
            if content["schema"] == _SCHEMA:
                return dict(_entry(one) for one in content["objects"])
        except (ValueError, KeyError, TypeError, AttributeError):
            pass
        raise self._damaged("inventory.json")

    def _damaged(self, name: str) -> SourceError:
        return SourceError(
            f"{self._path(name)} is damaged",
            hint=f"delete {self._folder}: what runs stays, and is taken over where it is as the source has it",
        )


def _entry(one: Mapping[str, Any]) -> tuple[Object, Entry]:
    each = Object(*(_text(one[name]) for name in Object._fields))
    if each.problem:
        # It becomes a path, of which things are removed.
        raise ValueError
    file, source, commit = (_text(one[name]) for name in ("file", "source", "commit"))
    return each, Entry(file, source, commit, _digests(one["applied"]), _digests(one.get("pending")))


def _digests(value: object) -> Digests | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise TypeError
    return {_text(key): _text(digest) for key, digest in value.items()}


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
