"""The only module that runs git here.

Repositories are other people's: no hook, attribute, file system monitor or prompt of theirs runs, only the
transports of ``ALLOWED`` carry anything, and reading never fetches. How the user's own git authenticates (askpass, an
agent, a credential helper) is left to it; our keys are not in its environment.
"""

import os
import resource
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import IO

from sealpy.errors import SourceError
from sealpy.sanitise import visible

ALLOWED = "https:ssh:git:file"

_OURS = ("SOPS_", "SEALPY_", "VAULT_TOKEN")
_KEPT = frozenset(
    (
        "GIT_ASKPASS",
        "GIT_CONFIG_GLOBAL",
        "GIT_CONFIG_NOSYSTEM",
        "GIT_CONFIG_SYSTEM",
        "GIT_PROXY_SSL_CAINFO",
        "GIT_SSH",
        "GIT_SSH_COMMAND",
        "GIT_SSH_VARIANT",
        "GIT_SSL_CAINFO",
        "GIT_SSL_CAPATH",
        "GIT_SSL_CERT",
        "GIT_SSL_KEY",
        "GIT_SSL_VERSION",
    )
)
"""Where the user's git finds keys, programs and settings; what says how to look at a repository is not taken over."""
_SET = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "LC_ALL": "C",
}
_NEVER_FETCH = {
    "GIT_NO_LAZY_FETCH": "1",
    # Older versions of git fetch missing objects all the same; no protocol, no fetch.
    "GIT_ALLOW_PROTOCOL": "none",
}
_OPTIONS = (
    "--no-pager",
    "--literal-pathspecs",
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.attributesFile=/dev/null"),
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "gc.auto=0"),
    *("-c", "maintenance.auto=false"),
    # One pack, whose size the limit below bounds.
    *("-c", "transfer.unpackLimit=1"),
    *("-c", "http.lowSpeedLimit=1"),
    *("-c", "http.lowSpeedTime=60"),
)

_HINTS = (
    ("File too large", "the repository is larger than sealpy takes"),
    ("dubious ownership", "git distrusts the folder's owner; see git's safe.directory"),
    ("Remote branch", "see whether --ref names a branch that is there"),
    ("find remote ref", "see whether --ref names a branch that is there"),
    ("not a git repository", "--source takes the folder of a repository, or a URL"),
    ("could not read Username", "give git a credential helper or an askpass program; it asks nobody here"),
    ("Host key verification", "put the host's key into known_hosts; ssh asks nobody here"),
)

_TICK = 0.2
_MAX_OUTPUT = 64 * 2**20
_MAX_COMPLAINT = 64 * 2**10


class Stopped(Exception):
    """Somebody asked the process to stop; what was under way is given up."""


