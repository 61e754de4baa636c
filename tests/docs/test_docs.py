"""The pages of docs/: their sessions run, their tables are right, their links lead somewhere."""

import importlib.util
import os
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import sealpy
from tests import places
from tests.conftest import AgeKey
from tests.docs import console

DOCS = places.ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
RUNNABLE = [page for page in PAGES if any(block.language in ("console", "python") for block in console.blocks(page))]
LINKING = [
    *PAGES,
    *(places.ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((places.ROOT / "examples").rglob("README.md")),
]


@pytest.fixture
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_cli", DOCS / "generate_cli.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", RUNNABLE, ids=lambda page: page.name)
def test_a_page_shows_what_really_comes_back(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environ = console.environment(tmp_path / "home")
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv("HOME", environ["HOME"])

    assert console.check(page, folder, environ) > 0


def test_the_command_line_is_described_as_it_is(generator: ModuleType) -> None:
    written = (DOCS / "cli.md").read_text()

    assert written == generator.page(), "run docs/generate_cli.py"


def test_each_exit_code_is_explained(generator: ModuleType) -> None:
    assert set(generator.MEANINGS) == set(generator.codes())


def _spellings() -> Iterator[tuple[str, str]]:
    _, _, table = (DOCS / "format.md").read_text().partition("| written | comes back as | |\n")
    for row in table.partition("\n\n")[0].splitlines()[1:]:
        written, back = re.findall(r"`([^`]+)`", row)[:2]
        yield written, back


@pytest.mark.parametrize(("written", "back"), list(_spellings()))
def test_a_value_comes_back_as_the_page_says(written: str, back: str, age_key: AgeKey) -> None:
    sealed = sealpy.encrypt(f"{written}\n", recipients=[age_key.recipient])

    assert sealpy.decrypt(sealed, keys=sealpy.Keys.of(age_key.identity)) == f"{back}\n"


def test_there_are_spellings_to_check() -> None:
    assert len(list(_spellings())) > 15


@pytest.mark.parametrize("page", LINKING, ids=lambda page: str(page.relative_to(places.ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        there = Path(os.path.normpath(page.parent / name)) if name else page
        assert there.exists(), target
        if anchor:
            assert anchor in _anchors(there), target


def _anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as forges make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
