"""The only module that runs git for reading: names, lists of differing files, and the bytes of blobs.

What git is asked is plumbing: object ids, modes, paths as bytes. Attributes, textconv, external diff drivers, pagers and
hooks of the repository have no say in what a reviewer sees, nothing is fetched, and no file is written.

One ``git cat-file --batch`` serves a whole run, however many files there are; it also resolves names of commits.
"""

import os
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from types import TracebackType
from typing import IO, NamedTuple, Self

from sealpy.errors import SourceError
from sealpy.sanitise import visible

# Where the repository is may come from the environment, as in a hook. How to look at it may not.
_KEPT = frozenset(
    (
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_COMMON_DIR",
        "GIT_OBJECT_DIRECTORY",
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_QUARANTINE_PATH",
        "GIT_CEILING_DIRECTORIES",
    )
)
_SET = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_ATTR_NOSYSTEM": "1",
    # Older versions of git fetch missing objects all the same; no protocol, no fetch.
    "GIT_ALLOW_PROTOCOL": "none",
    "LC_ALL": "C",
}
_OPTIONS = (
    "--no-pager",
    "--literal-pathspecs",
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.attributesFile=/dev/null"),
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "diff.external="),
)
_DIFF = (
    "diff",
    "--raw",
    "-z",
    "--no-abbrev",
    "-M",
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--no-relative",
    "-O/dev/null",
    # Other commits of a submodule are shown; git does not go into it, where it would run what its configuration says.
    "--ignore-submodules=dirty",
)
_STATUS = (
    "status",
    "--porcelain=v2",
    "-z",
    "--branch",
    "--untracked-files=all",
    "--find-renames",
    "--no-ahead-behind",
    "--ignore-submodules=dirty",
)

# Requests on their way to git. Fewer than fill a pipe, so that neither side ever waits for the other to read.
_AHEAD = 64
_LINK, _SUBMODULE = 0o120000, 0o160000
_ZERO = frozenset("0")


class Blob(NamedTuple):
    """What git answered for an object: ``data`` is None where it is missing (size -1) or larger than allowed."""

    data: bytes | None
    size: int


class RawChange(NamedTuple):
    """One file that differs, as git lists it. A side without path is absent; one without object id is in the worktree."""

    old_path: bytes
    new_path: bytes
    old_mode: int
    new_mode: int
    old_blob: str
    new_blob: str


class Status(NamedTuple):
    """The worktree against HEAD; ``branch`` is empty when HEAD is on none."""

    branch: str
    changes: Sequence[RawChange]


class GitError(SourceError):
    """Git ended with a fault; ``complaint`` is what it said, made visible."""

    def __init__(self, complaint: str, *, hint: str | None = None) -> None:
        super().__init__(f"git: {complaint}" if complaint else "git failed without a word", hint=hint)
        self.complaint = complaint


