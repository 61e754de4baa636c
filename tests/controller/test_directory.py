"""The folder that secrets are served from: what is written, what is noticed, and what a crash leaves."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from stat import S_IMODE

import pytest

from sealpy.errors import SourceError
from sealpy.secret import Secret
from sealpy_controller.directory import Directory
from sealpy_controller.objects import Object, Running

DB = Object("prod", "Secret", "db")


def _digest(each: Object, key: str, content: bytes) -> str:
    return f"{each.name}/{key}={content.decode()}"


def _values(**values: str) -> dict[str, Secret[bytes]]:
    return {key: Secret(value.encode()) for key, value in values.items()}


@pytest.fixture
def target(tmp_path: Path) -> Directory:
    directory = Directory(str(tmp_path / "target"))
    directory.make()
    directory.write(DB, _values(user="admin", password="hunter2"))
    return directory


def _state(target: Directory) -> Running | None:
    return target.observe([DB], _digest).get(DB)


IN_ORDER = Running({"password": "db/password=hunter2", "user": "db/user=admin"})


def test_an_object_is_a_folder_of_links_to_files_that_only_the_owner_reads(target: Directory) -> None:
    folder = Path(target.path, "prod/secrets/db")
    content = folder / os.readlink(folder / "..data")

    assert sorted(os.listdir(folder)) == sorted(["..data", content.name, "password", "user"])
    assert os.readlink(folder / "password") == "..data/password"
    assert (folder / "password").read_text() == "hunter2"
    assert S_IMODE((content / "password").stat().st_mode) == 0o600
    for each in (content, folder, folder.parent, folder.parent.parent, folder.parent.parent.parent):
        assert S_IMODE(each.stat().st_mode) == 0o700
    assert _state(target) == IN_ORDER


@pytest.mark.parametrize("umask", [0o000, 0o777])
def test_the_umask_has_no_say(tmp_path: Path, umask: int) -> None:
    directory = Directory(str(tmp_path / "target"))
    directory.make()
    before = os.umask(umask)
    try:
        directory.write(DB, _values(user="admin", password="hunter2"))
    finally:
        os.umask(before)

    assert _state(directory) == IN_ORDER


def test_a_config_map_of_the_same_name_lies_elsewhere(target: Directory) -> None:
    target.write(Object("prod", "ConfigMap", "db"), _values(level="info"))

    assert Path(target.path, "prod/configmaps/db/level").read_text() == "info"
    assert _state(target) == IN_ORDER


def test_an_object_without_keys_is_there_all_the_same(target: Directory) -> None:
    target.write(DB, {})

    assert _state(target) == Running({})


def test_an_update_leaves_nothing_of_the_old_content(target: Directory) -> None:
    target.write(DB, _values(password="hunter3", url="x"))

    folder = Path(target.path, "prod/secrets/db")
    assert {path.name: path.read_text() for path in folder.glob("[!.]*")} == {"password": "hunter3", "url": "x"}
    assert len(list(folder.glob("..2*"))) == 1
    assert not any(b"hunter2" in path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_what_was_removed_takes_the_empty_folders_above_it_along(target: Directory) -> None:
    other = Object("prod", "ConfigMap", "db")
    target.write(other, _values(level="info"))

    target.remove(DB)
    assert os.listdir(Path(target.path, "prod")) == ["configmaps"]

    target.remove(other)
    assert os.listdir(target.path) == []


def _replace_by_file(path: Path) -> None:
    path.unlink()
    path.write_text("hunter2")
    path.chmod(0o600)


def _replace_by_folder(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    path.mkdir()


def _replace_by_link(path: Path, to: str) -> None:
    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    path.symlink_to(to)


def _move_away(path: Path) -> None:
    elsewhere = next(folder for folder in path.parents if folder.name == "target").parent / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


DRIFT: dict[str, Callable[[Path], object]] = {
    "a value changed": lambda f: (f / "password").write_text("evil"),
    "a value replaced": lambda f: _replace_by_file(f / "password"),
    "a file added": lambda f: (f / "extra").write_text("x"),
    "a file added to the content": lambda f: (f / "..data" / "extra").write_text("x"),
    "a file removed": lambda f: (f / "..data" / "password").unlink(),
    "a link removed": lambda f: (f / "password").unlink(),
    "a link led elsewhere": lambda f: _replace_by_link(f / "password", "/etc/passwd"),
    "a link added": lambda f: (f / "extra").symlink_to("..data/password"),
    "a link became a folder": lambda f: _replace_by_folder(f / "password"),
    "a file became a link": lambda f: _replace_by_link(f / "..data" / "password", "/etc/hostname"),
    "a file became a pipe": lambda f: ((f / "..data" / "password").unlink(), os.mkfifo(f / "..data" / "password")),
    "a file became a folder": lambda f: _replace_by_folder(f / "..data" / "password"),
    "a file far too large": lambda f: os.truncate(f / "password", 2**33),
    "a file readable by all": lambda f: (f / "..data" / "password").chmod(0o644),
    "a file executable": lambda f: (f / "..data" / "password").chmod(0o700),
    "the content readable by all": lambda f: (f / os.readlink(f / "..data")).chmod(0o755),
    "the folder readable by all": lambda f: f.chmod(0o755),
    "..data removed": lambda f: (f / "..data").unlink(),
    "..data led elsewhere": lambda f: _replace_by_link(f / "..data", "/etc"),
    "..data led nowhere": lambda f: _replace_by_link(f / "..data", "..2026_01_01_00_00_00.0123456789abcdef"),
    "..data became a folder": lambda f: _replace_by_folder(f / "..data"),
    "the content removed": lambda f: shutil.rmtree(f / os.readlink(f / "..data")),
    "the object removed": shutil.rmtree,
    "the object became a file": lambda f: (shutil.rmtree(f), f.write_text("x")),
    "the object became a link": _move_away,
    "its kind's folder became a link": lambda f: _move_away(f.parent),
    "its namespace became a link": lambda f: _move_away(f.parent.parent),
    "its namespace became a file": lambda f: (shutil.rmtree(f.parent.parent), f.parent.parent.write_text("x")),
    "all removed": lambda f: shutil.rmtree(f.parent.parent),
}


@pytest.mark.parametrize("change", DRIFT.values(), ids=DRIFT)
def test_every_kind_of_drift_is_seen_and_put_back(target: Directory, change: Callable[[Path], object]) -> None:
    change(Path(target.path, "prod/secrets/db"))
    assert _state(target) != IN_ORDER

    target.write(DB, _values(user="admin", password="hunter2"))

    assert _state(target) == IN_ORDER
    assert len(os.listdir(Path(target.path, "prod/secrets/db"))) == 4
    assert len(os.listdir(Path(target.path, "prod/secrets"))) == 1


def test_no_link_is_followed_to_what_lies_elsewhere(target: Directory, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "secrets/db").mkdir(parents=True)
    (elsewhere / "secrets/db/precious").write_text("x")
    _replace_by_link(Path(target.path, "prod"), str(elsewhere))

    assert _state(target) == Running({}, ("a folder above it was replaced",))
    target.write(DB, _values(user="admin", password="hunter2"))

    assert [path.name for path in (elsewhere / "secrets/db").iterdir()] == ["precious"]
    assert _state(target) == IN_ORDER


def test_a_reader_never_sees_old_and_new_keys_together(target: Directory) -> None:
    generations = [
        _values(password="one", user="one", only_one="one"),
        _values(password="two", user="two", only_two="two"),
    ]
    target.write(DB, generations[0])
    done = threading.Event()
    seen: list[dict[str, str]] = []

    def read() -> None:
        folder = os.path.join(target.path, "prod/secrets/db/..data")
        while not done.is_set():
            try:
                content = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            except FileNotFoundError:
                # Between reading the link and following it; who watches starts over.
                continue
            try:
                found = {}
                for key in os.listdir(content):
                    descriptor = os.open(key, os.O_RDONLY, dir_fd=content)
                    found[key] = os.read(descriptor, 100).decode()
                    os.close(descriptor)
                if len(found) == 3:
                    seen.append(found)
            except FileNotFoundError:
                pass
            finally:
                os.close(content)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for number in range(100):
            target.write(DB, generations[number % 2])
    finally:
        done.set()
        reader.join()

    assert {frozenset(found.values()) for found in seen} == {frozenset({"one"}), frozenset({"two"})}
    assert all((found.keys() == generations[0].keys()) == ("one" in found.values()) for found in seen)


CRASH = """
import os, sys
from sealpy.secret import Secret
from sealpy_controller import directory
from sealpy_controller.objects import Object

