"""How a report reads, on changes made by hand."""

import pytest

from sealpy.changeset import (
    Access,
    Change,
    ChangeSet,
    FileChange,
    Identity,
    ObjectChange,
    Range,
    Recipient,
    Setting,
    Snapshot,
)
from sealpy.redaction import PublicValue, RedactedValue, RevealedValue
from sealpy.secret import Secret
from sealpy_cli.render.text import TextRenderer

RANGE = Range(Snapshot("main", "a" * 40), Snapshot("HEAD", "b" * 40))
NOBODY = Access((), (), (), (), "same", rewrapped=False)


def revealed(text: str | bytes, kind: str = "str") -> RevealedValue:
    return RevealedValue(kind, Secret(text.encode() if isinstance(text, str) else text))


def lines(*changes: Change, **fields: object) -> list[str]:
    """Return the lines of a file's block, but for the first."""
    one = ObjectChange(Identity("Secret", "", "db", 0), None, "changed", changes)
    file = FileChange(b"x.yaml", None, "changed", "opened", ("opened", "opened"), "yaml", mac="ok")._replace(
        objects=(one,) if changes else (), **fields
    )
    report = "".join(TextRenderer().render(ChangeSet(RANGE, [file])))
    return report.split("\n\n")[1].splitlines()[1:]


def changed(old: object, new: object, **fields: object) -> Change:
    return Change("changed", ("data", "k"), None, old, new, (True, True), True)._replace(**fields)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (revealed("a"), revealed("b"), '"a" → "b"'),
        (revealed("a"), revealed("a\n"), '"a" → "a⏎"'),
        (revealed("1", "int"), revealed("2", "int"), "1 → 2"),
        (revealed("1", "int"), revealed("1", "str"), "type int → str, same text"),
        (revealed("True", "bool"), revealed("False", "bool"), "true → false"),
        (revealed(b"\xff"), revealed(b"\xff\xfe"), "binary, 1 B → binary, 2 B"),
        (revealed("a"), PublicValue("null", ""), '"a" → null'),
        (RedactedValue("str", 3), RedactedValue("str", 3), "changed: str, 3 B"),
        (RedactedValue("str", 3), RedactedValue("str", 4), "changed: str, 3 → 4 B"),
        (RedactedValue("int", 3), RedactedValue("str", 4), "changed: int, 3 B → str, 4 B"),
        (RedactedValue("bool", None), RedactedValue("bool", None), "changed: bool"),
        (RedactedValue("str", 0), RedactedValue("str", 4), "changed: str, 0 → 4 B"),
    ],
)
def test_a_changed_value_reads_so(old, new, expected):
    assert lines(changed(old, new)) == [f"  ~ data.k  {expected}"]


def test_long_values_stand_below_each_other():
    assert lines(changed(revealed("a" * 80), revealed("b" * 80))) == [
        "  ~ data.k  changed",
        f'      - "{"a" * 80}"',
        f'      + "{"b" * 80}"',
    ]


def test_texts_of_several_lines_are_compared_by_line():
    assert lines(changed(revealed("a\nb\nc\n"), revealed("a\nx\nc"))) == [
        "  ~ data.k  changed",
        "      @ -1,3 +1,3",
        "        a",
        "      - b",
        "      + x",
        "        c",
        "      - the new line at the end",
    ]


def test_a_text_that_came_stands_line_by_line():
    assert lines(Change("added", ("k",), None, None, revealed("a\nb\n"), (False, True), True)) == [
        "  + k  2 lines",
        "      + a",
        "      + b",
    ]


def test_very_long_texts_are_cut_and_say_so():
    shown = lines(changed(revealed("".join(f"{n}\n" for n in range(500))), revealed("x\ny")))

    assert shown[-2].startswith("      … ")
    assert len(shown) < 110


def test_what_the_mac_does_not_cover_is_marked():
    clear = Change("changed", ("a",), None, PublicValue("str", "x"), PublicValue("str", "y"), (False, False), False)

    assert lines(clear) == ['  ~ a  "x" → "y"   [not under the MAC]']
    assert lines(clear._replace(authenticated=True)) == ['  ~ a  "x" → "y"   [in clear, under the MAC]']


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (("data", "tls.crt"), "data.tls.crt"),
        (("a", 0, "b", 12), "a[0].b[12]"),
        (("a b", ""), '"a b".""'),
        (("a\x1b[2J",), '"a⟦U+001B⟧[2J"'),
        (("a", ": x"), 'a.": x"'),
    ],
)
def test_a_path_reads_so(path, expected):
    assert lines(changed(revealed("x"), revealed("y"), path=path)) == [f'  ~ {expected}  "x" → "y"']


def test_a_recipient_who_went_but_keeps_the_data_key_is_pointed_out():
    gone = NOBODY._replace(removed=(Recipient("age", "age1bob", 0),))

    assert lines(access=gone) == [
        "  - recipient age1bob; the data key did not change, so what it has still opens the values"
    ]
    assert lines(access=gone._replace(data_key="rotated")) == ["  - recipient age1bob", "  = data key rotated"]


def test_other_master_keys_are_named_with_their_kind():
    added = NOBODY._replace(added=(Recipient("kms", "arn:aws:kms:x", 0),))

    assert lines(access=added) == ["  + recipient kms arn:aws:kms:x"]


def test_a_changed_setting_reads_so():
    changed_setting = NOBODY._replace(settings=(Setting("shamir_threshold", "2", "1"),))

    assert lines(access=changed_setting) == ["  ~ shamir_threshold: 2 → 1   [sops metadata are never under the MAC]"]


def test_values_that_nobody_can_tell_are_counted():
    shown = lines(standing="opaque", states=("opaque", "opaque"), needs=("age1ann",), unknown=2)

    assert shown == [
        "  ? no key here opens it; who has one: age1ann",
        "  ? 2 values with new ciphertext of the same length: without a key nobody can tell what changed",
    ]


def test_a_change_of_layout_alone_is_called_that():
    assert lines() == ["  = nothing but layout changed"]


def test_many_files_without_secrets_are_counted():
    files = [
        FileChange(f"f{number}".encode(), None, "changed", "other", ("other", "other"), "") for number in range(20)
    ]
    report = "".join(TextRenderer().render(ChangeSet(RANGE, files)))

    assert "without secrets: f0, f1, f2, f3, f4, f5, f6, f7 and 12 more\n" in report
    assert report.endswith("no change in any secret; 20 changed files looked at: 20 without secrets\n")
