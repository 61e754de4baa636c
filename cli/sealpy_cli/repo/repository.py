"""The files of a repository with the rules for them: as they stand in the worktree, or as they are staged.

Outside of a repository it is the files of a folder. Names of files are relative to the top, with slashes.
"""

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from sealpy import config_file, files, part_folder, rules
from sealpy.checking.files import may_matter
from sealpy.errors import NoMatchingRule, NoSuchFile, RuleError, SourceError
from sealpy.project import NAME as PROJECT_FILE
from sealpy.rules import CreationRule, Rules
from sealpy_cli import many
from sealpy_cli.repo.git import Git, GitError

LIMIT = files.MAX_BYTES

# Read by kustomize itself, so never encrypted, whatever a rule covers; sops' own configuration likewise.
_NEVER = frozenset((config_file.NAME, PROJECT_FILE, "kustomization.yaml", "kustomization.yml", "Kustomization"))
_CONFIGURATION = os.fsencode(config_file.NAME)
_REGULAR, _KIND_OF_FILE = 0o100000, 0o170000
_VERSIONS = 50
"""How many commits of a file are looked through for what it was before."""


class Entry(NamedTuple):
    """A file to look at: ``ruled``: there is a configuration above it, ``hidden``: in which a mistake hides its rule.

    ``blob`` is its content in the index; empty: it is read from the worktree. ``bystander``: the next commit leaves it
    as it is, and changes a configuration.
    """

    name: str
    rule: CreationRule | None
    ruled: bool
    hidden: bool
    blob: str = ""
    bystander: bool = False


class Configuration(NamedTuple):
    """A ``.sops.yaml``: its path, what people call it, and its rules, or why it cannot be read."""

    path: str
    shown: str
    rules: Rules | None
    fault: RuleError | None = None


