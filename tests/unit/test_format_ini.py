"""INI: what is read, what is kept, and what is written."""

import contextlib
import time
from pathlib import Path as FilePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealpy.document import Edit, Leaf, Path, splice
from sealpy.encrypted_value import looks_sealed
from sealpy.errors import AlreadyEncrypted, DocumentError, ParseError, PathNotFound, UnsealableValue
from sealpy.formats.ini import FORMAT
from tests.strategies.ini_text import ini_texts

METADATA = {"age": [{"enc": "a\nb\n", "recipient": "age1"}], "lastmodified": "t", "mac": "m", "version": "3.13.3"}


def enc(number: int, kind: str = "str") -> str:
    return f"ENC[AES256_GCM,data:{number:04}YQ==,iv:YQ==,tag:YQ==,type:{kind}]"


def is_readable(text: str) -> bool:
    try:
        FORMAT.scan(text)
    except ParseError:
        return False
    return True


def values(text: str) -> list[tuple[Path, str]]:
    return [(leaf.path, leaf.content) for leaf in FORMAT.scan(text).leaves if leaf.kind == "str"]


def comments(text: str) -> list[tuple[Path, str]]:
    return [(leaf.path, leaf.content) for leaf in FORMAT.scan(text).leaves if leaf.kind == "comment"]


def value_of(line: str) -> str:
    ((_, content),) = values(f"{line}\n")
    return content


def scanned(text: str) -> list[tuple[Path, str, str]]:
    return [(leaf.path, leaf.kind, leaf.content) for leaf in FORMAT.scan(text).leaves]


def sealed(text: str) -> tuple[str, dict[str, tuple[str, str]]]:
    """Put a number in the place of every value and comment, and return what belongs to each."""
    document = FORMAT.scan(text)
    edits = []
    contents: dict[str, tuple[str, str]] = {}
    for number, leaf in enumerate(document.leaves):
        if leaf.kind != "map" and leaf.content:
            put = enc(number, leaf.kind)
            contents[put] = (leaf.kind, leaf.content)
            edits.append(Edit(leaf.start, leaf.end, FORMAT.spell_sealed(document, leaf, put)))
    return splice(text, [*edits, *FORMAT.attach(document, METADATA)]), contents


def opened(text: str, contents: dict[str, tuple[str, str]]) -> str:
    document = FORMAT.scan(text)
    edits = [
        Edit(leaf.start, leaf.end, FORMAT.spell(document, leaf, *content_of(leaf, contents)))
        for leaf in document.leaves
        if leaf.content in contents
    ]
    return splice(text, [*edits, *FORMAT.detach(document)])


def content_of(leaf: Leaf, contents: dict[str, tuple[str, str]]) -> tuple[str, str]:  # type: ignore[type-arg]
    return contents[leaf.content]


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("k=v", "v"),
        ("k : v", "v"),
        ("k=", ""),
        ("  k =\t v w  ", "v w"),
        ("k=a=b:c", "a=b:c"),
        ("k=here#there", "here"),
        ("k=here;there", "here"),
        ('k="a b"', "a b"),
        ("k='a b'", "a b"),
        ('k=" x "', " x "),
        ('k="a"b"', '"a"b"'),
        ('k="a#b"', '"a'),
        ("k=it's", "it's"),
        ("k=`a;b`", "a;b"),
        ("k=`a`b`", "a`b"),
        ('k="""a"b"""', 'a"b'),
        ('k="""x""""', 'x"'),
        ('k=""""""', ""),
        ("k=%(x)s", "%(x)s"),
        ("k=one \\\n  two", "one two"),
        ("k=one \\\n  two # three", "one two # three"),
        ("k=one\\\n\nx", "one"),
        ("k=`l1\nl2`", "l1\nl2"),
        ('k="""l1\r\n l2\r\n"""', "l1\r\n l2\r\n"),
        ("k=\x1cv\x1c", "\x1cv\x1c"),
        ("k=\xa0v\u3000", "v"),
    ],
)
def test_a_value_reads_as_go_ini_reads_it(line: str, value: str) -> None:
    if line.endswith("\n\nx"):
        line += "=1"
        assert values(line)[0][1] == value
    else:
        assert value_of(line) == value


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("two words = 1", "two words"),
        ('"q=1" = 1', "q=1"),
        ("`b:2`=1", "b:2"),
        ('"""t"""=1', "t"),
        ("` pad `=1", "pad"),
        ("a#b=1", "a#b"),
        ("é=1", "é"),
    ],
)
def test_a_key_reads_as_go_ini_reads_it(line: str, key: str) -> None:
    assert values(line) == [(("DEFAULT", key), "1")]