class Git:
    """Git in one folder. Use it as a context: the process that serves objects ends with it."""

    def __init__(self, folder: str | None = None) -> None:
        self._folder = folder
        self._environment = _environment()
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        server, self._server = self._server, None
        if server is None:
            return
        for stream in (server.stdin, server.stdout, server.stderr):
            if stream is not None:
                # It may be gone already, and with it what we had to say to it.
                with suppress(BrokenPipeError):
                    stream.close()
        server.wait()

    def top(self) -> str:
        """Return the folder that the worktree's paths are relative to."""
        return os.fsdecode(self._run(("rev-parse", "--show-toplevel")).removesuffix(b"\n"))

    def merge_base(self, one: str, other: str) -> str:
        """Return the id of the best common ancestor of two commits; empty if there is none."""
        try:
            return self._run(("merge-base", one, other)).decode().strip()
        except GitError as error:
            if error.complaint:
                raise
            return ""

    def status(self, paths: Sequence[str] = ()) -> Status:
        """Return what differs between HEAD and the worktree, files that git does not know included."""
        return _parse_status(self._run((*_STATUS, "--", *paths)))

    def differences(self, compared: Sequence[str], paths: Sequence[str] = ()) -> list[RawChange]:
        """Return what differs between commits, or with ``--cached`` between a commit and the index."""
        return _parse_raw(self._run((*_DIFF, *compared, "--", *paths)))

    def count(self, commit: str, paths: Sequence[str] = ()) -> int:
        """Return how many files a commit has, or the index where there is none."""
        whole = () if paths else ("--full-tree",)
        listing = ("ls-tree", "-r", "--name-only", "-z", *whole, commit) if commit else ("ls-files", "-z")
        return self._run((*listing, "--", *paths)).count(b"\0")

    def files(self, paths: Sequence[str] = ()) -> list[bytes]:
        """Return the files that git knows or could be told of, those that it ignores apart."""
        listed = self._run(
            ("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--full-name", "--", *paths)
        )
        return [path for path in listed.split(b"\0") if path]

    def index(self) -> list[tuple[bytes, str]]:
        """Return the regular files of the index, each with the id of its content; what is in conflict is left out."""
        found = []
        for line in self._run(("ls-files", "-z", "--stage", "--full-name")).split(b"\0"):
            head, _, path = line.partition(b"\t")
            mode, _, rest = head.decode().partition(" ")
            blob, _, stage = rest.partition(" ")
            if stage == "0" and mode.startswith("100"):
                found.append((path, blob))
        return found

    def commits(self, path: str, most: int) -> list[str]:
        """Return the ids of the last commits that changed a file, latest first; none where there is no commit yet."""
        if not self.commit("HEAD"):
            return []
        return self._run(("log", "--format=%H", f"--max-count={most}", "HEAD", "--", path)).decode().split()

    def commit(self, name: str) -> str:
        """Return the id of the commit that a name stands for; empty if there is none."""
        if not name or "\n" in name or name.startswith("-"):
            return ""
        writer, reader = self._pipes()
        self._ask(writer, os.fsencode(name) + b"^{commit}")
        header = self._header(reader)
        if len(header) != 3 or header[1] != b"commit":
            return ""
        _skip(reader, int(header[2]) + 1)
        return header[0].decode()

    def blobs(self, ids: Iterable[str], limit: int) -> Iterator[Blob]:
        """Return the blobs in the order asked for, each when it is wanted; those larger than ``limit`` without data."""
        writer, reader = self._pipes()
        asked = 0
        waiting = iter(ids)
        more = True
        while more or asked:
            while more and asked < _AHEAD:
                following = next(waiting, None)
                if following is None:
                    more = False
                else:
                    self._ask(writer, following.encode())
                    asked += 1
            if asked:
                asked -= 1
                yield self._blob(reader, limit)

    def folder(self, commit: str, path: bytes) -> dict[bytes, tuple[int, str]]:
        """Return what a folder of a commit holds, by name: mode and object id; nothing if there is no such folder."""
        if b"\n" in path:
            return {}
        writer, reader = self._pipes()
        self._ask(writer, commit.encode() + b":" + path)
        header = self._header(reader)
        if len(header) != 3:
            return {}
        data = reader.read(int(header[2]))
        _skip(reader, 1)
        found: dict[bytes, tuple[int, str]] = {}
        width = len(header[0]) // 2
        start = 0
        while header[1] == b"tree" and start < len(data):
            end = data.index(b"\0", start)
            mode, _, name = data[start:end].partition(b" ")
            start = end + 1 + width
            found[name] = (int(mode, 8), data[end + 1 : start].hex())
        return found

    def _blob(self, reader: IO[bytes], limit: int) -> Blob:
        header = self._header(reader)
        if len(header) != 3:
            return Blob(None, -1)
        size = int(header[2])
        if header[1] != b"blob" or size > limit:
            _skip(reader, size + 1)
            return Blob(None, size)
        data = reader.read(size)
        _skip(reader, 1)
        return Blob(data, size)

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        if self._server is None:
            self._server = self._start(("cat-file", "--batch"), subprocess.PIPE)
        writer, reader = self._server.stdin, self._server.stdout
        if writer is None or reader is None:
            raise ValueError("git was started without pipes")
        return writer, reader

    def _ask(self, writer: IO[bytes], name: bytes) -> None:
        try:
            writer.write(name + b"\n")
            writer.flush()
        except BrokenPipeError:
            broken = True
        else:
            broken = False
        if broken:
            raise self._gone()

    def _header(self, reader: IO[bytes]) -> list[bytes]:
        line = reader.readline()
        if not line.endswith(b"\n"):
            raise self._gone()
        return line[:-1].rsplit(b" ", 2) if not line.endswith((b" missing\n", b" ambiguous\n")) else []

    def _gone(self) -> GitError:
        complaint = b""
        if self._server is not None and self._server.stderr is not None:
            complaint = self._server.stderr.read()
        return fault(complaint)

    def _run(self, arguments: Sequence[str]) -> bytes:
        process = self._start(arguments, subprocess.DEVNULL)
        output, complaint = process.communicate()
        if process.returncode:
            raise fault(complaint)
        return output

    def _start(self, arguments: Sequence[str], stdin: int) -> "subprocess.Popen[bytes]":
        try:
            return subprocess.Popen(
                ["git", *_OPTIONS, *arguments],
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=self._folder,
                env=self._environment,
            )
        except FileNotFoundError:
            pass
        raise SourceError("git is not installed, or not on the PATH", hint='"sealpy diff --files OLD NEW" needs no git')


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name in _KEPT}
    return kept | _SET


