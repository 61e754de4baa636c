"""The people of the journeys, each journey with a repository of its own."""

from pathlib import Path

import pytest

from tests.cli.team import Tool
from tests.journeys.crew import Crew


@pytest.fixture
def crew(tmp_path: Path, tool: Tool) -> Crew:
    """Return everybody at work in a fresh clone."""
    return Crew(tmp_path, tool)
