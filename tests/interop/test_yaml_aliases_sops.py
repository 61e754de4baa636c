"""Changes where a file in clear has anchors and aliases: the real sops makes of it what ours makes of it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sealpy import operations
from sealpy.errors import PathNotFound
from sealpy.selection import Selection
from tests.conftest import AgeKey
from tests.interop.sops import NOW, Pair

CLEAR = """\
secret: s
word: &word v # kept
list:
  - *word
  - two
map: &map {p: q, r: {t: u}}
block: &block
  one: 1
  two:
    - &deep x
    - y
maps:
  - *map
  - {z: 1, m: *map}
blocks:
  first: *block
  <<: *block
  *word : as a key
deep: [*deep, *word]
outer: &outer
  inner: *word
  list: [*map]
copy: *outer
empty: &empty {}
emptied: *empty
last:
  - *word
"""
PATHS = [
    '["word"]',
    '["list"][0]',
    '["list"][1]',
    '["list"][2]',
    '["map"]',
    '["map"]["p"]',
    '["map"]["new"]',
    '["map"]["r"]["t"]',
    '["block"]',
    '["block"]["one"]',
    '["block"]["two"][0]',
    '["block"]["two"][2]',
    '["block"]["two"]',
    '["maps"][0]',
    '["maps"][0]["p"]',
    '["maps"][0]["new"]["deeper"]',
    '["maps"][0]["r"]["t"]',
    '["maps"][1]["m"]',
    '["maps"][1]["m"]["r"]',
    '["maps"][2]',
    '["blocks"]["first"]["two"][1]',
    '["blocks"]["first"]["two"][2]',
    '["blocks"]["first"]',
    '["blocks"]["<<"]["one"]',
    '["blocks"]["v"]',
    '["deep"][0]',
    '["deep"][1]',
    '["outer"]["inner"]',
    '["outer"]["list"][0]["p"]',
    '["outer"]["new"]',
    '["copy"]["inner"]',
    '["copy"]["list"][0]["p"]',
    '["copy"]["list"]',
    '["empty"]["new"]',
    '["emptied"]["new"]',
    '["last"][0]',
    '["last"][1]',
]
NOT_THERE = {
    '["list"][2]',
    '["map"]["new"]',
    '["block"]["two"][2]',
    '["maps"][0]["new"]["deeper"]',
    '["maps"][2]',
    '["blocks"]["first"]["two"][2]',
    '["outer"]["new"]',
    '["empty"]["new"]',
    '["emptied"]["new"]',
    '["last"][1]',
}


@pytest.fixture
def pair(tool: Callable[[str], str], age_key: AgeKey, tmp_path: Path) -> Pair:
    return Pair(tool("sops"), age_key, tmp_path, "yaml")


@pytest.fixture
def sealed(pair: Pair) -> bytes:
    return pair.encrypt(CLEAR.encode(), Selection("encrypted_regex", "^secret$"))


@pytest.mark.parametrize("value", ['"NEW"', '{"a": ["b", 1]}'])
@pytest.mark.parametrize("path", PATHS)
def test_both_set_the_same(pair: Pair, sealed: bytes, path: str, value: str) -> None:
    theirs = changed_by_sops(pair, sealed, "set", path, value)
    opened = pair.open(sealed)

    ours = operations.set_value(opened, pair.format, parsed(path), json.loads(value), now=NOW)

    assert data(pair, ours) == data(pair, theirs)
    assert b"*" in ours, "an alias that the change does not concern stays one"


@pytest.mark.parametrize("path", [path for path in PATHS if path not in NOT_THERE])
def test_both_unset_the_same(pair: Pair, sealed: bytes, path: str) -> None:
    theirs = changed_by_sops(pair, sealed, "unset", path)
    opened = pair.open(sealed)

    ours = operations.unset_value(opened, pair.format, parsed(path), now=NOW)

    assert data(pair, ours) == data(pair, theirs)
    assert b"*" in ours, "an alias that the change does not concern stays one"


@pytest.mark.parametrize("path", sorted(NOT_THERE))
def test_what_is_not_there_cannot_be_unset(pair: Pair, sealed: bytes, path: str) -> None:
    with pytest.raises(PathNotFound):
        operations.unset_value(pair.open(sealed), pair.format, parsed(path), now=NOW)


def changed_by_sops(pair: Pair, sealed: bytes, *words: str) -> bytes:
    (pair.folder / "theirs.yaml").write_bytes(sealed)
    ended = pair.run(words[0], "theirs.yaml", *words[1:])
    assert ended.returncode == 0, ended.stderr
    return (pair.folder / "theirs.yaml").read_bytes()


def data(pair: Pair, sealed: bytes) -> Any:
    """Return what the real sops reads, with a good MAC; JSON keeps the order of keys."""
    (pair.folder / "read.yaml").write_bytes(sealed)
    ended = pair.run("decrypt", "--output-type", "json", "read.yaml")
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout, object_pairs_hook=list)


def parsed(path: str) -> tuple[str | int, ...]:
    return tuple(json.loads("[" + path[1:-1].replace("][", ",") + "]"))
