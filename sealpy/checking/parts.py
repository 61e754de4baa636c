"""Whether parts fit the file that they are parts of, as far as can be told without a key.

Which object a part is of, and which keys it holds, stands in clear.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sealpy import claims, metadata
from sealpy.checking.findings import Finding
from sealpy.claims import Claim, Owner
from sealpy.document import Document, line_and_column
from sealpy.errors import DocumentError, InvalidMetadata, Refused, SealpyError
from sealpy.project import Project
from sealpy.rules import CreationRule


class Piece(NamedTuple):
    """A file, or a part of it, and the rule that it is sealed by, if there is one."""

    path: str
    document: Document | None
    rule: CreationRule | None
    problem: str = ""
    """Why there is no document."""


def check(base: Piece, pieces: Sequence[Piece], project: Project) -> Iterator[Finding]:
    """Compare the parts of a file with each other and with the file."""
    if base.document is None or not claims.takes_parts(base.document):
        return  # what cannot be read is a finding of its own
    leaves = base.document.leaves
    taken: dict[tuple[Owner, str], str] = {}
    for piece in pieces:
        yield from _readers(base, piece, project)
        claimed = _claim(piece)
        if not isinstance(claimed, Claim):
            yield _unfit(base.path, piece.path, claimed)
            continue
        document = piece.document or base.document
        for key, leaf in claimed.values.items():
            line = line_and_column(document.text, leaf.start)[0]
            other = taken.setdefault((claimed.owner, key), piece.path)
            if other != piece.path:
                message = f"{other} and this part both hold {key}: remove one of the two"
                yield Finding("SP408", piece.path, message, line, key)
                continue
            try:
                _, replaces = claims.seat(leaves, claims.target(leaves, piece.path, claimed.owner), key)
            except (DocumentError, Refused) as error:
                yield _unfit(base.path, piece.path, error.message)._replace(line=line, key=key)
                continue
            if replaces:
                message = f"it replaces the value of {key}, which whoever wrote the part could perhaps not read"
                yield Finding("SP315", piece.path, message, line, key)


def orphans(base: str, pieces: Sequence[Piece]) -> Iterator[Finding]:
    """Find parts whose file is gone: nothing reads them, or takes them for whole objects."""
    for piece in pieces:
        claimed = _claim(piece)
        if isinstance(claimed, Claim) and claims.is_orphan(piece.path, claimed):
            message = f"it is a part of {base}, which is gone: bring that back, or remove the part with it"
            yield Finding("SP408", piece.path, message, key=next(iter(claimed.values)))


def _claim(piece: Piece) -> Claim | str:
    if piece.document is None:
        return piece.problem
    try:
        return claims.claim(piece.path, piece.document)
    except SealpyError as error:
        return error.message


def _unfit(base: str, path: str, problem: str) -> Finding:
    return Finding("SP408", path, f"{base} cannot be used while this stands among its parts: {problem}")


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
    block = None if piece.document is None else piece.document.metadata
    try:
        found = () if block is None else metadata.parse(block).master_keys()
    except InvalidMetadata:
        return []
    return list(dict.fromkeys(key.label.strip() for key in found))
