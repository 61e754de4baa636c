"""Every check of a repository in one run: its files, its configuration, the names in it."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from sealpy import part_folder, project, registry
from sealpy.checking import configuration, parts
from sealpy.checking.files import Subject, check
from sealpy.checking.findings import Finding, graded
from sealpy.checking.mending import Tools
from sealpy.errors import DocumentError, RuleError, SourceError
from sealpy.identities import Identities
from sealpy.keyring import Keyring
from sealpy.metadata import Metadata
from sealpy.project import Project
from sealpy.secret import DataKey
from sealpy_cli.repo.repository import Entry, Repository
from sealpy_cli.team import project_file

_UNCOVERED = "SP506"


class Report(NamedTuple):
    """What a run found, worst files not first but in the order of their paths; and what it looked at."""

    findings: Sequence[Finding]
    files: int
    encrypted: int
    verified: int
    """Encrypted files that a key here opened, and whose MAC fits."""
    without_key: int


class KeysAtHand:
    """The keys of this environment that need no program and no person."""

    def __init__(self, environ: Mapping[str, str], shown: Callable[[str], str]) -> None:
        self._identities = Identities(environ, shown=shown)
        self._keyring = Keyring(registry.backends(self._identities), shown=shown)
        self._ours: dict[str, bool] = {}

    def open(self, metadata: Metadata) -> DataKey | None:
        """Return the data key of a file; None where no key at hand is meant for it.

        Raises:
            KeyAccessError: one is, and does not open it.
        """
        groups = metadata.groups
        ours = sum(any(self._is_ours(key.backend, key.label) for key in group) for group in groups)
        return self._keyring.open(metadata) if ours >= metadata.quorum else None

    def _is_ours(self, backend: str, label: str) -> bool:
        if backend != "age":
            return False
        if label not in self._ours:
            identity = self._identities.matching(label)
            self._ours[label] = identity is not None and not identity.patient
        return self._ours[label]


def run(repository: Repository, paths: Sequence[str], *, environ: Mapping[str, str] | None) -> Report:
    """Check files and all that is said about them; ``environ`` names the keys, None means that none is used.

    Raises:
        SourceError: git fails, or a file cannot be read.
    """
    found: list[Finding] = []
    calls, fault = load_project(repository)
    if fault is not None:
        found.append(configuration.of_error(os.path.join(repository.top, project.NAME), project.NAME, fault))
    if calls.path:
        found += configuration.of_project(calls, repository.shown(calls.path))
    tools = _tools(repository, calls, environ)
    counts = Counter[str]()
    recipients: dict[str, str] = {}
    bases: dict[str, None] = {}
    for entry, data in repository.contents(_noting(bases, repository, paths)):
        if isinstance(data, SourceError):
            found += _unread(entry, data)
            continue
        subject = Subject(entry.name, data, entry.rule, entry.ruled, entry.hidden)
        if entry.bystander:
            # What else is wrong with it is nothing that the commit does.
            found += [one for one in check(subject, calls).findings if one.id == _UNCOVERED]
            continue
        verdict = check(subject, calls, tools)
        counts.update(("files", verdict.standing, f"verified: {verdict.verified}"))
        found += verdict.findings
        if verdict.metadata is not None:
            for key in verdict.metadata.master_keys():
                if key.backend == "age" and key.label.strip():
                    recipients.setdefault(key.label, entry.name)
    found += _parts(repository, bases, calls)
    found += _configurations(repository, recipients, calls)
    return Report(
        sorted(graded(found, calls.severities), key=lambda one: (one.path, one.line)),
        counts["files"],
        counts["sealed"],
        counts["verified: yes"],
        counts["verified: no key"],
    )


def load_project(repository: Repository) -> tuple[Project, RuleError | None]:
    """Read the project file at the top, or above; one that is wrong counts as none, and why is told."""
    try:
        return project_file.load(None, repository.top), None
    except RuleError as error:
        return project.EMPTY, error
    except SourceError as error:
        return project.EMPTY, RuleError(error.message, hint=error.hint)


def _tools(repository: Repository, calls: Project, environ: Mapping[str, str] | None) -> Tools:
    if environ is None:
        return Tools(lambda _: None, repository.changed, repository.earlier)
    return Tools(KeysAtHand(environ, calls.shown).open, repository.changed, repository.earlier)


def _configurations(repository: Repository, recipients: Mapping[str, str], calls: Project) -> list[Finding]:
    found: list[Finding] = []
    known = []
    for one in repository.configurations:
        if one.fault is not None:
            found.append(configuration.of_error(one.path, one.shown, one.fault))
        if one.rules is not None:
            known.append((one.rules, one.shown))
            found += configuration.of_rules(one.rules, one.shown)
    found += configuration.of_names(known, recipients, calls)
    return found


def _noting(bases: dict[str, None], repository: Repository, paths: Sequence[str]) -> Iterator[Entry]:
    """Pass the entries on, and take down the files that have parts, or would have them if they were there."""

    def note(name: str) -> None:
        base = part_folder.base_of(name)
        folder = part_folder.folder_of(name)
        if base is not None:
            bases[base] = None
        if folder is not None and os.path.isdir(os.path.join(repository.top, folder)):
            bases[name] = None

    for entry in repository.entries(paths):
        if not entry.bystander:
            note(entry.name)
        yield entry
    for name in repository.displaced:
        note(name)
        for base in part_folder.bases_of(name):
            note(base)


def _parts(repository: Repository, bases: Iterable[str], calls: Project) -> list[Finding]:
    found: list[Finding] = []
    for base in bases:
        whole = _piece(repository, base)
        pieces = [piece for name in repository.parts_of(base) if (piece := _part(repository, name)) is not None]
        found += parts.orphans(base, pieces) if whole is None else parts.check(whole, pieces, calls)
    return found


def _part(repository: Repository, name: str) -> parts.Piece | None:
    link = part_folder.link_to(os.path.join(repository.top, name))
    if link is not None:
        return parts.Piece(name, None, None, f"{repository.shown(link)} is a symbolic link, which is not followed")
    return _piece(repository, name)


def _piece(repository: Repository, name: str) -> parts.Piece | None:
    data = repository.read(name)
    if data is None:
        return None
    fmt = registry.format_for(name)
    rule = repository.rule_for(name, repository.configuration_for(name))
    try:
        return parts.Piece(name, fmt.scan(fmt.decode(data)), rule)
    except DocumentError as error:
        return parts.Piece(name, None, rule, f"it cannot be read: {error.message}")


def _unread(entry: Entry, error: SourceError) -> list[Finding]:
    # Nobody expects a film, which a rule for everything covers too, to be checked.
    if entry.rule is None or not entry.rule.path_regex:
        return []
    return [Finding("SP407", entry.name, f"it cannot be read: {error.message}")]
