"""Values on their way from one environment to another: what would be the same in both, and what becomes of it.

Nothing is written and nobody is asked here: ``decide`` says for each value what the other environment gets.
"""

from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Literal, NamedTuple

from sealpy import data, encrypted_value, kubernetes, operations, sealing
from sealpy.document import Document, Edit, Leaf, Path, splice
from sealpy.errors import PathNotFound, Refused
from sealpy.formats import Format
from sealpy.operations import Plan
from sealpy.sealing import Opened
from sealpy.secret import Secret
from sealpy.selection import DEFAULT, select
from sealpy.values import decode_base64

_NOT_VALUES = frozenset(("null", "map", "list", "comment"))
_SKELETON = (
    *((name,) for name in ("apiVersion", "kind", "type", "immutable")),
    *(("metadata", name) for name in ("name", "generateName", "namespace", "labels")),
)
"""Fields of a Secret that are no secrets; sealing them is a habit of some rules. Annotations may be anything."""

What = Literal["copied", "kept", "new", "already"]


class Value(NamedTuple):
    """A value that would be the same in both: its name, and whether the target has another one there."""

    name: str
    has_own: bool


class Outcome(NamedTuple):
    """What became of a value: copied as it is, the target's own kept, a new one, or the same already."""

    name: str
    what: What


Decide = Callable[[Value], bool | Secret[str]]
"""True: copy it; False: the target keeps its own; a text: that instead."""


def of_file(
    source: Opened, fmt: Format, plan: Plan, target: Opened | None, decide: Decide
) -> tuple[Secret[bytes], list[Outcome]]:
    """Return the clear text that the target gets.

    Raises:
        Refused: the target's rule would leave in clear what is sealed in the source, or the target has sealed
            values that the source has not.
    """
    document = fmt.scan(fmt.decode(operations.clear_text(source, fmt).expose()))
    chosen = _selected(document, plan, fmt)
    if unfolded := fmt.unfold(document, chosen):
        document = fmt.scan(splice(document.text, unfolded))
        chosen = _selected(document, plan, fmt)
    _refuse_bared(source, document.leaves, chosen)
    own = _own(target)
    _refuse_dropped(target, document.leaves)
    edits: list[Edit] = []
    outcomes: list[Outcome] = []
    for leaf, selected in zip(document.leaves, chosen, strict=True):
        if not selected or leaf.kind in _NOT_VALUES or not leaf.content:
            continue
        name = _spelt(leaf.path, leaf.document if document.documents > 1 else None)
        standing = own.get((leaf.document, leaf.path))
        if standing is not None and (standing.kind, standing.content) == (leaf.kind, leaf.content):
            outcomes.append(Outcome(name, "already"))
            continue
        decision = decide(Value(name, standing is not None))
        if decision is True:
            outcomes.append(Outcome(name, "copied"))
        elif isinstance(decision, Secret):
            text = decision.expose()
            content = _base64(text) if _is_encoded(document.leaves, leaf.document, leaf.path) else text
            edits.append(Edit(leaf.start, leaf.end, fmt.spell(document, leaf, "str", content)))
            outcomes.append(Outcome(name, "new"))
        elif standing is not None:
            edits.append(Edit(leaf.start, leaf.end, fmt.spell(document, leaf, standing.kind, standing.content)))
            outcomes.append(Outcome(name, "kept"))
    return Secret(fmt.encode(splice(document.text, edits))), outcomes


def check_sealed(source: Opened, data: bytes, fmt: Format) -> None:
    """Refuse what ``of_file`` became, if a value or comment that is sealed in the source stands there in clear.

    Raises:
        Refused
    """
    leaves = operations.scan_sealed(data, fmt)[0].leaves
    _refuse_bared(source, leaves, [encrypted_value.parse(leaf.content) is not None for leaf in leaves])
    sealed = zip(source.leaves, source.sealed, strict=True)
    # A comment has no path of its own, and the same words may stand in clear elsewhere: so they are counted.
    in_clear = Counter(leaf.content.strip() for leaf, is_sealed in sealed if leaf.kind == "comment" and not is_sealed)
    for leaf in leaves:
        if leaf.kind == "comment" and leaf.content.strip() and encrypted_value.parse(leaf.content) is None:
            in_clear[leaf.content.strip()] -= 1
            if in_clear[leaf.content.strip()] < 0:
                raise Refused(
                    f"a comment in {_spelt(leaf.path)} would stand there in clear, and is encrypted where it comes from",
                    hint="copy keys (SRC:KEY) instead of the file, or take the comment out of SRC",
                )


