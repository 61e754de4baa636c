"""Where age identities are found, and in which order sources are asked."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from sealpy import os_keyring
from sealpy.config_folder import config_folder
from sealpy.errors import BackendMissing, KeyServiceError, NotMyKey
from sealpy.identities import Attempt, Identities
from sealpy.keys import age_identity
from sealpy.keys.age import AgeBackend
from sealpy.secret import KeyPart, Secret

PART = KeyPart(bytes(range(32)))


class Pair:
    """A fresh identity, its recipient, and something wrapped for it."""

    def __init__(self) -> None:
        made = age_identity.generate()
        self.identity = made.text.expose()
        self.recipient = made.recipients[0]
        self.entry = AgeBackend(Identities({})).wrap(self.recipient, PART)


@pytest.fixture
def ann() -> Pair:
    return Pair()


@pytest.fixture
def bob() -> Pair:
    return Pair()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def opened(entry: object, home: Path, **environ: str | Path) -> KeyPart:
    source = Identities({name: str(value) for name, value in environ.items()}, home=str(home))
    return AgeBackend(source).unwrap(entry)  # type: ignore[arg-type]


def reason(entry: object, home: Path, **environ: str | Path) -> str:
    with pytest.raises(NotMyKey) as caught:
        opened(entry, home, **environ)
    assert caught.value.hint
    return caught.value.message


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def program(folder: Path, body: str) -> Path:
    path = written(folder / "get-key", f"#!/bin/sh\n{body}\n")
    path.chmod(0o700)
    return path


class TestSources:
    def test_the_variable_with_keys_takes_several_on_a_line(self, ann: Pair, bob: Pair, home: Path) -> None:
        text = f"# keys\n\n{ann.identity} \t {bob.identity}\n"

        assert opened(ann.entry, home, SOPS_AGE_KEY=text) == PART
        assert opened(bob.entry, home, SOPS_AGE_KEY=text) == PART

    def test_a_key_file_takes_comments_empty_lines_and_crlf(self, ann: Pair, bob: Pair, home: Path) -> None:
        path = written(home / "k", f"# a\r\n\r\n{ann.identity}\r\n{bob.identity}")

        assert opened(ann.entry, home, SOPS_AGE_KEY_FILE=path) == PART
        assert opened(bob.entry, home, SOPS_AGE_KEY_FILE=path) == PART

    def test_a_key_file_may_be_a_pipe(self, ann: Pair, home: Path) -> None:
        reader, writer = os.pipe()
        os.write(writer, ann.identity.encode())
        os.close(writer)

        assert opened(ann.entry, home, SOPS_AGE_KEY_FILE=f"/dev/fd/{reader}") == PART

        os.close(reader)

    def test_the_key_file_of_sops_itself_is_found(self, ann: Pair, home: Path) -> None:
        written(home / ".config/sops/age/keys.txt", ann.identity)

        assert opened(ann.entry, home) == PART

    def test_the_ssh_keys_of_the_home_folder_are_found(self, home: Path) -> None:
        (home / ".ssh").mkdir()
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", home / ".ssh/id_ed25519"], check=True)
        line = (home / ".ssh/id_ed25519.pub").read_text()

        assert opened(AgeBackend(Identities({})).wrap(line, PART), home) == PART

    def test_the_order_is_cheap_sources_first_and_stops_at_the_first_fit(
        self, ann: Pair, bob: Pair, home: Path
    ) -> None:
        written(home / ".config/sops/age/keys.txt", bob.identity)
        path = written(home / "k", ann.identity)
        source = Identities({"SOPS_AGE_KEY_FILE": str(path), "SOPS_AGE_KEY_CMD": "/no/such/program"}, home=str(home))

        AgeBackend(source).unwrap(ann.entry)

        assert source.attempts() == [Attempt(f"SOPS_AGE_KEY_FILE={path}", (ann.recipient,))]

    def test_nothing_is_read_before_it_is_needed(self, home: Path) -> None:
        source = Identities({"SOPS_AGE_KEY_FILE": "/no/such/file"}, home=str(home))

        assert source.attempts() == []

    def test_a_source_that_fails_stops_no_other(self, ann: Pair, home: Path) -> None:
        assert opened(ann.entry, home, SOPS_AGE_KEY_FILE="/no/such", SOPS_AGE_KEY=ann.identity) == PART


@pytest.mark.parametrize("variable", ["SOPS_AGE_KEY", "SOPS_AGE_KEY_FILE"])
def test_sops_and_we_read_the_same_key_files(
    ann: Pair, bob: Pair, home: Path, tool: Callable[[str], str], variable: str
) -> None:
    sops = [tool("sops"), "--config", "/dev/null"]
    sealed = written(home / "a.yaml", "a: b\n")
    subprocess.run([*sops, "encrypt", "-i", "--age", ann.recipient, sealed], check=True)
    key, other = ann.identity, bob.identity
    texts = [key, f"{key}\n", f"{key}\r\n", f"{key}\r", f" {key}", f"{key} ", f"\t{key}", f"{other} {key}",
             f"{other}\n{key}", f"{other}\r{key}", f"# a\n\n{key}", f" # a\n{key}", f"  \n{key}", key.lower(), "",
             f"x\n{key}", f"{key}\nx", f"\ufeff{key}", f"{ann.recipient}\n{key}", f"{key}\r\r\n"]  # fmt: skip

    theirs, ours = [], []
    for text in texts:
        value = text if variable == "SOPS_AGE_KEY" else str(written(home / "k", text))
        environment = {variable: value, "HOME": "/nowhere"}
        decrypted = subprocess.run([*sops, "decrypt", sealed], env=environment, capture_output=True, check=False)
        theirs.append(decrypted.returncode == 0)
        try:
            opened(ann.entry, home / "empty", **environment)
            ours.append(True)
        except NotMyKey:
            ours.append(False)

    assert dict(zip(texts, ours, strict=True)) == dict(zip(texts, theirs, strict=True))
    assert {True, False} == set(theirs)


class TestReasons:
    def test_no_source_at_all(self, ann: Pair, home: Path) -> None:
        assert reason(ann.entry, home) == "no age identity was found"

    def test_a_missing_file_and_what_was_tried(self, ann: Pair, bob: Pair, home: Path) -> None:
        told = reason(ann.entry, home, SOPS_AGE_KEY=bob.identity, SOPS_AGE_KEY_FILE="/no/such")

        assert told == f"tried {bob.recipient} (SOPS_AGE_KEY); SOPS_AGE_KEY_FILE=/no/such: no such file or directory"

    @pytest.mark.parametrize(
        ("line", "why"),
        [
            ("hunter2", ""),
            ("AGE-SECRET-KEY-1HUNTER2", ": it is incomplete or mistyped"),
            ("AGE-SECRET-KEY-PQ-1HUNTER2", ": it is incomplete or mistyped"),
            ("AGE-PLUGIN-HUNTER2", ": it is incomplete or mistyped"),
            (" AGE-SECRET-KEY-1HUNTER2", ": there is blank space around it"),
            ("age1hunter2", ", but a recipient, which is public"),
        ],
    )
    def test_a_bad_line_is_told_by_its_number_and_makes_the_file_unusable(
        self, ann: Pair, home: Path, line: str, why: str
    ) -> None:
        path = written(home / "k", f"{ann.identity}\n{line}\n")

        told = reason(ann.entry, home, SOPS_AGE_KEY_FILE=path)

        assert told.endswith(f"{path}: line 2 is not an age identity{why}")
        assert "HUNTER2" not in told.upper()

    def test_an_empty_file(self, ann: Pair, home: Path) -> None:
        path = written(home / "k", "# nothing\n")

        assert reason(ann.entry, home, SOPS_AGE_KEY_FILE=path).endswith(f"{path}: there is no identity in it")

    def test_a_file_that_is_no_ssh_key(self, ann: Pair, home: Path) -> None:
        path = written(home / "k", "hunter2")

        told = reason(ann.entry, home, SOPS_AGE_SSH_PRIVATE_KEY_FILE=path)

        assert told == f"no age identity was found; SOPS_AGE_SSH_PRIVATE_KEY_FILE={path}: it is not an SSH private key"

    def test_a_damaged_ssh_key_does_not_stop_another_source(self, ann: Pair, home: Path) -> None:
        good = home / "good"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", good], check=True)
        lines = good.read_text().splitlines()
        written(home / ".ssh/id_ed25519", "\n".join([*lines[:-2], lines[-1]]))

        assert opened(ann.entry, home, SOPS_AGE_KEY_CMD=f"echo {ann.identity}") == PART

    def test_an_unreadable_file(self, ann: Pair, home: Path) -> None:
        told = reason(ann.entry, home, SOPS_AGE_KEY_FILE=home)

        assert told.endswith(f"SOPS_AGE_KEY_FILE={home}: is a directory")


class TestCommands:
    def test_its_output_is_a_key_file(self, ann: Pair, home: Path) -> None:
        path = program(home, f"echo '# key'; echo {ann.identity}")

        assert opened(ann.entry, home, SOPS_AGE_KEY_CMD=path) == PART

    def test_it_is_split_like_a_shell_and_run_without_one(self, ann: Pair, home: Path) -> None:
        path = program(home / "with space", f'[ "$*" = "a b \\$HOME ; c" ] && [ $# = 2 ] && echo {ann.identity}')

        assert opened(ann.entry, home, SOPS_AGE_KEY_CMD=f"'{path}' \"a b\" '$HOME ; c'") == PART

    def test_it_is_told_the_recipient_and_sees_the_environment(self, ann: Pair, home: Path) -> None:
        path = program(home, f'[ "$SOPS_AGE_RECIPIENT" = {ann.recipient} ] && [ "$X" = y ] && echo {ann.identity}')

        assert opened(ann.entry, home, SOPS_AGE_KEY_CMD=path, X="y") == PART

    def test_it_runs_once_for_a_recipient(self, ann: Pair, bob: Pair, home: Path) -> None:
        path = program(home, f"echo run >> {home}/log; echo {bob.identity}")
        source = AgeBackend(Identities({"SOPS_AGE_KEY_CMD": str(path)}, home=str(home)))

        for _ in range(3):
            with pytest.raises(NotMyKey):
                source.unwrap(ann.entry)
            assert source.unwrap(bob.entry) == PART

        assert (home / "log").read_text() == "run\n"

    def test_it_does_not_run_when_a_key_is_at_hand(self, ann: Pair, home: Path) -> None:
        path = program(home, f"touch {home}/log")

        assert opened(ann.entry, home, SOPS_AGE_KEY=ann.identity, SOPS_AGE_KEY_CMD=path) == PART
        assert not (home / "log").exists()

    def test_many_threads_run_it_once(self, ann: Pair, home: Path) -> None:
        path = program(home, f"echo run >> {home}/log; sleep 0.1; echo {ann.identity}")
        source = AgeBackend(Identities({"SOPS_AGE_KEY_CMD": str(path)}, home=str(home)))
        parts: list[KeyPart] = []

        threads = [threading.Thread(target=lambda: parts.append(source.unwrap(ann.entry))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert parts == [PART] * 8
        assert (home / "log").read_text() == "run\n"

    @pytest.mark.parametrize(
        ("command", "why"),
        [
            ("", "it is empty, or its quotes do not match"),
            ("echo 'a", "it is empty, or its quotes do not match"),
            ("/no/such hunter2", "its program does not start: no such file or directory"),
            ("sh -c 'echo hunter2; exit 3'", "its program ended with exit code 3"),
            ("echo hunter2", "line 1 is not an age identity"),
        ],
    )
    def test_what_went_wrong_is_told_without_the_command(self, ann: Pair, home: Path, command: str, why: str) -> None:
        told = reason(ann.entry, home, SOPS_AGE_KEY_CMD=command)

        assert told == f"no age identity was found; SOPS_AGE_KEY_CMD: {why}"

    def test_a_command_may_give_an_ssh_key(self, home: Path) -> None:
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", home / "k"], check=True)
        entry = AgeBackend(Identities({})).wrap((home / "k.pub").read_text(), PART)

        assert opened(entry, home, SOPS_AGE_SSH_PRIVATE_KEY_CMD=f"cat {home}/k") == PART


def test_a_fork_while_another_thread_asks_does_not_hang(ann: Pair, home: Path) -> None:
    path = program(home, "sleep 1")
    source = AgeBackend(Identities({"SOPS_AGE_KEY_CMD": str(path)}, home=str(home)))

    def ask() -> None:
        with pytest.raises(NotMyKey):
            source.unwrap(ann.entry)

    asking = threading.Thread(target=ask)
    asking.start()
    while not source._identities._asked:  # type: ignore[attr-defined]
        pass

    child = os.fork()
    if child == 0:
        try:
            source.unwrap(ann.entry)
        except NotMyKey:
            os._exit(7)
        os._exit(1)
    _, status = os.waitpid(child, 0)
    asking.join()

    assert os.waitstatus_to_exitcode(status) == 7


class TestConfigFolder:
    @pytest.mark.parametrize(
        ("environ", "platform", "folder"),
        [
            ({"HOME": "/h"}, "linux", "/h/.config"),
            ({"HOME": "/h", "XDG_CONFIG_HOME": "/x"}, "linux", "/x"),
            ({"HOME": "/h", "XDG_CONFIG_HOME": "x"}, "linux", None),
            ({"HOME": "/h", "XDG_CONFIG_HOME": ""}, "linux", "/h/.config"),
            ({}, "linux", None),
            ({"HOME": "/h"}, "darwin", "/h/Library/Application Support"),
            ({"HOME": "/h", "XDG_CONFIG_HOME": "x"}, "darwin", "x"),
            ({"APPDATA": "C:/a"}, "win32", "C:/a"),
            ({"HOME": "/h"}, "win32", None),
        ],
    )
    def test_it_is_where_sops_looks(self, environ: dict[str, str], platform: str, folder: str | None) -> None:
        assert config_folder(environ, platform=platform) == folder


MEMORY_KEYRING = """
from keyring.backend import KeyringBackend

