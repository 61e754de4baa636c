"""A change of files as one commit on a branch that others push to at the same time.

The change is made on what the branch holds at this moment, not on what lies in the worktree, and pushed without force.
Where somebody was faster, it is made again on what they left: nobody's change is lost, and there is nothing to merge.
What was changed twice, to different values, is for people to decide: the change stops then.

Commits are made without worktree and index. A worktree without changes of its own is moved on to the new commit.
"""

import os
import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from sealpy.errors import NoSuchFile, Refused, SourceError
from sealpy_cli import terminal
from sealpy_cli.repo import git_words
from sealpy_cli.repo.git import GitError, fault
from sealpy_cli.repo.git_writer import GitWriter

RETRIES = 50
"""How often a change is made again, unless told otherwise: many for a branch that dozens push to."""

_SHORTEST, _LONGEST, _GROWTH = 0.1, 5.0, 3
"""How long a pause may be: at least and at most, in seconds, and how often its limit doubles.

The limit begins with the time that a try took. It does not grow for long: who sleeps for ten times as long as others
need for a push is never first.
"""

_DISTURBED = 3
"""How often in a row a remote may be out of reach."""

_UNMOVED = 5
"""How often in a row a push may come too late for a branch that has not moved: somebody may just be moving it."""

_VERSIONS = 200
"""Commits that are looked through for the one that changed the same."""

Read = Callable[[str], bytes | None]
"""Gives a file by its name from the top of the repository; None where it is not."""


class Change(Protocol):
    """A change that can be made on any version of some files."""

    @property
    def what(self) -> str:
        """What is changed, for a sentence: ``stringData.TOKEN``, with its file if errors don't begin with that."""

    @property
    def names(self) -> Sequence[str]:
        """The files that it may change, from the top of the repository, with slashes."""

    def apply(self, read: Read) -> Mapping[str, bytes | None]:
        """Return the new contents of files, None for one that goes; nothing where all is so already."""

    def standing(self, read: Read) -> object:
        """Return what is in the place that would be changed, to be compared."""


class Branch(NamedTuple):
    """A branch of a remote."""

    remote: str
    ref: str

    def __str__(self) -> str:
        return f"{self.remote}/{self.ref.removeprefix('refs/heads/')}"


def top_of(file: str) -> str:
    """Return the top of the worktree that a file is in.

    Raises:
        GitError, SourceError
    """
    return GitWriter(os.path.dirname(os.path.realpath(file))).text("rev-parse", "--show-toplevel")


def name_in(top: str, file: str) -> str:
    """Return the name that a file has in the repository."""
    return os.path.relpath(os.path.realpath(file), os.path.realpath(top)).replace(os.sep, "/")


def push(
    top: str, change: Change, message: str, retries: int | None = None, done: Callable[[], None] | None = None
) -> None:
    """Put a change on top of the branch that the current one follows; without ``retries``, try ``RETRIES`` times.

    ``done`` is called once it is pushed, and not where there was nothing to push.

    Raises:
        Refused: somebody changed the same to another value, or was faster each time; or the remote declines.
        SourceError: git fails, or the remote is out of reach.
        SealpyError: the change cannot be made.
    """
    from tempfile import TemporaryDirectory  # nothing but this needs it

    git = GitWriter(top)
    branch = _followed(git)
    with TemporaryDirectory(prefix="sealpy-") as folder:
        made = _Push(git, branch, change, message, os.path.join(folder, "index"))
        made.run(RETRIES if retries is None else max(retries, 0), done or (lambda: None))


