"""Many files written together: each whole, and a plain word where one cannot be."""

from pathlib import Path

import pytest

from sealpy_cli.exit_codes import Stop
from sealpy_cli.grammar import Arguments, Call
from sealpy_cli.session import Session
from sealpy_cli.team import sealed_files
from sealpy_cli.team.sealed_files import Write

NOTHING = Arguments({}, frozenset(), ())


@pytest.fixture
def session() -> Session:
    return Session(Call("grant", NOTHING, NOTHING, {}, as_sops=False))


def test_a_hundred_files_are_written_and_their_configuration(session: Session, tmp_path: Path) -> None:
    writes = []
    for number in range(100):
        path = tmp_path / f"{number}.yaml"
        path.write_bytes(b"before")
        writes.append(Write(str(path), b"before", b"after %d" % number))

    sealed_files.write_all(session, [Write(str(tmp_path / "new.yaml"), None, b"new")], writes)

    assert [(tmp_path / f"{number}.yaml").read_bytes() for number in range(100)] == [
        b"after %d" % number for number in range(100)
    ]
    assert (tmp_path / "new.yaml").read_bytes() == b"new"
    assert len(list(tmp_path.iterdir())) == 101


def test_a_file_that_changed_meanwhile_stays_and_the_way_on_is_told(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"somebody else's")

    with pytest.raises(Stop) as caught:
        sealed_files.write_all(session, [Write(str(tmp_path / "c"), None, b"x")], [Write(str(path), b"mine", b"new")])

    assert caught.value.message == f"{path}: changed on disk meanwhile"
    assert caught.value.hint == "1 of 2 files are written; mend that and run it again: it goes on from there"
    assert path.read_bytes() == b"somebody else's"


def test_no_file_is_written_where_the_configuration_cannot_be(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"before")

    with pytest.raises(Stop) as caught:
        sealed_files.write_all(
            session, [Write(str(tmp_path / "none" / "c"), None, b"x")], [Write(str(path), b"before", b"after")]
        )

    assert caught.value.hint == "0 of 2 files are written; mend that and run it again: it goes on from there"
    assert path.read_bytes() == b"before"
