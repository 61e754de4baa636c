"""``sealpy rotate``."""

import os
from datetime import UTC, datetime

from sealpy import operations
from sealpy.errors import KeyAccessError, NotEncrypted
from sealpy.sealing import Opened
from sealpy_cli import many, terminal
from sealpy_cli.exit_codes import NO_FILE, NOTHING_TO_ROTATE, UNREADABLE, Stop, while_sealing
from sealpy_cli.grammar import Call
from sealpy_cli.session import Session


def run(call: Call) -> int:
    """Give every file a new data key, for its master keys plus and minus some."""
    arguments = call.arguments
    if not arguments.operands:
        raise Stop(NO_FILE, "no file given")
    many.check_destination(call)
    session = Session(call)
    add, remove = session.named_keys("add-"), session.named_keys("rm-")
    items = many.files_of(call)
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
            terminal.warn(f"{terminal.plain(item.path)}: is not sealed for {terminal.listing(absent)}")
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

    return many.each(items, rotate, "rotated")


def _names(opened: Opened) -> set[operations.KeyName]:
    return {name for group in operations.key_names(opened.metadata) for name in group}
