"""Data keys over key groups: with real age keys, and with simulated back ends where it counts who is asked."""

import json
import os
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import yaml

from sealpy import metadata, registry
from sealpy.cipher import Cipher
from sealpy.errors import BackendMissing, DataKeyUnavailable, KeyServiceError, NotMyKey, Refused
from sealpy.identities import Identities
from sealpy.keyring import Keyring
from sealpy.keys import Backend, WrappedKey, age_identity
from sealpy.metadata import Metadata
from sealpy.secret import DataKey, KeyPart

DATA_KEY = DataKey(bytes(range(32)))


class Service:
    """A back end that opens the labels it knows, and counts who asked for what."""

    def __init__(self, name: str, *known: str) -> None:
        self.name = name
        self.known = known
        self.calls: list[str] = []
        self.recognised: tuple[str, ...] = ()

    def wrap(self, text: str, part: KeyPart) -> Mapping[str, object]:
        return {"recipient": text, "fp": text, "enc": f"{self.name}:{text}"}

    def unwrap(self, entry: Mapping[str, object]) -> KeyPart:
        label = str(entry["recipient"])
        self.calls.append(label)
        if label == "broken":
            raise KeyServiceError("the service is down", retryable=True)
        if label not in self.known:
            raise NotMyKey(f"tried {', '.join(self.known)}", hint="ask them")
        return KeyPart(b"short") if label == "short" else KeyPart(DATA_KEY.expose())

    def recognises(self, entry: Mapping[str, object]) -> bool:
        return entry["recipient"] in self.recognised


def keyring(*services: Service, **options: tuple[str, ...]) -> Keyring:
    def look_up(name: str) -> Backend:
        for service in services:
            if service.name == name:
                return service
        raise BackendMissing(f"{name} keys are not supported yet", hint="install it")

    return Keyring(look_up, **options)


def sealed_for(*labels: str, groups: int = 1, threshold: int = 0) -> Metadata:
    """Return metadata for labels such as ``age:ann``."""
    keys = []
    for label in labels:
        backend, _, name = label.partition(":")
        keys.append(WrappedKey(backend, {"recipient": name, "fp": name, "arn": name, "enc": f"{label} wrapped"}))
    return metadata.fresh((tuple(keys),) * groups, selection=None, mac_only_encrypted=False, threshold=threshold)


class TestOneGroup:
    def test_the_first_key_that_opens_is_enough(self) -> None:
        age = Service("age", "bob", "eve")

        assert keyring(age).open(sealed_for("age:ann", "age:bob", "age:eve")) == DATA_KEY
        assert age.calls == ["ann", "bob"]

    def test_age_comes_before_pgp_and_others_after(self) -> None:
        age, pgp, kms = Service("age"), Service("pgp"), Service("kms")
        everyone = sealed_for("kms:k", "pgp:p", "age:a")

        with pytest.raises(DataKeyUnavailable) as caught:
            keyring(age, pgp, kms).open(everyone)

        assert [label for label, _ in caught.value.attempts][:2] == ["a", "p"]
        assert (age.calls, pgp.calls, kms.calls) == (["a"], ["p"], ["k"])

    def test_the_order_can_be_chosen(self) -> None:
        age, pgp = Service("age", "a"), Service("pgp", "p")

        keyring(age, pgp, order=("pgp", "age")).open(sealed_for("age:a", "pgp:p"))

        assert (age.calls, pgp.calls) == ([], ["p"])

    def test_what_is_recognised_comes_before_what_might_ask(self) -> None:
        age = Service("age", "bob")
        age.recognised = ("bob",)

        keyring(age).open(sealed_for("age:ann", "age:bob"))

        assert age.calls == ["bob"]

    def test_a_broken_service_and_a_missing_one_stop_no_other_key(self) -> None:
        age = Service("age", "ann")

        assert keyring(age).open(sealed_for("kms:k", "age:broken", "age:short", "age:ann")) == DATA_KEY

    def test_what_is_no_data_key_is_refused(self) -> None:
        with pytest.raises(DataKeyUnavailable, match="what it wraps is no data key"):
            keyring(Service("age", "short")).open(sealed_for("age:short"))


