"""A folder as the target: ``DIR/<namespace>/<secrets|configmaps>/<name>/<key>``, one file for each key.

An object is swapped as the kubelet swaps the volumes of a pod:

    name/..2026_11_21_10_04_05.8f3c…/password     the content, in a folder of its own
    name/..data -> ..2026_11_21_10_04_05.8f3c…    renamed over the old link: all keys change at once
    name/password -> ..data/password

A new object is built under another name and renamed into place; one that goes is renamed away first. Whoever is
killed in the middle leaves the old state or the new one, and rests with names that only this module gives, which
``sweep`` removes. Files are 0600, folders 0700, and no link on the way to them is followed.
"""

import os
import re
import shutil
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from stat import S_IMODE, S_ISDIR, S_ISREG
from typing import TypeVar

from sealpy.errors import SourceError
from sealpy.secret import Secret
from sealpy_controller.objects import Object, Running

T = TypeVar("T")

Digest = Callable[[Object, str, bytes], str]
"""From an object, a key and its content to a digest."""

_KIND_FOLDERS = {"Secret": "secrets", "ConfigMap": "configmaps"}
_DATA = "..data"
_NEW_DATA = "..data_tmp"
_CONTENT = re.compile(r"\.\.\d{4}(?:_\d\d){5}\.[0-9a-f]{16}")
_REST = re.compile(r"\.\.(?:new|old)\.[0-9a-f]{16}")
_FILE_MODE, _FOLDER_MODE = 0o600, 0o700
_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# A pipe that somebody put there must not make us wait.
_READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_WRITE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_MOST = 8 * 2**20
"""The largest file that is read; no value is larger."""


class Directory:
    """The folder that running secrets are served from."""

    def __init__(self, path: str) -> None:
        self.path = os.path.realpath(path)

    def make(self) -> None:
        """Make the folder if it is not there.

        Raises:
            SourceError: it cannot be made, or is something else.
        """
        problem = None
        try:
            os.makedirs(self.path, mode=_FOLDER_MODE, exist_ok=True)
        except OSError as error:
            problem = (error.strerror or "it cannot be made").lower()
        if problem:
            raise SourceError(f"{self.path}: {problem}", hint="--to takes a folder that you may write to")

    def on_disk(self) -> bool:
        """Tell whether what is written there ends up on a disk; False where that cannot be told."""
        best, kind = "", ""
        with suppress(OSError), open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as mounts:
            for line in mounts:
                about, _, rest = line.partition(" - ")
                point = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), about.split(" ")[4])
                # Of several on one place the last one is seen.
                if len(point) >= len(best) and f"{self.path}/".startswith(f"{point.rstrip('/')}/"):
                    best, kind = point, rest.split(" ")[0]
        return kind not in ("", "tmpfs", "ramfs")

    def observe(self, objects: Iterable[Object], digest: Digest) -> dict[Object, Running]:
        """Read what runs of these objects: names, modes, links and digests of the content."""
        found = {}
        for each in objects:
            running = self._observe(each, digest)
            if running is not None:
                found[each] = running
        return found

    def write(self, each: Object, values: Mapping[str, Secret[bytes]]) -> None:
        """Put an object there, or put it right, at once for all who read it.

        Raises:
            SourceError: it could not be written; what was there is still there, or the new one already is.
        """
        _told(each, lambda: self._write(each, values))

    def remove(self, each: Object) -> None:
        """Take an object away, at once for all who read it.

        Raises:
            SourceError
        """
        _told(each, lambda: self._remove(each))

    def sweep(self, objects: Collection[Object]) -> None:
        """Remove what a killed process left behind among these objects; nothing of it was in use."""
        # What is out of our reach is told when it is written.
        for each in {(each.namespace, each.kind): each for each in objects}.values():
            with suppress(OSError), self._kind_folder(each) as kind:
                for name in os.listdir(kind):
                    if _REST.fullmatch(name):
                        _remove(name, kind)
        for each in objects:
            with suppress(OSError), self._kind_folder(each) as kind, _opened(each.name, kind) as folder:
                current = _target(_DATA, folder)
                for name in os.listdir(folder):
                    if name == _NEW_DATA or (_CONTENT.fullmatch(name) and name != current):
                        _remove(name, folder)

    @contextmanager
    def _kind_folder(self, each: Object, *, make: bool = False) -> Iterator[int]:
        """Open the folder of all objects of one kind in one namespace, without following links on the way."""
        with (
            _opened(self.path) as root,
            _stepped(each.namespace, root, make=make) as namespace,
            _stepped(_KIND_FOLDERS[each.kind], namespace, make=make) as kind,
        ):
            yield kind

    def _observe(self, each: Object, digest: Digest) -> Running | None:
        try:
            with self._kind_folder(each) as kind:
                os.stat(each.name, dir_fd=kind, follow_symlinks=False)
                if not _is_folder(each.name, kind):
                    return Running({}, ("its folder was replaced",))
                with _opened(each.name, kind) as folder:
                    return _read(folder, lambda key, content: digest(each, key, content))
        except FileNotFoundError:
            return None
        except NotADirectoryError:
            return Running({}, ("a folder above it was replaced",))
        except OSError as error:
            return Running({}, (f"it cannot be read: {(error.strerror or '').lower()}",))

    def _write(self, each: Object, values: Mapping[str, Secret[bytes]]) -> None:
        with self._kind_folder(each, make=True) as kind:
            if _is_folder(each.name, kind):
                os.chmod(each.name, _FOLDER_MODE, dir_fd=kind)
                with _opened(each.name, kind) as folder:
                    _fill(folder, values)
                return
            _remove(each.name, kind)
            draft = f"..new.{os.urandom(8).hex()}"
            try:
                _make(draft, kind)
                with _opened(draft, kind) as folder:
                    _fill(folder, values)
                os.rename(draft, each.name, src_dir_fd=kind, dst_dir_fd=kind)
            except BaseException:
                _remove(draft, kind)
                raise
            os.fsync(kind)

    def _remove(self, each: Object) -> None:
        with self._kind_folder(each) as kind:
            away = f"..old.{os.urandom(8).hex()}"
            os.rename(each.name, away, src_dir_fd=kind, dst_dir_fd=kind)
            _remove(away, kind)
        # The folders above it, if it was the last one.
        with suppress(OSError), _opened(self.path) as root:
            os.rmdir(f"{each.namespace}/{_KIND_FOLDERS[each.kind]}", dir_fd=root)
            os.rmdir(each.namespace, dir_fd=root)


