"""Values as text, checked against Go's own standard library."""

import math
import random
import struct
from datetime import UTC, datetime, timedelta, timezone

import pytest

from sealpy import values
from sealpy.errors import InvalidEncryptedValue, SealpyError, UnsealableValue

WORDS = """
0 -0 +0 00 007 -007 +7 1_0 1__0 _1 1_ 0x1F 0b1 1.5 .5 5. . 1e3 1E3 1e+3 1e-7 1e400 -1e400 1e-400 5e-324 1e 1e+ .e1
1_0.5_0 1_.5 1._5 1.5_ 1e1_0 1e_1 0x1p-2 0X1P+4 0x_1p1 0x.8p1 0x1.p1 0x.p1 0x1_f.8_0p1_0 0x1 0x1p 0x1p99999 0x1_p1
0x1.fffffffffffff8p0 0x1.fffffffffffff7fffp0 0x1p-1075 0x1p-1074
inf +inf -Inf INF infinity -Infinity infin nan NaN NAN -nan +nan ı٣ 9223372036854775807 9223372036854775808
-9223372036854775808 -9223372036854775809 000000000000000000000000000001 18446744073709551615
1 t T TRUE true True tRUE 0 f F FALSE false False yes no y n on off
2001-12-14T21:59:43Z 2001-12-14T21:59:43z 2001-12-14t21:59:43Z 2001-12-14T21:59:43.100Z 2001-12-14T21:59:43,5Z
2001-12-14T21:59:43.1234567891Z 2001-12-14T21:59:43.000Z 2001-12-14T21:59:43.Z 2001-12-14T1:59:43Z 2001-12-14T21:9:43Z
2001-12-14T21:59:43+00:00 2001-12-14T21:59:43-00:00 2001-12-14T21:59:43-05:30 2001-12-14T21:59:43+23:59
2001-12-14T21:59:43+24:00 2001-12-14T21:59:43+23:60 2001-12-14T21:59:43+05:60 2001-12-14T21:59:43+05:61
2001-12-14T21:59:43+25:00 2001-12-14T21:59:43+0500 2001-12-14T21:59:43 2001-12-14 2001-02-29T00:00:00Z
2000-02-29T00:00:00Z 1900-02-29T00:00:00Z 0000-01-01T00:00:00Z 0000-02-29T00:00:00Z 9999-12-31T23:59:59.999999999Z
2001-13-01T00:00:00Z 2001-00-01T00:00:00Z 2001-01-00T00:00:00Z 2001-01-01T24:00:00Z 2001-01-01T23:60:00Z
2001-01-01T23:59:60Z 2001-1-01T00:00:00Z 02001-01-01T00:00:00Z
"""
NEAR_NUMBERS = [
    *WORDS.split(),
    *("", " 1", "1 ", "1\n", "true\n", "2001-12-14T21:59:43Z\n", "2001-12-14 21:59:43Z", "9" * 5000),
]

ALPHABETS = ("0123456789", "0123456789.eE+-_", "0x1.pP+-_f", "infINFatyTY+-", "2001-:T.Z+0", "tTrRuUeEfFaAlLsS01")


def near_numbers(rng: random.Random, count: int) -> list[str]:
    texts = list(NEAR_NUMBERS)
    while len(texts) < count:
        alphabet = rng.choice(ALPHABETS)
        texts.append("".join(rng.choices(alphabet, k=rng.randint(1, 12))))
        mutated = list(rng.choice(NEAR_NUMBERS)) or ["0"]
        mutated[rng.randrange(len(mutated))] = rng.choice("0123456789_.-+:TZeExp ")
        texts.append("".join(mutated))
    return texts


def floats(rng: random.Random, count: int) -> list[float]:
    edges = [5e-324, 2.0**-44, 0.0, -0.0, 1e20, 1e21, 1e22, 123456789.125, 999999.5, 1e5, 1e6, 1e-4, 9.999e-5, 1e-6]
    powers = [10.0**exponent * factor for exponent in range(-320, 308) for factor in (1, 1.5, -3)]
    bits = [struct.unpack(">d", rng.randbytes(8))[0] for _ in range(count)]
    wholes = [float(rng.randint(0, 10 ** rng.randint(1, 25))) for _ in range(count)]
    return [value for value in edges + powers + bits + wholes if math.isfinite(value)]


def test_floats_are_written_as_go_writes_them_in_the_mac_in_yaml_and_in_json(goyaml, rng):
    drawn = floats(rng, 3000)

    answers = goyaml({"op": "float", "text": repr(value)} for value in drawn)

    forms = [[values.float_text(v), values.float_general(v), values.float_json(v)] for v in drawn]
    assert forms == [answer["forms"] for answer in answers]


def test_infinities_and_nan_have_their_own_words():
    special = (math.inf, -math.inf, math.nan)

    assert [values.float_text(value) for value in special] == ["+Inf", "-Inf", "NaN"]
    assert [values.float_general(value) for value in special] == [".inf", "-.inf", ".nan"]


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_json_has_no_infinity(value):
    with pytest.raises(UnsealableValue):
        values.float_json(value)


