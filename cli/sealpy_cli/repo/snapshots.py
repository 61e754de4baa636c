"""Which two states of the files are compared, and their contents: commits, the index, the worktree, two plain files.

Contents come one pair at a time, so that ten thousand files need no more memory than the largest of them. Symbolic
links and submodules are reported and never followed.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sealpy.changeset import ChangeSet, FileChange, FileVersion, Range, Snapshot
from sealpy.comparison import Opener, PartVersions, compare, compare_with_parts
from sealpy.comparison.renames import pair, trait
from sealpy.errors import SourceError
from sealpy.redaction import RevealedValue
from sealpy.sanitise import visible
from sealpy_cli.repo.git import Blob, Git, GitError, RawChange
from sealpy_cli.repo.part_groups import Group, grouped

LIMIT = 20 << 20
"""Bytes of a file that is looked into; what is larger is named in the report."""

WORKTREE, INDEX, NOTHING = Snapshot("worktree"), Snapshot("index"), Snapshot("nothing (no commit yet)")

_DEFAULTS = (
    "refs/remotes/origin/HEAD",
    "refs/heads/main",
    "refs/heads/master",
    # A CI system's clone has neither.
    "refs/remotes/origin/main",
    "refs/remotes/origin/master",
)
# origin/HEAD says which branch is the default, and reads badly.
_BETTER_NAMES = ("refs/remotes/origin/main", "refs/remotes/origin/master", "refs/remotes/origin/develop")
_LINK, _SUBMODULE = 0o120000, 0o160000
_SHALLOW = 'in a shallow clone the base may be missing: "git fetch --unshallow" brings it'


class Comparison(NamedTuple):
    """Two states, and the files that differ between them. ``top`` is the folder of the worktree, where it is one."""

    range: Range
    changes: Sequence[RawChange]
    top: bytes = b""
    remark: str = ""
    paths: Sequence[str] = ()
    """What the comparison is limited to."""


class UnknownRevision(SourceError):
    """A name that stands for no commit."""


def of_worktree(git: Git, paths: Sequence[str]) -> Comparison:
    """Compare the worktree with HEAD if it is dirty, else HEAD with where it left the default branch."""
    try:
        status = git.status(paths)
    except GitError as error:
        if "work tree" not in error.complaint:
            raise
        status = None  # a bare repository is never dirty
    head = git.commit("HEAD")
    if status is not None and status.changes:
        old = Snapshot("HEAD", head) if head else NOTHING
        return Comparison(Range(old, WORKTREE), status.changes, os.fsencode(git.top()))
    base = _default_branch(git)
    if not head or base is None:
        raise UnknownRevision(
            "nothing to compare: the worktree is clean, and there is no default branch (origin/HEAD, main, master)",
            hint="name two commits, or a branch",
        )
    here = Snapshot((status.branch if status is not None else "") or "HEAD", head)
    # git finds the merge base itself here: asking for it first would be one process more.
    changes = _since_merge_base(git, base, here, paths)
    remark = ""
    if head == base.commit:
        remark = 'this is the default branch itself; "sealpy diff HEAD~1 HEAD" shows its last commit'
    return Comparison(Range(base, here, from_merge_base=True), changes, remark=remark)


def of_index(git: Git, paths: Sequence[str]) -> Comparison:
    """Compare the index, which the next commit is made of, with HEAD."""
    head = git.commit("HEAD")
    old = Snapshot("HEAD", head) if head else NOTHING
    return Comparison(Range(old, INDEX), git.differences(("--cached", *([head] if head else [])), paths))


def of_commits(git: Git, old: str, new: str, paths: Sequence[str]) -> Comparison:
    """Compare two commits."""
    before, after = _named(git, old), _named(git, new)
    return Comparison(Range(before, after), git.differences((before.commit, after.commit), paths))


def of_merge_base(git: Git, base: str, new: str, paths: Sequence[str]) -> Comparison:
    """Compare a commit with where it left another."""
    before, after = _named(git, base), _named(git, new)
    return _from_merge_base(git, before, after, _merge_base(git, before, after), paths)


def of_branch(git: Git, name: str, paths: Sequence[str]) -> Comparison:
    """Compare a branch with where it left the default branch: what a pull request of it would bring.

    A commit that the default branch already has brings nothing; then what came after it is shown, up to HEAD.
    """
    branch = _named(git, name)
    base = _default_branch(git)
    if base is None:
        raise UnknownRevision(
            "there is no default branch (origin/HEAD, main, master) to compare with", hint="name two commits"
        )
    ancestor = _merge_base(git, base, branch)
    if ancestor != branch.commit:
        return _from_merge_base(git, base, branch, ancestor, paths)
    head = _named(git, "HEAD")
    return Comparison(
        Range(branch, head),
        git.differences((branch.commit, head.commit), paths),
        remark=f"{visible(base.label)} has {visible(branch.label)} already; this is what came after it",
    )


def of_files(old: str, new: str, opener: Opener) -> ChangeSet[RevealedValue]:
    """Compare two files outside git. A name without a known suffix is taken to have the other's."""
    names = (os.fsencode(old), os.fsencode(new))
    versions = []
    for name in names:
        version = read_file(name, name)
        if version.data is None:
            raise SourceError(f"{visible(os.fsdecode(name))}: {version.problem}")
        versions.append(version)
    before, after = versions
    known = [opener.format_for(os.fsdecode(name)).name != "binary" for name in names]
    if known[1] and not known[0]:
        before = before._replace(path=after.path)
    elif known[0] and not known[1]:
        after = after._replace(path=before.path)
    # Two names of one thing: the report is about the new one, and not about a rename.
    change = compare(before, after._replace(path=before.path), opener)._replace(path=names[1])
    return ChangeSet(Range(Snapshot(old), Snapshot(new)), iter((change,)))


