"""dotenv: what is read, what is kept, and what is written."""

import time
from pathlib import Path as FilePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealpy.document import Edit, Path, splice
from sealpy.errors import AlreadyEncrypted, DocumentError, ParseError, PathNotFound
from sealpy.formats.dotenv import FORMAT
from tests.strategies.dotenv_text import dotenv_files

METADATA = {"age": [{"enc": "a\nb\n", "recipient": "age1"}], "lastmodified": "t", "mac": "m", "version": "3.13.3"}
BLOCK = (
    "sops_age__list_0__map_enc=a\\nb\\n\nsops_age__list_0__map_recipient=age1\n"
    "sops_lastmodified=t\nsops_mac=m\nsops_version=3.13.3\n"
)


def leaves(text: str) -> list[tuple[Path, str, str]]:
    return [(leaf.path, leaf.kind, leaf.content) for leaf in FORMAT.scan(text).leaves]


def attached(text: str) -> str:
    return splice(text, FORMAT.attach(FORMAT.scan(text), METADATA))


def detached(text: str) -> str:
    return splice(text, FORMAT.detach(FORMAT.scan(text)))


def inserted(text: str, path: Path, value: object) -> str:
    return splice(text, FORMAT.insert(FORMAT.scan(text), path, value))


def removed(text: str, path: Path) -> str:
    return splice(text, FORMAT.remove(FORMAT.scan(text), path))


@pytest.mark.parametrize(
    ("line", "leaf"),
    [
        ("A=b", (("A",), "str", "b")),
        ("EMPTY=", (("EMPTY",), "str", "")),
        ("=nokey", (("",), "str", "nokey")),
        ("export E=1", (("export E",), "str", "1")),
        ("SP = x ", (("SP ",), "str", " x ")),
        ('Q="q v"', (("Q",), "str", '"q v"')),
        ("EQ=a=b", (("EQ",), "str", "a=b")),
        ("H=a # b", (("H",), "str", "a # b")),
        (r"NL=a\nb", (("NL",), "str", "a\nb")),
        (r"BS=a\\nb", (("BS",), "str", "a\\\nb")),
        ("CR=x\r", (("CR",), "str", "x\r")),
        (" #no comment=1", ((" #no comment",), "str", "1")),
        ("# a=b", ((), "comment", " a=b")),
        ("#", ((), "comment", "")),
        ("\ufeffA=1", (("\ufeffA",), "str", "1")),
    ],
)
def test_a_line_reads_as_sops_reads_it(line: str, leaf: tuple[Path, str, str]) -> None:
    assert leaves(f"{line}\n") == [leaf]


def test_names_twice_and_blank_lines_stay() -> None:
    assert leaves("A=1\n\n\nA=2") == [(("A",), "str", "1"), (("A",), "str", "2")]


@pytest.mark.parametrize(("text", "line"), [("FOO", 1), ("A=1\nFOO\n", 2), ("A=1\n\r\nB=2\n", 2), ("A=1\n  \n", 2)])
def test_a_line_without_an_equals_sign_is_refused_with_its_place(text: str, line: int) -> None:
    with pytest.raises(ParseError) as caught:
        FORMAT.scan(text)

    assert (caught.value.line, caught.value.column) == (line, 1)
    assert "FOO" not in str(caught.value)


def test_bytes_that_are_no_utf_8_come_back() -> None:
    data = b"A=\xff\xfe\n"

    document = FORMAT.scan(FORMAT.decode(data))

    assert document.leaves[0].content.encode("utf-8", "surrogateescape") == b"\xff\xfe"
    assert FORMAT.encode(document.text) == data


@given(data=dotenv_files())
def test_respelling_every_leaf_is_the_identity(data: bytes) -> None:
    document = FORMAT.scan(FORMAT.decode(data))
    edits = [
        Edit(leaf.start, leaf.end, FORMAT.spell(document, leaf, leaf.kind, leaf.content)) for leaf in document.leaves
    ]

    assert FORMAT.encode(splice(document.text, edits)) == data


@pytest.mark.parametrize(
    ("text", "sealed"),
    [
        ("", BLOCK),
        ("A=1\n", "A=1\n" + BLOCK),
        ("A=1", "A=1\n" + BLOCK.rstrip("\n")),
        ("A=1\n\n", "A=1\n\n" + BLOCK),
        ("\n", "\n" + BLOCK),
        ("# c", "# c\n" + BLOCK.rstrip("\n")),
    ],
)
def test_a_text_without_a_last_line_feed_stays_without_one(text: str, sealed: str) -> None:
    assert attached(text) == sealed
    assert detached(sealed) == text


@given(data=dotenv_files())
def test_detaching_undoes_attaching(data: bytes) -> None:
    text = FORMAT.decode(data)
    sealed = attached(text)

    assert FORMAT.scan(sealed).metadata == METADATA
    assert leaves(sealed) == leaves(text)
    assert detached(sealed) == text


def test_a_file_of_sops_gets_its_block_back_byte_for_byte(vectors: FilePath) -> None:
    sealed = (vectors / "env-shamir-2of3.enc.env").read_text()
    document = FORMAT.scan(sealed)

    assert document.metadata is not None
    clear = FORMAT.scan(detached(sealed))
    assert splice(clear.text, FORMAT.attach(clear, document.metadata)) == sealed


