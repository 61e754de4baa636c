"""JSON: what is read, what is kept, and what is written."""

import copy
import json
import time
from pathlib import Path as FilePath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealpy.document import LISTED, Document, Edit, Leaf, Path, splice
from sealpy.errors import AlreadyEncrypted, DocumentError, ParseError, PathNotFound, UnsealableValue
from sealpy.formats.json import FORMAT
from tests.strategies.json_text import DATA, KEY, tidy_json, wild_json

ENC = "ENC[AES256_GCM,data:YQ==,iv:YQ==,tag:YQ==,type:str]"
METADATA = {"age": [{"enc": "a\nb\n", "recipient": "age1"}], "lastmodified": "t", "mac": "m", "version": "3.13.3"}


def leaves(text: str) -> list[tuple[Path, str, str]]:
    return [(leaf.path, leaf.kind, leaf.content) for leaf in FORMAT.scan(text).leaves]


def attached(text: str, metadata: dict[str, Any] | None = None) -> str:
    return splice(text, FORMAT.attach(FORMAT.scan(text), metadata or METADATA))


def detached(text: str) -> str:
    return splice(text, FORMAT.detach(FORMAT.scan(text)))


def inserted(text: str, path: Path, value: object) -> str:
    return splice(text, FORMAT.insert(FORMAT.scan(text), path, value))


def removed(text: str, path: Path) -> str:
    return splice(text, FORMAT.remove(FORMAT.scan(text), path))


def test_every_kind_of_value_has_its_leaf() -> None:
    assert leaves('{"s": "x", "i": -7, "f": 2.50, "t": true, "n": null, "l": [1, {}, []], "o": {"k": ""}}') == [
        (("s",), "str", "x"),
        (("i",), "int", "-7"),
        (("f",), "float", "2.5"),
        (("t",), "bool", "True"),
        (("n",), "null", ""),
        (("l", 0), "int", "1"),
        (("l", 1), "map", ""),
        (("l", 2), "list", ""),
        (("o", "k"), "str", ""),
    ]


def test_a_leafs_span_is_its_literal() -> None:
    text = '{\n  "é": "x\\n",\n  "l": [ 1.0 , {} ]\n}'

    spans = [text[leaf.start : leaf.end] for leaf in FORMAT.scan(text).leaves]

    assert spans == ['"x\\n"', "1.0", "{}"]


@pytest.mark.parametrize(
    ("literal", "kind", "content"),
    [
        ("0", "int", "0"),
        ("-0", "int", "0"),
        ("9223372036854775807", "int", "9223372036854775807"),
        ("-9223372036854775808", "int", "-9223372036854775808"),
        ("9223372036854775808", "float", "9223372036854776000"),
        ("18446744073709551616", "float", "18446744073709552000"),
        ("1e3", "float", "1000"),
        ("1E-7", "float", "0.0000001"),
        ("-0.0", "float", "-0"),
        ("1e-400", "float", "0"),
        ("0.1000000000000000055511151231257827", "float", "0.1"),
    ],
)
def test_numbers_read_as_go_reads_them(literal: str, kind: str, content: str) -> None:
    assert leaves(f'{{"a": {literal}}}') == [(("a",), kind, content)]


@pytest.mark.parametrize(
    ("inside", "content"),
    [
        (b'caf\\u00e9\\n\\t\\\\\\/\\"', 'café\n\t\\/"'),
        (b"\\ud83d\\ude00", "😀"),
        (b"\\ud800x", "\ufffdx"),
        (b"\\ude00\\ud83d", "\ufffd\ufffd"),
        (b"\\ud83d\\u0041", "\ufffdA"),
        (b"a\xe2\x82b", "a\ufffd\ufffdb"),
        (b"\xed\xa0\x80", "\ufffd\ufffd\ufffd"),
        (b"\x7f\xe2\x80\xa8", "\x7f\u2028"),
    ],
)
def test_strings_read_as_go_reads_them(inside: bytes, content: str) -> None:
    data = b'{"a": "' + inside + b'"}'

    document = FORMAT.scan(FORMAT.decode(data))

    assert document.leaves[0].content == content
    assert FORMAT.encode(document.text) == data


