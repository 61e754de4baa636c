"""The grammar of the command line."""

import pytest

from sealpy_cli.grammar import Arguments, Flag, UsageError, parse
from sealpy_cli.verbs_table import COMMANDS, KEY_FLAGS, LATER, ROOT, ROOT_ONLY, VERBS

FLAGS = (
    Flag("in-place", "switch", "", "i"),
    Flag("output", "text", ""),
    Flag("threshold", "number", ""),
    Flag("keyservice", "list", "", env="SERVICE"),
    Flag("age", "text", "", "a", env="RECIPIENTS"),
    Flag("local", "switch", "", on=True, env="LOCAL"),
)


def read(*words: str, env: dict[str, str] | None = None, as_sops: bool = False) -> Arguments:
    return parse(FLAGS, words, env or {}, interspersed=True, as_sops=as_sops)


def read_root(*words: str) -> Arguments:
    return parse(FLAGS, words, {}, interspersed=False)


@pytest.mark.parametrize("words", [("--output", "x"), ("--output=x",), ("-output", "x"), ("-output=x",)])
def test_one_and_two_dashes_and_both_spellings_of_a_value_mean_the_same(words: tuple[str, ...]) -> None:
    assert read(*words, "f").text("output") == "x"
    assert read(*words, "f").operands == ("f",)


@pytest.mark.parametrize("word", ["-i", "--i", "-in-place", "--in-place", "--in-place=true", "-i=1", "-i=T"])
def test_a_switch_is_on(word: str) -> None:
    assert read(word, "f").switch("in-place")


@pytest.mark.parametrize("word", ["--in-place=false", "-i=0", "-i=F", "--in-place=FALSE"])
def test_a_switch_can_be_put_off(word: str) -> None:
    assert not read(word, "f").switch("in-place")
    assert read(word, "f").given == {"in-place"}


def test_a_switch_takes_no_value_from_the_next_word() -> None:
    assert read("-i", "false").operands == ("false",)


def test_a_switch_is_neither_yes_nor_no() -> None:
    with pytest.raises(UsageError, match="takes true or false"):
        read("--in-place=yes")


def test_a_value_may_look_like_a_flag() -> None:
    assert read("--output", "-i", "f").text("output") == "-i"
    assert not read("--output", "-i", "f").switch("in-place")


def test_a_value_may_be_empty_or_hold_an_equals_sign() -> None:
    assert read("--output=", "f").text("output") == ""
    assert read("--output=a=b", "f").text("output") == "a=b"


def test_after_a_verb_flags_may_follow_the_file() -> None:
    assert read("f", "--output", "x", "g").operands == ("f", "g")
    assert read("f", "--output", "x", "g").text("output") == "x"


def test_flags_after_a_switch_and_a_file_still_count() -> None:
    assert read("-i", "f", "--output", "x").text("output") == "x"


def test_under_the_name_of_sops_they_are_operands_as_there() -> None:
    assert read("-i", "f", "--output", "x", as_sops=True).operands == ("f", "--output", "x")


def test_in_the_root_form_flags_stand_before_the_file() -> None:
    assert read_root("-i", "f", "--output", "x").operands == ("f", "--output", "x")
    assert read_root("-i", "f", "--output", "x").text("output") == ""


def test_two_dashes_end_the_flags() -> None:
    assert read("-i", "--", "-x", "--output").operands == ("-x", "--output")


def test_a_single_dash_is_an_operand() -> None:
    assert read("-").operands == ("-",)


def test_a_negative_number_is_an_operand() -> None:
    assert read("f", '["a"]', "-5").operands == ("f", '["a"]', "-5")


def test_an_unknown_flag_after_the_file_is_refused_where_sops_ignores_it() -> None:
    with pytest.raises(UsageError, match="unknown flag --extrct"):
        read("f", "--extrct", "x")
    assert read("f", "--extrct", "x", as_sops=True).operands == ("f", "--extrct", "x")


def test_a_flag_without_its_value_never_takes_the_file_for_it() -> None:
    with pytest.raises(UsageError, match="--output needs a value"):
        read("f", "--output")


def test_an_unknown_flag_is_refused_and_a_near_one_named() -> None:
    with pytest.raises(UsageError, match="unknown flag --outptu") as caught:
        read("--outptu", "x")
    assert caught.value.hint == "did you mean --output?"


@pytest.mark.parametrize("word", ["---x", "-=x", "--=x"])
def test_a_word_of_dashes_is_no_flag(word: str) -> None:
    with pytest.raises(UsageError, match="bad flag syntax"):
        read(word)


def test_two_spellings_of_one_flag_conflict() -> None:
    with pytest.raises(UsageError, match="the same flag"):
        read("-i", "--in-place")


def test_the_last_of_equal_flags_wins() -> None:
    assert read("--output", "a", "--output", "b").text("output") == "b"


def test_a_list_collects() -> None:
    assert read("--keyservice", "a", "--keyservice", "b").values["keyservice"] == ("a", "b")


@pytest.mark.parametrize(("text", "number"), [("2", 2), ("+3", 3), ("-1", -1), ("0x10", 16), ("1_000", 1000)])
def test_numbers_are_go_numbers(text: str, number: int) -> None:
    assert read("--threshold", text).number("threshold") == number


def test_a_number_is_a_number() -> None:
    with pytest.raises(UsageError, match="whole number"):
        read("--threshold", "two")


def test_the_environment_fills_in_and_flags_beat_it() -> None:
    env = {"RECIPIENTS": "env", "LOCAL": "false"}
    assert read(env=env).text("age") == "env"
    assert read("-a", "typed", env=env).text("age") == "typed"
    assert not read(env=env).switch("local")
    assert read().switch("local")
    assert read(env=env).given == frozenset()


def test_a_bad_value_in_the_environment_names_the_variable() -> None:
    with pytest.raises(UsageError, match="LOCAL takes true or false"):
        read(env={"LOCAL": "perhaps"})


def test_no_verb_has_two_flags_of_one_spelling() -> None:
    for flags in (ROOT, *(verb.flags for verb in VERBS)):
        spellings = [spelling for flag in flags for spelling in flag.spellings]
        assert len(spellings) == len(set(spellings))


def test_the_table_names_each_verb_once() -> None:
    names = [one.name for one in (*VERBS, *COMMANDS)] + list(LATER)
    assert len(names) == len(set(names))


def test_the_lists_of_the_table_name_existing_flags() -> None:
    root = {flag.name for flag in ROOT}
    assert set(ROOT_ONLY) <= root
    assert set(KEY_FLAGS) <= root
