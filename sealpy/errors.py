"""What can go wrong, sorted by whose fault it is.

    SealpyError
    ├── DocumentError            the file is wrong; carries path:line:column where known
    │   ├── ParseError           not well-formed, or something the format cannot hold
    │   ├── EmptyDocument        no document at all (sops has an exit code of its own for it)
    │   ├── UnsealableValue      well-formed, but sops could not read the sealed form back
    │   ├── AlreadyEncrypted     has sops metadata, or uses its reserved name
    │   ├── NotEncrypted         has no sops metadata
    │   ├── InvalidMetadata      has sops metadata that make no sense
    │   └── PathNotFound         a path inside a document that leads nowhere
    ├── IntegrityError           the file is not what its author sealed; never retried
    │   ├── InvalidEncryptedValue
    │   └── MacMismatch
    ├── KeyAccessError           the file may be right, but we cannot open it
    │   ├── DataKeyUnavailable
    │   ├── NotMyKey             "try the next one"; the only one the key ring swallows
    │   ├── KeyServiceError      the key or its service is broken; ``retryable``
    │   └── BackendMissing       an optional package, or a back end that is not built in
    ├── RuleError                .sops.yaml is wrong
    │   └── NoMatchingRule
    ├── SourceError              a file, folder or repository that cannot be read or written
    │   └── NoSuchFile
    └── Refused                  sealpy could, but will not: the hint names the way round

A message is one lower-case sentence without a full stop. It never holds a value, a key or a line of
the file, so it is safe in a log, in an event and on a screen. ``hint`` is the next step.
"""

from collections.abc import Sequence


class SealpyError(Exception):
    """Base class; only its subclasses are raised."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message


class DocumentError(SealpyError):
    """The file is wrong. ``line`` and ``column`` count from 1; ``path`` is filled in by the edge."""

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        path: str | None = None,
        line: int | None = None,
        column: int | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.path = path
        self.line = line
        self.column = column

    def __str__(self) -> str:
        where = ":".join(str(part) for part in (self.path, self.line, self.column) if part is not None)
        return f"{where}: {self.message}" if where else self.message


class ParseError(DocumentError):
    """The text is not a well-formed document of its format."""


class EmptyDocument(DocumentError):
    """The text holds no document."""


class UnsealableValue(DocumentError):
    """A value or key that sops could not read back once sealed, or could not seal."""


class AlreadyEncrypted(DocumentError):
    """The text has sops metadata, or uses the name that is reserved for them."""


class NotEncrypted(DocumentError):
    """The text has no sops metadata."""


class InvalidMetadata(DocumentError):
    """The sops metadata are incomplete or make no sense."""


class PathNotFound(DocumentError):
    """A path inside a document leads nowhere."""


class IntegrityError(SealpyError):
    """The document is not what its author sealed."""


class InvalidEncryptedValue(IntegrityError):
    """A value that does not open: not ciphertext, or moved, edited, or sealed under another data key."""


class MacMismatch(IntegrityError):
    """The MAC is missing, does not open, or does not fit the values."""


class KeyAccessError(SealpyError):
    """The data key could not be had."""


class NotMyKey(KeyAccessError):
    """None of our identities fits this master key; another master key may."""


class KeyServiceError(KeyAccessError):
    """A key, or the service that holds it, is broken or out of reach."""

    def __init__(self, message: str, *, hint: str | None = None, retryable: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.retryable = retryable


class BackendMissing(KeyAccessError):
    """The back end for a master key is not installed or not known."""


class DataKeyUnavailable(KeyAccessError):
    """No master key of the file opens its data key.

    ``attempts`` are (label of the master key, why it did not open) pairs, in the order tried.
    """

    def __init__(self, message: str, *, hint: str | None = None, attempts: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(message, hint=hint)
        self.attempts = tuple(attempts)


class RuleError(SealpyError):
    """The configuration file is wrong, or no key is configured."""


class NoMatchingRule(RuleError):
    """No creation rule covers this path."""


class SourceError(SealpyError):
    """A file, folder or repository cannot be read or written."""


class NoSuchFile(SourceError):
    """There is nothing at this path."""


class Refused(SealpyError):
    """Possible, but it would lose or expose data; the hint says how to insist."""
