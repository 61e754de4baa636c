"""What a merge leaves in a file that it could not put together; no format can read that."""

import re

from sealpy.errors import ParseError

_MARKERS = re.compile(r"^<{7}[ \r\n].*^>{7}[ \r\n]", re.MULTILINE | re.DOTALL)


def line_of(text: str) -> int:
    """Return the line of the first conflict, counted from 1; 0 where there is none."""
    found = _MARKERS.search(text) if "<<<<<<<" in text else None
    return text.count("\n", 0, found.start()) + 1 if found else 0


def explained(error: ParseError, text: str) -> ParseError:
    """Return the error of a text that cannot be read, or the better one if a merge is why."""
    line = line_of(text)
    if not line:
        return error
    return ParseError(
        "a merge left conflict markers",
        line=line,
        hint='take one side whole, such as with "git checkout --ours" or "--theirs" and the file, and make the change of '
        "the other one again",
    )
