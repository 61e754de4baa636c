"""The program leaks nothing: run as a process, with a fault at every border, and looked at from outside."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from sealpy.keyring import Keyring
from sealpy_cli.verbs_table import COMMANDS, VERBS
from tests import places
from tests.cli.process import SEALPY, Ended, Program
from tests.conftest import AgeKey
from tests.security.canary import Leak, Search, draw, tree
from tests.security.samples import SECRET, malformed, samples
from tests.security.test_canary import seal

IN_MEMORY = Path("/dev/shm")
SHOWS = {"decrypt"}
"""What prints values when asked to."""


class House:
    """A folder with sealed and clear files, a home with the key, and sealpy in it, watched."""

    def __init__(self, folder: Path, memory: Path, key: AgeKey, keyring: Keyring) -> None:
        self.key = key
        self.program: Sequence[str] = ()
        self.home, self.temporary, self.work = folder / "home", folder / "tmp", folder / "work"
        self.memory = memory
        for place in (self.home, self.temporary, self.work):
            place.mkdir()
        canaries: dict[str, str | bytes] = {"identity": key.identity, "on the command line": draw()}
        self.given = str(canaries["on the command line"])
        self.sealed: dict[str, bytes] = {}
        for name, sample in samples().items():
            canaries.update({f"{name}, {what}": canary for what, canary in sample.canaries.items()})
            path = f"x{sample.suffix}" if name != "a Secret" else "secret.yaml"
            self.sealed[path] = seal(sample, key, keyring)
            (self.work / path).write_bytes(self.sealed[path])
            (self.work / f"clear-{path}").write_bytes(sample.clear)
            (self.work / f"cut-{path}").write_bytes(self.sealed[path][: len(self.sealed[path]) * 2 // 5])
            damaged = re.sub(rb"(data:.)(.)", _another, self.sealed[path])
            (self.work / f"damaged-{path}").write_bytes(damaged)
            (self.work / f"bad-{path}").write_bytes(sample.clear + b"\n\t'\"[{ \xff" + self.given.encode())
        self.search = Search(canaries)
        self.key_file = self.home / "keys.txt"
        self.key_file.write_text(f"{key.identity}\n")
        (self.work / ".sops.yaml").write_text(f"creation_rules:\n  - age: {key.recipient}\n")
        self.env = {
            "SOPS_AGE_KEY_FILE": str(self.key_file),
            "TMPDIR": str(self.temporary),
            "XDG_RUNTIME_DIR": str(memory),
            "PYTHONDONTWRITEBYTECODE": "1",
            "EDITOR": "false",
        }

    def __call__(
        self,
        *words: str | Path,
        stdin: str | bytes = b"",
        env: Mapping[str, str] | None = None,
        shows: bool = False,
        writes: Sequence[str] | None = (),
        plain: Sequence[str] = (),
        before: Sequence[str] = (),
    ) -> Ended:
        """Run sealpy and look.

        ``writes``: the files of the work folder that may be other than before, or None for any file that has no canary
        in it; ``plain``: those that may have one; ``shows``: stdout may have one, too.
        """
        run = Program(self.work, self.home, {**self.env, **(env or {})})
        places_ = (self.home, self.temporary, self.work, self.memory)
        was = tree(places_)
        ended = run(*words, stdin=stdin, program=self.program, before=before)
        what = " ".join(map(str, words)).replace(self.given, "…")
        self.search.refuse(f"{what}: stderr", ended.err)
        if not shows:
            self.search.refuse(f"{what}: stdout", ended.out)
        if "Traceback" in ended.err or "internal error" in ended.err:
            raise Leak(f"{what}: {ended.err.splitlines()[-2:]}")
        now = tree(places_)
        changed = {path for path in now.keys() | was.keys() if now.get(path) != was.get(path)}
        for path in sorted(changed):
            if Path(path).is_file() and path not in [str(self.work / name) for name in plain]:
                self.search.refuse(f"{what}: {path}", Path(path).read_bytes())
        named = [str(self.work / name) for name in (*(writes or ()), *plain)]
        for path in sorted(changed):
            # Of a folder that holds something named, and of that for drafts, only the time is another.
            holds = path == str(self.memory) or any(name.startswith(f"{path}/") for name in named)
            if writes is not None and path not in named and not holds:
                raise Leak(f"{what}: {path} was written")
        return ended


def _another(found: re.Match[bytes]) -> bytes:
    """Change the second digit of what is sealed."""
    return found[1] + (b"A" if found[2] != b"A" else b"B")


@pytest.fixture
def house(tmp_path: Path, own_key: AgeKey, keyring: Keyring) -> Iterator[House]:
    """Make a house; what should stay in memory has a place of its own there."""
    in_memory = IN_MEMORY if IN_MEMORY.is_dir() else tmp_path
    with tempfile.TemporaryDirectory(dir=in_memory) as memory:
        yield House(tmp_path, Path(memory), own_key, keyring)


SUFFIXES = ("x.yaml", "secret.yaml", "x.json", "x.env", "x.ini", "x.bin")


def test_decrypting_what_does_not_open(house: House) -> None:
    codes = set()
    for name in SUFFIXES:
        for kind in ("cut", "damaged", "bad"):
            codes.add(house("decrypt", f"{kind}-{name}").code)
    assert 0 not in codes
    for words in (
        ["--input-type", "json"],
        ["--input-type", "ini"],
        ["--max-size", "10"],
        ["--decryption-order", "pgp,pgp"],
    ):
        assert house("decrypt", *words, "x.yaml").code
    for path in ('["plain"][0]', '["nested"]["list"][99]', '["no"]', "[", '["plain"'):
        assert house("decrypt", "--extract", path, "x.yaml").code
    assert house("decrypt", "-r", ".").code
    assert house("decrypt", stdin=house.sealed["x.json"][:-9]).code


def test_decrypting_with_the_wrong_keys(house: House, keyring: Keyring) -> None:
    nobody = {"SOPS_AGE_KEY_FILE": "/nowhere"}
    mistyped = house.key.identity[:-1]
    for env in (
        nobody,
        {**nobody, "SOPS_AGE_KEY": mistyped},
        {**nobody, "SOPS_AGE_KEY": f"{house.given} {mistyped}"},
        {**nobody, "SOPS_AGE_KEY_CMD": f"echo {mistyped}"},
        {**nobody, "SOPS_AGE_KEY_CMD": f"sh -c 'echo {mistyped} >&1; exit 3'"},
        {**nobody, "SOPS_AGE_SSH_PRIVATE_KEY_FILE": str(house.key_file)},
        {"SOPS_AGE_KEY_FILE": str(house.work / "clear-x.yaml")},
        {"SOPS_AGE_KEY_FILE": str(house.work)},
    ):
        ended = house("decrypt", "x.yaml", env=env)
        assert ended.code == 128
        assert "hint" in ended.err


def test_what_decrypts_is_where_it_was_asked_for_and_nowhere_else(house: House) -> None:
    for name in SUFFIXES:
        assert house("decrypt", name, shows=True).code == 0
        assert house("decrypt", "--output", f"out-{name}", name, plain=[f"out-{name}"]).code == 0
        assert house("decrypt", "-i", name, plain=[name]).code == 0


@pytest.mark.parametrize("target", ["/nowhere/x", "/dev/full", "."])
def test_a_place_that_cannot_be_written_to(house: House, target: str) -> None:
    assert house("decrypt", "--output", target, "x.yaml").code == 3
    assert house("encrypt", "--output", target, "clear-x.yaml").code == 3


def test_standard_output_that_cannot_be_written_to(house: House) -> None:
    command = [sys.executable, "-c", SEALPY.format(name="sealpy"), "decrypt", "x.yaml"]
    env = Program(house.work, house.home, house.env).env
    with open("/dev/full", "wb") as full:
        ended = subprocess.run(command, cwd=house.work, env=env, stdout=full, stderr=subprocess.PIPE, check=False)

    house.search.refuse("stderr", ended.stderr)
    assert ended.returncode not in (0, 120)
    assert b"Traceback" not in ended.stderr


def test_encrypting_what_cannot_be_sealed(house: House) -> None:
    for fmt, suffix in (("yaml", "yaml"), ("json", "json"), ("dotenv", "env"), ("ini", "ini")):
        faulty = list(malformed(fmt, house.given))[::11]
        for content in faulty:
            (house.work / f"faulty.{suffix}").write_bytes(content)
            ended = house("encrypt", f"faulty.{suffix}", shows=b": b" in content or b"\n" in content)
            if ended.code == 0:
                house.search.refuse("stdout", ended.out.replace(f'"{house.given}":', ""))


def test_encrypting_with_the_wrong_rules(house: House) -> None:
    rules = house.work / ".sops.yaml"
    for text in (
        "creation_rules: [",
        "creation_rules:\n  - path_regex: '('\n",
        "creation_rules:\n  - encryped_regex: x\n",
        "creation_rules:\n  - age: age1nonsense\n",
        f"creation_rules:\n  - age: {house.key.identity}\n",
        f"creation_rules:\n  - age: {house.key.recipient}\n    encrypted_regex: '['\n",
        "creation_rules: []\n",
        "\0",
    ):
        rules.write_text(text)
        assert house("encrypt", "clear-x.yaml").code
        assert house("set", "x.yaml", '["plain"]', '"new"', writes=["x.yaml"]).code in (0, 1)
        assert house("updatekeys", "-y", "x.yaml").code
    rules.unlink()
    assert house("encrypt", "clear-x.yaml").code
    assert house("encrypt", "--age", house.key.identity, "clear-x.yaml").code
    assert house("encrypt", "--age", house.key.recipient, "--encrypted-regex", "(", "clear-x.yaml").code
    assert house("encrypt", "--age", house.key.recipient, "--max-size", "5", "clear-x.yaml").code


def test_encrypting(house: House) -> None:
    for name in SUFFIXES:
        assert house("encrypt", f"clear-{name}").code == 0
        assert house("encrypt", "-i", f"clear-{name}", writes=[f"clear-{name}"]).code == 0


def editor(house: House, script: str) -> dict[str, str]:
    path = house.home / "editor"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return {"EDITOR": str(path)}


def test_an_editor_that_fails(house: House) -> None:
    for script in ("exit 1", "kill -9 $$", 'rm "$1"', 'rm "$1"; mkdir "$1"', "true", 'cp "$1" "$1.swp"; exit 2'):
        assert house("edit", "x.yaml", env=editor(house, script)).code in (1, 2, 200, 201)
    assert house("edit", "x.yaml", env={"EDITOR": "/nowhere"}).code == 201
    assert house("edit", "cut-x.yaml", env=editor(house, "true")).code
    assert house("edit", "damaged-x.yaml", env=editor(house, "true")).code


@pytest.mark.parametrize("name", ["x.yaml", "x.json", "x.env", "x.ini"])
def test_an_editor_that_leaves_what_cannot_be_sealed(house: House, name: str) -> None:
    fmt = {"yaml": "yaml", "json": "json", "env": "dotenv", "ini": "ini"}[name.partition(".")[2]]
    for content in list(malformed(fmt, house.given))[::13]:
        (house.home / "left").write_bytes(content)
        env = editor(house, f'cat "{house.home}/left" >> "$1"')
        house("edit", name, env=env, stdin="", writes=[name])


def test_the_editor_is_told_a_path_and_nothing_else(house: House) -> None:
    seen = house.home / "seen"
    env = editor(
        house, f'cat /proc/$$/cmdline /proc/$PPID/cmdline /proc/$PPID/environ /proc/$$/environ > "{seen}"; exit 1'
    )

    house("edit", "x.yaml", env=env, writes=[str(seen)])

    house.search.refuse("command lines and environments", seen.read_bytes())
    assert str(house.memory).encode() in seen.read_bytes()


def test_setting_and_unsetting(house: House) -> None:
    json = f'"{house.given}"'
    for path, value in (
        ('["plain"]', house.given),
        ('["plain"]', f'{{"{house.given}'),
        ('["plain"', json),
        ('["nested"]["list"]["x"]', json),
        ("", json),
        ('["sops"]["mac"]', json),
    ):
        assert house("set", "x.yaml", path, value).code
    for name in ("cut-x.yaml", "damaged-x.yaml", "clear-x.yaml", "none.yaml"):
        assert house("set", name, '["plain"]', json).code
        assert house("unset", name, '["plain"]').code
    assert house("set", "--value-stdin", "x.yaml", '["plain"]', stdin=f"{house.given} x").code
    assert house("set", "--value-stdin", "x.yaml", '["plain"]', stdin=f"{house.given}\xff".encode("latin-1")).code
    assert house("set", "--value-file", "x.yaml", '["plain"]', "clear-x.yaml").code
    assert house("set", "x.env", '["A"]', f'{{"a": {json}}}').code
    assert house("set", "x.ini", '["a"]["b"]["c"]', json).code
    assert house("set", "x.bin", '["data"]', f"[{json}]").code
    assert house("unset", "x.yaml", '["no"]').code
    assert house("set", "x.yaml", '["new"]', json, writes=["x.yaml"]).code == 0
    assert house("unset", "x.yaml", '["plain"]', writes=["x.yaml"]).code == 0


def test_changing_keys(house: House) -> None:
    for name in ("cut-x.yaml", "damaged-x.yaml", "clear-x.yaml", "bad-x.json"):
        assert house("rotate", name).code
    assert house("rotate", "--add-age", house.key.identity, "x.yaml").code
    assert house("rotate", "--rm-age", house.key.recipient, "x.yaml").code
    for name in SUFFIXES:
        assert house("rotate", name).code == 0
        assert house("rotate", "-i", name, writes=[name]).code == 0
    bad = house.home / "bad.txt"
    bad.write_text(f"{house.key.identity[:-1]}\n{house.given}\n")
    assert house("key", "import", str(bad)).code
    assert house("key", "list").code == 0


def test_comparing(house: House, own_key: AgeKey, keyring: Keyring) -> None:
    for name in ("x.yaml", "secret.yaml", "x.ini"):
        for kind in ("cut", "damaged", "bad"):
            house("diff", "--files", name, f"{kind}-{name}")
        house("diff", "--files", "--json", f"bad-{name}", name)
    house("diff", "--files", "x.yaml", "x.json")
    assert "hidden" in house("diff", "--files", "x.yaml", "secret.yaml").out


@pytest.mark.parametrize("name", [verb.name for verb in (*VERBS, *COMMANDS)])
def test_every_verb_on_files_of_every_kind(house: House, name: str) -> None:
    git = {"GIT_CONFIG_GLOBAL": os.environ["GIT_CONFIG_GLOBAL"], "GIT_CONFIG_NOSYSTEM": "1"}
    run = Program(house.work, house.home, git)
    run.git("init", "-q")
    run.git("add", ".")
    run.git("commit", "-q", "-m", "all")
    for words in (
        ["x.yaml"],
        ["cut-x.json"],
        ["damaged-secret.yaml"],
        ["bad-x.yaml"],
        ["clear-secret.yaml"],
    ):
        house(name, *words, env=git, shows=name in SHOWS, writes=None)


def test_a_leak_that_is_planted_in_the_program_is_found(house: House) -> None:
    plant = (
        "import sealpy.formats.json_scan as scan, sealpy.errors as errors\n"
        "def fail(text, index, message): raise errors.ParseError(f'{message}: {text}')\n"
        "scan.fail = fail\n"
    )
    house.program = [sys.executable, "-c", plant + SEALPY.format(name="sealpy")]
    (house.work / "faulty.json").write_text(f'{{"a": "{house.given}')
    with pytest.raises(Leak, match="stderr"):
        house("encrypt", "faulty.json")

    plant = "open('left', 'wb').write(open('clear-x.json', 'rb').read())\n"
    house.program = [sys.executable, "-c", plant + SEALPY.format(name="sealpy")]
    with pytest.raises(Leak, match="/left: json, plain"):
        house("encrypt", "faulty.json")


# -- system calls -------------------------------------------------------------------------------------------------------


def traced(house: House, words: Sequence[str], into: Path, **more: object) -> list[str]:
    """Run under strace and return the calls that name a file to be written, or that write."""
    if not shutil.which("strace"):
        assert not places.IN_CI, "strace is missing"
        pytest.skip("no strace here")
    calls = "open,openat,openat2,creat,mkdir,mkdirat,mknod,mknodat,memfd_create,rename,renameat,renameat2,link,linkat,symlink,symlinkat"
    writes = "write,pwrite64,writev,pwritev,pwritev2,sendto,sendmsg,sendfile,splice,vmsplice,connect,execve,ftruncate,mq_open"
    before = [
        "strace",
        "-f",
        "-qq",
        "-v",
        "-s",
        "1000000",
        "-o",
        str(into),
        "-e",
        f"trace={calls},{writes}",
    ]
    ended = house(*words, before=before, **more)  # type: ignore[arg-type]
    if "ptrace" in ended.err.lower() or not into.exists() or not into.read_text("utf-8", "replace"):
        assert not places.IN_CI, "strace cannot trace here"
        pytest.skip("strace cannot trace here")
    assert ended.code == 0
    return [line.split(" ", 1)[1].lstrip() for line in into.read_text("utf-8", "replace").splitlines()]


WRITING = re.compile(
    r"O_WRONLY|O_RDWR|O_CREAT|O_TMPFILE|^(creat|mkdir|mknod|memfd|rename|link|symlink|connect|mq_open)"
)


@pytest.mark.parametrize("name", SUFFIXES)
def test_decrypting_writes_to_standard_output_and_nowhere_else(house: House, tmp_path: Path, name: str) -> None:
    calls = traced(house, ["decrypt", name], tmp_path / "calls", shows=True)

    revealing = [call for call in calls if house.search.found(call) and house.key.identity not in call]
    assert revealing
    assert [call for call in revealing if not call.startswith("write(1, ")] == []
    assert [call for call in calls if WRITING.search(call) and "ENOENT" not in call and "/dev/null" not in call] == []


def test_decrypting_to_a_file_writes_there_alone(house: House, tmp_path: Path) -> None:
    calls = traced(house, ["decrypt", "--output", "out.yaml", "x.yaml"], tmp_path / "calls", plain=["out.yaml"])

    touched = [call for call in calls if WRITING.search(call)]
    assert touched
    assert [call for call in touched if str(house.work / ".sealpy-") not in call] == []
    assert any(call.startswith("rename") and '/out.yaml"' in call for call in touched)


def test_encrypting_hands_no_value_to_any_system_call(house: House, tmp_path: Path) -> None:
    calls = traced(house, ["encrypt", "clear-x.yaml"], tmp_path / "calls")

    assert any(call.startswith("write(1, ") for call in calls)
    assert [call for call in calls if house.search.found(call)] == []


def test_the_example_is_a_secret() -> None:
    # Kubernetes Secrets take a path of their own through the program.
    assert "kind: Secret" in SECRET