def test_sections_stand_in_order_and_may_come_twice() -> None:
    text = 'g=1\n[a]\nx=1\n[b]\n[DEFAULT]\nx=2\n[a]\nx=3\n[sub "n"] ; c ]\n'

    assert scanned(text) == [
        (("DEFAULT", "g"), "str", "1"),
        (("a", "x"), "str", "1"),
        (("b",), "map", ""),
        (("DEFAULT", "x"), "str", "2"),
        (("a", "x"), "str", "3"),
        (('sub "n"] ; c ',), "map", ""),
    ]


def test_a_key_twice_stands_at_its_first_place_with_its_last_value() -> None:
    assert scanned("[a]\nx=old\ny=2\nx=new\n") == [
        (("a", "x"), "str", "new"),
        (("a", "y"), "str", "2"),
        (("a", "x"), "comment", "old"),
    ]


def test_comments_come_in_the_order_of_sops() -> None:
    text = "; file\n\n# c1\n[a] # header\n; k1\n# k2\nx=1 ; beside\ny=2 # alone\n; end\n"

    assert scanned(text) == [
        (("a",), "comment", "file\n# c1\n# header"),
        (("a", "x"), "str", "1"),
        (("a",), "comment", "k1\n# k2\n; beside"),
        (("a", "y"), "str", "2"),
        (("a",), "comment", "alone"),
        (("a",), "comment", "beside"),
        (("a",), "comment", "end"),
    ]


def test_a_first_comment_line_without_words_keeps_its_marker() -> None:
    assert comments("####\n# Title\n#\nx=1\n") == [(("DEFAULT",), "####\n# Title\n#")]
    assert comments(";\nx=1\n") == [(("DEFAULT",), "")]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("foo\n", (1, 1)),
        ("[a]\n  foo\n", (2, 3)),
        ("[a\n", (1, 1)),
        ("[]\n", (1, 1)),
        ("=x\n", (1, 1)),
        ('""=x\n', (1, 1)),
        ("`q=x\n", (1, 1)),
        ("k=`x\n", (1, 3)),
        ('k="""x\ny\n', (1, 3)),
    ],
)
def test_what_go_ini_refuses_is_refused_with_its_place(text: str, where: tuple[int, int]) -> None:
    with pytest.raises(ParseError) as caught:
        FORMAT.scan(text)

    assert (caught.value.line, caught.value.column) == where
    assert "foo" not in str(caught.value)


def test_keys_that_number_themselves_cannot_be_sealed() -> None:
    document = FORMAT.scan("[a]\n-=one\n-=two\n[b]\n-=three\n")

    assert values(document.text) == [(("a", "#1"), "one"), (("a", "#2"), "two"), (("b", "#1"), "three")]
    with pytest.raises(UnsealableValue) as caught:
        FORMAT.check_sealable(document)
    assert caught.value.line == 2


def test_what_is_no_utf_8_is_kept() -> None:
    data = b"[a]\nk=\xff\n"

    assert FORMAT.encode(FORMAT.scan(FORMAT.decode(data)).text) == data


@given(text=ini_texts(wild=False))
def test_sealing_and_opening_give_the_text_back(text: str) -> None:
    there, contents = sealed(text)

    assert opened(there, contents) == text


