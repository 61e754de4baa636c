"""From the content of a file to the objects it wants, decrypted in memory.

The MAC is always verified. A file counts as a whole: if anything in it is wrong, nothing of it is used.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import NamedTuple

from sealpy import claims, kubernetes, part_folder, parts, registry, sealing
from sealpy.document import Document, Leaf
from sealpy.encrypted_value import looks_sealed
from sealpy.errors import DocumentError, SealpyError
from sealpy.keyring import Keyring
from sealpy.kubernetes import Manifest
from sealpy.metadata import parse
from sealpy.secret import Secret
from sealpy_controller import manifest_files
from sealpy_controller.faults import Fault, of_error
from sealpy_controller.objects import Object

DEFAULT_NAMESPACE = "default"
"""Where an object goes that names no namespace, as with kubectl."""


class Desired(NamedTuple):
    """An object with its values, as its file wants it."""

    object: Object
    values: Mapping[str, Secret[bytes]]
    file: str
    in_clear: bool
    """It is a Secret of which a value stands in the file for everybody to read."""
    document: Document
    """The whole file, as it stands."""
    leaves: Sequence[Leaf]
    """Those of the whole file, in clear."""


def read_file(path: str, data: bytes, keyring: Keyring) -> list[Desired] | Fault:
    """Read the Secrets and ConfigMaps of a file, sealed or clear."""
    try:
        return _read(path, data, keyring)
    except SealpyError as error:
        return of_error(error, path)
    except Exception as error:  # noqa: BLE001 - one hostile file must not stop the others; a foreign text may quote it
        kind = type(error).__name__
    return Fault(
        "InternalError", f"internal error: {kind}", "please report this; nothing of the file is in it", (path,)
    )


def merge(found: Iterable[Desired]) -> tuple[dict[Object, Desired], list[Fault]]:
    """Bring the objects of all files together; one that stands in several places is a fault, and left out."""
    places: dict[Object, list[Desired]] = {}
    for one in found:
        places.setdefault(one.object, []).append(one)
    faults = [
        Fault(
            "DuplicateObject",
            f"{each} is defined more than once",
            "keep one of them; objects without a namespace are all in the same one",
            tuple(dict.fromkeys(one.file for one in several)),
            (each,),
        )
        for each, several in places.items()
        if len(several) > 1
    ]
    return {each: several[0] for each, several in places.items() if len(several) == 1}, faults


def with_parts(
    found: Sequence[Desired], faults: Sequence[Fault], files: Container[str], known: Container[str] = ()
) -> tuple[list[Desired], list[Fault]]:
    """Put the values of parts into the objects of their bases.

    ``files`` are all paths of the source, ``known`` those that objects were applied from before. A file in a folder
    like ``secrets.d`` is a part if ``secrets.yaml`` stands beside the folder and is about Secrets and ConfigMaps;
    without a base, a file is like any other, unless its base is gone. Where a part cannot be used, no object of its
    base is: what runs may have its values.
    """
    held: dict[str, list[Desired]] = {}
    for one in found:
        held.setdefault(one.file, []).append(one)
    broken = {file for fault in faults for file in fault.files}

    def base_of(file: str) -> str | None:
        base = part_folder.base_of(file)
        return base if base in files and (base in held or base in broken) else None

    told = [
        fault._replace(objects=_at_stake(fault, [held.get(base_of(f) or "", ()) for f in fault.files]))
        for fault in faults
    ]
    pieces: dict[str, dict[str, Desired]] = {}
    for one in found:
        base = base_of(one.file)
        if base is None:
            told += _orphaned(one, files, known)
        elif base not in broken:
            pieces.setdefault(base, {})[one.file] = one
    for base, several in pieces.items():
        told += _misfits(base, held, list(several.values()))
    unusable = {each for fault in told for each in fault.objects}
    whole = [one for one in found if base_of(one.file) is None and one.object not in unusable]
    return [_joined(one, list(pieces.get(one.file, {}).values())) for one in whole], told


def of_parts(doubtful: Sequence[Fault], found: Sequence[Desired], files: Container[str]) -> list[Fault]:
    """Return those of files that should be parts: their bases hold objects, which must not be applied without them."""
    bases = {one.file for one in found}
    return [
        fault
        for fault in doubtful
        for base in (part_folder.base_of(fault.files[0]),)
        if base in files and base in bases
    ]


def of_links(links: Iterable[str], found: Sequence[Desired]) -> list[Fault]:
    """Return a fault for each link in the place of parts, or of a part: nobody knows what is behind it."""
    held: dict[str, list[Object]] = {}
    for one in found:
        held.setdefault(one.file, []).append(one.object)
    return [
        Fault(
            "MalformedDocument", f"is a link among the parts of {base}", "put the part itself there", (link,), (*each,)
        )
        for link in links
        for base, each in held.items()
        if link == part_folder.folder_of(base) or part_folder.base_of(link) == base
    ]


def _at_stake(fault: Fault, of_bases: Sequence[Sequence[Desired]]) -> tuple[Object, ...]:
    return (*fault.objects, *(one.object for several in of_bases for one in several))


def _orphaned(one: Desired, files: Container[str], known: Container[str]) -> list[Fault]:
    """Return the fault of a part without its base: applied as an object of its own, it would cost the base's keys."""
    base = part_folder.base_of(one.file)
    if base is None:
        return []
    try:
        claimed = claims.claim(one.file, one.document)
    except SealpyError:
        return []
    if base not in known and (base in files or not claims.is_orphan(one.file, claimed)):
        return []
    hint = "bring it back or remove the part too; an object of its own belongs into another folder"
    return [Fault("MalformedDocument", f"is a part of {base}, which is gone", hint, (one.file,), (one.object,))]


