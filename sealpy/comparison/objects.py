"""The objects of a document, and which object of the new version is which of the old.

A Kubernetes object is known by kind, namespace and name, wherever it stands in the stream or in a List; anything
else by its number in the stream.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sealpy import kubernetes
from sealpy.changeset import Identity
from sealpy.comparison.sides import Side
from sealpy.document import Path
from sealpy.encrypted_value import PREFIX

_SHAPED = ("yaml", "json")
_SECTIONS = ("data", "stringData")
_ENCODED = frozenset((("Secret", "data"), ("ConfigMap", "binaryData")))
_WELL_KNOWN = ("Secret", "ConfigMap")
_HIDDEN = "(encrypted)"
_LAST_APPLIED = ("metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration")

_Place = tuple[int, Path]
"""The number of a document, and the path of an object in it."""


class Part(NamedTuple):
    """One object of a document: its leaves, by their position, with their paths below it.

    ``name`` is what it is matched by; in ``identity``, which is shown, what stands sealed in the file is left out.
    """

    name: tuple[str, str, str]
    identity: Identity
    root: Path
    leaves: Sequence[int]
    paths: Sequence[Path]

    def decodes(self, path: Path) -> bool:
        """Tell whether the value at a path is base64 of what the workload gets."""
        return len(path) == 2 and (self.name[0], path[0]) in _ENCODED

    def is_secret(self, path: Path) -> bool:
        """Tell whether a value in clear is a secret by its place."""
        if self.name[0] != "Secret" or not path:
            return False
        return (len(path) > 1 and path[0] in _SECTIONS) or path == _LAST_APPLIED


def parts(side: Side) -> list[Part]:
    """Take a version apart into its objects, in order."""
    leaves = side.leaves
    found: dict[_Place, kubernetes.Manifest] = {}
    if side.format in _SHAPED:
        for one in kubernetes.manifests(leaves):
            # Where even the kind is sealed and no key opens it, this is a document like any other.
            if not one.kind.startswith(PREFIX) and not one.api_version.startswith(PREFIX):
                found[one.document, one.prefix] = one
    depths = sorted({len(prefix) for _, prefix in found} - {0}, reverse=True)
    members: dict[_Place, list[int]] = {}
    for index, leaf in enumerate(leaves):
        place: _Place = (leaf.document, ())
        for depth in depths:
            if (leaf.document, leaf.path[:depth]) in found:
                place = (leaf.document, leaf.path[:depth])
                break
        members.setdefault(place, []).append(index)
    return [_part(side, place, indices, found.get(place)) for place, indices in members.items()]


def _part(side: Side, place: _Place, indices: Sequence[int], manifest: kubernetes.Manifest | None) -> Part:
    document, root = place
    depth = len(root)
    paths = [side.leaves[index].path[depth:] for index in indices]
    if manifest is None:
        return Part(("", "", ""), Identity("", "", "", document), root, indices, paths)
    sealed: set[Path] = set()
    if side.sealed:
        sealed = {path for index, path in zip(indices, paths, strict=True) if side.sealed[index]}
    namespace = manifest.namespace if ("metadata", "namespace") not in sealed else _HIDDEN
    name = manifest.name if ("metadata", "name") not in sealed else _HIDDEN
    kind = manifest.kind if ("kind",) not in sealed or manifest.kind in _WELL_KNOWN else _HIDDEN
    return Part(
        (manifest.kind, manifest.namespace, manifest.name),
        Identity(kind, namespace, name, document, manifest.api_version if ("apiVersion",) not in sealed else _HIDDEN),
        root,
        indices,
        paths,
    )


def holds_clear_secret(side: Side, found: Iterable[Part]) -> bool:
    """Tell whether a value of a Kubernetes Secret stands in clear."""
    return any(
        part.is_secret(path) and bool(side.leaves[index].content) and not side.sealed[index]
        for part in found
        for index, path in zip(part.leaves, part.paths, strict=True)
    )


def match(old: Sequence[Part], new: Sequence[Part]) -> list[tuple[Part | None, Part | None]]:
    """Pair objects: the same identity first, then the only ones left of a kind, then those at one place.

    New order; what was removed stands at the end.
    """
    partners: dict[int, int] = {}
    for key, alone in ((_name, False), (_kind, True), (_place, False)):
        waiting: dict[object, list[int]] = {}
        taken = set(partners.values())
        for index, part in enumerate(old):
            if index not in taken:
                waiting.setdefault(key(part), []).append(index)
        asking: dict[object, list[int]] = {}
        for index, part in enumerate(new):
            if index not in partners:
                asking.setdefault(key(part), []).append(index)
        for sought, indices in asking.items():
            offered = waiting.get(sought, [])
            if not alone or len(indices) == len(offered) == 1:
                partners.update(zip(indices, offered, strict=False))
    taken = set(partners.values())
    pairs: list[tuple[Part | None, Part | None]] = [
        (old[partners[index]] if index in partners else None, part) for index, part in enumerate(new)
    ]
    return [*pairs, *((part, None) for index, part in enumerate(old) if index not in taken)]


def _name(part: Part) -> object:
    # A document without a name of its own is known by where it stands.
    return part.name if part.name[0] else _place(part)


def _kind(part: Part) -> object:
    return part.name[0]


def _place(part: Part) -> object:
    return part.name[0], part.identity.document, part.root
