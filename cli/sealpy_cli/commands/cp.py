"""``sealpy cp``: promote a file, or keys of it, from one environment to another."""

import json
import os
import shlex
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

import click

from sealpy import operations, part_folder, parts, sealing
from sealpy.document import Path
from sealpy.errors import DataKeyUnavailable, NotEncrypted, Refused, SealpyError
from sealpy.formats import Format
from sealpy.project import Project
from sealpy.sealing import Opened
from sealpy.secret import Secret
from sealpy_cli import terminal, tree_path
from sealpy_cli.exit_codes import BAD_PATH, FAILED, NO_FILE, NO_KEY, Stop, while_sealing
from sealpy_cli.grammar import Arguments, Call
from sealpy_cli.session import Session
from sealpy_cli.team import environment_rules, part_files, project_file, promotion, sealed_files
from sealpy_cli.team.promotion import Outcome, Value

_SCHEMA = "sealpy.cp/1"


class _Place(NamedTuple):
    """A file, and a key in it as it was typed; without one it is the whole file."""

    path: str
    key: str


class _Ends(NamedTuple):
    """Where values come from and go to, and what people call the two."""

    source: str
    target: str
    from_: str
    to: str
    command: str
    """The command line, as it was typed."""


@click.command(context_settings={"help_option_names": ["-h", "--help"]}, options_metavar="[OPTION…]")
@click.argument("source", metavar="SRC[:KEY]")
@click.argument("target", metavar="DST[:KEY]")
@click.option(
    "--keep-values", "--yes", "-y", "keep_values", is_flag=True, help="Copy every value as it is, and do not ask."
)
@click.option("--json", "as_json", is_flag=True, help="Write one JSON document.")
@click.pass_obj
def cp(root: Arguments, source: str, target: str, *, keep_values: bool, as_json: bool) -> None:
    """Copy an encrypted file, or a key of it, to where another rule holds; it is encrypted by that one.

    A KEY is written like stringData.PASSWORD, or '["stringData"]["PASSWORD"]'; of a map, every key below it is
    copied. From one environment to another you are asked for each value that would be the same in both: two
    environments with one password are one environment to whoever steals it.

    Nothing is written in clear. DST, if it is there, must open: what it holds would be lost otherwise.
    """
    session = Session(Call("cp", Arguments({}, frozenset(), ()), root, os.environ, as_sops=False))
    start, end = _place(source, here=True), _place(target, here=False)
    if os.path.isdir(end.path) or end.path.endswith("/"):
        end = end._replace(path=os.path.join(end.path, os.path.basename(start.path)))
    end = end._replace(path=part_files.real(end.path))
    session = session.near(end.path)
    calls = project_file.load(sealed_files.rules_of(session).path)
    if end.key and not start.key:
        raise Stop(FAILED, "a whole file does not go into a key", hint="name the key of SRC too")
    if os.path.abspath(start.path) == os.path.abspath(end.path) and start.key in (end.key, end.key or start.key):
        raise Stop(FAILED, "SRC and DST are one and the same")
    names = [environment_rules.environment_of(path, calls) for path in (start.path, end.path)]
    command = shlex.join(["sealpy", "cp", source, target])
    ends = _Ends(start.path, end.path, names[0] or start.path, names[1] or end.path, command)
    same_environment = bool(names[0]) and names[0] == names[1]
    asker = _Asker(ends, keep=keep_values or same_environment)
    outcomes, written = _copy(session, calls, start, end, asker)
    if as_json:
        report = {
            "source": start.path,
            "target": end.path,
            "written": written,
            "values": [{"path": outcome.name, "what": outcome.what} for outcome in outcomes],
        }
        sys.stdout.write(json.dumps({"schema": _SCHEMA, **report}, indent=2) + "\n")
    _summary(ends, outcomes, written=written)
    if written:
        _tell_of_parts(end.path)


def _copy(
    session: Session, calls: Project, start: _Place, end: _Place, decide: Callable[[Value], bool | Secret[str]]
) -> tuple[list[Outcome], bool]:
    fmt = session.format_of(start.path)
    raw = session.read(start.path, missing=NO_FILE)
    opened = _with_parts(session, start.path, raw, fmt, _opened(session, calls, start.path, raw))
    if start.key:
        return _copy_keys(session, calls, opened, start, end, decide)
    return _copy_file(session, calls, opened, fmt, end.path, start.path, decide)


