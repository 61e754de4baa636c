"""``sealpy hook``: what git runs."""

import os
import shlex

import click

from sealpy import part_folder
from sealpy.checking.findings import Finding
from sealpy_cli import commit_check, staged, terminal
from sealpy_cli.exit_codes import FAILED, Stop
from sealpy_cli.grammar import Arguments, Call
from sealpy_cli.render.findings import command
from sealpy_cli.repo.git import Git
from sealpy_cli.repo.git_writer import GitWriter
from sealpy_cli.session import Session

_REFUSE, _SEAL = "refuse", "seal"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def hook() -> None:
    """Run the checks that git asks for."""


@hook.command("pre-commit")
@click.pass_obj
def pre_commit(root: Arguments) -> int:
    """Refuse a commit that holds in clear what .sops.yaml wants encrypted, or an encrypted file that was damaged.

    The staged files are checked, no key is needed. "git commit --no-verify" leaves the check out.

    With "git config sealpy.staged seal", what is staged in clear is encrypted instead, and the commit goes on.
    """
    with Git() as git:
        seals = _seals(GitWriter(git.top()))
        found = commit_check.find(git)
    if seals and found.in_clear and not staged.is_partial():
        staged.run(Session(Call("encrypt", Arguments({}, frozenset(), ()), root, os.environ, as_sops=False)))
        with Git() as git:
            found = commit_check.find(git)
    for one in found.warnings:
        terminal.warn(terminal.plain(_said(one, one.message)))
    for one in found.stops:
        terminal.say(terminal.plain(_said(one, f"not committed: {one.message}")))
    if found.in_clear:
        # Git runs its hooks at the top, which the paths are relative to.
        paths = " ".join(shlex.quote(path) for path in found.in_clear)
        stage = f"git add {paths} && " if staged.is_partial() else ""
        terminal.hint(terminal.plain(f"{stage}sealpy encrypt --staged"))
    for one in found.stops:
        if one.fix and one.path not in found.in_clear:
            # Git itself stages what it brings back; all else is staged by whoever mends it.
            stage = "" if one.fix.startswith("git ") else f" && git add {_at_the_top(one)}"
            terminal.hint(command(one, found.top) + terminal.plain(stage))
    return 1 if found.stops else 0


def _seals(git: GitWriter) -> bool:
    """Tell whether the user wants files sealed on the way into a commit."""
    choice = git.setting("sealpy.staged") or _REFUSE
    if choice not in (_REFUSE, _SEAL):
        raise Stop(FAILED, "sealpy.staged is neither seal nor refuse", hint="git config sealpy.staged refuse")
    return choice == _SEAL


def _at_the_top(one: Finding) -> str:
    """Return what is to be staged of a mended file: what was added stands in the folder of its parts."""
    parts = part_folder.folder_of(one.path) if one.fix.startswith("sealpy add ") else None
    return shlex.join([one.path, *([parts] if parts else [])])


def _said(one: Finding, message: str) -> str:
    return f"{one.path}:{one.line}: {message}" if one.line else f"{one.path}: {message}"
