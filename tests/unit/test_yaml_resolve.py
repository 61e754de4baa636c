"""What a YAML scalar means, checked against the real go-yaml."""

import random

import pytest
import yaml

from sealpy.errors import ParseError, SealpyError, UnsealableValue
from sealpy.formats.yaml_resolve import is_plain_string, resolve

CORE = "tag:yaml.org,2002:"

WORDS = """
true True TRUE tRue false False FALSE ~ ~~ null Null NULL nUll .nan .NaN .NAN .nAn .inf .Inf .INF +.inf -.inf -.INF +.nan
<< = y n yes no on off Yes No ON inf nan Infinity NaN 0 -0 +0 00 01 017 019 089 -08 0777 -017 +017 0x1F 0X1f -0x1f +0x1F
0b101 -0b101 0B11 0o17 0O17 -0o17 0b-101 0b+101 0o-17 0o+17 -0b-1 -0b+1 +0b-1 0B-1 0b 0x 0o 0_0 1_000 1__0 1_ _1 0_7
0x_f 0b1_0 -_1 +_ 9223372036854775807 9223372036854775808 -9223372036854775808 -9223372036854775809
18446744073709551615 18446744073709551616 +18446744073709551615 0xFFFFFFFFFFFFFFFF 0x1FFFFFFFFFFFFFFFF
0b-1000000000000000000000000000000000000000000000000000000000000000 0o-1777777777777777777777
1e3 1E3 1e+3 1e-7 1e400 -1e400 -1e-400 5. .5 . .. ... .e1 .5e .5e1 .5_0 ._5 .5_ .5__0 1.5_5 1_.5 190:20:30 1:20 0x1p-2
1.2.3 1,000 - + -- -a +a 1e 1e+ 12e03 685_230.15 0. 00.5 09.5 -0.0 -.0 +.5 0e0 1.e1 +1-2 0.1 0.30000000000000004
2001-12-14 2001-1-1 2001-13-1 2001-0-1 2001-1-0 2001-1-32 2001-02-29 2000-02-29 1900-02-29 0000-01-01 20010-1-1 201-1-1
2001-12-14T21:59:43.10-05:00 2001-12-14t21:59:43Z 2001-12-14T21:59:43z 2001-12-14T21:59:43,5Z 2001-12-14T21:59:60Z
2001-12-14T24:00:00Z 2001-12-14T1:2:3Z 2001-12-14T1:2:3.000Z 2001-12-14T1:2:3.1234567890123Z 2001-12-14T1:2:3+24:00
2001-12-14T1:2:3+23:60 2001-12-14T1:2:3+05:60 2001-12-14T1:2:3+05:61 2001-12-14T1:2:3+25:00 2001-12-14T1:2:3-00:00
2001-12-14T1:2:3+0500 2001-12-14T1:2:3 2001-12-14T1:2:3.Z 2001_1_1 2001-001-1 2001-1 2001-
"""
ODD = (
    *("", " ", " 1", "1 ", "1\n", "true\n", "2001-01-01\n", "2001-1-1 ", "2001-12-14 1:2:3", "2001-12-14   1:2:3.50"),
    *("2001-12-14\t1:2:3", "2001-12-14 1:2:3,5", "2001-12-14 1:2:3Z", "2001-12-14 21:59:43.10 -5", "١٢", "²", "1٣"),
    *("0" * 5000, "1" * 5000, "0x" + "f" * 3000, "-" + "1" * 400, "0." + "0" * 400 + "1"),
)
SCALARS = [*WORDS.split(), *ODD]

ALPHABETS = (
    *("01", "0123456789", "0123456789.eE+-_", "0xX1bBoOaf_", "0b1+-_", "0o17-+_", "2001-:T .Z+0129"),
    *("tTrRuUeEnNlL~.fF", "0123456789:", "infINFa.+-", "0x1.pP+-_f", "aBc:# -?,[]{}&*!|>'\"%@`.é~=<\\/_"),
)


