"""What a Kubernetes manifest is: which objects a document holds, and which values its workloads get.

Only leaves go in, in clear; nothing here talks to a cluster. A Secret's ``data`` is decoded and its ``stringData``
wins, as in the API server, so that two ways to write one object are one object.
"""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from sealpy import data
from sealpy.document import Leaf, Path
from sealpy.errors import DocumentError
from sealpy.values import decode_base64

_MERGE = "<<"
_SECRET_LIKE = frozenset(("Secret", "ConfigMap"))
SECTIONS = frozenset(("data", "stringData", "binaryData"))
"""Where an object has its values."""
_ENCODED = frozenset((("Secret", "data"), ("ConfigMap", "binaryData")))
_FIELDS: dict[Path, str] = {
    ("apiVersion",): "api_version",
    ("kind",): "kind",
    ("metadata", "namespace"): "namespace",
    ("metadata", "name"): "name",
}
NAMING = frozenset(_FIELDS)
"""What names an object."""

_TEXT_MAPS = frozenset((("metadata", "labels"), ("metadata", "annotations")))
_KEY = re.compile(r"(?!\.{1,2}$|\.\.)[-._a-zA-Z0-9]{1,253}")
_NAMES = {
    "int": "a number",
    "float": "a number",
    "bool": "true or false",
    "time": "a date",
    "null": "null",
    "map": "a map",
    "list": "a list",
}

_Row = tuple[Path, Leaf]
_Rest = tuple[Path, int, Leaf]


class Manifest(NamedTuple):
    """An object in a document; what is not written there is empty."""

    document: int
    prefix: Path
    """Where it stands in its document: (), or ("items", n) in a List."""
    api_version: str
    kind: str
    namespace: str
    name: str
    span: tuple[int, int]
    """The range of its leaves among those it was found in."""


class Value(NamedTuple):
    """What a workload gets for one key."""

    content: bytes
    field: str
    """Where it is written: data, stringData or binaryData."""
    leaf: Leaf

    def __repr__(self) -> str:
        return f"<Value of {self.field}>"


class _Head:
    """What is known of an object while its leaves go by."""

    __slots__ = ("api_version", "first", "kind", "last", "name", "namespace")

    def __init__(self, first: int) -> None:
        self.api_version = self.kind = self.namespace = self.name = ""
        self.first = self.last = first


def manifests(leaves: Sequence[Leaf]) -> tuple[Manifest, ...]:
    """Return the objects of all documents, in order; of a List, its items."""
    found = []
    for document, prefix, head in _objects(leaves):
        if head.api_version and head.kind:
            span = head.first, head.last
            found.append(Manifest(document, prefix, head.api_version, head.kind, head.namespace, head.name, span))
    return tuple(found)


def is_secret_like(manifest: Manifest) -> bool:
    """Tell whether this is a Secret or a ConfigMap of the core API."""
    return manifest.api_version == "v1" and manifest.kind in _SECRET_LIKE


def is_encoded(kind: str, field: str) -> bool:
    """Tell whether values there are written in base64."""
    return (kind, field) in _ENCODED


def has_section(kind: str, field: str) -> bool:
    """Tell whether a Secret or ConfigMap has values there."""
    return field in ("data", "stringData" if kind == "Secret" else "binaryData")


def is_key(text: str) -> bool:
    """Tell whether Kubernetes takes this for the key of a Secret or ConfigMap."""
    return _KEY.fullmatch(text) is not None


def default_selection_applies(leaves: Sequence[Leaf]) -> bool:
    """Tell whether there is nothing but Secrets and ConfigMaps, so that sealing more than values would break them."""
    heads = [head for _, _, head in _objects(leaves)]
    return bool(heads) and all(head.api_version == "v1" and head.kind in _SECRET_LIKE for head in heads)


def holds_secret(leaves: Sequence[Leaf]) -> bool:
    """Tell whether there is a Secret with a value in it."""
    return any(
        row[0][0] in SECTIONS and row[1].content
        for manifest in manifests(leaves)
        if manifest.kind == "Secret" and is_secret_like(manifest)
        for row in _rows(leaves, manifest)
    )