def changes_of(git: Git, compared: Comparison, opener: Opener) -> ChangeSet[RevealedValue]:
    """Read both sides of every file that differs, and compare them."""
    changes = _with_renames(git, compared, opener)
    groups = grouped(git, changes, compared.range.new.commit or compared.range.old.commit)
    result = ChangeSet(compared.range, _compare_groups(git, groups, compared.top, opener))
    if not changes:
        result.totals.unchanged = git.count(compared.range.new.commit, compared.paths)
    return result


def _compare_groups(
    git: Git, groups: Sequence[Group], top: bytes, opener: Opener
) -> Iterator[FileChange[RevealedValue]]:
    versions = versions_of(
        git, [one for group in groups for one in (group.file, *(part for part, _ in group.parts))], top
    )
    for group in groups:
        file = next(versions)
        parts = [PartVersions(next(versions), differs) for _, differs in group.parts]
        if parts and (group.differs or all(one is not None and one.data is not None for one in file)):
            yield from compare_with_parts(file, parts, opener, base_differs=group.differs)
        else:
            alone = [*([file] if group.differs else []), *(part.versions for part in parts if part.differs)]
            yield from (compare(*each, opener) for each in alone)


def versions_of(
    git: Git, changes: Sequence[RawChange], top: bytes
) -> Iterator[tuple[FileVersion | None, FileVersion | None]]:
    """Read both sides of each file that differs, in order."""
    blobs = git.blobs((blob for change in changes for blob in _wanted(change)), LIMIT)
    for change in changes:
        old = new = None
        if change.old_path:
            data = next(blobs) if _is_read(change.old_mode, change.old_blob) else None
            old = _version(change.old_path, change.old_mode, change.old_blob, data)
        if change.new_path and change.new_blob:
            data = next(blobs) if _is_read(change.new_mode, change.new_blob) else None
            new = _version(change.new_path, change.new_mode, change.new_blob, data)
        elif change.new_path:
            new = read_file(os.path.join(top, change.new_path), change.new_path)
        yield old, new


