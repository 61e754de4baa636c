"""``sealpy rotate``."""

import os
import shlex
from collections.abc import Collection
from datetime import UTC, datetime

from sealpy import operations, part_folder
from sealpy.errors import KeyAccessError, NotEncrypted
from sealpy.sealing import Opened
from sealpy_cli import many, terminal
from sealpy_cli.exit_codes import NO_FILE, NOTHING_TO_ROTATE, UNREADABLE, Stop, while_sealing
from sealpy_cli.grammar import Call
from sealpy_cli.session import Session
from sealpy_cli.verbs_table import KEY_CHANGES


def run(call: Call) -> int:
    """Give every file a new data key, for its master keys plus and minus some."""
    arguments = call.arguments
    if not arguments.operands:
        raise Stop(NO_FILE, "no file given")
    many.check_destination(call)
    session = Session(call)
    add, remove = session.named_keys("add-"), session.named_keys("rm-")
    items = many.files_of(call)
    taken = {os.path.normpath(item.path) for item in items}
    if call.is_root_form:
        # sops wants a rule here, for no use but to refuse a file without one.
        session.rule_for(arguments.text("filename-override") or items[0].path)

    def rotate(item: many.Item) -> None:
        if (add or remove) and not os.path.lexists(item.path):
            raise Stop(NOTHING_TO_ROTATE, f"{item.path}: there is no such file to add keys to or remove them from")
        fmt = session.format_of(arguments.text("filename-override") or item.path)
        data = session.read(item.path, missing=UNREADABLE)
        if item.found and b"sops" not in data:
            raise many.LeftAlone
        is_verified = not arguments.switch("ignore-mac")
        open_document = operations.open_document if is_verified else operations.open_unverified
        try:
            opened = open_document(data, fmt, session.keyring)
        except NotEncrypted:
            if not item.found:
                raise
            raise many.LeftAlone from None
        absent = [text for backend, text in remove if (backend, text) not in _names(opened)]
        if absent:
            terminal.warn(
                f"{terminal.plain(item.path)}: is not sealed for {terminal.listing([session.shown(text) for text in absent])}"
            )
        try:
            groups = operations.changed_groups(opened.metadata, add=add, remove=remove)
            rotated = operations.rotate(opened, fmt, session.keyring, now=datetime.now(UTC), groups=groups)
        except KeyAccessError as error:
            raise while_sealing(error) from None
        target = many.destination(call, item)
        if target is None:
            terminal.data(rotated)
        else:
            own = target == item.path
            session.write(target, rotated, plaintext=False, expected=data if own else None, durable=own)
            if own and not call.as_sops:
                _tell_parts(call, item, taken)

    return many.each(items, rotate, "rotated")


def _tell_parts(call: Call, item: many.Item, taken: Collection[str]) -> None:
    """Name the parts of a file that were not rotated with it: their data keys are their own."""
    left_out = [part for part in part_folder.beside(item.path) if os.path.normpath(part) not in taken]
    if not left_out:
        return
    terminal.warn(f"{terminal.plain(item.path)}: its parts keep their data keys: {terminal.listing(left_out)}")
    flags = [
        f"--{flag.name}={call.arguments.text(flag.name)}" for flag in KEY_CHANGES if call.arguments.text(flag.name)
    ]
    words = ["sealpy", "rotate", "-i", *flags, "-r", item.path, os.path.dirname(left_out[0])]
    terminal.hint(f"to take them along: {terminal.plain(shlex.join(words))}")


def _names(opened: Opened) -> set[operations.KeyName]:
    return {name for group in operations.key_names(opened.metadata) for name in group}
