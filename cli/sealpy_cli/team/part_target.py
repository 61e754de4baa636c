"""The sealed file that a key is added to, and the part for that key if there is one."""

import os
import shlex
from typing import NamedTuple

from sealpy import operations, parts
from sealpy.document import Document, Leaf
from sealpy.encrypted_value import looks_sealed
from sealpy.errors import DataKeyUnavailable, DocumentError, NotEncrypted, Refused
from sealpy.formats import Format
from sealpy.kubernetes import NAMING, Manifest, manifests
from sealpy.metadata import Metadata
from sealpy.parts import Owner
from sealpy.sealing import Opened
from sealpy_cli.exit_codes import FAILED, NO_FILE, Stop
from sealpy_cli.session import Session

_FORMATS = ("yaml", "json", "dotenv")


class Target(NamedTuple):
    """A sealed file, opened if a key does, and the object in it that gets the value."""

    path: str
    raw: bytes
    format: Format
    metadata: Metadata
    opened: Opened | None
    leaves: tuple[Leaf, ...]
    owner: Owner
    manifest: Manifest | None


def read(session: Session, file: str, object_name: str | None) -> Target:
    """Read a file, open it if a key here does, and find the object.

    Raises:
        SealpyError
    """
    if not os.path.lexists(file):
        hint = f"write the whole file, then: {shlex.join(['sealpy', 'encrypt', '-i', file])}"
        raise Stop(NO_FILE, f"{file}: no such file, so there is nothing to put a key into", hint=hint)
    raw = session.read(file, missing=NO_FILE)
    fmt = session.format_of(file)
    if fmt.name not in _FORMATS:
        raise Refused(f"{file} can have no keys added", hint="files of YAML, JSON and dotenv can")
    document, metadata, opened = _opened(session, file, raw, fmt)
    leaves = tuple(opened.leaves if opened is not None else document.leaves)
    if opened is None and any(looks_sealed(name) for one in manifests(leaves) for name in one[2:6]):
        raise Refused(
            f"{file} hides what object it holds, so only who reads it can add to it",
            hint="encrypted_regex: ^(data|stringData|binaryData)$ in its rule leaves names in clear",
        )
    found = [pair for pair in parts.owners(leaves) if object_name in (None, pair[0].name)]
    if len(found) != 1 or (found[0][1] is None and document.documents > 1):
        fact = "holds no such Secret or ConfigMap" if not found else "holds several objects"
        raise Refused(f"{file} {fact}", hint="--name NAME chooses among several")
    return Target(file, raw, fmt, metadata, opened, leaves, *found[0])


def _opened(session: Session, file: str, raw: bytes, fmt: Format) -> tuple[Document, Metadata, Opened | None]:
    """Read a sealed file, and open it if a key here does; it must not be damaged."""
    try:
        document, metadata = operations.scan_sealed(raw, fmt)
        try:
            return document, metadata, operations.open_document(raw, fmt, session.keyring)
        except DataKeyUnavailable:
            return document, metadata, None
    except NotEncrypted:
        pass
    except DocumentError as error:
        error.path = error.path or file
        raise
    raise Stop(FAILED, f"{file}: is not encrypted", hint=f"sealpy encrypt -i {file}")


def standing(session: Session, target: Target, key: str, part: str) -> bytes | None:
    """Return the part that is there; it must be one for this key, and no more.

    Raises:
        Refused
    """
    if not os.path.lexists(part):
        return None
    data = session.read(part)
    found: list[Owner] = []
    try:
        document, _ = operations.scan_sealed(data, target.format)
        rows = [leaf.path for leaf in document.leaves if leaf.kind != "comment" and leaf.path not in NAMING]
        if [str(path[-1]) for path in rows] == [key]:
            found = [owner for owner, _ in parts.owners(document.leaves)]
    except DocumentError:
        pass
    if found == [target.owner]:
        return data
    if len(found) == 1:
        raise Refused(
            f"{part} holds {key} of {found[0]} already, and there is one part for a key, whatever object it is of",
            hint=f'have somebody who reads {target.path} run "{shlex.join(["sealpy", "fold", target.path])}" before',
        )
    raise Refused(f"{part} is there, and is no part for {key} alone", hint="move it out of the way")
