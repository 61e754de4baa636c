"""The sealed files that a configuration covers: finding them with their rules, opening them, writing them back.

What is changed together is opened together first, so that a file that does not open stops all before any is written.
"""

import os
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from sealpy import config_file, operations, part_folder, sealing
from sealpy.document import Document
from sealpy.errors import (
    DocumentError,
    KeyAccessError,
    NoMatchingRule,
    NotEncrypted,
    RuleError,
    SealpyError,
    SourceError,
)
from sealpy.formats import Format
from sealpy.metadata import Metadata, parse
from sealpy.operations import KeyName
from sealpy.project import Project
from sealpy.rules import CreationRule, Rules
from sealpy.sealing import Opened
from sealpy_cli import many, terminal
from sealpy_cli.exit_codes import FAILED, NO_KEY, Stop, code_of
from sealpy_cli.repo.git import Git
from sealpy_cli.session import Session

_AT_ONCE = 8
"""How many files are written at a time; more wait no shorter."""


class SealedFile(NamedTuple):
    """One sealed file as it was read, its rule, and the place of that among the creation rules."""

    path: str
    data: bytes
    fmt: Format
    document: Document
    metadata: Metadata
    rule: CreationRule
    place: int

    def key_names(self) -> set[KeyName]:
        """Return the master keys of all its groups."""
        return {name for group in operations.key_names(self.metadata) for name in group}


class Seen(NamedTuple):
    """The sealed files among those looked at, and the exit codes of those that could not be read.

    ``uncovered`` are the paths of sealed files that no rule covers; they are not among ``files``.
    """

    files: Sequence[SealedFile]
    codes: Sequence[int]
    uncovered: Sequence[str] = ()


class Openings(NamedTuple):
    """What became of opening files: ``opened`` in their order, those that no key opens, the codes of all failures."""

    opened: Sequence[tuple[SealedFile, Opened]]
    locked: Sequence[SealedFile]
    codes: Sequence[int]


class Write(NamedTuple):
    """A file to be written: what stood there (None: nothing) and what will."""

    path: str
    before: bytes | None
    after: bytes


def rules_of(session: Session) -> Rules:
    """Return the configuration.

    Raises:
        Stop: there is none, or it has no creation rules.
        RuleError
    """
    rules = session.rules()
    if rules is None or not rules.creation_rules:
        raise Stop(
            FAILED,
            "there is no .sops.yaml with creation rules here",
            hint='run it in your repository; "sealpy init" writes one',
        )
    for rule in rules.creation_rules:
        # A pattern that is none stops all files behind it; better to say so once.
        _covers(rules, rule, rules.path)
    return rules


def below(rules: Rules, *, nested: bool = False) -> list[many.Item]:
    """Return the files below a configuration; ``nested``: also those below another one that is nearer to them."""
    top = os.path.dirname(os.path.abspath(rules.path))
    found = [item._replace(path=os.path.relpath(item.path)) for item in at(top)]
    if nested:
        return found
    nearer: dict[str, bool] = {top: False}

    def is_ours(folder: str) -> bool:
        if folder not in nearer:
            nearer[folder] = os.path.exists(os.path.join(folder, config_file.NAME)) or not is_ours(
                os.path.dirname(folder)
            )
        return not nearer[folder]

    return [item for item in found if is_ours(os.path.dirname(os.path.abspath(item.path)))]


def at(place: str) -> list[many.Item]:
    """Return the files at a path or below it, and the parts of a file.

    Of what is in hidden folders those that git knows: who is let in or out is so there too.

    Raises:
        Stop: there is no such file.
    """
    found = many.find([place], recursive=True)
    parts = [many.Item(part, part) for item in found if not item.found for part in part_folder.beside(item.path)]
    return [*found, *parts, *(_in_hidden_folders(place) if os.path.isdir(place) else ())]


