"""What the command line encrypts, sops' own Go library opens, as Flux does in the cluster."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.process import Program
from tests.conftest import AgeKey
from tests.interop.gosops import GoSops

SECRET = """\
apiVersion: v1
kind: Secret
metadata:
  name: db
  namespace: shop
type: Opaque
data:
  TOKEN: dG9rZW4=
stringData:
  DB_PASSWORD: "correct horse"  # changed every quarter
  config.json: |
    {"pool": 10}
"""
FILES = {
    "yaml": ("a.yaml", "s: text\ni: 5\nf: 2.5\nb: true\nn: null\nl: [x, 1]\n# note\nm:\n  k: v\n"),
    "json": ("a.json", json.dumps({"s": "text", "i": 5, "f": 2.5, "b": True, "n": None, "l": ["x", 1]}, indent=2)),
    "dotenv": ("a.env", "# note\nA=one\nB=two\\nlines\n"),
    "ini": ("a.ini", "top = 1\n[s]\n; note\nk = v\n"),
    "binary": ("a.bin", "any bytes\x00\x01\n"),
}


@pytest.fixture(scope="module")
def library(tool: Callable[[str], str], age_key: AgeKey) -> Iterator[GoSops]:
    server = GoSops(tool("gosops"), age_key)
    yield server
    server.close()


@pytest.fixture
def sealpy(tmp_path: Path) -> Program:
    (tmp_path / "work").mkdir()
    return Program(tmp_path / "work", tmp_path, {})


def test_a_secret_opens_with_its_values(library: GoSops, sealpy: Program, age_key: AgeKey) -> None:
    sealpy.write("secrets.yaml", SECRET)
    assert sealpy("encrypt", "--age", age_key.recipient, "-i", "secrets.yaml").code == 0

    answer = library.decrypt("yaml", sealpy.read("secrets.yaml").encode())

    assert answer.error == ""
    values = {path: text for path, kind, text in answer.items if kind != "comment"}
    assert values["stringData", "DB_PASSWORD"] == "correct horse"
    assert values["stringData", "config.json"] == '{"pool": 10}\n'
    assert values["data", "TOKEN"] == "dG9rZW4="
    assert values["metadata", "name"] == "db"


@pytest.mark.parametrize("name", FILES)
def test_every_format_opens_with_its_types(library: GoSops, sealpy: Program, age_key: AgeKey, name: str) -> None:
    file, text = FILES[name]
    sealpy.write(file, text)
    assert sealpy("encrypt", "--age", age_key.recipient, "-i", file).code == 0

    opened = library.decrypt(name, sealpy.read(file).encode())

    assert opened.error == ""
    expected = library.tree(name, text.encode())
    assert opened.items == expected.items
