"""``sealpy decrypt``.

The parts of a file (``secrets.d`` beside ``secrets.yaml``) are in what is printed or written elsewhere. Not so with
``--in-place``: what is written there is meant to be edited and encrypted again, and a part left beside it would go on
to win over the edit.
"""

from sealpy import operations, part_folder
from sealpy.errors import MacMismatch, NotEncrypted
from sealpy.formats import Format
from sealpy_cli import many, terminal, tree_path
from sealpy_cli.exit_codes import BAD_PATH, CONFLICT, NO_FILE, Stop
from sealpy_cli.grammar import Call
from sealpy_cli.session import Session

_STDIN = "standard input"
"""What it is called where something is wrong with it."""


def run(call: Call) -> int:
    """Decrypt the files, or stdin."""
    arguments = call.arguments
    if not arguments.operands and arguments.switch("in-place"):
        raise Stop(CONFLICT, "cannot use --in-place when reading from stdin")
    many.check_destination(call)
    session = Session(call)
    items = many.files_of(call) if arguments.operands else [many.Item("", "", name=_STDIN)]
    return many.each(items, lambda item: _decrypt(session, item), "decrypted")


def _decrypt(session: Session, item: many.Item) -> None:
    arguments = session.arguments
    path = tree_path.parse(arguments.text("extract"), BAD_PATH)
    fmt = session.format_of(arguments.text("filename-override") or item.path)
    data = session.read(item.path, missing=NO_FILE) if item.path else session.read_stdin()
    if item.found and b"sops" not in data:
        raise many.LeftAlone
    clear = _clear(session, item, fmt, data, path)
    target = many.destination(session.call, item, private=True)
    if target is None:
        terminal.data(clear)
    else:
        own = target == item.path
        session.write(target, clear, plaintext=True, expected=data if own else None, durable=own)


def _clear(session: Session, item: many.Item, fmt: Format, data: bytes, path: tuple[str | int, ...]) -> bytes:
    is_verified = not session.arguments.switch("ignore-mac")
    open_document = operations.open_document if is_verified else operations.open_unverified
    try:
        opened = open_document(data, fmt, session.keyring)
    except NotEncrypted:
        if not item.found:
            raise
        raise many.LeftAlone from None
    except MacMismatch as error:
        if session.call.as_sops or not item.path:
            raise
        raise _explained(session, item, data, fmt, error) from None
    for note in (*opened.document.notes, *opened.notes):
        terminal.warn(f"{terminal.plain(item.shown)}: {terminal.plain(note)}")
    found = [] if session.call.as_sops or not item.path else part_folder.beside(item.path)
    if found and session.arguments.switch("in-place"):
        terminal.warn(f"{terminal.plain(item.path)}: its parts stay as they are: {terminal.listing(found)}")
        terminal.hint(terminal.plain(f'to have their keys in the file, "sealpy fold {item.path}" before'))
    elif found and not session.arguments.switch("no-parts"):
        from sealpy import parts, registry

        of_part = registry.format_for(item.path)
        loaded = parts.load(item.path, lambda part: open_document(part, of_part, session.keyring), session.limit)
        opened = parts.joined(opened, fmt, [part for part, _ in loaded])
    if path:
        from sealpy_cli.extract import extract

        return extract(opened, fmt, path)
    return operations.clear_text(opened, fmt).expose()


def _explained(session: Session, item: many.Item, data: bytes, fmt: Format, error: MacMismatch) -> MacMismatch:
    from sealpy_cli.repo.hand_edits import explained  # asks git

    data_key = session.keyring.open(operations.scan_sealed(data, fmt)[1])
    return explained(error, item.path, data, fmt, data_key)
