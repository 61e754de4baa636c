"""Files are read within limits and replaced whole, whatever gets in the way."""

import os
import resource
import signal
import stat
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sealpy import files
from sealpy.errors import NoSuchFile, Refused, SealpyError, SourceError

NOBODY = 65534


def python(code: str, *arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    """Run a program of its own that has ``files`` and prints the class and text of a sealpy error."""
    body = textwrap.indent(textwrap.dedent(code), "    ")
    program = f"import os, sys\nfrom sealpy import errors, files\ntry:\n{body}\nexcept errors.SealpyError as error:\n"
    program += "    assert error.__cause__ is None and error.__context__ is None\n"
    program += "    print(type(error).__name__, error, sep=': ')\n"
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, **options)


def unprivileged(code: str, *arguments: object) -> str:
    """Run as somebody who is not root: root may write everywhere, and would prove nothing."""
    # Everything is imported first: the interpreter itself may be out of reach for nobody.
    become = "import fcntl, time\n"
    if os.geteuid() == 0:
        become += f"os.setgroups([])\nos.setresgid(*[{NOBODY}] * 3)\nos.setresuid(*[{NOBODY}] * 3)\n"
    return python(become + "assert os.geteuid() != 0\n" + code, *arguments).stdout.strip()


@pytest.fixture
def folder() -> Iterator[Path]:
    """Make a folder that anybody may enter and write to; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o777)
        yield path


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# Reading


def test_a_file_is_read_whole(folder):
    (folder / "a").write_bytes(b"one\ntwo\xff")

    assert files.read(str(folder / "a")) == b"one\ntwo\xff"


def test_an_empty_file_is_read(folder):
    (folder / "a").touch()

    assert files.read(str(folder / "a")) == b""


def test_links_are_followed_for_reading(folder):
    (folder / "a").write_bytes(b"one")
    (folder / "link").symlink_to("a")

    assert files.read(str(folder / "link")) == b"one"


def test_a_file_as_large_as_the_limit_is_read_and_a_larger_one_is_not(folder):
    (folder / "a").write_bytes(b"x" * 1000)

    assert files.read(str(folder / "a"), limit=1000) == b"x" * 1000
    with pytest.raises(SourceError, match=r"larger than 999 bytes"):
        files.read(str(folder / "a"), limit=999)


def test_a_device_without_end_stops_at_the_limit():
    with pytest.raises(SourceError, match=r"/dev/zero: larger than 2 MiB"):
        files.read("/dev/zero", limit=2 * 2**20)


def test_a_pipe_is_read_to_its_end(folder):
    os.mkfifo(folder / "pipe")
    writer = threading.Thread(target=(folder / "pipe").write_bytes, args=(b"y" * 3_000_000,))
    writer.start()

    assert files.read(str(folder / "pipe")) == b"y" * 3_000_000
    writer.join()


def test_standard_input_is_read_to_its_end():
    run = python("print(len(files.read_stdin()))", input="x" * 3_000_000)

    assert run.stdout == "3000000\n"


def test_standard_input_stops_at_the_limit():
    run = python("files.read_stdin(10)", input="x" * 11)

    assert run.stdout == "SourceError: standard input: larger than 10 bytes\n"


def test_a_closed_standard_input_is_a_plain_error():
    assert python("os.close(0)\nfiles.read_stdin()").stdout == "SourceError: standard input: bad file descriptor\n"


def test_a_missing_file_is_told_apart_from_an_unreadable_one(folder):
    with pytest.raises(NoSuchFile) as caught:
        files.read(str(folder / "a"))

    assert str(caught.value) == f"{folder}/a: no such file or directory"
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_a_folder_cannot_be_read(folder):
    with pytest.raises(SourceError, match=r"is a directory$"):
        files.read(str(folder))


def test_a_link_to_itself_cannot_be_read(folder):
    (folder / "loop").symlink_to("loop")

    with pytest.raises(SourceError, match=r"too many levels of symbolic links$"):
        files.read(str(folder / "loop"))


def test_a_name_that_no_file_can_have_is_a_plain_error():
    for act in (files.read, lambda path: files.replace(path, b""), lambda path: files.create(path, b"")):
        with pytest.raises(SourceError, match=r"not the name of a file"):
            act("a\0b")


def test_somebody_without_the_right_cannot_read(folder):
    (folder / "a").write_bytes(b"one")
    (folder / "a").chmod(0o000)

    assert unprivileged("files.read(sys.argv[1])", folder / "a") == f"SourceError: {folder}/a: permission denied"


# Replacing


def test_a_file_is_replaced_and_nothing_else_is_left(folder):
    (folder / "a").write_bytes(b"old")

    files.replace(str(folder / "a"), b"new")

    assert (folder / "a").read_bytes() == b"new"
    assert names(folder) == ["a"]


def test_a_bare_name_is_replaced_in_the_current_folder(folder, monkeypatch):
    monkeypatch.chdir(folder)
    (folder / "a").write_bytes(b"old")

    files.replace("a", b"new")

    assert (folder / "a").read_bytes() == b"new"


@pytest.mark.parametrize("bits", [0o600, 0o640, 0o644, 0o664, 0o755])
def test_the_permissions_stay(folder, bits):
    (folder / "a").write_bytes(b"old")
    (folder / "a").chmod(bits)

    files.replace(str(folder / "a"), b"new")

    assert mode(folder / "a") == bits


def test_a_new_file_is_for_its_owner_alone_whatever_the_umask(folder):
    before = os.umask(0)
    try:
        files.replace(str(folder / "a"), b"new")
        files.create(str(folder / "b"), b"new")
    finally:
        os.umask(before)

    assert mode(folder / "a") == 0o600
    assert mode(folder / "b") == 0o600


def test_asked_for_permissions_are_given(folder):
    (folder / "old").touch(mode=0o600)

    files.replace(str(folder / "old"), b"new", mode=0o644)
    files.replace(str(folder / "new"), b"new", mode=0o644)
    files.create(str(folder / "created"), b"new", mode=0o644)

    assert [mode(folder / name) for name in ("old", "new", "created")] == [0o644] * 3


def test_a_link_stays_a_link_and_its_target_is_replaced(folder):
    (folder / "real").mkdir()
    (folder / "real" / "a").write_bytes(b"old")
    (folder / "link").symlink_to("real/a")

    files.replace(str(folder / "link"), b"new")

    assert os.readlink(folder / "link") == "real/a"
    assert (folder / "real" / "a").read_bytes() == b"new"
    assert names(folder / "real") == ["a"]


def test_a_link_that_leads_nowhere_is_followed(folder):
    (folder / "link").symlink_to("a")

    files.replace(str(folder / "link"), b"new")

    assert os.readlink(folder / "link") == "a"
    assert (folder / "a").read_bytes() == b"new"


def test_a_device_is_written_to_and_stays_a_device(folder):
    run = python("files.replace('/dev/stdout', b'hello')\nfiles.replace('/dev/null', b'hello')")

    assert run.stdout == "hello"
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_a_folder_is_not_replaced(folder):
    with pytest.raises(SourceError, match=r"is a directory$"):
        files.replace(str(folder), b"new")


def test_a_missing_folder_is_not_made(folder):
    with pytest.raises(SourceError) as caught:
        files.replace(str(folder / "no" / "a"), b"new")

    assert str(caught.value) == f"{folder}/no/a: no such file or directory"
    assert not isinstance(caught.value, NoSuchFile)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_root_keeps_the_owner_and_the_group(folder):
    (folder / "a").write_bytes(b"old")
    os.chown(folder / "a", 1234, 4321)
    (folder / "a").chmod(0o640)

    files.replace(str(folder / "a"), b"new")

    status = (folder / "a").stat()
    assert (status.st_uid, status.st_gid, mode(folder / "a")) == (1234, 4321, 0o640)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a file of somebody else")
def test_the_groups_rights_go_when_the_group_cannot_be_kept(folder):
    (folder / "a").write_bytes(b"old")
    (folder / "a").chmod(0o666)

    assert unprivileged("files.replace(sys.argv[1], b'new')", folder / "a") == ""

    status = (folder / "a").stat()
    assert (status.st_uid, status.st_gid, mode(folder / "a")) == (NOBODY, NOBODY, 0o606)


def test_a_read_only_file_is_not_replaced_though_its_folder_is_writable(folder):
    (folder / "a").write_bytes(b"old")
    (folder / "a").chmod(0o444)

    answer = unprivileged("files.replace(sys.argv[1], b'new')", folder / "a")

    assert answer == f"SourceError: {folder}/a: permission denied"
    assert (folder / "a").read_bytes() == b"old"
    assert names(folder) == ["a"]


def test_nothing_is_written_in_a_read_only_folder(folder):
    (folder / "a").write_bytes(b"old")
    (folder / "a").chmod(0o666)
    folder.chmod(0o555)

    answers = [
        unprivileged("files.replace(sys.argv[1], b'new')", folder / "a"),
        unprivileged("files.replace(sys.argv[1], b'new')", folder / "b"),
        unprivileged("files.create(sys.argv[1], b'new')", folder / "c"),
    ]

    assert answers == [f"SourceError: {folder}/{name}: permission denied" for name in "abc"]
    assert (folder / "a").read_bytes() == b"old"
    assert names(folder) == ["a"]


# Creating


def test_creating_never_overwrites(folder):
    (folder / "a").write_bytes(b"old")
    (folder / "link").symlink_to("nowhere")

    for name in ("a", "link"):
        with pytest.raises(SourceError, match=r"file exists$"):
            files.create(str(folder / name), b"new")

    assert (folder / "a").read_bytes() == b"old"
    assert names(folder) == ["a", "link"]


# When it breaks off


def too_large() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))


@pytest.mark.parametrize("act", ["replace", "create"])
def test_a_file_that_cannot_be_written_whole_is_not_written_at_all(folder, act):
    (folder / "replace").write_bytes(b"old")

    run = python(f"files.{act}(sys.argv[1], b'x' * 100_000)", folder / act, preexec_fn=too_large)

    assert run.stdout == f"SourceError: {folder}/{act}: file too large\n"
    assert names(folder) == ["replace"]
    assert (folder / "replace").read_bytes() == b"old"


def test_a_full_disk_leaves_the_old_file_and_nothing_else(folder):
    script = f"""
        mount -t tmpfs -o size=64k tmpfs {folder} || exit 42
        printf old > {folder}/a
        {sys.executable} -c '
        from sealpy import errors, files
        for act in (files.replace, files.create):
            try:
                act("{folder}/" + ("a" if act is files.replace else "b"), b"x" * 100_000)
            except errors.SourceError as error:
                print(error)
        '
        ls -A {folder}
        cat {folder}/a
    """
    namespace = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    run = subprocess.run(
        [*namespace, "sh", "-c", textwrap.dedent(script)], capture_output=True, text=True, check=False, timeout=60
    )

    if run.returncode in (1, 42) and not run.stdout:
        pytest.skip(f"no small disk can be mounted here: {run.stderr.strip()}")
    assert run.stdout == (f"{folder}/a: no space left on device\n{folder}/b: no space left on device\na\nold"), (
        run.stderr
    )


def test_an_interrupted_write_takes_its_traces_away(folder, monkeypatch):
    (folder / "a").write_bytes(b"old")

    def interrupt(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)

    with pytest.raises(KeyboardInterrupt):
        files.replace(str(folder / "a"), b"new")
    with pytest.raises(KeyboardInterrupt):
        files.create(str(folder / "b"), b"new")

    assert names(folder) == ["a"]
    assert (folder / "a").read_bytes() == b"old"


def test_a_process_killed_in_the_middle_leaves_the_old_file_or_the_new_one(folder):
    old, new = b"old" * 1_000_000, b"new" * 1_000_000
    files.create(str(folder / "a"), old)
    code = "from sealpy import files\nimport sys\nold = files.read(sys.argv[1])\nprint(flush=True)\n"
    code += "while True:\n    files.replace(sys.argv[1], b'new' * 1_000_000)\n    files.replace(sys.argv[1], old)\n"
    half_done = 0

    for attempt in range(20):
        process = subprocess.Popen([sys.executable, "-c", code, str(folder / "a")], stdout=subprocess.PIPE)
        assert process.stdout
        process.stdout.readline()
        time.sleep(0.002 * attempt)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()

        assert (folder / "a").read_bytes() in (old, new)
        for name in names(folder):
            if name != "a":
                half_done += 1
                assert mode(folder / name) == 0o600
                (folder / name).unlink()

    assert half_done, "no process was killed while it was writing"


# Two at once


def test_a_file_that_is_as_expected_is_replaced(folder):
    (folder / "a").write_bytes(b"old")

    files.replace(str(folder / "a"), b"new", expected=b"old")

    assert (folder / "a").read_bytes() == b"new"


@pytest.mark.parametrize("now", [b"odd", b"older", b""])
def test_a_file_that_changed_meanwhile_is_left_alone(folder, now):
    (folder / "a").write_bytes(now)

    with pytest.raises(Refused, match=r"changed on disk meanwhile$") as caught:
        files.replace(str(folder / "a"), b"new", expected=b"old")

    assert caught.value.hint
    assert (folder / "a").read_bytes() == now
    assert names(folder) == ["a"]


def test_a_file_that_went_away_meanwhile_does_not_come_back(folder):
    with pytest.raises(Refused, match=r"changed on disk meanwhile$"):
        files.replace(str(folder / "a"), b"new", expected=b"old")

    assert names(folder) == []


def test_no_change_is_lost_when_many_change_one_file_at_once(folder):
    path = str(folder / "a")
    files.create(path, b"0")
    code = "done = 0\n"
    code += "while done < 25:\n    old = files.read(sys.argv[1])\n    try:\n"
    code += "        files.replace(sys.argv[1], b'%d' % (int(old) + 1), expected=old)\n        done += 1\n"
    code += "    except errors.Refused:\n        print('refused')\n"
    outputs: list[str] = []
    workers = [threading.Thread(target=lambda: outputs.append(python(code, path).stdout)) for _ in range(4)]

    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert len(outputs) == 4
    assert files.read(path) == b"100"
    assert "refused" in "".join(outputs)


def test_a_file_that_another_program_keeps_locked_is_given_up(folder, monkeypatch):
    import fcntl

    (folder / "a").write_bytes(b"old")
    monkeypatch.setattr(files, "_LOCK_SECONDS", 0.05)

    with (folder / "a").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(SealpyError, match=r"another program is writing to it$"):
            files.replace(str(folder / "a"), b"new")

    assert (folder / "a").read_bytes() == b"old"
