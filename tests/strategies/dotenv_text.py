"""Random dotenv files as bytes: everything that sops takes, and little that other readers would."""

from hypothesis import strategies as st

NAME = st.one_of(
    st.sampled_from(["A", "DB_PASSWORD", "X_unencrypted", "export EXP", "SP ", "", "key_secret", "a-b", "é", " pad"]),
    st.text(alphabet="ABCxyz_0 ", max_size=6),
).filter(lambda name: not name.startswith("sops_"))
VALUE = st.one_of(
    st.sampled_from(
        ["", "v", "a=b=c", '"q v"', "'s'", " spaced ", "a#b", "a # b", r"a\nb", r"a\\nb", "\ta", "\\", "\r", "é🔐"]
    ),
    st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\n"), max_size=12),
)
COMMENT = st.one_of(
    st.sampled_from(["", " comment", "nospace", " two # marks", "\r"]),
    st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\n"), max_size=12),
)
LINE = st.one_of(
    st.just(""),
    COMMENT.map(lambda text: f"#{text}"),
    st.tuples(NAME, VALUE).map("=".join),
    st.tuples(NAME, VALUE).map("=".join),
    st.tuples(NAME, VALUE).map("=".join),
)


@st.composite
def dotenv_files(draw: st.DrawFn) -> bytes:
    """Lines, names twice, empty names, CRLF, a byte order mark, no line feed at the end, bytes that are no UTF-8."""
    lines = [line.encode() for line in draw(st.lists(LINE, max_size=8))]
    if lines and draw(st.integers(0, 9)) == 0:
        lines[-1] = b"RAW=\xff\xfe" + draw(st.binary(max_size=5)).replace(b"\n", b"")
    data = b"\n".join(lines) + draw(st.sampled_from([b"", b"\n", b"\n", b"\n\n"]))
    return b"\xef\xbb\xbf" + data if data[:1].isalpha() and draw(st.integers(0, 19)) == 0 else data
