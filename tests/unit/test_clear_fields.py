"""Clear fields of a sealed file, changed without its key."""

import pytest

from sealpy import clear_fields, operations, registry
from sealpy.clear_fields import Changed
from sealpy.document import Path
from sealpy.errors import PathNotFound, UnsealableValue
from sealpy.selection import Selection
from tests.unit.comparing import opened, seal

SECRET = """\
apiVersion: v1
kind: Secret
metadata:
  name: db  # whose it is
  labels: {tier: back}
stringData:
  PASSWORD: hunter2
  # of the app
  USER: app
"""
LIST = """\
hosts:
  - name: a
    token: one
  - name: b
    token: two
replicas: 2
"""
TOKENS = Selection("encrypted_regex", "^token$")


def changed(sealed: bytes, path: Path, value: object = None, *, name: str = "x.yaml", removes: bool = False) -> Changed:
    fmt = registry.format_for(name)
    document, metadata = operations.scan_sealed(sealed, fmt)
    if removes:
        return clear_fields.unset_value(document, metadata, fmt, path)
    return clear_fields.set_value(document, metadata, fmt, path, value)


def test_only_the_bytes_of_the_field_change_and_the_mac_still_fits():
    sealed = seal(SECRET, mac_only_encrypted=True)

    after, barrier = changed(sealed, ("metadata", "name"), "cache")

    assert barrier == ""
    assert after == sealed.replace(b"name: db ", b"name: cache ")
    assert (
        operations.clear_text(opened(after), registry.format_for("x.yaml")).expose()
        == SECRET.replace("name: db ", "name: cache ").encode()
    )


def test_a_clear_field_can_be_added_and_taken_out():
    sealed = seal(SECRET, mac_only_encrypted=True)

    with_it = changed(sealed, ("metadata", "annotations", "note"), "x").data
    without = changed(with_it, ("metadata", "annotations"), removes=True).data

    assert b"note: x\n" in with_it
    assert opened(with_it)
    assert without == sealed


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("stringData", "PASSWORD"), "x"),
        (("stringData", "NEW"), "x"),
        (("stringData", "NEW"), None),
        (("stringData",), "x"),
        (("data", "NEW"), {"deep": 1}),
        (("metadata", "data"), "the rule means this too"),
    ],
)
def test_what_is_to_be_sealed_is_not_written(path, value):
    sealed = seal(SECRET, mac_only_encrypted=True)

    assert changed(sealed, path, value) == Changed(b"", "sealed")


def test_what_holds_something_sealed_is_not_taken_out():
    sealed = seal(SECRET, mac_only_encrypted=True)

    assert changed(sealed, ("stringData",), removes=True) == Changed(b"", "sealed")
    assert changed(sealed, ("stringData", "USER"), removes=True) == Changed(b"", "sealed")


def test_under_a_full_mac_no_field_is_free():
    sealed = seal(SECRET)

    assert changed(sealed, ("metadata", "name"), "cache") == Changed(b"", "mac")
    assert changed(sealed, ("stringData", "PASSWORD"), "x") == Changed(b"", "sealed")


def test_an_item_of_a_list_without_secrets_of_its_own_can_go():
    sealed = seal("hosts: [a, b]\ntoken: x\n", selection=TOKENS, mac_only_encrypted=True)

    after = changed(sealed, ("hosts", 0), removes=True).data

    assert after == sealed.replace(b"[a, b]", b"[b]")
    assert opened(after)


def test_an_item_of_a_list_with_a_secret_cannot_go_without_a_key():
    sealed = seal(LIST, selection=TOKENS, mac_only_encrypted=True)

    assert changed(sealed, ("hosts", 0, "name"), "c").data == sealed.replace(b"name: a", b"name: c")
    assert changed(sealed, ("hosts", 0), removes=True).barrier == "sealed"


def test_a_comment_that_decides_what_is_sealed_cannot_lose_its_entry():
    text = "# secret\nflag: 1\npassword: x\n"
    sealed = seal(text, selection=Selection("encrypted_comment_regex", "secret"), mac_only_encrypted=True)

    assert changed(sealed, ("flag",), 2).barrier == "sealed"
    assert changed(sealed, ("password",), "z").data == sealed.replace(b"password: x", b"password: z")


@pytest.mark.parametrize(
    ("name", "text", "path", "before", "after"),
    [
        ("x.json", '{"port": 1, "token": "x"}\n', ("port",), b'"port": 1,', b'"port": 2,'),
        ("x.env", "port=1\ntoken=x\n", ("port",), b"port=1\n", b"port=2\n"),
        ("x.ini", "[a]\nport=1\ntoken=x\n", ("a", "port"), b"port=1\n", b"port=2\n"),
    ],
)
def test_every_format_with_fields_has_it(name, text, path, before, after):
    sealed = seal(text, name, selection=TOKENS, mac_only_encrypted=True)

    result = changed(sealed, path, 2, name=name).data

    assert result == sealed.replace(before, after) != sealed
    assert opened(result, name)


def test_an_alias_is_not_followed_into_what_is_sealed():
    sealed = seal("base: &b x\ntoken: *b\nother: y\n", selection=TOKENS, mac_only_encrypted=True)

    after = changed(sealed, ("base",), "z")

    assert after.barrier == "sealed" or opened(after.data)


def test_a_path_that_leads_nowhere_is_said():
    with pytest.raises(PathNotFound):
        changed(seal(LIST, selection=TOKENS, mac_only_encrypted=True), ("hosts", 7), removes=True)


@pytest.mark.parametrize("value", ["\ud800", {"\ud800": 1}, ["a", ["\udfff"]]])
def test_what_no_file_can_hold_is_refused(value):
    with pytest.raises(UnsealableValue):
        changed(seal(LIST, selection=TOKENS, mac_only_encrypted=True), ("replicas",), value)
