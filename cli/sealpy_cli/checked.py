"""Every check of a repository in one run: its files, its configuration, the names in it."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from sealpy import part_folder, project, registry
from sealpy.checking import configuration, parts
from sealpy.checking.files import Subject, Tools, check
from sealpy.checking.findings import Finding, graded
from sealpy.errors import DocumentError, RuleError, SourceError
from sealpy.identities import Identities
from sealpy.keyring import Keyring
from sealpy.metadata import Metadata
from sealpy.project import Project
from sealpy.secret import DataKey
from sealpy_cli.repo.repository import Entry, Repository
from sealpy_cli.team import project_file


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
    for entry, data in repository.contents(repository.entries(paths)):
        if isinstance(data, SourceError):
            found += _unread(entry, data)
            continue
        verdict = check(Subject(entry.name, data, entry.rule, entry.ruled, entry.hidden), calls, tools)
        counts.update(("files", verdict.standing, f"verified: {verdict.verified}"))
        found += verdict.findings
        base = part_folder.base_of(entry.name)
        if base is not None:
            bases[base] = None
        if verdict.metadata is not None:
            for key in verdict.metadata.master_keys():
                if key.backend == "age":
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


def _parts(repository: Repository, bases: Iterable[str], calls: Project) -> list[Finding]:
    found: list[Finding] = []
    for base in bases:
        whole = _piece(repository, base)
        if whole is not None:
            pieces = (_piece(repository, name) for name in repository.parts_of(base))
            found += parts.check(whole, [piece for piece in pieces if piece is not None], calls)
    return found


def _piece(repository: Repository, name: str) -> parts.Piece | None:
    data = repository.read(name)
    if data is None:
        return None
    fmt = registry.format_for(name)
    try:
        document = fmt.scan(fmt.decode(data))
    except DocumentError:
        return None  # that is a finding of its own
    return parts.Piece(name, document, repository.rule_for(name, repository.configuration_for(name)))


def _unread(entry: Entry, error: SourceError) -> list[Finding]:
    # Nobody expects a film, which a rule for everything covers too, to be checked.
    if entry.rule is None or not entry.rule.path_regex:
        return []
    return [Finding("SP407", entry.name, f"it cannot be read: {error.message}")]
