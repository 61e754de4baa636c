"""``sealpy add``: put a key into a file, also into one that the person cannot open.

Where a key opens the file, the value is set in it. Where none does, a part is written: see ``sealpy.parts``. The value
is asked for or read, and never stands in the arguments, which every process of the machine can read.
"""

import os
import re
import shlex
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import NamedTuple

import click

from sealpy import config_file, files, operations, part_folder, parts
from sealpy.document import Path
from sealpy.errors import DocumentError, Refused
from sealpy.formats import Format
from sealpy.kubernetes import Manifest
from sealpy.metadata import Metadata
from sealpy.parts import Owner
from sealpy.rules import CreationRule
from sealpy.sealing import Opened
from sealpy_cli import commit_message, terminal, value_change
from sealpy_cli.exit_codes import BAD_VALUE, CONFLICT, NO_FILE, Stop, while_sealing
from sealpy_cli.grammar import Arguments, Call
from sealpy_cli.remarks import Remarks
from sealpy_cli.repo import local_commit, push_change
from sealpy_cli.repo.folder_change import FolderChange
from sealpy_cli.session import Session
from sealpy_cli.team import access, part_files, part_target, project_file, sealed_result
from sealpy_cli.team.part_target import Target

_NAME = re.compile(r"(?=.{1,240}\Z)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("file")
@click.argument("key")
@click.option("--value-stdin", is_flag=True, help="Read the value from stdin, without its last line break.")
@click.option("--from-file", "source", metavar="PATH", help="Take the content of this file, byte for byte.")
@click.option("--name", "object_name", metavar="NAME", help="Which Secret or ConfigMap, if FILE holds several.")
@click.option("--as-secret", "own_name", metavar="NAME", help="Write a Secret of its own beside FILE, NAME.yaml.")
@click.option("--kustomize", is_flag=True, help="Name the part as a patch in the kustomization beside FILE.")
@click.option("--env-file", is_flag=True, help="FILE is a dotenv for a secretGenerator, and is made if it is missing.")
@click.option("--commit", "message", metavar="MSG", help="Commit the change, and nothing else, with this message.")
@click.option("--push", is_flag=True, help="Make it on top of the branch as it is at the remote, and push.")
@click.option("--retries", type=int, metavar="N", help="How often to try again when others push (default 50).")
@click.pass_obj
def add(  # noqa: PLR0913 - one for each option
    root: Arguments,
    file: str,
    key: str,
    *,
    value_stdin: bool,
    source: str | None,
    object_name: str | None,
    own_name: str | None,
    kustomize: bool,
    env_file: bool,
    message: str | None,
    push: bool,
    retries: int | None,
) -> None:
    """Put KEY into FILE, which need not be readable to you; the value is asked for.

    If no key here opens FILE, the value is sealed into a file of its own, FILE's part: secrets.d/KEY.yaml beside
    secrets.yaml. sealpy takes both for one; "sealpy fold" by somebody with the key makes one file of them.
    """
    session = Session(Call("add", Arguments({}, frozenset(), ()), root, os.environ, as_sops=False))
    if value_stdin and source is not None:
        raise Stop(CONFLICT, "cannot use both --value-stdin and --from-file")
    commit_message.require(message, push=push, retries=retries)
    if env_file and not file.endswith(".env"):
        raise Stop(CONFLICT, "with --env-file, FILE must end in .env")
    asked: list[bytes] = []

    def value() -> bytes:
        # Once, however often a push is tried.
        if not asked:
            asked.append(_value(session, key, source, value_stdin=value_stdin))
        return asked[0]

    file = part_files.real(file)

    remarks = Remarks()

    def act(file: str) -> None:
        remarks.clear()
        run = _Run(session.near(file), key, value, remarks)
        if env_file and not os.path.lexists(file):
            _new_env_file(run, file)
            return
        target = part_target.read(run.session, file, object_name)
        parts.check_key(key, target.format, target.owner)
        if own_name is not None:
            _add_secret(run, target, own_name)
        elif target.opened is not None:
            _set(run, target, target.opened)
        else:
            _add_part(run, target, kustomize=kustomize)

    def act_here() -> None:
        try:
            act(file)
        finally:
            # What was written before something failed is there.
            remarks.tell()

    if message is None:
        act_here()
        return
    value()
    place = _Place.of(file, key, own_name)
    if not push:
        kustomization = part_files.kustomization_beside(file)
        names = [*place.names, *([push_change.name_in(place.top, kustomization)] if kustomization else [])]
        local_commit.prepare(place.top, names)
        act_here()
        local_commit.commit(place.top, names, message)
        return
    if root.text("config"):
        raise Stop(CONFLICT, "--config and --push exclude each other: the rules are those on the branch")
    change = FolderChange(
        f"{key} of {place.names[0]}",
        place.names,
        place.here,
        lambda: act(place.file),
        lambda there: tuple(
            value_change.standing(session, there(name), session.format_of(name), lambda path: path[-1:] == (key,))
            for name in place.names
        ),
    )
    push_change.push(place.top, change, message, retries, remarks.tell)


class _Run(NamedTuple):
    """One try of putting a key somewhere."""

    session: Session
    key: str
    value: Callable[[], bytes]
    remarks: Remarks


class _Place(NamedTuple):
    """Where a key is added: the files that may change, by their names from the top of the repository."""

    top: str
    here: str
    """The current folder, from the top; the top, if it is outside."""
    file: str
    """The file, from there."""
    names: list[str]

    @classmethod
    def of(cls, file: str, key: str, own_name: str | None) -> "_Place":
        top = push_change.top_of(file)
        paths = [file, *([] if own_name is None else [_own_path(file, own_name)])]
        with suppress(Refused):
            # Who has the key of the file sets what no part could be called.
            paths.append(part_folder.path_of(file, key))
        names = [push_change.name_in(top, path) for path in paths]
        here = push_change.name_in(top, os.getcwd())
        here = "" if here in (".", "..") or here.startswith("../") else here
        return cls(top, here, os.path.relpath(names[0], here or "."), names)


def _set(run: _Run, target: Target, opened: Opened) -> None:
    session, key, remarks = run.session, run.key, run.remarks
    path, spelt, replaces = parts.place(target.leaves, target.manifest, key, run.value())
    try:
        changed = operations.set_value(opened, target.format, path, spelt, now=_now())
    except DocumentError as error:
        raise while_sealing(error) from None
    sealed_result.require(changed, target.format, path, spelt, target.path)
    session.write(target.path, changed, plaintext=False, expected=target.raw)
    remarks.say(f"{'changed' if replaces else 'added'} {key} in {target.path}")
    for part in [each for each in part_folder.beside(target.path) if part_folder.key_of(each) == key]:
        # It would go on to win over the value that was just set.
        part_files.retire(target.path, [(part, session.read(part))])
        remarks.say(f"removed the part that held {key}: {part}")


def _add_part(run: _Run, target: Target, *, kustomize: bool) -> None:
    session, key, remarks = run.session, run.key, run.remarks
    part = part_folder.path_of(target.path, key)
    rule = part_files.check_rule(session.rules(), target.path, part)
    kustomization = part_files.kustomization_beside(target.path)
    if kustomize and kustomization is None:
        raise Stop(NO_FILE, f"there is no kustomization beside {target.path}")
    standing = part_target.standing(session, target, key, part)
    path, spelt, replaces = parts.place(target.leaves, target.manifest, key, run.value())
    at = path if target.manifest is None else path[-2:]
    field = str(path[-2]) if target.manifest is not None else ""
    text = parts.text(target.owner, field, key, spelt, target.format)
    _seal(run, part, text, target.format, at, spelt, standing, target)
    remarks.say(
        f"you can't read {_label(session, target, rule)} (it takes the key of {_readers(session, target.metadata)}). "
        f"Sealed {key} into {part}; nothing else touched"
    )
    if replaces:
        remarks.warn(f"{key} has a value in {target.path} already, which this one replaces")
    if standing is not None:
        remarks.say(f"the part for {key} that was there is replaced")
    if kustomize and kustomization is not None:
        part_files.enter(kustomization, "patches", part)
        remarks.say(f"named it as a patch in {kustomization}")
        if not part_files.is_patch(kustomization, target.path):
            remarks.warn("Flux cannot decrypt a Secret that is patched with a value in clear")
            remarks.hint(f"for Flux, fold it before, or name {target.path} under patches too")
    elif kustomization is not None:
        remarks.hint(f'kustomize and Flux learn of {key} when somebody with the key runs "sealpy fold {target.path}"')


def _add_secret(run: _Run, target: Target, name: str) -> None:
    """Write a Secret of its own."""
    session, key, remarks = run.session, run.key, run.remarks
    if not _NAME.fullmatch(name):
        raise Refused("this is no name for a Secret", hint="lower-case letters, digits, - and . make one")
    path = _own_path(target.path, name)
    if target.manifest is None:
        raise Refused(f"{target.path} holds no Kubernetes object to stand beside")
    if os.path.lexists(path):
        raise Refused(f"{path} is there already", hint=f"sealpy add {path} {key}")
    rule = part_files.check_rule(session.rules(), target.path, path)
    session.rule_for(path)
    owner = Owner("Secret", target.owner.namespace, name)
    alone = Manifest(0, (), "v1", *owner, (0, 0))
    place, spelt, _ = parts.place((), alone, key, run.value())
    _seal(run, path, parts.text(owner, str(place[0]), key, spelt, target.format), target.format, place, spelt)
    label = f"; you can't read {_label(session, target, rule)}" if target.opened is None else ""
    remarks.say(f"sealed {key} into {path}, {owner}{label}")
    kustomization = part_files.kustomization_beside(target.path)
    if kustomization is not None and part_files.enter(kustomization, "resources", path):
        remarks.say(f"named it as a resource in {kustomization}")


def _own_path(file: str, name: str) -> str:
    return os.path.join(os.path.dirname(file), name + os.path.splitext(file)[1])


def _new_env_file(run: _Run, file: str) -> None:
    session, key, remarks = run.session, run.key, run.remarks
    fmt = session.format_of(file)
    parts.check_key(key, fmt, Owner())
    session.rule_for(file)
    _, spelt, _ = parts.place((), None, key, run.value())
    _seal(run, file, parts.text(Owner(), "", key, spelt, fmt), fmt, (key,), spelt)
    remarks.say(f"sealed {key} into the new file {file}")
    remarks.hint(f"name it in a kustomization: secretGenerator, envs: [{os.path.basename(file)}]")


def _seal(
    run: _Run,
    path: str,
    text: str,
    fmt: Format,
    at: Path,
    spelt: str,
    standing: bytes | None = None,
    base: Target | None = None,
) -> None:
    """Seal a new file, of which ``spelt`` at ``at`` is the secret; ``base`` is what it is a part of."""
    session, remarks = run.session, run.remarks
    clear = fmt.encode(text)
    rule = session.rule_for(path)
    plan = session.plan_by(rule, fmt, clear)
    # Whether it is sealed is asked of the result, below.
    sealed = operations.encrypt(clear, fmt, plan, session.keyring, now=_now(), allow_clear=True, warn=remarks.warn)
    governed = sealed_result.Governed(session.rules(), rule, path if base is None else base.path)
    sealed_result.require(sealed, fmt, at, spelt, path, governed)
    if base is not None and not part_files.check_readers(base.path, operations.key_names(base.metadata), plan.groups):
        remarks.warn(f"{base.path} is sealed for others than its rule says; the part is for those of the rule")
        remarks.hint(f'somebody who reads it brings it in line: "{shlex.join(["sealpy", "sync", base.path])}"')
    folder = os.path.dirname(path)
    if folder:
        os.makedirs(folder, exist_ok=True)
    session.write(path, sealed, plaintext=False, expected=standing)
    if local_commit.is_ignored(path):
        remarks.warn(f"git ignores {path}, so nobody else gets it")
        remarks.hint(f'mend .gitignore, or "{shlex.join(["git", "add", "--force", path])}"')


def _value(session: Session, key: str, source: str | None, *, value_stdin: bool) -> bytes:
    if source is not None:
        content = files.read(source, session.limit)
    elif value_stdin:
        content = session.read_stdin()
        content = content.removesuffix(b"\n").removesuffix(b"\r")
    else:
        answer = terminal.hidden(f"value for {terminal.plain(key)}")
        if answer is None:
            raise Stop(
                NO_FILE, "there is no value, and no terminal to ask on", hint="take --value-stdin or --from-file PATH"
            )
        content = answer.encode("utf-8", "surrogateescape")
    if not content:
        raise Stop(BAD_VALUE, "the value is empty; an empty value cannot be sealed")
    return content


def _label(session: Session, target: Target, rule: CreationRule | None) -> str:
    """Name the environment that a file is of; else the file."""
    rules = session.rules()
    if rules is not None and rule is not None:
        named = project_file.load(rules.path).environment_of(config_file.path_in(rules.path, target.path))
        if named:
            return named
        labels = access.labels(rule.path_regex)
        if rule.path_regex and labels != [rule.path_regex]:
            return " and ".join(labels)
    return target.path


def _readers(session: Session, metadata: Metadata) -> str:
    rules = session.rules()
    project = project_file.load(rules.path if rules is not None else None)
    if len(metadata.groups) > 1:
        return ", ".join(dict.fromkeys(project.shown(key.label) for key in metadata.master_keys()))
    names = list(dict.fromkeys(project.shown(key.label) for key in metadata.master_keys()))
    return " or ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _now() -> datetime:
    return datetime.now(UTC)