class TestMemory:
    def test_the_same_wrapped_key_is_unwrapped_once(self) -> None:
        age = Service("age", "ann")
        ring = keyring(age)

        for _ in range(3):
            ring.open(sealed_for("age:ann"))

        assert age.calls == ["ann"]

    def test_another_file_for_the_same_recipient_is_unwrapped_anew(self) -> None:
        age = Service("age", "ann")
        ring = keyring(age)

        ring.open(sealed_for("age:ann"))
        other = WrappedKey("age", {"recipient": "ann", "enc": "another"})
        ring.open(metadata.fresh(((other,),), selection=None, mac_only_encrypted=False))

        assert age.calls == ["ann", "ann"]

    def test_a_recipient_that_is_not_ours_is_asked_once(self) -> None:
        age = Service("age")
        ring = keyring(age)

        for _ in range(3):
            with pytest.raises(DataKeyUnavailable, match="it is sealed for ann; tried") as caught:
                ring.open(sealed_for("age:ann"))
            assert caught.value.hint == "ask them"

        assert age.calls == ["ann"]

    def test_an_entry_that_lies_about_its_recipient_locks_no_other_file(self, pairs: list[tuple[Path, str]]) -> None:
        (mine, recipient), (_, theirs), *_ = pairs
        ((lie,),) = real_keyring().close(DATA_KEY, [[("age", theirs)]])
        ((mine_too,),) = real_keyring().close(DATA_KEY, [[("age", recipient)]])
        liar = WrappedKey("age", {**lie.entry, "recipient": recipient})
        ours = real_keyring(mine)

        with pytest.raises(DataKeyUnavailable, match="its identity is here and does not fit"):
            ours.open(metadata.fresh(((liar,),), selection=None, mac_only_encrypted=False))

        assert ours.open(metadata.fresh(((mine_too,),), selection=None, mac_only_encrypted=False)) == DATA_KEY

    def test_a_service_that_was_down_is_asked_again(self) -> None:
        age = Service("age")
        ring = keyring(age)

        for _ in range(2):
            with pytest.raises(DataKeyUnavailable, match="the service is down"):
                ring.open(sealed_for("age:broken"))

        assert age.calls == ["broken", "broken"]

    def test_threads_share_it(self) -> None:
        ring = keyring(Service("age", *(f"r{n}" for n in range(50))))
        opened: list[DataKey] = []

        def work() -> None:
            opened.extend(ring.open(sealed_for(f"age:r{n % 50}")) for n in range(500))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert opened == [DATA_KEY] * 2000

    def test_it_works_after_a_fork(self) -> None:
        ring = keyring(Service("age", "ann", "bob"))
        ring.open(sealed_for("age:ann"))

        child = os.fork()
        if child == 0:
            both = ring.open(sealed_for("age:ann")), ring.open(sealed_for("age:bob"))
            os._exit(7 if both == (DATA_KEY, DATA_KEY) else 1)
        _, status = os.waitpid(child, 0)

        assert os.waitstatus_to_exitcode(status) == 7


class TestMessages:
    def test_it_names_recipients_reasons_and_next_steps(self) -> None:
        with pytest.raises(DataKeyUnavailable) as caught:
            keyring(Service("age", "eve")).open(sealed_for("age:ann", "age:bob", "kms:k"))

        assert caught.value.message == (
            "no key here opens it: it is sealed for ann, bob; tried eve; "
            "it is sealed for k; kms keys are not supported yet"
        )
        assert caught.value.hint == "ask them; install it"
        assert caught.value.attempts == (
            ("ann", "tried eve"),
            ("bob", "tried eve"),
            ("k", "kms keys are not supported yet"),
        )

    def test_a_label_cannot_speak_to_the_terminal(self) -> None:
        with pytest.raises(DataKeyUnavailable) as caught:
            keyring(Service("age")).open(sealed_for("age:\x1b[2Jann\n"))

        assert caught.value.message.isprintable()

    def test_a_long_label_is_cut(self) -> None:
        with pytest.raises(DataKeyUnavailable) as caught:
            keyring(Service("age")).open(sealed_for("age:age1pq1" + "q" * 2000))

        assert len(caught.value.message) < 120

    def test_a_private_key_in_a_recipients_place_is_not_repeated(self) -> None:
        secret = age_identity.generate().text.expose()

        with pytest.raises(DataKeyUnavailable) as caught:
            keyring(Service("age")).open(sealed_for(f"age:{secret}"))

        assert secret not in caught.value.message


@pytest.fixture
def pairs(tmp_path: Path) -> list[tuple[Path, str]]:
    """Make three identity files and their recipients."""
    made = [age_identity.generate() for _ in range(3)]
    paths = [tmp_path / f"key{number}" for number in range(3)]
    for path, identity in zip(paths, made, strict=True):
        path.write_text(identity.text.expose())
    return [(path, identity.recipients[0]) for path, identity in zip(paths, made, strict=True)]


def real_keyring(*paths: Path) -> Keyring:
    text = "\n".join(path.read_text() for path in paths)
    return Keyring(registry.backends(Identities({"SOPS_AGE_KEY": text}, home="/nowhere")))