class Repository:
    """One worktree or folder; git is asked as seldom as can be."""

    def __init__(self, git: Git | None, top: str, *, staged: bool = False) -> None:
        self.top = top
        self._git = git
        # Another process than the one that is just giving out the files, one after another.
        self._history = None if git is None else Git(top)
        self._staged = staged
        self._configurations: dict[str, Configuration | None] = {}
        self._of_folder: dict[str, Configuration | None] = {}
        self._changed: dict[str, str] = {}
        self.displaced: list[str] = []
        """Where the next commit has no regular file any more, or a link instead."""

    def close(self) -> None:
        """End the process that was asked for history."""
        if self._history is not None:
            self._history.__exit__(None, None, None)

    @property
    def configurations(self) -> Sequence[Configuration]:
        """Every configuration that a file was looked up in so far."""
        return [one for one in self._configurations.values() if one is not None]

    @property
    def is_git(self) -> bool:
        """Whether git knows this folder."""
        return self._git is not None

    def entries(self, paths: Sequence[str]) -> Iterator[Entry]:
        """Return the files below ``paths``, or all, that can be wrong or have a rule.

        Raises:
            Stop: there is no such file.
            SourceError: git fails.
        """
        bystanders: set[str] = set()
        for name, blob in self._staged_files(bystanders) if self._staged else self._files(paths):
            base = name.rpartition("/")[2]
            if base in _NEVER:
                continue
            configuration = self.configuration_for(name)
            rule, hidden = self._rule(name, configuration)
            if may_matter(name, rule):
                ruled = configuration is not None and configuration.fault is None
                yield Entry(name, rule, ruled, hidden, blob, name in bystanders)

    def contents(self, entries: Iterable[Entry]) -> Iterator[tuple[Entry, bytes | SourceError]]:
        """Read files one after another, or tell why one cannot be read. What is gone, or no file, is left out."""
        if self._staged and self._git is not None:
            waiting = list(entries)
            blobs = self._git.blobs((entry.blob for entry in waiting), LIMIT)
            for entry, blob in zip(waiting, blobs, strict=True):
                yield entry, SourceError("it is too large, or missing") if blob.data is None else blob.data
            return
        for entry in entries:
            path = os.path.join(self.top, entry.name)
            try:
                status = os.lstat(path)
            except OSError:
                continue
            if stat.S_ISREG(status.st_mode):
                data: bytes | SourceError
                try:
                    data = files.read(path, LIMIT)
                except SourceError as error:
                    data = SourceError(error.message.removeprefix(f"{path}: "))
                yield entry, data

    def read(self, name: str) -> bytes | None:
        """Return one file as it stands in the worktree or is staged; None where there is none."""
        if self._history is not None and self._staged:
            return next(self._history.blobs([f":{name}"], LIMIT)).data if name.isprintable() else None
        try:
            return files.read(os.path.join(self.top, name), LIMIT)
        except NoSuchFile:
            return None

    def parts_of(self, base: str) -> list[str]:
        """Return the names of a file's parts; of those, what is not staged has nothing to read."""
        return [self.shown(path) for path in part_folder.beside(os.path.join(self.top, base))]

    def configuration_for(self, name: str) -> Configuration | None:
        """Return the nearest configuration above a file."""
        folder = os.path.dirname(os.path.join(self.top, name))
        if folder not in self._of_folder:
            path = config_file.find(folder, self._exists).path
            if path is not None and path not in self._configurations:
                self._configurations[path] = self._load(path)
            self._of_folder[folder] = None if path is None else self._configurations[path]
        return self._of_folder[folder]

    def rule_for(self, name: str, configuration: Configuration | None) -> CreationRule | None:
        """Return the rule of a file; None also where a mistake in the configuration hides it."""
        return self._rule(name, configuration)[0]

    def _rule(self, name: str, configuration: Configuration | None) -> tuple[CreationRule | None, bool]:
        """Return the rule of a file, and whether a mistake hides it."""
        if configuration is None or configuration.rules is None:
            return None, configuration is not None
        base = part_folder.base_of(name)
        if base is not None and not os.path.exists(os.path.join(self.top, base)):
            base = None
        # A part belongs to its base, also where a pattern names the base alone.
        for candidate in (name,) if base is None else (name, base):
            try:
                path = config_file.path_in(configuration.path, os.path.join(self.top, candidate))
                return configuration.rules.match(path), False
            except NoMatchingRule:
                continue
            except RuleError:
                return None, True
        return None, False

    def changed(self, name: str) -> bool:
        """Tell whether a file differs from HEAD; of no repository, no file does."""
        return name in self._changed

    def earlier(self, name: str) -> Iterator[bytes]:
        """Return the committed versions of a file, latest first."""
        return (data for _, data in self.versions(name))

    def versions(self, name: str) -> Iterator[tuple[str, bytes]]:
        """Return the committed versions of a file, latest first, and a commit that has it."""
        if self._history is None or not name.isprintable():
            return
        blob = self._changed.get(name)
        versions = [("HEAD", blob)] if blob else []
        versions += [(commit, f"{commit}:{name}") for commit in self._history.commits(name, _VERSIONS)]
        for commit, version in versions:
            # One by one: whoever asks stops at the first that tells enough.
            data = next(self._history.blobs([version], LIMIT)).data
            if data is not None:
                yield commit, data

    def shown(self, path: str) -> str:
        """Return what a file of the repository is called in findings."""
        return os.path.relpath(path, self.top).replace(os.sep, "/")

    def _staged_files(self, bystanders: set[str]) -> Iterator[tuple[str, str]]:
        """Return what is staged; with a configuration also all other files, which become ``bystanders``."""
        if self._git is None:
            raise SourceError("nothing is staged here: this is no git repository")
        changes = self._git.differences(("--cached",))
        if any(os.path.basename(path) == _CONFIGURATION for one in changes for path in (one.old_path, one.new_path)):
            staged = {change.new_path for change in changes}
            for path, blob in self._git.index():
                if path not in staged:
                    bystanders.add(os.fsdecode(path))
                    yield os.fsdecode(path), blob
        for change in changes:
            if change.old_path != change.new_path or change.new_mode & _KIND_OF_FILE != _REGULAR:
                self.displaced.append(os.fsdecode(change.old_path or change.new_path))
            if change.new_path and change.new_mode & _KIND_OF_FILE == _REGULAR:
                name = os.fsdecode(change.new_path)
                if change.old_blob:
                    self._changed[name] = change.old_blob
                yield name, change.new_blob

    def _files(self, paths: Sequence[str]) -> Iterator[tuple[str, str]]:
        # A file and its parts are one thing, so who asks about it asks about them.
        paths = [each for path in paths for each in (path, *part_folder.beside(path))]
        if self._git is None:
            found = many.find(paths or [self.top], recursive=True)
            yield from ((self.shown(os.path.abspath(item.path)), "") for item in found)
            return
        names = self._below(paths)
        if self._git.commit("HEAD"):
            for change in self._git.differences(("HEAD",)):
                if change.old_blob and change.new_path:
                    self._changed[os.fsdecode(change.new_path)] = change.old_blob
        yield from ((name, "") for name in names)

    def _below(self, paths: Sequence[str]) -> list[str]:
        """Return what git knows, and what it could: ignored files only where they are named."""
        if self._git is None:
            return []
        named, folders = [], []
        for path in paths:
            real = os.path.join(os.path.realpath(os.path.dirname(os.path.abspath(path))), os.path.basename(path))
            if os.path.isdir(path):
                folders.append(self.shown(os.path.realpath(path)))
            elif os.path.lexists(path):
                named.append(self.shown(real))
            else:
                raise SourceError(f"{path}: no such file or folder")
        listed = self._git.files(folders) if folders or not paths else []
        return list(dict.fromkeys((*named, *map(os.fsdecode, listed))))

    def _exists(self, path: str) -> bool:
        return self._index(path) is not None or os.path.exists(path)

    def _load(self, path: str) -> Configuration:
        shown = self.shown(path)
        try:
            data = self._index(path)
            if data is None:
                return Configuration(path, shown, config_file.load(path))
            return Configuration(path, shown, rules.parse(data.decode("utf-8"), path))
        except UnicodeDecodeError:
            fault = RuleError(f"{path}: not UTF-8")
        except SourceError as error:
            fault = RuleError(f"it cannot be read: {error.message}", hint=error.hint)
        except RuleError as error:
            fault = error
        return Configuration(path, shown, None, fault)

    def _index(self, path: str) -> bytes | None:
        """Return what is staged of a configuration file; it is the one that the next commit has."""
        if not self._staged or self._git is None:
            return None
        name = self.shown(path)
        if name.startswith("../") or not name.isprintable():
            return None
        return next(self._git.blobs([f":{name}"], LIMIT)).data


def at(folder: str, git: Git) -> tuple[str, bool]:
    """Return the top of the worktree that a folder is in, and True; outside of one the folder itself, and False.

    Raises:
        GitError: git knows the folder, and does not want to tell.
    """
    try:
        return git.top(), True
    except GitError as error:
        if "not a git repository" not in error.complaint and "work tree" not in error.complaint:
            raise
    except SourceError:
        pass  # no git on this machine
    return folder, False
