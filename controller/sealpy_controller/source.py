"""Where the sealed files come from: one branch of a git repository, and one folder in it.

A repository on this machine is read in place. Any other is copied, shallow and without large files, into a bare
mirror in a private folder that lives as long as this object; what is in it is what everybody can clone: ciphertext.
Links and submodules are not followed.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Self

from sealpy.errors import SourceError
from sealpy_controller.git import Git

MAX_FILE = 5 * 2**20
"""The largest sealed file that is read, in bytes."""
MAX_MIRROR = 512 * 2**20
"""How much a mirror may take, in bytes."""

_TRANSFER_SECONDS = 300
_PLAIN_FILES = (b"100644", b"100755")
_SCHEMES = ("https", "ssh", "git", "file")
_URL = re.compile(r"([a-z][a-z0-9+.-]*)://(?:([^/@]*)@)?.+", re.IGNORECASE | re.DOTALL)
# As ssh understands it: host:path, with no slash before the colon.
_SCP = re.compile(r"(?:[^/@:\s]+@)?[A-Za-z0-9][^/:\s]*:(?!:).+", re.DOTALL)
# Of the rules of git check-ref-format those that could make another argument or another ref of it.
_BRANCH = re.compile(r"(?![-/.])(?!.*(?:\.\.|//|@\{|\.lock$))[^\x00-\x20\x7f~^:?*\[\\]+(?<![/.])")


class File(NamedTuple):
    """A file of the source: its path in the repository, and git's id of its content."""

    path: str
    blob: str


class Listing(NamedTuple):
    """What a folder of a commit holds, below it too; ``links`` are the paths of links and submodules."""

    files: tuple[File, ...]
    links: tuple[str, ...]


class Source:
    """One branch of a repository. Use as a context: the mirror ends with it."""

    def __init__(
        self, where: str, ref: str, path: str, *, environ: Mapping[str, str], stop: Callable[[], bool]
    ) -> None:
        """Look at what was given, without touching the repository.

        Raises:
            SourceError: it is not something that git may be asked for.
        """
        self._local = os.path.isdir(where) or not (_URL.fullmatch(where) or _SCP.fullmatch(where) or "::" in where)
        self._url = where
        self.shown = os.path.realpath(where) if self._local and where else _check_url(where)
        if not _BRANCH.fullmatch(ref):
            raise SourceError("--ref is not the name of a branch")
        self.ref = ref
        self.path = _normal(path)
        self._environ = environ
        self._stop = stop
        self._mirror = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._drop_mirror()

    @property
    def name(self) -> str:
        """Tell this source from another one, in one text: the repository, the branch and the folder."""
        return f"{self.shown}#{self.ref}:{self.path or '.'}"

    def commit(self) -> str:
        """Fetch what is new, and return the id of the branch's last commit.

        Raises:
            SourceError: the repository cannot be reached or read, or has no such branch.
            Stopped
        """
        if not self._local:
            self._fetch()
        elif not os.path.isdir(self.shown):
            raise SourceError(f"there is no folder {self.shown}", hint="see whether --source is right")
        words = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"refs/heads/{self.ref}^{{commit}}")
        found = ""
        try:
            found = self._git().ask(*words).decode().strip()
        except SourceError as error:
            # Without a word: that is how --quiet says that there is none.
            if "without a word" not in error.message:
                raise
        if not found:
            raise SourceError(f"there is no branch {self.ref}", hint="see whether --ref is right")
        return found

    def files(self, commit: str) -> Listing:
        """List the files of the folder.

        Raises:
            SourceError: there is no such folder in the commit.
            Stopped
        """
        tree = f"{commit}:{self.path}" if self.path else f"{commit}^{{tree}}"
        try:
            output = self._git().ask("ls-tree", "-r", "-z", "--full-tree", "--end-of-options", tree)
        except SourceError as error:
            if "Not a valid object name" not in error.message and "not a tree object" not in error.message:
                raise
            output = None
        if output is None:
            raise SourceError(f"there is no folder {self.path} on {self.ref}", hint="see whether --path is right")
        listing = _listing(output)
        if not self.path:
            return listing
        return Listing(
            tuple(File(f"{self.path}/{path}", blob) for path, blob in listing.files),
            tuple(f"{self.path}/{path}" for path in listing.links),
        )

    def named(self, commit: str, paths: Sequence[str]) -> tuple[File, ...]:
        """Return those of some paths, which need not be in the folder, that are files.

        Raises:
            SourceError: git fails.
            Stopped
        """
        return _listing(self._git().ask("ls-tree", "-z", "--full-tree", commit, "--", *paths)).files

    def contents(self, files: Iterable[File]) -> Iterator[tuple[File, bytes | None]]:
        """Yield files with their content, None for one that is larger than ``MAX_FILE``.

        Raises:
            SourceError: git cannot read one.
        """
        wanted = list(files)
        here = wanted if self._local else self._fetched(wanted)
        yield from ((file, None) for file in wanted if file not in here)
        yield from zip(here, self._git().blobs([file.blob for file in here], MAX_FILE), strict=True)

    def _git(self) -> Git:
        return Git(self.shown if self._local else self._mirror, self._environ, self._stop)

    def _fetch(self) -> None:
        branch = f"refs/heads/{self.ref}"
        if self._mirror and _size(self._mirror) > MAX_MIRROR // 2:
            # Old commits are never asked for again: a new copy is the simplest way to lose them.
            self._drop_mirror()
        if self._mirror:
            fetch = ("fetch", "--quiet", "--depth=1", "--no-tags", "--force", "--no-recurse-submodules")
            self._transfer(self._mirror, *fetch, "--", "origin", f"{branch}:{branch}")
            return
        folder = tempfile.mkdtemp(prefix="sealpy-")
        clone = (
            *("clone", "--quiet", "--bare", "--depth=1", "--no-tags", "--single-branch", "--template="),
            *(f"--filter=blob:limit={MAX_FILE + 1}", f"--branch={self.ref}"),
        )
        try:
            self._transfer(folder, *clone, "--", self._url, "mirror")
            self._mirror = os.path.join(folder, "mirror")
        finally:
            if not self._mirror:
                shutil.rmtree(folder, ignore_errors=True)

    def _transfer(self, folder: str, *words: str) -> None:
        try:
            Git(folder, self._environ, self._stop).transfer(*words, seconds=_TRANSFER_SECONDS, most=MAX_MIRROR)
        except SourceError as error:
            # git repeats the address, and in front of its host may stand a token.
            error.message = error.message.replace(self._url, self.shown)
            raise

    def _fetched(self, files: list[File]) -> list[File]:
        """Leave out what the server did not send because of its size: asking git for it would be a reason to fetch."""
        words = ("cat-file", "--batch-all-objects", "--unordered", "--batch-check=%(objectname)")
        present = set(self._git().ask(*words).decode().split())
        return [file for file in files if file.blob in present]

    def _drop_mirror(self) -> None:
        if self._mirror:
            shutil.rmtree(os.path.dirname(self._mirror), ignore_errors=True)
            self._mirror = ""


