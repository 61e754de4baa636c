"""``sealpy filestatus``: one line of JSON that scripts read."""

from sealpy import operations
from sealpy.errors import NotEncrypted, SealpyError
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
        _, metadata = operations.scan_sealed(session.read(path), fmt)
        is_encrypted = bool(metadata.mac)
    except NotEncrypted:
        is_encrypted = False
    except SealpyError as error:
        # Whatever keeps us from an answer: sops has one code for it here.
        terminal.fail(error, path)
        return FAILED
    terminal.data(b'{"encrypted":true}\n' if is_encrypted else b'{"encrypted":false}\n')
    return 0
