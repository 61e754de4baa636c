"""Which number the process ends with: sops' own, where sops has one.

sops numbers a fault by what it was doing, so each error has two codes: for a file that we read in clear
(``encrypt``, a new file in ``edit``) and for one that we read sealed.
"""

from collections.abc import Sequence

from sealpy.errors import (
    AlreadyEncrypted,
    DataKeyUnavailable,
    EmptyDocument,
    InvalidEncryptedValue,
    KeyAccessError,
    MacMismatch,
    ParseError,
    PathNotFound,
    RuleError,
    SealpyError,
    SourceError,
    UnsealableValue,
)

OK = 0
FAILED = 1
UNREADABLE = 2
UNWRITABLE = 3
UNRENDERABLE = 4
BAD_CONTEXT = 6
BAD_VALUE = 7
CONFLICT = 8
UNSEALABLE = 23
BAD_CIPHERTEXT = 25
NOTHING_TO_ROTATE = 49
BAD_MAC = 51
INTERNAL = 70
BAD_PATH = 91
EMPTY = 92
NO_FILE = 100
ORDER_REPEATED = 112
NO_KEY = 128
INTERRUPTED = 130
BROKEN_PIPE = 141
UNCHANGED = 200
NO_EDITOR = 201
ENCRYPTED = 203

CODES: Sequence[tuple[type[SealpyError], int, int]] = (
    # what went wrong, while reading clear text, while reading a sealed file
    (EmptyDocument, EMPTY, FAILED),
    (ParseError, UNREADABLE, FAILED),
    (UnsealableValue, UNSEALABLE, FAILED),
    (AlreadyEncrypted, ENCRYPTED, FAILED),
    (PathNotFound, FAILED, FAILED),
    (InvalidEncryptedValue, BAD_CIPHERTEXT, BAD_CIPHERTEXT),
    (MacMismatch, BAD_MAC, BAD_MAC),
    (DataKeyUnavailable, NO_KEY, NO_KEY),
    (KeyAccessError, FAILED, NO_KEY),
    (RuleError, FAILED, FAILED),
    (SourceError, UNREADABLE, UNREADABLE),
)


class Stop(SealpyError):
    """What only the command line can find wrong, with the number to end with."""

    def __init__(self, code: int, message: str, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.code = code


def code_of(error: SealpyError, *, clear: bool = False) -> int:
    """Return the exit code; ``clear``: the fault came up while reading a clear file."""
    if isinstance(error, Stop):
        return error.code
    for kind, when_clear, when_sealed in CODES:
        if isinstance(error, kind):
            return when_clear if clear else when_sealed
    return FAILED


def while_sealing(error: SealpyError) -> Stop:
    """Return what to raise when a file that was opened cannot be sealed again."""
    code = UNRENDERABLE if isinstance(error, ParseError) else code_of(error, clear=True)
    return Stop(code, error.message, hint=error.hint)


def common(codes: Sequence[int]) -> int:
    """Return the code of many files: 0, or that of all that failed if they agree, else 1."""
    bad = {code for code in codes if code != OK}
    if not bad:
        return OK
    return bad.pop() if len(bad) == 1 else FAILED