@given(text=ini_texts().filter(is_readable))
def test_everything_sealed_is_read_again_in_the_same_order(text: str) -> None:
    there, contents = sealed(text)
    before = [(leaf.path, leaf.kind, leaf.content) for leaf in FORMAT.scan(text).leaves]
    after = [
        (leaf.path, leaf.kind, contents.get(leaf.content, ("", leaf.content))[1]) for leaf in FORMAT.scan(there).leaves
    ]

    assert [leaf for leaf in after if leaf[1] == "str"] == [leaf for leaf in before if leaf[1] == "str"]
    assert sorted(leaf for leaf in after if leaf[2]) == sorted(leaf for leaf in before if leaf[2])
    assert FORMAT.scan(there).metadata == METADATA


@given(text=ini_texts().filter(is_readable))
def test_respelling_a_value_keeps_its_content(text: str) -> None:
    document = FORMAT.scan(text)
    edits = [
        Edit(leaf.start, leaf.end, FORMAT.spell(document, leaf, "str", leaf.content))
        for leaf in document.leaves
        if leaf.kind == "str"
    ]

    assert values(splice(text, edits)) == values(text)


@pytest.mark.parametrize(
    ("text", "there"),
    [
        ("[a]\nx = 1\n", "[a]\nx = 0\n"),
        ('x = "a b" ; c\n', 'x = "0" ; 1\n'),
        ("; c1\n\n  # c2\n[a]\n", "; 0\n\n  #\n[a]\n"),
        ("#\n# Title\n#\nx=1\n", "#1\n#\n#\nx=0\n"),
        ("  [a] # beside\n", "  # 0\n  [a] #\n"),
        ("; above\n[a] # beside\n", "; 0\n[a] #\n"),
        ("; above\nx=1 # beside\n", "; 1\nx=0 # 2\n"),
        ("x=`a`  ; dropped\n", "x=`0`  ; 1\n"),
        ("x=`a` dropped\n", "x=`0` 1\n"),
        ('x="""l1\nl2""" ; heard\n', "x=0 ; 1\n"),
        ("x=1\nx=2\n", "x=1\nx=0\n"),
        ("x=1\n; end\n", "x=0\n; 1\n"),
    ],
)
def test_comments_are_sealed_where_they_stand(text: str, there: str) -> None:
    document = FORMAT.scan(text)
    leaves = [leaf for leaf in document.leaves if leaf.kind != "map"]
    edits = [
        Edit(leaf.start, leaf.end, FORMAT.spell_sealed(document, leaf, enc(number)))
        for number, leaf in enumerate(leaves)
        if leaf.content
    ]
    written = splice(text, edits)

    for number in range(len(leaves)):
        written = written.replace(enc(number), str(number))
    assert written == there


@pytest.mark.parametrize(
    ("content", "clear"),
    [
        ("one", "; one\n[a]\n"),
        ("one\n; two\n# three", "; one\n; two\n# three\n[a]\n"),
        ("one\r\n; two", "; one\n; two\n[a]\n"),
    ],
)
def test_comments_that_sops_sealed_in_one_come_back_as_lines(content: str, clear: str) -> None:
    assert opened(f"; {enc(0, 'comment')}\n[a]\n", {enc(0, "comment"): ("comment", content)}) == clear


def test_a_comment_added_by_hand_to_a_sealed_file_is_a_comment_of_its_own() -> None:
    text = f"; hand\n; {enc(1)}\n;\n; written\n[a]\n"

    assert comments(text) == [(("a",), "hand"), (("a",), enc(1)), (("a",), "written")]
    assert opened(text, {enc(1): ("comment", "x\n; y")}) == "; hand\n; x\n; y\n; written\n[a]\n"


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("v", "k = v"),
        ("", "k = "),
        (" out ", 'k = " out "'),
        ("a;b", "k = `a;b`"),
        ("a`b", "k = a`b"),
        ("`b", 'k = """`b"""'),
        ("a`#b", 'k = """a`#b"""'),
        ("l1\nl2", 'k = """l1\nl2"""'),
        ('"q"', 'k = `"q"`'),
        ("end\\", 'k = "end\\"'),
        ('"""\n', 'k = `"""\n`'),
    ],
)
def test_a_value_gets_quotes_only_where_it_needs_them(content: str, line: str) -> None:
    document = FORMAT.scan("k = x\n")
    leaf = document.leaves[0]
    text = splice(document.text, [Edit(leaf.start, leaf.end, FORMAT.spell(document, leaf, "str", content))])

    assert text == f"{line}\n"
    assert value_of(line) == content