def test_a_key_twice_is_two_leaves_in_order() -> None:
    assert leaves('{"a": 1, "b": {"c": 1, "c": 2}, "a": 3}') == [
        (("a",), "int", "1"),
        (("b", "c"), "int", "1"),
        (("b", "c"), "int", "2"),
        (("a",), "int", "3"),
    ]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", (1, 1)),
        ("  \n ", (2, 2)),
        ("[1]", (1, 1)),
        ('"x"', (1, 1)),
        ("5", (1, 1)),
        ("[]", (1, 1)),
        ("nonsense", (1, 1)),
        ('\ufeff{"a": 1}', (1, 1)),
        ("{", (1, 2)),
        ('{"a"', (1, 5)),
        ('{"a":', (1, 6)),
        ('{"a": 1', (1, 8)),
        ('{"a": 1,', (1, 9)),
        ('{"a": [1', (1, 9)),
        ('{"a": 1,}', (1, 9)),
        ('{"a": [1,]}', (1, 10)),
        ('{"a": [1}', (1, 9)),
        ('{"a": {"b": 1]}', (1, 14)),
        ('{"a": 01}', (1, 8)),
        ('{"a": .5}', (1, 7)),
        ('{"a": +1}', (1, 7)),
        ('{"a": NaN}', (1, 7)),
        ('{"a": 1e400}', (1, 7)),
        ('{"a": "x}', (1, 7)),
        ('{"a": "\\x"}', (1, 7)),
        ('{"a": "\\u12"}', (1, 7)),
        ('{"a": "new\nline"}', (1, 7)),
        ("{'a': 1}", (1, 2)),
        ('{"a" 1}', (1, 6)),
        ('{"a": 1 "b": 2}', (1, 9)),
        ('{"a": 1\n,\n,"b": 2}', (3, 1)),
        ('{"a": tru}', (1, 7)),
    ],
)
def test_what_is_no_object_is_refused_with_its_place(text: str, where: tuple[int, int]) -> None:
    with pytest.raises(ParseError) as caught:
        FORMAT.scan(text)

    assert (caught.value.line, caught.value.column) == where
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_an_error_does_not_repeat_the_file() -> None:
    with pytest.raises(ParseError) as caught:
        FORMAT.scan('{"password": "hunter2" "x"')

    assert "hunter2" not in str(caught.value)


def test_nesting_is_bounded() -> None:
    FORMAT.scan('{"a": ' + "[" * 1000 + "1" + "]" * 1000 + "}")

    with pytest.raises(ParseError, match="nested too deeply"):
        FORMAT.scan('{"a": ' + "[" * 1001 + "1" + "]" * 1001 + "}")


def test_many_values_far_down_are_bounded() -> None:
    with pytest.raises(ParseError, match="nested too deeply"):
        FORMAT.scan('{"a": ' + "[" * 900 + "1," * 20_000 + "1" + "]" * 900 + "}")


@pytest.mark.parametrize(
    "text",
    [
        '{"a": "' + "x\\n" * 500_000,
        '{"a": ' + " " * 1_000_000 + "!",
        "{" + " " * 1_000_000,
        '{"a": ' + "9" * 1_000_000 + "}",
        '{"a": [' * 1000 + "[" * 100_000,
        '{"a": "' + "\\" * 1_000_001,
    ],
)
def test_hostile_texts_take_linear_time(text: str) -> None:
    begun = time.monotonic()

    with pytest.raises(DocumentError):
        FORMAT.scan(text)

    assert time.monotonic() - begun < 5


def test_a_hundred_thousand_values_are_no_burden() -> None:
    text = json.dumps({f"key{number}": {"a": f"value {number}"} for number in range(100_000)})
    begun = time.monotonic()

    assert len(FORMAT.scan(text).leaves) == 100_000
    assert time.monotonic() - begun < 5


@given(text=wild_json())
def test_the_values_are_those_that_another_reader_finds(text: str) -> None:
    pairs: list[Any] = []
    decoder = json.JSONDecoder(object_pairs_hook=lambda members: pairs.append(members) or dict(members))
    start = len(text) - len(text.lstrip())
    decoder.raw_decode(text, start)
    expected = sum(
        not isinstance(value, (dict, list)) or not value
        for members in pairs
        for _, outer in members
        for value in flat(outer)
    )

    assert len(FORMAT.scan(text).leaves) == expected


def flat(value: Any) -> list[Any]:
    """A value's own scalars, those of maps in it aside, which come in their turn."""
    if isinstance(value, list) and value:
        return [inner for item in value for inner in flat(item)]
    return [] if isinstance(value, dict) and value else [value]