def scalars(rng: random.Random, count: int) -> list[str]:
    texts = list(SCALARS)
    while len(texts) < count:
        texts.append("".join(rng.choices(rng.choice(ALPHABETS), k=rng.randint(1, 12))))
        mutated = list(rng.choice(SCALARS)) or ["0"]
        mutated[rng.randrange(len(mutated))] = rng.choice("0123456789_.-+:TZeExob ")
        texts.append("".join(mutated))
        edge = rng.choice([2**63, 2**64, 2**31, 10**19]) + rng.randint(-3, 3)
        texts.append(rng.choice(["", "-", "+"]) + rng.choice([str, hex, oct, bin])(edge))
        date = f"{rng.choice(['0000', '1900', '2000', '2023'])}-{rng.randint(0, 13)}-{rng.randint(0, 32):02}"
        clock = f"{rng.randint(0, 25)}:{rng.randint(0, 61):02}:{rng.randint(0, 61)}"
        fraction = rng.choice(["", ".", ".5", ".120", ".1234567891", ",5"])
        zone = rng.choice(["", "Z", "+01:00", "-00:00", "+24:00", "-05:60", "z", " Z"])
        texts.append(date + rng.choice(["T", "t", " ", "  "]) + clock + fraction + zone)
    return texts


def resolved(text: str, tag: str | None = None) -> tuple[str, str] | None:
    try:
        return resolve(text, tag)
    except SealpyError:
        return None


def reference(answer: dict[str, object]) -> tuple[object, object] | None:
    return None if answer.get("failed") else (answer["kind"], answer["text"])


def test_plain_scalars_mean_exactly_what_go_yaml_makes_of_them(goyaml, rng):
    texts = scalars(rng, 20_000)

    answers = [reference(answer) for answer in goyaml({"op": "resolve", "text": text} for text in texts)]

    assert [(t, resolved(t)) for t in texts] == list(zip(texts, answers, strict=True))
    assert {answer[0] for answer in answers if answer} == {"str", "int", "float", "bool", "time", "null"}
    assert None in answers


@pytest.mark.parametrize(
    "tag",
    [CORE + name for name in ("str", "int", "float", "bool", "null", "timestamp", "binary", "map", "merge", "foo")]
    + ["!!int", "!own", "!own/int", "tag:example.com,2000:int", "int"],
)
def test_tagged_scalars_are_converted_or_refused_exactly_as_by_go_yaml(goyaml, rng, tag):
    texts = scalars(rng, 3000)

    answers = [reference(answer) for answer in goyaml({"op": "resolve", "text": text, "tag": tag} for text in texts)]

    assert [(t, resolved(t, tag)) for t in texts] == list(zip(texts, answers, strict=True))


def test_binary_is_decoded_exactly_as_by_go_yaml(goyaml, rng):
    alphabet = "ABab01+/-_= \n\r"
    texts = ["aGk=", "/w==", "aG\nk=\n", "aGk", "aaaa====", *("".join(rng.choices(alphabet, k=8)) for _ in range(3000))]

    answers = goyaml({"op": "resolve", "text": text, "tag": CORE + "binary"} for text in texts)

    assert [(t, resolved(t, CORE + "binary")) for t in texts] == [
        (t, reference(answer)) for t, answer in zip(texts, answers, strict=True)
    ]
    assert resolve("/w==", CORE + "binary") == ("str", "\udcff")


def test_the_lone_exclamation_mark_says_nothing():
    assert resolve("5", "!") == ("int", "5")
    assert resolve("5x", "!") == ("str", "5x")


@pytest.mark.parametrize("text", ["9223372036854775808", "18446744073709551615", "0xFFFF_FFFF_FFFF_FFFF"])
def test_an_unsigned_integer_is_refused_because_sops_cannot_seal_it(text):
    with pytest.raises(UnsealableValue) as caught:
        resolve(text)

    assert caught.value.hint == "quote it"
    assert text not in str(caught.value)


def test_a_time_a_day_off_is_refused_because_sops_cannot_seal_it():
    with pytest.raises(UnsealableValue):
        resolve("2001-12-14T1:2:3+24:00")


@pytest.mark.parametrize("name", ["int", "float", "bool", "null", "timestamp", "binary"])
def test_a_text_that_does_not_fit_its_tag_is_named_by_the_tag_alone(name):
    with pytest.raises(ParseError) as caught:
        resolve("hunter2", CORE + name)

    assert f"!!{name}" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


