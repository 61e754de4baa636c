"""Random YAML documents in both directions against the real sops."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, seed, settings

from sealpy.document import Document, Leaf
from sealpy.errors import SealpyError
from tests.conftest import AgeKey
from tests.interop.sops import Pair
from tests.seed import SEED
from tests.strategies.yaml_text import yaml_documents

RANDOM = settings(
    max_examples=200, deadline=None, database=None, suppress_health_check=list(HealthCheck), print_blob=True
)


@pytest.fixture(scope="module")
def pair(tool: Callable[[str], str], age_key: AgeKey, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return Pair(tool("sops"), age_key, tmp_path_factory.mktemp("yaml"), "yaml")


def values(leaves: object) -> list[tuple[object, str, str]]:
    assert isinstance(leaves, (list, tuple))
    return [(leaf.path, leaf.kind, leaf.content) for leaf in leaves if leaf.kind != "comment"]


def comments(output: bytes) -> list[str]:
    """The comment lines, but for those that sops itself could not open again."""
    lines = [line.strip() for line in output.decode().split("\n")]
    return [line for line in lines if line.startswith("#") and not line.startswith("#ENC[")]


def test_both_read_every_value_and_type_of_the_other_with_a_good_mac(pair: Pair) -> None:
    seen = {"documents": 0, "comments": 0, "missed": 0}

    @seed(SEED)
    @RANDOM
    @given(text=yaml_documents())
    def check(text: str) -> None:
        theirs = pair.sops_encrypt(text.encode())
        if theirs.returncode:
            with pytest.raises(SealpyError):
                pair.encrypt(text.encode())
            return
        ours = pair.encrypt(text.encode())
        seen["documents"] += 1

        assert values(pair.open(theirs.stdout).leaves) == values(pair.format.scan(text).leaves)
        opened = pair.sops_decrypt(ours)
        assert opened.returncode == 0, opened.stderr.decode()
        expected = pair.sops_decrypt(theirs.stdout)
        assert expected.returncode == 0
        # What sops prints is not always YAML (it miscounts some indentations), so equal bytes are enough.
        if opened.stdout != expected.stdout:
            here = values(pair.format.scan(opened.stdout.decode()).leaves)
            assert here == values(pair.format.scan(expected.stdout.decode()).leaves)
        theirs_left, ours_left = comments(expected.stdout), comments(opened.stdout)
        seen["comments"] += len(theirs_left)
        missed = sum(max(theirs_left.count(line) - ours_left.count(line), 0) for line in set(theirs_left))
        seen["missed"] += missed
        if missed:
            print("comments missed in", repr(text))

    check()
    print(seen)
    assert seen["documents"] > 150
    assert seen["missed"] <= 0.005 * seen["comments"]


def test_decrypting_gives_the_very_bytes_back(pair: Pair) -> None:
    @seed(SEED)
    @RANDOM
    @given(text=yaml_documents(tidy=True))
    def check(text: str) -> None:
        assert pair.decrypt(pair.encrypt(text.encode())) == text.encode()

    check()


def test_no_selected_value_or_comment_survives_in_clear(pair: Pair) -> None:
    @seed(SEED)
    @RANDOM
    @given(text=yaml_documents())
    def check(text: str) -> None:
        try:
            sealed = pair.encrypt(text.encode()).decode()
        except SealpyError:
            return
        document = pair.format.scan(sealed)
        for leaf in document.leaves:
            assert leaf.kind in ("null", "map", "list") or leaf.content == "" or leaf.content.startswith("ENC[")
        left = outside(document)
        for leaf in pair.format.scan(text).leaves:
            if len(leaf.content) > 7 and leaf.kind in ("str", "comment") and leaf.content not in keys(document):
                assert leaf.content not in left

    check()


def keys(document: Document) -> str:
    return "\n".join(str(part) for leaf in document.leaves for part in leaf.path)


def outside(document: Document) -> str:
    """The sealed text without its sealed leaves and metadata."""
    spans: list[Leaf | tuple[int, int]] = [(leaf.start, leaf.end) for leaf in document.leaves]
    spans += [(block.start, block.end) for block in document.blocks]
    text = document.text
    for start, end in sorted(spans, reverse=True):  # type: ignore[misc]
        text = text[:start] + text[end:]
    return text


@pytest.mark.parametrize(
    "text",
    [
        "{a: 1, # c\n b: 2 # d\n}\n",
        "{a: 1, b: [2, 3, ], # c\n}\n",
        "{}\n",
        "---\n",
        "k: | # c\n  text\nz: 1\n",
        "k: |+ # c\n  text\n\nz: 1\n",
        "a: |2 # q\n   x\n  y\n",
        "a: 1\rb: x\r",
        "\ufeff  a: 1\n  b: 2\n",
        "a: |+\n  x\n\n",
        "a: |-\n  x",
        "l:\n- # c\n  a: 1\n",
    ],
)
def test_a_layout_that_is_easily_got_wrong_comes_back_and_opens_in_sops(pair: Pair, text: str) -> None:
    sealed = pair.encrypt(text.encode())

    assert pair.decrypt(sealed).decode() == text
    opened = pair.sops_decrypt(sealed)
    assert opened.returncode == 0, opened.stderr
    assert values(pair.format.scan(opened.stdout.decode()).leaves) == values(pair.format.scan(text).leaves)


@pytest.mark.parametrize("text", ["k: !!int # c\n  5\nb: 2\n", "k: |+\n\n", "k: >+\n \nb: 1\n", "a: &x 1\nb: *x\n"])
def test_a_spelling_that_changes_keeps_its_meaning(pair: Pair, text: str) -> None:
    sealed = pair.encrypt(text.encode())

    expected = values(pair.format.scan(text).leaves)
    assert values(pair.format.scan(pair.decrypt(sealed).decode()).leaves) == expected
    opened = pair.sops_decrypt(sealed)
    assert opened.returncode == 0, opened.stderr
    assert values(pair.format.scan(opened.stdout.decode()).leaves) == expected