def encrypted_by_sops(tool: Callable[[str], str], folder: Path, rule: Mapping[str, object]) -> Metadata:
    (folder / ".sops.yaml").write_text(json.dumps({"creation_rules": [rule]}))
    (folder / "plain.yaml").write_text("a: b\n")
    command = [tool("sops"), "encrypt", "plain.yaml"]
    made = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return metadata.parse(yaml.safe_load(made.stdout)["sops"])


class TestShamir:
    def test_any_two_of_three_groups_give_the_same_data_key(
        self, tool: Callable[[str], str], tmp_path: Path, pairs: list[tuple[Path, str]]
    ) -> None:
        groups = [{"age": [recipient]} for _, recipient in pairs]
        sealed = encrypted_by_sops(tool, tmp_path, {"shamir_threshold": 2, "key_groups": groups})
        (one, _), (two, _), (three, _) = pairs

        keys = [
            real_keyring(*some).open(sealed) for some in [(one, two), (one, three), (two, three), (one, two, three)]
        ]

        assert keys == [keys[0]] * 4
        mac = Cipher(keys[0]).open(sealed.mac, sealed.mac_additional_data())
        assert mac is not None, "it is not the data key that sops sealed the MAC with"

    def test_one_of_three_is_not_enough(
        self, tool: Callable[[str], str], tmp_path: Path, pairs: list[tuple[Path, str]]
    ) -> None:
        groups = [{"age": [recipient]} for _, recipient in pairs]
        sealed = encrypted_by_sops(tool, tmp_path, {"shamir_threshold": 2, "key_groups": groups})

        with pytest.raises(DataKeyUnavailable, match="1 more of its 3 key groups must open") as caught:
            real_keyring(pairs[1][0]).open(sealed)

        assert [label for label, _ in caught.value.attempts] == [pairs[0][1], pairs[2][1]]

    def test_it_stops_at_the_threshold(self) -> None:
        class Shares(Service):
            def unwrap(self, entry: Mapping[str, object]) -> KeyPart:
                super().unwrap(entry)
                return KeyPart(bytes(32) + bytes([len(self.calls)]))

        age = Shares("age", "a", "b", "c")
        groups = tuple(sealed_for(f"age:{name}").groups[0] for name in "abc")

        opened = keyring(age).open(metadata.fresh(groups, selection=None, mac_only_encrypted=False, threshold=2))

        assert opened == DataKey(bytes(32))
        assert age.calls == ["a", "b"]

    def test_the_same_share_twice_is_refused(self) -> None:
        class Share(Service):
            def unwrap(self, entry: Mapping[str, object]) -> KeyPart:
                return KeyPart(bytes(32) + b"\x01")

        with pytest.raises(DataKeyUnavailable, match="the shares of its key groups do not fit together"):
            keyring(Share("age")).open(sealed_for("age:a", groups=2, threshold=2))


class TestClose:
    def test_every_recipient_can_open(self, pairs: list[tuple[Path, str]]) -> None:
        group = [("age", recipient) for _, recipient in pairs]

        groups = real_keyring(pairs[0][0]).close(DATA_KEY, [group])

        assert [key.label for key in groups[0]] == [recipient for _, recipient in pairs]
        for path, recipient in pairs:
            (entry,) = [key for key in groups[0] if key.label == recipient]
            alone = metadata.fresh(((entry,),), selection=None, mac_only_encrypted=False)
            assert real_keyring(path).open(alone) == DATA_KEY

    def test_a_recipient_that_is_none_stops_it(self, pairs: list[tuple[Path, str]]) -> None:
        with pytest.raises(KeyServiceError, match="is not an age recipient"):
            real_keyring().close(DATA_KEY, [[("age", pairs[0][1]), ("age", "age1nobody")]])

    def test_of_several_groups_a_threshold_opens(self, pairs: list[tuple[Path, str]]) -> None:
        groups = [[("age", recipient)] for _, recipient in pairs]

        closed = real_keyring().close(DATA_KEY, groups, 2)

        sealed = metadata.fresh(closed, selection=None, mac_only_encrypted=False, threshold=2)
        (one, _), (two, _), (three, _) = pairs
        for some in [(one, two), (one, three), (two, three)]:
            assert real_keyring(*some).open(sealed) == DATA_KEY
        for path, _ in pairs:
            with pytest.raises(DataKeyUnavailable):
                real_keyring(path).open(sealed)

    def test_a_group_without_a_key_is_refused(self, pairs: list[tuple[Path, str]]) -> None:
        for groups in ([[]], [[("age", pairs[0][1])], []]):
            with pytest.raises(Refused, match="a key group has no key"):
                real_keyring().close(DATA_KEY, groups, 2)
