"""``sealpy diff``: what changed between two versions, in plaintext where a key opens it."""

import io
import os
import sys
from collections.abc import Sequence

import click

from sealpy import registry
from sealpy.changeset import ChangeSet, Renderer, Totals, V, redact
from sealpy.comparison import Opener
from sealpy.identities import Identities
from sealpy.keyring import Keyring
from sealpy.project import Project
from sealpy.redaction import RedactedValue, RevealedValue
from sealpy_cli import review_codes, terminal
from sealpy_cli.exit_codes import BROKEN_PIPE, Stop
from sealpy_cli.render.json import JsonRenderer
from sealpy_cli.render.text import TextRenderer
from sealpy_cli.repo import snapshots
from sealpy_cli.repo.git import Git
from sealpy_cli.team import project_file

_PATHS = "sealpy.paths"


class _WithPaths(click.Command):
    """A command whose words after ``--`` are names of files, never of commits."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if "--" in args:
            place = args.index("--")
            args, ctx.meta[_PATHS] = args[:place], args[place + 1 :]
        return super().parse_args(ctx, args)


@click.command(cls=_WithPaths, options_metavar="[OPTION…]")
@click.argument("versions", nargs=-1, metavar="[A [B] | A..B | A...B | BRANCH] [-- PATH…]")
@click.option("--staged", is_flag=True, help="Compare the index, which the next commit is made of, with HEAD.")
@click.option("--files", is_flag=True, help="A and B are two files; git is not asked.")
@click.option("--reveal", is_flag=True, help="Show values though the output is no terminal.")
@click.option("--reveal-in-ci", is_flag=True, help="Show values even in a CI run, whose log others read.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON document.")
@click.option("--exit-code", is_flag=True, help="Exit with 1 if a secret, or who reads it, changed.")
@click.option("--require-decrypt", is_flag=True, help="Exit with 4 if something could not be decrypted.")
@click.pass_context
def diff(  # noqa: PLR0913 - one for each option
    ctx: click.Context,
    versions: Sequence[str],
    *,
    staged: bool,
    files: bool,
    reveal: bool,
    reveal_in_ci: bool,
    as_json: bool,
    exit_code: bool,
    require_decrypt: bool,
) -> int:
    """Show what changed in secrets between two versions: values, keys, files, and who can read them.

    \b
    (nothing)  the worktree against HEAD; if it is clean, HEAD since it left the default branch
    BRANCH     a branch since it left the default branch: what its pull request would bring
    A B, A..B  two commits
    A...B      B since it left A
    """  # noqa: D301 - click wants the control character
    paths: Sequence[str] = ctx.meta.get(_PATHS, ())
    in_ci = os.environ.get("CI", "").lower() not in ("", "0", "false")
    if reveal and in_ci and not reveal_in_ci:
        raise Stop(
            review_codes.UNUSABLE,
            "values are not shown in CI, whose logs others read",
            hint="--reveal-in-ci insists",
        )
    on_screen = terminal.is_screen(1)
    revealed = reveal or reveal_in_ci or (on_screen and not in_ci)
    remarks = _about_values(revealed=revealed, on_screen=on_screen, in_ci=in_ci)
    _check_names(versions)
    names: list[Project] = []

    def shown(recipient: str) -> str:
        # The names are known before the first file is opened.
        return names[0].shown(recipient)

    identities = Identities(os.environ, shown=shown)
    opener = Opener(Keyring(registry.backends(identities), shown=shown).open, registry.format_for)
    with Git() as git:
        compared = None if files else _compared(git, versions, paths, staged=staged)._replace(paths=paths)
        # The names are those of the old side: a change must not choose what its reviewer reads.
        project = project_file.committed(git, compared.range.old.commit) if compared else project_file.load(None)
        names.append(project)
        if compared is not None:
            remarks += [compared.remark] if compared.remark else []
            changes = snapshots.changes_of(git, compared, opener)
        else:
            changes = _of_files(versions, paths, opener, staged=staged)
        colour = on_screen and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        if revealed:
            text: Renderer[RevealedValue] = TextRenderer(colour=colour, remarks=remarks, project=project)
            totals = _write(changes, JsonRenderer(revealed=True, project=project) if as_json else text)
        else:
            safe: Renderer[RedactedValue] = TextRenderer(colour=colour, remarks=remarks, project=project)
            totals = _write(redact(changes), JsonRenderer(revealed=False, project=project) if as_json else safe)
    return review_codes.code_of(totals, exit_code=exit_code, require_decrypt=require_decrypt)


def _check_names(versions: Sequence[str]) -> None:
    for name in versions:
        if name.startswith("-") or not name:
            raise click.UsageError("a name that begins with a hyphen, or is empty, is no version")


def _of_files(
    versions: Sequence[str], paths: Sequence[str], opener: Opener, *, staged: bool
) -> ChangeSet[RevealedValue]:
    names = (*versions, *paths)
    if len(names) != 2 or staged:
        raise click.UsageError("--files takes two files and nothing else")
    return snapshots.of_files(names[0], names[1], opener)


def _compared(git: Git, versions: Sequence[str], paths: Sequence[str], *, staged: bool) -> snapshots.Comparison:
    if staged:
        if versions:
            raise click.UsageError("--staged takes no version: it compares the index with HEAD")
        return snapshots.of_index(git, paths)
    if not versions:
        return snapshots.of_worktree(git, paths)
    if len(versions) == 2 and not any(".." in name for name in versions):
        return snapshots.of_commits(git, versions[0], versions[1], paths)
    if len(versions) > 1:
        raise click.UsageError('too many versions; names of files come after "--"')
    for dots, compare in (("...", snapshots.of_merge_base), ("..", snapshots.of_commits)):
        old, found, new = versions[0].partition(dots)
        if found:
            return compare(git, old or "HEAD", new or "HEAD", paths)
    return snapshots.of_branch(git, versions[0], paths)


def _about_values(*, revealed: bool, on_screen: bool, in_ci: bool) -> list[str]:
    """Say whether values are shown, where that may surprise."""
    if not revealed:
        return [
            "values are hidden in CI" if in_ci else "values are hidden, for this is no terminal; --reveal shows them"
        ]
    return [] if on_screen and not in_ci else ["values are shown, as asked"]


def _write(changes: ChangeSet[V], renderer: Renderer[V]) -> Totals:
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal that cannot write a sign gets its number instead of a traceback.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        for piece in renderer.render(changes):
            sys.stdout.write(piece)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read us has gone, which is no fault; click would end with 1. What is still buffered goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        raise click.exceptions.Exit(BROKEN_PIPE) from None
    return changes.totals