@given(text=wild_json())
def test_respelling_a_leaf_keeps_its_kind_and_content(text: str) -> None:
    document = FORMAT.scan(text)
    edits = [
        Edit(leaf.start, leaf.end, FORMAT.spell(document, leaf, leaf.kind, leaf.content)) for leaf in document.leaves
    ]

    again = FORMAT.scan(splice(text, edits))

    assert [leaf[3:5] for leaf in again.leaves] == [leaf[3:5] for leaf in document.leaves]
    assert [leaf.path for leaf in again.leaves] == [leaf.path for leaf in document.leaves]


@pytest.mark.parametrize(
    ("kind", "content", "spelt"),
    [
        ("str", 'q"\\\n\x01<&é', '"q\\"\\\\\\n\\u0001<&é"'),
        ("str", "raw\udcff", '"raw\ufffd"'),
        ("int", "-7", "-7"),
        ("float", "1", "1.0"),
        ("float", "-0", "-0.0"),
        ("float", "0.0000001", "1e-7"),
        ("float", "18446744073709552000", "18446744073709552000"),
        ("bool", "True", "true"),
        ("null", "", "null"),
        ("time", "2002-12-14T00:00:00Z", '"2002-12-14T00:00:00Z"'),
    ],
)
def test_values_are_spelt_as_json(kind: Any, content: str, spelt: str) -> None:
    document = FORMAT.scan('{"a": ""}')

    assert FORMAT.spell(document, document.leaves[0], kind, content) == spelt


@pytest.mark.parametrize("content", ["+Inf", "-Inf", "NaN"])
def test_json_has_no_infinity(content: str) -> None:
    document = FORMAT.scan('{"a": ""}')

    with pytest.raises(UnsealableValue):
        FORMAT.spell(document, document.leaves[0], "float", content)


@pytest.mark.parametrize(
    ("text", "sealed"),
    [
        ('{"a":1}', '{"a":1,"sops":{"age":[{"enc":"a\\nb\\n"}],"mac":"m"}}'),
        ('{"a": 1}\n', '{"a": 1, "sops": {"age": [{"enc": "a\\nb\\n"}], "mac": "m"}}\n'),
        (
            '{\n  "a": 1\n}',
            '{\n  "a": 1,\n  "sops": {\n    "age": [\n      {\n        "enc": "a\\nb\\n"\n      }\n    ],\n    "mac": "m"\n  }\n}',
        ),
        (
            '{\r\n\t"a" : {\r\n\t}\r\n}\r\n',
            '{\r\n\t"a" : {\r\n\t},\r\n\t"sops": {\r\n\t\t"age": [\r\n\t\t\t{\r\n\t\t\t\t"enc": "a\\nb\\n"\r\n\t\t\t}\r\n\t\t],\r\n\t\t"mac": "m"\r\n\t}\r\n}\r\n',
        ),
        (
            "{}\n",
            '{\n\t"sops": {\n\t\t"age": [\n\t\t\t{\n\t\t\t\t"enc": "a\\nb\\n"\n\t\t\t}\n\t\t],\n\t\t"mac": "m"\n\t}\n}\n',
        ),
    ],
)
def test_the_block_follows_the_files_layout(text: str, sealed: str) -> None:
    assert attached(text, {"age": [{"enc": "a\nb\n"}], "mac": "m"}) == sealed
    assert detached(sealed) == text


@given(text=wild_json())
def test_detaching_undoes_attaching(text: str) -> None:
    document = FORMAT.scan(text)
    sealed = attached(text)
    _, end = json.JSONDecoder().raw_decode(text, len(text) - len(text.lstrip()))
    lost = text[end:].strip(" \t\r\n")

    assert FORMAT.scan(sealed).metadata == METADATA
    assert leaves(sealed) == [(leaf.path, leaf.kind, leaf.content) for leaf in document.leaves]
    assert detached(sealed) == (text[:end] + text[len(text.rstrip(" \t\r\n")) :] if lost else text)
    assert bool(document.notes) == bool(lost)


def test_a_file_of_sops_gets_its_block_back_byte_for_byte(vectors: FilePath) -> None:
    sealed = (vectors / "json-basic.enc.json").read_text()
    metadata = FORMAT.scan(sealed).metadata

    assert metadata is not None
    assert attached(detached(sealed), dict(metadata)) == sealed


