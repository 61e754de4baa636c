"""Whatever is in a file, reading it ends soon, in little memory, and with an error of our own or none."""

import json
import resource
import subprocess
import sys

import pytest

from tests import places
from tests.security.hostile import GROUPS, MEGA

SECONDS = 5
"""Of CPU, for one operation on one file. The slowest takes under one where this was written."""
MEBIBYTES = 600
ADDRESSES = 2 * 1024**3
"""A process that asks for more fails; what it maps and never touches counts too."""


@pytest.mark.parametrize("group", GROUPS)
def test_hostile_files_are_read_in_bounds(group: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.security.hostile", group],
        cwd=places.ROOT,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES)),
        capture_output=True,
        text=True,
        check=False,
        timeout=250,
    )
    *lines, last = [json.loads(line) for line in ended.stdout.splitlines()]

    assert (ended.returncode, ended.stderr, last) == (0, "", {"done": group})
    assert len(lines) > 20
    assert [line for line in lines if line["faults"]] == []
    assert [line for line in lines if line["outcome"] not in line["wanted"].split("|")] == []
    assert [line for line in lines if line["seconds"] > SECONDS or line["mebibytes"] > MEBIBYTES] == []


def test_a_file_of_a_megabyte_is_not_too_large() -> None:
    # The bounds above say something only if the files are of some size.
    assert MEGA == 1_000_000
