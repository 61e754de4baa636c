"""Two versions of one file: what changed, what did not, what the MAC says about it, and what shows without a key."""

import random
import re
from binascii import b2a_base64

import pytest

from sealpy.redaction import PublicValue, RedactedValue, RevealedValue
from sealpy.selection import Selection
from tests.unit.comparing import bare, changes, compared, edited, rotated, seal, told

SECRET = """\
apiVersion: v1
kind: Secret
metadata:
    name: db
    namespace: shop
stringData:
    PASSWORD: hunter2
    USER: app
    EMPTY: ""
data:
    TLS: YWJj
"""


def base64(text: str) -> str:
    return b2a_base64(text.encode(), newline=False).decode()


def test_a_changed_value_shows_old_and_new_and_the_mac_vouches_for_it():
    old = seal(SECRET)
    new = edited(old, SECRET.replace("hunter2", "n3w"))

    file = compared(old, new)

    assert told(file) == [("changed", "stringData.PASSWORD", b"hunter2", b"n3w")]
    (change,) = changes(file)
    assert change.authenticated is True
    assert change.sealed == (True, True)
    assert (file.standing, file.mac, file.unchanged, file.resealed) == ("opened", "ok", 2, 0)


def test_base64_data_is_shown_as_what_it_means():
    old = seal(SECRET)
    new = edited(old, SECRET.replace("YWJj", base64("xyz")))

    assert told(compared(old, new)) == [("changed", "data.TLS", b"abc", b"xyz")]


def test_a_value_moved_from_data_to_string_data_is_unchanged():
    old = seal(SECRET)
    new = seal(SECRET.replace("data:\n    TLS: YWJj\n", "").replace("    USER", "    TLS: abc\n    USER"))

    file = compared(old, new)

    assert told(file) == [("moved", "stringData.TLS", b"abc", b"abc")]
    assert changes(file)[0].was == ("data", "TLS")


def test_a_renamed_key_is_one_change_and_vouched_for_when_its_value_is_sealed():
    old = seal(SECRET)
    new = edited(old, SECRET.replace("USER:", "LOGIN:"))

    (change,) = changes(compared(old, new))

    assert (change.operation, change.was, change.path) == ("renamed", ("stringData", "USER"), ("stringData", "LOGIN"))
    assert change.authenticated is True


def test_a_rotated_file_has_no_change_but_a_new_data_key():
    old = seal(SECRET)

    file = compared(old, rotated(old))

    assert file.objects == ()
    assert (file.resealed, file.unchanged) == (3, 0)
    assert file.access is not None
    assert file.access.data_key == "rotated"
    assert not file.differs


def test_recipients_that_came_and_went_are_listed():
    old = seal(SECRET, to=("ann", "bob"))

    file = compared(old, rotated(old, add=("cem",), remove=("bob",)))

    assert file.access is not None
    assert [one.label for one in file.access.added] == ["cem"]
    assert [one.label for one in file.access.removed] == ["bob"]
    assert file.differs


def test_a_clear_field_under_the_mac_is_vouched_for():
    old = seal(SECRET)
    new = edited(old, SECRET.replace("namespace: shop", "namespace: store"))

    file = compared(old, new)

    (change,) = changes(file)
    assert (change.old, change.new) == (PublicValue("str", "shop"), PublicValue("str", "store"))
    assert change.authenticated is True
    assert file.objects[0].was is not None
    assert file.objects[0].was.namespace == "shop"


def test_with_mac_only_encrypted_no_clear_field_is_vouched_for():
    old = seal(SECRET, mac_only_encrypted=True)
    new = old.replace(b"namespace: shop", b"namespace: evil")

    file = compared(old, new)

    assert file.mac == "ok"
    assert [change.authenticated for change in changes(file)] == [False]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("    name: db\n    namespace: shop", "    namespace: db\n    name: shop"),
        ("    name: db\n    namespace: shop", "    name: d\n    namespace: bshop"),
        ("    name: db", "    nome: db"),
        ('    EMPTY: ""\n', ""),
        ('    EMPTY: ""\n', '    EMPTY: ""\n    NEW: ""\n    NIL: null\n'),
        ("kind: Secret\n", "kind: Secret\n# trust me\n"),
        ("kind: Secret\n", "kind: Secret\nlabels: {}\n"),
    ],
    ids=["names swapped", "border moved", "key renamed", "empty removed", "empty added", "comment", "empty map"],
)
def test_what_the_mac_does_not_notice_is_listed_as_not_vouched_for(before, after):
    old = seal(SECRET)
    new = old.replace(before.encode(), after.encode())
    assert new != old

    file = compared(old, new)

    assert file.mac == "ok"
    assert changes(file)
    assert [change.authenticated for change in changes(file)] == [False] * len(changes(file))