def _copy_file(
    session: Session,
    calls: Project,
    opened: Opened,
    fmt: Format,
    path: str,
    origin: str,
    decide: Callable[[Value], bool | Secret[str]],
) -> tuple[list[Outcome], bool]:
    if session.format_of(path).name != fmt.name:
        raise Stop(
            FAILED,
            f"converting {fmt.name} to {session.format_of(path).name} is not built yet",
            hint="give DST the same suffix",
        )
    standing = session.read(path) if os.path.lexists(path) else None
    there = None if standing is None else _opened(session, calls, path, standing)
    clear = operations.clear_text(opened, fmt)
    plan = session.plan(path, fmt, clear.expose())
    try:
        changed, outcomes = promotion.of_file(opened, fmt, plan, there, decide)
    except Refused as error:
        raise _at(path, error) from None
    environment = environment_rules.environment_of(origin, calls)
    if environment and environment != environment_rules.environment_of(path, calls):
        document = fmt.scan(fmt.decode(changed.expose()))
        for name in promotion.still_names(opened, document, environment):
            terminal.warn(f"{terminal.plain(name)}, in clear, still says {terminal.plain(environment)}")
    if there is not None and operations.clear_text(there, fmt) == changed:
        return outcomes, False
    try:
        sealed = operations.encrypt(
            changed.expose(), fmt, plan, session.keyring, now=datetime.now(UTC), earlier=there, warn=terminal.warn
        )
    except SealpyError as error:
        raise while_sealing(error) from None
    try:
        promotion.check_sealed(opened, sealed, fmt)
    except Refused as error:
        raise _at(path, error) from None
    session.write(path, sealed, plaintext=False, expected=standing)
    return outcomes, True


def _copy_keys(
    session: Session,
    calls: Project,
    opened: Opened,
    start: _Place,
    end: _Place,
    decide: Callable[[Value], bool | Secret[str]],
) -> tuple[list[Outcome], bool]:
    at = _path(start.key, opened)
    if not os.path.lexists(end.path):
        raise Stop(
            NO_FILE,
            f"{end.path}: no such file, so there is nothing to put a key into",
            hint=f"copy the whole file: {shlex.join(['sealpy', 'cp', start.path, end.path])}",
        )
    fmt = session.format_of(end.path)
    raw = session.read(end.path)
    there = _opened(session, calls, end.path, raw, add=_added(opened, at, end.key))
    to = at if not end.key else _target_path(end.key, there)
    try:
        changed, outcomes = promotion.of_keys(opened, at, fmt, there, to, decide, now=datetime.now(UTC))
    except Refused as error:
        raise _at(end.path, error) from None
    if changed is not None:
        session.write(end.path, changed, plaintext=False, expected=raw)
    return outcomes, changed is not None


def _opened(session: Session, calls: Project, path: str, raw: bytes, *, add: str = "") -> Opened:
    """Open a file, or say who can.

    Raises:
        Stop: no key opens it, or it is not encrypted.
        DocumentError, IntegrityError
    """
    fmt = session.format_of(path)
    try:
        document, metadata = operations.scan_sealed(raw, fmt)
        return sealing.unseal(document, metadata, session.keyring.open(metadata))
    except NotEncrypted:
        why, code, hint = "it is not encrypted", FAILED, f"sealpy encrypt -i {path}"
    except DataKeyUnavailable:
        command = shlex.join(["sealpy", "add", path, add])
        texts = [calls.shown(text) for group in operations.key_names(metadata) for _, text in group]
        why, code = f"no key here opens it; who has one: {terminal.listing(texts, 5)}", NO_KEY
        hint = f'"{command}" puts a key in without reading the rest' if add else "ask one of them to do it"
    raise Stop(code, f"{path}: {why}", hint=hint)


