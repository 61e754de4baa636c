"""A file and its parts, read as one: what a part holds stands in the place of what its base has for that key.

Whoever can push can write a part: it needs no key of the base, and nothing vouches for who wrote it.
"""

from collections.abc import Sequence

from sealpy import kubernetes
from sealpy.comparison.sides import Origin, Side
from sealpy.document import Leaf, Path
from sealpy.kubernetes import Manifest

Name = tuple[str, str, str]


def fits(base: Side, part: Side) -> bool:
    """Tell whether a version of a file is a part of a version of another."""
    objects = _objects(part)
    if len(objects) != 1 or part.document is None or part.document.documents != 1:
        return False
    rows = [leaf for leaf in part.leaves if leaf.kind != "comment"]
    values = [leaf for leaf in rows if _is_value(leaf, objects[0])]
    named = [leaf for leaf in rows if objects[0] is not None and leaf.path in kubernetes.NAMING]
    if not values or len(values) + len(named) < len(rows):
        return False
    here = [one and _name(one) for one in _objects(base)]
    return (objects[0] and _name(objects[0])) in here


def join(base: Side, parts: Sequence[tuple[bytes, Side]]) -> Side:
    """Put the values of parts, which fit, into their base."""
    leaves, sealed = list(base.leaves), list(base.sealed) or [""] * len(base.leaves)
    closed, exposed, origins = set(base.closed), set(base.exposed), dict(base.origins)
    faults = list(base.faults)
    state = base.state
    for path, part in parts:
        target = _objects(part)[0]
        into = next((one for one in _objects(base) if one and target and _name(one) == _name(target)), None)
        shown = path.decode("utf-8", "surrogateescape")
        faults += [fault._replace(message=f"{shown}: {fault.message}") for fault in part.faults]
        state = part.state if part.state in ("opaque", "unreadable") and state != "unreadable" else state
        for index, leaf in enumerate(part.leaves):
            if not _is_value(leaf, target):
                continue
            place = _place(leaves, leaf, into)
            replaces = place < len(leaves)
            moved = _moved(leaf, into)
            if replaces:
                leaves[place], sealed[place] = moved, part.sealed[index]
            else:
                leaves.append(moved)
                sealed.append(part.sealed[index])
            origins[place] = Origin(path, replaces)
            for mine, theirs in ((closed, part.closed), (exposed, part.exposed)):
                mine.discard(place)
                if index in theirs:
                    mine.add(place)
    return base._replace(
        state=state,
        leaves=leaves,
        sealed=sealed,
        closed=frozenset(closed),
        exposed=frozenset(exposed),
        origins=origins,
        faults=tuple(faults),
    )


def _objects(side: Side) -> list[Manifest | None]:
    """Return the Secrets and ConfigMaps of a version; None stands for a document that is no Kubernetes object."""
    found = kubernetes.manifests(side.leaves)
    return [one for one in found if kubernetes.is_secret_like(one)] if found else [None]


def _name(manifest: Manifest) -> Name:
    return manifest.kind, manifest.namespace, manifest.name


def _is_value(leaf: Leaf, target: Manifest | None) -> bool:
    if leaf.kind == "comment":
        return False
    return len(leaf.path) == 1 if target is None else len(leaf.path) == 2 and leaf.path[0] in kubernetes.SECTIONS


def _place(leaves: Sequence[Leaf], value: Leaf, into: Manifest | None) -> int:
    """Return the position of the base's value for a key, or the end; of a key in both sections, stringData's counts."""
    prefix: Path = into.prefix if into is not None else ()
    document = into.document if into is not None else 0
    sections = (value.path[0], "stringData", "data", "binaryData") if into is not None else ()
    wanted = [(*prefix, section, value.path[1]) for section in sections] or [value.path]
    for path in wanted:
        for index, leaf in enumerate(leaves):
            if leaf.path == path and leaf.document == document and leaf.kind != "comment":
                return index
    return len(leaves)


def _moved(value: Leaf, into: Manifest | None) -> Leaf:
    if into is None:
        return value
    return value._replace(path=(*into.prefix, *value.path), document=into.document)
