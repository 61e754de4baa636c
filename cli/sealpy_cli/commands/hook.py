"""``sealpy hook``: what git runs."""

import shlex

import click

from sealpy.checking.findings import Finding
from sealpy_cli import commit_check, terminal
from sealpy_cli.git import Git
from sealpy_cli.render.findings import command


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def hook() -> None:
    """Run the checks that git asks for."""


@hook.command("pre-commit")
def pre_commit() -> int:
    """Refuse a commit that holds in clear what .sops.yaml wants encrypted, or an encrypted file that was damaged.

    The staged files are checked, no key is needed. "git commit --no-verify" leaves the check out.
    """
    with Git() as git:
        found = commit_check.find(git)
    for one in found.warnings:
        terminal.warn(terminal.plain(_said(one, one.message)))
    for one in found.stops:
        terminal.say(terminal.plain(_said(one, f"not committed: {one.message}")))
    if found.in_clear:
        # Git runs its hooks at the top, which the paths are relative to.
        paths = " ".join(shlex.quote(path) for path in found.in_clear)
        terminal.hint(terminal.plain(f"sealpy encrypt -i {paths} && git add {paths}"))
    for one in found.stops:
        if one.fix and one.path not in found.in_clear:
            terminal.hint(command(one, found.top))
    return 1 if found.stops else 0


def _said(one: Finding, message: str) -> str:
    return f"{one.path}:{one.line}: {message}" if one.line else f"{one.path}: {message}"
