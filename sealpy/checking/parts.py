"""Whether parts fit the file that they are parts of, as far as can be told without a key.

Which object a part is of, and which keys it holds, stands in clear.
"""

from collections.abc import Iterator, Sequence

from sealpy import kubernetes
from sealpy.checking.findings import Finding
from sealpy.document import Document, Leaf, line_and_column

_VALUES = frozenset(("data", "stringData", "binaryData"))

_Owner = tuple[str, str, str]
_Place = tuple[_Owner, str]
_NO_OBJECT: _Owner = ("", "", "")


def check(base: Document, parts: Sequence[tuple[str, Document]]) -> Iterator[Finding]:
    """Compare the parts of a file, each with its path, with each other and with the file."""
    standing = keys_of(base)
    owners = {owner for owner, _ in standing} or {_NO_OBJECT}
    taken: dict[_Place, str] = {}
    for path, document in parts:
        for place, leaf in keys_of(document).items():
            owner, key = place
            line = line_and_column(document.text, leaf.start)[0]
            other = taken.setdefault(place, path)
            if other != path:
                message = f"{other} and this part both hold {key}: remove one of the two"
                yield Finding("SP408", path, message, line, key)
            elif owner not in owners:
                what = " ".join(word for word in owner if word) or "no object"
                yield Finding("SP408", path, f"it is a part of {what}, which its file does not hold", line, key)
            elif place in standing:
                message = f"it replaces the value of {key}, which whoever wrote the part could perhaps not read"
                yield Finding("SP315", path, message, line, key)


def keys_of(document: Document) -> dict[_Place, Leaf]:
    """Return where values are, by object (kind, namespace and name; empty without one) and key."""
    leaves = [leaf for leaf in document.leaves if leaf.kind != "comment" and leaf.path]
    manifests = kubernetes.manifests(document.leaves)
    if not manifests:
        return {(_NO_OBJECT, str(leaf.path[0])): leaf for leaf in leaves}
    found = {}
    for manifest in manifests:
        owner = (manifest.kind, manifest.namespace, manifest.name)
        depth = len(manifest.prefix)
        for leaf in leaves:
            if leaf.document != manifest.document or leaf.path[:depth] != manifest.prefix:
                continue
            rest = leaf.path[depth:]
            if len(rest) > 1 and rest[0] in _VALUES:
                found[owner, str(rest[1])] = leaf
    return found
