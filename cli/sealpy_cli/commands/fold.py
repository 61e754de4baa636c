"""``sealpy fold``: what others added to a file becomes part of it."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime

import click

from sealpy import operations, part_folder, parts
from sealpy_cli import many, terminal
from sealpy_cli.exit_codes import CONFLICT, Stop
from sealpy_cli.grammar import Arguments, Call
from sealpy_cli.session import Session
from sealpy_cli.team import part_files


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("paths", nargs=-1, required=True, metavar="FILE…")
@click.pass_obj
def fold(root: Arguments, paths: Sequence[str]) -> int:
    """Put the keys of FILE's parts into FILE, and take the parts away. It needs the key.

    The file is written first and the parts are removed then; if that is interrupted, run it again.
    """
    session = Session(Call("fold", Arguments({}, frozenset(), ()), root, os.environ, as_sops=False))
    return many.each([many.Item(path, path) for path in paths], lambda item: _fold(session, item.path), "folded")


def _fold(session: Session, path: str) -> None:
    fmt = session.format_of(path)
    raw = session.read(path)
    found = parts.load(path, lambda part: operations.open_document(part, fmt, session.keyring), session.limit)
    if not found:
        folder = part_folder.folder_of(path)
        terminal.say(terminal.plain(f"{path}: there are no parts in {folder}" if folder else f"{path}: has no parts"))
        return
    folded = parts.fold(raw, fmt, session.keyring, [part for part, _ in found], now=datetime.now(UTC))
    if folded != raw:
        session.write(path, folded, plaintext=False, expected=raw)
    left = part_files.retire(path, [(part.path, data) for part, data in found])
    names = terminal.listing([part.path for part, _ in found if part.path not in left])
    terminal.say(f"{terminal.plain(path)}: folded in and removed {names}" if names else terminal.plain(path))
    if left:
        raise Stop(CONFLICT, f"changed meanwhile, and stay: {', '.join(left)}", hint="run sealpy fold again")
