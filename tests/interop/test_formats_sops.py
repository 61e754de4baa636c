"""Random JSON, dotenv, INI and binary files in both directions against sops' own packages."""

import random
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from sealpy import operations
from sealpy.document import Leaf, splice
from sealpy.errors import SealpyError, UnsealableValue
from sealpy.formats.ini_scan import strip
from sealpy.secret import Secret
from sealpy.selection import DEFAULT, Selection
from tests.conftest import AgeKey
from tests.interop.gosops import GoSops, Item
from tests.interop.sops import NOW, Pair
from tests.seed import SEED
from tests.strategies.dotenv_text import dotenv_files
from tests.strategies.ini_text import ini_texts
from tests.strategies.json_text import tidy_json, wild_json

RANDOM = settings(
    max_examples=200, deadline=None, database=None, suppress_health_check=list(HealthCheck), print_blob=True
)
FILES: dict[str, st.SearchStrategy[bytes]] = {
    "json": st.one_of(wild_json(), tidy_json()).map(lambda text: text.encode("utf-8", "surrogatepass")),
    "dotenv": dotenv_files(),
    "ini": ini_texts().map(str.encode),
    "binary": st.one_of(st.binary(max_size=60), st.text(max_size=40).map(str.encode), wild_json().map(str.encode)),
}
TIDY: dict[str, st.SearchStrategy[bytes]] = {
    "json": tidy_json().map(str.encode),
    "dotenv": dotenv_files(),
    "ini": ini_texts(wild=False).map(str.encode),
    "binary": st.binary(max_size=60),
}
BY_KEY = [
    DEFAULT,
    Selection("unencrypted_suffix", "_unencrypted"),
    Selection("encrypted_suffix", "_secret"),
    Selection("encrypted_regex", "^(data|pw|secret|a|key)"),
    Selection("unencrypted_regex", "[xX]_|^b$"),
]
# Where comments decide, a comment beside an INI value may move to the lines above it.
SELECTIONS = [
    *BY_KEY,
    Selection("encrypted_comment_regex", "comment|two"),
    Selection("unencrypted_comment_regex", "comment t|twice"),
]


@pytest.fixture(scope="module")
def sops(tool: Callable[[str], str], age_key: AgeKey) -> Iterator[GoSops]:
    server = GoSops(tool("gosops"), age_key)
    yield server
    server.close()


@pytest.fixture(scope="module")
def pair_of(
    tool: Callable[[str], str], age_key: AgeKey, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Pair]:
    return lambda name: Pair(tool("sops"), age_key, tmp_path_factory.mktemp(name), name)


def values(items: list[Item]) -> list[Item]:
    return [item for item in items if item[1] not in ("comment", "map")]


def seen(leaves: object) -> list[Item]:
    assert isinstance(leaves, (list, tuple))
    items = [(leaf.path, leaf.kind, leaf.content) for leaf in leaves if isinstance(leaf, Leaf)]
    return values(items)


@pytest.mark.parametrize("name", list(FILES))
def test_a_file_means_the_same_to_both(name: str, sops: GoSops, pair_of: Callable[[str], Pair]) -> None:
    pair = pair_of(name)
    read = 0

    @seed(SEED)
    @RANDOM
    @given(data=FILES[name])
    def check(data: bytes) -> None:
        nonlocal read
        theirs = sops.tree(name, data)
        if theirs.error:
            with pytest.raises(SealpyError):
                pair.format.scan(pair.format.decode(data))
            return
        read += 1
        ours = pair.format.scan(pair.format.decode(data))

        assert seen(ours.leaves) == values(theirs.items)

    check()
    assert read > 80


@pytest.mark.parametrize("name", list(FILES))
def test_sops_opens_what_we_seal_and_reads_the_same(name: str, sops: GoSops, pair_of: Callable[[str], Pair]) -> None:
    pair = pair_of(name)
    counts = {"files": 0, "comments": 0, "missed": 0}
    draw = random.Random(SEED)

    @seed(SEED)
    @RANDOM
    @given(data=FILES[name])
    def check(data: bytes) -> None:
        selection = draw.choice(SELECTIONS)
        only_encrypted = draw.random() < 0.2 and name != "binary"
        theirs = sops.tree(name, data)
        try:
            sealed = pair.encrypt(data, selection, only_encrypted=only_encrypted)
        except UnsealableValue:
            return
        except SealpyError:
            assert theirs.error
            return
        opened = sops.decrypt(name, sealed)
        counts["files"] += 1

        assert opened.error == ""
        assert values(opened.items) == values(theirs.items)
        there, here = comments(theirs.items), comments(opened.items)
        counts["comments"] += len(there)
        missed = [comment for comment in there if comment not in here]
        counts["missed"] += len(missed)
        if missed:
            print("comments missed in", repr(data), missed)

    check()
    print(name, counts)
    assert counts["files"] > 80
    assert counts["missed"] <= 0.005 * counts["comments"]


def comments(items: list[Item]) -> list[tuple[object, str]]:
    """The comments of a tree. White space at the end of their lines, and a first line without words, do not count."""
    found = []
    for path, kind, text in items:
        lines = [strip(line) for line in text.split("\n")]
        if kind == "comment":
            found.append((path, "\n".join(lines).lstrip("#; \n")))
    return found