def _with_parts(session: Session, path: str, raw: bytes, fmt: Format, opened: Opened) -> Opened:
    """Return a file as it is with its parts folded in, which happens here alone: they are one object.

    Raises:
        SealpyError: a part cannot be used.
    """
    found = [part for part, _ in parts.load(path, lambda part: operations.open_document(part, fmt, session.keyring))]
    if not found:
        return opened
    # What a part holds is a secret, also where the rule of its base leaves such a key in clear.
    put = {one.path for one in parts.puts(opened.leaves, found)}
    folded = parts.fold(raw, fmt, session.keyring, found, now=datetime.now(UTC))
    opened = operations.open_document(folded, fmt, session.keyring)
    sealed = [
        is_sealed or (leaf.document == 0 and leaf.path in put)
        for leaf, is_sealed in zip(opened.leaves, opened.sealed, strict=True)
    ]
    return opened._replace(sealed=sealed)


def _place(text: str, *, here: bool) -> _Place:
    """Take FILE:KEY apart; a colon may stand in the name of a file."""
    if os.path.lexists(text):
        return _Place(text, "")
    path, colon, key = text.partition(":[") if ":[" in text else text.rpartition(":")
    if not colon:
        return _Place(text, "")
    key = f"[{key}" if colon == ":[" else key
    if here and not os.path.lexists(path):
        return _Place(text, "")
    return _Place(path, key)


def _path(key: str, opened: Opened) -> Path:
    return tree_path.parse(key, BAD_PATH) if key.startswith("[") else promotion.path_of(opened, key)


def _added(opened: Opened, at: Path, key: str) -> str:
    """Return the one key that a copy would add; of a map there are several, and it is empty."""
    if all(leaf.path != at for leaf in opened.leaves):
        return ""
    if key.startswith("["):
        return str(tree_path.parse(key, BAD_PATH)[-1])
    return key.removeprefix(".".join(map(str, at[:-1])) + ".") or str(at[-1])


def _target_path(key: str, there: Opened) -> Path:
    """Read the key of the target, which need not be there yet: then a dot is a step down."""
    if key.startswith("["):
        return tree_path.parse(key, BAD_PATH)
    try:
        return promotion.path_of(there, key)
    except SealpyError:
        return tuple(key.split("."))


def _at(path: str, error: Refused) -> Refused:
    return Refused(f"{path}: {error.message}", hint=error.hint)


def _tell_of_parts(path: str) -> None:
    found = part_folder.beside(path)
    if found:
        terminal.warn(
            f"{terminal.plain(path)}: the keys of its parts win over what was copied: {terminal.listing(found)}"
        )
        terminal.hint(terminal.plain(f'"sealpy fold {shlex.quote(path)}" makes them part of the file'))


class _Asker:
    """Asks for one value after another; without a terminal it refuses at the first."""

    def __init__(self, ends: _Ends, *, keep: bool) -> None:
        self._ends = ends
        self._keep = keep

    def __call__(self, value: Value) -> bool | Secret[str]:
        if self._keep:
            return True
        name, source, target = (terminal.plain(text) for text in (value.name, self._ends.from_, self._ends.to))
        if not terminal.is_screen(0):
            raise Stop(
                FAILED,
                f"{name} would be the same in {target} as in {source}, and there is no terminal to ask on; "
                "nothing was written",
                hint=f"to copy every value as it is: {terminal.plain(self._ends.command)} --keep-values",
            )
        own = f", in place of the one it has (n keeps {target}'s)" if value.has_own else " (n asks for another)"
        answer = terminal.confirm(f"{name}: give {target} the value of {source}{own}?")
        if answer is None:
            raise Stop(FAILED, "nobody answered, so nothing was written", hint="--keep-values answers beforehand")
        if answer or value.has_own:
            return answer
        typed = terminal.hidden(f"value of {name} in {target}, as plain text")
        if not typed:
            raise Stop(FAILED, f"{name} has no value for {target}, so nothing was written")
        return Secret(typed)


def _summary(ends: _Ends, outcomes: list[Outcome], *, written: bool) -> None:
    if not written:
        why = "keeps its own" if any(outcome.what == "kept" for outcome in outcomes) else "has it all already"
        terminal.say(f"{terminal.plain(ends.target)} {why}: nothing to do")
        return
    counts = {what: sum(outcome.what == what for outcome in outcomes) for what in ("copied", "new", "kept", "already")}
    words = {"copied": "copied", "new": "new", "kept": "kept as they were", "already": "the same before"}
    told = [f"{count} {words[what]}" for what, count in counts.items() if count]
    terminal.say(
        f"{terminal.plain(ends.source)} to {terminal.plain(ends.target)}: values "
        + (", ".join(told) if told else "none")
    )
