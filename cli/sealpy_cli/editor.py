"""The user's editor on a text that must not lie about.

The text stands in a file of mode 0600 in a folder of mode 0700, in memory (tmpfs) where the system has such a place.
The folder is removed however this ends, also by a signal; only SIGKILL and a crash of the machine can leave it.
"""

import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sealpy_cli.exit_codes import NO_EDITOR, UNWRITABLE, Stop

FALLBACKS = ("vim", "nano", "vi")
SIGNALLED = 128
"""What shells add to the number of the signal that ended a program."""


class Draft:
    """A text in a private file."""

    def __init__(self, path: str) -> None:
        self._path = path

    def read(self) -> bytes:
        """Return what stands in the file now; editors may have replaced it."""
        try:
            with open(self._path, "rb") as file:
                return file.read()
        except OSError as error:
            reason = error.strerror
        raise Stop(NO_EDITOR, f"the editor left nothing to read: {reason}")

    def edit(self, environ: Mapping[str, str]) -> None:
        """Run the editor and wait for its end.

        Raises:
            Stop: there is no editor, or it failed.
        """
        import shlex
        import subprocess

        words, source = _editor(environ)
        if source:
            try:
                words = shlex.split(words[0])
            except ValueError:
                words = []
            if not words:
                raise Stop(
                    NO_EDITOR, f"{source} is no command line", hint=f"put its quotes right: {source}='code --wait'"
                )
        try:
            code = subprocess.call([*words, self._path])
        except OSError as error:
            reason = error.strerror or "it does not start"
        else:
            reason = f"it ended with code {code}" if code else ""
        if reason:
            raise Stop(
                NO_EDITOR,
                f"the editor {words[0]} failed: {reason.lower()}",
                hint="the file is unchanged; name a working editor in SOPS_EDITOR or EDITOR",
            )


@contextmanager
def draft(name: str, content: bytes) -> Iterator[Draft]:
    """Hold a text in a private file called ``name``, whatever happens."""
    import shutil
    import tempfile

    before = {number: signal.signal(number, _stop) for number in (signal.SIGTERM, signal.SIGHUP)}
    folder = path = ""
    try:
        try:
            folder = tempfile.mkdtemp(prefix="sealpy-", dir=place(os.environ))
            path = os.path.join(folder, name)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(content)
        except OSError as error:
            reason = error.strerror or ""
        else:
            reason = ""
        if reason:
            raise Stop(UNWRITABLE, f"no place for the text to edit: {reason.lower()}")
        yield Draft(path)
    finally:
        if folder:
            shutil.rmtree(folder, ignore_errors=True)
        for number, handler in before.items():
            signal.signal(number, handler)


def place(environ: Mapping[str, str]) -> str | None:
    """Return a folder in memory that is ours to write to, or None for the system's temporary one."""
    if sys.platform != "linux":
        return None
    in_memory = _in_memory()
    for folder in (environ.get("XDG_RUNTIME_DIR", ""), "/dev/shm"):  # noqa: S108 - a private folder is made in it
        if folder and os.access(folder, os.W_OK | os.X_OK):
            real = os.path.realpath(folder)
            mount = max((point for point in in_memory if f"{real}/".startswith(f"{point.rstrip('/')}/")), default="")
            if mount and in_memory[mount]:
                return folder
    return None


def _in_memory() -> dict[str, bool]:
    """Return every mount point and whether what is below it stays in memory."""
    mounts: dict[str, bool] = {}
    try:
        with open("/proc/self/mounts", encoding="utf-8", errors="surrogateescape") as file:
            for line in file:
                _, point, kind, *_ = line.split(" ")
                mounts[point.replace("\\040", " ")] = kind in ("tmpfs", "ramfs")
    except (OSError, ValueError):
        return {}
    return mounts


def _editor(environ: Mapping[str, str]) -> tuple[list[str], str]:
    for variable in ("SOPS_EDITOR", "EDITOR"):
        command = environ.get(variable)
        if command:
            return [command], variable
    from shutil import which

    for name in FALLBACKS:
        path = which(name, path=environ.get("PATH"))
        if path:
            return [path], ""
    raise Stop(NO_EDITOR, f"there is no editor: neither {', '.join(FALLBACKS)}", hint="name yours in EDITOR")


def _stop(number: int, _frame: object) -> None:
    # Not an Exception, so that nothing takes it for a failed edit.
    raise SystemExit(SIGNALLED + number)
