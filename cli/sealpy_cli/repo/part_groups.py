"""Which of the files that differ are parts of another, and which parts stay as they are beside a file that differs.

A file and its parts are one object, so whoever looks at one of them needs all.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from sealpy import part_folder
from sealpy_cli.repo.git import Git, RawChange

_KIND, _FOLDER = 0o170000, 0o040000


class Group(NamedTuple):
    """A file that differs, or of whose parts one does; ``differs`` is false where it is only read along with them."""

    file: RawChange
    parts: Sequence[tuple[RawChange, bool]] = ()
    """Each with whether it differs."""
    differs: bool = True


class _Tree:
    """What does not differ: the files of a commit. Without a commit there are none."""

    def __init__(self, git: Git, commit: str) -> None:
        self._git = git
        self._commit = commit
        self._folders: dict[bytes, dict[bytes, tuple[int, str]]] = {}

    def folder(self, path: bytes) -> Mapping[bytes, tuple[int, str]]:
        if path not in self._folders:
            self._folders[path] = self._git.folder(self._commit, path) if self._commit else {}
        return self._folders[path]

    def entry(self, path: bytes) -> tuple[int, str] | None:
        above, _, name = path.rpartition(b"/")
        return self.folder(above).get(name)

    def unchanged(self, path: bytes) -> RawChange:
        mode, blob = self.entry(path) or (0, "")
        return RawChange(path, path, mode, mode, blob, blob)


def grouped(git: Git, changes: Sequence[RawChange], commit: str) -> list[Group]:
    """Bring what may be parts together with their files, in the order of the files; ``commit`` has what is unchanged."""
    tree = _Tree(git, commit)
    changes = [one for change in changes for one in _split(change, changes, tree)]
    files = {change.old_path: change for change in changes} | {change.new_path: change for change in changes}
    parts: dict[bytes, list[RawChange]] = {}
    for change in changes:
        base = _base_of(change.new_path or change.old_path, files, tree)
        if base:
            file = files.get(base)
            parts.setdefault(base if file is None else file.new_path or file.old_path, []).append(change)
    of_parts = {id(part) for several in parts.values() for part in several}
    groups = [
        _group(change, parts.pop(change.new_path or change.old_path, ()), files, tree, differs=True)
        for change in changes
        if id(change) not in of_parts
    ]
    groups += [_group(tree.unchanged(base), several, files, tree, differs=False) for base, several in parts.items()]
    return sorted(groups, key=lambda group: group.file.new_path or group.file.old_path)


def _group(
    file: RawChange, parts: Sequence[RawChange], files: Mapping[bytes, RawChange], tree: _Tree, *, differs: bool
) -> Group:
    beside = [(tree.unchanged(path), False) for path in _beside(file, tree) if path not in files]
    return Group(file, [*((part, True) for part in parts), *beside], differs)


def _beside(file: RawChange, tree: _Tree) -> Iterator[bytes]:
    """Return what the commit has in the place of a file's parts, under its old name and its new one."""
    for base in dict.fromkeys((file.old_path, file.new_path)):
        folder = part_folder.folder_of(os.fsdecode(base))
        place = os.fsencode(folder or "")
        entry = tree.entry(place) if folder else None
        if entry is None:
            continue
        if entry[0] & _KIND != _FOLDER:
            yield place
            continue
        for name, (mode, _) in tree.folder(place).items():
            path = place + b"/" + name
            if mode & _KIND != _FOLDER and part_folder.base_of(os.fsdecode(path)) == os.fsdecode(base):
                yield path


def _split(change: RawChange, changes: Sequence[RawChange], tree: _Tree) -> Iterator[RawChange]:
    """Take a part that moved to another file, or away, for one that goes and one that comes."""
    old_path, new_path = change.old_path, change.new_path
    if not old_path or not new_path or old_path == new_path:
        yield change
        return
    files = {path: one for one in changes for path in (one.old_path, one.new_path)}
    old, new = (_base_of(path, files, tree) for path in (old_path, new_path))
    if old == new or (old in files and files[old].new_path == new):
        yield change
        return
    yield change._replace(new_path=b"", new_mode=0, new_blob="")
    yield change._replace(old_path=b"", old_mode=0, old_blob="")


def _base_of(path: bytes, files: Mapping[bytes, RawChange], tree: _Tree) -> bytes:
    """Return the file that this is a part of, or in the place of whose parts it stands; empty if there is none."""
    text = os.fsdecode(path)
    own = part_folder.base_of(text)
    for base in part_folder.bases_of(text) if own is None else [own]:
        name = os.fsencode(base)
        if name in files or tree.entry(name) is not None:
            return name
    return b""