class Memory(KeyringBackend):
    priority = 1
    held = {}
    def get_password(self, service, name): return self.held.get((service, name))
    def set_password(self, service, name, password): self.held[service, name] = password
    def delete_password(self, service, name): del self.held[service, name]

class Broken(Memory):
    def get_password(self, service, name): raise RuntimeError("hunter2")
    def set_password(self, service, name, password): raise RuntimeError(password)
"""


@pytest.fixture
def use_keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that makes a class of MEMORY_KEYRING, or of the keyring package, the system's keyring."""
    keyring = pytest.importorskip("keyring")
    monkeypatch.setattr(keyring.core, "_keyring_backend", None)
    (tmp_path / "memory_keyring.py").write_text(MEMORY_KEYRING)
    monkeypatch.syspath_prepend(tmp_path)

    def use(name: str) -> None:
        module, _, attribute = name.rpartition(".")
        __import__(module)
        keyring.set_keyring(getattr(sys.modules[module], attribute)())

    return use


class TestOsKeyring:
    def test_what_was_stored_opens_and_only_for_its_recipient(
        self, ann: Pair, bob: Pair, home: Path, use_keyring: Callable[[str], None]
    ) -> None:
        use_keyring("memory_keyring.Memory")
        os_keyring.store(str(home / ".config"), ann.recipient, Secret(ann.identity))

        assert os_keyring.recipients(str(home / ".config")) == [ann.recipient]
        assert opened(ann.entry, home) == PART
        assert reason(bob.entry, home) == "no age identity was found"

    def test_it_is_asked_last(self, ann: Pair, home: Path, use_keyring: Callable[[str], None]) -> None:
        use_keyring("memory_keyring.Broken")
        written(home / ".config/sealpy/keyring.json", f'{{"recipients": ["{ann.recipient}"]}}')

        assert opened(ann.entry, home, SOPS_AGE_KEY_CMD=f"echo {ann.identity}") == PART
        told = reason(ann.entry, home)
        assert told == (
            "no age identity was found; the keyring of this system: "
            "the keyring does not give it out; unlock the keyring of your desktop"
        )

    @pytest.mark.parametrize("name", ["keyring.backends.null.Keyring", "keyring.backends.fail.Keyring"])
    def test_a_keyring_that_keeps_no_secrets_is_refused(
        self, ann: Pair, home: Path, use_keyring: Callable[[str], None], name: str
    ) -> None:
        use_keyring(name)

        with pytest.raises(KeyServiceError, match="this system has no keyring that keeps secrets") as caught:
            os_keyring.store(str(home / ".config"), ann.recipient, Secret(ann.identity))

        assert "--keyring" in str(caught.value.hint)
        assert not (home / ".config/sealpy").exists()

    def test_a_plain_file_is_refused_also_inside_a_chain(
        self, ann: Pair, home: Path, tmp_path: Path, use_keyring: Callable[[str], None]
    ) -> None:
        written(tmp_path / "keyrings/alt/file.py", MEMORY_KEYRING.replace("Memory", "PlaintextKeyring"))
        use_keyring("keyrings.alt.file.PlaintextKeyring")

        with pytest.raises(KeyServiceError, match="this system has no keyring that keeps secrets"):
            os_keyring.store(str(home / ".config"), ann.recipient, Secret(ann.identity))

        import keyring

        class Chain(type(keyring.get_keyring())):  # type: ignore[misc]
            backends = [keyring.get_keyring()]

        keyring.set_keyring(Chain())
        with pytest.raises(KeyServiceError, match="this system has no keyring that keeps secrets"):
            os_keyring.store(str(home / ".config"), ann.recipient, Secret(ann.identity))

    def test_an_error_of_the_keyring_says_nothing_of_what_it_held(
        self, ann: Pair, home: Path, use_keyring: Callable[[str], None]
    ) -> None:
        use_keyring("memory_keyring.Broken")

        with pytest.raises(KeyServiceError) as caught:
            os_keyring.store(str(home / ".config"), ann.recipient, Secret(ann.identity))

        assert caught.value.message == "the keyring does not take it"
        assert caught.value.__context__ is None

    def test_a_damaged_index_is_told_and_stops_nothing(self, ann: Pair, home: Path) -> None:
        written(home / ".config/sealpy/keyring.json", "[hunter2")

        assert "keyring.json is damaged" in reason(ann.entry, home)
        assert "hunter2" not in reason(ann.entry, home)

    def test_without_the_package_the_extra_is_named(
        self, ann: Pair, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "keyring", None)

        with pytest.raises(BackendMissing) as caught:
            os_keyring.store(str(home / ".config"), ann.recipient, Secret(ann.identity))

        assert caught.value.hint == "pip install 'sealpy[keyring]'"


def test_the_usual_way_imports_nothing_slow(ann: Pair, home: Path) -> None:
    code = f"""
import sys
from sealpy.identities import Identities
from sealpy.keys.age import AgeBackend
AgeBackend(Identities({{"SOPS_AGE_KEY": {ann.identity!r}}})).unwrap({dict(ann.entry)!r})
print([name for name in ("subprocess", "shlex", "keyring", "threading", "json", "logging", "dataclasses", "inspect",
    "pathlib", "click", "cryptography", "tempfile", "sealpy.keys.age_ssh", "sealpy.keys.age_pq", "sealpy.os_keyring")
    if name in sys.modules])
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=home)

    assert ran.stdout == "[]\n"
