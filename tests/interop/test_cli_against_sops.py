"""The same command line to sealpy and to the real sops, side by side: exit code, what is printed, what is changed.

Each runs in its own copy of one folder. What both wrote is opened by the real sops and compared as data, since sealpy
keeps the user's layout. Where the codes differ on purpose, both are written down with the reason.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.cli.process import Ended, Program
from tests.conftest import AgeKey

CLEAR = {
    "yaml": "a: one\nb: 2\nc:\n  d: [1, x]\n# comment\ne: null\nf: 1.5\n",
    "json": '{"a":"one","b":2,"c":{"d":[1,"x"]},"e":null,"f":1.5}\n',
    "env": "A=one\nB=2\n#comment\n",
    "ini": "[s]\na = one\nb = 2\n",
    "txt": "hello one\nworld\n",
}


class Result(NamedTuple):
    """How a run ended, and the files that it made or changed."""

    ended: Ended
    changed: dict[str, bytes]


class Pair:
    """sops and sealpy with the same files, keys and configuration."""

    def __init__(self, folder: Path, base: Path, sops: str, key: AgeKey) -> None:
        self._folder, self._base, self._sops = folder, base, sops
        self._before = _tree(base)
        self._env = {
            "SOPS_AGE_KEY": key.identity,
            "SOPS_DISABLE_VERSION_CHECK": "1",
            "EDITOR": "sed -i s/one/uno/",
        }

    def __call__(
        self, words: Sequence[str], *, name: str = "sealpy", stdin: str = "", env: dict[str, str] | None = None
    ) -> tuple[Result, Result]:
        """Run both and return (what sops did, what sealpy did)."""
        return self.run([self._sops], words, "", stdin, env), self.run([], words, name, stdin, env)

    def run(
        self, program: list[str], words: Sequence[str], name: str, stdin: str = "", env: dict[str, str] | None = None
    ) -> Result:
        """Run one in a fresh copy of the folder."""
        work = self._folder / "run"
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(self._base, work)
        run = Program(work, self._folder, {**self._env, **(env or {})})
        ended = run(*words, program=program, name=name, stdin=stdin)
        after = _tree(work)
        assert self._before.keys() <= after.keys()
        return Result(ended, {path: data for path, data in after.items() if self._before.get(path) != data})

    def data(self, name: str, content: bytes) -> object:
        """Return what the real sops reads in a file, sealed or clear."""
        place = self._folder / "read"
        place.mkdir(exist_ok=True)
        (place / ".sops.yaml").write_bytes((self._base / ".sops.yaml").read_bytes())
        (place / name).write_bytes(content)
        run = Program(place, self._folder, self._env)
        if b"sops" not in content:
            sealed = run("encrypt", name, program=[self._sops])
            assert sealed.code == 0, sealed.err
            (place / name).write_text(sealed.out)
        binary = name.endswith((".txt", "o"))
        opened = run("decrypt", *([] if binary else ["--output-type", "json"]), name, program=[self._sops])
        assert opened.code == 0, opened.err
        return opened.out if binary else json.loads(opened.out)


def _tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory, tool: Callable[[str], str], age_key: AgeKey) -> Path:
    """Make a folder of clear files, of the same sealed by the real sops, and of spoilt ones."""
    folder = tmp_path_factory.mktemp("base")
    (folder / ".sops.yaml").write_text(f"creation_rules:\n  - age: {age_key.recipient}\n")
    for suffix, text in CLEAR.items():
        (folder / f"clear.{suffix}").write_text(text)
        sealed = subprocess.run(
            [tool("sops"), "encrypt", f"clear.{suffix}"], cwd=folder, capture_output=True, check=True
        )
        (folder / f"sealed.{suffix}").write_bytes(sealed.stdout)
    for name, data in _spoilt((folder / "sealed.yaml").read_text()).items():
        (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)
    (folder / "folder.yaml").mkdir()
    (folder / "folder.yaml/.keep").write_text("")
    return folder


@pytest.fixture
def pair(tmp_path: Path, base: Path, tool: Callable[[str], str], age_key: AgeKey) -> Pair:
    """Return both programs."""
    return Pair(tmp_path, base, tool("sops"), age_key)


def _spoilt(sealed: str) -> dict[str, str | bytes]:
    lines = sealed.splitlines(keepends=True)
    first = next(number for number, line in enumerate(lines) if line.startswith("a:"))
    last = next(number for number, line in enumerate(lines) if line.startswith("f:"))
    swapped = list(lines)
    swapped[first], swapped[last] = f"a:{lines[last][2:]}", f"f:{lines[first][2:]}"
    levels = "".join(
        f"{chr(98 + level)}: &{chr(98 + level)} [{', '.join(9 * [f'*{chr(97 + level)}'])}]\n" for level in range(9)
    )
    return {
        "half.yaml": sealed[: len(sealed) // 2],
        "start.yaml": sealed[:300],
        "not-utf8.yaml": sealed.encode()[:50] + b"\xff" + sealed.encode()[50:],
        "binary.yaml": bytes(range(256)),
        "aliases.yaml": f"a: &a [x, x, x, x, x, x, x, x, x]\n{levels}",
        "empty.yaml": "",
        "empty.json": "",
        "comment.yaml": "# x\n",
        "list.yaml": "- a\n",
        "scalar.yaml": "a\n",
        "no-mac.yaml": re.sub(r"    mac: .*\n", "", sealed),
        "last-modified.yaml": sealed.replace('lastmodified: "2', 'lastmodified: "1'),
        "no-last-modified.yaml": re.sub(r"    lastmodified: .*\n", "", sealed),
        "bad-last-modified.yaml": re.sub(r"lastmodified: .*", 'lastmodified: "yesterday"', sealed),
        "no-version.yaml": re.sub(r"    version: .*\n", "", sealed),
        "no-keys.yaml": re.sub(r"    age:\n(        .*\n)+", "", sealed),
        "edited.yaml": re.sub(r"data:(.)", lambda found: "data:" + ("B" if found[1] == "A" else "A"), sealed, count=1),
        "swapped.yaml": "".join(swapped),
        "text-in-clear.yaml": re.sub(r"^a: .*$", "a: plain", sealed, flags=re.MULTILINE),
        "number-in-clear.yaml": re.sub(r"^b: .*$", "b: 5", sealed, flags=re.MULTILINE),
        "other-cipher.yaml": sealed.replace("AES256_GCM", "AES512_GCM"),
        "bad-base64.yaml": sealed.replace("data:", "data:!", 1),
        "bad-wrap.yaml": sealed.replace("-----BEGIN AGE", "-----BEGIN AGEX"),
        "twice.yaml": "a: 1\na: 2\n",
        "reserved.yaml": "sops: 1\n",
        "uint64.yaml": "a: 18446744073709551615\n",
        "integer-key.yaml": "1: a\n",
        "unclosed.yaml": "a: [\n",
        "tab.yaml": "a:\n\tb: 1\n",
        "bom.json": "\ufeff{}",
        "list.json": "[]",
        "no-equals.env": "abc\n",
        "no-equals.ini": "[x]\nabc\n",
    }


SPOILT = [*_spoilt("a: x\nf: x\n"), "folder.yaml", "missing.yaml", "missing"]


@pytest.mark.parametrize(
    "verb", ["encrypt", "decrypt", "filestatus", "set", "rotate", "decrypt --ignore-mac", "-d", "-e"]
)
@pytest.mark.parametrize("file", SPOILT)
def test_a_spoilt_file_ends_both_with_the_same_code(pair: Pair, file: str, verb: str) -> None:
    words = [*verb.split(), file, *(['["a"]', '"v"'] if verb == "set" else [])]

    theirs, ours = pair(words)

    assert ours.ended.code == theirs.ended.code, (theirs.ended.err, ours.ended.err)
    assert bool(ours.ended.out) == bool(theirs.ended.out)
    assert ours.changed.keys() == theirs.changed.keys()
    if theirs.ended.code:
        assert ours.ended.err.startswith(f"sealpy: {file}:")


@pytest.mark.parametrize("name", ["sealpy", "sops"])
@pytest.mark.parametrize("suffix", list(CLEAR))
@pytest.mark.parametrize(
    "words",
    [
        "decrypt",
        "-d",
        "--decrypt",
        "-decrypt",
        "decrypt -i",
        "decrypt --output o",
        "decrypt --in-place=false",
        "--output o -d",
        "-d -i",
        "rotate",
        "rotate -i",
        "-r -i",
        "--rotate --in-place=true",
        "edit",
        "",
        "updatekeys -y",
        "filestatus",
    ],
)
def test_a_sealed_file_comes_out_of_both_with_the_same_data(pair: Pair, words: str, suffix: str, name: str) -> None:
    theirs, ours = pair([*words.split(), f"sealed.{suffix}"], name=name)

    assert ours.ended.code == theirs.ended.code, (theirs.ended.err, ours.ended.err)
    _assert_same_data(pair, suffix, theirs, ours)


@pytest.mark.parametrize("name", ["sealpy", "sops"])
@pytest.mark.parametrize("suffix", list(CLEAR))
@pytest.mark.parametrize(
    "words", ["encrypt", "-e", "encrypt -i", "-e -i", "encrypt --output o", "decrypt", "rotate", "updatekeys -y"]
)
def test_a_clear_file_comes_out_of_both_with_the_same_data(pair: Pair, words: str, suffix: str, name: str) -> None:
    theirs, ours = pair([*words.split(), f"clear.{suffix}"], name=name)

    assert ours.ended.code == theirs.ended.code, (theirs.ended.err, ours.ended.err)
    _assert_same_data(pair, suffix, theirs, ours)


def _assert_same_data(pair: Pair, suffix: str, theirs: Result, ours: Result) -> None:
    assert ours.changed.keys() == theirs.changed.keys()
    assert bool(ours.ended.out) == bool(theirs.ended.out)
    if theirs.ended.out.startswith('{"encrypted"'):
        assert ours.ended.out == theirs.ended.out
    elif theirs.ended.out:
        printed = [pair.data(f"x.{suffix}", _bytes(result.ended.out)) for result in (theirs, ours)]
        assert printed[0] == printed[1]
    for path, data in theirs.changed.items():
        name = path if "." in path else f"x.{suffix}"
        assert pair.data(name, ours.changed[path]) == pair.data(name, data)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


@pytest.mark.parametrize("form", [["decrypt", "--extract"], ["-d", "--extract"]])
@pytest.mark.parametrize(
    ("file", "path"),
    [
        *((f"sealed.{suffix}", path) for suffix in ("yaml", "json") for path in (
            '["a"]', "['a']", '["b"]', '["c"]', '["c"]["d"]', '["c"]["d"][1]', '["c"]["d"][7]', '["nope"]', '["e"]', '["f"]',
            "a", '["a"', "[x]", "",
        )),
        ("sealed.env", '["A"]'),
        ("sealed.env", '["C"]'),
        ("sealed.ini", '["s"]["a"]'),
        ("sealed.ini", '["s"]["x"]'),
        ("sealed.txt", '["data"]'),
    ],
)  # fmt: skip
def test_both_extract_the_same(pair: Pair, form: list[str], file: str, path: str) -> None:
    theirs, ours = pair([*form, path, file])

    assert ours.ended.code == theirs.ended.code, (theirs.ended.err, ours.ended.err)
    if path:
        assert ours.ended.out == theirs.ended.out


@pytest.mark.parametrize(
    ("file", "path", "value"),
    [
        ("sealed.yaml", '["a"]', '"v"'),
        ("sealed.yaml", '["n"]', '{"x": [1, "two", true, null, 1.5]}'),
        ("sealed.yaml", '["c"]["d"][0]', '"v"'),
        ("sealed.yaml", '["c"]["d"][2]', '"v"'),
        ("sealed.yaml", '["a"]["b"]', '"v"'),
        ("sealed.yaml", '["a"]', "v"),
        ("sealed.yaml", '["a"]', "null"),
        ("sealed.yaml", '["c"]', "true"),
        ("sealed.yaml", '["c"]["d"][9]', '"v"'),
        ("sealed.yaml", '["c"]["d"][9]["e"][3]', '"v"'),
        ("sealed.yaml", '["new"][3]', '"v"'),
        ("sealed.yaml", '["sops"]', '"v"'),
        ("sealed.yaml", "x", "1"),
        ("sealed.json", '["a"]', '"v"'),
        ("sealed.json", '["n"]', '{"x": [1, "two", true, null, 1.5]}'),
        ("sealed.json", '["c"]["d"][0]', '"v"'),
        ("sealed.json", '["c"]["d"][2]', '"v"'),
        ("sealed.json", '["c"]["d"][9]', '"v"'),
        ("sealed.json", '["c"]["d"][9]["e"][3]', '"v"'),
        ("sealed.json", '["new"][3]', '"v"'),
        ("sealed.json", '["sops"]', '"v"'),
        ("sealed.env", '["A"]', '"v"'),
        ("sealed.env", '["NEW"]', '"v"'),
        ("sealed.env", '["A"]', '{"x": 1}'),
        ("sealed.ini", '["s"]["a"]', '"v"'),
        ("sealed.ini", '["s"]["new"]', '"v"'),
        ("sealed.ini", '["new"]["x"]', '"v"'),
        ("sealed.ini", '["a"]', '"v"'),
        ("sealed.txt", '["data"]', '"v"'),
    ],
)
def test_both_set_the_same(pair: Pair, file: str, path: str, value: str) -> None:
    for words in (["set", file, path, value], ["--set", f"{path} {value}", file]):
        theirs, ours = pair(words)

        assert ours.ended.code == theirs.ended.code, (words, theirs.ended.err, ours.ended.err)
        assert ours.changed.keys() == theirs.changed.keys()
        for name, data in theirs.changed.items():
            assert pair.data(name, ours.changed[name]) == pair.data(name, data)


@pytest.mark.parametrize("value", ["5", "9007199254740993", "[1]"])
def test_by_the_name_of_sops_numbers_and_lists_are_set_as_sops_does(pair: Pair, value: str) -> None:
    theirs, ours = pair(["set", "sealed.json", '["a"]', value], name="sops")

    assert ours.ended.code == theirs.ended.code
    for name, data in theirs.changed.items():
        assert pair.data(name, ours.changed[name]) == pair.data(name, data)
        assert b"type:float" in ours.changed[name]


@pytest.mark.parametrize("flags", [[], ["--idempotent"]])
@pytest.mark.parametrize(
    ("file", "path"),
    [
        ("sealed.yaml", '["a"]'),
        ("sealed.yaml", '["c"]'),
        ("sealed.yaml", '["c"]["d"][0]'),
        ("sealed.yaml", '["nope"]'),
        ("sealed.yaml", '["c"]["d"][9]'),
        ("sealed.yaml", "x"),
        ("sealed.json", '["a"]'),
        ("sealed.json", '["c"]["d"]'),
        ("sealed.env", '["A"]'),
        ("sealed.ini", '["s"]["a"]'),
        ("sealed.ini", '["s"]'),
    ],
)
def test_both_unset_the_same(pair: Pair, file: str, path: str, flags: list[str]) -> None:
    theirs, ours = pair(["unset", *flags, file, path])

    assert ours.ended.code == theirs.ended.code, (theirs.ended.err, ours.ended.err)
    assert ours.changed.keys() == theirs.changed.keys()
    for name, data in theirs.changed.items():
        assert pair.data(name, ours.changed[name]) == pair.data(name, data)


COMMAND_LINES = [
    ["decrypt", "-i", "--output", "o", "sealed.yaml"],
    ["decrypt", "--bogus", "sealed.yaml"],
    ["decrypt", "sealed.yaml", "--extract", '["a"]'],
    ["-d", "sealed.yaml", "--extract", '["a"]'],
    ["decrypt", "-i", "--in-place", "sealed.yaml"],
    ["decrypt", "--in-place=perhaps", "sealed.yaml"],
    ["decrypt", "--extract"],
    ["decrypt", "--decryption-order", "age,age", "sealed.yaml"],
    ["decrypt", "--decryption-order", "pgp,other", "sealed.yaml"],
    ["decrypt", "--output", "/nowhere/x", "sealed.yaml"],
    ["decrypt", "--output", ".", "sealed.yaml"],
    ["decrypt", "--verbose", "sealed.yaml"],
    ["--verbose", "decrypt", "sealed.yaml"],
    ["--verbose", "-d", "sealed.yaml"],
    ["--indent", "2", "-d", "sealed.yaml"],
    ["--indent", "x", "-d", "sealed.yaml"],
    ["-decrypt=false", "-e", "clear.yaml"],
    ["--extract", '["a"]', "-d", "sealed.yaml"],
    ["-e", "-d", "sealed.yaml"],
    ["-e", "-d", "clear.yaml"],
    ["encrypt"],
    ["encrypt", "-i"],
    ["encrypt", "--filename-override", "x.yaml"],
    ["encrypt", "--filename-override", "x.json", "clear.json"],
    ["encrypt", "--filename-override", "x.yaml", "clear.txt"],
    ["encrypt", "--input-type", "json", "clear.json"],
    ["encrypt", "--encrypted-regex", "a", "--encrypted-suffix", "b", "clear.yaml"],
    ["encrypt", "--encryption-context", "a", "--age", "age1x", "clear.yaml"],
    ["encrypt", "--shamir-secret-sharing-threshold", "x", "clear.yaml"],
    ["encrypt", "--shamir-secret-sharing-threshold", "2", "clear.yaml"],
    ["encrypt", "--age", "age1x", "clear.yaml"],
    ["encrypt", "--mac-only-encrypted", "clear.yaml"],
    ["--mac-only-encrypted", "encrypt", "--encrypted-regex", "^a$", "clear.yaml"],
    ["--encrypted-comment-regex", "com", "-e", "clear.yaml"],
    ["encrypt", "--encrypted-comment-regex", "com", "clear.yaml"],
    ["--config", "missing", "encrypt", "clear.yaml"],
    ["--config", "clear.yaml", "encrypt", "clear.yaml"],
    ["--output", "o", "--in-place", "-e", "clear.yaml"],
    ["encrypt", "--enable-local-keyservice=false", "clear.yaml"],
    ["decrypt"],
    ["decrypt", "-i"],
    ["decrypt", "--filename-override", "x.yaml"],
    ["decrypt", "--enable-local-keyservice=false", "sealed.yaml"],
    ["decrypt", "-a", "x", "sealed.yaml"],
    ["rotate"],
    ["rotate", "--add-age", "age1x", "sealed.yaml"],
    ["rotate", "--add-pgp", "AB", "sealed.yaml"],
    ["rotate", "--add-age", "age1x", "missing"],
    ["-r", "--add-age", "age1x", "missing"],
    ["--add-age", "age1x", "missing"],
    ["-r", "missing"],
    ["-r"],
    [],
    ["-d"],
    ["edit"],
    ["set", "sealed.yaml"],
    ["set", "--value-stdin", "sealed.yaml", '["a"]'],
    ["set", "--value-file", "sealed.yaml", '["a"]', "missing"],
    ["set", "--value-file", "--value-stdin", "sealed.yaml", '["a"]'],
    ["unset", "sealed.yaml"],
    ["updatekeys"],
    ["updatekeys", "-y", "missing.yaml"],
    ["updatekeys", "-y", "folder.yaml"],
    ["updatekeys", "-y", "sealed.yaml", "missing.yaml"],
    ["updatekeys", "-y", "missing.yaml", "sealed.yaml"],
    ["filestatus"],
    ["--version", "--disable-version-check"],
    ["--help"],
    ["decrypt", "--help"],
]


@pytest.mark.parametrize("name", ["sealpy", "sops"])
@pytest.mark.parametrize("words", COMMAND_LINES, ids=" ".join)
def test_a_command_line_ends_both_with_the_same_code(pair: Pair, words: list[str], name: str) -> None:
    theirs, ours = pair(words, name=name)

    assert ours.ended.code == theirs.ended.code, (theirs.ended.err, ours.ended.err)
    assert ours.changed.keys() == theirs.changed.keys()


class Difference(NamedTuple):
    """A command line that ends sealpy differently, and why."""

    words: list[str]
    theirs: int
    ours: int
    reason: str


DIFFERENCES = [
    Difference(["--encrypted-regex", "^(", "-e", "clear.yaml"], 0, 1, "sops writes every value in clear"),
    Difference(["decrypt", "sealed.yaml", "--bogus"], 0, 1, "sops takes it for a second file and ignores it"),
    Difference(["decrypt", "--input-type", "toml", "sealed.yaml"], 0, 1, "sops ignores a type that it does not know"),
    Difference(["decrypt", "--extract", '["a"]["b"]', "sealed.yaml"], 2, 1, "sops panics"),
    Difference(["decrypt", "--extract", '["c"]["d"]["x"]', "sealed.json"], 2, 1, "sops panics"),
    Difference(["set", "sealed.yaml", '["c"]["d"]["x"]', "1"], 2, 1, "sops panics"),
    Difference(["set", "sealed.yaml", '["c"]["d"][-1]', "1"], 2, 7, "sops panics"),
    Difference(["set", "sealed.yaml", "", "1"], 2, 7, "sops panics"),
    Difference(["set", "sealed.yaml", '["a"]', "[1]"], 7, 0, "a list is a value like others"),
    Difference(["set", "sealed.yaml", '["k[x"]', "1"], 7, 0, "sops cannot address such a key"),
    Difference(["filestatus", "clear.txt"], 1, 0, "sops wants JSON; it is simply not encrypted"),
    Difference(["encrypt", "sealed.txt"], 0, 203, "sops encrypts it a second time"),
    Difference(["--config", "missing", "decrypt", "sealed.yaml"], 1, 0, "decrypting needs no configuration"),
    Difference(["updatekeys", "-y", "no-version.yaml"], 0, 1, "sops hands on a file that it cannot open itself"),
]


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda difference: " ".join(difference.words))
def test_the_differences_are_those_that_are_written_down(pair: Pair, difference: Difference) -> None:
    theirs, ours = pair(difference.words)

    assert (theirs.ended.code, ours.ended.code) == (difference.theirs, difference.ours)


def test_a_wrong_key_and_no_key_end_both_with_the_same_code(pair: Pair, tool: Callable[[str], str]) -> None:
    made = subprocess.run([tool("age-keygen")], capture_output=True, text=True, check=True).stdout
    for key in (made.splitlines()[-1], ""):
        for verb in (["decrypt"], ["rotate"], ["edit"], ["set"]):
            words = [*verb, "sealed.yaml", *(['["a"]', "1"] if verb == ["set"] else [])]
            theirs, ours = pair(words, env={"SOPS_AGE_KEY": key})

            assert (theirs.ended.code, ours.ended.code) == (128, 128)
            assert ours.changed == {}


def test_both_read_the_same_from_standard_input(pair: Pair, base: Path) -> None:
    for suffix, text in CLEAR.items():
        name = f"x.{suffix}"
        theirs, ours = pair(["encrypt", "--filename-override", name], stdin=text)
        assert pair.data(name, _bytes(ours.ended.out)) == pair.data(name, _bytes(theirs.ended.out))

        sealed = (base / f"sealed.{suffix}").read_text()
        theirs, ours = pair(["decrypt", "--filename-override", name], stdin=sealed)
        assert pair.data(name, _bytes(ours.ended.out)) == pair.data(name, _bytes(theirs.ended.out))


def test_the_editors_end_is_told_by_the_same_code(pair: Pair) -> None:
    for editor in ("true", "false", "/no/such/editor"):
        theirs, ours = pair(["edit", "sealed.yaml"], env={"EDITOR": editor})
        assert ours.ended.code == theirs.ended.code
        assert ours.changed == theirs.changed == {}