class Git:
    """Git on one repository. ``stop`` is asked several times a second and ends what runs."""

    def __init__(self, folder: str, environ: Mapping[str, str], stop: Callable[[], bool]) -> None:
        self._folder = folder
        kept = {
            name: value
            for name, value in environ.items()
            if not name.startswith(_OURS) and (not name.startswith("GIT_") or name in _KEPT)
        }
        # Else a folder that is no repository would be looked for in the ones above it.
        self._environment = kept | _SET | {"GIT_CEILING_DIRECTORIES": os.path.dirname(folder)}
        self._stop = stop

    def ask(self, *words: str, seconds: float = 60) -> bytes:
        """Run git on the repository as it is here; nothing is fetched.

        Raises:
            SourceError: git failed, took too long, or had too much to say.
            Stopped
        """
        return self._run(words, self._environment | _NEVER_FETCH, seconds, None)

    def transfer(self, *words: str, seconds: float, most: int) -> None:
        """Run git so that it may talk to another repository; no file may become larger than ``most`` bytes.

        Raises:
            SourceError, Stopped
        """
        self._run(words, self._environment | {"GIT_ALLOW_PROTOCOL": ALLOWED}, seconds, most)

    def blobs(self, ids: Sequence[str], limit: int) -> Iterator[bytes | None]:
        """Yield the content of blobs in the order asked for; None for one that is larger than ``limit``.

        Raises:
            SourceError: one is missing.
        """
        # Files, so that neither side ever waits for the other to read.
        with tempfile.TemporaryFile() as asked, tempfile.TemporaryFile() as complaint:
            asked.write("".join(f"{one}\n" for one in ids).encode())
            asked.seek(0)
            process = self._start(("cat-file", "--batch"), self._environment | _NEVER_FETCH, asked, complaint)
            try:
                for _ in ids:
                    yield _blob(process, limit)
            finally:
                _end(process)

    def _run(self, words: Sequence[str], environment: Mapping[str, str], seconds: float, most: int | None) -> bytes:
        with tempfile.TemporaryFile() as complaint:
            process = self._start(words, environment, subprocess.DEVNULL, complaint, most)
            try:
                output = self._gather(process, time.monotonic() + seconds)
            finally:
                _end(process)
            if process.returncode == 0:
                return output
            complaint.seek(0)
            raise _fault(complaint.read(_MAX_COMPLAINT))

    def _start(
        self,
        words: Sequence[str],
        environment: Mapping[str, str],
        stdin: IO[bytes] | int,
        stderr: IO[bytes],
        most: int | None = None,
    ) -> "subprocess.Popen[bytes]":
        try:
            return subprocess.Popen(
                ["git", *_OPTIONS, "-C", self._folder, *words],
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=environment,
                # A session of its own: what git starts ends with it, and nobody asks on our terminal.
                start_new_session=True,
                preexec_fn=None if most is None else lambda: _limit_files(most),  # noqa: PLW1509 - no threads here
            )
        except FileNotFoundError:
            pass
        raise SourceError("git is not installed, or not on the PATH")

    def _gather(self, process: "subprocess.Popen[bytes]", deadline: float) -> bytes:
        """Read all that git says, as long as nobody asks us to stop."""
        pieces: list[bytes] = []
        size = 0
        stream = _stream(process)
        while True:
            ready, _, _ = select.select([stream], [], [], _TICK)
            if self._stop():
                raise Stopped
            if time.monotonic() > deadline:
                raise SourceError("git took too long, and was ended", hint="see whether the repository can be reached")
            if not ready:
                continue
            piece = os.read(stream.fileno(), 2**16)
            if not piece:
                process.wait()
                return b"".join(pieces)
            pieces.append(piece)
            size += len(piece)
            if size > _MAX_OUTPUT:
                raise SourceError("the repository holds too many files", hint="choose a smaller folder with --path")


def _limit_files(most: int) -> None:
    """Bound each file that this process writes; over it, writing fails instead of killing without a word."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


def _blob(process: "subprocess.Popen[bytes]", limit: int) -> bytes | None:
    stream = _stream(process)
    header = stream.readline().split()
    if len(header) != 3:
        raise SourceError("git cannot read an object of the repository", hint='"git fsck" there tells more')
    size = int(header[2])
    if size <= limit:
        data = stream.read(size)
        stream.read(1)
        return data
    left = size + 1
    while left > 0 and (piece := stream.read(min(left, 2**20))):
        left -= len(piece)
    return None


def _stream(process: "subprocess.Popen[bytes]") -> IO[bytes]:
    if process.stdout is None:
        raise ValueError("git was started without a pipe")
    return process.stdout


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End git and what it started, if it has not ended."""
    _stream(process).close()
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _fault(complaint: bytes) -> SourceError:
    lines = complaint.decode("utf-8", "surrogateescape").splitlines()
    # The first says what happened, where a later one only says that it did.
    first = next((line for line in lines if line.startswith(("fatal: ", "error: "))), lines[0] if lines else "")
    text = visible(first.removeprefix("fatal: ").removeprefix("error: ")) or "it failed without a word"
    return SourceError(f"git: {text}", hint=next((hint for sign, hint in _HINTS if sign in "\n".join(lines)), None))
