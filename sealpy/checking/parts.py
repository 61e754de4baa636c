"""Whether parts fit the file that they are parts of, as far as can be told without a key.

Which object a part is of, and which keys it holds, stands in clear.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sealpy import kubernetes, metadata
from sealpy.checking.findings import Finding
from sealpy.document import Document, Leaf, line_and_column
from sealpy.errors import InvalidMetadata
from sealpy.project import Project
from sealpy.rules import CreationRule

_VALUES = frozenset(("data", "stringData", "binaryData"))

_Owner = tuple[str, str, str]
_Place = tuple[_Owner, str]
_NO_OBJECT: _Owner = ("", "", "")


class Piece(NamedTuple):
    """A file, or a part of it, and the rule that it is sealed by, if there is one."""

    path: str
    document: Document
    rule: CreationRule | None


def check(base: Piece, parts: Sequence[Piece], project: Project) -> Iterator[Finding]:
    """Compare the parts of a file with each other and with the file."""
    for part in parts:
        yield from _readers(base, part, project)
    standing = keys_of(base.document)
    owners = {owner for owner, _ in standing} or {_NO_OBJECT}
    taken: dict[_Place, str] = {}
    for path, document, _ in parts:
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


def _readers(base: Piece, part: Piece, project: Project) -> Iterator[Finding]:
    """Compare who can read a part with who can read its file; they count as one, so both must open."""
    of_base, of_part = _recipients(base), _recipients(part)
    if not of_base or not of_part:
        return
    ruled_alike = base.rule is not None and base.rule is part.rule
    mend = "" if ruled_alike else f", for they have different rules: let the rule of {base.path} take it in"
    fix = "sealpy sync {path}" if ruled_alike else ""
    for labels, what in (
        ([label for label in of_part if label not in of_base], f"can read this part, and not {base.path}"),
        ([label for label in of_base if label not in of_part], f"can read {base.path}, and not this part of it"),
    ):
        if labels:
            names = ", ".join(project.shown(label) for label in labels)
            yield Finding("SP316", part.path, f"{names} {what}{mend}", fix=fix)


def _recipients(piece: Piece) -> list[str]:
    """Return the recipients of a sealed file; none where its metadata make no sense, a finding of its own."""
    block = piece.document.metadata
    try:
        found = () if block is None else metadata.parse(block).master_keys()
    except InvalidMetadata:
        return []
    return list(dict.fromkeys(key.label.strip() for key in found))


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
