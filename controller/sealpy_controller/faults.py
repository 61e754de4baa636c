"""What can keep a round from converging: reasons that machines read, with the sentence for people.

The reasons are those of the in-cluster controller's conditions, so that an alert means the same in both.
"""

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from sealpy.errors import DocumentError, IntegrityError, KeyAccessError, KeyServiceError, SealpyError, SourceError
from sealpy_controller.objects import Object

Reason = Literal[
    "SourceNotReady",
    "TargetNotReady",
    "NoMatchingIdentity",
    "KeyServiceUnavailable",
    "IntegrityFailed",
    "MalformedDocument",
    "LimitExceeded",
    "DuplicateObject",
    "OwnershipConflict",
    "PruneGuard",
    "ApplyFailed",
    "InternalError",
]

_REASONS: Sequence[tuple[type[SealpyError], Reason]] = (
    (IntegrityError, "IntegrityFailed"),
    (KeyAccessError, "NoMatchingIdentity"),
    (DocumentError, "MalformedDocument"),
    (SourceError, "SourceNotReady"),
)

_FAILED, _BAD_MAC, _NO_KEY = 1, 51, 128
_CODES: dict[Reason, int] = {
    "IntegrityFailed": _BAD_MAC,
    "NoMatchingIdentity": _NO_KEY,
    "KeyServiceUnavailable": _NO_KEY,
}


class Fault(NamedTuple):
    """Something that failed. What runs and depends on it stays as it is."""

    reason: Reason
    message: str
    hint: str | None = None
    files: tuple[str, ...] = ()
    objects: tuple[Object, ...] = ()
    """The objects that it is about, where it is about some and not about whole files."""


def of_error(error: SealpyError, file: str | None = None, reason: Reason | None = None) -> Fault:
    """Turn an error into a fault; ``file`` is the one that it came up in."""
    if reason is None:
        reason = _reason(error)
    message = error.message
    if isinstance(error, DocumentError) and error.line is not None:
        place = f"line {error.line}" if error.column is None else f"line {error.line}, column {error.column}"
        message = f"{message} ({place})"
    return Fault(reason, message, error.hint, () if file is None else (file,))


def _reason(error: SealpyError) -> Reason:
    if isinstance(error, KeyServiceError) and error.retryable:
        return "KeyServiceUnavailable"
    return next((reason for kind, reason in _REASONS if isinstance(error, kind)), "InternalError")


def exit_code(faults: Iterable[Fault]) -> int:
    """Return 0 without faults, 51 or 128 where only integrity or only keys failed, else 1."""
    codes = {_CODES.get(fault.reason, _FAILED) for fault in faults}
    if not codes:
        return 0
    return codes.pop() if len(codes) == 1 else _FAILED
