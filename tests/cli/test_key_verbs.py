"""``sealpy key`` as people and scripts use it, with the real age and sops beside it."""

import json
import os
import pty
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import places
from tests.cli.process import Program
from tests.conftest import AgeKey

Tool = Callable[[str], str]

OTHER = "age1jgqqwzlaf09cwk907mmzstq0hq7y8yrcxd8tqrjkj76t4txc99vq6dndxq"


@pytest.fixture
def keys(home: Path) -> Path:
    """Return where sops' own key file is, made or not."""
    return home / "config/sops/age/keys.txt"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


class TestNew:
    def test_it_prints_the_recipient_and_nothing_of_the_key(self, run: Program, keys: Path) -> None:
        ended = run("key", "new")

        assert ended.code == 0
        assert re.fullmatch(r"age1[0-9a-z]{58}\n", ended.out)
        assert "AGE-SECRET" not in ended.out + ended.err
        assert str(keys) in ended.err

    def test_the_file_is_as_age_keygen_writes_it_and_ours_alone(self, run: Program, keys: Path, tool: Tool) -> None:
        recipient = run("key", "new").out.strip()

        created, public, identity = keys.read_text().splitlines()
        assert re.fullmatch(r"# created: \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", created)
        assert public == f"# public key: {recipient}"
        assert identity.startswith("AGE-SECRET-KEY-1")
        assert (mode(keys), mode(keys.parent)) == (0o600, 0o700)
        read_back = subprocess.run([tool("age-keygen"), "-y", keys], capture_output=True, text=True, check=True)
        assert read_back.stdout.strip() == recipient

    def test_the_real_sops_finds_it(self, run: Program, home: Path, tool: Tool, tmp_path: Path) -> None:
        recipient = run("key", "new").out.strip()
        (tmp_path / "a.yaml").write_text("a: b\n")
        environment = {"PATH": os.environ["PATH"], "HOME": str(home), "XDG_CONFIG_HOME": str(home / "config")}

        sops = [tool("sops"), "--config", "/dev/null"]
        subprocess.run([*sops, "encrypt", "-i", "--age", recipient, "a.yaml"], check=True, cwd=tmp_path)
        opened = subprocess.run([*sops, "decrypt", "a.yaml"], check=True, cwd=tmp_path, env=environment,
                                capture_output=True, text=True)  # fmt: skip

        assert opened.stdout == "a: b\n"

    def test_a_second_key_is_added_and_the_first_stays(self, run: Program, keys: Path) -> None:
        run("key", "new")
        first = keys.read_text()

        run("key", "new", "--name", "prod")

        assert keys.read_text().startswith(f"{first}# name: prod\n")

    def test_a_last_line_without_its_end_is_not_joined(self, run: Program, keys: Path, age_key: AgeKey) -> None:
        keys.parent.mkdir(parents=True)
        keys.write_text(age_key.identity)

        run("key", "new")

        assert keys.read_text().startswith(f"{age_key.identity}\n# created")

    def test_output_makes_a_new_file_and_never_overwrites(self, run: Program, keys: Path, tmp_path: Path) -> None:
        path = tmp_path / "prod.key"

        assert run("key", "new", "--output", path).code == 0
        made = path.read_text()
        again = run("key", "new", "--output", path)

        assert again.code != 0
        assert path.read_text() == made
        assert mode(path) == 0o600
        assert not keys.exists()

    def test_a_locked_key_file_is_left_alone(self, run: Program, keys: Path) -> None:
        keys.parent.mkdir(parents=True)
        keys.write_text("-----BEGIN AGE ENCRYPTED FILE-----\n")

        ended = run("key", "new")

        assert ended.code == 1
        assert "is locked with a passphrase" in ended.err
        assert keys.read_text() == "-----BEGIN AGE ENCRYPTED FILE-----\n"

    def test_a_key_file_that_others_can_read_is_warned_of(self, run: Program, keys: Path) -> None:
        run("key", "new")
        keys.chmod(0o644)

        ended = run("key", "new")

        assert f"hint: chmod 600 {keys}" in ended.err

    def test_without_a_home_folder_a_file_is_asked_for(self, run: Program) -> None:
        ended = run("key", "new", env={"HOME": "", "XDG_CONFIG_HOME": ""})

        assert ended.code == 1
        assert ended.err == (
            "sealpy: there is no home folder to keep a key in\nsealpy: hint: name a file with --output\n"
        )

    def test_a_name_with_a_line_end_is_refused(self, run: Program, keys: Path) -> None:
        assert run("key", "new", "--name", "a\nAGE-SECRET-KEY-1").code == 2
        assert not keys.exists()