def sections(leaves: Sequence[Leaf], manifest: Manifest) -> dict[str, str]:
    """Return where each value of an object is written; of a key in two sections, the one that counts."""
    rows = [path for path, _ in _rows(leaves, manifest) if len(path) == 2 and path[0] in SECTIONS]
    return {str(key): str(field) for field, key in sorted(rows, key=lambda path: path[0] == "stringData")}


def effective(leaves: Sequence[Leaf], manifest: Manifest) -> dict[str, Value]:
    """Return what the running object holds for each key; ``stringData`` wins over ``data``.

    Raises:
        DocumentError: the API server would not take it: not base64, not text, not a key; named without its value.
    """
    if not is_secret_like(manifest):
        raise DocumentError(f"{_label(manifest)} is neither a Secret nor a ConfigMap")
    other = "stringData" if manifest.kind == "Secret" else "binaryData"
    found: dict[str, dict[str, Value]] = {"data": {}, other: {}}
    for path, leaf in _rows(leaves, manifest):
        field = path[0]
        if field not in SECTIONS or (len(path) == 1 and leaf.kind in ("map", "null")):
            continue
        if field not in found:
            raise DocumentError(f"{_label(manifest)} has no {field}", hint=f"write it under data or {other}")
        name = ".".join(map(str, path))
        if len(path) != 2 or type(path[1]) is int:
            what = "a map or a list" if len(path) > 1 else _NAMES.get(leaf.kind, "text")
            raise DocumentError(f"{name} of {_label(manifest)} holds {what}", hint=f"{field} takes keys with text")
        key = str(path[1])
        if not _KEY.fullmatch(key):
            raise DocumentError(
                f"{name} of {_label(manifest)} is no name for a key", hint="letters, digits, -, _ and . are"
            )
        found[str(field)][key] = Value(_content(manifest, name, leaf), str(field), leaf)
    both = found["data"].keys() & found[other].keys()
    if both and manifest.kind == "ConfigMap":
        raise DocumentError(f"{min(both)} of {_label(manifest)} stands in data and in binaryData", hint="keep one")
    return found["data"] | found[other]


def object_json(leaves: Sequence[Leaf], manifest: Manifest) -> dict[str, Any]:
    """Return the object as plain JSON data, without the values that ``effective`` gives.

    Raises:
        DocumentError: a label, an annotation, the type or ``immutable`` is of the wrong kind.
    """
    kept = []
    for path, leaf in _rows(leaves, manifest):
        if path[0] in SECTIONS:
            continue
        wanted = "str" if path[:2] in _TEXT_MAPS or path == ("type",) else "bool" if path == ("immutable",) else ""
        if wanted and leaf.kind not in (wanted, "null") and path not in _TEXT_MAPS:
            raise DocumentError(
                f"{'.'.join(map(str, path))} of {_label(manifest)} is {_NAMES.get(leaf.kind, 'text')}",
                hint="put it in quotes" if wanted == "str" else "write true or false without quotes",
            )
        kind = "str" if leaf.kind == "time" else leaf.kind
        kept.append(leaf._replace(path=path, kind=kind, document=0))
    return data.documents(kept, 1)[0]


def _content(manifest: Manifest, name: str, leaf: Leaf) -> bytes:
    """Return the bytes behind one key. Null is an empty value to the API server."""
    encoded = (manifest.kind, name.partition(".")[0]) in _ENCODED
    if leaf.kind not in ("str", "null"):
        hint = "put it in quotes under stringData" if encoded and manifest.kind == "Secret" else "put it in quotes"
        raise DocumentError(f"{name} of {_label(manifest)} is {_NAMES.get(leaf.kind, 'no text')}", hint=hint)
    if encoded:
        content = decode_base64(leaf.content)
        if content is None:
            clear = "stringData" if manifest.kind == "Secret" else "data"
            raise DocumentError(
                f"{name} of {_label(manifest)} is not base64", hint=f"write the text itself under {clear}"
            )
        return content
    try:
        return leaf.content.encode()
    except UnicodeEncodeError:
        bytes_go_to = "data" if manifest.kind == "Secret" else "binaryData"
    raise DocumentError(f"{name} of {_label(manifest)} is not text", hint=f"bytes go under {bytes_go_to}, as base64")