def fault(complaint: bytes) -> GitError:
    """Make an error of what git wrote to stderr."""
    lines = complaint.decode("utf-8", "surrogateescape").splitlines()
    first = next((line for line in lines if line.startswith(("fatal:", "error:"))), lines[0] if lines else "")
    text = visible(first.partition(": ")[2] if first.startswith(("fatal:", "error:")) else first)
    hint = None
    if "not a git repository" in text:
        hint = '"sealpy diff --files OLD NEW" compares two files outside git'
    elif "promisor" in text:
        hint = 'this clone is partial; "git fetch --refetch --no-filter" brings what it lacks'
    elif "dubious ownership" in text:
        hint = "git distrusts the folder's owner; see git's safe.directory"
    return GitError(text, hint=hint)


def _skip(reader: IO[bytes], count: int) -> None:
    while count > 0:
        read = len(reader.read(min(count, 1 << 20)))
        if not read:
            return
        count -= read


def _parse_raw(output: bytes) -> list[RawChange]:
    """Read ``:mode mode id id status NUL path NUL [path NUL]`` records."""
    changes = []
    fields = iter(output.split(b"\0"))
    for record in fields:
        if not record:
            continue
        old_mode, new_mode, old_blob, new_blob, status = record.lstrip(b":").decode("ascii").split(" ")
        path = next(fields)
        new_path = next(fields) if status[0] in "RC" else path
        changes.append(_change(path, new_path, old_mode, new_mode, old_blob, new_blob))
    return changes


def _parse_status(output: bytes) -> Status:
    """Read git's status format, version 2, as HEAD against the worktree."""
    branch = ""
    changes: dict[bytes, RawChange] = {}
    fields = iter(output.split(b"\0"))
    for record in fields:
        kind = record[:1]
        if record.startswith(b"# branch.head "):
            name = record.removeprefix(b"# branch.head ")
            branch = "" if name == b"(detached)" else os.fsdecode(name)
        elif kind == b"1":
            _, _, _, head, _, work, blob, _, path = record.split(b" ", 8)
            _add(changes, _change(path, path, head.decode(), work.decode(), blob.decode(), ""))
        elif kind == b"2":
            _, _, _, head, _, work, blob, _, _, path = record.split(b" ", 9)
            _add(changes, _change(next(fields), path, head.decode(), work.decode(), blob.decode(), ""))
        elif kind == b"u":
            # Unmerged: our side, stage 2, is what HEAD has.
            _, _, _, _, ours, _, work, _, blob, _, path = record.split(b" ", 10)
            _add(changes, _change(path, path, ours.decode(), work.decode(), blob.decode(), ""))
        elif kind == b"?":
            _add(changes, _change(b"", record[2:], "0", "100644", "", ""))
    return Status(branch, sorted(changes.values(), key=lambda change: change.new_path or change.old_path))


def _add(changes: dict[bytes, RawChange], change: RawChange) -> None:
    """A file taken out of the index and still in its place is listed as gone and as unknown: it changed, no more."""
    if not change.old_path and not change.new_path:
        return  # staged, and gone again
    path = change.new_path or change.old_path
    earlier = changes.get(path)
    if earlier is not None and not earlier.new_path and not change.old_path:
        change = earlier._replace(new_path=path, new_mode=change.new_mode)
    changes[path] = change


def _change(old_path: bytes, new_path: bytes, old_mode: str, new_mode: str, old_blob: str, new_blob: str) -> RawChange:
    old, new = int(old_mode, 8), int(new_mode, 8)
    return RawChange(
        old_path if old else b"",
        new_path if new else b"",
        old,
        new,
        "" if set(old_blob) <= _ZERO else old_blob,
        "" if set(new_blob) <= _ZERO else new_blob,
    )
