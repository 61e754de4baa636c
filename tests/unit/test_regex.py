"""Regular expressions, checked against RE2 and against the real sops."""

import json
import random
import string
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from sealpy import regex
from sealpy.errors import RuleError
from tests.conftest import AgeKey

SIMPLE_ATOMS = st.sampled_from(
    ["a", "b", "/", "-", "_", " ", "é", "🔑", ".", r"\.", r"\$", r"\|", "[ab]", "[^/]", "[a-c0-9]", "[^a-]", "[_.]"]
)
SIMPLE_PIECES = st.builds("".join, st.tuples(SIMPLE_ATOMS, st.sampled_from(["", "", "", "?", "*", "+"])))
SIMPLE_SEQUENCES = st.lists(SIMPLE_PIECES | st.sampled_from(["^", "$"]), max_size=5).map("".join)
SIMPLE_GROUPS = st.builds(
    lambda opening, branches, closing: opening + "|".join(branches) + closing,
    st.sampled_from(["(", "(?:"]),
    st.lists(SIMPLE_SEQUENCES, min_size=1, max_size=3),
    st.sampled_from([")", ")?"]),
)
SIMPLE_PATTERNS = st.lists(SIMPLE_SEQUENCES | SIMPLE_GROUPS | st.just("|"), max_size=4).map("".join)
TEXTS = st.text(alphabet="ab/-_. $|é🔑09c\n", max_size=12)

# What a person, or somebody who means harm, may write.
PATTERNS = [
    "^(data|stringData)$", "data|stringData", "(?i)PASSWORD", "pass(word)?", r"\d", r"\w+-\d{2}", "a$", "^a$", r"a\z",
    "", "^", "$", ".", "^.$", "a.b", "[[:alpha:]]{3}", "[^a]", r"\bdata\b", r"\pL", r"\p{Greek}", "(?s)a.b", "(?m)^b$",
    "a{2,}", "a**", "a*?", "(a", "a)", "[a", "a{2000}", "(?=a)", "(?!a)", "(?<!a)", r"(a)\1", r"\Aa", r"\Za", "a\\",
    "*a", "a|*", "(?P<n>a)", "(?P<n", "(?<n>a)", "x*", "(a|b)*c", "((a))", "a{,2}", "a{1", "{", "}", "]", r"\_", r"\-",
    r"\/", r"\é", r"\Qa.b\E", r"\x61", r"\u0061", "(?i)É", "é", "[é]", "[b-a]", "[a-]", "[-a]", "[a^]", "[]a]", "a++",
]  # fmt: skip
KEYS = [
    "data", "stringData", "binaryData", "mydata", "data2", "password", "PASSWORD", "a", "aa", "aab", "ab", "a.b", "a\nb",
    "a\n", "\na", "b", "c", "é", "É", "λ", "x1", "z-12", "a b", "a_b", "a-b", "a/b", "a{1", "{", "]", "(", "a^", " ", "", "🔑",
]  # fmt: skip


def re2_compile(pattern: str) -> object:
    options = re2.Options()
    options.log_errors = False
    return re2.compile(pattern, options)


@given(SIMPLE_PATTERNS, st.lists(TEXTS, max_size=5))
def test_a_pattern_for_pythons_engine_matches_what_re2_matches(pattern: str, texts: list[str]) -> None:
    if regex._simplify(pattern) is None:
        # Written from simple parts, and yet no pattern of the simple kind: "a|+", "^?".
        return
    expected = re2_compile(pattern)

    matcher = regex.Matcher(pattern)

    assert [matcher.search(text) for text in texts] == [expected.search(text) is not None for text in texts]


@pytest.mark.parametrize(
    "pattern",
    [
        "^(data|stringData|binaryData)$",
        r"k8s/(dev|qa|prod)/.*\.ya?ml$",
        ".*",
        r"secrets\.yaml$",
        "[^/]+/prod/",
        "_enc$",
    ],
)
def test_what_nearly_everybody_writes_does_not_load_re2(pattern: str) -> None:
    program = f"import sys; from sealpy import regex; regex.compile({pattern!r}).search('k8s/dev/a/secrets.yaml'); "

    command = [sys.executable, "-c", program + "print('re2' in sys.modules)"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)

    assert (run.stdout, run.stderr) == ("False\n", "")


