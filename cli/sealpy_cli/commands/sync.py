"""``sealpy sync``: files become as their rules say, after ``.sops.yaml`` was changed."""

import json
import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import click

from sealpy import resync
from sealpy.checking.findings import ERROR, KINDS, OFF
from sealpy.errors import KeyAccessError, SealpyError
from sealpy.project import Project
from sealpy.resync import Change, Groups
from sealpy.selection import Selection
from sealpy_cli import many, terminal
from sealpy_cli.exit_codes import FAILED, OK, Stop, code_of, common, while_sealing
from sealpy_cli.grammar import Arguments
from sealpy_cli.team import access_change, environment_rules, sealed_files
from sealpy_cli.team.access_change import Ground
from sealpy_cli.team.sealed_files import SealedFile, Write

_SCHEMA = "sealpy.sync/1"
_SHOWN_PATHS = 5
_UNCOVERED = "SP506"


class _Planned(NamedTuple):
    """A file that is not as its rule says, what it lacks, and the values that would no longer be sealed."""

    file: SealedFile
    change: Change
    bared: tuple[str, ...] = ()


@click.command(context_settings={"help_option_names": ["-h", "--help"]}, options_metavar="[OPTION…]")
@click.argument("operands", nargs=-1, metavar="[ENV|PATH…]")
@click.option("--check", is_flag=True, help="Change nothing, take no key; exit with 1 if there is something to do.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON document.")
@click.pass_obj
def sync(root: Arguments, operands: Sequence[str], *, check: bool, yes: bool, as_json: bool) -> int:
    """Bring encrypted files in line with .sops.yaml: who opens them, what is encrypted, what the MAC covers.

    Without ENV or PATH it is all files of the repository. What would be done is shown first, and asked for. Every
    file is opened with a good MAC before it is written. Where somebody is no longer named, the file gets a new data
    key, for they know the old one.

    Every file follows the nearest .sops.yaml above it. Of those that no rule covers nothing is known; they are named,
    and with --check the exit code is 1.

    \b
    exit codes:  0 all is as the rules say    1 something is to do, or several things failed
                 51 only damaged or tampered-with files    128 only a key is missing
    """  # noqa: D301 - click wants the control character
    place = next(filter(os.path.lexists, operands), "")
    on = access_change.ground("sync", root, nested=True, place=place)
    command = shlex.join(["sealpy", "sync", *operands])
    seen = _seen(on, operands)
    codes = list(seen.codes)
    planned = [
        _Planned(file, change)
        for file in seen.files
        if (change := resync.change_of(file.metadata, file.rule, file.fmt))
    ]
    writes: list[Write] = []
    done: list[_Planned] = []
    if check:
        _show(planned, on.project)
    else:
        done, writes, failures = _prepared(on, planned, command)
        codes += failures
        _show(done, on.project)
        if writes and not yes:
            _ask(len(writes), command)
        sealed_files.write_all(on.session, (), writes)
    if as_json:
        report = {
            "check": check,
            "files": [_as_json(each, done=each in done) for each in (planned if check else done)],
            "unchanged": len(seen.files) - len(planned),
            "uncovered": list(seen.uncovered),
            "failed": len(codes),
            "names": {
                text: name
                for each in planned
                for _, text in (*each.change.added, *each.change.removed)
                if (name := on.project.name_of(text))
            },
        }
        sys.stdout.write(json.dumps({"schema": _SCHEMA, **report}, indent=2) + "\n")
    parts = [f"{len(writes)} brought in line"] if writes else []
    parts += [f"{len(planned)} not as .sops.yaml says"] if check and planned else []
    parts += [f"{len(seen.files) - len(planned)} as .sops.yaml says"]
    severity = on.project.severities.get(_UNCOVERED, KINDS[_UNCOVERED].severity)
    if seen.uncovered and severity != OFF:
        what = "it" if len(seen.uncovered) == 1 else "them"
        paths = terminal.listing(list(seen.uncovered), _SHOWN_PATHS)
        terminal.say(f"no rule covers {paths}: nothing says who should read {what}")
        parts += [f"{len(seen.uncovered)} that no rule covers"]
    parts += [f"{len(codes)} failed"] if codes else []
    terminal.say(", ".join(parts))
    if check and planned:
        terminal.hint(terminal.plain(f'"{command}" brings them in line'))
        return FAILED
    if check and seen.uncovered and severity == ERROR:
        return FAILED
    return common(codes) if codes else OK


def _seen(on: Ground, operands: Sequence[str]) -> sealed_files.Seen:
    """Look at the files that are meant: an environment's, or those at a path."""
    items: dict[str, many.Item] = {}
    for word in operands:
        if word in environment_rules.known(on.rules, on.project):
            for item in on.items:
                if _is_of(on, item, word):
                    items.setdefault(item.path, item)
        elif os.path.lexists(word) or any(sign in word for sign in "*?["):
            for item in sealed_files.at(word):
                path = os.path.normpath(item.path)
                items.setdefault(path, item._replace(path=path))
        else:
            raise Stop(
                FAILED,
                f"{terminal.plain(word)} is neither an environment nor a file",
                hint=f"the environments are {terminal.listing(environment_rules.known(on.rules, on.project))}",
            )
    return sealed_files.look_at_nearest(on.session, items.values() if operands else on.items)