def test_the_type_of_a_value_is_not_vouched_for():
    old = seal("port: 5432\npassword: x\n", selection=Selection("encrypted_regex", "password"))
    new = old.replace(b"port: 5432", b'port: "5432"')

    (change,) = changes(compared(old, new))

    assert (change.old, change.new) == (PublicValue("int", "5432"), PublicValue("str", "5432"))
    assert change.authenticated is False


def test_changed_settings_of_the_metadata_are_listed():
    old = seal(SECRET)
    new = old.replace(b"^(data|stringData|binaryData)$", b"^(data|stringData|binaryData|x)$")

    file = compared(old, new)

    assert file.mac == "ok"
    assert file.access is not None
    assert [setting.name for setting in file.access.settings] == ["selection"]
    assert file.differs


def test_an_edited_clear_value_breaks_the_mac_and_is_still_shown():
    old = seal(SECRET)
    new = old.replace(b"namespace: shop", b"namespace: evil")

    file = compared(old, new)

    assert file.mac == "bad"
    assert [fault.kind for fault in file.faults] == ["mac"]
    assert file.faults[0].breaks_integrity
    assert told(file) == [("changed", "metadata.namespace", "shop", "evil")]
    assert changes(file)[0].authenticated is False


def test_one_value_that_does_not_open_is_named_and_the_others_are_read():
    old = seal(SECRET)
    lines = edited(old, SECRET.replace("app", "api")).splitlines(keepends=True)
    damaged = [line.replace(b"PASSWORD:", b"PASSWORT:") for line in lines]

    file = compared(old, b"".join(damaged))

    assert [(fault.kind, fault.path) for fault in file.faults] == [("value", ("stringData", "PASSWORT"))]
    assert file.mac == "unchecked"
    assert ("changed", "stringData.USER", b"app", b"api") in told(file)


def test_a_value_put_in_clear_under_the_rule_is_a_fault_and_stays_a_secret():
    old = seal(SECRET)
    lines = old.decode().splitlines(keepends=True)
    new = "".join("    USER: planted\n" if line.startswith("    USER:") else line for line in lines)

    file = compared(old, new.encode())

    assert [(fault.kind, fault.path) for fault in file.faults] == [("value", ("stringData", "USER"))]
    assert told(file) == [("changed", "stringData.USER", b"app", b"planted")]
    assert changes(file)[0].note == "was encrypted, now stands in clear"


def test_a_fault_of_the_old_version_is_no_fault_of_the_change():
    good = seal(SECRET)
    bad = good.replace(b"namespace: shop", b"namespace: evil")

    file = compared(bad, good)

    assert [(fault.side, fault.breaks_integrity) for fault in file.faults] == [("old", False)]


def test_a_file_without_metadata_for_its_values_is_broken():
    new = seal(SECRET)

    file = compared(new, new[: new.index(b"sops:")])

    assert file.standing == "unreadable"
    assert [fault.kind for fault in file.faults] == ["metadata"]
    assert file.faults[0].breaks_integrity


def test_a_file_cut_short_is_unreadable_and_broken():
    new = seal(SECRET)

    file = compared(new, new[: new.index(b"mac:") + 20])

    assert file.standing == "unreadable"
    assert any(fault.breaks_integrity for fault in file.faults)


def test_a_secret_in_clear_is_called_that():
    file = compared(None, SECRET.encode())

    assert (file.standing, file.happening) == ("clear", "added")
    assert [bare(change.new) for change in changes(file) if change.path[-1] == "PASSWORD"] == [b"hunter2"]


def test_a_file_that_was_decrypted_and_committed_is_clear_and_its_values_stay_secrets():
    clear = "password: hunter2\nport: 1\n"
    old = seal(clear, "values.yaml", selection=Selection("encrypted_regex", "password"))

    file = compared(old, clear.encode(), "values.yaml")

    assert file.standing == "clear"
    assert told(file) == [("changed", "password", b"hunter2", b"hunter2")]
    assert changes(file)[0].note == "was encrypted, now stands in clear"