PLAIN = (
    *("a", "hello world", "p4ss-w0rd", "ENC[x]", "1Gi", "5m", "10.0.0.1:80", "192.168.1.1", "1.2.3", "--flag=1", "-x"),
    *(
        "https://example.com:80/?a=b#c",
        "é",
        "a'b",
        'a"b',
        "a#b",
        "2024-01-01-x",
        "3.14-rc1",
        "\\",
        "a,b",
        "_1",
        "/etc/x",
    ),
    *("$HOME", "(a)", "x[0]", "a{b}", "<a>", "<<<", "=a", "yesterday", "nothing", ".hidden", "..", "+a"),
)


@pytest.mark.parametrize("text", PLAIN)
def test_ordinary_strings_need_no_quotes_in_a_block(text):
    assert is_plain_string(text)


@pytest.mark.parametrize("text", ["a", "hello world", "1Gi", "10.0.0.1", "--x", "é", "a'b"])
def test_ordinary_strings_need_no_quotes_in_a_flow_collection(text):
    assert is_plain_string(text, flow=True)


@pytest.mark.parametrize("text", ["a,b", "a[b", "a]b", "a{b", "a}b", "a:b", "a?b"])
def test_the_signs_of_flow_collections_need_quotes_in_one(text):
    assert is_plain_string(text)
    assert not is_plain_string(text, flow=True)


QUOTED = (
    *(
        "",
        " ",
        " a",
        "a ",
        "a:",
        "a: b",
        "a #b",
        "#a",
        "- a",
        "-",
        "---",
        "--- a",
        "...",
        "? a",
        "?",
        ": a",
        ":a",
        ":",
        ",a",
    ),
    *(
        "[a",
        "]",
        "{a",
        "}",
        "&a",
        "*a",
        "!a",
        "|",
        ">",
        "'a",
        '"a',
        "%a",
        "@a",
        "`a",
        "a\nb",
        "a\tb",
        "\ta",
        "a\r",
        "\x00",
    ),
    *("a\x7f", "a\x85b", "a\u2028b", "\ufeffa", "\xa0a", "\udcff", "\u202ea", "\ufffe"),
    *(
        "y",
        "Y",
        "n",
        "N",
        "yes",
        "Yes",
        "YES",
        "yEs",
        "no",
        "on",
        "ON",
        "off",
        "OFF",
        "true",
        "TRUE",
        "false",
        "null",
        "~",
    ),
    *(
        "=",
        "<<",
        "Null",
        ".inf",
        "-.INF",
        ".nan",
        "1",
        "-1",
        "+1",
        "0",
        "0x1",
        "0o7",
        "017",
        "089",
        "0b1",
        "0b2",
        "1_000",
    ),
    *(
        "1.5",
        ".5",
        "5.",
        "1e3",
        "1e400",
        "1:20",
        "190:20:30",
        "190:20:30.15",
        "1,000",
        "1,000.5",
        "2001-12-14",
        "2001-1-1",
    ),
    *(
        "2001-12-14T21:59:43Z",
        "2001-12-14 21:59:43.10 -5",
        "2001-12-14 x",
        "18446744073709551615",
        "0_xFFFFFFFFFFFFFFFF",
    ),
)


@pytest.mark.parametrize("text", QUOTED)
def test_whatever_some_parser_reads_differently_needs_quotes(text):
    assert not is_plain_string(text)
    assert not is_plain_string(text, flow=True)


@pytest.mark.parametrize("flow", [False, True])
def test_what_needs_no_quotes_is_read_as_itself_by_go_yaml_by_libyaml_and_by_yaml_1_1(goyaml, rng, flow):
    drawn = [text for text in scalars(rng, 20_000) if is_plain_string(text, flow=flow)]

    answers = goyaml({"op": "plain", "text": text} for text in drawn)

    assert [t for t, answer in zip(drawn, answers, strict=True) if not answer.get("flow" if flow else "block")] == []
    for loader in (yaml.CSafeLoader, yaml.SafeLoader):
        frame = "k: [{}]\n" if flow else "k:\n  - {}\n"
        assert [t for t in drawn[:3000] if yaml.load(frame.format(t), loader) != {"k": [t]}] == []
    assert len(drawn) > 3000
