"""From the content of a file to the objects it wants, decrypted in memory.

The MAC is always verified. A file counts as a whole: if anything in it is wrong, nothing of it is used.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sealpy import kubernetes, registry, sealing
from sealpy.document import Leaf
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
        _desired(path, leaves, sealed, manifest)
        for manifest in kubernetes.manifests(leaves)
        if kubernetes.is_secret_like(manifest)
    ]


def _desired(path: str, leaves: Sequence[Leaf], sealed: frozenset[int], manifest: Manifest) -> Desired:
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
    return Desired(each, {key: Secret(value.content) for key, value in found.items()}, path, in_clear)
