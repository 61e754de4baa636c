"""What a target remembers."""

import json
from pathlib import Path

import pytest

from sealpy.errors import SourceError
from sealpy.secret import Secret
from sealpy_controller.inventory import Inventory
from sealpy_controller.objects import Entry, Object

DB = Object("prod", "Secret", "db")
ENTRY = Entry("db.yaml", "repository#main:k8s", "c0ffee", {"a": "1"}, {"a": "2"})


def _open(folder: Path, *, read_only: bool = False) -> Inventory:
    return Inventory(str(folder), read_only=read_only)


def _close(inventory: Inventory) -> Inventory:
    inventory.close()
    return inventory


def test_entries_come_back(tmp_path: Path) -> None:
    inventory = _open(tmp_path)
    fresh = Object("prod", "ConfigMap", "new")
    inventory.entries |= {DB: ENTRY, fresh: ENTRY._replace(applied=None)}
    inventory.save()
    inventory.close()

    assert _close(_open(tmp_path)).entries == {DB: ENTRY, fresh: ENTRY._replace(applied=None)}


def test_only_the_owner_reads_it(tmp_path: Path) -> None:
    inventory = _open(tmp_path)
    inventory.save()

    assert (tmp_path / ".sealpy").stat().st_mode & 0o777 == 0o700
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / ".sealpy").iterdir()}
    assert modes == {"inventory.json": 0o600, "key": 0o600, "lock": 0o600}
    inventory.close()


def test_digests_last_and_tell_nothing_elsewhere(tmp_path: Path) -> None:
    values = {"a": Secret(b"hunter2"), "b": Secret(b"hunter2")}
    first = _close(_open(tmp_path / "one")).digest(DB, values)
    again = _close(_open(tmp_path / "one")).digest(DB, values)
    elsewhere = _close(_open(tmp_path / "two")).digest(DB, values)
    other_object = _close(_open(tmp_path / "one")).digest(DB._replace(name="other"), values)

    assert first == again
    assert len({first["a"], first["b"], elsewhere["a"], other_object["a"]}) == 4


def test_names_and_values_do_not_run_into_each_other(tmp_path: Path) -> None:
    inventory = _close(_open(tmp_path))

    assert inventory.digest_of(DB, "ab", b"c") != inventory.digest_of(DB, "a", b"bc")


def test_two_processes_do_not_work_on_one_target(tmp_path: Path) -> None:
    first = _open(tmp_path)

    with pytest.raises(SourceError, match="another sealpy reconcile works on it"):
        _open(tmp_path)
    _close(_open(tmp_path, read_only=True))

    first.close()
    _close(_open(tmp_path))


def test_looking_only_leaves_no_trace(tmp_path: Path) -> None:
    inventory = _open(tmp_path / "nowhere", read_only=True)

    assert inventory.entries == {}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"schema": "sealpy.inventory/2", "objects": []}',
        '{"schema": "sealpy.inventory/1", "objects": [{}]}',
        '{"schema": "sealpy.inventory/1", "objects": [7]}',
    ],
)
def test_a_damaged_inventory_is_told_and_nothing_is_guessed(tmp_path: Path, content: str) -> None:
    _close(_open(tmp_path))
    (tmp_path / ".sealpy/inventory.json").write_text(content)

    with pytest.raises(SourceError, match="is damaged") as caught:
        _open(tmp_path)

    assert "delete" in (caught.value.hint or "")
    # And the lock is free again.
    (tmp_path / ".sealpy/inventory.json").unlink()
    _close(_open(tmp_path))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("namespace", ".."),
        ("name", "../../etc"),
        ("kind", "../x"),
        ("name", ""),
        ("applied", {"a": 7}),
        ("applied", []),
    ],
)
def test_names_that_lead_out_of_the_target_are_refused(tmp_path: Path, field: str, value: object) -> None:
    inventory = _open(tmp_path)
    inventory.entries[DB] = ENTRY
    inventory.save()
    inventory.close()
    path = tmp_path / ".sealpy/inventory.json"
    content = json.loads(path.read_text())
    content["objects"][0][field] = value
    path.write_text(json.dumps(content))

    with pytest.raises(SourceError, match="is damaged"):
        _open(tmp_path)


def test_a_damaged_key_is_told(tmp_path: Path) -> None:
    _close(_open(tmp_path))
    (tmp_path / ".sealpy/key").write_bytes(b"short")

    with pytest.raises(SourceError, match="key is damaged"):
        _open(tmp_path)