def test_a_value_that_no_quotes_can_hold_is_refused() -> None:
    document = FORMAT.scan("k = x\n")

    with pytest.raises(ParseError):
        FORMAT.spell(document, document.leaves[0], "str", '"""`\n')


@pytest.mark.parametrize(
    "text",
    ["", "a=1\n", "a=1", "[a]\r\nx=1\r\n", "[a]\r\nx=1", "\n", "a=1\n\n\n", "a=x\\", "; end", "\ufeff", "\ufeffa=1"],
)
def test_detaching_undoes_attaching(text: str) -> None:
    document = FORMAT.scan(text)
    there = splice(text, FORMAT.attach(document, METADATA))

    assert FORMAT.scan(there).metadata == METADATA
    assert values(there) == values(text)
    assert splice(there, FORMAT.detach(FORMAT.scan(there))) == text


def test_the_section_is_written_as_sops_writes_it() -> None:
    assert splice("a=1\n", FORMAT.attach(FORMAT.scan("a=1\n"), METADATA)) == (
        "a=1\n\n[sops]\nage__list_0__map_enc       = a\\nb\\n\nage__list_0__map_recipient = age1\n"
        "lastmodified               = t\nmac                        = m\nversion                    = 3.13.3\n"
    )


def test_a_file_of_sops_gets_its_block_back_byte_for_byte(vectors: FilePath) -> None:
    there = (vectors / "ini-shamir-2of3.enc.ini").read_text()
    document = FORMAT.scan(there)

    assert document.metadata is not None
    clear = FORMAT.scan(splice(there, FORMAT.detach(document)))
    assert splice(clear.text, FORMAT.attach(clear, document.metadata)) == there


def test_metadata_with_real_line_breaks_are_read() -> None:
    document = FORMAT.scan('[sops]\nage__list_0__map_enc = """a\nb\n"""\nmac = "m"\n')

    assert document.metadata == {"age": [{"enc": "a\nb\n"}], "mac": "m"}


@pytest.mark.parametrize("text", ["[sops]\nmac=m\n[sops]\nmac=m\n", "[sops]\na__list_1=x\n", "[sops]\n"])
def test_metadata_without_sense_are_metadata_without_content(text: str) -> None:
    document = FORMAT.scan(f"[a]\nx=1\n{text}")

    assert document.metadata == {}
    assert values(document.text) == [(("a", "x"), "1")]
    assert splice(document.text, FORMAT.detach(document)) == "[a]\nx=1\n"


def test_the_section_is_found_wherever_it_stands() -> None:
    text = "a=1\n\n[sops]\nmac=m\n\n[b]\nx=1\n"

    assert splice(text, FORMAT.detach(FORMAT.scan(text))) == "a=1\n\n[b]\nx=1\n"


def test_an_update_touches_only_what_differs() -> None:
    there = splice("a=1\n", FORMAT.attach(FORMAT.scan("a=1\n"), METADATA))
    document = FORMAT.scan(there)

    edits = FORMAT.update(document, METADATA | {"mac": "two\nlines"})

    assert [(there[edit.start : edit.end], edit.replacement) for edit in edits] == [("m", "two\\nlines")]
    assert FORMAT.update(document, METADATA) == []


