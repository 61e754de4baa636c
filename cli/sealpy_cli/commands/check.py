"""``sealpy check``: is every secret of this repository encrypted, for exactly those who should read it?"""

import os
import sys
from collections.abc import Sequence

import click

from sealpy.checking.findings import INTEGRITY, KEYS, SEVERITIES, Finding
from sealpy_cli import checked, terminal
from sealpy_cli.exit_codes import BAD_MAC, FAILED, NO_KEY, OK
from sealpy_cli.render import findings as render
from sealpy_cli.repo.git import Git
from sealpy_cli.repo.repository import Repository, at


@click.command(context_settings={"help_option_names": ["-h", "--help"]}, options_metavar="[OPTION…]")
@click.argument("paths", nargs=-1, metavar="[PATH…]")
@click.option("--staged", is_flag=True, help="Check what is staged: the files of the next commit.")
@click.option("--all", "everything", is_flag=True, help="Check the whole repository, which is so without PATH too.")
@click.option(
    "--fail-on",
    type=click.Choice(SEVERITIES),
    default=SEVERITIES[0],
    help="Exit with 1 if there is a finding as bad as this (default: error).",
)
@click.option("--json", "as_json", is_flag=True, help="Write one JSON document.")
def check(paths: Sequence[str], *, staged: bool, everything: bool, fail_on: str, as_json: bool) -> int:
    """Check that every file is as .sops.yaml wants it: encrypted, by its rule, for exactly those recipients.

    No key is needed. Files for which a key is at hand are opened in memory, and their MAC is verified.

    \b
    exit codes:  0 nothing found    1 findings    51 only damaged or tampered-with files
                 128 only a key that should open a file and does not
    """  # noqa: D301 - click wants the control character
    if paths and (staged or everything):
        raise click.UsageError(f"{'--staged' if staged else '--all'} takes no PATH")
    if staged and everything:
        raise click.UsageError("--staged and --all exclude each other")
    with Git() as here:
        top, known = at(os.getcwd(), here)
    with Git(top) as git:
        repository = Repository(git if known else None, top, staged=staged)
        try:
            report = checked.run(repository, paths, environ=os.environ)
        finally:
            repository.close()
    if as_json:
        sys.stdout.write(render.as_json(report, top, fail_on))
    else:
        colour = terminal.is_screen(1) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        for line in render.as_text(report, top, colour=colour):
            sys.stdout.write(line)
    return code_of(report.findings, fail_on)


def code_of(findings: Sequence[Finding], fail_on: str) -> int:
    """Return the exit code: what all findings that count have in common, else 1."""
    bad = {finding.id for finding in findings if SEVERITIES.index(finding.severity) <= SEVERITIES.index(fail_on)}
    if not bad:
        return OK
    return BAD_MAC if bad <= INTEGRITY else NO_KEY if bad <= KEYS else FAILED