@pytest.mark.parametrize(
    ("text", "clear"),
    [
        ('{"sops": {"mac": "m"}, "a": 1}', '{"a": 1}'),
        ('{"a": 1, "sops": {"mac": "m"}, "b": 2}', '{"a": 1, "b": 2}'),
        ('{\n  "sops": {"mac": "m"}\n}', "{}"),
        ('{\n"sops": {"mac": "m"}\n}', "{\n}"),
        ('{"sops" : {"mac": "m"}}', "{}"),
    ],
)
def test_the_block_is_found_wherever_it_stands(text: str, clear: str) -> None:
    assert FORMAT.scan(text).metadata == {"mac": "m"}
    assert detached(text) == clear


@pytest.mark.parametrize("block", ["5", '"x"', "null", "[]", "[1]", "{}", '{"a": ' + "[" * 200 + "1" + "]" * 200 + "}"])
def test_a_reserved_name_without_sense_is_metadata_without_content(block: str) -> None:
    document = FORMAT.scan('{"a": 1, "sops": ' + block + "}")

    assert document.metadata == {}
    assert [leaf.path for leaf in document.leaves] == [("a",)]
    assert detached(document.text) == '{"a": 1}'


def test_two_blocks_are_none_but_both_are_found() -> None:
    document = FORMAT.scan('{"sops": {"mac": "m"}, "a": 1, "sops": {"mac": "n"}}')

    assert document.metadata == {}
    assert document.notes
    assert detached(document.text) == '{"a": 1}'


def test_a_nested_sops_is_an_ordinary_key() -> None:
    assert leaves('{"a": {"sops": {"mac": "m"}}}') == [(("a", "sops", "mac"), "str", "m")]


def test_an_update_touches_only_what_differs() -> None:
    text = attached('{\n  "a": 1\n}\n')
    document = FORMAT.scan(text)

    edits = FORMAT.update(document, METADATA | {"mac": "other", "lastmodified": "later"})

    assert sorted(text[edit.start : edit.end] for edit in edits) == ['"m"', '"t"']
    assert FORMAT.scan(splice(text, edits)).metadata == METADATA | {"mac": "other", "lastmodified": "later"}
    assert FORMAT.update(document, METADATA) == []


def test_an_update_of_another_shape_writes_the_block_anew_in_its_place() -> None:
    text = '{"a": 1, "sops": {"mac":"m"}, "b": 2}'
    document = FORMAT.scan(text)

    changed = splice(text, FORMAT.update(document, {"mac": "m", "shamir_threshold": 2, "x": []}))

    assert changed == '{"a": 1, "sops": {"mac": "m", "shamir_threshold": 2, "x": []}, "b": 2}'


def test_a_comment_that_sops_left_in_a_list_vanishes_with_its_comma() -> None:
    comment = ENC.replace("type:str", "type:comment")
    text = f'{{"l": ["{comment}", "{comment}", "{ENC}", "{comment}"], "m": ["{comment}"]}}'
    document = FORMAT.scan(text)

    assert [(leaf.path, leaf.kind, leaf.style) for leaf in document.leaves] == [
        (("l",), "comment", LISTED),
        (("l",), "comment", LISTED),
        (("l", 0), "str", ""),
        (("l",), "comment", LISTED),
        (("m",), "comment", LISTED),
    ]
    assert splice(text, [edit_of(document, leaf, "x") for leaf in document.leaves]) == '{"l": ["x"], "m": []}'
    resealed = [Edit(leaf.start, leaf.end, FORMAT.spell_sealed(document, leaf, ENC)) for leaf in document.leaves]
    assert splice(text, resealed) == text.replace(comment, ENC)


def edit_of(document: Document, leaf: Leaf, content: str) -> Edit:
    kind = "comment" if leaf.kind == "comment" else "str"
    return Edit(leaf.start, leaf.end, FORMAT.spell(document, leaf, kind, content))


