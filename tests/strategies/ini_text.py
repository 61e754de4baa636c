"""Random INI files as text: all the ways of go-ini, at the rate at which they break things, not at that of files."""

from hypothesis import strategies as st

PIECES = st.sampled_from(
    ["a", "b", "key", "x y", "é", '"q"', "`b`", "k=1", "k:2", "#h", ";s", "\\", '"', "'", "_unencrypted", '"""', "1.50",
     "[x]", "[", "]", "-", " ", "\t", "\x0b", "\xa0", "\x1c", "=", "ENC[", "\\n", "%(x)s"]
)  # fmt: skip
WILD = st.lists(PIECES, min_size=1, max_size=3).map("".join)
PLAIN_VALUE = st.sampled_from(
    ["v", "secret", "a b", "12", "", "x=y", "http://h:80/p", "it's", 'say "x" now', "C:\\dir"]
)
QUOTED_VALUE = st.sampled_from(
    ['"a b"', '" x "', '""', '"it\'s"', "'a b'", "' x '", "''", "'say \"x\"'", "`a;b`", '`x"y`', "``", "`#`", '"""a;b"""',
     '"""l1\nl2"""', '"""\nl1\n"""', '"""x""""', '"""a"""b"""']
)  # fmt: skip
LOSSY_VALUE = st.sampled_from(
    ["one \\\n  two", "one \\\n two \\\nthree", "one \\\n  two#x", "`l1\nl2 # no\n l3`", "`a`b`"]
)
COMMENT = st.sampled_from(["", " comment", "comment two", "; twice", "# other", " x=1", "  indented\t", "\ttab", "###"])
INDENT = st.sampled_from(["", "", "", "  ", "\t"])
SECTION = st.sampled_from(["a", "b", "DEFAULT", "sec two", "a.b", "x_unencrypted", 'sub "n"', "secret"])
KEY = st.sampled_from(
    ["a", "b", "c", "key", "pw_secret", "x_unencrypted", "`q=1`", '"dq"', '"""t"""', "two words", "é"]
)


@st.composite
def _lines(draw: st.DrawFn, *, wild: bool) -> str:
    choice = draw(st.integers(0, 99))
    indent = draw(INDENT)
    if choice < 12:
        return ""
    if choice < 32:
        return indent + draw(st.sampled_from("#;")) + (draw(WILD) if wild and choice < 15 else draw(COMMENT))
    if choice < 45:
        name = draw(WILD) if wild and choice < 34 else draw(SECTION)
        rest = st.sampled_from(["", "", "", "  ", " ; beside", "# beside"] + ([" junk"] if wild else []))
        return f"{indent}[{name}]{draw(rest)}"
    key = draw(WILD) if wild and choice < 50 else draw(KEY)
    value = draw(st.one_of(PLAIN_VALUE, PLAIN_VALUE, QUOTED_VALUE))
    if wild and choice > 85:
        value = draw(st.one_of(LOSSY_VALUE, WILD))
    delimiter = draw(st.sampled_from(["=", " = ", ": ", " : ", "  =  "]))
    comment = draw(st.sampled_from(["", "", "", "", " # in", " ; in2", "  ", ";x"] + ([' "', " junk"] if wild else [])))
    return f"{indent}{key}{delimiter}{value}{comment}"


@st.composite
def ini_texts(draw: st.DrawFn, *, wild: bool = True) -> str:
    """A file; not ``wild``: without the spellings of a value that cannot come back, and without nonsense."""
    text = "\n".join(draw(st.lists(_lines(wild=wild), max_size=9)))
    shape = draw(st.integers(0, 99))
    if shape < 15:
        text = text.replace("\n", "\r\n")
    if shape % 10 < 7:
        text += "\r\n" if "\r\n" in text else "\n"
    return f"\ufeff{text}" if shape > 95 else text