@pytest.mark.parametrize("kind", ["int", "float", "bool", "time"])
def test_a_decrypted_text_is_taken_or_refused_exactly_as_go_does(goyaml, rng, kind):
    texts = near_numbers(rng, 6000)

    answers = goyaml({"op": "read", "kind": kind, "text": text} for text in texts)

    ours = [normalised(kind, text) for text in texts]
    theirs = [None if answer.get("failed") else answer["text"] for answer in answers]
    assert [(t, o) for t, o in zip(texts, ours, strict=True)] == [(t, o) for t, o in zip(texts, theirs, strict=True)]
    assert 20 < sum(text is not None for text in theirs) < len(texts)


def normalised(kind: str, text: str) -> str | None:
    try:
        return values.normalise(kind, text)
    except SealpyError:
        return None


def test_strings_comments_and_bytes_are_hashed_as_they_are():
    assert values.normalise("str", "00\udcff") == "00\udcff"
    assert values.normalise("comment", " 1") == " 1"
    assert values.normalise("bytes", "\udcff") == "\udcff"


@pytest.mark.parametrize("kind", ["", "string", "Int", "null", "map", "ENC[x]"])
def test_an_unknown_type_is_refused_without_repeating_it(kind):
    with pytest.raises(InvalidEncryptedValue) as caught:
        values.normalise(kind, "1")

    assert str(caught.value) == "a sealed value has a type that sops does not know"


def test_a_refused_value_is_neither_in_the_message_nor_behind_it():
    with pytest.raises(InvalidEncryptedValue) as caught:
        values.normalise("int", "hunter2")

    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_plain_python_data_has_pythons_own_types():
    assert values.python_value("str", "5") == "5"
    assert values.python_value("int", "-5") == -5
    assert values.python_value("float", "1") == 1.0
    assert type(values.python_value("float", "1")) is float
    assert values.python_value("float", "-Inf") == -math.inf
    assert values.python_value("bool", "True") is True
    assert values.python_value("bool", "False") is False
    assert values.python_value("null", "") is None
    assert values.python_value("map", "") == {}
    assert values.python_value("list", "") == []
    assert values.python_value("bytes", "a\udcff") == b"a\xff"


def test_times_are_aware_and_lose_only_what_python_cannot_hold():
    zone = timezone(timedelta(hours=-5))

    assert values.python_value("time", "2001-12-14T21:59:43.123456789Z") == datetime(
        2001, 12, 14, 21, 59, 43, 123456, UTC
    )
    assert values.python_value("time", "2001-12-14T21:59:43.1-05:00") == datetime(
        2001, 12, 14, 21, 59, 43, 100000, zone
    )
    assert values.python_value("time", "0000-01-01T00:00:00Z") == "0000-01-01T00:00:00Z"


@pytest.mark.parametrize("fraction", ["", ".1", ".12", ".123", ".1234", ".12345", ".123456", ".1234567", ".12345678"])
def test_a_time_keeps_any_number_of_digits(fraction):
    text = f"2001-12-14T21:59:43{fraction}+01:00"

    assert values.parse_time(text) == text
    assert isinstance(values.python_value("time", text), datetime)


def test_base64_is_strict_about_padding_and_lenient_about_line_ends():
    assert values.decode_base64("aGk=") == b"hi"
    assert values.decode_base64("aG\r\nk=\n") == b"hi"
    assert values.decode_base64("") == b""
    assert values.decode_base64("aGl=") == b"hi"
    for wrong in ("aGk", "aGk==", "====", "a===", "aG k=", "aGk=aGk=", "aGk-", "aGk=====", "aaaa====", "ä===", "=aGk"):
        assert values.decode_base64(wrong) is None, wrong


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("5", ("str", "5")),
        (5, ("int", "5")),
        (-(2**63), ("int", "-9223372036854775808")),
        (1.0, ("float", "1")),
        (1e21, ("float", "1000000000000000000000")),
        (True, ("bool", "True")),
        (None, ("null", "")),
        ({}, ("map", "")),
        ([], ("list", "")),
        (b"a\xff", ("str", "a\udcff")),
        (datetime(2001, 12, 14, 1, 2, 3, 500000, UTC), ("time", "2001-12-14T01:02:03.5Z")),
        (datetime(2001, 12, 14, tzinfo=timezone(timedelta(hours=-5))), ("time", "2001-12-14T00:00:00-05:00")),
        (datetime(2001, 12, 14), ("time", "2001-12-14T00:00:00Z")),  # noqa: DTZ001
    ],
)
def test_plain_python_data_becomes_typed_text(value, expected):
    assert values.from_python(value) == expected


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, {"a": 1}, [1], object(), 1j, {1}])
def test_python_data_that_sops_cannot_seal_is_refused(value):
    with pytest.raises(UnsealableValue):
        values.from_python(value)