def look_at(session: Session, items: Iterable[many.Item], places: Sequence[int] | None = None) -> Seen:
    """Read the sealed files among those given; what is wrong with one is reported.

    ``places``: only the files of these rules. A file found in a folder may be none of our business; a named one is an
    error then.
    """
    files: list[SealedFile] = []
    codes: list[int] = []
    uncovered: list[str] = []
    for item in items:
        try:
            files.append(_look_at(session, item, places))
        except _Uncovered:
            if places is None and _is_sealed(session, item):
                uncovered.append(item.path)
        except many.LeftAlone:
            continue
        except SealpyError as error:
            terminal.fail(error, item.path)
            codes.append(code_of(error))
    return Seen(files, codes, uncovered)


def look_at_nearest(session: Session, items: Iterable[many.Item]) -> Seen:
    """Read the sealed files among those given, each by the nearest configuration above it.

    With ``--config`` that is the one for all. A configuration with a mistake is reported once.
    """
    sessions: dict[str | None, Session] = {}
    groups: dict[str | None, list[many.Item]] = {}
    folders: dict[str, str | None] = {}
    named = session.call.root.text("config")
    for item in items:
        folder = os.path.dirname(os.path.abspath(item.path))
        if folder not in folders:
            folders[folder] = named or config_file.find(folder).path
        path = folders[folder]
        sessions.setdefault(path, session if named else session.near(item.path))
        groups.setdefault(path, []).append(item)
    all_seen = [_look_at_group(sessions[path], group) for path, group in groups.items()]
    return Seen(
        [file for seen in all_seen for file in seen.files],
        [code for seen in all_seen for code in seen.codes],
        [path for seen in all_seen for path in seen.uncovered],
    )


def parts_elsewhere(session: Session, files: Sequence[SealedFile]) -> list[SealedFile]:
    """Return the parts of files that are sealed by another rule than their file."""
    items = [many.Item(part, part, found=True) for file in files for part in part_folder.beside(file.path)]
    places = {os.path.normpath(file.path): file.place for file in files}
    return [
        part
        for part in look_at(session, items).files
        if places.get(os.path.normpath(part_folder.base_of(part.path) or "")) != part.place
    ]


def open_all(session: Session, files: Sequence[SealedFile]) -> Openings:
    """Open files, MAC verified. Damage is reported file by file, of what no key opens only the first."""
    opened: list[tuple[SealedFile, Opened]] = []
    locked: list[SealedFile] = []
    codes: list[int] = []
    progress = terminal.Progress(len(files))
    for file in files:
        try:
            data_key = session.keyring.open(file.metadata)
            opened.append((file, sealing.unseal(file.document, file.metadata, data_key)))
        except KeyAccessError as error:
            progress.clear()
            if not locked:
                terminal.say(f"{terminal.plain(file.path)}: {terminal.plain(error.message)}")
            locked.append(file)
            codes.append(NO_KEY)
        except SealpyError as error:
            progress.clear()
            terminal.fail(error, file.path)
            codes.append(code_of(error))
        progress.step()
    progress.clear()
    return Openings(opened, locked, codes)


def who_opens(files: Sequence[SealedFile], project: Project, but: Collection[str] = ()) -> str:
    """Name those who open all of these files; where nobody does, those who open any. ``but`` are left out."""
    each = [
        [text for group in operations.key_names(file.metadata) for _, text in group if text not in but]
        for file in files
    ]
    anybody = list(dict.fromkeys(text for texts in each for text in texts))
    everything = [text for text in anybody if all(text in texts for texts in each)]
    return terminal.listing([project.shown(text) for text in everything or anybody], 5) or "nobody"


def write_all(session: Session, configuration: Sequence[Write], changed: Sequence[Write]) -> None:
    """Write the configuration, then files, each whole.

    Most of the time goes into waiting until the disk has a file, so several wait at once.

    Raises:
        Stop: one cannot be written; it says how many were.
    """
    total = len(configuration) + len(changed)
    for number, one in enumerate(configuration):
        if failure := _written(session, one):
            raise _stopped(failure, number, total)
    if not changed:
        return
    from concurrent.futures import ThreadPoolExecutor  # only what writes many files needs it

    failures: list[SealpyError] = []
    done: list[str] = []

    def write(one: Write) -> None:
        if not failures:
            failure = _written(session, one)
            if failure is None:
                done.append(one.path)
            else:
                failures.append(failure)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for _ in pool.map(write, changed):
            pass
    if failures:
        raise _stopped(failures[0], len(configuration) + len(done), total)