@pytest.mark.parametrize("name", list(FILES))
def test_we_open_what_sops_seals_and_read_the_same(name: str, sops: GoSops, pair_of: Callable[[str], Pair]) -> None:
    pair = pair_of(name)
    files = 0
    draw = random.Random(SEED)

    @seed(SEED)
    @RANDOM
    @given(data=FILES[name])
    def check(data: bytes) -> None:
        nonlocal files
        selection = draw.choice(SELECTIONS)
        chosen = {} if name == "binary" else {selection.mode: selection.pattern}
        sealed = sops.encrypt(name, data, **chosen)
        if sealed.error or sops.decrypt(name, sealed.text).error:
            return
        theirs = sops.decrypt(name, sealed.text)
        opened = pair.open(sealed.text)
        files += 1

        assert seen(opened.leaves) == values(theirs.items)
        if name in ("dotenv", "binary"):
            assert pair.decrypt(sealed.text) == theirs.text

    check()
    assert files > 80


@pytest.mark.parametrize("name", list(TIDY))
def test_decrypting_gives_the_very_bytes_back(name: str, pair_of: Callable[[str], Pair]) -> None:
    pair = pair_of(name)
    draw = random.Random(SEED)
    files = 0

    @seed(SEED)
    @RANDOM
    @given(data=TIDY[name])
    def check(data: bytes) -> None:
        nonlocal files
        try:
            sealed = pair.encrypt(data, draw.choice(BY_KEY))
        except SealpyError:
            return
        files += 1

        assert pair.decrypt(sealed) == data

    check()
    assert files > 80


@pytest.mark.parametrize("name", ["json", "dotenv", "ini", "binary"])
def test_no_selected_value_or_comment_survives(name: str, pair_of: Callable[[str], Pair]) -> None:
    pair = pair_of(name)
    canary = b"Canary4711x"
    canaries = 0

    @seed(SEED)
    @RANDOM
    @given(data=FILES[name])
    def check(data: bytes) -> None:
        nonlocal canaries
        for word in (b"hush", b"secret", b"comment", b"beside", b"junk", b"in2", b"l1", b"two"):
            data = data.replace(word, canary)
        try:
            sealed = pair.encrypt(data)
        except SealpyError:
            return
        names = "\n".join(
            str(part) for leaf in pair.format.scan(pair.format.decode(sealed)).leaves for part in leaf.path
        )
        if name != "binary" and (canary.decode() in names or b"_unencrypted" in data):
            return
        canaries += canary in data

        assert canary not in sealed

    check()
    assert canaries > 3


CHANGES: dict[str, st.SearchStrategy[tuple[tuple[str, ...], object]]] = {
    "json": st.tuples(
        st.sampled_from([("a",), ("new",), ("b", "c"), ("key", "deep", "er"), ("x_unencrypted",)]),
        st.sampled_from(["v", 5, 1.5, True, None, {}, {"n": [1, "two", {"m": "x"}]}, ["l"]]),
    ),
    "dotenv": st.tuples(
        st.sampled_from([("A",), ("NEW",), ("X_unencrypted",)]), st.sampled_from(["v", "two\nlines", "", 5])
    ),
    "ini": st.tuples(
        st.sampled_from([("a", "key"), ("a", "new"), ("DEFAULT", "n"), ("b", "x_unencrypted"), ("fresh", "k:1")]),
        st.sampled_from(["v", " out ", "a;b", "l1\nl2", "", "x`y"]),
    ),
    "binary": st.tuples(st.just(("data",)), st.sampled_from(["v", "two\nlines", 'quo"te', "é"])),
}


@pytest.mark.parametrize("name", list(CHANGES))
def test_sops_opens_a_file_after_each_kind_of_change(name: str, sops: GoSops, pair_of: Callable[[str], Pair]) -> None:
    pair = pair_of(name)
    changed = 0

    @seed(SEED)
    @settings(RANDOM, max_examples=80)
    @given(data=TIDY[name], change=CHANGES[name])
    def check(data: bytes, change: tuple[tuple[str, ...], object]) -> None:
        nonlocal changed
        path, value = change
        clear = pair.format.scan(pair.format.decode(data))
        if sum(leaf.path == path for leaf in clear.leaves) > 1:
            return
        try:
            sealed = pair.encrypt(data)
            wanted = pair.format.encode(splice(clear.text, pair.format.insert(clear, path, value)))
            kept = operations.set_value(pair.open(sealed), pair.format, path, value, now=NOW)
        except SealpyError:
            return
        changed += 1

        opened = sops.decrypt(name, kept)
        assert opened.error == ""
        assert values(opened.items) == values(sops.tree(name, wanted).items)
        assert unchanged(pair, sealed, path) <= unchanged(pair, kept, path)
        rotated = operations.rotate(pair.open(kept), pair.format, pair.keyring, now=NOW)
        assert values(sops.decrypt(name, rotated).items) == values(opened.items)
        assert pair.decrypt(rotated) == pair.decrypt(kept)
        edited = operations.edit(pair.open(sealed), pair.format, Secret(wanted), now=NOW)
        assert pair.decrypt(edited) == wanted
        assert unchanged(pair, sealed, path) <= unchanged(pair, edited, path)
        if name != "binary":
            again = operations.unset_value(pair.open(kept), pair.format, path, now=NOW)
            rest = sops.decrypt(name, again)
            assert rest.error == ""

    check()
    assert changed > 30


def unchanged(pair: Pair, sealed: bytes, path: tuple[str, ...]) -> set[tuple[object, str]]:
    """The sealed values that are neither at, nor below, nor on the way to a path."""
    leaves = pair.format.scan(pair.format.decode(sealed)).leaves
    return {
        (leaf.path, leaf.content)
        for leaf in leaves
        if leaf.kind == "str" and not all(mine == theirs for mine, theirs in zip(leaf.path, path, strict=False))
    }