path, verb = sys.argv[1:]
DB = Object("prod", "Secret", "db")
target = directory.Directory(path)
left = 0

def dying(real):
    def call(*words, **options):
        global left
        left -= 1
        if left < 0:
            os._exit(9)
        return real(*words, **options)
    return call

for name in ("open", "mkdir", "chmod", "fchmod", "symlink", "rename", "unlink", "rmdir", "fsync"):
    setattr(os, name, dying(getattr(os, name)))

step = 0
while True:
    step += 1
    child = os.fork()
    if not child:
        left = step
        if verb == "remove":
            target.remove(DB)
        else:
            target.write(DB, {"password": Secret(b"new"), "url": Secret(b"new")})
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(step, code, flush=True)
    sys.stdin.readline()
    if code != 9:
        sys.exit(code)
"""


@pytest.mark.parametrize("verb", ["create", "update", "remove"])
def test_killed_at_any_point_it_leaves_the_old_or_the_new_and_the_next_run_tidies_up(tmp_path: Path, verb: str) -> None:
    target = Directory(str(tmp_path / "target"))
    target.make()
    old = None if verb == "create" else Running({"password": "db/password=old", "user": "db/user=old"})
    new = None if verb == "remove" else Running({"password": "db/password=new", "url": "db/url=new"})

    def start_over() -> None:
        shutil.rmtree(Path(target.path, "prod"), ignore_errors=True)
        if old:
            target.write(DB, _values(user="old", password="old"))

    start_over()
    process = subprocess.Popen(
        [sys.executable, "-c", CRASH, target.path, verb], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin
    assert process.stdout
    steps = 0
    outcomes = []
    for line in process.stdout:
        steps += 1
        killed = line.split()[1] == "9"
        state = _state(target)
        # What each link leads to is of one generation, whatever links there are.
        outcomes.append(
            None if state is None else frozenset(digest.partition("=")[2] for digest in state.digests.values())
        )
        target.sweep([DB])
        rests = [
            path for path in Path(target.path).rglob("..*") if path.name.startswith(("..new", "..old", "..data_tmp"))
        ]
        assert rests == []
        folders = list(Path(target.path).glob("prod/secrets/db/..2*"))
        assert len(folders) == (0 if _state(target) is None else 1)
        if verb == "remove":
            assert _state(target) in (old, None)
        else:
            target.write(DB, _values(password="new", url="new"))
            assert _state(target) == new
        if killed:
            start_over()
        process.stdin.write("\n")
        process.stdin.flush()
    process.stdin.close()
    process.stdout.close()

    assert process.wait(timeout=30) == 0
    assert steps > 8
    expected = {None if old is None else frozenset({"old"}), None if new is None else frozenset({"new"})}
    assert set(outcomes) == expected


def test_a_full_disk_leaves_the_old_content(target: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SourceError) as caught:
        target.write(DB, _values(user="new", password="new"))
    monkeypatch.undo()

    assert caught.value.message == "Secret prod/db: no space left on device"
    assert caught.value.__context__ is None
    assert _state(target) == IN_ORDER
    assert len(list(Path(target.path, "prod/secrets/db").glob("..2*"))) == 1


def test_a_disk_is_told_from_memory(tmp_path: Path) -> None:
    shared = Path("/dev/shm")
    if not shared.is_mount():
        pytest.skip("there is no /dev/shm here")

    assert not Directory(str(shared / "not" / "made" / "yet")).on_disk()
    assert not Directory(str(shared)).on_disk()
    assert Directory("/").on_disk()
