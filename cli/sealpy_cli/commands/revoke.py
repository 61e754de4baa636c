"""``sealpy revoke``: let somebody read an environment no longer."""

import json
import shlex
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

import click

from sealpy import operations
from sealpy.errors import KeyAccessError, Refused
from sealpy.sealing import Opened
from sealpy_cli import terminal
from sealpy_cli.grammar import Arguments
from sealpy_cli.session import Session
from sealpy_cli.team import access_change, sealed_files
from sealpy_cli.team.sealed_files import SealedFile, Write

_SCHEMA = "sealpy.revoke/1"


@click.command(context_settings={"help_option_names": ["-h", "--help"]}, options_metavar="[OPTION…]")
@click.argument("environment", metavar="ENV")
@click.argument("person", metavar="NAME|RECIPIENT")
@click.option("--request", is_flag=True, help="Change .sops.yaml only, for a pull request; no key is needed.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON document.")
@click.pass_obj
def revoke(root: Arguments, environment: str, person: str, *, request: bool, as_json: bool) -> None:
    """Let somebody read ENV no longer: its rules don't name them, and its files get new data keys.

    What they could read is listed, for they may have kept it and git's history still opens for them: change those
    values where they come from. Their name stays in .sealpy.yaml, so that history can be read.
    """
    on = access_change.ground("revoke", root)
    who = access_change.recipient_of(on, person)
    where = access_change.scope(on, environment)
    found = sealed_files.look_at(on.session, on.items, where.places)
    if found.codes and not request:
        raise access_change.unreadable(found.codes)
    gone = access_change.spellings(on, where, found.files, who)
    shown = on.project.shown(who)
    called = on.project.name_of(who) or shown
    config = access_change.new_rules(on, where, gone, wanted=False)
    reading = [file for file in found.files if any(("age", text) in file.key_names() for text in gone)]
    exposed: list[tuple[str, list[str]]] = []
    writes: list[Write] = []
    command = shlex.join([environment, person])
    if not request:
        opened = access_change.opened_for(
            on,
            where,
            reading,
            on.project,
            deed=f"taking {called} out",
            request=f"sealpy revoke --request {command}",
            but=gone,
        )
        exposed = [(file.path, keys(content)) for file, content in opened]
        writes = [Write(file.path, file.data, _rotated(on.session, file, content, gone)) for file, content in opened]
    if not as_json:
        # Before the first file is written: a run that is cut off has said it.
        _list(exposed, called)
    sealed_files.write_all(on.session, config, writes)
    access_change.warn_of_parts(on, found.files, gone, wanted=False)
    changed = access_change.names_of(config)
    if as_json:
        report = {
            "environments": list(where.names),
            "recipient": who,
            "name": on.project.name_of(who),
            "request": request,
            "configuration": changed,
            "files": [{"path": path, "keys": names} for path, names in exposed],
            "waiting": [file.path for file in reading] if request else [],
            "unchanged": len(found.files) - len(reading),
        }
        sys.stdout.write(json.dumps({"schema": _SCHEMA, **report}, indent=2) + "\n")
    if not reading and not config:
        terminal.say(f"{shown} cannot read {where.shown}: nothing to do")
    elif request:
        wrote = f"wrote {terminal.listing(changed)}" if changed else "the rules say so already"
        count = access_change.counted_files(len(reading))
        terminal.say(f"{wrote}: {shown} may not read {where.shown}, but still opens {count}")
        holders = sealed_files.who_opens(reading, on.project, gone)
        then = f"sealpy revoke {terminal.plain(command)}"
        terminal.hint(
            f"open a pull request with it, in which another one who reads {where.shown} ({holders}) runs: {then}"
        )
    else:
        wrote = f"; changed {terminal.listing(changed)}" if changed else ""
        count = access_change.counted_files(len(writes))
        terminal.say(f"{shown} cannot read {where.shown} any more: {count} with a new data key{wrote}")
        terminal.hint("commit and push the change, and change what is listed at its source: git's history still opens")


def keys(opened: Opened) -> list[str]:
    """Return the paths of the sealed values of a file, without their values."""
    many_documents = opened.document.documents > 1
    names = []
    for leaf, sealed in zip(opened.leaves, opened.sealed, strict=True):
        if sealed and leaf.kind != "comment":
            name = ".".join(str(part) for part in leaf.path)
            names.append(f"{name} (document {leaf.document + 1})" if many_documents else name)
    return list(dict.fromkeys(names))


def _list(exposed: Sequence[tuple[str, Sequence[str]]], called: str) -> None:
    if not exposed:
        return
    terminal.say(f"{called} could read these values, and may have kept them:")
    for path, names in exposed:
        sys.stdout.write(f"{terminal.plain(path)}: {', '.join(terminal.plain(name) for name in names)}\n")
    sys.stdout.flush()


def _rotated(session: Session, file: SealedFile, opened: Opened, gone: Sequence[str]) -> bytes:
    fault = ""
    try:
        groups = operations.changed_groups(opened.metadata, remove=[("age", text) for text in gone])
        return operations.rotate(opened, file.fmt, session.keyring, now=datetime.now(UTC), groups=groups)
    except KeyAccessError as error:
        raise access_change.not_sealed(file, error) from None
    except Refused as error:
        fault = error.message
    raise Refused(
        f"{file.path}: {fault}; nothing was changed",
        hint='"sealpy sync" gives it the keys of its rule first',
    )
