"""Random JSON objects as text, in every layout that JSON allows."""

import json

from hypothesis import strategies as st

SPACE = st.sampled_from(["", "", "", " ", "\n", "\t", "\n  ", "\r\n", " \n\n "])
KEY = st.one_of(
    st.sampled_from(["a", "b", "key", "data", "x_unencrypted", "pw_secret", "", "a:b", "a b", "sop", "ключ"]),
    st.text(max_size=6).map(lambda text: "".join(c for c in text if c.isprintable())),
).filter(lambda key: key != "sops")
ESCAPES = st.sampled_from(
    [
        "\\n",
        "\\t",
        "\\\\",
        '\\"',
        "\\/",
        "\\u0041",
        "\\u00e9",
        "\\ud83d\\ude00",
        "\\ud800",
        "\\udc00x",
        "\\u0000",
        "\\b",
    ]
)
RAW = st.text(alphabet=st.characters(codec="utf-8", exclude_characters='"\\', min_codepoint=0x20), max_size=8)
NUMBER = st.one_of(
    st.integers(-(2**63), 2**63 - 1).map(str),
    st.integers(-(2**70), 2**70).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(
        ["-0", "0", "1.0", "1e3", "1E-7", "1e21", "0.10", "-1.5e+300", "1e-400", "100000000000000000000.5"]
    ),
).filter(lambda text: float(text) != 0 or "-" not in text or text == "-0")


@st.composite
def string_literals(draw: st.DrawFn) -> str:
    pieces = draw(st.lists(st.one_of(RAW, st.just("hush"), ESCAPES), max_size=4))
    return '"' + "".join(pieces) + '"'


@st.composite
def _values(draw: st.DrawFn, depth: int) -> str:
    choice = draw(st.integers(0, 11))
    if choice < 2 and depth < 4:
        return draw(_objects(depth + 1))
    if choice < 4 and depth < 4:
        items = draw(st.lists(_values(depth + 1), max_size=3))
        return (
            "["
            + ",".join(draw(SPACE) + item + draw(SPACE) for item in items)
            + (draw(SPACE) if not items else "")
            + "]"
        )
    if choice < 8:
        return draw(string_literals())
    if choice < 10:
        return draw(NUMBER)
    return draw(st.sampled_from(["true", "false", "null", '""']))


@st.composite
def _objects(draw: st.DrawFn, depth: int) -> str:
    members = []
    for key in draw(st.lists(KEY, max_size=4)):
        literal = json.dumps(key, ensure_ascii=draw(st.booleans()))
        members.append(f"{draw(SPACE)}{literal}{draw(SPACE)}:{draw(SPACE)}{draw(_values(depth))}{draw(SPACE)}")
    return "{" + ",".join(members) + (draw(SPACE) if not members else "") + "}"


@st.composite
def wild_json(draw: st.DrawFn) -> str:
    """Any object: keys twice, every spelling of numbers and strings, white space anywhere, text after the end."""
    after = draw(st.sampled_from(["", "\n", "\n", "\r\n", " \n\n", " rest", '\n{"b": 2}\n', "}"]))
    return draw(SPACE) + draw(_objects(0)) + after


DATA = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**63 - 1),
        st.sampled_from([1.0, 2.5, -0.25, 1e21, 0.001, 123.456]),
        st.text(alphabet=st.characters(codec="utf-8"), max_size=10).filter(
            lambda text: json.dumps(text).count("\\u") == 0
        ),
        st.sampled_from(["secret", 'with "quotes"', "two\nlines", "<&>", ""]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEY, inner, max_size=3)),
    max_leaves=10,
)


@st.composite
def tidy_json(draw: st.DrawFn) -> str:
    """An object as programs and people write it: one line or indented, escapes only where needed."""
    value = draw(st.dictionaries(KEY, DATA, max_size=4))
    indent = draw(st.sampled_from([None, None, 2, 4, "\t", 1, 0]))
    separators = (",", ":") if indent is None and draw(st.booleans()) else None
    text = json.dumps(value, indent=indent, separators=separators, ensure_ascii=False)
    if draw(st.integers(0, 9)) == 0:
        text = text.replace("\n", "\r\n")
    return text + draw(st.sampled_from(["", "\n", "\n", "\n"]))
