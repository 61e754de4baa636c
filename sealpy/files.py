"""Files: read no more than is asked for, and write all or nothing.

A file that is replaced is at every moment the old one or the new one, also for a process that is killed and for
a disk that fills up. Plaintext may pass through here, so a new file starts out readable by its owner alone.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from stat import S_IMODE, S_ISREG

from sealpy.errors import NoSuchFile, Refused, SourceError

MAX_BYTES = 256 * 2**20
"""How much the command line reads of one file, unless told otherwise."""

PRIVATE = 0o600

_STDIN = 0
_CHUNK = 2**20
_LOCK_SECONDS = 10.0


def read(path: str, limit: int = MAX_BYTES) -> bytes:
    """Read a file, a pipe or a device whole; links are followed.

    Raises:
        NoSuchFile
        SourceError: a folder, not readable, or more than ``limit`` bytes.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return _read_all(descriptor, path, limit)
        finally:
            os.close(descriptor)
    except (OSError, ValueError) as error:
        failure = _failure(path, error, reading=True)
    raise failure


def read_stdin(limit: int = MAX_BYTES) -> bytes:
    """Read standard input to its end.

    Raises:
        SourceError: it is closed, or gives more than ``limit`` bytes.
    """
    try:
        return _read_all(_STDIN, "standard input", limit)
    except OSError as error:
        failure = _failure("standard input", error)
    raise failure


def replace(
    path: str, data: bytes, *, mode: int | None = None, expected: bytes | None = None, durable: bool = True
) -> None:
    """Put ``data`` in the place of a file, in one step.

    The new file has the permissions of the old one, and its owner and group where we may give them; without an
    old one, ``mode`` or 0600. A link stays, and what it points to is replaced. A device or a pipe is written to.

    ``expected`` is what the caller read before: two programs that change one file at once cannot undo each other.
    ``durable`` waits until the disk has it, so that a crash of the machine leaves the old file or the new one; that
    takes milliseconds, and is for nothing where the file can be made again from another.

    Raises:
        Refused: the file is no longer what was expected.
        SourceError: a folder, not writable, no space; the old file is as it was.
    """
    failure: SourceError | None = None
    try:
        _replace(path, data, mode, expected, durable)
    except (OSError, ValueError) as error:
        failure = _failure(path, error)
    if failure:
        raise failure


def create(path: str, data: bytes, mode: int = PRIVATE) -> None:
    """Write a file that must not exist; it is taken away again if it cannot be written whole.

    Raises:
        SourceError: it exists, or cannot be written.
    """
    failure: SourceError | None = None
    try:
        _write_new(path, data, mode)
        _sync_folder(os.path.dirname(path))
    except (OSError, ValueError) as error:
        failure = _failure(path, error)
    if failure:
        raise failure


def _read_all(descriptor: int, name: str, limit: int) -> bytes:
    status = os.fstat(descriptor)
    size = status.st_size if S_ISREG(status.st_mode) else 0
    pieces: list[bytes] = []
    total = 0
    while total <= limit and size <= limit:
        # One more than its size shows a regular file's end in the first read but one.
        piece = os.read(descriptor, min(max(size - total, 0) + 1 if size else _CHUNK, limit - total + 1))
        if not piece:
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.append(piece)
        total += len(piece)
    raise SourceError(f"{name}: larger than {_size(limit)}", hint="--max-size sets the limit")


def _replace(path: str, data: bytes, mode: int | None, expected: bytes | None, durable: bool) -> None:
    try:
        status = os.stat(path)
    except FileNotFoundError:
        status = None
    if status is None:
        if expected is not None:
            raise _changed(path)
        # A link that leads nowhere is followed too.
        target = os.path.realpath(path)
        _swap(target, data, PRIVATE if mode is None else mode, None, durable)
        return
    if not S_ISREG(status.st_mode):
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            _write_all(descriptor, data)
        finally:
            os.close(descriptor)
        return
    target = os.path.realpath(path)
    descriptor = _lock(target)
    try:
        status = os.fstat(descriptor)
        if expected is not None and _differs(descriptor, expected):
            raise _changed(path)
        _swap(target, data, S_IMODE(status.st_mode) & 0o777 if mode is None else mode, status, durable)
    finally:
        os.close(descriptor)


