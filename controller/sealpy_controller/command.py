"""``sealpy reconcile``: a branch becomes running secrets."""

import os
import re
import sys

import click

from sealpy.errors import SealpyError
from sealpy.sanitise import visible
from sealpy_controller.run import Settings, Stop, run

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def _seconds(text: str) -> float:
    found = re.fullmatch(r"(\d{1,6}(?:\.\d{1,3})?)(ms|s|m|h)", text)
    if found is None or not float(found[1]):
        raise click.BadParameter("write it like 30s, 5m or 1h")
    return float(found[1]) * _UNITS[found[2]]


@click.command(options_metavar="[OPTION…]")
@click.option("--source", required=True, metavar="URL|PATH", help="The git repository.")
@click.option("--ref", required=True, metavar="BRANCH", help="The branch that says what should run.")
@click.option("--path", required=True, metavar="DIR", help="The folder in the repository; . is all of it.")
@click.option("--to", required=True, metavar="DIRECTORY", help="The folder that is served; best on a tmpfs.")
@click.option(
    "--interval",
    type=_seconds,
    metavar="TIME",
    default="30s",
    show_default=True,
    help="How long to wait before looking again.",
)
@click.option("--once", is_flag=True, help="Look once, and end with 0 when all runs as the branch says.")
@click.option("--dry-run", is_flag=True, help="Say once what would be done, and write nothing.")
@click.option("--allow-prune", is_flag=True, help="Remove even more than half, or what another source put there.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON document on stdout for each round.")
def reconcile(  # noqa: PLR0913 - one for each option
    *,
    source: str,
    ref: str,
    path: str,
    to: str,
    interval: float,
    once: bool,
    dry_run: bool,
    allow_prune: bool,
    as_json: bool,
) -> int:
    """Keep a folder of plain secrets equal to the sealed ones on a branch.

    The Secrets and ConfigMaps under --path are decrypted in memory, their MACs verified, and served as
    DIRECTORY/<namespace>/<secrets|configmaps>/<name>/<key>. A change on the branch is applied, a change by hand is
    put back, and what left the branch is removed.

    What cannot be fetched, opened or verified leaves alone what runs; it is told why, and tried again. Nothing is
    removed while something fails, when the branch has nothing at all, or without --allow-prune more than half.

    With --once the exit code is 0 when all is as the branch says, 51 when only MACs were wrong, 128 when only keys
    were missing, and otherwise 1.
    """
    settings = Settings(source, ref, path, to, interval, once or dry_run, dry_run, allow_prune, as_json)
    stop = Stop()
    with stop.on_signals():
        try:
            return run(settings, os.environ, stop, sys.stdout, sys.stderr)
        except SealpyError as error:
            message, hint = error.message, error.hint
    click.echo(f"sealpy: {visible(message)}", err=True)
    if hint:
        click.echo(f"sealpy: hint: {visible(hint)}", err=True)
    return 1
