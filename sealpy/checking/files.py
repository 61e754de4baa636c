"""One file, looked at without a key, and with one if it is at hand."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from sealpy import conflict, kubernetes, metadata, registry, sealing
from sealpy.checking import access, integrity, mending
from sealpy.checking.findings import Finding
from sealpy.checking.mending import Tools, name_of
from sealpy.document import Document, Leaf, line_and_column
from sealpy.encrypted_value import PREFIX, looks_sealed
from sealpy.errors import (
    DocumentError,
    EmptyDocument,
    InvalidEncryptedValue,
    InvalidMetadata,
    KeyAccessError,
    MacMismatch,
)
from sealpy.formats import Format
from sealpy.metadata import Metadata
from sealpy.project import EMPTY, Project
from sealpy.rules import CreationRule
from sealpy.selection import DEFAULT, KUBERNETES, Selection, select

_VALUES = frozenset(("str", "int", "float", "bool", "time", "bytes"))
_SECRET_FIELDS = frozenset(("data", "stringData"))
# Objects that stand for secrets and hold none.
_STAND_INS = frozenset(("ExternalSecret", "ClusterExternalSecret", "SealedSecret"))
# What a template or a deployment puts a value in the place of.
_PLACEHOLDER = re.compile(r"\s*(\{\{.*\}\}|\$\{[^}]*\}|\$\([^)]*\))\s*", re.DOTALL)
_SEALED = b"ENC[AES256_GCM,"
_MOST = 20
"""Findings of one kind in one file that are listed; the rest is counted."""

_ENCRYPT = "sealpy encrypt -i {path}"
_SYNC = "sealpy sync {path}"

Standing = Literal["sealed", "clear", "broken", "other"]
Verified = Literal["yes", "no", "no key"]


class Subject(NamedTuple):
    """A file to be checked: its path, as findings name it, its bytes, and the rule that covers it, if any does."""

    path: str
    data: bytes
    rule: CreationRule | None = None
    ruled: bool = False
    """Whether there is a configuration above the file at all."""
    hidden: bool = False
    """Whether a mistake in that configuration hides the rule; it is a finding of its own."""


class Verdict(NamedTuple):
    """What became of a file. ``verified``: whether a key at hand opened it and its MAC fits."""

    standing: Standing
    findings: Sequence[Finding] = ()
    metadata: Metadata | None = None
    verified: Verified = "no"


_OTHER = Verdict("other")
_CLEAR = Verdict("clear")


def may_matter(path: str, rule: CreationRule | None) -> bool:
    """Tell by its name alone whether a file can be wrong: a rule is meant for it, or it may hold a sealed document."""
    return rule is not None or not _is_opaque(path)


def check(subject: Subject, project: Project = EMPTY, tools: Tools | None = None) -> Verdict:
    """Check one file. Nothing is raised for what is wrong with it."""
    path, data, rule = subject.path, subject.data, subject.rule
    sealed = _SEALED in data
    if not (sealed or b"sops" in data) and not _worth_parsing(path, data, rule):
        return _OTHER
    if b"<<<<<<<" in data and (sealed or (rule is not None and rule.path_regex)):
        line = conflict.line_of(data.decode("utf-8", "replace"))
        if line:
            return Verdict("broken", (_conflict(path, line),))
    fmt = registry.format_for(path)
    try:
        document = fmt.scan(fmt.decode(data))
    except EmptyDocument:
        return _OTHER
    except DocumentError as error:
        return _unreadable(subject, error, sealed=sealed)
    if document.metadata is None:
        findings = tuple(_of_clear(subject, document, fmt))
        return Verdict("clear", findings) if findings else _CLEAR
    try:
        known = metadata.parse(document.metadata)
    except InvalidMetadata as error:
        line = _block_line(document)
        return Verdict("broken", (Finding("SP406", path, f"its metadata cannot be read: {error.message}", line),))
    return _sealed(subject, document, known, fmt, project, tools)


def _sealed(
    subject: Subject, document: Document, known: Metadata, fmt: Format, project: Project, tools: Tools | None
) -> Verdict:
    path, rule = subject.path, subject.rule
    findings: list[Finding] = []
    broken = list(_limited(_half_sealed(path, document, known, rule)))
    if not broken:
        findings += _limited(_selector_holes(path, document))
    if rule is not None:
        if not findings:
            findings += _nothing_sealed(path, document, rule)
        findings += access.compare(path, known, rule, project)
    elif not subject.hidden:
        what = "no rule covers it" if subject.ruled else "there is no .sops.yaml above it"
        findings.append(Finding("SP506", path, f"it is encrypted, but {what}: nothing says who should read it"))
    findings += _limited(_clear_comments(path, document, known))
    signed = looks_sealed(known.mac)
    if not signed:
        what = "its MAC is damaged" if known.mac else "it has no MAC"
        broken.append(Finding("SP401", path, f"{what}, so anybody may have changed it", _block_line(document)))
    verified: Verified = "no"
    if tools is not None and signed:
        verified, faults = _verified(path, document, known, fmt, tools)
        # A value that stands in clear, or is damaged, was edited and does not open; what is wrong is said already.
        said = {one.key for one in broken}
        broken += [fault for fault in faults if not said or (fault.id != "SP402" and fault.key not in said)]
        if verified == "no key":
            broken = list(mending.without_key(broken, document, fmt, tools))
    return Verdict("sealed", (*broken, *findings), known, verified)


def _verified(
    path: str, document: Document, known: Metadata, fmt: Format, tools: Tools
) -> tuple[Verified, list[Finding]]:
    try:
        data_key = tools.open_key(known)
    except KeyAccessError as error:
        return "no", [Finding("SP314", path, f"a key at hand should open it, and does not: {error.message}")]
    if data_key is None:
        return "no key", _edits(path, document, known, fmt, tools) if tools.changed(path) else []
    try:
        sealing.unseal(document, known, data_key)
    except InvalidEncryptedValue as error:
        return "no", [Finding("SP402", path, error.message, fix=mending.way_back(path, tools))]
    except MacMismatch as error:
        faults = _edits(path, document, known, fmt, tools)
        return "no", faults or [
            Finding(
                "SP401",
                path,
                f"it was changed without a key: {error.message}",
                _block_line(document),
                fix=mending.RESEAL,
            )
        ]
    return "yes", []


def _edits(path: str, document: Document, known: Metadata, fmt: Format, tools: Tools) -> list[Finding]:
    found = []
    fields = integrity.edited(document, known, fmt, tools.earlier(path))
    # Nobody edits a sealed value by hand, and none is signed as it is now.
    fix = mending.way_back(path, tools) if any(field.sealed for field in fields) else mending.RESEAL
    for field in fields:
        name, leaf = name_of(field.path), field.leaf
        line = _line(document, leaf) if leaf is not None else 0
        what = "edited" if leaf is not None else "removed"
        message = f"{name} was {what} without a key: the MAC covers it and fits no more, so nothing will decrypt this"
        found.append(Finding("SP403", path, message, line, name, fix))
    return list(_limited(found))


def _half_sealed(path: str, document: Document, known: Metadata, rule: CreationRule | None) -> Iterator[Finding]:
    """Find values in clear that should be sealed, and sealed ones that nothing will open."""
    own = known.selection or DEFAULT
    leaves = document.leaves
    chosen = select(own, leaves)
    other = rule.selection if rule is not None and known.selection is not None else None
    wanted = select(other, leaves) if other is not None and other != own else chosen
    for leaf, selected, asked in zip(leaves, chosen, wanted, strict=True):
        content = leaf.content
        if content.startswith(PREFIX) and content.startswith("ENC[AES256_GCM,"):
            if selected and looks_sealed(content):
                continue
            if leaf.kind == "comment":
                continue
            name = name_of(leaf.path)
            if selected:
                message = f"the encrypted value of {name} is damaged"
                yield Finding("SP402", path, message, _line(document, leaf), name)
            else:
                message = f"the value of {name} is encrypted, but the file's rule leaves it in clear: nothing opens it"
                yield Finding("SP104", path, message, _line(document, leaf), name)
        elif (selected or asked) and content and leaf.kind in _VALUES:
            name = name_of(leaf.path)
            message = f"the value of {name} stands in clear, but the {_whose(selected)} rule wants it encrypted"
            yield Finding("SP103", path, message, _line(document, leaf), name, mending.RESEAL if selected else _SYNC)


def _nothing_sealed(path: str, document: Document, rule: CreationRule) -> Iterator[Finding]:
    """Find a file that has metadata and values, and no sealed one: whoever made it left all of it out."""
    values = [leaf for leaf in document.leaves if leaf.content and leaf.kind in _VALUES]
    if values and not any(looks_sealed(leaf.content) for leaf in values):
        # Where the rule leaves the choice, encrypting it anew takes another one; else the rule itself matches nothing.
        message, fix = "nothing in it is encrypted, though it has the metadata of an encrypted file", ""
        if rule.selection is None:
            fix = f"sealpy decrypt -i {{path}} && {_ENCRYPT}"
        yield Finding("SP106", path, message, _line(document, values[0]), fix=fix)


def _clear_comments(path: str, document: Document, known: Metadata) -> Iterator[Finding]:
    """Find comments in clear where the file's rule has comments sealed; files of sops 2 have such."""
    leaves = document.leaves
    for leaf, selected in zip(leaves, select(known.selection or DEFAULT, leaves), strict=True):
        if selected and leaf.kind == "comment" and leaf.content.strip() and PREFIX not in leaf.content:
            place = f"below {name_of(leaf.path)}" if leaf.path else "at the top"
            # The MAC does not cover it, and nothing seals it later, so that there is no command.
            message = f"a comment {place} stands in clear, where the file's rule wants it encrypted: take it out"
            yield Finding("SP107", path, message, _line(document, leaf))