def _read(folder: int, digest: Callable[[str, bytes], str]) -> Running:
    """Read an object's folder, and say what is not as it was written."""
    damage = _wrong_mode("its folder", os.fstat(folder), _FOLDER_MODE)
    try:
        current = os.readlink(_DATA, dir_fd=folder)
    except OSError:
        return Running({}, (*damage, "its link ..data was replaced or removed"))
    if not _CONTENT.fullmatch(current):
        return Running({}, (*damage, "its link ..data points elsewhere"))
    try:
        with _opened(current, folder) as content:
            damage += _wrong_mode("the folder of its keys", os.fstat(content), _FOLDER_MODE)
            digests = {}
            for key in sorted(os.listdir(content)):
                data, wrong = _read_file(key, content)
                damage += wrong
                if data is not None:
                    digests[key] = digest(key, data)
    except (FileNotFoundError, NotADirectoryError):
        return Running({}, (*damage, "the folder of its keys was replaced or removed"))
    links = {name: f"{_DATA}/{name}" for name in digests} | {_DATA: current}
    for name in sorted({*os.listdir(folder), *links} - {current}):
        try:
            target = os.readlink(name, dir_fd=folder)
        except FileNotFoundError:
            damage.append(f"the link {name} was removed")
        except OSError:
            # Rests of a killed process are swept, not reverted.
            if not _CONTENT.fullmatch(name):
                damage.append(f"{name} was put there" if name not in links else f"the link {name} was replaced")
        else:
            if name != _NEW_DATA and target != links.get(name):
                damage.append(f"the link {name} was put there" if name not in links else f"the link {name} was changed")
    return Running(digests, tuple(damage))