@pytest.mark.parametrize("text", ["a=1\n", "a=1", "", "a=1\r\n"])
def test_an_update_of_another_shape_writes_the_section_anew(text: str) -> None:
    there = splice(text, FORMAT.attach(FORMAT.scan(text), METADATA))
    document = FORMAT.scan(there)

    changed = splice(there, FORMAT.update(document, {"mac": "m", "shamir_threshold": 2}))

    assert FORMAT.scan(changed).metadata == {"mac": "m", "shamir_threshold": "2"}
    assert splice(changed, FORMAT.detach(FORMAT.scan(changed))) == text


def test_a_comment_in_clear_that_sops_crashes_on_is_refused() -> None:
    document = FORMAT.scan("[a]\n#\n# Title\nx=1\n")

    assert FORMAT.unfold(document, [True] * len(document.leaves)) == []
    with pytest.raises(UnsealableValue) as caught:
        FORMAT.unfold(document, [False] * len(document.leaves))
    assert caught.value.line == 2


def test_a_comment_beside_moves_up_if_only_one_of_two_would_be_sealed() -> None:
    document = FORMAT.scan("[a]\n  ; above\n  x=1  # beside\n")
    wanted = [leaf.content == "1" or leaf.content.startswith("above") for leaf in document.leaves]

    assert splice(document.text, FORMAT.unfold(document, wanted)) == "[a]\n  ; above\n  # beside\n  x=1\n"


def test_what_stands_beside_a_header_without_being_a_comment_goes() -> None:
    document = FORMAT.scan("[a] pass word ; c\nx=1\n")

    assert document.notes
    assert splice(document.text, FORMAT.unfold(document, [True] * 2)) == "[a]  ; c\nx=1\n"


def test_three_quotes_at_the_very_end_get_quotes_of_their_own() -> None:
    document = FORMAT.scan('k="""')

    assert values(document.text) == [(("DEFAULT", "k"), '"""')]
    assert splice(document.text, FORMAT.unfold(document, [False])) == 'k=`"""`'


@pytest.mark.parametrize(
    ("text", "path", "value", "result"),
    [
        ("[a]\nx = 1\n", ("a", "x"), "2", "[a]\nx = 2\n"),
        ("[a]\nx=1\nx=2\n", ("a", "x"), "3", "[a]\nx=1\nx=3\n"),
        ("[a]\n  x=1\n[b]\n", ("a", "y"), True, "[a]\n  x=1\n  y=true\n[b]\n"),
        ("[a]\nlong = 1\nx    = 2\n", ("a", "y"), "p q", "[a]\nlong = 1\nx    = 2\ny = p q\n"),
        ("[a]\nx: 1", ("a", "k=1"), "", "[a]\nx: 1\n`k=1`: "),
        ("[a]\n", ("a", "y"), "1", "[a]\ny = 1\n"),
        ("[a]\r\nx=1\r\n", ("a", "y"), "1", "[a]\r\nx=1\r\ny=1\r\n"),
        ("", ("a", "y"), "1", "[a]\ny = 1\n"),
        ("x=1\n", ("a", "y"), "1", "x=1\n\n[a]\ny = 1\n"),
        ("x=1", ("a", "y"), "1", "x=1\n\n[a]\ny = 1"),
        ("; c\n[a]\n", ("DEFAULT", "y"), "1", "y = 1\n; c\n[a]\n"),
        ("x=1\n\n[sops]\nmac=m\n", ("a", "y"), "1", "x=1\n\n[a]\ny = 1\n\n[sops]\nmac=m\n"),
        ("[b]\nx=1\n; end\n", ("a", "y"), "1", "[a]\ny = 1\n\n[b]\nx=1\n; end\n"),
        ("[a]\n; c\nx=1\ny=2\n", ("a",), {"z": "l1\nl2"}, '[a]\nz="""l1\nl2"""\n'),
        ("[a]\nx=1\n", ("b",), {}, "[a]\nx=1\n\n[b]\n"),
    ],
)
def test_inserting_follows_the_layout_around_it(text: str, path: Path, value: object, result: str) -> None:
    assert splice(text, FORMAT.insert(FORMAT.scan(text), path, value)) == result


