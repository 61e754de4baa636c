"""``sealpy encrypt``."""

from contextlib import closing

from sealpy import operations
from sealpy.errors import AlreadyEncrypted, NoMatchingRule, SealpyError
from sealpy.formats import Format
from sealpy.sealing import Opened
from sealpy_cli import many, terminal
from sealpy_cli.exit_codes import CONFLICT, NO_FILE, Stop
from sealpy_cli.grammar import Call
from sealpy_cli.repo.committed import Committed
from sealpy_cli.seal_clear import committed_version, seal, try_to_open
from sealpy_cli.session import Session

NEVER_SEALED = frozenset({"null", "map", "list", "comment"})


def run(call: Call) -> int:
    """Encrypt the files, or stdin."""
    session = Session(call)
    if call.arguments.switch("staged"):
        return _encrypt_staged(session)
    many.check_destination(call)
    if not call.arguments.operands:
        return _encrypt_stdin(session)
    items = many.files_of(call)
    with closing(Committed()) as committed:
        return many.each(items, lambda item: _encrypt(session, committed, item), "encrypted", clear=True)


def _encrypt_staged(session: Session) -> int:
    arguments = session.arguments
    if arguments.operands or arguments.switch("in-place") or arguments.text("output") or arguments.text("output-dir"):
        raise Stop(CONFLICT, "--staged takes no file and no output: it looks for what is staged in clear")
    from sealpy_cli import staged  # asks git

    return staged.run(session)


def _encrypt_stdin(session: Session) -> int:
    arguments = session.arguments
    name = arguments.text("filename-override")
    if arguments.switch("in-place"):
        raise Stop(CONFLICT, "cannot use --in-place when reading from stdin")
    if not name:
        raise Stop(
            CONFLICT, "must specify --filename-override when reading from stdin", hint="it says which rule holds"
        )

    def encrypt(item: many.Item) -> None:
        fmt = session.format_of(name)
        data = session.read_stdin()
        earlier = _named_earlier(session, fmt)
        plan = session.plan(name, fmt, data)
        sealed = seal(session, data, fmt, plan, earlier)
        path = many.destination(session.call, item)
        if path is None:
            terminal.data(sealed)
        else:
            session.write(path, sealed, plaintext=False)

    return many.each([many.Item(name, name)], encrypt, "encrypted", clear=True)


def _encrypt(session: Session, committed: Committed, item: many.Item) -> None:
    call = session.call
    data = session.read(item.path, missing=NO_FILE)
    name = call.arguments.text("filename-override") or item.path
    fmt = session.format_of(name)
    plan = _plan_for_found(session, item, fmt, data) if item.found else session.plan(name, fmt, data)
    path = many.destination(call, item)
    earlier = _named_earlier(session, fmt)
    if path is not None and earlier is None and not call.as_sops:
        if path != item.path:
            earlier = try_to_open(session, _existing(session, path), fmt)
        else:
            earlier = committed_version(session, committed, item.path, fmt, data)
    sealed = seal(session, data, fmt, plan, earlier)
    if path is not None:
        own = path == item.path
        session.write(path, sealed, plaintext=False, expected=data if own else None, durable=own)
        return
    terminal.data(sealed)
    if terminal.is_screen(1) and not call.as_sops:
        shown = terminal.plain(item.path)
        terminal.say(f"{shown} itself is still plaintext")
        terminal.hint(f'"sealpy encrypt -i {shown}" encrypts it in its place')


def _plan_for_found(session: Session, item: many.Item, fmt: Format, data: bytes) -> operations.Plan:
    """Return the plan for a file that nobody named; one that no rule means to seal is left alone."""
    from sealpy import kubernetes
    from sealpy.selection import DEFAULT, select

    try:
        plan = session.plan(item.path, fmt, data)
        document = operations.scan_clear(data, fmt)
    except (AlreadyEncrypted, NoMatchingRule):
        raise many.LeftAlone from None
    selected = select(plan.selection or DEFAULT, document.leaves)
    seals = any(
        chosen and leaf.content and leaf.kind not in NEVER_SEALED
        for leaf, chosen in zip(document.leaves, selected, strict=True)
    )
    if not seals and not kubernetes.holds_secret(document.leaves):
        raise many.LeftAlone
    return plan


def _named_earlier(session: Session, fmt: Format) -> Opened | None:
    """Open the version that ``--update`` names; the user vouches for it, so it must open."""
    path = session.arguments.text("update")
    return operations.open_document(session.read(path), fmt, session.keyring) if path else None


def _existing(session: Session, path: str) -> bytes | None:
    try:
        return session.read(path)
    except SealpyError:
        return None