def _read_file(key: str, content: int) -> tuple[bytes | None, list[str]]:
    try:
        descriptor = os.open(key, _READ_FLAGS, dir_fd=content)
    except OSError:
        return None, [f"{key} was replaced"]
    try:
        status = os.fstat(descriptor)
        if not S_ISREG(status.st_mode) or status.st_size > _MOST:
            return None, [f"{key} was replaced"]
        with open(descriptor, "rb", buffering=0, closefd=False) as file:
            return file.readall(), _wrong_mode(key, status, _FILE_MODE)
    finally:
        os.close(descriptor)


def _wrong_mode(what: str, status: os.stat_result, mode: int) -> list[str]:
    wrong = []
    if S_IMODE(status.st_mode) != mode:
        wrong.append(f"{what} had mode {S_IMODE(status.st_mode):04o} instead of {mode:04o}")
    if status.st_uid != os.geteuid():
        wrong.append(f"{what} belonged to somebody else")
    return wrong


def _fill(folder: int, values: Mapping[str, Secret[bytes]]) -> None:
    """Write all keys beside the old ones, then switch over, then tidy up."""
    current = f"..{time.strftime('%Y_%m_%d_%H_%M_%S', time.gmtime())}.{os.urandom(8).hex()}"
    try:
        _make(current, folder)
        with _opened(current, folder) as content:
            for key, value in values.items():
                _write_file(key, value, content)
            os.fsync(content)
        _link(current, _DATA, _NEW_DATA, folder)
    except BaseException:
        # Unless it is in use already.
        if _target(_DATA, folder) != current:
            _remove(_NEW_DATA, folder)
            _remove(current, folder)
        raise
    for key in values:
        if _target(key, folder) != f"{_DATA}/{key}":
            _link(f"{_DATA}/{key}", key, _NEW_DATA, folder)
    for name in os.listdir(folder):
        if name not in values and name not in (_DATA, current):
            _remove(name, folder)
    os.fsync(folder)


def _write_file(key: str, value: Secret[bytes], content: int) -> None:
    descriptor = os.open(key, _WRITE_FLAGS, _FILE_MODE, dir_fd=content)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, _FILE_MODE)
        file.write(value.expose())
        file.flush()
        # Else a crash of the machine may leave the new name with nothing behind it.
        os.fsync(descriptor)


def _link(target: str, name: str, draft: str, folder: int) -> None:
    """Make a link, or put it in the place of what has its name."""
    _remove(draft, folder)
    os.symlink(target, draft, dir_fd=folder)
    if _is_folder(name, folder):
        _remove(name, folder)
    os.rename(draft, name, src_dir_fd=folder, dst_dir_fd=folder)


def _make(name: str, parent: int) -> None:
    os.mkdir(name, _FOLDER_MODE, dir_fd=parent)
    os.chmod(name, _FOLDER_MODE, dir_fd=parent)


def _remove(name: str, parent: int) -> None:
    """Remove whatever has a name, if anything has; a link itself, never what it points to."""
    if _is_folder(name, parent):
        shutil.rmtree(name, dir_fd=parent)
    else:
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=parent)


def _target(name: str, parent: int) -> str | None:
    try:
        return os.readlink(name, dir_fd=parent)
    except OSError:
        return None


def _is_folder(name: str, parent: int) -> bool:
    try:
        return S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return False


@contextmanager
def _opened(name: str, parent: int | None = None) -> Iterator[int]:
    descriptor = os.open(name, _FOLDER_FLAGS, dir_fd=parent)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _stepped(name: str, parent: int, *, make: bool) -> Iterator[int]:
    """Open a folder one step down. To make it, what stands in the way is removed: it was put where we serve from."""
    if make and not _is_folder(name, parent):
        _remove(name, parent)
        _make(name, parent)
    with _opened(name, parent) as descriptor:
        yield descriptor


def _told(each: Object, work: Callable[[], T]) -> T:
    """Turn what the system complains about into an error that names the object."""
    try:
        return work()
    except OSError as error:
        problem = (error.strerror or "input or output error").lower()
    raise SourceError(f"{each}: {problem}")
