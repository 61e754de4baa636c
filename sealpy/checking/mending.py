"""What mends a file, for whoever has its key and for whoever has not."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from sealpy import kubernetes
from sealpy.checking import integrity
from sealpy.checking.findings import Finding
from sealpy.document import Document, Path
from sealpy.formats import Format
from sealpy.metadata import Metadata
from sealpy.secret import DataKey

RESEAL = "sealpy reseal {path}"
HISTORY = "git log --patch -- {path}"
_RESTORE = "git checkout HEAD -- {path}"
_WORD = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]*")
_FIELDS = ("data", "stringData")


class Tools(NamedTuple):
    """What a check takes from outside.

    ``open_key`` gives the data key of a file, None where no key at hand is meant for it, and raises KeyAccessError
    where one is and does not open it. ``changed`` tells whether a file differs from what was committed, ``earlier``
    gives its committed versions, latest first; it is asked only where something is wrong, or may be.
    """

    open_key: Callable[[Metadata], DataKey | None]
    changed: Callable[[str], bool]
    earlier: Callable[[str], Iterable[bytes]]


def way_back(path: str, tools: Tools) -> str:
    """Return the command for a file that only an earlier version of it mends; empty if there is none."""
    if next(iter(tools.earlier(path)), None) is None:
        return ""
    return _RESTORE if tools.changed(path) else HISTORY


def without_key(findings: Iterable[Finding], document: Document, fmt: Format, tools: Tools) -> Iterator[Finding]:
    """Propose what can be done by somebody without the key about values that stand in clear."""
    places = {name_of(leaf.path): leaf.path for leaf in document.leaves}
    before: set[Path] | None = None
    for one in findings:
        if one.id != "SP103" or one.fix != RESEAL or one.key not in places:
            yield one
            continue
        if before is None:
            before = integrity.sealed_before(fmt, tools.earlier(one.path))
        if places[one.key] in before:
            yield one._replace(fix=way_back(one.path, tools))
            continue
        key = _addable(places[one.key], document)
        how = "sealpy add seals it" if key else 'with the key, "sealpy edit" puts it back'
        yield one._replace(
            message=f"{one.message}: take it out; {how}", fix=f"sealpy add {{path}} {key}" if key else ""
        )


def _addable(path: Path, document: Document) -> str:
    """Return what ``sealpy add`` calls a place; empty where it has no name for it."""
    objects = len(kubernetes.manifests(document.leaves))
    fields = len(path) == 2 and path[0] in _FIELDS if objects == 1 else len(path) == 1 and not objects
    key = str(path[-1]) if fields else ""
    return key if _WORD.fullmatch(key) else ""


def name_of(path: Sequence[str | int]) -> str:
    """Write a place in a document as people do: ``stringData.PASSWORD``."""
    return ".".join(map(str, path)) or "the file"