def test_metadata_are_read_anywhere_and_cut_out() -> None:
    text = "sops_mac=m\nA=1\nsops_age__list_0__map_recipient=r\n\n# c\nsops_version=3"
    document = FORMAT.scan(text)

    assert document.metadata == {"mac": "m", "age": [{"recipient": "r"}], "version": "3"}
    assert [leaf.path for block in document.blocks for leaf in block.leaves] == [
        ("mac",),
        ("age", 0, "recipient"),
        ("version",),
    ]
    assert detached(text) == "A=1\n\n# c"


@pytest.mark.parametrize("text", ["sops_mac=1\nsops_mac=2\n", "sops_a__list_3=1\n", "sops_a=1\nsops_a__map_b=2\n"])
def test_metadata_without_sense_are_metadata_without_content(text: str) -> None:
    document = FORMAT.scan(f"A=1\n{text}")

    assert document.metadata == {}
    assert document.notes


def test_an_update_touches_only_what_differs() -> None:
    document = FORMAT.scan(attached("A=1\n"))

    edits = FORMAT.update(document, METADATA | {"mac": "two\nlines"})

    assert [edit.replacement for edit in edits] == ["two\\nlines"]
    assert FORMAT.scan(splice(document.text, edits)).metadata == METADATA | {"mac": "two\nlines"}
    assert FORMAT.update(document, METADATA) == []


@pytest.mark.parametrize("text", ["A=1\n", "A=1", ""])
def test_an_update_of_another_shape_writes_the_lines_anew(text: str) -> None:
    document = FORMAT.scan(attached(text))

    changed = splice(document.text, FORMAT.update(document, {"mac": "m", "shamir_threshold": 2}))

    assert FORMAT.scan(changed).metadata == {"mac": "m", "shamir_threshold": "2"}
    assert detached(changed) == text


def test_an_update_gathers_scattered_lines() -> None:
    document = FORMAT.scan("sops_mac=m\nA=1\nsops_version=3\nB=2\n")

    changed = splice(document.text, FORMAT.update(document, {"mac": "n"}))

    assert changed == "A=1\nsops_mac=n\nB=2\n"


@pytest.mark.parametrize(
    ("text", "path", "value", "result"),
    [
        ("A=1\n", ("A",), "two\nlines", "A=two\\nlines\n"),
        ("A=1\nA=2\n", ("A",), 5, "A=5\nA=2\n"),
        ("A=1\n", ("B",), True, "A=1\nB=true\n"),
        ("A=1", ("B",), None, "A=1\nB=<nil>"),
        ("", ("B",), 1.0, "B=1.0\n"),
        ("A=1\nsops_mac=m\n", ("B",), "x", "A=1\nB=x\nsops_mac=m\n"),
        ("A=1\nsops_mac=m", ("B",), "x", "A=1\nB=x\nsops_mac=m"),
        ("sops_mac=m\nA=1\n", ("B",), "x", "sops_mac=m\nA=1\nB=x\n"),
    ],
)
def test_inserting_sets_or_appends(text: str, path: Path, value: object, result: str) -> None:
    assert inserted(text, path, value) == result


@pytest.mark.parametrize(
    ("path", "value", "error"),
    [
        ((), "x", PathNotFound),
        ((0,), "x", PathNotFound),
        (("A", "b"), "x", ParseError),
        (("A",), {"b": 1}, ParseError),
        (("B",), ["x"], ParseError),
        (("a=b",), "x", ParseError),
        (("a\nb",), "x", ParseError),
        (("#a",), "x", ParseError),
        (("sops_x",), "x", AlreadyEncrypted),
    ],
)
def test_what_dotenv_cannot_hold_is_refused(path: Path, value: object, error: type[DocumentError]) -> None:
    with pytest.raises(error):
        inserted("A=1\n", path, value)


@pytest.mark.parametrize(
    ("text", "name", "result"),
    [
        ("A=1\nB=2\n", "A", "B=2\n"),
        ("A=1\nB=2", "B", "A=1"),
        ("A=1", "A", ""),
        ("A=1\nA=2\n", "A", "A=2\n"),
        ("# c\nA=1\n", "A", "# c\n"),
    ],
)
def test_removing_takes_the_line(text: str, name: str, result: str) -> None:
    assert removed(text, (name,)) == result


def test_what_is_not_there_cannot_be_removed() -> None:
    with pytest.raises(PathNotFound):
        removed("A=1\n# B\n", ("B",))


@given(data=dotenv_files(), name=st.sampled_from(["A", "NEW", "key_secret", ""]), value=st.text(max_size=8))
def test_inserting_and_removing_do_what_they_do_to_a_list(data: bytes, name: str, value: str) -> None:
    # dotenv takes the two characters \n for a line feed, so a value that has them comes back with one.
    value = value.replace("\\n", "\n")
    text = FORMAT.decode(data)
    before = leaves(text)
    at = next((number for number, leaf in enumerate(before) if leaf[0] == (name,)), len(before))

    after = inserted(text, (name,), value)

    assert leaves(after) == [*before[:at], ((name,), "str", value), *before[at + 1 :]]
    assert leaves(removed(after, (name,))) == [*before[:at], *before[at + 1 :]]


def test_a_hundred_thousand_lines_are_no_burden() -> None:
    text = "\n".join(f"KEY{number}=value" for number in range(100_000))
    begun = time.monotonic()

    assert len(FORMAT.scan(text).leaves) == 100_000
    assert time.monotonic() - begun < 5
