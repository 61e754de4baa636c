"""``sealpy filestatus``: one line of JSON that scripts read."""

from sealpy.errors import EmptyDocument, SealpyError, UnsealableValue
from sealpy.metadata import parse
from sealpy.version import SOPS_VERSION
from sealpy_cli import terminal
from sealpy_cli.exit_codes import FAILED, NO_FILE, Stop
from sealpy_cli.grammar import Call
from sealpy_cli.session import Session


def run(call: Call) -> int:
    """Say whether a file has metadata that make sense, and a MAC. No key is needed."""
    if not call.arguments.operands:
        raise Stop(NO_FILE, "no file given")
    session = Session(call)
    path = call.arguments.operands[0]
    fmt = session.format_of(path)
    try:
        document = fmt.scan(fmt.decode(session.read(path)))
        block = document.metadata or {}
        # Metadata that make no sense are an error; such without version or MAC are none.
        if block:
            parse({"version": SOPS_VERSION, **block})
        is_encrypted = bool(block.get("version") and block.get("mac"))
    except (EmptyDocument, UnsealableValue):
        is_encrypted = False
    except SealpyError as error:
        # Whatever keeps us from an answer: sops has one code for it here.
        terminal.fail(error, path)
        return FAILED
    terminal.data(b'{"encrypted":true}\n' if is_encrypted else b'{"encrypted":false}\n')
    return 0