def read_file(place: bytes, path: bytes) -> FileVersion:
    """Read a file of the worktree, without following a link in its last place, and never from a pipe or device."""
    try:
        found = os.lstat(place)
        if stat.S_ISLNK(found.st_mode):
            return FileVersion(path, _LINK, "", None, f"symbolic link to {os.readlink(os.fsdecode(place))}")
        if stat.S_ISDIR(found.st_mode):
            return FileVersion(path, _SUBMODULE, "", None, "a folder with a repository of its own, not looked into")
        if not stat.S_ISREG(found.st_mode):
            return FileVersion(path, 0, "", None, "neither file, folder nor link")
        mode = 0o100755 if found.st_mode & stat.S_IXUSR else 0o100644
        if found.st_size > LIMIT:
            return FileVersion(path, mode, "", None, _too_large(found.st_size))
        handle = os.open(place, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(handle, "rb") as file:
            data = file.read(LIMIT + 1)
    except OSError as error:
        return FileVersion(path, 0, "", None, (error.strerror or "cannot be read").lower())
    return FileVersion(path, mode, "", data)


def _version(path: bytes, mode: int, blob: str, read: Blob | None) -> FileVersion:
    if read is None:
        return FileVersion(path, mode, blob, None, f"submodule at {blob[:10]}, not looked into")
    if mode == _LINK:
        target = (read.data or b"").decode("utf-8", "surrogateescape")
        return FileVersion(path, mode, blob, None, f"symbolic link to {target}")
    if read.size < 0:
        return FileVersion(path, mode, blob, None, missing=True)
    if read.data is None:
        return FileVersion(path, mode, blob, None, _too_large(read.size))
    return FileVersion(path, mode, blob, read.data)


def _too_large(size: int) -> str:
    return f"{size >> 20} MiB, not looked into"


def _wanted(change: RawChange) -> Iterator[str]:
    for mode, blob in ((change.old_mode, change.old_blob), (change.new_mode, change.new_blob)):
        if _is_read(mode, blob):
            yield blob


def _is_read(mode: int, blob: str) -> bool:
    return bool(blob) and mode != _SUBMODULE


def _with_renames(git: Git, compared: Comparison, opener: Opener) -> Sequence[RawChange]:
    """Join a file that is gone and one that came where they are the same; git sees it only where the text is alike."""
    changes = compared.changes
    removed = [change for change in changes if not change.new_path]
    added = [change for change in changes if not change.old_path]
    if not removed or not added:
        return changes
    old_traits = [trait(old, opener) for old, _ in versions_of(git, removed, compared.top) if old is not None]
    new_traits = [trait(new, opener) for _, new in versions_of(git, added, compared.top) if new is not None]
    partners = pair(old_traits, new_traits)
    gone = {removed[index] for index in partners.values()}
    joined = {
        added[index]: removed[partner]._replace(
            new_path=added[index].new_path, new_mode=added[index].new_mode, new_blob=added[index].new_blob
        )
        for index, partner in partners.items()
    }
    return [joined.get(change, change) for change in changes if change not in gone]


def _merge_base(git: Git, base: Snapshot, new: Snapshot) -> str:
    ancestor = git.merge_base(base.commit, new.commit)
    if not ancestor:
        raise _no_common_history(base, new)
    return ancestor


def _from_merge_base(git: Git, base: Snapshot, new: Snapshot, ancestor: str, paths: Sequence[str]) -> Comparison:
    changes = git.differences((ancestor, new.commit), paths)
    return Comparison(Range(base, new, from_merge_base=True, merge_base=ancestor), changes)


def _since_merge_base(git: Git, base: Snapshot, new: Snapshot, paths: Sequence[str]) -> Sequence[RawChange]:
    try:
        return git.differences((f"{base.commit}...{new.commit}",), paths)
    except GitError as error:
        if "merge base" not in error.complaint:
            raise
    raise _no_common_history(base, new)


def _no_common_history(one: Snapshot, other: Snapshot) -> UnknownRevision:
    return UnknownRevision(f"{visible(one.label)} and {visible(other.label)} have no common history", hint=_SHALLOW)


def _default_branch(git: Git) -> Snapshot | None:
    for name in _DEFAULTS:
        commit = git.commit(name)
        if not commit:
            continue
        better = name
        if name == _DEFAULTS[0]:
            better = next((other for other in _BETTER_NAMES if git.commit(other) == commit), name)
        return Snapshot(better.removeprefix("refs/heads/").removeprefix("refs/remotes/"), commit)
    return None


def _named(git: Git, name: str) -> Snapshot:
    commit = git.commit(name)
    if commit:
        return Snapshot(name, commit)
    if not name.startswith("-"):
        # What a reviewer calls a branch is often only on the remote.
        remote = f"origin/{name}"
        commit = git.commit(remote)
        if commit:
            return Snapshot(remote, commit)
    hint = 'to name a file, put "--" before it' if os.path.lexists(name) else "git fetch may bring it"
    raise UnknownRevision(f"{visible(name)} is no branch, tag or commit here", hint=hint)