def test_encrypting_a_clear_file_is_told_from_a_new_value():
    clear = "password: hunter2\nport: 1\n"
    new = seal(clear, "values.yaml", selection=Selection("encrypted_regex", "password"))

    (change,) = changes(compared(clear.encode(), new, "values.yaml"))

    assert (change.sealed, change.note) == ((False, True), "stood in clear, now encrypted")
    assert (bare(change.old), bare(change.new)) == (b"hunter2", b"hunter2")


def test_any_other_file_is_not_looked_into():
    file = compared(b"a: 1\n", b"a: 2\n")

    assert (file.standing, file.objects) == ("other", ())


def test_a_private_key_where_a_recipient_belongs_is_not_repeated():
    new = seal(SECRET).replace(b"recipient: ann", b"recipient: AGE-SECRET-KEY-1CANARY")

    file = compared(None, new)

    assert "CANARY" not in str(file.access)
    assert "CANARY" not in str(file.needs)


def test_a_private_key_in_clear_is_treated_as_a_secret():
    old = seal("key: none\npassword: x\n", selection=Selection("encrypted_regex", "password"))
    new = edited(old, "key: AGE-SECRET-KEY-1CANARY\npassword: x\n")

    (change,) = changes(compared(old, new))

    assert isinstance(change.new, RevealedValue)


def test_a_fault_of_ours_in_one_file_is_reported_and_raises_nothing(monkeypatch):
    monkeypatch.setattr("sealpy.comparison.parts", lambda _: 1 / 0)

    file = compared(None, seal(SECRET))

    assert (file.standing, [fault.kind for fault in file.faults]) == ("unreadable", ["internal"])


def mac_faults(old, new):
    """Compare without a key, and return what is said of the MAC."""
    return [fault for fault in compared(old, new, by=()).faults if fault.kind == "mac"]


class TestWithoutAKey:
    def test_an_edit_shows_what_probably_changed_and_whom_to_ask(self):
        old = seal(SECRET)
        file = compared(old, edited(old, SECRET.replace("hunter2", "hunter3")), by=())

        (change,) = changes(file)
        assert (file.standing, file.needs) == ("opaque", ("ann",))
        assert (change.certainty, change.path) == ("probable", ("stringData", "PASSWORD"))
        assert change.old == change.new == RedactedValue("str", 7)
        assert change.authenticated is None
        assert file.unchanged == 2

    def test_another_length_is_a_certain_change(self):
        old = seal(SECRET)
        file = compared(old, edited(old, SECRET.replace("hunter2", "longer than that")), by=())

        assert [change.certainty for change in changes(file)] == ["certain"]

    def test_a_rotated_file_tells_nothing_but_lengths(self):
        old = seal(SECRET)
        changed = rotated(edited(old, SECRET.replace("hunter2", "longer than that")))

        file = compared(old, changed, by=())

        assert [change.path for change in changes(file)] == [("stringData", "PASSWORD")]
        assert file.unknown == 2
        assert file.access is not None
        assert file.access.data_key == "unknown"
        assert file.differs

    def test_keys_that_came_and_went_are_listed_with_type_and_length(self):
        old = seal(SECRET)
        new = edited(old, SECRET.replace("    USER: app\n", "    TOKEN: abcd\n"))

        assert told(compared(old, new, by=())) == [
            ("removed", "stringData.USER", RedactedValue("str", 3), None),
            ("added", "stringData.TOKEN", None, RedactedValue("str", 4)),
        ]

    def test_a_boolean_has_no_length(self):
        old = seal("on: true\nx: y\n", selection=Selection("encrypted_regex", "."))
        new = edited(old, "on: false\nx: y\n")

        (change,) = changes(compared(old, new, by=()))

        assert change.old == change.new == RedactedValue("bool", None)
        assert change.certainty == "certain"

    def test_a_value_that_became_empty_is_known(self):
        old = seal(SECRET)
        new = edited(old, SECRET.replace("PASSWORD: hunter2", 'PASSWORD: ""'))

        (change,) = changes(compared(old, new, by=()))

        assert (change.old, change.certainty) == (RedactedValue("str", 7), "known")
        assert bare(change.new) == b""

    def test_clear_fields_are_compared_as_ever(self):
        old = seal(SECRET)
        new = edited(old, SECRET.replace("namespace: shop", "namespace: store"))

        assert told(compared(old, new, by=())) == [("changed", "metadata.namespace", "shop", "store")]

    @pytest.mark.parametrize(
        ("was", "now", "what"),
        [
            ("namespace: shop", "namespace: evil", "metadata.namespace"),
            ("namespace: shop", "namespace: shop\n    labels: {a: b}", "metadata.labels.a"),
            ("kind: Secret\n", "kind: Secret\ntype: Opaque\n", "type"),
        ],
    )
    def test_an_edit_without_the_key_is_seen_by_the_mac_that_stayed(self, was, now, what):
        old = seal(SECRET)
        new = old.replace(was.encode(), now.encode())
        assert new != old

        (fault,) = mac_faults(old, new)

        assert fault.message == f"edited without its key: the MAC is that of before, and does not fit {what}"
        assert fault.breaks_integrity

    def test_a_sealed_value_that_was_taken_out_or_moved_without_the_key_is_seen_too(self):
        old = seal(SECRET)
        lines = old.decode().splitlines(keepends=True)
        (place,) = [number for number, line in enumerate(lines) if "USER:" in line]
        for new in (
            lines[:place] + lines[place + 1 :],
            [*lines[: place - 1], lines[place], lines[place - 1], *lines[place + 1 :]],
        ):
            assert len(mac_faults(old, "".join(new).encode())) == 1

    @pytest.mark.parametrize(
        "new",
        [
            lambda old: old.replace(b"namespace: shop", b"namespace: 'shop' # ours"),
            lambda old: old.replace(b"    name: db\n    namespace: shop", b"    namespace: db\n    name: shop"),
            rotated,
            lambda old: edited(old, SECRET.replace("namespace: shop", "namespace: store")),
        ],
        ids=["layout", "names of clear keys", "rotated", "edited with the key"],
    )
    def test_what_the_mac_does_not_cover_or_covers_anew_is_no_edit_without_the_key(self, new):
        old = seal(SECRET)
        assert new(old) != old

        assert mac_faults(old, new(old)) == []

    def test_a_clear_field_that_needs_no_key_is_no_edit_against_the_mac(self):
        old = seal(SECRET, mac_only_encrypted=True)

        assert mac_faults(old, old.replace(b"shop", b"evil")) == []

    def test_a_time_that_was_edited_is_said(self):
        old = seal(SECRET)
        new = re.sub(rb'lastmodified: "?[^"\n]+"?', b'lastmodified: "2020-02-03T04:05:06Z"', old)
        assert new != old

        (fault,) = mac_faults(old, new)

        assert fault.message == "sops.lastmodified was edited, and the MAC does not open with another"

    def test_a_key_for_only_one_side_opens_that_side(self):
        old = seal(SECRET)
        new = rotated(old, add=("bob",), remove=("ann",))

        file = compared(old, new, by=("ann",))

        assert (file.states, file.needs) == (("opened", "opaque"), ("bob",))
        assert file.unknown == 3


