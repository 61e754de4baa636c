"""``sealpy init``: sets a new repository up, and tells in a set-up one what you can do in it.

No file that exists is changed, but for the key file, which a new key is added to.
"""

import json
import os
import subprocess
from collections.abc import Sequence
from typing import NamedTuple

import click

from sealpy import config_file, files, rules, rules_edit
from sealpy.errors import NoMatchingRule, RuleError, SourceError
from sealpy.identities import Identities, TextIdentity, generate
from sealpy.rules import CreationRule, Rules
from sealpy.sanitise import visible
from sealpy_cli import key_file, terminal
from sealpy_cli.exit_codes import FAILED, Stop
from sealpy_cli.repo.git import Git, GitError
from sealpy_cli.team import access, admission, environments, new_rules, project_file
from sealpy_cli.team.access import Access

_SCHEMA = "sealpy.init/1"
_EXECUTABLE, _ORDINARY = 0o755, 0o644
_ATTRIBUTES = ".gitattributes"
_HOOK_COMMAND = "sealpy hook pre-commit"


class _Key(NamedTuple):
    recipient: str
    source: str
    made: bool


class _Hooks(NamedTuple):
    """Where git looks for hooks; a folder that somebody chose is theirs to fill."""

    folder: str
    chosen: bool


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--cleartext-editable",
    "free",
    multiple=True,
    metavar="PATH",
    help="Let everybody change clear fields of files like PATH without a key; may be given more than once.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def init(*, free: Sequence[str], as_json: bool) -> None:
    """Set this repository up, or tell what you can do in it.

    A new repository gets a key (yours, if you have one), a .sops.yaml with a rule for each environment folder,
    .gitattributes, and a hook that refuses to commit secrets in clear. Where there is a .sops.yaml only
    the hook is written, which git does not clone, and you are told which environments you can write and read.

    With --cleartext-editable the rule for PATH, a file or a folder, gets "mac_only_encrypted: true": pipelines without
    a key can set what stands in clear, such as an image, and nobody vouches for it.
    """
    identities = Identities(os.environ)
    config = config_file.find(os.getcwd())
    if config.note:
        terminal.warn(terminal.plain(config.note))
    if config.path is None:
        report = _set_up(identities, free)
    else:
        written = _free_in(config.path, free) if free else _hook_in_clone()
        report = {"repository": "existing", "config": config.path, "written": written}
    identities = Identities(os.environ)  # a key may just have been made
    accesses = access.of(config_file.load(str(report["config"])), identities)
    can = access.summary(accesses)
    if as_json:
        listed = [{"path_regex": each.path_regex, "write": each.write, "read": each.read} for each in accesses]
        print(json.dumps({"schema": _SCHEMA, **report, **can, "rules": listed}, indent=2))
        return
    if config.path is not None and not report["written"]:
        terminal.say(f"{terminal.plain(config.path)} is there: nothing was written")
    print(f"write: {_listed(can['write'])}; read: {_listed(can['read'])}")
    if config.path is not None and len(can["read"]) < len({name for each in accesses for name in each.labels}):
        _say_how_to_read(accesses, can["read"], identities, config.path)


def _set_up(identities: Identities, free: Sequence[str]) -> dict[str, object]:
    top = _top()
    folder = top or os.getcwd()
    found = environments.find(folder)
    key = _key(identities)
    recipient = project_file.shown(lambda: os.path.join(folder, config_file.NAME))(key.recipient)
    terminal.say(f"{'made the key' if key.made else 'using the key'} {recipient} ({terminal.plain(key.source)})")
    if key.made:
        terminal.hint("keep a copy of the key in a safe place: without it, what is encrypted for it is lost")
    written: list[str] = []
    kept: list[str] = []

    def write(path: str, text: str, mode: int = _ORDINARY) -> None:
        name = os.path.relpath(path, folder)
        if os.path.lexists(path):
            kept.append(name)
            terminal.say(f"left {terminal.plain(name)} as it is")
        else:
            files.create(path, text.encode(), mode)
            written.append(name)
            terminal.say(f"wrote {terminal.plain(name)}")

    config = os.path.join(folder, config_file.NAME)
    write(config, _with_free(new_rules.rules(found, key.recipient), config, free))
    for environment in found:
        terminal.say(f"  {terminal.plain(environment.name)}: {terminal.listing(environment.folders)}")
    if not found:
        terminal.say(
            "  no environment folders, such as envs/prod: the one rule covers secrets.yaml and its like anywhere"
        )
    if top is None:
        terminal.say("this is no git repository: no attributes and no hook were written")
    else:
        write(os.path.join(folder, _ATTRIBUTES), new_rules.ATTRIBUTES)
        hooks = _hooks(folder)
        path = os.path.join(hooks.folder, "pre-commit")
        if hooks.chosen or os.path.lexists(path):
            terminal.say(f"left {terminal.plain(os.path.relpath(path, folder))} to you")
            terminal.hint(f'to check commits, have it run "{_HOOK_COMMAND}"')
            kept.append(os.path.relpath(path, folder))
        else:
            os.makedirs(hooks.folder, exist_ok=True)
            write(path, new_rules.HOOK, _EXECUTABLE)
        terminal.hint("commit " + " and ".join(name for name in (config_file.NAME, _ATTRIBUTES) if name in written))
    return {
        "repository": "new",
        "config": config,
        "key": key._asdict(),
        "environments": [environment._asdict() for environment in found],
        "written": written,
        "kept": kept,
    }