def of_keys(
    source: Opened, at: Path, fmt: Format, target: Opened, to: Path, decide: Decide, *, now: datetime
) -> tuple[bytes | None, list[Outcome]]:
    """Return the target with what the source has at a path, below a map key by key; None if nothing changes.

    Raises:
        PathNotFound: there is nothing at that path.
        Refused: the target would have in clear what is sealed in the source, or has several documents, or a value that
            wins over the copied one; or a section for text would get what is none.
        UnsealableValue
    """
    if target.document.documents > 1:
        raise Refused(
            "it has several documents, and which of them gets the key is not said",
            hint='put the key in with "sealpy edit", or copy the whole file',
        )
    sealed = {leaf.path for leaf, is_sealed in zip(source.leaves, source.sealed, strict=True) if is_sealed}
    own = data.documents(target.leaves, 1)[0]
    result: bytes | None = None
    outcomes: list[Outcome] = []
    for rest, value in _parts(_found(source, at), ()):
        path = (*to, *rest)
        name = _spelt(path)
        secret = any(leaf[: len((*at, *rest))] == (*at, *rest) for leaf in sealed)
        encoded = _is_encoded(target.leaves, 0, path)
        value = _fitted(value, _is_encoded(source.leaves, 0, (*at, *rest)), encoded, path)  # noqa: PLW2901
        _refuse_beaten(own, target.leaves, path)
        there, standing = _look(own, path)
        if there and type(standing) is type(value) and standing == value:
            outcomes.append(Outcome(name, "already"))
            continue
        decision = decide(Value(name, there)) if secret else True
        if decision is False:
            outcomes.append(Outcome(name, "kept"))
            continue
        if isinstance(decision, Secret):
            text = decision.expose()
            value = _base64(text) if encoded else text  # noqa: PLW2901
        outcomes.append(Outcome(name, "new" if isinstance(decision, Secret) else "copied"))
        result = operations.set_value(target, fmt, path, value, now=now)
        document, metadata = operations.scan_sealed(result, fmt)
        target = sealing.unseal(document, metadata, target.data_key)
        if secret:
            _refuse_clear(target, path)
    return result, outcomes


def path_of(opened: Opened, text: str) -> Path:
    """Find the path that a person means by ``stringData.A``; a key may itself have dots in it.

    Raises:
        PathNotFound: there is none, or more than one.
    """
    found = dict.fromkeys(
        leaf.path[:depth]
        for leaf in opened.leaves
        if leaf.kind != "comment" and leaf.document == 0
        for depth in range(1, len(leaf.path) + 1)
        if _spelt(leaf.path[:depth]) == text
    )
    if len(found) > 1:
        raise PathNotFound("that key can be read in two ways", hint="""write it like '["stringData"]["A"]'""")
    if not found:
        raise PathNotFound("there is no such key", hint="keys are case-sensitive; write it like stringData.PASSWORD")
    return next(iter(found))


def still_names(source: Opened, document: Document, environment: str) -> Iterator[str]:
    """Give the clear fields that hold the name of the environment that the file comes from."""
    sealed = {leaf.path for leaf, is_sealed in zip(source.leaves, source.sealed, strict=True) if is_sealed}
    for leaf in document.leaves:
        if leaf.kind == "str" and leaf.content == environment and leaf.path not in sealed:
            yield _spelt(leaf.path)


def _selected(document: Document, plan: Plan, fmt: Format) -> list[bool]:
    if fmt.name == "binary":
        return [True for _ in document.leaves]
    return select(plan.selection or DEFAULT, document.leaves)


def _refuse_bared(source: Opened, leaves: Sequence[Leaf], chosen: Sequence[bool]) -> None:
    sealed = {
        (leaf.document, leaf.path)
        for leaf, is_sealed in zip(source.leaves, source.sealed, strict=True)
        if is_sealed and leaf.kind != "comment"
    }
    skeleton = _skeleton(leaves)
    bared = [
        _spelt(leaf.path)
        for index, (leaf, selected) in enumerate(zip(leaves, chosen, strict=True))
        if not selected
        and (leaf.document, leaf.path) in sealed
        and index not in skeleton
        and leaf.content
        and leaf.kind not in _NOT_VALUES
    ]
    if bared:
        raise _would_be_clear(bared)


