"""Binary: any bytes, clear or sealed."""

from pathlib import Path as FilePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealpy.document import Edit, splice
from sealpy.errors import ParseError, PathNotFound
from sealpy.formats.binary import FORMAT

ENC = "ENC[AES256_GCM,data:YQ==,iv:YQ==,tag:YQ==,type:str]"
METADATA = {"lastmodified": "t", "mac": "m", "version": "3.13.3"}
SEALED = f'{{\n\t"data": "{ENC}",\n\t"sops": {{\n\t\t"lastmodified": "t",\n\t\t"mac": "m",\n\t\t"version": "3.13.3"\n\t}}\n}}\n'


def sealed_as(text: str) -> str:
    """Seal as the engine does: edits for leaves with content, then the block."""
    document = FORMAT.scan_clear(text)
    edits = [
        Edit(leaf.start, leaf.end, FORMAT.spell_sealed(document, leaf, ENC)) for leaf in document.leaves if leaf.content
    ]
    return splice(text, [*edits, *FORMAT.attach(document, METADATA)])


def opened_as(text: str, content: str) -> str:
    document = FORMAT.scan(text)
    edits = [
        Edit(leaf.start, leaf.end, FORMAT.spell(document, leaf, "str", content))
        for leaf in document.leaves
        if leaf.content
    ]
    return splice(text, [*edits, *FORMAT.detach(document)])


@given(data=st.binary(max_size=50))
def test_any_bytes_are_one_leaf_and_come_back(data: bytes) -> None:
    document = FORMAT.scan(FORMAT.decode(data))

    assert [(leaf.path, leaf.kind) for leaf in document.leaves] == [(("data",), "str")]
    assert document.leaves[0].content.encode("utf-8", "surrogateescape") == data
    assert document.metadata is None
    assert FORMAT.encode(document.text) == data


def test_a_sealed_file_looks_as_sops_writes_it() -> None:
    assert sealed_as("hello\n") == SEALED
    assert sealed_as("") == SEALED.replace(ENC, "")


@given(data=st.binary(max_size=50))
def test_opening_gives_the_bytes_back(data: bytes) -> None:
    text = FORMAT.decode(data)

    assert opened_as(sealed_as(text), text) == text


def test_a_sealed_file_is_read_as_such() -> None:
    document = FORMAT.scan(SEALED)

    assert document.metadata == METADATA
    assert [(leaf.path, leaf.kind, leaf.content) for leaf in document.leaves] == [(("data",), "str", ENC)]
    assert document.format == "binary"


def test_every_binary_vector_is_read_as_sealed(vectors: FilePath) -> None:
    files = sorted(vectors.glob("bin-*.enc.*"))

    assert len(files) > 3
    for file in files:
        document = FORMAT.scan(FORMAT.decode(file.read_bytes()))
        assert document.metadata is not None
        assert len(document.leaves) == 1


@pytest.mark.parametrize(
    "text",
    [
        '{"data": "x"}',
        '{"sops": {"mac": "m"}}',
        '{"data": 5, "sops": {"mac": "m"}}',
        '{"data": ["x"], "sops": {"mac": "m"}}',
        '{"data": "x", "sops": {"mac": "m"}',
        'prefix {"data": "x", "sops": {"mac": "m"}}',
    ],
)
def test_json_that_is_no_sealed_file_is_bytes(text: str) -> None:
    document = FORMAT.scan(text)

    assert document.metadata is None
    assert document.leaves[0].content == text


def test_a_sealed_file_can_also_be_read_as_bytes() -> None:
    document = FORMAT.scan_clear(SEALED)

    assert document.metadata is None
    assert document.leaves[0].content == SEALED
    assert opened_as(sealed_as(SEALED), SEALED) == SEALED


def test_values_beside_the_data_are_refused() -> None:
    with pytest.raises(ParseError):
        FORMAT.scan('{"data": "x", "more": "y", "sops": {"mac": "m"}}')


def test_data_after_the_metadata_are_refused() -> None:
    with pytest.raises(ParseError):
        FORMAT.scan('{"sops": {"mac": "m"}, "data": "x"}')


def test_sealing_anew_keeps_the_layout_of_the_file() -> None:
    text = SEALED.replace("\t", "  ")
    document = FORMAT.scan(text)
    leaf = document.leaves[0]
    other = ENC.replace("YQ==", "Yg==")

    assert splice(text, [Edit(leaf.start, leaf.end, FORMAT.spell_sealed(document, leaf, other))]) == text.replace(
        ENC, other
    )


def test_an_update_touches_only_what_differs() -> None:
    document = FORMAT.scan(SEALED)

    assert splice(SEALED, FORMAT.update(document, METADATA | {"mac": "n"})) == SEALED.replace('"m"', '"n"')


@pytest.mark.parametrize("value", ["new", 'quo"te\n', ""])
def test_the_data_can_be_set_in_clear_and_in_a_sealed_file(value: str) -> None:
    clear = FORMAT.scan("old")
    sealed = FORMAT.scan(SEALED)

    assert splice("old", FORMAT.insert(clear, ("data",), value)) == value
    assert FORMAT.scan(splice(SEALED, FORMAT.insert(sealed, ("data",), value))).leaves[0].content == value


def test_there_is_nothing_else_to_set_or_remove() -> None:
    document = FORMAT.scan("old")

    with pytest.raises(PathNotFound):
        FORMAT.insert(document, ("other",), "x")
    with pytest.raises(ParseError):
        FORMAT.insert(document, ("data",), 5)
    with pytest.raises(PathNotFound):
        FORMAT.remove(document, ("data",))
