"""``sealpy grant``: let somebody read an environment."""

import json
import shlex
import sys

import click

from sealpy import operations
from sealpy.errors import KeyAccessError, Refused
from sealpy.sealing import Opened
from sealpy_cli import terminal
from sealpy_cli.exit_codes import FAILED, Stop
from sealpy_cli.grammar import Arguments
from sealpy_cli.session import Session
from sealpy_cli.team import access_change, sealed_files
from sealpy_cli.team.sealed_files import SealedFile, Write

_SCHEMA = "sealpy.grant/1"


@click.command(context_settings={"help_option_names": ["-h", "--help"]}, options_metavar="[OPTION…]")
@click.argument("environment", metavar="ENV")
@click.argument("recipient", metavar="RECIPIENT")
@click.option("--name", metavar="NAME", default="", help="Whose recipient it is; kept in .sealpy.yaml.")
@click.option(
    "--request", is_flag=True, help="Change .sops.yaml and .sealpy.yaml only, for a pull request; no key is needed."
)
@click.option("--json", "as_json", is_flag=True, help="Write one JSON document.")
@click.pass_obj
def grant(root: Arguments, environment: str, recipient: str, *, name: str, request: bool, as_json: bool) -> None:
    """Let RECIPIENT read ENV: its rules name them, and its files are wrapped for them too.

    ENV is a folder such as dev or prod, as the rules of .sops.yaml name it, or a name of .sealpy.yaml; dev,qa means
    both. RECIPIENT is an age or SSH recipient, or a name that .sealpy.yaml knows. No value changes, and no file is
    written unless all of them open with a good MAC.
    """
    on = access_change.ground("grant", root)
    who = access_change.recipient_of(on, recipient)
    called = name or on.project.name_of(who)
    if not called:
        raise Stop(FAILED, "whose recipient is this?", hint="add --name NAME; it is shown wherever the recipient is")
    named, calls = access_change.new_name(on, called, who)
    where = access_change.scope(on, environment)
    found = sealed_files.look_at(on.session, on.items, where.places)
    if found.codes and not request:
        raise access_change.unreadable(found.codes)
    written = access_change.spellings(on, where, found.files, who)
    who = written[0]
    rules = access_change.new_rules(on, where, [who], wanted=True)
    config = [*named, *rules]
    lacking = [file for file in found.files if not any(("age", text) in file.key_names() for text in written)]
    writes: list[Write] = []
    if not request:
        opened = access_change.opened_for(
            on,
            where,
            lacking,
            calls,
            deed=f"letting {terminal.plain(called)} in",
            request=f"sealpy grant --request {shlex.join([environment, recipient, *(['--name', name] if name else [])])}",
        )
        writes = [Write(file.path, file.data, _wrapped(on.session, file, content, who)) for file, content in opened]
    sealed_files.write_all(on.session, config, writes)
    access_change.warn_of_parts(on, found.files, written, wanted=True)
    changed = access_change.names_of(config)
    if as_json:
        report = {
            "environments": list(where.names),
            "recipient": who,
            "name": called,
            "request": request,
            "configuration": changed,
            "files": [write.path for write in writes],
            "waiting": [file.path for file in lacking] if request else [],
            "unchanged": len(found.files) - len(lacking),
        }
        sys.stdout.write(json.dumps({"schema": _SCHEMA, **report}, indent=2) + "\n")
    if request:
        holders = sealed_files.who_opens(lacking, calls)
        _say_request(where.shown, calls.shown(who), changed, len(lacking), holders, environment)
    elif not writes and not rules:
        wrote = f"changed {terminal.listing(changed)}" if changed else "nothing to do"
        terminal.say(f"{calls.shown(who)} can read {where.shown} already: {wrote}")
    else:
        wrote = f"; changed {terminal.listing(changed)}" if changed else ""
        count = access_change.counted_files(len(writes))
        terminal.say(f"{calls.shown(who)} can read {where.shown}: {count} re-wrapped{wrote}")
        terminal.hint("commit and push the change; no value in it is another one")


def _say_request(where: str, who: str, changed: list[str], waiting: int, holders: str, environment: str) -> None:
    if not changed and not waiting:
        terminal.say(f"{who} can read {where} already: nothing to request")
        return
    wrote = f"wrote {terminal.listing(changed)}" if changed else "the rules say so already"
    if not waiting:
        terminal.say(f"{wrote}: {who} may read {where}, which has no encrypted file that lacks them")
        terminal.hint("open a pull request with it")
        return
    count = access_change.counted_files(waiting)
    terminal.say(f"{wrote}: {who} may read {where}, but {count} still cannot be opened by them")
    command = f"sealpy sync {terminal.plain(shlex.quote(environment))}"
    terminal.hint(f"open a pull request with it, in which one who reads {where} ({holders}) runs: {command}")


def _wrapped(session: Session, file: SealedFile, opened: Opened, recipient: str) -> bytes:
    if len(opened.metadata.groups) > 1:
        raise Refused(
            f"{file.path}: has {len(opened.metadata.groups)} key groups, but its rule one; nothing was changed",
            hint='"sealpy sync" brings it in line with its rule',
        )
    groups = operations.changed_groups(opened.metadata, add=[("age", recipient)])
    try:
        return operations.update_keys(opened, file.fmt, session.keyring, groups)
    except KeyAccessError as error:
        raise access_change.not_sealed(file, error) from None
