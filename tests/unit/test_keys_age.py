"""The age back end, both ways against the real age."""

import os
import pty
import re
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sealpy.errors import KeyServiceError, NotMyKey
from sealpy.identities import Identities
from sealpy.keys import age_identity, bech32
from sealpy.keys.age import AgeBackend, armor, dearmor
from sealpy.secret import KeyPart, Secret
from tests.conftest import AgeKey

PART = KeyPart(bytes(range(32)))
NOT_OURS = "age1jgqqwzlaf09cwk907mmzstq0hq7y8yrcxd8tqrjkj76t4txc99vq6dndxq"

Tool = Callable[[str], str]


class Person:
    """Answers every question with the same passphrase, and keeps what was asked and shown."""

    def __init__(self, answer: str | None) -> None:
        self.answer = answer
        self.asked: list[str] = []
        self.shown: list[str] = []

    def ask_secret(self, question: str) -> Secret[str] | None:
        self.asked.append(question)
        return None if self.answer is None else Secret(self.answer)

    def show(self, message: str) -> None:
        self.shown.append(message)


def backend(prompt: Person | None = None, **environ: str | Path) -> AgeBackend:
    """Return a back end that sees these variables and no home folder's keys."""
    return AgeBackend(Identities({name: str(value) for name, value in environ.items()}, home="/nowhere", prompt=prompt))


def encrypted_by_age(tool: Tool, recipient: str, content: bytes) -> str:
    made = subprocess.run([tool("age"), "-a", "-r", recipient], input=content, capture_output=True, check=True)
    return made.stdout.decode()


def decrypted_by_age(tool: Tool, identity_file: Path, text: object) -> bytes:
    command = [tool("age"), "-d", "-i", str(identity_file)]
    return subprocess.run(command, input=str(text).encode(), capture_output=True, check=True).stdout


def ssh_key(folder: Path, kind: str, *options: str, passphrase: str = "") -> tuple[Path, str]:
    path = folder / f"id_{kind}"
    command = ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", "ann@example.com", "-f", str(path), *options]
    subprocess.run(command, check=True)
    return path, path.with_suffix(".pub").read_text().strip()


@pytest.fixture
def pq_key(tool: Tool, tmp_path: Path) -> tuple[Path, str]:
    path = tmp_path / "pq.txt"
    subprocess.run([tool("age-keygen"), "-pq", "-o", str(path)], check=True, capture_output=True)
    found = re.search(r"public key: (age1pq1\S+)", path.read_text())
    assert found
    return path, found[1]