def _free_in(config: str, free: Sequence[str]) -> list[str]:
    """Free clear fields in a configuration that is there; return the files that were written."""
    raw = files.read(config)
    changed = _with_free(_text(raw, config), config, free).encode()
    if changed == raw:
        return []
    files.replace(config, changed, expected=raw)
    terminal.say(f"changed {terminal.plain(config)}")
    terminal.hint("files that are sealed already follow with: sealpy sync")
    return [os.path.basename(config)]


def _hook_in_clone() -> list[str]:
    """Write the hook into a clone, which comes without, if nobody has one of their own there; return its name."""
    top = _top()
    if top is None:
        return []
    hooks = _hooks(top)
    path = os.path.join(hooks.folder, "pre-commit")
    if hooks.chosen or os.path.lexists(path):
        if not _runs_ours(path):
            terminal.warn(terminal.plain(f"commits go unchecked: left {os.path.relpath(path, top)} to you"))
            terminal.hint(f'to check commits, have it run "{_HOOK_COMMAND}"')
        return []
    os.makedirs(hooks.folder, exist_ok=True)
    files.create(path, new_rules.HOOK.encode(), _EXECUTABLE)
    name = os.path.relpath(path, top)
    terminal.say(f"wrote {terminal.plain(name)}, which refuses to commit secrets in clear")
    return [name]


def _runs_ours(hook: str) -> bool:
    """Tell whether a hook has our check run, as far as its own text shows."""
    try:
        return _HOOK_COMMAND.encode() in files.read(hook)
    except SourceError:
        return False


def _with_free(text: str, config: str, free: Sequence[str]) -> str:
    """Have the rules for some paths leave clear fields to everybody.

    Raises:
        Stop: no rule covers one of them.
        Refused, RuleError
    """
    for path in free:
        parsed = rules.parse(text, config)
        rule = _covering(parsed, config, path)
        if rule is None:
            raise Stop(
                FAILED,
                f"no creation rule covers {path}",
                hint="name a file or folder of an environment, such as envs/prod, or write a rule for it first",
            )
        text = rules_edit.with_clear_fields_free(text, config, (parsed.creation_rules or ()).index(rule))
        terminal.say(
            f"  files like {terminal.plain(path)}: clear fields can be set without a key; nobody vouches for them"
        )
    return text


def _covering(parsed: Rules, config: str, path: str) -> CreationRule | None:
    """Return the rule of a file; of a folder, the rule of its secrets."""
    for candidate in (path, os.path.join(path, "secrets.yaml")):
        try:
            return parsed.match(config_file.path_in(config, candidate))
        except NoMatchingRule:
            continue
    return None


def _text(raw: bytes, path: str) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        pass
    raise RuleError(f"{path}: not UTF-8")


def _key(identities: Identities) -> _Key:
    """Take the first age key at hand, or make one. SSH keys are for logging in; nobody is enrolled by them unasked."""
    at_hand = [identity for identity in identities.at_hand() if isinstance(identity, TextIdentity)]
    recipients = {recipient for identity in at_hand for recipient in identity.recipients}
    for attempt in identities.attempts():
        for recipient in attempt.recipients:
            if recipient in recipients:
                return _Key(recipient, attempt.source, made=False)
    for recipient in identities.in_keyring():
        return _Key(recipient, "keyring", made=False)
    path = key_file.path_of(identities)
    made = generate()
    key_file.add(path, [key_file.entry(made)])
    return _Key(made.recipients[0], path, made=True)


def _top() -> str | None:
    """Return the top of the git worktree; None outside of one."""
    try:
        with Git() as git:
            return git.top()
    except GitError as error:
        if "not a git repository" not in error.complaint:
            raise
    return None


def _hooks(folder: str) -> _Hooks:
    def ask(*words: str) -> str:
        ran = subprocess.run(["git", *words], cwd=folder, capture_output=True, check=False)
        return os.fsdecode(ran.stdout.removesuffix(b"\n"))

    chosen = bool(ask("config", "core.hooksPath"))
    return _Hooks(os.path.join(folder, ask("rev-parse", "--git-path", "hooks")), chosen)


def _say_how_to_read(accesses: Sequence[Access], readable: Sequence[str], identities: Identities, config: str) -> None:
    own = admission.recipients(identities)
    if not own:
        terminal.hint('to read, make a key with "sealpy key new"; "sealpy init" then says how to ask')
        return
    closed = next(name for each in accesses for name in each.labels if name not in readable)
    command = admission.request(closed, own, project_file.load(config))
    terminal.hint(f"to read more, ask with a pull request, as in: {terminal.plain(command)}")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(visible(name) for name in names) or "none"