@pytest.mark.parametrize(
    ("path", "value", "error"),
    [
        ((), "x", PathNotFound),
        (("a", 0), "x", PathNotFound),
        (("a",), "x", ParseError),
        (("a", "b", "c"), "x", ParseError),
        (("a", "b"), {"c": 1}, ParseError),
        (("a", ""), "x", ParseError),
        (("a", "-"), "x", ParseError),
        (("a", "b\nc"), "x", ParseError),
        (("a\nb", "c"), "x", ParseError),
        (("", "c"), "x", ParseError),
        (("sops", "mac"), "x", AlreadyEncrypted),
    ],
)
def test_what_ini_cannot_hold_is_refused(path: Path, value: object, error: type[DocumentError]) -> None:
    with pytest.raises(error):
        FORMAT.insert(FORMAT.scan("[a]\nx=1\n"), path, value)


@pytest.mark.parametrize(
    ("text", "path", "result"),
    [
        ("[a]\n; c\nx=1\ny=2\n", ("a", "x"), "[a]\ny=2\n"),
        ("[a]\nx=1\ny=2\nx=3\n", ("a", "x"), "[a]\ny=2\n"),
        ("[a]\nx=`l1\nl2` ; c\n", ("a", "x"), "[a]\n"),
        ("; c\n[a]\nx=1\n; d\n[b]\ny=1\n", ("a",), "; d\n[b]\ny=1\n"),
        ("[a]\nx=1\n[b]\ny=1\n; end\n", ("b",), "[a]\nx=1\n"),
        ("x=1\n[b]\n", ("DEFAULT",), "[b]\n"),
    ],
)
def test_removing_takes_the_comments_above_along(text: str, path: Path, result: str) -> None:
    assert splice(text, FORMAT.remove(FORMAT.scan(text), path)) == result


@pytest.mark.parametrize("path", [("b",), ("a", "y"), ("DEFAULT",)])
def test_what_is_not_there_cannot_be_removed(path: Path) -> None:
    with pytest.raises(PathNotFound):
        FORMAT.remove(FORMAT.scan("[a]\nx=1\n"), path)


@given(
    text=ini_texts(wild=False),
    path=st.tuples(st.sampled_from(["a", "b", "DEFAULT", "new"]), st.sampled_from(["a", "key", "new", "k=1", "#h"])),
    value=st.sampled_from(["v", "", " out ", "a;b", "l1\nl2", 'say "x"', "`", "end\\"]),
)
def test_inserting_and_removing_do_to_the_text_what_they_do_to_the_data(text: str, path: Path, value: str) -> None:
    before = values(text)
    try:
        after = splice(text, FORMAT.insert(FORMAT.scan(text), path, value))
    except UnsealableValue:
        return

    changed = values(after)
    at = changed.index((path, value))
    assert [leaf for number, leaf in enumerate(changed) if number != at] == without_first(before, path)
    again = values(splice(after, FORMAT.remove(FORMAT.scan(after), path)))
    assert again == without_first(before, path)


def without_first(leaves: list[tuple[Path, str]], path: Path) -> list[tuple[Path, str]]:
    at = next((number for number, leaf in enumerate(leaves) if leaf[0] == path), len(leaves))
    return leaves[:at] + leaves[at + 1 :]


@pytest.mark.parametrize(
    "text",
    [
        "k = `" + "x\n" * 300_000,
        "k = x\\\n" * 100_000,
        "; c\n" * 200_000,
        "[" * 500_000,
        "k" * 500_000,
        "k=1\n" * 100_000,
    ],
)
def test_hostile_texts_take_linear_time(text: str) -> None:
    begun = time.monotonic()

    with contextlib.suppress(ParseError):
        FORMAT.scan(text)

    assert time.monotonic() - begun < 5


def test_a_sealed_value_is_found_whatever_stands_around_it() -> None:
    text = f'[a]\nx = {enc(1)}\ny = "{enc(2)}"\nz: `{enc(3)}` ; {enc(4)}\n'

    assert all(looks_sealed(content) for _, content in values(text))
    assert comments(text) == [(("a",), enc(4))]
