"""What a part is, and what it puts where, as far as can be told without a key. It is said here alone.

Decrypting, folding, the library, ``diff``, ``check`` and ``reconcile`` all ask here, so that what a review shows of a
part is what a cluster gets. Whatever is not plain is refused, for a reviewer might read it otherwise.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sealpy import kubernetes, part_folder
from sealpy.document import Document, Leaf
from sealpy.encrypted_value import looks_sealed, parse
from sealpy.errors import DocumentError, Refused
from sealpy.kubernetes import Manifest

_MERGE = "<<"


class Owner(NamedTuple):
    """The object that values belong to. All empty: the document itself, which is no Kubernetes object."""

    kind: str = ""
    namespace: str = ""
    name: str = ""

    def __str__(self) -> str:
        if not self.kind:
            return "a document that is no Kubernetes object"
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


class Claim(NamedTuple):
    """What a part says of itself, without a key: whose values it holds, and by key the leaves they stand in."""

    owner: Owner
    values: Mapping[str, Leaf]

    def __repr__(self) -> str:
        return f"<Claim on {self.owner}>"


def owners(leaves: Sequence[Leaf]) -> list[tuple[Owner, Manifest | None]]:
    """Return the Secrets and ConfigMaps of a document; of one without Kubernetes objects, the document itself."""
    manifests = kubernetes.manifests(leaves)
    if not manifests:
        return [(Owner(), None)]
    return [(owner_of(one), one) for one in manifests if kubernetes.is_secret_like(one)]


def owner_of(manifest: Manifest) -> Owner:
    """Return the name of an object."""
    return Owner(manifest.kind, manifest.namespace, manifest.name)


def takes_parts(base: Document) -> bool:
    """Tell whether what stands in the folder of a file is taken for parts of it: it is sealed, or holds such objects."""
    return base.metadata is not None or any(manifest is not None for _, manifest in owners(base.leaves))


def claim(path: str, document: Document) -> Claim:
    """Take a document, as it stands sealed, for a part.

    Raises:
        DocumentError: it is not sealed, or holds anything but the values of one object, each once, and what names it.
    """
    try:
        return _claim(document)
    except DocumentError as error:
        error.path = path
        raise


def is_orphan(path: str, claimed: Claim) -> bool:
    """Tell of what stands where a part of a missing file would, whether it is one, as ``sealpy add`` names it.

    Any other document there is taken for one of its own.
    """
    return list(claimed.values) == [part_folder.key_of(path)]


def target(base: Sequence[Leaf], path: str, owner: Owner) -> Manifest | None:
    """Return the object in a base that a part is of; None where the base is no Kubernetes object.

    Raises:
        DocumentError: the base has no such object.
        Refused: the object is not in the first document.
    """
    for each, manifest in owners(base):
        if each == owner:
            check_first(manifest)
            return manifest
    raise DocumentError(
        f"is a part of {owner}, and its base has no such object",
        hint="name the object as the base does, or put the file into another folder",
        path=path,
    )


def seat(base: Sequence[Leaf], manifest: Manifest | None, key: str) -> tuple[str, bool]:
    """Tell in which section of the base a key stands, empty if in none, and whether the base has the key at all.

    Raises:
        Refused: no value stands there, but a map or a list.
    """
    if manifest is not None:
        field = kubernetes.sections(base, manifest).get(key, "")
        return field, bool(field)
    below = [leaf.path for leaf in base if leaf.path[:1] == (key,) and leaf.kind != "comment"]
    if any(path != (key,) for path in below):
        raise Refused(f"{key} holds a map or a list, not a value", hint="change it with sealpy edit")
    return "", bool(below)


def check_first(manifest: Manifest | None) -> None:
    """Refuse an object of a later document.

    Raises:
        Refused
    """
    if manifest is not None and manifest.document:
        raise Refused(
            "only an object of the first document of a file can be added to", hint="give the object a file of its own"
        )


def _claim(document: Document) -> Claim:
    hint = "put what is no part into another folder"
    if document.metadata is None:
        raise DocumentError("a part has to be encrypted", hint=hint)
    rows = [leaf for leaf in document.leaves if leaf.kind != "comment"]
    if any(_MERGE in leaf.path for leaf in rows):
        raise DocumentError(f"a part has no merge keys ({_MERGE})", hint="write the keys themselves")
    manifests = kubernetes.manifests(rows)
    if document.documents != 1 or len(manifests) > 1 or (manifests and manifests[0].prefix):
        raise DocumentError("a part holds one object, not several", hint=hint)
    owner = owner_of(manifests[0]) if manifests else Owner()
    if manifests and any(looks_sealed(word) for word in (manifests[0].api_version, *owner)):
        raise DocumentError(
            "a part has to name its object in clear",
            hint="encrypted_regex: ^(data|stringData|binaryData)$ in its rule leaves names in clear",
        )
    if manifests and not kubernetes.is_secret_like(manifests[0]):
        raise DocumentError(f"{owner} is neither a Secret nor a ConfigMap", hint=hint)
    found: dict[str, Leaf] = {}
    for leaf in rows:
        if manifests and leaf.path in kubernetes.NAMING:
            continue
        key = leaf.path[-1] if len(leaf.path) == (2 if manifests else 1) else None
        in_place = not manifests or kubernetes.has_section(owner.kind, str(leaf.path[0]))
        if type(key) is not str or not in_place or leaf.kind in ("map", "list"):
            raise DocumentError(f"a part holds values and the name of their object, not {leaf.path[0]}", hint=hint)
        if manifests and not kubernetes.is_key(key):
            raise DocumentError(f"{key} is no name for a key", hint="letters, digits, -, _ and . make one")
        sealed = parse(leaf.content)
        if manifests and (leaf.kind if sealed is None else sealed.kind) not in ("str", "null"):
            raise DocumentError(f"the value of {key} is no text", hint="put it in quotes")
        if key in found:
            raise DocumentError(f"a part holds {key} twice", hint="remove one of the two")
        found[key] = leaf
    if not found:
        raise DocumentError("a part without a value", hint=hint)
    return Claim(owner, found)
