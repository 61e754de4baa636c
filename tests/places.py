"""Where things are that tests read, and whether this run may do without them."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

ENVIRONMENT = dict(os.environ)
"""The environment that the run was started in; the tests themselves see a clean one."""

IN_CI = ENVIRONMENT.get("CI", "").lower() not in {"", "0", "false"}
"""In CI a missing tool or a missing set of vectors is a failure, nowhere a reason to skip."""

NO_GO = 69
"""How tests/tools/build exits when there is no Go to build with."""


def vectors() -> Path | None:
    """Find the files made by the real sops: ``$SEALPY_VECTORS``, or beside the clone; None when they are not here."""
    given = ENVIRONMENT.get("SEALPY_VECTORS")
    folder = Path(given) if given else ROOT.parent / "shared" / "vectors"
    return folder if (folder / "manifest.json").is_file() else None
