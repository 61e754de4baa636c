"""``sealpy who``: who can read which secrets, by what the files themselves say."""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import click

from sealpy import metadata, registry
from sealpy.checking import access
from sealpy.errors import DocumentError, SourceError
from sealpy.keys import WrappedKey
from sealpy.metadata import Metadata
from sealpy.project import Project
from sealpy.rules import CreationRule
from sealpy.sanitise import visible
from sealpy_cli import checked, terminal
from sealpy_cli.exit_codes import NO_FILE, OK, Stop
from sealpy_cli.render.findings import from_here, text
from sealpy_cli.repo.git import Git
from sealpy_cli.repo.repository import Repository, at
from sealpy_cli.team import environment_rules

_SCHEMA = "sealpy.who/1"
_ELSEWHERE = "elsewhere"
_LISTED = 5


class _File(NamedTuple):
    """A sealed file: whom it names, who is there beyond its rule, and who of the rule is not there."""

    path: str
    environment: str
    metadata: Metadata
    ruled: bool
    beyond: Sequence[str]
    missing: Sequence[str]


class _Reader(NamedTuple):
    """A master key of some files; ``beyond`` are those of them whose rule does not name it."""

    key: WrappedKey
    files: list[str]
    beyond: list[str]


@click.command(context_settings={"help_option_names": ["-h", "--help"]}, options_metavar="[OPTION…]")
@click.argument("place", default="", metavar="[PATH | ENVIRONMENT]")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON document.")
def who(place: str, *, as_json: bool) -> int:
    """Tell who can read the secrets of a file, a folder, an environment, or of everything, and where rules differ.

    No key is needed: it is what the files say. That list is not signed: only a key that opens a file proves anything,
    and whoever could read a value once may have kept it.
    """
    with Git() as here:
        top, known = at(os.getcwd(), here)
    with Git(top) as git:
        repository = Repository(git if known else None, top)
        try:
            calls, _ = checked.load_project(repository)
            files = list(_files(repository, [place] if place and os.path.lexists(place) else [], calls))
        finally:
            repository.close()
    if place and not os.path.lexists(place):
        found = [file for file in files if file.environment == place]
        if not found:
            names = dict.fromkeys(file.environment for file in files if file.environment)
            hint = f"the environments with encrypted files are {terminal.listing([*names])}" if names else None
            raise Stop(NO_FILE, f"{place}: no such file, and no environment with encrypted files", hint=hint)
        files = found
    if as_json:
        sys.stdout.write(_json(files, calls))
        return OK
    if not files:
        print("no encrypted file")
    for line in _lines(files, calls, top, single=os.path.isfile(place) and len(files) == 1):
        print(line)
    return OK


def _files(repository: Repository, paths: Sequence[str], calls: Project) -> Iterator[_File]:
    for entry, data in repository.contents(repository.entries(paths)):
        if isinstance(data, SourceError) or b"sops" not in data:
            continue
        fmt = registry.format_for(entry.name)
        try:
            block = fmt.scan(fmt.decode(data)).metadata
            known = None if block is None else metadata.parse(block)
        except DocumentError:
            continue  # sealpy check says what is wrong with it
        if known is None:
            continue
        rule: CreationRule | None = entry.rule
        beyond, missing = access.differences(known, rule) if rule is not None else ([], [])
        environment = environment_rules.environment_of(os.path.join(repository.top, entry.name), calls)
        yield _File(entry.name, environment, known, rule is not None and any(rule.groups), beyond, missing)


def _lines(files: Sequence[_File], calls: Project, top: str, *, single: bool) -> Iterator[str]:
    for name, below in _by_environment(files).items():
        title = visible(from_here(below[0].path, top)) if single else visible(name or _ELSEWHERE)
        yield title if single else f"{title}  {_count(below)}"
        needs = [_needed(file.metadata) for file in below]
        for needed, groups in sorted({each for each in needs if each[1] > 1}):
            alike = "it" if len(below) == 1 else "each of them"
            which = alike if needs.count((needed, groups)) == len(below) else "some of them"
            yield f"  {needed} of {groups} key groups together open {which}"
        for reader in _readers(below):
            yield f"  {_shown(reader.key, calls)}{_remarks(reader, below, top)}"
        for label, paths in _missing(below).items():
            which = "" if len(below) == 1 else f" {_which(paths, below, top)}"
            yield f"  ! {calls.shown(label)} is named by the rule and cannot read{which or ' it'}"


def _remarks(reader: _Reader, below: Sequence[_File], top: str) -> str:
    words = []
    if len(reader.files) < len(below):
        words.append(_which(reader.files, below, top))
    if reader.beyond:
        all_of_them = len(reader.beyond) == len(reader.files)
        words.append("not named by the rule" + ("" if all_of_them else f" for {_which(reader.beyond, below, top)}"))
    return f"  ({'; '.join(words)})" if words else ""


def _which(paths: Sequence[str], below: Sequence[_File], top: str) -> str:
    if len(paths) == len(below):
        return f"all {len(below)}"
    names = terminal.listing([from_here(path, top) for path in paths], _LISTED)
    return f"{len(paths)} of {len(below)}: {names}"


def _by_environment(files: Iterable[_File]) -> dict[str, list[_File]]:
    found: dict[str, list[_File]] = {}
    for file in files:
        found.setdefault(file.environment, []).append(file)
    return dict(sorted(found.items(), key=lambda pair: (not pair[0], pair[0])))


def _readers(files: Iterable[_File]) -> list[_Reader]:
    """Return the readers of files: those of most files first."""
    found: dict[tuple[str, str], _Reader] = {}
    for file in files:
        for key in dict.fromkeys((key.backend, key.label) for key in file.metadata.master_keys()):
            whole = next(one for one in file.metadata.master_keys() if (one.backend, one.label) == key)
            reader = found.setdefault(key, _Reader(whole, [], []))
            reader.files.append(file.path)
            if key[1].strip() in file.beyond:
                reader.beyond.append(file.path)
    return sorted(found.values(), key=lambda reader: -len(reader.files))


def _missing(files: Iterable[_File]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for file in files:
        for label in file.missing:
            found.setdefault(label, []).append(file.path)
    return found


def _needed(known: Metadata) -> tuple[int, int]:
    return known.quorum, len(known.groups)


def _shown(key: WrappedKey, calls: Project) -> str:
    name = calls.shown(key.label)
    return name if key.backend == "age" else f"{visible(key.backend)} {name}"


def _count(files: Sequence[_File]) -> str:
    return f"{len(files):,} encrypted file{'' if len(files) == 1 else 's'}"


def _json(files: Sequence[_File], calls: Project) -> str:
    document = {
        "schema": _SCHEMA,
        "environments": [
            {
                "name": text(name) if name else None,
                "files": len(below),
                "readers": [
                    {
                        "backend": reader.key.backend,
                        "recipient": text(reader.key.label),
                        "name": calls.name_of(reader.key.label) or None,
                        "files": len(reader.files),
                        "not_in_rule": len(reader.beyond),
                    }
                    for reader in _readers(below)
                ],
            }
            for name, below in _by_environment(files).items()
        ],
        "files": [
            {
                "path": text(file.path),
                "environment": text(file.environment) if file.environment else None,
                "ruled": file.ruled,
                "needed_groups": 1 if len(file.metadata.groups) == 1 else _needed(file.metadata)[0],
                "groups": [[text(key.label) for key in group] for group in file.metadata.groups],
                "beyond_rule": [text(label) for label in file.beyond],
                "missing": [text(label) for label in file.missing],
            }
            for file in files
        ],
    }
    return json.dumps(document, indent=2) + "\n"