def _refuse_dropped(target: Opened | None, leaves: Sequence[Leaf]) -> None:
    """Refuse to take values away that only the target has."""
    if target is None:
        return
    kept = {(leaf.document, leaf.path) for leaf in leaves}
    dropped = [
        _spelt(leaf.path)
        for leaf, is_sealed in zip(target.leaves, target.sealed, strict=True)
        if is_sealed and leaf.kind != "comment" and (leaf.document, leaf.path) not in kept
    ]
    if dropped:
        raise Refused(
            f"would lose {_listed(dropped)}, which the other file does not have",
            hint="copy keys (SRC:KEY) instead of the file, or remove DST first",
        )


def _refuse_clear(target: Opened, path: Path) -> None:
    depth = len(path)
    bared = [
        _spelt(leaf.path)
        for leaf, is_sealed in zip(target.leaves, target.sealed, strict=True)
        if leaf.path[:depth] == path and not is_sealed and leaf.content and leaf.kind not in _NOT_VALUES
    ]
    if bared:
        raise _would_be_clear(bared)


def _would_be_clear(names: Sequence[str]) -> Refused:
    return Refused(
        f"{_listed(names)} would stand there in clear, and is encrypted where it comes from",
        hint="mend the rule's regex or suffix for this path in .sops.yaml",
    )


def _skeleton(leaves: Sequence[Leaf]) -> set[int]:
    """Return the leaves that say what an object is, not what is in it."""
    found: set[int] = set()
    for manifest in kubernetes.manifests(leaves):
        depth = len(manifest.prefix)
        for index in range(*manifest.span):
            path = leaves[index].path
            if any(path[depth : depth + len(field)] == field for field in _SKELETON):
                found.add(index)
    return found


def _is_encoded(leaves: Sequence[Leaf], document: int, path: Path) -> bool | None:
    """Tell whether a place holds base64 to Kubernetes; None if it is not where an object has its values."""
    for manifest in kubernetes.manifests(leaves):
        depth = len(manifest.prefix)
        if manifest.document == document and path[:depth] == manifest.prefix and len(path) == depth + 2:
            field = str(path[depth])
            if kubernetes.is_secret_like(manifest) and field in kubernetes.SECTIONS:
                return kubernetes.is_encoded(manifest.kind, field)
    return None


def _fitted(value: Any, source: bool | None, target: bool | None, path: Path) -> Any:
    """Spell a value for the section that it goes to: data holds base64, stringData text.

    Raises:
        Refused: what is encoded in the source is no text, or no base64.
    """
    if not isinstance(value, str) or None in (source, target) or source == target:
        return value
    if target:
        return _base64(value)
    content = decode_base64(value)
    if content is not None:
        with suppress(UnicodeDecodeError):
            return content.decode()
    section = "binaryData" if path[-2] == "data" else "data"
    raise Refused(
        f"{_spelt(path)} takes text, and the value is {'no base64' if content is None else 'none'}",
        hint=f"copy it to where base64 goes: DST:{_spelt((*path[:-2], section, path[-1]))}",
    )


def _refuse_beaten(own: Any, leaves: Sequence[Leaf], path: Path) -> None:
    """Refuse a value that another one of the target would win over."""
    winner = (*path[:-2], "stringData", path[-1])
    if path[-2:-1] == ("data",) and _is_encoded(leaves, 0, path) and _look(own, winner)[0]:
        raise Refused(
            f"it has {_spelt(winner)}, which wins over {_spelt(path)}", hint=f"copy it to there: DST:{_spelt(winner)}"
        )


def _own(target: Opened | None) -> dict[tuple[int, Path], Leaf]:
    leaves = target.leaves if target is not None else ()
    return {(leaf.document, leaf.path): leaf for leaf in leaves if leaf.kind not in _NOT_VALUES}


def _found(opened: Opened, path: Path) -> Any:
    there, value = _look(data.documents(opened.leaves, opened.document.documents)[0], path)
    if not there:
        raise PathNotFound("there is no such key", hint="keys are case-sensitive; list items count from 0")
    return value


def _look(tree: Any, path: Path) -> tuple[bool, Any]:
    for part in path:
        try:
            tree = tree[part]
        except (KeyError, IndexError, TypeError):
            return False, None
    return True, tree


def _parts(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Give a value, or below a map each of its values: what else the target has there stays."""
    if isinstance(value, dict) and value:
        for name, item in value.items():
            yield from _parts(item, (*path, name))
    else:
        yield path, value


def _spelt(path: Path, document: int | None = None) -> str:
    name = ".".join(str(part) for part in path) or "the file"
    return name if document is None else f"{name} (document {document + 1})"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _base64(text: str) -> str:
    return b64encode(text.encode("utf-8", "surrogateescape")).decode()