def _misfits(base: str, held: Mapping[str, Sequence[Desired]], pieces: Sequence[Desired]) -> list[Fault]:
    """Return what is wrong with the parts of a base, each by itself and all together."""
    told: list[Fault] = []
    usable: list[parts.Part] = []
    objects = [one.object for one in held[base]]
    for one in pieces:
        try:
            usable.append(parts.read(one.file, one.document, one.leaves))
            parts.puts(held[base][0].leaves, usable[-1:])
        except SealpyError as error:
            strange = [each.object for each in held[one.file]]
            told.append(of_error(error, one.file)._replace(objects=(*strange, *objects)))
    if not told:
        try:
            parts.puts(held[base][0].leaves, usable)
        except SealpyError as error:
            told.append(of_error(error, base)._replace(objects=(*objects,)))
    return told


def _joined(one: Desired, pieces: Sequence[Desired]) -> Desired:
    own = [piece for piece in pieces if piece.object == one.object]
    values = dict(one.values)
    for piece in own:
        values.update(piece.values)
    return one._replace(values=values, in_clear=one.in_clear or any(piece.in_clear for piece in own))


def _read(path: str, data: bytes, keyring: Keyring) -> list[Desired]:
    if not data.strip():
        raise DocumentError("the file is empty", hint="restore it; to remove what it held, delete the file")
    fmt = registry.format_for(path)
    document = fmt.scan(fmt.decode(data))
    leaves, sealed = document.leaves, frozenset[int]()
    if document.metadata is not None:
        if not manifest_files.needs_opening(leaves):
            return []
        metadata = parse(document.metadata)
        opened = sealing.unseal(document, metadata, keyring.open(metadata))
        leaves = opened.leaves
        sealed = frozenset(leaf.start for leaf, was in zip(leaves, opened.sealed, strict=True) if was)
    return [
        _desired(path, document, leaves, sealed, manifest)
        for manifest in kubernetes.manifests(leaves)
        if kubernetes.is_secret_like(manifest)
    ]


def _desired(
    path: str, document: Document, leaves: Sequence[Leaf], sealed: frozenset[int], manifest: Manifest
) -> Desired:
    each = Object(manifest.namespace or DEFAULT_NAMESPACE, manifest.kind, manifest.name)
    if each.problem:
        raise DocumentError(
            f"the {each.problem} of a {each.kind} is missing, or no {each.problem} in Kubernetes",
            hint="lower-case letters, digits, - and in a name . are",
        )
    found = kubernetes.effective(leaves, manifest)
    for key, value in found.items():
        if looks_sealed(value.content.decode("latin-1")):
            raise DocumentError(
                f"{key} of {each} is still sealed: the file has lost its sops metadata, or was sealed twice",
                hint="take the file from its last good commit",
            )
    in_clear = each.kind == "Secret" and any(v.content and v.leaf.start not in sealed for v in found.values())
    values = {key: Secret(value.content) for key, value in found.items()}
    return Desired(each, values, path, in_clear, document, leaves)