def _is_of(on: Ground, item: many.Item, environment: str) -> bool:
    if environment_rules.environment_of(item.path, on.project) == environment:
        return True
    try:
        rule = on.session.rule_for(item.path)
    except SealpyError:
        return False
    creation = on.rules.creation_rules or ()
    places = environment_rules.labelled(on.rules, environment)
    return any(creation[place] is rule and len(environment_rules.labels(on.rules, place)) == 1 for place in places)


def _prepared(on: Ground, planned: Sequence[_Planned], command: str) -> tuple[list[_Planned], list[Write], list[int]]:
    """Open the files and seal them anew, in memory; what fails is reported, and the others go on."""
    openings = sealed_files.open_all(on.session, [each.file for each in planned])
    codes = list(openings.codes)
    if openings.locked:
        holders = sealed_files.who_opens(openings.locked, on.project)
        count = access_change.counted_files(len(openings.locked))
        stay = "it stays as it is" if len(openings.locked) == 1 else "they stay as they are"
        terminal.say(f"no key here opens {count}, so {stay}; who has one: {holders}")
        terminal.hint(terminal.plain(f'ask them to run "{command}"'))
    changes = {each.file.path: each.change for each in planned}
    done: list[_Planned] = []
    writes: list[Write] = []
    for file, opened in openings.opened:
        change = changes[file.path]
        try:
            after = resync.apply(opened, file.fmt, on.session.keyring, change, now=datetime.now(UTC))
        except SealpyError as error:
            fault = while_sealing(error) if isinstance(error, KeyAccessError) else error
            terminal.fail(fault, file.path)
            codes.append(code_of(fault))
            continue
        bared = tuple(".".join(map(str, path)) for path in resync.into_clear(opened, change))
        done.append(_Planned(file, change, bared))
        writes.append(Write(file.path, file.data, after))
    return done, writes, codes


def _ask(count: int, command: str) -> None:
    answer = terminal.confirm(f"write {access_change.counted_files(count)}?")
    if answer is None:
        hint = f"to answer beforehand: {command} --yes"
        raise Stop(FAILED, "nobody answered, so nothing was changed", hint=hint)
    if not answer:
        raise Stop(FAILED, "nothing was changed")


def _show(planned: Sequence[_Planned], project: Project) -> None:
    """Show what changes, files with the same change together."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for each in planned:
        alike.setdefault(tuple(_lines(each, project)), []).append(each.file.path)
    for lines, paths in alike.items():
        terminal.say(f"{terminal.listing(paths, _SHOWN_PATHS)}:")
        for line in lines:
            terminal.say(f"  {line}")


def _lines(planned: _Planned, project: Project) -> list[str]:
    change = planned.change
    lines = [f"+++ {project.shown(text)}" for _, text in change.added]
    lines += [f"--- {project.shown(text)}" for _, text in change.removed]
    if change.groups is not None:
        lines += _grouping(change.groups, project)
    if change.renews:
        lines.append(f"new data key: {'who goes' if change.removed else 'who had it'} knows the old one")
    if change.selection is not None:
        lines.append(f"encrypted: {_spelt(change.selection[1])}, before {_spelt(change.selection[0])}")
    if planned.bared:
        lines.append(f"no longer encrypted: {terminal.listing(planned.bared)}")
    if change.mac_only_encrypted is not None:
        lines.append(f"the MAC covers {'encrypted values only' if change.mac_only_encrypted else 'clear values too'}")
    return lines


def _grouping(groups: tuple[Groups, Groups], project: Project) -> Iterator[str]:
    """Write what key groups there are to be, and what there were."""
    before, after = groups
    if len(after.keys) == 1:
        yield f"one key group: each of its keys opens the file; before {_quorum(before)}"
        return
    yield f"{_quorum(after)}; before {_quorum(before)}"
    for number, group in enumerate(after.keys, 1):
        yield f"  group {number}: {', '.join(project.shown(text) for _, text in group)}"


def _quorum(groups: Groups) -> str:
    number = len(groups.keys)
    return "one key group" if number == 1 else f"{groups.quorum} of {number} key groups together open the file"


def _spelt(selection: Selection) -> str:
    return f"{selection.mode} {terminal.plain(selection.pattern)}"


def _as_json(planned: _Planned, *, done: bool) -> dict[str, object]:
    change = planned.change
    old, new = change.selection or (None, None)
    return {
        "path": planned.file.path,
        "done": done,
        "added": [text for _, text in change.added],
        "removed": [text for _, text in change.removed],
        "key_groups": change.groups is not None,
        "selection": None if old is None or new is None else {"from": old.to_metadata(), "to": new.to_metadata()},
        "no_longer_encrypted": list(planned.bared),
        "mac_only_encrypted": change.mac_only_encrypted,
    }