def _in_hidden_folders(folder: str) -> list[many.Item]:
    try:
        with Git(folder) as git:
            top = git.top()
            names = [os.path.relpath(os.path.join(top, os.fsdecode(name)), folder) for name in git.files()]
    except SourceError:
        return []  # no repository, or no git
    paths = [
        os.path.join(folder, name)
        for name in names
        if any(part.startswith(".") for part in name.split(os.sep)[:-1])
        and os.path.basename(name) not in many.NOT_FOR_SEALING
    ]
    return [many.Item(path, path, found=True) for path in paths if os.path.isfile(path) and not os.path.islink(path)]


class _Uncovered(many.LeftAlone):
    """A file in a folder that no rule covers."""


def _look_at_group(session: Session, items: Sequence[many.Item]) -> Seen:
    try:
        session.rules()
    except SealpyError as error:
        terminal.fail(error, "")
        return Seen((), [code_of(error)])
    return look_at(session, items)


def _is_sealed(session: Session, item: many.Item) -> bool:
    """Tell whether a file has the metadata of a sealed one; what cannot be read has not."""
    try:
        data = session.read(item.path, missing=FAILED)
        fmt = session.format_of(item.path)
        return b"sops" in data and fmt.scan(fmt.decode(data)).metadata is not None
    except SealpyError:
        return False


def _written(session: Session, one: Write) -> SealpyError | None:
    try:
        session.write(one.path, one.after, plaintext=False, expected=one.before)
    except SealpyError as error:
        return error
    return None


def _stopped(failure: SealpyError, number: int, total: int) -> Stop:
    return Stop(
        code_of(failure),
        failure.message,
        hint=f"{number} of {total} files are written; mend that and run it again: it goes on from there",
    )


def _look_at(session: Session, item: many.Item, places: Sequence[int] | None) -> SealedFile:
    configuration = session.rules()
    rules = (configuration.creation_rules if configuration is not None else None) or ()
    try:
        rule = _rule(session, item)
    except RuleError:
        # A mistake in another team's rule is theirs.
        paths = [path for path in (item.path, part_folder.base_of(item.path)) if path is not None]
        if (
            configuration is not None
            and places is not None
            and not any(_covers(configuration, rules[place], path) for place in places for path in paths)
        ):
            raise many.LeftAlone from None
        raise
    place = next(index for index, each in enumerate(rules) if each is rule)
    if places is not None and place not in places:
        raise many.LeftAlone
    if item.found and not rule.path_regex and os.path.getsize(item.path) > session.limit:
        # A rule for everything is not meant for it, and sealed it could not be opened.
        raise many.LeftAlone
    data = session.read(item.path, missing=FAILED)
    if item.found and b"sops" not in data:
        raise many.LeftAlone
    fmt = session.format_of(item.path)
    try:
        document = fmt.scan(fmt.decode(data))
    except DocumentError:
        # A template, or a text about sops.
        if item.found and b"ENC[" not in data:
            raise many.LeftAlone from None
        raise
    if item.found and document.metadata is None:
        raise many.LeftAlone
    if document.metadata is None:
        raise NotEncrypted("the file is not encrypted", hint=f"sealpy encrypt -i {item.path}")
    return SealedFile(item.path, data, fmt, document, parse(document.metadata), rule, place)


def _covers(rules: Rules, rule: CreationRule, path: str) -> bool:
    """Tell whether a rule's pattern matches a path, whatever else is wrong with the rule.

    Raises:
        RuleError: the pattern is no regular expression.
    """
    alone = rules._replace(creation_rules=(rule._replace(fault=None, selection=None),))
    try:
        alone.match(config_file.path_in(rules.path, path))
    except NoMatchingRule:
        return False
    return True


def _rule(session: Session, item: many.Item) -> CreationRule:
    try:
        rule = session.rule_for(item.path)
    except NoMatchingRule:
        if not item.found:
            raise
        raise _Uncovered from None
    if rule is None:
        raise _Uncovered
    return rule