@pytest.mark.parametrize(
    ("text", "path", "value", "result"),
    [
        ('{"a": 1}', ("a",), "x", '{"a": "x"}'),
        ('{"a": 1}', ("b",), 2, '{"a": 1, "b": 2}'),
        ('{"a":1}', ("b",), {"c": [1, 2]}, '{"a":1,"b":{"c":[1,2]}}'),
        ("{}", ("a",), 1, '{\n\t"a": 1\n}'),
        ('{\n  "a": 1\n}\n', ("b", "c"), None, '{\n  "a": 1,\n  "b": {\n    "c": null\n  }\n}\n'),
        ('{\n  "a": {}\n}', ("a", "b"), 1.0, '{\n  "a": {\n    "b": 1.0\n  }\n}'),
        ('{\n  "a": {"b": 1}\n}', ("a", "c"), {"d": 2}, '{\n  "a": {"b": 1, "c": {"d": 2}}\n}'),
        ('{\n  "a": [\n    1\n  ]\n}', ("a", 1), "x", '{\n  "a": [\n    1,\n    "x"\n  ]\n}'),
        ('{"a": [1, 2]}', ("a", 0), [], '{"a": [[], 2]}'),
        ('{"a": 5}', ("a", "b", 0), "x", '{"a": {"b": ["x"]}}'),
        ('{"a": 1, "a": 2}', ("a",), 3, '{"a": 3, "a": 2}'),
        ('{"a": 1, "sops": {"mac": "m"}}', ("b",), 2, '{"a": 1, "b": 2, "sops": {"mac": "m"}}'),
        ('{\n  "sops": {"mac": "m"}\n}', ("b",), 2, '{\n  "b": 2,\n  "sops": {"mac": "m"}\n}'),
        ('{"a": {"sops": 1}}', ("a", "b"), 2, '{"a": {"sops": 1, "b": 2}}'),
    ],
)
def test_inserting_follows_the_layout_around_it(text: str, path: Path, value: object, result: str) -> None:
    assert inserted(text, path, value) == result


@pytest.mark.parametrize(
    ("text", "path", "result"),
    [
        ('{"a": 1, "b": 2}', ("a",), '{"b": 2}'),
        ('{"a": 1, "b": 2}', ("b",), '{"a": 1}'),
        ('{"a": 1}', ("a",), "{}"),
        ('{\n  "a": 1,\n  "b": 2\n}', ("b",), '{\n  "a": 1\n}'),
        ('{"a": [1, {"x": 2}, 3]}', ("a", 1), '{"a": [1, 3]}'),
        ('{"a": 1, "sops": {"mac": "m"}}', ("a",), '{"sops": {"mac": "m"}}'),
    ],
)
def test_removing_takes_the_comma_along(text: str, path: Path, result: str) -> None:
    assert removed(text, path) == result


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ((), PathNotFound),
        ((0,), PathNotFound),
        (("l", "x"), PathNotFound),
        (("l", -1), PathNotFound),
        (("sops",), AlreadyEncrypted),
        (("sops", "mac"), AlreadyEncrypted),
    ],
)
def test_a_path_that_leads_nowhere_is_refused(path: Path, error: type[DocumentError]) -> None:
    with pytest.raises(error):
        inserted('{"l": [1, 2]}', path, "x")


@pytest.mark.parametrize("path", [("b",), ("a", "b"), ("l", 2), ("l", 0, "x"), ()])
def test_what_is_not_there_cannot_be_removed(path: Path) -> None:
    with pytest.raises(PathNotFound):
        removed('{"a": 1, "l": [1, 2]}', path)


def test_a_value_nested_without_end_is_refused() -> None:
    value: Any = []
    for _ in range(5000):
        value = [value]

    with pytest.raises(ParseError, match="nested too deeply"):
        inserted("{}", ("a",), value)


@given(text=tidy_json(), keys=st.lists(KEY, min_size=1, max_size=3), value=DATA)
def test_inserting_does_to_the_text_what_it_does_to_the_data(text: str, keys: list[str], value: Any) -> None:
    expected = json.loads(text)
    here = expected
    for key in keys[:-1]:
        if not isinstance(here.get(key), dict):
            if isinstance(here.get(key), list):
                return
            here[key] = {}
        here = here[key]
    here[keys[-1]] = value

    assert json.loads(inserted(text, tuple(keys), value)) == expected


@given(text=tidy_json(), data=st.data())
def test_removing_does_to_the_text_what_it_does_to_the_data(text: str, data: st.DataObject) -> None:
    expected = json.loads(text)
    path: list[str | int] = []
    here: Any = copy.deepcopy(expected)
    while isinstance(here, (dict, list)) and here and (not path or data.draw(st.booleans())):
        part = data.draw(st.sampled_from(sorted(here) if isinstance(here, dict) else range(len(here))))
        path.append(part)
        here = here[part]
    if not path:
        return
    holder = expected
    for part in path[:-1]:
        holder = holder[part]
    del holder[path[-1]]

    assert json.loads(removed(text, tuple(path))) == expected


def test_what_is_printed_about_a_document_shows_no_value() -> None:
    document = FORMAT.scan('{"password": "hunter2"}')

    assert "hunter2" not in repr(document) + repr(document.leaves)
