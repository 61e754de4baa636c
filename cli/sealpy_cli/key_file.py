"""The key file that sops and sealpy share: identities are added to it, and nothing else of it is touched."""

import os
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from sealpy import files
from sealpy.errors import NoSuchFile, Refused
from sealpy.identities import Identities, TextIdentity, read
from sealpy.secret import Secret

_LIMIT = 1 << 24
_LOCKED = (b"age-encryption", b"-----BEGIN AGE")
_NAME = re.compile(r"# name: (.*)")
_PUBLIC = re.compile(r"# public key: (\S+)")


def path_of(identities: Identities) -> str:
    """Return the path of the key file that keys are added to.

    Raises:
        Refused: this environment has no home folder.
    """
    path = identities.key_file()
    if path is None:
        raise Refused("there is no home folder to keep a key in", hint="name a file with --output")
    return path


def entry(identity: TextIdentity, name: str = "") -> Secret[str]:
    """Spell an identity as age-keygen does, with its name above it, if it has one."""
    lines = [f"# name: {name}"] if name else []
    lines.append(f"# created: {datetime.now(UTC).strftime('%Y-%m-%dT%H:%M:%SZ')}")
    lines += [f"# public key: {recipient}" for recipient in identity.recipients]
    return Secret("\n".join([*lines, identity.text.expose(), ""]))


def add(path: str, entries: Sequence[Secret[str]]) -> None:
    """Add entries at the end of a key file, which is made if need be, readable by its owner alone.

    Raises:
        Refused: the file is locked with a passphrase, or another program changed it meanwhile.
        SourceError: it cannot be read or written.
    """
    old = _content(path)
    if old is not None and old.startswith(_LOCKED):
        raise Refused(
            f"{path} is locked with a passphrase, so nothing can be added to it", hint="name another file with --output"
        )
    start = old or b""
    if start and not start.endswith(b"\n"):
        start += b"\n"
    whole = Secret(start + b"".join(item.expose().encode() for item in entries))
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    if old is None:
        files.create(path, whole.expose())
    else:
        files.replace(path, whole.expose(), expected=old)


def held(path: str) -> set[str]:
    """Return the recipients whose identities a key file holds.

    Raises:
        KeyServiceError: it is no key file.
        SourceError: it cannot be read.
    """
    content = _content(path)
    if content is None or content.startswith(_LOCKED):
        return set()
    return {recipient for identity in read(content, path) for recipient in identity.recipients}


def names(path: str) -> Mapping[str, str]:
    """Return the names that "sealpy key new --name" wrote into a key file, by recipient."""
    content = _content(path)
    found: dict[str, str] = {}
    name = ""
    for line in (content or b"").decode("utf-8", "replace").splitlines():
        if match := _NAME.fullmatch(line):
            name = match[1]
        elif match := _PUBLIC.fullmatch(line):
            if name:
                found[match[1]] = name
        elif not line.startswith("#"):
            name = ""
    return found


def is_private(path: str) -> bool:
    """Tell whether only the file's owner can read it."""
    return not os.stat(path).st_mode & 0o077


def _content(path: str) -> bytes | None:
    try:
        return files.read(path, _LIMIT)
    except NoSuchFile:
        return None