class TestKeyring:
    @pytest.fixture
    def keyring(self, tmp_path: Path) -> dict[str, str]:
        """Make a keyring in a file the keyring of a process; it stands in for the desktop's."""
        pytest.importorskip("keyring")
        (tmp_path / "file_keyring.py").write_text(
            "import json, pathlib\n"
            "from keyring.backend import KeyringBackend\n"
            f"FILE = pathlib.Path({str(tmp_path / 'keyring')!r})\n"
            "class Keyring(KeyringBackend):\n"
            "    priority = 1\n"
            "    def held(self): return json.loads(FILE.read_text()) if FILE.exists() else {}\n"
            "    def get_password(self, service, name): return self.held().get(f'{service} {name}')\n"
            "    def set_password(self, service, name, password):\n"
            "        FILE.write_text(json.dumps({**self.held(), f'{service} {name}': password}))\n"
        )
        return {"PYTHONPATH": str(tmp_path), "PYTHON_KEYRING_BACKEND": "file_keyring.Keyring"}

    def test_a_key_in_the_keyring_is_listed_and_exported(
        self, run: Program, keyring: dict[str, str], keys: Path, home: Path, tmp_path: Path
    ) -> None:
        recipient = run("key", "new", "--keyring", env=keyring).out.strip()

        assert not keys.exists()
        index = json.loads((home / "config/sealpy/keyring.json").read_text())
        assert index == {"schema": "sealpy.keyring/1", "recipients": [recipient]}
        assert list(json.loads((tmp_path / "keyring").read_text())) == [f"sealpy:age {recipient}"]
        assert run("key", "list").out == f"{recipient}  keyring\n"
        assert "AGE-SECRET-KEY-1" in run("key", "export", "--reveal", recipient, env=keyring).out

    def test_a_keyring_that_keeps_no_secrets_is_refused(self, run: Program, home: Path) -> None:
        ended = run("key", "new", "--keyring", env={"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"})

        assert ended.code == 128
        assert ended.out == ""
        assert "this system has no keyring that keeps secrets" in ended.err
        assert not (home / "config").exists()

    def test_the_desktops_own_keyring_keeps_it(self, run: Program, tmp_path: Path) -> None:
        missing = [name for name in ("dbus-run-session", "gnome-keyring-daemon") if shutil.which(name) is None]
        if missing and not places.IN_CI:
            pytest.skip(f"not installed: {', '.join(missing)}")
        code = "import sys; from sealpy_cli.main import main; sys.exit(main())"
        (tmp_path / "session.sh").write_text(
            "printf password | gnome-keyring-daemon --unlock --components=secrets >/dev/null\n"
            f"sealpy() {{ '{sys.executable}' -c '{code}' \"$@\"; }}\n"
            "recipient=$(sealpy key new --keyring) || exit 1\n"
            "printf 'a: b\\n' > a.yaml\n"
            "sealpy encrypt -i --age $recipient a.yaml && grep ENC a.yaml >/dev/null && sealpy decrypt a.yaml\n"
        )
        (tmp_path / "runtime").mkdir(mode=0o700)

        ended = run(
            program=["dbus-run-session", "--", "sh", str(tmp_path / "session.sh")],
            env={"XDG_RUNTIME_DIR": str(tmp_path / "runtime")},
        )

        assert (ended.code, ended.out) == (0, "a: b\n"), ended.err


class TestList:
    def test_nothing_here_says_what_to_do(self, run: Program) -> None:
        ended = run("key", "list")

        assert (ended.code, ended.out) == (0, "")
        assert 'hint: make one with "sealpy key new"' in ended.err

    def test_every_source_is_named(self, run: Program, keys: Path, age_key: AgeKey, tmp_path: Path) -> None:
        named = run("key", "new", "--name", "prod").out.strip()
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "ssh"], check=True)
        environment = {
            "SOPS_AGE_KEY": age_key.identity,
            "SOPS_AGE_KEY_FILE": "/no/such",
            "SOPS_AGE_KEY_CMD": "touch ran",
            "SOPS_AGE_SSH_PRIVATE_KEY_FILE": str(tmp_path / "ssh"),
        }
        ssh = " ".join((tmp_path / "ssh.pub").read_text().split()[:2])

        shown = run("key", "list", env=environment)
        listed = json.loads(run("key", "list", "--json", env=environment).out)

        assert shown.out.splitlines() == [
            f"{age_key.recipient}  SOPS_AGE_KEY",
            f"{named}  {keys}  prod",
            f"{ssh}  SOPS_AGE_SSH_PRIVATE_KEY_FILE={tmp_path}/ssh",
        ]
        assert listed["schema"] == "sealpy.key-list/1"
        assert [item["recipient"] for item in listed["keys"]] == [age_key.recipient, named, ssh]
        assert listed["unusable"] == [
            {"source": "SOPS_AGE_KEY_FILE=/no/such", "reason": "no such file or directory"},
            {"source": "SOPS_AGE_KEY_CMD", "reason": "not run"},
        ]
        assert not (tmp_path / "work/ran").exists()
        assert "AGE-SECRET" not in shown.out + shown.err


