"""Settings files, and the slips in them."""

import pytest

from sealpy import settings
from sealpy.errors import RuleError
from sealpy.settings import Setting


def read(text: str) -> Setting:
    setting = settings.parse(text, "file")
    assert setting is not None
    return setting


def test_an_empty_file_holds_no_settings() -> None:
    for text in ("", "# only a remark\n", "---\n", "null\n", "~"):
        assert settings.parse(text, "file") is None


def test_only_the_first_document_counts() -> None:
    assert read("a: 1\n---\n]: not even YAML").fields(["a"])["a"].text("a") == "1"


def test_a_byte_order_mark_is_skipped() -> None:
    assert list(read("\ufeffa: 1").fields(["a"])) == ["a"]


def test_a_text_is_what_was_written() -> None:
    fields = read("a: no\nb: 010\nc: '1'\nd: 1e3\ne: 2001-01-01\n").fields("abcde")

    assert {name: field.text(name) for name, field in fields.items()} == {
        "a": "no",
        "b": "010",
        "c": "1",
        "d": "1e3",
        "e": "2001-01-01",
    }


def test_a_null_entry_is_not_there() -> None:
    assert list(read("a:\nb: ~\nc: null\nd: ''\ne: 'null'\n").fields("abcde")) == ["d", "e"]


def test_aliases_and_merge_keys_work() -> None:
    text = "base: &base {a: 1, b: 2}\nmore: &more {b: 3, c: 4}\nit:\n  <<: [*base, *more]\n  a: 5\n"

    it = read(text).fields(["it", "base", "more"])["it"]

    assert {name: field.text(name) for name, field in it.fields("abc").items()} == {"a": "5", "b": "2", "c": "4"}


def test_a_null_hides_what_is_merged() -> None:
    assert list(read("base: &b {a: 1, c: 2}\nit: {a: ~, <<: *b}").fields(["base", "it"])["it"].fields("ac")) == ["c"]


def test_a_list_may_be_a_text_with_commas() -> None:
    fields = read('a: " x, y ,,"\nb: [x, " y,z "]\nc: []\nd: ""\n').fields("abcd")

    assert [field.texts(name) for name, field in fields.items()] == [["x", "y"], ["x", "y", "z"], [], []]


@pytest.mark.parametrize(("text", "expected"), [("2", 2), ("+2", 2), ("-1", -1), ("0x10", 16), ("1_000", 1000)])
def test_a_whole_number_has_many_spellings(text: str, expected: int) -> None:
    assert read(f"a: {text}").fields("a")["a"].integer("a") == expected


@pytest.mark.parametrize("text", ["yes", "on", "y", "True", "'yes'"])
def test_a_truth_value_has_many_spellings(text: str) -> None:
    assert read(f"a: {text}").fields("a")["a"].boolean("a") is True


@pytest.mark.parametrize("text", ["no", "Off", "N", "FALSE"])
def test_a_falsehood_too(text: str) -> None:
    assert read(f"a: {text}").fields("a")["a"].boolean("a") is False


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("encryped_regex", "encrypted_regex"),
        ("encrypted-regex", "encrypted_regex"),
        ("Encrypted_Regex", "encrypted_regex"),
        ("encrytped_regexp", "encrypted_regex"),
        ("unencrypted_regx", "unencrypted_regex"),
        ("aeg", "age"),
        ("path", "path_regex"),
    ],
)
def test_a_slip_is_an_error_with_its_line_and_what_was_meant(text: str, meant: str) -> None:
    setting = read(f"x: 1\n# remark\n{text}: secret\n")

    with pytest.raises(RuleError) as caught:
        setting.fields(["x", "encrypted_regex", "unencrypted_regex", "age", "path_regex"], {"path": "path_regex"})

    assert caught.value.message == f"file:3: unknown key {text!r}"
    assert caught.value.hint == f"did you mean {meant}?"


@pytest.mark.parametrize("name", ["keys", "name", "tags", "x-anchors", "description", "agents", "e"])
def test_any_other_key_is_noted(name: str) -> None:
    setting = read(f"{name}: 1\nage: 2\n")

    assert list(setting.fields(["age", "pgp", "kms", "encrypted_regex", "path_regex"])) == ["age"]
    assert setting.notes == [f"line 1: unknown key {name!r} is ignored"]


def test_what_is_shown_of_a_key_is_short_and_printable() -> None:
    setting = read('"\\e[31m' + "x" * 1000 + '": 1')
    setting.fields(["age"])

    assert setting.notes == ["line 1: unknown key '\\x1b[31m" + "x" * 34 + "…' is ignored"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2", "file:2: the key 'a' stands here twice"),
        ("- a", "file:1: this must be a map of settings"),
        ("text", "file:1: this must be a map of settings"),
        ("\n[a]: 1", "file:2: a key must be text"),
        ("\n<<: 1", "file:2: what is merged must be a list"),
        ("<<: [1]", "file:1: this must be a map of settings"),
    ],
)
def test_what_is_no_map_of_settings_is_refused(text: str, message: str) -> None:
    with pytest.raises(RuleError) as caught:
        read(text).fields("a")

    assert caught.value.message == message


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: [", 2),
        ("a: 1\nb: c: d", 2),
        ("a: 1\n\x01", 2),
        ("a: 1\nb: \udcff", 2),
        ("a: 1\nb: *nothing", 2),
        ("a:\n - &a [*a]", 2),
        ("[" * 500_000, 1),
        ("a: " + "{a: " * 100, 1),
        ("%YAML 2.0\n---\n", 1),
        ("\t- a", 1),
    ],
)
def test_what_is_not_well_formed_is_refused_with_its_line_alone(text: str, line: int) -> None:
    with pytest.raises(RuleError) as caught:
        settings.parse(text, "file")

    assert caught.value.message.startswith(f"file:{line}: ")
    assert caught.value.message.split(": ", 1)[1] in (
        "not well-formed YAML",
        "nested too deeply",
        "an alias of something that is not complete here",
    )
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def test_aliases_of_aliases_come_to_an_end() -> None:
    bomb = "a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}\n" for n in range(1, 25))

    with pytest.raises(RuleError, match="aliases blow this file up"):
        read(bomb).fields([f"a{n}" for n in range(25)])["a24"].fields("x")


def test_a_long_chain_of_aliases_is_too_deep() -> None:
    chain = "a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n} {{a: *a{n - 1}}}\n" for n in range(1, 2000))

    with pytest.raises(RuleError, match="nested too deeply"):
        settings.parse(chain, "file")


@pytest.mark.parametrize(
    ("text", "method", "message"),
    [
        ("a: [1]", "text", "file:1: a must be text"),
        ("a: {b: 1}", "texts", "file:1: a must be a list"),
        ("a: [[1]]", "texts", "file:1: a must be text"),
        ("a: 1", "items", "file:1: a must be a list"),
        ("a: 1.5", "integer", "file:1: a must be a whole number"),
        ("a: maybe", "boolean", "file:1: a must be true or false"),
        ("a: 1", "pairs", "file:1: this must be a map of settings"),
    ],
)
def test_a_setting_of_the_wrong_kind_is_refused(text: str, method: str, message: str) -> None:
    setting = read(text).fields("a")["a"]

    with pytest.raises(RuleError) as caught:
        getattr(setting, method)("a")

    assert caught.value.message == message
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