@given(st.text(alphabet="ab()[]{}*+?|^$.\\-dwzPQE:<=!0159,", max_size=12), TEXTS)
def test_any_pattern_means_what_it_means_to_re2(pattern: str, text: str) -> None:
    try:
        expected = re2_compile(pattern)
    except re2.error:
        with pytest.raises(RuleError):
            regex.compile(pattern)
        return

    assert regex.compile(pattern).search(text) == (expected.search(text) is not None)


def test_patterns_match_the_keys_that_they_match_in_sops(
    tool: Callable[[str], str], age_key: AgeKey, tmp_path: Path
) -> None:
    plain = tmp_path / "plain.json"
    plain.write_text(json.dumps(dict.fromkeys(KEYS, "value")))
    for pattern in filter(None, PATTERNS):
        arguments = ["encrypt", "--age", age_key.recipient, "--encrypted-regex", pattern, str(plain)]
        run = subprocess.run([tool("sops"), *arguments], capture_output=True, text=True, check=True)
        sealed = json.loads(run.stdout)
        expected = [sealed[key].startswith("ENC[") for key in KEYS]

        try:
            found = [regex.compile(pattern).search(key) for key in KEYS]
        except RuleError:
            # To sops a pattern that does not compile is one that matches nothing.
            found = [False for _ in KEYS]

        assert found == expected, pattern


def test_bytes_that_are_no_utf8_match_as_replacement_characters() -> None:
    assert regex.compile("^\ufffd\ufffda$").search("\udcff\udce9a")
    assert regex.compile("^..a$").search("\udcff\udce9a")


@pytest.mark.parametrize(
    ("pattern", "fact"),
    [
        ("pw-^(", "missing )"),
        ("pw-a)", "unexpected )"),
        ("pw-[a", "missing ] at character 4"),
        ("pw-a**", "bad repetition operator at character 5"),
        ("pw-(?=a)", "invalid perl operator at character 4"),
        (r"pw-\k", r"invalid escape sequence at character 4"),
        ("pw-[b-a]", "invalid character class range at character 5"),
        ("pw-a{2000}", "invalid repetition size at character 5"),
        ("*pw-", "no argument for repetition operator at character 1"),
        ("pw-\\", "trailing \\"),
        ("pw-(?P<n", "invalid named capture group at character 4"),
        ("pw-\udcff", "invalid UTF-8"),
        ("pw-" + "((a{100}){100}){100}", "invalid repetition size"),
    ],
)
def test_a_wrong_pattern_is_named_by_what_is_wrong_and_where(
    pattern: str, fact: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(RuleError) as caught:
        regex.compile(pattern)

    assert fact in caught.value.message
    assert "pw-" not in caught.value.message
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "pattern",
    ["(a|a)" * 20 + "b", "a?" * 40 + "a" * 40, ".*" * 20 + "b", "a*a*a*a*b", "(a+)+b", "(a|a)*b", "(a|aa)+$", "(.*)*x"],
)
def test_no_pattern_takes_long(pattern: str) -> None:
    matcher = regex.Matcher(pattern)
    begin = time.perf_counter()

    for length in range(20, 220):
        matcher.search("a" * length)

    assert time.perf_counter() - begin < 1


def test_answers_are_remembered_but_not_without_end(rng: random.Random) -> None:
    matcher = regex.Matcher("^a")
    texts = ["".join(rng.choices(string.ascii_lowercase, k=8)) for _ in range(10_000)]

    answers = [matcher.search(text) for text in texts + texts]

    assert answers == [text.startswith("a") for text in texts + texts]
    assert 0 < len(matcher._known) <= regex._MEMO_ENTRIES


def test_a_text_that_may_be_a_secret_is_not_remembered() -> None:
    matcher = regex.Matcher("^a")

    assert matcher.search("a secret", remember=False)
    assert not matcher._known
