"""The README's tour, run block by block in a clean home."""

from pathlib import Path

import pytest

from tests import places
from tests.docs import console

README = places.ROOT / "README.md"


def test_the_tour_shows_what_really_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environ = console.environment(tmp_path / "home")
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", environ["HOME"])

    ran = console.check(README, folder, environ)

    assert ran > 10