def _swap(target: str, data: bytes, mode: int, old: os.stat_result | None, durable: bool) -> None:
    """Write beside the target, then rename."""
    folder = os.path.dirname(target)
    temporary = os.path.join(folder, f".sealpy-{os.urandom(8).hex()}")
    try:
        _write_new(temporary, data, mode, old, durable=durable)
        os.rename(temporary, target)
    except BaseException:
        _remove(temporary)
        raise
    if durable:
        _sync_folder(folder)


def _write_new(path: str, data: bytes, mode: int, owner: os.stat_result | None = None, *, durable: bool = True) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, PRIVATE)
    try:
        try:
            _write_all(descriptor, data)
            if owner is not None:
                mode = _give(descriptor, owner, mode)
            if mode != PRIVATE:
                os.fchmod(descriptor, mode)
            if durable:
                # Else a crash of the machine may leave the new name with nothing behind it.
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except BaseException:
        _remove(path)
        raise


def _give(descriptor: int, owner: os.stat_result, mode: int) -> int:
    """Give a new file the old one's owner and group; where the group cannot be had, its rights go too."""
    ours = os.fstat(descriptor)
    if ours.st_uid != owner.st_uid:
        with suppress(PermissionError):
            os.fchown(descriptor, owner.st_uid, -1)
    if ours.st_gid != owner.st_gid:
        try:
            os.fchown(descriptor, -1, owner.st_gid)
        except PermissionError:
            mode &= ~0o070
    return mode


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _lock(target: str) -> int:
    """Open a file for writing and keep others of us away from it until it is closed.

    Opening for writing also asks whether we may: a rename needs no right to the file itself.
    """
    import fcntl  # only what writes needs these
    import time

    give_up = time.monotonic() + _LOCK_SECONDS
    while True:
        descriptor = os.open(target, os.O_RDWR | os.O_CLOEXEC)
        try:
            locked = _try_lock(fcntl.flock, descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Who held the lock before us may have put another file there.
            if locked and os.path.samestat(os.fstat(descriptor), os.stat(target)):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
        if time.monotonic() > give_up:
            raise SourceError(f"{target}: another program is writing to it")
        if not locked:
            time.sleep(0.01)


def _try_lock(flock: Callable[[int, int], None], descriptor: int, how: int) -> bool:
    try:
        flock(descriptor, how)
    except BlockingIOError:
        return False
    except OSError:
        # A file system without locks: the comparison with what was expected still stands.
        return True
    return True


def _differs(descriptor: int, expected: bytes) -> bool:
    if os.fstat(descriptor).st_size != len(expected):
        return True
    with os.fdopen(os.dup(descriptor), "rb") as file:
        return file.read() != expected


def _sync_folder(folder: str) -> None:
    """Make a name last; where the system has no way to, the name is there all the same."""
    try:
        descriptor = os.open(folder or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:
        pass
    finally:
        os.close(descriptor)


def _remove(path: str) -> None:
    with suppress(OSError):
        os.unlink(path)


def _changed(path: str) -> Refused:
    return Refused(f"{path}: changed on disk meanwhile", hint="nothing was written; do it again on what is there now")


def _failure(path: str, error: OSError | ValueError, *, reading: bool = False) -> SourceError:
    """Say in the system's own words what went wrong; the foreign error stays behind."""
    if isinstance(error, ValueError):
        return SourceError(f"{path}: not the name of a file")
    reason = (error.strerror or "input or output error").lower()
    if reading and isinstance(error, FileNotFoundError):
        return NoSuchFile(f"{path}: {reason}")
    return SourceError(f"{path}: {reason}")


def _size(limit: int) -> str:
    return f"{limit // 2**20} MiB" if limit >= 2**20 else f"{limit} bytes"
