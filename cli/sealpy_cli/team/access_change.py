"""Letting a person into an environment, and out of it: what granting and revoking have in common.

The rule is written first and the files after it. A run that is cut off leaves files behind their rule, which the same
command, run again, or ``sealpy sync`` brings in line; the other way round they would be mended into the old state.
"""

import os
from collections.abc import Collection, Sequence
from typing import NamedTuple

from sealpy import config_file, files, part_folder, project, registry, rules_edit
from sealpy.errors import KeyAccessError, NoSuchFile
from sealpy.formats import Format
from sealpy.identities import require_recipient
from sealpy.project import Project
from sealpy.rules import Rules
from sealpy.sealing import Opened
from sealpy_cli import many, terminal
from sealpy_cli.exit_codes import FAILED, Stop, common, while_sealing
from sealpy_cli.grammar import Arguments, Call
from sealpy_cli.session import Session
from sealpy_cli.team import environment_rules, project_file, sealed_files
from sealpy_cli.team.environment_rules import Scope
from sealpy_cli.team.sealed_files import SealedFile, Write


class Ground(NamedTuple):
    """What a change stands on: the configuration, the names, and the files below."""

    session: Session
    rules: Rules
    project: Project
    items: Sequence[many.Item]


def ground(verb: str, root: Arguments, *, nested: bool = False, place: str = "") -> Ground:
    """Read the configuration and the names.

    ``nested``: the files are also those below configurations further down. ``place`` is a path above which the
    configuration is looked for if there is none above the current folder.

    Raises:
        Stop, RuleError, SourceError
    """
    session = Session(Call(verb, Arguments({}, frozenset(), ()), root, os.environ, as_sops=False))
    if place and session.rules() is None:
        session = session.near(os.path.join(place, config_file.NAME) if os.path.isdir(place) else place)
    rules = sealed_files.rules_of(session)
    return Ground(session, rules, project_file.load(rules.path), sealed_files.below(rules, nested=nested))


def scope(on: Ground, words: str) -> Scope:
    """Return what the user calls an environment: see ``environment_rules.resolve``."""

    def placed() -> list[environment_rules.Placed]:
        return [(file.path, file.place) for file in sealed_files.look_at(on.session, on.items).files]

    return environment_rules.resolve(words, on.rules, on.project, placed)


def recipient_of(on: Ground, word: str) -> str:
    """Return a recipient, given as such or by name.

    Raises:
        Stop: it is neither.
        KeyAccessError: it looks like one, and is none that can be sealed for.
    """
    if "AGE-SECRET-KEY-" in word.upper():
        raise Stop(
            FAILED,
            "this is a private key, and now it stands where others can read it",
            hint='make a new one with "sealpy key new", and give its recipient, which begins with age1',
        )
    named = on.project.recipients.get(word)
    if named is not None:
        return _bare(named) if "," in named else named
    if word.startswith(("age1", "ssh-")):
        require_recipient(word)
        # Where a list of recipients stands on one line, a comma in the comment of a key would cut it in two.
        return _bare(word) if "," in word else word.strip()
    names = ", ".join(on.project.recipients)
    raise Stop(
        FAILED,
        f"nobody is called {terminal.plain(word)} in .sealpy.yaml, and it is no recipient either",
        hint=(f"there are {names}; for anybody else, " if names else "")
        + 'give their recipient, which "sealpy key list" shows them',
    )


def spellings(on: Ground, where: Scope, found: Sequence[SealedFile], recipient: str) -> list[str]:
    """Return how rules and files write a recipient: of an SSH key, the comment behind it may differ."""
    creation = on.rules.creation_rules or ()
    written = [key.text for place in where.places for group in creation[place].groups for key in group]
    written += [text for file in found for _, text in file.key_names()]
    same = [text for text in written if _bare(text) == _bare(recipient)]
    return list(dict.fromkeys(same)) or [recipient]


def new_rules(on: Ground, where: Scope, recipients: Sequence[str], *, wanted: bool) -> list[Write]:
    """Return the change of the configuration; nothing where it says so already.

    Raises:
        Refused, RuleError, SourceError
    """
    fmt, raw, text = _text(on.rules.path)
    change = rules_edit.with_recipient if wanted else rules_edit.without_recipient
    changed = text
    for recipient in recipients:
        changed = change(changed, on.rules.path, where.places, recipient)
    return [] if changed == text else [Write(on.rules.path, raw, fmt.encode(changed))]


