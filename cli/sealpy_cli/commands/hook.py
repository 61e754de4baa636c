"""``sealpy hook``: what git runs."""

import shlex

import click

from sealpy_cli import commit_check, terminal
from sealpy_cli.git import Git


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def hook() -> None:
    """Run the checks that git asks for."""


@hook.command("pre-commit")
def pre_commit() -> int:
    """Refuse a commit that holds in clear what .sops.yaml wants encrypted.

    The staged files are checked, no key is needed. "git commit --no-verify" leaves the check out.
    """
    with Git() as git:
        found = list(commit_check.find(git))
    for item in found:
        terminal.say(terminal.plain(f"{item.path}: not committed: {item.why}"))
    if found:
        paths = " ".join(shlex.quote(item.path) for item in found)
        terminal.hint(terminal.plain(f"sealpy encrypt -i {paths} && git add {paths}"))
    return 1 if found else 0