def _whose(selected: bool) -> str:
    return "file's" if selected else "creation"


def _selector_holes(path: str, document: Document) -> Iterator[Finding]:
    for leaf in _clear_values(document.leaves):
        name = name_of(leaf.path)
        message = (
            f"the file is encrypted, but its rule leaves {name} of a Kubernetes Secret in clear: "
            "mend the rule in .sops.yaml first"
        )
        yield Finding("SP105", path, message, _line(document, leaf), name, _SYNC)


def _of_clear(subject: Subject, document: Document, fmt: Format) -> Iterator[Finding]:
    path, data, rule, ruled, _ = subject
    stray = [leaf for leaf in document.leaves if leaf.kind != "comment" and looks_sealed(leaf.content)]
    if stray:
        yield from _limited(
            Finding(
                "SP104",
                path,
                f"the value of {name_of(leaf.path)} is encrypted, but the sops metadata that open it are gone",
                _line(document, leaf),
                name_of(leaf.path),
                mending.HISTORY,
            )
            for leaf in stray
        )
        return
    if rule is not None and rule.path_regex:
        if fmt.name == "binary":
            wants, line = bool(data), 0
        else:
            first = _first_to_seal(document.leaves, rule)
            wants, line = first is not None, _line(document, first) if first is not None else 0
        if wants:
            yield Finding("SP102", path, "it is in clear, but a creation rule wants it encrypted", line, fix=_ENCRYPT)
        return
    # A rule for everything is there for whoever encrypts; only what is a secret beyond doubt is held to it.
    values = _clear_values(document.leaves)
    if values:
        why = "" if rule is not None else ", and no creation rule covers it" if ruled else ""
        fix = _ENCRYPT if rule is not None else "" if ruled else "sealpy init"
        yield Finding("SP101", path, f"it is a Kubernetes Secret in clear{why}", _line(document, values[0]), fix=fix)