def new_name(on: Ground, name: str, recipient: str) -> tuple[list[Write], Project]:
    """Return the change of ``.sealpy.yaml`` that gives a recipient its name, and the names as they are then.

    Raises:
        Stop: the name, or the recipient, is taken.
        Refused, RuleError, SourceError
    """
    taken = on.project.recipients.get(name)
    if taken is not None and _bare(taken) != _bare(recipient):
        raise Stop(
            FAILED,
            f"{terminal.plain(name)} is {project.plain(taken)} already",
            hint="choose another name, or change the recipient in .sealpy.yaml if it is the same person's new key",
        )
    other = on.project.name_of(recipient)
    if other and other != name:
        raise Stop(FAILED, f"this recipient is called {other} already", hint=f"leave --name out, or use --name {other}")
    path = on.project.path or os.path.join(os.path.dirname(os.path.abspath(on.rules.path)), project.NAME)
    fmt, raw, text = _text(path)
    changed = text if taken is not None else rules_edit.with_name(text, path, name, recipient)
    known = project.parse(changed, path)
    return ([] if changed == text else [Write(path, raw, fmt.encode(changed))]), known


def opened_for(
    on: Ground,
    where: Scope,
    chosen: Sequence[SealedFile],
    calls: Project,
    *,
    deed: str,
    request: str,
    but: Collection[str] = (),
) -> Sequence[tuple[SealedFile, Opened]]:
    """Open all files that are to change, or stop before anything is written.

    ``deed`` says what is to be done, for a sentence; ``request`` is the command that asks others to do it;
    ``but`` are recipients whom nobody would ask.

    Raises:
        Stop: a file does not open, or is damaged.
    """
    openings = sealed_files.open_all(on.session, chosen)
    if openings.locked:
        holders = sealed_files.who_opens(openings.locked, calls, but)
        count = len(openings.locked)
        raise Stop(
            common(openings.codes),
            f"nothing was changed: {deed} takes a key that opens {_counted(count, 'file')} of {where.shown}; "
            f"who has one: {holders}",
            hint=f"ask them to do it, or write the change for a pull request: {request}",
        )
    if openings.codes:
        raise unreadable(openings.codes)
    return openings.opened


def warn_of_parts(on: Ground, files: Sequence[SealedFile], recipients: Collection[str], *, wanted: bool) -> None:
    """Name the parts that stay as they are, for a rule of their own covers them: who reads them is not who should."""
    for part in sealed_files.parts_elsewhere(on.session, files):
        if any(("age", text) in part.key_names() for text in recipients) == wanted:
            continue
        base = part_folder.base_of(part.path) or ""
        what = "cannot be read by them, and so its file neither" if wanted else "can be read by them still"
        terminal.warn(
            terminal.plain(f"{part.path}: {what}: the rule in line {part.rule.line} of {on.rules.path} holds")
        )
        terminal.hint(
            terminal.plain(f'let the rule of {base} take in {part_folder.folder_of(base)}, then "sealpy sync"')
        )


def unreadable(codes: Sequence[int]) -> Stop:
    """Return the end of a run that did nothing because some files are damaged."""
    return Stop(
        common(codes),
        f"nothing was changed: {_counted(len(codes), 'file')} cannot be trusted or read",
        hint="mend or remove them, then run it again; nothing damaged is handed on to anybody",
    )


def not_sealed(file: SealedFile, error: KeyAccessError) -> Stop:
    """Return the end of a run in which a file opened and cannot be wrapped anew; nothing is written yet."""
    stop = while_sealing(error)
    return Stop(stop.code, f"{file.path}: {stop.message}; nothing was changed", hint=stop.hint)


def counted_files(number: int) -> str:
    """Write a number of files for a sentence."""
    return _counted(number, "file")


def names_of(writes: Sequence[Write]) -> list[str]:
    """Return the paths of changes as people see them from here."""
    return [os.path.relpath(write.path) for write in writes]


def _text(path: str) -> tuple[Format, bytes | None, str]:
    fmt = registry.format_named("yaml")
    try:
        raw = files.read(path)
    except NoSuchFile:
        return fmt, None, ""
    return fmt, raw, fmt.decode(raw)


def _bare(recipient: str) -> str:
    text = recipient.strip()
    return " ".join(text.split()[:2]) if text.startswith("ssh-") else text


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
