"""What to say about a value that was set: that a part hides it, or that Kubernetes does not take it.

Only names are looked at, so no key is needed.
"""

import json
import shlex
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sealpy import claims, files, kubernetes, part_folder
from sealpy.document import Document, Path
from sealpy.errors import DocumentError, SourceError
from sealpy.formats import Format
from sealpy.kubernetes import Manifest
from sealpy_cli import terminal
from sealpy_cli.value_change import ValueChange

_KINDS = {bool: "true or false", int: "a number", float: "a number", dict: "a map", list: "a list"}


class _Place(NamedTuple):
    """Where a value was set in a Secret or ConfigMap, or with None in another document, and under which keys."""

    manifest: Manifest | None
    section: str
    keys: Sequence[str]


def tell(file: str, fmt: Format, change: ValueChange) -> None:
    """Warn of what the change of a file does not do, each time with the next step."""
    try:
        document = fmt.scan(fmt.decode(files.read(file)))
    except (DocumentError, SourceError):
        return  # pushed to a branch that this worktree has not caught up with
    place = _place(document, change)
    for fact, step in (*_hidden(file, fmt, change, place), *_refused(file, change, place)):
        terminal.warn(terminal.plain(fact))
        terminal.hint(terminal.plain(step))


def _place(document: Document, change: ValueChange) -> _Place:
    found = [one for one in kubernetes.manifests(document.leaves) if one.document == 0]
    for manifest in found:
        depth = len(manifest.prefix)
        rest = change.path[depth:]
        if change.path[:depth] == manifest.prefix and rest and rest[0] in kubernetes.SECTIONS:
            below = change.value if isinstance(change.value, dict) else ()
            return _Place(manifest, str(rest[0]), [str(rest[1])] if len(rest) > 1 else [*map(str, below)])
    return _Place(None, "", [] if found else [str(change.path[0])])


def _hidden(file: str, fmt: Format, change: ValueChange, place: _Place) -> Iterator[tuple[str, str]]:
    """Find parts that hold the same keys, and so go on to win."""
    one = place.manifest
    owner = claims.Owner() if one is None else claims.owner_of(one)
    name = shlex.quote(file)
    for path in part_folder.beside(file):
        try:
            claimed = claims.claim(path, fmt.scan(fmt.decode(files.read(path))))
        except (DocumentError, SourceError):
            continue  # whoever reads the file learns of it
        for key in place.keys:
            if claimed.owner != owner or key not in claimed.values:
                continue
            if change.removes:
                yield f"{key} is still there: {path} holds it", f'"sealpy fold {name}", and unset it then'
            else:
                yield (
                    f"{path} holds {key} too, and wins over the value that you set",
                    (
                        f'"sealpy add {name} {shlex.quote(key)}" sets it and takes the part away; '
                        f'"sealpy fold {name}" would put the part\'s value in its place'
                    ),
                )


def _refused(file: str, change: ValueChange, place: _Place) -> Iterator[tuple[str, str]]:
    """Find values that are no text, where Kubernetes takes text only."""
    one = place.manifest
    if change.removes or one is None or not kubernetes.is_secret_like(one):
        return
    path = change.path[len(one.prefix) :]
    if len(path) == 1:
        below = change.value if isinstance(change.value, dict) else {}
        values = {str(key): value for key, value in below.items()}
    else:
        # What stands deeper makes a map of the key.
        values = {str(path[1]): change.value if len(path) == 2 else {}}
    for key, value in values.items():
        if isinstance(value, str):
            continue
        what = _KINDS.get(type(value), "null")
        yield (
            f"{key} is {what} now, and Kubernetes takes only text in {place.section} of a {one.kind}",
            _step(file, (*one.prefix, place.section, key), one.kind),
        )


def _step(file: str, path: Path, kind: str) -> str:
    name, key = shlex.quote(file), shlex.quote(str(path[-1]))
    if kubernetes.is_encoded(kind, str(path[-2])):
        return f'"sealpy add {name} {key}" writes it as Kubernetes wants it, in base64'
    where = "".join(f"[{json.dumps(part, ensure_ascii=False)}]" for part in path)
    return f"double quotes make it text: sealpy set {name} {shlex.quote(where)} '\"…\"'"