class _Push:
    """One change on its way."""

    def __init__(self, git: GitWriter, branch: Branch, change: Change, message: str, index: str) -> None:
        self._git = git
        self._branch = branch
        self._change = change
        self._message = message
        self._index = index
        self._disturbed = 0
        self._unmoved = 0
        self._rejected = ""
        """The tip on which the last push came too late."""
        self._place = f"refs/sealpy/{os.getpid()}"
        self._standing: dict[str, object] = {}

    def run(self, retries: int, done: Callable[[], None]) -> None:
        try:
            self._run(retries, done)
        finally:
            self._git.attempt("update-ref", "-d", self._place)

    def _run(self, retries: int, done: Callable[[], None]) -> None:
        head = self._git.text("rev-parse", "HEAD")
        base = ""
        started = 0.0
        trouble: GitError | None = None
        for attempt in range(retries + 1):
            if attempt:
                _pause(attempt, time.monotonic() - started)
            started = time.monotonic()
            tip, trouble = self._fetched()
            if trouble is not None:
                continue
            base = base or self._git.attempt("merge-base", head, tip).out.decode().strip() or head
            if self._is_settled(base, tip):
                terminal.say(terminal.plain(f"{self._branch} has this value already; nothing was pushed"))
                return
            contents = self._change.apply(self._reader(tip))
            if not contents:
                terminal.say(terminal.plain(f"{self._branch} is so already; nothing was pushed"))
                return
            made = self._git.commit(tip, contents, self._message, self._index)
            if self._pushed(made, tip):
                done()
                terminal.say(terminal.plain(f"pushed {made[:10]} to {self._branch}"))
                self._move_worktree(made)
                return
        if trouble is not None:
            raise trouble
        raise Refused(
            f"{terminal.plain(str(self._branch))}: others pushed first, {retries + 1} times in a row",
            hint="run it again, or raise --retries",
        )

    def _fetched(self) -> tuple[str, GitError | None]:
        """Return what the branch points to now; or what is the matter if the remote cannot be asked at the moment.

        Raises:
            GitError: it was out of reach too often, or has no such branch.
        """
        # What git tidies up now and then can wait: every moment from here to the push is one for others to be faster in.
        words = ("-c", "maintenance.auto=false", "-c", "gc.auto=0", "fetch", "--quiet", "--no-tags")
        more = ("--no-write-fetch-head", "--no-recurse-submodules", "--refmap=", self._branch.remote)
        ran = self._git.attempt(*words, *more, f"+{self._branch.ref}:{self._place}")
        if not ran.code:
            self._disturbed = 0
            return self._git.text("rev-parse", self._place), None
        if b"couldn't find remote ref" in ran.err:
            remote, branch = self._branch.remote, self._branch.ref.removeprefix("refs/heads/")
            raise SourceError(
                f"{remote} has no branch {branch} yet",
                hint=shlex.join(["git", "push", "--set-upstream", remote, f"HEAD:{branch}"]),
            )
        self._disturbed += 1
        trouble = fault(ran.err)
        if self._disturbed >= _DISTURBED:
            raise trouble
        return "", trouble

    def _pushed(self, made: str, tip: str) -> bool:
        """Push without force; False if somebody was faster, so that it is worth another try.

        Raises:
            SealpyError: it would fail again: the remote declines, a hook stops it, the remote cannot be written to.
        """
        words = ("push", "--porcelain", "--no-follow-tags", "--recurse-submodules=no")
        ran = self._git.attempt(*words, self._branch.remote, f"{made}:{self._branch.ref}")
        if not ran.code:
            return True
        if not git_words.overtaken(ran):
            raise git_words.refusal(ran, self._branch.remote)
        self._unmoved = self._unmoved + 1 if tip == self._rejected else 1
        self._rejected = tip
        if self._unmoved >= _UNMOVED:
            raise git_words.unmoved(ran, str(self._branch), self._branch.remote)
        return False

    def _is_settled(self, base: str, tip: str) -> bool:
        """Tell whether somebody else made the very same change since ``base``.

        Raises:
            Refused: they made another one in the same place.
        """
        if base == tip or self._git.nodes(base, self._change.names) == self._git.nodes(tip, self._change.names):
            return False
        theirs = self._standing_in(tip)
        if theirs == self._standing_in(base):
            return False
        contents = self._change.apply(self._reader(base))
        read = self._reader(base)
        if theirs == self._change.standing(lambda name: contents[name] if name in contents else read(name)):
            return True
        ours = self._git.commit(base, contents, self._message, self._index)
        raise self._conflict(self._culprit(base, tip), ours)

    def _conflict(self, theirs: str, ours: str) -> Refused:
        about = os.fsdecode(self._git.run("log", "-1", "--format=%an: %s", theirs).partition(b"\n")[0])
        shown = " ".join(self._change.names)
        return Refused(
            f"{self._change.what} was set to another value meanwhile: theirs is {theirs[:10]} ({about}), "
            f"ours is {ours[:10]}, which was not pushed",
            hint=f'"sealpy diff {theirs[:10]} {ours[:10]} -- {shown}" shows both; '
            'to put ours over theirs, "git pull" and run this again',
        )

    def _culprit(self, base: str, tip: str) -> str:
        """Return the last commit that changed what we would change."""
        words = ("rev-list", "--topo-order", f"--max-count={_VERSIONS}", tip, f"^{base}", "--", *self._change.names)
        newer = tip
        value: object = None
        for number, version in enumerate((*self._git.run(*words).decode().split(), base)):
            standing = self._standing_in(version)
            if number and standing != value:
                return newer
            newer, value = version, standing
        return newer

    def _standing_in(self, version: str) -> object:
        if version not in self._standing:
            self._standing[version] = self._change.standing(self._reader(version))
        return self._standing[version]

    def _reader(self, version: str) -> Read:
        known = self._git.nodes(version, self._change.names)

        def read(name: str) -> bytes | None:
            node = known.get(name) or self._git.nodes(version, [name]).get(name)
            return None if node is None else self._git.blob(node)

        return read

    def _move_worktree(self, made: str) -> None:
        """Bring the worktree to what was pushed, if nobody's work is in the way."""
        if not self._git.run("status", "--porcelain", "--untracked-files=no"):
            moved = self._git.attempt("merge", "--ff-only", "--quiet", made)
            if not moved.code:
                return
        terminal.say('the worktree stays as it was; "git pull" brings the change there')


def _followed(git: GitWriter) -> Branch:
    """Return the branch that the current one follows; without one, its like of the only remote, or of origin."""
    current = os.fsdecode(git.attempt("symbolic-ref", "--quiet", "--short", "HEAD").out.strip())
    if not current:
        raise Refused(
            "no branch is checked out, so it is open where to push", hint="git switch -C BRANCH --track origin/BRANCH"
        )
    remotes = git.run("remote").decode("utf-8", "surrogateescape").split()
    remote = git.setting(f"branch.{current}.remote") or (remotes[0] if len(remotes) == 1 else "origin")
    if remote not in remotes:
        raise SourceError(
            f"{terminal.plain(current)} follows no branch of a remote", hint="git push --set-upstream origin HEAD"
        )
    return Branch(remote, git.setting(f"branch.{current}.merge") or f"refs/heads/{current}")


def require(name: str, data: bytes | None) -> bytes:
    """Return the content of a file that has to be there.

    Raises:
        NoSuchFile
    """
    if data is None:
        raise NoSuchFile(f"{name}: is not on the branch that is pushed to", hint="commit and push the file first")
    return data


def _pause(attempt: int, took: float) -> None:
    """Wait for a random time: those who met once should not meet again."""
    from random import SystemRandom

    limit = max(took, _SHORTEST) * 2 ** min(attempt - 1, _GROWTH)
    time.sleep(SystemRandom().uniform(0, min(limit, _LONGEST)))
