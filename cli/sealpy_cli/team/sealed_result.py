"""Whether values stand sealed in a file that is about to be written.

The result is asked, not the rule for it: a rule that selects nothing of a kind of file seals such a file happily, and
leaves every value of it in clear.
"""

import os
import re
import shlex
from typing import NamedTuple

from sealpy import config_file, encrypted_value, operations
from sealpy.document import Path
from sealpy.errors import Refused
from sealpy.formats import Format
from sealpy.metadata import Metadata
from sealpy.rules import CreationRule, Rules
from sealpy.selection import DEFAULT


class Governed(NamedTuple):
    """A new file, and the rule that it was sealed by; without rules both are None."""

    rules: Rules | None
    rule: CreationRule | None
    path: str
    """What a rule would have to be for: the file, or of a part its base."""


def stands_sealed(data: bytes, fmt: Format, path: Path, clear: str) -> bool:
    """Tell whether a value stands sealed at a path of a sealed file's first document, and nowhere there in clear.

    A clear text that looks like a sealed one is told by being what it was.

    Raises:
        DocumentError
    """
    document, _ = operations.scan_sealed(data, fmt)
    found = [
        leaf.content for leaf in document.leaves if leaf.path == path and leaf.document == 0 and leaf.kind != "comment"
    ]
    return bool(found) and all(text != clear and encrypted_value.parse(text) is not None for text in found)


def require(data: bytes, fmt: Format, path: Path, clear: str, file: str, governed: Governed | None = None) -> None:
    """Refuse a result in which a value would stand in clear; ``governed`` is that of a new file.

    Raises:
        Refused, DocumentError
    """
    if stands_sealed(data, fmt, path, clear):
        return
    _, metadata = operations.scan_sealed(data, fmt)
    selection = metadata.selection or DEFAULT
    raise Refused(
        f"{'.'.join(map(str, path))} would stand in clear in {file}: {selection.mode} {selection.pattern} does not "
        "select it; nothing was written",
        hint=_way_round(metadata, fmt, str(path[-1]), file, governed),
    )


def _way_round(metadata: Metadata, fmt: Format, key: str, file: str, governed: Governed | None) -> str:
    selection = metadata.selection or DEFAULT
    if selection.mode == "unencrypted_suffix" and key.endswith(selection.pattern):
        return f"take a name for the key that does not end in {selection.pattern}"
    if governed is None:
        mend = f'mend {selection.mode} in its rule, then "{shlex.join(["sealpy", "sync", file])}"'
    elif governed.rules is None or governed.rule is None:
        return f"{selection.mode} of a rule in {config_file.NAME} says what is encrypted"
    elif fmt.name == "dotenv":
        folder = os.path.dirname(config_file.path_in(governed.rules.path, governed.path))
        pattern = f"^{re.escape(folder)}/.*\\.env$" if folder else "\\.env$"
        return (
            f"put a rule of its own for *.env above {_where(governed)}, with the same keys and without "
            f"{selection.mode}: path_regex: {pattern}"
        )
    else:
        mend = f"mend {selection.mode} in {_where(governed)}"
    if selection.mode == "encrypted_suffix":
        return f"{key}{selection.pattern} would be encrypted; or {mend}"
    return mend


def _where(governed: Governed) -> str:
    if governed.rules is None or governed.rule is None:
        return config_file.NAME
    return f"{os.path.relpath(governed.rules.path)}:{governed.rule.line}"
