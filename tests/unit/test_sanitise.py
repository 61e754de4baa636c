import re
import sys
import unicodedata

import pytest

from sealpy.sanitise import visible, visible_path


def test_plain_text_stays_as_it_is():
    assert visible("hunter2 ~ p@ss / key=value") == "hunter2 ~ p@ss / key=value"


def test_letters_of_any_language_stay_as_they_are():
    assert visible("Grüße, 你好, שלום, 🔐") == "Grüße, 你好, שלום, 🔐"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("s3cr3t\n", "s3cr3t⏎"),
        ("a\r\nb", "a␍⏎b"),
        ("a\tb", "a⇥b"),
        ("a\u00a0b", "a⍽b"),
        ("a\x1b[31mb", "a⟦U+001B⟧[31mb"),
        ("a\x9b31mb", "a⟦U+009B⟧31mb"),
        ("a\x7fb", "a⟦U+007F⟧b"),
        ("a\u202eb", "a⟦U+202E⟧b"),
        ("a\u2066b", "a⟦U+2066⟧b"),
        ("a\u200bb", "a⟦U+200B⟧b"),
        ("a\ufeffb", "a⟦U+FEFF⟧b"),
        ("a\u2028b", "a⟦U+2028⟧b"),
        ("a\U000e0041b", "a⟦U+E0041⟧b"),
        ("a\u3164b", "a⟦U+3164⟧b"),
        ("a\ufe0fb", "a⟦U+FE0F⟧b"),
        ("a\udcffb", "a⟦0xFF⟧b"),
        ("a\ud800b", "a⟦U+D800⟧b"),
    ],
)
def test_what_is_not_seen_or_acts_on_others_is_shown_as_what_it_is(text, shown):
    assert visible(text) == shown


def test_the_signs_that_stand_for_something_cannot_be_forged():
    assert visible("a⏎b ⟦U+0041⟧") == "a⟦U+23CE⟧b ⟦U+27E6⟧U+0041⟦U+27E7⟧"


@pytest.mark.parametrize("text", ["##[error]x", "##vso[task.setvariable]x", "a ##teamcity[x]"])
def test_orders_to_ci_systems_are_broken(text):
    assert not re.search(r"##\w*\[", visible(text))


def test_no_character_of_a_dangerous_category_is_left():
    dangerous = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
    every = "".join(chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code <= 0xDFFF)

    shown = visible(every)

    assert {unicodedata.category(sign) for sign in set(shown)}.isdisjoint(dangerous)


def test_a_file_name_that_is_no_text_is_shown_byte_by_byte():
    assert visible_path(b"caf\xe9/\x1b[2J.yaml") == "caf⟦0xE9⟧/⟦U+001B⟧[2J.yaml"