class TestKubernetes:
    def test_a_key_of_string_data_that_hides_one_of_data_is_pointed_out(self):
        old = seal(SECRET)
        new = edited(old, SECRET.replace("    USER", "    TLS: evil\n    USER"))

        (change,) = changes(compared(old, new))

        assert (change.operation, change.path) == ("added", ("stringData", "TLS"))
        assert change.note == "overrides the same key of data"

    def test_a_key_of_data_that_is_hidden_by_one_of_string_data_is_pointed_out(self):
        old = seal(SECRET)
        new = edited(old, SECRET + "    USER: YWJj\n")

        assert [change.note for change in changes(compared(old, new))] == [
            "without effect beside the same key of stringData"
        ]

    def test_data_that_is_no_base64_is_shown_as_it_stands(self):
        old = seal(SECRET)
        new = edited(old, SECRET.replace("YWJj", "not base64"))

        (change,) = changes(compared(old, new))

        assert (bare(change.new), change.note) == (b"not base64", "is not base64")

    def test_another_spelling_of_the_same_base64_is_no_change(self):
        old = seal(SECRET)
        new = edited(old, SECRET.replace("TLS: YWJj", 'TLS: "YWJj\\n"'))

        file = compared(old, new)

        assert file.objects == ()
        assert file.resealed == 1

    def test_values_in_clear_of_a_secret_are_secrets_and_its_other_fields_are_not(self):
        file = compared(None, SECRET.encode())

        kinds = {change.path: type(change.new) for change in changes(file)}
        assert kinds["stringData", "PASSWORD"] is kinds["data", "TLS"] is RevealedValue
        assert kinds["metadata", "name"] is PublicValue

    def test_the_annotation_that_repeats_the_values_is_a_secret_too(self):
        name = "kubectl.kubernetes.io/last-applied-configuration"
        text = SECRET.replace("    name: db", f"    name: db\n    annotations:\n        {name}: '{{}}'")

        file = compared(None, text.encode())

        assert [type(change.new) for change in changes(file) if change.path[-1] == name] == [RevealedValue]

    def test_items_of_a_list_are_objects(self):
        text = "apiVersion: v1\nkind: List\nitems:\n" + "".join(
            f"- apiVersion: v1\n  kind: Secret\n  metadata:\n    name: {name}\n  stringData:\n    k: {value}\n"
            for name, value in (("one", "a"), ("two", "b"))
        )
        old = seal(text)

        file = compared(old, edited(old, text.replace("k: b", "k: c")))

        assert [str(one.identity) for one in file.objects] == ["Secret two"]
        assert told(file) == [("changed", "stringData.k", b"b", b"c")]