def _listing(output: bytes) -> Listing:
    files = []
    links = []
    for record in filter(None, output.split(b"\0")):
        about, _, name = record.partition(b"\t")
        mode, _, blob = about.split(b" ")
        if mode in _PLAIN_FILES:
            files.append(File(os.fsdecode(name), blob.decode()))
        else:
            links.append(os.fsdecode(name))
    return Listing(tuple(files), tuple(links))


def _check_url(url: str) -> str:
    """Return an address as it may be shown.

    Raises:
        SourceError: no folder, and no address that git may use.
    """
    match = _URL.fullmatch(url)
    problem = ""
    hint = "--source takes the folder of a repository, or an address such as https://… or ssh://…"
    if url.startswith("-") or not url.isprintable() or not url:
        problem = "--source is neither a folder nor an address"
    elif match is None and "::" in url:
        problem = "--source would make git run another program"
    elif match is not None and match[1].lower() not in _SCHEMES:
        problem = f"--source would use {match[1]}, which sealpy does not"
        hint = f"use one of {', '.join(_SCHEMES)}"
    elif match is not None and ":" in (match[2] or ""):
        problem = "--source holds a password, which everybody on this machine can see"
        hint = "give it to git by a credential helper or an askpass program"
    if problem:
        raise SourceError(problem, hint=hint)
    if match is not None and match[1].lower() == "https" and match[2]:
        return url.replace(f"{match[2]}@", "", 1)
    return url


def _normal(path: str) -> str:
    """Return a folder of the repository in git's words; the empty text is all of it."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if path.startswith("/") or ".." in parts or "\0" in path or "\n" in path:
        raise SourceError("--path is not a folder inside the repository", hint="write it relative to the repository")
    return "/".join(parts)


def _size(folder: str) -> int:
    sizes = 0
    for where, _, names in os.walk(folder):
        for name in names:
            sizes += os.lstat(os.path.join(where, name)).st_size
    return sizes