def _clear_values(leaves: Sequence[Leaf]) -> list[Leaf]:
    """Return the values of Secrets that stand in clear and are no placeholders."""
    found = []
    for manifest in kubernetes.manifests(leaves):
        if manifest.kind != "Secret" or not kubernetes.is_secret_like(manifest):
            continue
        depth = len(manifest.prefix)
        found += [
            leaf
            for leaf in leaves[slice(*manifest.span)]
            if leaf.kind in _VALUES
            and leaf.content
            and leaf.document == manifest.document
            and leaf.path[:depth] == manifest.prefix
            and leaf.path[depth : depth + 1]
            and leaf.path[depth] in _SECRET_FIELDS
            and not looks_sealed(leaf.content)
            and not _PLACEHOLDER.fullmatch(leaf.content)
        ]
    return found


def _first_to_seal(leaves: Sequence[Leaf], rule: CreationRule) -> Leaf | None:
    """Return the first value that encrypting by a rule would seal."""
    selection: Selection | None = rule.selection
    if selection is None:
        selection = KUBERNETES if kubernetes.default_selection_applies(leaves) else DEFAULT
    chosen = select(selection, leaves)
    for manifest in kubernetes.manifests(leaves):
        # Sealing all of an object breaks it, so a rule that selects nothing is not meant for it.
        if manifest.kind in _STAND_INS or (rule.selection is None and not kubernetes.is_secret_like(manifest)):
            for index in range(*manifest.span):
                chosen[index] = False
    return next(
        (leaf for leaf, sealed in zip(leaves, chosen, strict=True) if sealed and leaf.content and leaf.kind in _VALUES),
        None,
    )


def _unreadable(subject: Subject, error: DocumentError, *, sealed: bool) -> Verdict:
    path, data, rule = subject.path, subject.data, subject.rule
    named = rule is not None and bool(rule.path_regex)
    # A template is no document before it is rendered; and prose may mention sops.
    if (b"{{" in data and not sealed) or not (named or (sealed and not _is_opaque(path))):
        return _OTHER
    return Verdict("broken", (Finding("SP407", path, f"it cannot be read: {error.message}", error.line or 0),))


def _worth_parsing(path: str, data: bytes, rule: CreationRule | None) -> bool:
    """Tell by the bytes of a file without a trace of sops whether it can be wrong."""
    if rule is not None and rule.path_regex:
        return True
    return not _is_opaque(path) and b"Secret" in data and b"kind" in data


def _is_opaque(path: str) -> bool:
    return not path.endswith((".yaml", ".yml", ".json", ".env", ".ini"))


def _conflict(path: str, line: int) -> Finding:
    return Finding(
        "SP404",
        path,
        "a merge left conflict markers; lines of two encrypted versions cannot be put together",
        line,
        fix="git checkout --ours -- {path}",
    )


def _limited(findings: Iterable[Finding]) -> Iterator[Finding]:
    listed = list(findings)
    yield from listed[:_MOST]
    if len(listed) > _MOST:
        last = listed[_MOST]
        yield last._replace(message=f"{len(listed) - _MOST} more values like these", key="", line=last.line)


def _line(document: Document, leaf: Leaf) -> int:
    return line_and_column(document.text, leaf.start)[0]


def _block_line(document: Document) -> int:
    return line_and_column(document.text, document.blocks[0].start)[0] if document.blocks else 0
