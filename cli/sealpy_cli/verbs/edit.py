"""``sealpy edit``: a file in the user's editor, decrypted for just as long.

What was not changed keeps its bytes. Who saves second, after somebody else changed the file, does not overwrite: the
second version is sealed and put beside the file.
"""

import os
from collections.abc import Callable
from datetime import UTC, datetime

from sealpy import files, operations, part_folder
from sealpy.document import splice
from sealpy.errors import Refused, SealpyError
from sealpy.formats import Format
from sealpy.metadata import to_mapping
from sealpy.sealing import Opened
from sealpy.secret import Secret
from sealpy_cli import many, terminal
from sealpy_cli.editor import draft
from sealpy_cli.exit_codes import NO_FILE, UNCHANGED, Stop, code_of
from sealpy_cli.grammar import Call
from sealpy_cli.session import Session

EXAMPLES = {
    "yaml": "# Write what you like here; it is encrypted when you save.\nhello: world\nexample:\n    - one\n    - two\n",
    "json": '{\n\t"hello": "world",\n\t"example": [\n\t\t"one",\n\t\t"two"\n\t]\n}\n',
    "dotenv": "# Write what you like here; it is encrypted when you save.\nHELLO=world\n",
    "ini": "; Write what you like here; it is encrypted when you save.\n[example]\nhello = world\n",
    "binary": "Write what you like here; it is encrypted when you save.\n",
}
"""What stands in the editor for a file that does not exist yet."""

Seal = Callable[[Secret[bytes]], bytes]


def run(call: Call) -> int:
    """Edit one file; a missing one is made, sealed under its rule."""
    operands = call.arguments.operands
    if not operands:
        raise Stop(NO_FILE, "no file given")
    path = operands[0]
    if len(operands) > 1:
        terminal.warn(f"only {terminal.plain(path)} is edited")
    session = Session(call)
    exists = os.path.lexists(path)
    work = _edit if exists else _make
    return many.each([many.Item(path, path)], lambda item: work(session, item.path), "changed", clear=not exists)


def _edit(session: Session, path: str) -> None:
    call = session.call
    if call.is_root_form:
        # sops reads the rule here for no use but to refuse a file without one.
        session.rule_for(call.arguments.text("filename-override") or path)
    fmt = session.format_of(call.arguments.text("filename-override") or path)
    data = session.read(path)
    is_verified = not call.arguments.switch("ignore-mac")
    opened = (operations.open_document if is_verified else operations.open_unverified)(data, fmt, session.keyring)
    found = [] if call.as_sops else part_folder.beside(path)
    if found:
        terminal.warn(f"the keys of its parts win over what you write: {terminal.listing(found)}")
        terminal.hint(f'"sealpy fold {terminal.plain(path)}" makes them part of the file')
    clear = operations.clear_text(opened, fmt)
    shows_metadata = call.arguments.switch("show-master-keys")
    shown = _with_metadata(opened, fmt, clear) if shows_metadata else clear

    def seal(after: Secret[bytes]) -> bytes:
        if shows_metadata:
            after = _without_metadata(opened, fmt, after)
        return operations.edit(opened, fmt, after, now=_now())

    sealed = _until_it_seals(session, path, shown, seal)
    try:
        session.write(path, sealed, plaintext=False, expected=data)
    except Refused:
        pass
    else:
        return
    kept = _save_beside(path, sealed)
    raise Refused(
        "was changed by somebody else while you edited, and is left as it is now",
        hint=f'your version is in {kept}, encrypted: compare with "sealpy diff --files {path} {kept}"',
    )


def _make(session: Session, path: str) -> None:
    arguments = session.arguments
    name = arguments.text("filename-override") or path
    fmt = session.format_of(name)
    example = EXAMPLES[fmt.name].encode()
    session.plan(name, fmt, example)  # who has no rule and no key learns it before writing

    def seal(after: Secret[bytes]) -> bytes:
        data = after.expose()
        return operations.encrypt(data, fmt, session.plan(name, fmt, data), session.keyring, now=_now())

    sealed = _until_it_seals(session, path, Secret(example), seal)
    if os.path.lexists(path):
        kept = _save_beside(path, sealed)
        raise Refused("was made by somebody else while you edited", hint=f"your version is in {kept}, encrypted")
    session.write(path, sealed, plaintext=False)


def _until_it_seals(session: Session, path: str, before: Secret[bytes], seal: Seal) -> bytes:
    """Run the editor until what it leaves can be sealed, and return that.

    Raises:
        Stop: nothing was changed, or the editor failed.
        SealpyError: it cannot be sealed, and nobody is there to mend it.
    """
    with draft(os.path.basename(path), before.expose()) as text:
        while True:
            text.edit(session.call.environ)
            after = Secret(text.read())
            if after == before:
                raise Stop(
                    UNCHANGED, "File has not changed, exiting." if session.call.as_sops else "nothing was changed"
                )
            try:
                return seal(after)
            except SealpyError as error:
                fault = error
            terminal.fail(fault, path)
            if not terminal.wait_for_enter("press Enter to go back to the editor, or Ctrl-C to drop your changes"):
                raise Stop(code_of(fault, clear=True), "your changes are dropped: nobody pressed Enter")


def _with_metadata(opened: Opened, fmt: Format, clear: Secret[bytes]) -> Secret[bytes]:
    document = fmt.scan(fmt.decode(clear.expose()))
    block = to_mapping(opened.metadata)
    return Secret(fmt.encode(splice(document.text, fmt.attach(document, block))))


def _without_metadata(opened: Opened, fmt: Format, after: Secret[bytes]) -> Secret[bytes]:
    document = fmt.scan(fmt.decode(after.expose()))
    if document.metadata != to_mapping(opened.metadata):
        terminal.warn("what you changed in the sops metadata has no effect; use rotate or updatekeys")
    return Secret(fmt.encode(splice(document.text, fmt.detach(document))))


def _save_beside(path: str, sealed: bytes) -> str:
    """Keep what cannot be saved in its place, sealed, under a free name of the same kind."""
    stem, suffix = os.path.splitext(path)
    for number in range(1, 1000):
        kept = f"{stem}.edited-{number}{suffix}"
        if not os.path.lexists(kept):
            files.create(kept, sealed)
            return kept
    raise Refused("was changed by somebody else while you edited", hint="there is no free name for your version")


def _now() -> datetime:
    return datetime.now(UTC)