class TestImport:
    def test_from_a_file(self, run: Program, keys: Path, age_key: AgeKey, tmp_path: Path) -> None:
        (tmp_path / "k").write_text(f"# old\n{age_key.identity}\n")

        ended = run("key", "import", tmp_path / "k")

        assert (ended.code, ended.out) == (0, f"{age_key.recipient}\n")
        assert age_key.identity in keys.read_text()
        assert mode(keys) == 0o600

    @pytest.mark.parametrize("words", [["-"], []])
    def test_from_standard_input(self, run: Program, keys: Path, age_key: AgeKey, words: list[str]) -> None:
        ended = run("key", "import", *words, stdin=age_key.identity)

        assert (ended.code, ended.out) == (0, f"{age_key.recipient}\n")
        assert age_key.identity in keys.read_text()

    def test_twice_is_once(self, run: Program, keys: Path, age_key: AgeKey) -> None:
        run("key", "import", stdin=age_key.identity)
        before = keys.read_text()

        ended = run("key", "import", stdin=age_key.identity)

        assert (ended.code, ended.out) == (0, f"{age_key.recipient}\n")
        assert f"is already in {keys}" in ended.err
        assert keys.read_text() == before

    def test_on_a_terminal_it_is_asked_for_and_not_shown(self, home: Path, keys: Path, age_key: AgeKey) -> None:
        shown = on_a_terminal(home, ["key", "import"], age_key.identity)

        assert "private key (AGE-SECRET-KEY-…): " in shown
        assert age_key.identity not in shown
        assert age_key.recipient in shown
        assert age_key.identity in keys.read_text()

    def test_a_key_as_an_argument_is_refused_and_not_repeated(self, run: Program, keys: Path, age_key: AgeKey) -> None:
        ended = run("key", "import", age_key.identity)

        assert ended.code == 1
        assert "was given on the command line" in ended.err
        assert age_key.identity not in ended.err
        assert not keys.exists()

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("", "there is no identity in it"),
            ("hunter2", "line 1 is not an age identity"),
            (OTHER, "line 1 is not an age identity, but a recipient, which is public"),
        ],
    )
    def test_what_is_no_key_is_refused_by_line(self, run: Program, keys: Path, text: str, why: str) -> None:
        ended = run("key", "import", "-", stdin=text)

        assert ended.code == 128
        assert ended.err.startswith(f"sealpy: standard input: {why}\n")
        assert "hunter2" not in ended.err
        assert not keys.exists()

    def test_an_ssh_key_stays_where_it_is(self, run: Program, tmp_path: Path) -> None:
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "ssh"], check=True)

        ended = run("key", "import", tmp_path / "ssh")

        assert ended.code == 1
        assert "SOPS_AGE_SSH_PRIVATE_KEY_FILE" in ended.err

    def test_a_missing_file(self, run: Program) -> None:
        ended = run("key", "import", "nowhere.txt")

        assert ended.code != 0
        assert ended.err == "sealpy: nowhere.txt: no such file or directory\n"


