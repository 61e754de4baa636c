"""``sealpy reseal``: sign a file again that somebody edited without its key."""

import os
import shlex
from collections.abc import Sequence
from datetime import UTC, datetime

import click

from sealpy import operations, resealing, sealing
from sealpy.document import Leaf, Path
from sealpy.errors import IntegrityError, KeyAccessError, Refused
from sealpy.formats import Format
from sealpy.resealing import Edits
from sealpy.sealing import Opened
from sealpy_cli import many, terminal
from sealpy_cli.exit_codes import FAILED, NO_FILE, Stop, while_sealing
from sealpy_cli.grammar import Arguments, Call
from sealpy_cli.repo import hand_edits
from sealpy_cli.session import Session

_LONGEST = 200


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("file")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--accept-unknown",
    is_flag=True,
    help="Sign FILE though nothing tells what was edited, or sealed values are not those that were committed.",
)
@click.pass_obj
def reseal(root: Arguments, file: str, *, yes: bool, accept_unknown: bool) -> int:
    """Sign FILE again after an edit by hand, by sed or by yq. It needs the key.

    The MAC of a file covers its clear fields too, so an edit of one without the key leaves a file that nothing
    decrypts. The edit is shown, as the history of the repository tells it, and you are asked; then values that are to
    be sealed and stand in clear are sealed, and the file is signed as it is.
    """
    session = Session(Call("reseal", Arguments({}, frozenset(), ()), root, os.environ, as_sops=False))
    return many.each(
        [many.Item(file, file)], lambda _: _reseal(session, file, yes=yes, unknown=accept_unknown), "signed"
    )


def _reseal(session: Session, file: str, *, yes: bool, unknown: bool) -> None:
    fmt = session.format_of(file)
    raw = session.read(file, missing=NO_FILE)
    document, metadata = operations.scan_sealed(raw, fmt)
    data_key = session.keyring.open(metadata)
    try:
        sealing.unseal(document, metadata, data_key)
    except IntegrityError:
        pass
    else:
        terminal.say(terminal.plain(f"{file}: its MAC fits, so there is nothing to sign"))
        return
    now = sealing.unseal_half(document, metadata, data_key)
    with hand_edits.versions(file) as earlier:
        good = resealing.good_version(metadata, data_key, fmt, earlier)
    if good is None:
        _check_unknown(file, accepted=unknown)
        _show_unknown(session, file, now)
    else:
        edits = resealing.compare(good, now)
        _check(file, edits, earlier.restore(), accepted=unknown)
        _show(file, edits)
    if not yes:
        answer = terminal.confirm(f"sign {terminal.plain(file)} as it is now?")
        if answer is None:
            raise Stop(
                FAILED,
                f"{file}: nobody answered",
                hint=f"to answer beforehand: {shlex.join(['sealpy', 'reseal', '--yes', file])}",
            )
        if not answer:
            raise Stop(FAILED, f"{file}: left unchanged")
    session.write(file, _signed(session, fmt, now, known=good is not None), plaintext=False, expected=raw)
    terminal.say(terminal.plain(f"{file}: signed"))


def _signed(session: Session, fmt: Format, now: Opened, *, known: bool) -> bytes:
    when = datetime.now(UTC)
    try:
        signed = resealing.sign(now, fmt, when=when)
        if known:
            return signed
        # Whoever made such a file may know its data key; nothing of ours may stay sealed under it.
        return operations.rotate(operations.open_document(signed, fmt, session.keyring), fmt, session.keyring, now=when)
    except KeyAccessError as error:
        raise while_sealing(error) from None


def _check_unknown(file: str, *, accepted: bool) -> None:
    if not accepted:
        raise Refused(
            f"{file}: no committed version has this MAC, so nothing tells what was edited",
            hint=f'look at it with "sealpy decrypt --ignore-mac {file}"; if all of it is right, add --accept-unknown',
        )


def _check(file: str, edits: Edits, restore: str, *, accepted: bool) -> None:
    """Refuse more than an edit of clear text."""
    if accepted or not (edits.sealed or edits.rule):
        return
    what = "its rule of what is sealed"
    if edits.sealed:
        what = f"sealed values too: {terminal.listing(hand_edits.names(edits.sealed))}"
    raise Refused(
        f"{file}: somebody changed {what}; that is no edit of clear text",
        hint=f'restore it with "{restore}"; if all of it is right, add --accept-unknown',
    )


def _show(file: str, edits: Edits) -> None:
    terminal.say(terminal.plain(f"{file}: edited without its key:"))
    for path, old, new in edits.clear:
        sign = "~" if old and new else "+" if new else "-"
        shown = " → ".join(_shown(leaf) for leaf in (old, new) if leaf is not None)
        terminal.say(f"  {sign} {_name(path)}  {shown}")
    _show_unsealed(edits.unsealed)
    for path in edits.sealed:
        terminal.say(f"  ! {_name(path)}  is not the sealed value that was committed")
    if edits.rule:
        terminal.say("  ! the file's rule of what is sealed is not the one that was committed")
    if not any(edits):
        terminal.say("  ! the same values stand in another order")


def _show_unknown(session: Session, file: str, now: Opened) -> None:
    terminal.say(terminal.plain(f"{file}: nothing tells what was edited; all of it will be signed, for"))
    for key in now.metadata.master_keys():
        terminal.say(f"    {terminal.plain(session.shown(key.label))}")
    _show_unsealed(resealing.unsealed(now))


def _show_unsealed(paths: Sequence[Path]) -> None:
    for path in paths:
        terminal.say(f"  * {_name(path)}  stands in clear, and will be sealed")


def _name(path: Path) -> str:
    return terminal.plain(hand_edits.names([path])[0])


def _shown(leaf: Leaf) -> str:
    text = leaf.content if len(leaf.content) <= _LONGEST else f"{leaf.content[:_LONGEST]}…"
    text = terminal.plain(text)
    return f'"{text}"' if leaf.kind == "str" else text