def _label(manifest: Manifest) -> str:
    return f"{manifest.kind} {manifest.name}" if manifest.name else f"a {manifest.kind} without a name"


def _objects(leaves: Sequence[Leaf]) -> list[tuple[int, Path, _Head]]:
    """Find what should be an object: every document, or instead of a List its items."""
    roots: dict[int, _Head] = {}
    items: dict[int, dict[Path, _Head]] = {}
    for index, path, leaf in _numbered(leaves):
        document = leaf.document
        root = roots.get(document)
        if root is None:
            root = roots[document] = _Head(index)
        head, tail = root, path
        root.last = index + 1
        if path[0] == "items" and len(path) > 1 and type(path[1]) is int:
            below = items.setdefault(document, {})
            head = below.get(path[:2]) or below.setdefault(path[:2], _Head(index))
            head.last = index + 1
            tail = path[2:]
        if tail in _FIELDS and leaf.kind == "str":
            setattr(head, _FIELDS[tail], leaf.content)
    found: list[tuple[int, Path, _Head]] = []
    for document, root in roots.items():
        if not root.kind.endswith("List"):
            found.append((document, (), root))
            continue
        for prefix, item in items.get(document, {}).items():
            # The API server leaves these out of the items of a SecretList.
            item.api_version = item.api_version or root.api_version
            item.kind = item.kind or root.kind.removesuffix("List")
            found.append((document, prefix, item))
    return found


def _rows(leaves: Sequence[Leaf], manifest: Manifest) -> list[_Row]:
    """Return an object's leaves, comments apart."""
    first, last = manifest.span
    depth = len(manifest.prefix)
    return [
        (path[depth:], leaf)
        for _, path, leaf in _numbered(leaves[first:last])
        if leaf.document == manifest.document and path[:depth] == manifest.prefix and len(path) > depth
    ]


def _numbered(leaves: Sequence[Leaf]) -> list[tuple[int, Path, Leaf]]:
    """Return all leaves but the comments, with their positions, and with YAML's merge keys applied."""
    rows = [(index, leaf.path, leaf) for index, leaf in enumerate(leaves) if leaf.kind != "comment" and leaf.path]
    if not any(_MERGE in path for _, path, _ in rows):
        return rows
    documents: dict[int, list[_Rest]] = {}
    for index, path, leaf in rows:
        documents.setdefault(leaf.document, []).append((path, index, leaf))
    try:
        return sorted((index, path, leaf) for part in documents.values() for path, index, leaf in _merged(part))
    except RecursionError:
        pass
    raise DocumentError("merge keys are nested too deeply")


def _merged(rest: list[_Rest]) -> list[_Rest]:
    """Apply the merge keys of one map or list, and below it.

    A key of one's own wins over a merged one, the first of several bases over the later ones, and what wins does
    so with all that is below it.
    """
    own: dict[str | int, list[_Rest]] = {}
    bases: dict[int, list[_Rest]] = {}
    for path, index, leaf in rest:
        if not path:
            return rest
        if path[0] != _MERGE:
            own.setdefault(path[0], []).append((path[1:], index, leaf))
        elif len(path) > 1 and type(path[1]) is int:
            bases.setdefault(path[1], []).append((path[2:], index, leaf))
        else:
            bases.setdefault(0, []).append((path[1:], index, leaf))
    result = [((key, *path), index, leaf) for key, part in own.items() for path, index, leaf in _merged(part)]
    for _, base in sorted(bases.items()):
        taken = {path[0] for path, _, _ in result}
        result.extend(row for row in _merged(base) if row[0] and row[0][0] not in taken)
    return result
