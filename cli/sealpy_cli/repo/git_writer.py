"""The only module that has git write: objects, commits, a branch of a remote.

It is the user's own git, with their settings, credentials, signatures and hooks. What is made here does not go through
the worktree or the index, so whatever lies there stays as it is.
"""

import os
import subprocess
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sealpy.errors import NoSuchFile, SourceError
from sealpy_cli.repo.git import fault

_NOTHING = "0" * 40
_FILES = ("100644", "100755")
# An index that lives for a moment needs nobody who watches files, and no other index to lean on.
_INDEX = ("-c", "core.fsmonitor=false", "-c", "core.splitIndex=false")


class Ran(NamedTuple):
    """How git ended."""

    code: int
    out: bytes
    err: bytes


class Node(NamedTuple):
    """A file in a commit: its mode, as git writes it, and the id of its content."""

    mode: str
    blob: str


class GitWriter:
    """Git in one worktree. Names of files are relative to its top, with slashes."""

    def __init__(self, top: str) -> None:
        self.top = top
        self._blobs: dict[str, bytes] = {}
        self._nodes: dict[tuple[str, ...], Mapping[str, Node]] = {}
        self._signature: tuple[str, ...] | None = None

    def text(self, *words: str) -> str:
        """Run git and return its first line.

        Raises:
            GitError
        """
        return os.fsdecode(self.run(*words).partition(b"\n")[0])

    def setting(self, name: str, *, kind: str = "") -> str:
        """Return what the user's configuration says; empty if nothing."""
        words = (f"--type={kind}",) if kind else ()
        return os.fsdecode(self.attempt("config", *words, "--get", name).out.removesuffix(b"\n"))

    def run(self, *words: str, stdin: bytes = b"", environ: Mapping[str, str] | None = None) -> bytes:
        """Run git and return what it writes.

        Raises:
            GitError
        """
        ran = self.attempt(*words, stdin=stdin, environ=environ)
        if ran.code:
            raise fault(ran.err)
        return ran.out

    def attempt(self, *words: str, stdin: bytes = b"", environ: Mapping[str, str] | None = None) -> Ran:
        """Run git, and leave it to the caller whether it failed.

        Raises:
            SourceError: there is no git.
        """
        try:
            ran = subprocess.run(
                ["git", "--literal-pathspecs", *words],
                input=stdin,
                capture_output=True,
                cwd=self.top,
                # What it says is read here, so it has to be in one language.
                env={**os.environ, "LC_ALL": "C", **(environ or {})},
                check=False,
            )
        except OSError as error:
            reason = (error.strerror or "cannot be run").lower()
        else:
            return Ran(ran.returncode, ran.stdout, ran.stderr)
        if not os.path.isdir(self.top):
            raise NoSuchFile(f"{self.top}: {reason}")
        raise SourceError("git is not installed, or not on the PATH")

    def nodes(self, commit: str, names: Sequence[str]) -> Mapping[str, Node]:
        """Return those of some files that a commit, given by its id, has.

        Raises:
            GitError
            SourceError: one of them is a folder or a link.
        """
        asked = (commit, *names)
        if asked in self._nodes:
            return self._nodes[asked]
        found: dict[str, Node] = {}
        for record in self.run("ls-tree", "-z", "--full-tree", commit, "--", *names).split(b"\0"):
            if record:
                about, _, name = record.partition(b"\t")
                mode, _, blob = about.decode().split(" ")
                if mode not in _FILES:
                    raise SourceError(f"{os.fsdecode(name)}: is no file in {commit[:10]}")
                found[os.fsdecode(name)] = Node(mode, blob)
        self._nodes[asked] = found
        return found

    def blob(self, node: Node) -> bytes:
        """Return the content of a file; where a clone is partial, git fetches it."""
        data = self._blobs.get(node.blob)
        if data is None:
            data = self._blobs[node.blob] = self.run("cat-file", "blob", node.blob)
        return data

    def stage(self, name: str, data: bytes) -> None:
        """Put other content into the index, for a file that is there; the worktree is not asked.

        Raises:
            GitError
        """
        mode = self.run("ls-files", "--stage", "-z", "--", name).split(b" ", 1)[0].decode()
        self.run("update-index", "-z", "--index-info", stdin=os.fsencode(f"{mode} {self._written(data)}\t{name}\0"))

    def commit(self, parent: str, contents: Mapping[str, bytes | None], message: str, index: str) -> str:
        """Make a commit that has other contents at some names than its parent, and return its id.

        A name without content is taken away. ``index`` is a path for a temporary index.

        Raises:
            GitError: also when the user's signature cannot be made.
        """
        standing = self.nodes(parent, list(contents))
        lines = []
        for name, data in contents.items():
            if data is None:
                lines.append(f"0 {_NOTHING}\t{name}\0")
                continue
            mode = standing[name].mode if name in standing else "100644"
            lines.append(f"{mode} {self._written(data)}\t{name}\0")
        environ = {"GIT_INDEX_FILE": index}
        self.run(*_INDEX, "read-tree", parent, environ=environ)
        self.run(*_INDEX, "update-index", "-z", "--index-info", stdin=os.fsencode("".join(lines)), environ=environ)
        tree = self.run(*_INDEX, "write-tree", "--missing-ok", environ=environ).decode().strip()
        if self._signature is None:
            self._signature = ("-S",) if self.setting("commit.gpgsign", kind="bool") == "true" else ()
        words = ("commit-tree", *self._signature, "-p", parent, "-F", "-", tree)
        return self.run(*words, stdin=f"{message}\n".encode("utf-8", "surrogateescape")).decode().strip()

    def _written(self, data: bytes) -> str:
        """Put content into the object store as it is, past all filters, and return its id."""
        return self.run("hash-object", "-w", "--stdin", stdin=data).decode().strip()