class TestDocuments:
    TWO = SECRET + "---\n" + SECRET.replace("name: db", "name: mq").replace("hunter2", "carrot")

    def test_objects_are_matched_by_name_wherever_they_stand(self):
        first, second = self.TWO.split("---\n")
        old = seal(self.TWO)
        new = seal(second + "---\n" + first)

        file = compared(old, new)

        assert file.objects == ()
        assert file.resealed == 6

    def test_an_object_that_was_removed_is_listed_with_its_keys(self):
        first, _ = self.TWO.split("---\n")

        file = compared(seal(self.TWO), seal(first))

        assert [(one.happening, one.identity.name) for one in file.objects] == [("removed", "mq")]
        assert b"carrot" in [bare(change.old) for change in changes(file)]

    def test_the_name_of_an_object_that_stands_sealed_is_not_given_away(self):
        old = seal(SECRET, selection=Selection("unencrypted_suffix", "_unencrypted"))
        new = edited(old, SECRET.replace("hunter2", "x"))

        file = compared(old, new)

        assert "db" not in str(file.objects[0].identity)
        assert "shop" not in str(file.objects[0].identity)


@pytest.mark.parametrize(
    ("path", "before", "after", "expected"),
    [
        ("x.json", '{"a": {"b": "x", "n": 5}}', '{"a": {"b": "y", "n": 5}}', [("changed", "a.b", b"x", b"y")]),
        ("x.env", "A=1\nB=2\n", "A=1\nB=3\n", [("changed", "B", b"2", b"3")]),
        ("x.ini", "[s]\na = 1\n", "[s]\na = 2\n", [("changed", "s.a", b"1", b"2")]),
        ("x.bin", b"\xff\x00", b"\xff\x01", [("changed", "data", b"\xff\x00", b"\xff\x01")]),
    ],
)
def test_every_format_is_compared(path, before, after, expected):
    rule = Selection("unencrypted_suffix", "_unencrypted")

    assert told(compared(seal(before, path, selection=rule), seal(after, path, selection=rule), path)) == expected


DAMAGE = (b"\n", b"- ", b": ", b"'", b"&a ", b"*a", b"<<: *a", b"\xe2\x80\xae", b"\xff", b"{}", b"#", b"---\n", b"ENC[")


def damaged(data: bytes, rng: random.Random) -> bytes:
    """Change a few places at random."""
    for _ in range(rng.randint(1, 4)):
        place, length = rng.randrange(len(data)), rng.randint(0, 60)
        other = rng.randrange(len(data))
        piece = rng.choice([rng.choice(DAMAGE), b"", data[other : other + length]])
        data = data[:place] + piece + data[place + length :] or b"x"
    return data


@pytest.mark.parametrize("path", ["x.yaml", "x.json", "x.env", "x.ini", "x.bin"])
def test_no_damage_makes_it_raise(path, rng):
    texts = {
        "x.yaml": SECRET + "---\n# c\nl: [1, {a: b}, true]\n",
        "x.json": '{"a": [1, {"b": "c"}], "d": null}',
        "x.env": "A=1\n#c\nB=2\n",
        "x.ini": "[s]\n; c\na = 1\n",
        "x.bin": "any bytes",
    }
    rule = None if path == "x.bin" else Selection("unencrypted_suffix", "_unencrypted")
    good = seal(texts[path], path, selection=rule)

    for _ in range(150):
        file = compared(good, damaged(good, rng), path, by=rng.choice([("ann",), ()]))
        assert "internal" not in [fault.kind for fault in file.faults]
