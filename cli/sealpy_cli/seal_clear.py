"""Sealing a file in clear: over the version of it that is known, so that what did not change keeps its ciphertext."""

from datetime import UTC, datetime

from sealpy import operations
from sealpy.errors import Refused, SealpyError
from sealpy.formats import Format
from sealpy.sealing import Opened
from sealpy_cli import terminal
from sealpy_cli.repo.committed import Committed
from sealpy_cli.session import Session


def seal(session: Session, data: bytes, fmt: Format, plan: operations.Plan, earlier: Opened | None) -> bytes:
    """Seal a file in clear."""
    return operations.encrypt(
        data,
        fmt,
        plan,
        session.keyring,
        now=datetime.now(UTC),
        earlier=earlier,
        allow_clear=session.call.as_sops or session.arguments.switch("allow-clear"),
        warn=terminal.warn,
    )


def committed_version(session: Session, committed: Committed, path: str, fmt: Format, data: bytes) -> Opened | None:
    """Open the committed version; one that does not open must not lose keys.

    Whoever cannot read the committed file may not know what it holds, and would take it away from everybody.

    Raises:
        Refused
    """
    blob = committed.version_of(path, session.limit)
    if blob is None or b"sops" not in blob:
        return None
    earlier = try_to_open(session, blob, fmt)
    if earlier is not None or session.arguments.switch("allow-drop"):
        return earlier
    try:
        sealed, _ = operations.scan_sealed(blob, fmt)
    except SealpyError:
        return None
    kept = {_keys(leaf.path) for leaf in operations.scan_clear(data, fmt).leaves if leaf.kind != "comment"}
    dropped = [_keys(leaf.path) for leaf in sealed.leaves if leaf.kind != "comment" and _keys(leaf.path) not in kept]
    if dropped:
        names = terminal.listing([path[-1] if path else "" for path in dict.fromkeys(dropped)])
        raise Refused(
            f"would drop {names}: the committed file has them, and no key here opens it",
            hint="have one of its recipients make the change, or insist with --allow-drop",
        )
    return None


def try_to_open(session: Session, data: bytes | None, fmt: Format) -> Opened | None:
    """Open an earlier version if that is possible without asking anybody."""
    if data is None or b"sops" not in data:
        return None
    try:
        return operations.open_document(data, fmt, session.quiet_keyring)
    except SealpyError:
        return None


def _keys(path: tuple[str | int, ...]) -> tuple[str, ...]:
    return tuple(part for part in path if isinstance(part, str))