@pytest.fixture
def plugin(tmp_path: Path) -> dict[str, str]:
    """Put a real plugin on PATH; return a PATH with it, its recipient and its identity."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "age-plugin-testing"
    source = Path(__file__).with_name("age_plugin_testing.py").read_text()
    program.write_text(f"#!{sys.executable}\n{source}")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    os.environ["PATH"] = f"{folder}:{os.environ['PATH']}"
    return {
        "recipient": bech32.encode("age1testing", b"anything"),
        "identity": bech32.encode("age-plugin-testing-", b"anything").upper(),
    }


class TestX25519:
    def test_what_we_wrap_age_opens(self, tool: Tool, age_key: AgeKey, tmp_path: Path) -> None:
        (tmp_path / "key").write_text(age_key.identity)

        entry = backend().wrap(age_key.recipient, PART)

        assert entry["recipient"] == age_key.recipient
        assert decrypted_by_age(tool, tmp_path / "key", entry["enc"]) == PART.expose()

    def test_what_age_wraps_we_open(self, tool: Tool, age_key: AgeKey) -> None:
        entry = {"recipient": age_key.recipient, "enc": encrypted_by_age(tool, age_key.recipient, PART.expose())}

        assert backend(SOPS_AGE_KEY=age_key.identity).unwrap(entry) == PART

    def test_blank_space_around_a_recipient_is_not_stored(self, age_key: AgeKey) -> None:
        assert backend().wrap(f"  {age_key.recipient}\n", PART)["recipient"] == age_key.recipient

    def test_another_identity_does_not_fit(self, age_key: AgeKey) -> None:
        entry = backend().wrap(NOT_OURS, PART)

        with pytest.raises(NotMyKey) as caught:
            backend(SOPS_AGE_KEY=age_key.identity).unwrap(entry)

        assert caught.value.message == f"tried {age_key.recipient} (SOPS_AGE_KEY)"

    def test_an_entry_under_another_label_opens_as_in_sops(self, age_key: AgeKey) -> None:
        entry = {**backend().wrap(age_key.recipient, PART), "recipient": NOT_OURS}

        assert backend(SOPS_AGE_KEY=age_key.identity).unwrap(entry) == PART

    def test_a_share_of_33_bytes_comes_back(self, age_key: AgeKey) -> None:
        share = KeyPart(bytes(33))

        entry = backend().wrap(age_key.recipient, share)

        assert backend(SOPS_AGE_KEY=age_key.identity).unwrap(entry) == share

    def test_a_damaged_entry_is_not_someone_elses(self, age_key: AgeKey) -> None:
        binary = bytearray(dearmor(backend().wrap(age_key.recipient, PART)["enc"]))
        binary[-1] ^= 1

        with pytest.raises(KeyServiceError) as caught:
            backend(SOPS_AGE_KEY=age_key.identity).unwrap({"enc": armor(bytes(binary))})

        assert caught.value.message == "the wrapped data key is damaged"
        assert caught.value.__context__ is None


class TestPostQuantum:
    def test_what_we_wrap_age_opens(self, tool: Tool, pq_key: tuple[Path, str]) -> None:
        entry = backend().wrap(pq_key[1], PART)

        assert decrypted_by_age(tool, pq_key[0], entry["enc"]) == PART.expose()

    def test_what_age_wraps_we_open(self, tool: Tool, pq_key: tuple[Path, str]) -> None:
        entry = {"recipient": pq_key[1], "enc": encrypted_by_age(tool, pq_key[1], PART.expose())}

        assert backend(SOPS_AGE_KEY_FILE=pq_key[0]).unwrap(entry) == PART

    def test_its_identity_is_recognised_by_its_recipient(self, pq_key: tuple[Path, str]) -> None:
        assert backend(SOPS_AGE_KEY_FILE=pq_key[0]).recognises({"recipient": pq_key[1]})

    def test_it_does_not_fit_an_x25519_file_and_the_other_way_round(
        self, age_key: AgeKey, pq_key: tuple[Path, str]
    ) -> None:
        for_pq = backend().wrap(pq_key[1], PART)
        for_x25519 = backend().wrap(age_key.recipient, PART)

        with pytest.raises(NotMyKey):
            backend(SOPS_AGE_KEY_FILE=pq_key[0]).unwrap(for_x25519)
        with pytest.raises(NotMyKey):
            backend(SOPS_AGE_KEY=age_key.identity).unwrap(for_pq)

    def test_no_flipped_bit_opens(self, pq_key: tuple[Path, str]) -> None:
        whole = backend(SOPS_AGE_KEY_FILE=pq_key[0])
        binary = dearmor(whole.wrap(pq_key[1], PART)["enc"])

        for place in range(0, len(binary), 7):
            damaged = bytearray(binary)
            damaged[place] ^= 1
            with pytest.raises((KeyServiceError, NotMyKey)):
                whole.unwrap({"recipient": pq_key[1], "enc": armor(bytes(damaged))})

    def test_no_truncation_opens(self, pq_key: tuple[Path, str]) -> None:
        whole = backend(SOPS_AGE_KEY_FILE=pq_key[0])
        binary = dearmor(whole.wrap(pq_key[1], PART)["enc"])

        for length in range(1, len(binary), 13):
            with pytest.raises((KeyServiceError, NotMyKey)):
                whole.unwrap({"recipient": pq_key[1], "enc": armor(binary[:length])})


class TestSsh:
    @pytest.mark.parametrize("kind", ["ed25519", "rsa"])
    def test_what_we_wrap_age_opens(self, tool: Tool, tmp_path: Path, kind: str) -> None:
        path, line = ssh_key(tmp_path, kind)

        entry = backend().wrap(line, PART)

        assert entry["recipient"] == line
        assert decrypted_by_age(tool, path, entry["enc"]) == PART.expose()

    @pytest.mark.parametrize("kind", ["ed25519", "rsa"])
    def test_what_age_wraps_we_open(self, tool: Tool, tmp_path: Path, kind: str) -> None:
        path, line = ssh_key(tmp_path, kind)
        entry = {"recipient": line, "enc": encrypted_by_age(tool, line, PART.expose())}

        assert backend(SOPS_AGE_SSH_PRIVATE_KEY_FILE=path).unwrap(entry) == PART

    def test_a_key_in_the_old_pem_form_opens(self, tmp_path: Path) -> None:
        path, line = ssh_key(tmp_path, "rsa", "-m", "PEM")
        assert path.read_text().startswith("-----BEGIN RSA PRIVATE KEY-----")

        entry = backend().wrap(line, PART)

        assert backend(SOPS_AGE_SSH_PRIVATE_KEY_FILE=path).unwrap(entry) == PART

    def test_it_is_recognised_whatever_the_comment(self, tmp_path: Path) -> None:
        path, line = ssh_key(tmp_path, "ed25519")
        other_comment = " ".join([*line.split()[:2], "bob@example.com"])

        assert backend(SOPS_AGE_SSH_PRIVATE_KEY_FILE=path).recognises({"recipient": other_comment})

    @pytest.mark.parametrize("form", ["RFC4716", "PEM"])
    def test_a_locked_key_asks_for_its_passphrase_once(self, tmp_path: Path, form: str) -> None:
        pytest.importorskip("bcrypt") if form == "RFC4716" else None
        kind = "ed25519" if form == "RFC4716" else "rsa"
        path, line = ssh_key(tmp_path, kind, "-m", form, passphrase="open sesame")
        person = Person("open sesame")
        ours = backend(person, SOPS_AGE_SSH_PRIVATE_KEY_FILE=path)

        assert ours.unwrap(ours.wrap(line, PART)) == PART
        assert ours.unwrap(ours.wrap(line, PART)) == PART

        assert person.asked == [f"passphrase for {path}"]

    def test_a_locked_key_of_another_recipient_asks_nobody(self, tmp_path: Path, age_key: AgeKey) -> None:
        path, _ = ssh_key(tmp_path, "ed25519", passphrase="open sesame")
        person = Person("open sesame")

        with pytest.raises(NotMyKey):
            backend(person, SOPS_AGE_SSH_PRIVATE_KEY_FILE=path).unwrap(backend().wrap(NOT_OURS, PART))

        assert person.asked == []

    def test_a_wrong_passphrase_is_said_and_not_asked_again(self, tmp_path: Path) -> None:
        path, line = ssh_key(tmp_path, "rsa", "-m", "PEM", passphrase="open sesame")
        person = Person("close sesame")
        ours = backend(person, SOPS_AGE_SSH_PRIVATE_KEY_FILE=path)

        for _ in range(2):
            with pytest.raises(NotMyKey, match="the passphrase does not unlock it") as caught:
                ours.unwrap(ours.wrap(line, PART))

        assert len(person.asked) == 1
        assert "sesame" not in str(caught.value)

    def test_an_ecdsa_key_is_refused_by_its_kind(self, tmp_path: Path) -> None:
        path, line = ssh_key(tmp_path, "ecdsa")

        with pytest.raises(KeyServiceError, match="age takes only ssh-ed25519 and ssh-rsa"):
            backend().wrap(f"ssh-{line}", PART)
        with pytest.raises(NotMyKey, match="its type is ecdsa-sha2-nistp256"):
            backend(SOPS_AGE_SSH_PRIVATE_KEY_FILE=path).unwrap(backend().wrap(NOT_OURS, PART))


class TestPlugins:
    def test_a_plugin_wraps_and_unwraps(self, plugin: dict[str, str]) -> None:
        person = Person(None)
        entry = backend().wrap(plugin["recipient"], PART)

        assert backend(person, SOPS_AGE_KEY=plugin["identity"]).unwrap(entry) == PART
        assert person.shown == ["touch the \x1b[31mtesting key"]

    def test_age_opens_it_with_the_same_plugin(self, tool: Tool, plugin: dict[str, str], tmp_path: Path) -> None:
        (tmp_path / "key").write_text(plugin["identity"])

        entry = backend().wrap(plugin["recipient"], PART)

        assert decrypted_by_age(tool, tmp_path / "key", entry["enc"]) == PART.expose()

    def test_a_plugin_may_ask_for_a_pin(self, plugin: dict[str, str]) -> None:
        os.environ["TESTING_PIN"] = "1234"
        entry = backend().wrap(plugin["recipient"], PART)

        assert backend(Person("1234"), SOPS_AGE_KEY=plugin["identity"]).unwrap(entry) == PART
        with pytest.raises(NotMyKey, match="the testing key wants its PIN"):
            backend(Person("9999"), SOPS_AGE_KEY=plugin["identity"]).unwrap(entry)

    def test_a_plugin_is_not_run_while_an_identity_at_hand_fits(self, plugin: dict[str, str], age_key: AgeKey) -> None:
        person = Person(None)
        entry = backend().wrap(age_key.recipient, PART)

        unwrapped = backend(person, SOPS_AGE_KEY=f"{plugin['identity']} {age_key.identity}").unwrap(entry)

        assert unwrapped == PART
        assert person.shown == []

    def test_a_missing_plugin_is_named(self) -> None:
        recipient = bech32.encode("age1absent", b"x")

        with pytest.raises(KeyServiceError) as caught:
            backend().wrap(recipient, PART)

        assert caught.value.message == "the program age-plugin-absent is not on PATH"
        assert caught.value.hint == "install age-plugin-absent"

    def test_a_missing_plugin_is_a_reason_and_stops_nothing(self, age_key: AgeKey) -> None:
        absent = bech32.encode("age-plugin-absent-", b"x").upper()

        with pytest.raises(NotMyKey, match="SOPS_AGE_KEY: the program age-plugin-absent is not on PATH"):
            backend(SOPS_AGE_KEY=f"{absent} {age_key.identity}").unwrap(backend().wrap(NOT_OURS, PART))


class TestRecipients:
    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("", "a recipient begins with age1, ssh-ed25519 or ssh-rsa"),
            ("ann", "a recipient begins with age1, ssh-ed25519 or ssh-rsa"),
            (NOT_OURS[:-1], "its checksum does not fit"),
            (NOT_OURS[:-1] + "p", "its checksum does not fit"),
            ("age1pq1" + "q" * 40, "its checksum or length does not fit"),
            ("age1yubikey1" + "q" * 40, "its checksum does not fit"),
            ("ssh-ed25519 AAAA", "the key is damaged or too short"),
            ("ssh-dss AAAA", "age takes only ssh-ed25519 and ssh-rsa"),
        ],
    )
    def test_what_is_no_recipient_is_said_with_the_reason(self, text: str, why: str) -> None:
        with pytest.raises(KeyServiceError) as caught:
            backend().wrap(text, PART)

        assert caught.value.message.endswith(f"is not an age recipient: {why}")
        assert caught.value.hint

    def test_a_private_key_in_its_place_is_never_repeated(self, age_key: AgeKey, pq_key: tuple[Path, str]) -> None:
        secrets = [age_key.identity, age_key.identity.lower(), f" x{age_key.identity}", pq_key[0].read_text()]
        for secret in secrets:
            with pytest.raises(KeyServiceError) as caught:
                backend().wrap(secret, PART)

            assert "a private key was given" in caught.value.message
            assert age_key.identity[-20:].lower() not in f"{caught.value.message}{caught.value.hint}".lower()
            assert "PQ" not in f"{caught.value.message}{caught.value.hint}"

    def test_control_characters_are_not_repeated(self) -> None:
        with pytest.raises(KeyServiceError) as caught:
            backend().wrap("age\x1b[31m\n", PART)

        assert caught.value.message.isprintable()


class TestArmor:
    @pytest.mark.parametrize("length", [1, 47, 48, 49, 95, 96, 97, 200])
    def test_it_is_spelt_as_age_spells_it(self, tool: Tool, age_key: AgeKey, length: int) -> None:
        theirs = encrypted_by_age(tool, age_key.recipient, b"x" * length)

        assert armor(dearmor(theirs)) == theirs

    def test_blank_space_around_it_and_crlf_are_fine(self, age_key: AgeKey) -> None:
        text = str(backend().wrap(age_key.recipient, PART)["enc"])

        assert dearmor("\n \n" + text.replace("\n", "\r\n") + "\n\n") == dearmor(text)
        assert dearmor(text.rstrip("\n")) == dearmor(text)

    @pytest.mark.parametrize("damage", ["indented", "wide", "cut", "other", "blank line", "binary", "empty", "number"])
    def test_anything_else_is_refused(self, age_key: AgeKey, damage: str) -> None:
        text = str(backend().wrap(age_key.recipient, PART)["enc"])
        lines = text.split("\n")
        damaged: dict[str, object] = {
            "indented": text.replace("\n", "\n  "),
            "wide": "\n".join([lines[0], lines[1] + lines[2], *lines[3:]]),
            "cut": text[:200],
            "other": text.replace(lines[2], "*" * 64),
            "blank line": "\n".join([*lines[:2], "", *lines[2:]]),
            "binary": dearmor(text).decode("latin-1"),
            "empty": "",
            "number": 5,
        }

        with pytest.raises(KeyServiceError, match="is not an armored age file"):
            dearmor(damaged[damage])


class TestLockedIdentityFile:
    @pytest.mark.parametrize("form", [[], ["-a"]])
    def test_it_asks_once_for_many_files(self, tool: Tool, tmp_path: Path, age_key: AgeKey, form: list[str]) -> None:
        path = tmp_path / "keys.txt"
        (tmp_path / "clear").write_text(f"# mine\n{age_key.identity}\n")
        locked_by_age([tool("age"), "-p", *form, "-o", str(path), str(tmp_path / "clear")], "open sesame")
        person = Person("open sesame")
        ours = backend(person, SOPS_AGE_KEY_FILE=path)

        for _ in range(3):
            assert ours.unwrap(ours.wrap(age_key.recipient, PART)) == PART

        assert person.asked == [f"passphrase for {path}"]

    @pytest.mark.parametrize("answer", ["close sesame", None])
    def test_without_the_passphrase_the_reason_is_told(
        self, tool: Tool, tmp_path: Path, age_key: AgeKey, answer: str | None
    ) -> None:
        path = tmp_path / "keys.txt"
        (tmp_path / "clear").write_text(age_key.identity)
        locked_by_age([tool("age"), "-p", "-o", str(path), str(tmp_path / "clear")], "open sesame")
        ours = backend(Person(answer), SOPS_AGE_KEY_FILE=path)

        with pytest.raises(NotMyKey) as caught:
            ours.unwrap(ours.wrap(age_key.recipient, PART))

        reason = "it is locked with a passphrase, and none was given"
        if answer:
            reason = "the passphrase does not unlock it"
        assert caught.value.message == f"no age identity was found; SOPS_AGE_KEY_FILE={path}: {reason}"


def locked_by_age(command: list[str], passphrase: str) -> None:
    """Run ``age -p``, which takes a passphrase from a terminal only, twice."""
    child, screen = pty.fork()
    if child == 0:
        os.execv(command[0], command)
    shown = b""
    asked = 0
    while True:
        try:
            block = os.read(screen, 4096)
        except OSError:
            break
        shown += block
        if shown.count(b": ") > asked:
            asked = shown.count(b": ")
            os.write(screen, passphrase.encode() + b"\r")
        if not block:
            break
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0, shown


def test_an_identity_never_shows_itself(age_key: AgeKey) -> None:
    identity = age_identity.parse_lines(age_key.identity)[0]

    assert age_key.identity not in f"{identity!r} {identity} {identity.text} {identity.text!r}"
