"""Files made by the real sops: they open to what it reads, what it refuses is refused, its histories replay."""

import json
import os
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from sealpy import operations, registry
from sealpy.document import Leaf
from sealpy.formats import Format
from sealpy.identities import Identities
from sealpy.keyring import Keyring
from tests import places
from tests.cli.process import Program

FOLDER = places.vectors()
MANIFEST: dict[str, Any] = json.loads((FOLDER / "manifest.json").read_text()) if FOLDER else {}
MAC_MISMATCH = 51
CONVERTS = ("--output-type", "--input-type", "--extract")


@pytest.fixture
def run(tmp_path: Path) -> Program:
    """Return sealpy in an empty folder, without any key."""
    folder = tmp_path / "work"
    folder.mkdir()
    return Program(folder, tmp_path, {})


def named(kind: str) -> list[Any]:
    return [pytest.param(entry, id=entry["name"]) for entry in MANIFEST.get(kind, [])]


def meaning(leaves: Any) -> list[tuple[object, str, str]]:
    """The values; the reference prints 1.0 as 1 and -0.0 as -0, which read as integers."""
    return [
        (leaf.path, "number", "0" if leaf.content == "-0" else leaf.content)
        if leaf.kind in ("int", "float")
        else (leaf.path, leaf.kind, leaf.content)
        for leaf in leaves
        if leaf.kind != "comment"
    ]


def comments(leaves: Any) -> list[str]:
    return sorted(leaf.content for leaf in leaves if leaf.kind == "comment")


def environment(entry: dict[str, Any], vectors: Path) -> dict[str, str]:
    return {name: str(vectors / value) if "FILE" in name else value for name, value in entry["env"].items()}


def keyring(environ: dict[str, str]) -> Keyring:
    return Keyring(registry.backends(Identities(environ, home=os.devnull)))


def reference(fmt: Format, data: bytes) -> list[Leaf]:
    text = fmt.decode(data)
    if fmt.name == "binary":
        return [Leaf(("data",), 0, len(text), "str", text)]
    if not text.strip():
        return []
    return list(fmt.scan(text).leaves)


def test_the_vectors_are_here(vectors: Path) -> None:
    assert vectors == FOLDER
    assert len(MANIFEST["vectors"]) > 70


@pytest.mark.parametrize("entry", named("vectors"))
def test_a_file_of_the_reference_opens_to_what_it_reads(entry: dict[str, Any], vectors: Path) -> None:
    fmt = registry.format_named(entry["format"])
    if entry["name"] in ("x-env-enc-json-out", "bug-xformat-bool-dotenv"):
        # Written with --output-type: the suffix is not the format.
        fmt = registry.format_named({"x-env-enc-json-out": "json", "bug-xformat-bool-dotenv": "yaml"}[entry["name"]])
    data = (vectors / entry["encrypted"]).read_bytes()
    ring = keyring(environment(entry, vectors))
    if entry["decrypt_exit"] == MAC_MISMATCH:
        with pytest.raises(operations.SealpyError):
            operations.open_document(data, fmt, ring)
        return
    opened = operations.open_document(data, fmt, ring)
    if entry["decrypt_exit"] or any(flag in entry["decrypt_args"] for flag in CONVERTS):
        return

    expected = reference(fmt, (vectors / entry["decrypted"]).read_bytes())

    assert meaning(opened.leaves) == meaning(expected)
    # The reference drops some comments when it prints.
    assert not Counter(comments(expected)) - Counter(comments(opened.leaves))
    # And what decrypting prints means the same.
    assert meaning(reference(fmt, operations.clear_text(opened, fmt).expose())) == meaning(opened.leaves)


@pytest.mark.parametrize("entry", named("negative"))
def test_what_the_reference_refuses_is_refused_with_its_exit_code(
    entry: dict[str, Any], vectors: Path, run: Program
) -> None:
    name = entry["encrypt_args"][-1]
    shutil.copy(vectors / entry["plain"], run.folder / name)

    done = run(*entry["encrypt_args"])

    assert done.code == entry["exit"], done.err
    assert bool(done.out) == (entry["exit"] == 0)


REPLAYED = [entry for entry in MANIFEST.get("history", []) if entry["name"] != "groups"]


@pytest.mark.parametrize("entry", REPLAYED, ids=[entry["name"] for entry in REPLAYED])
def test_a_history_of_edits_replays(entry: dict[str, Any], vectors: Path, run: Program) -> None:
    keys = {"SOPS_AGE_KEY_FILE": str(vectors / "keys" / "all.txt")}
    ring = keyring(keys)
    previous = vectors / entry["start"]
    for step in entry["steps"]:
        name = next(word for word in step["cmd"] if word.startswith("step"))
        fmt = registry.format_for(name)
        shutil.copy(previous, run.folder / name)
        editor = {"SOPS_EDITOR": step["editor"]} if step["editor"] else {}
        done = run(*step["cmd"], env=keys | editor)
        assert done.code == step["exit"], done.err

        ours = operations.open_document((run.folder / name).read_bytes(), fmt, ring)
        theirs = operations.open_document((vectors / step["file"]).read_bytes(), fmt, ring)

        assert meaning(ours.leaves) == meaning(theirs.leaves)
        assert comments(ours.leaves) == comments(theirs.leaves)
        assert sorted(key.label for key in ours.metadata.master_keys()) == sorted(
            key.label for key in theirs.metadata.master_keys()
        )
        previous = vectors / step["file"]


def test_every_step_of_a_history_of_key_groups_opens(vectors: Path) -> None:
    ring = keyring({"SOPS_AGE_KEY_FILE": str(vectors / "keys" / "all.txt")})
    entry = next(entry for entry in MANIFEST["history"] if entry["name"] == "groups")
    start = operations.open_document((vectors / entry["start"]).read_bytes(), registry.format_for(entry["start"]), ring)

    for step in entry["steps"]:
        opened = operations.open_document(
            (vectors / step["file"]).read_bytes(), registry.format_for(step["file"]), ring
        )
        assert meaning(opened.leaves) == meaning(start.leaves)