class TestExport:
    def test_it_needs_to_be_told_where(self, run: Program, age_key: AgeKey) -> None:
        environment = {"SOPS_AGE_KEY": age_key.identity}

        ended = run("key", "export", age_key.recipient, env=environment)

        assert (ended.code, ended.out) == (1, "")
        assert "hint: --output FILE writes a file, --reveal prints it" in ended.err

    def test_reveal_prints_it_as_a_key_file(self, run: Program, age_key: AgeKey) -> None:
        ended = run("key", "export", "--reveal", age_key.recipient, env={"SOPS_AGE_KEY": age_key.identity})

        assert ended.code == 0
        assert ended.out.endswith(f"# public key: {age_key.recipient}\n{age_key.identity}\n")

    def test_reveal_is_refused_in_ci(self, run: Program, age_key: AgeKey) -> None:
        environment = {"SOPS_AGE_KEY": age_key.identity, "CI": "true"}

        ended = run("key", "export", "--reveal", age_key.recipient, env=environment)

        assert (ended.code, ended.out) == (1, "")

    def test_output_writes_a_file_of_ours_alone(self, run: Program, age_key: AgeKey, tmp_path: Path) -> None:
        path = tmp_path / "backup"
        environment = {"SOPS_AGE_KEY": age_key.identity}

        ended = run("key", "export", "--output", path, age_key.recipient, env=environment)
        again = run("key", "export", "--output", path, age_key.recipient, env=environment)

        assert (ended.code, ended.out) == (0, "")
        assert path.read_text().endswith(f"{age_key.identity}\n")
        assert mode(path) == 0o600
        assert again.code != 0

    def test_an_unknown_recipient_says_what_is_here(self, run: Program, age_key: AgeKey) -> None:
        ended = run("key", "export", "--reveal", OTHER, env={"SOPS_AGE_KEY": age_key.identity})

        assert (ended.code, ended.out) == (128, "")
        assert f"tried {age_key.recipient} (SOPS_AGE_KEY)" in ended.err

    def test_an_ssh_key_is_not_handed_out(self, run: Program, tmp_path: Path) -> None:
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "ssh"], check=True)
        line = (tmp_path / "ssh.pub").read_text().strip()

        ended = run("key", "export", "--reveal", line, env={"SOPS_AGE_SSH_PRIVATE_KEY_FILE": str(tmp_path / "ssh")})

        assert (ended.code, ended.out) == (128, "")
        assert "it is an SSH key" in ended.err


class TestRecipient:
    def test_it_is_age_keygen_y(self, run: Program, tool: Tool, age_key: AgeKey, tmp_path: Path) -> None:
        pq = subprocess.run([tool("age-keygen"), "-pq"], capture_output=True, text=True, check=True).stdout
        (tmp_path / "k").write_text(f"{age_key.identity}\n{pq}")
        theirs = subprocess.run([tool("age-keygen"), "-y", tmp_path / "k"], capture_output=True, text=True, check=True)

        ours = run("key", "recipient", tmp_path / "k")

        assert (ours.code, ours.out, ours.err) == (0, theirs.stdout, "")

    def test_from_standard_input(self, run: Program, age_key: AgeKey) -> None:
        assert run("key", "recipient", stdin=age_key.identity).out == f"{age_key.recipient}\n"


def on_a_terminal(home: Path, words: list[str], typed: str) -> str:
    """Run sealpy on a terminal of its own, type one line at the first question, and return all that was shown."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "XDG_CONFIG_HOME": str(home / "config")}
    child, screen = pty.fork()
    if child == 0:
        program = "import sys; sys.argv[0] = 'sealpy'; from sealpy_cli.main import main; sys.exit(main())"
        os.execve(sys.executable, [sys.executable, "-c", program, *words], environment)
    shown = b""
    asked = False
    while True:
        try:
            block = os.read(screen, 4096)
        except OSError:
            break
        if not block:
            break
        shown += block
        if not asked and b": " in shown:
            asked = True
            os.write(screen, typed.encode() + b"\n")
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0, shown
    return shown.decode()


@pytest.mark.parametrize("kind", ["x25519", "post-quantum", "ed25519", "rsa"])
def test_sops_and_sealpy_open_each_others_files_for_every_kind_of_key(
    run: Program, tool: Tool, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "key"
    if kind in ("ed25519", "rsa"):
        subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "ann@host", "-f", path], check=True)
        recipient = path.with_suffix(".pub").read_text().strip()
        key = {"SOPS_AGE_SSH_PRIVATE_KEY_FILE": str(path)}
    else:
        options = ["-pq"] if kind == "post-quantum" else []
        subprocess.run([tool("age-keygen"), *options, "-o", path], check=True, capture_output=True)
        recipient = run("key", "recipient", path).out.strip()
        key = {"SOPS_AGE_KEY_FILE": str(path)}
    sops = [tool("sops"), "--config", "/dev/null"]
    run.write("ours.yaml", "a: b\n")
    run.write("theirs.yaml", "a: b\n")

    assert run("encrypt", "-i", "--age", recipient, "ours.yaml").code == 0
    assert run("encrypt", "-i", "--age", recipient, "theirs.yaml", program=sops).code == 0

    assert run("decrypt", "ours.yaml", program=sops, env=key).out == "a: b\n"
    assert run("decrypt", "theirs.yaml", env=key).out == "a: b\n"
    assert f"recipient: {recipient}\n" in run.read("ours.yaml")
