"""Parts on disk: which rule they are sealed by, the kustomization that names them, and taking them away."""

import os
import shlex
from collections.abc import Callable, Sequence
from contextlib import suppress

from sealpy import config_file, files, part_folder, registry
from sealpy.document import Document, Edit, Leaf, Path, splice
from sealpy.errors import DocumentError, NoMatchingRule, NoSuchFile, Refused
from sealpy.formats import Format
from sealpy.operations import KeyName
from sealpy.rules import CreationRule, Rules

_KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")


def real(file: str) -> str:
    """Return the path of a file itself, where links lead to it: its rule and its parts are those of that place."""
    path = os.path.realpath(file)
    return file if path == os.path.abspath(file) else os.path.relpath(path)


def check_rule(rules: Rules | None, base: str, part: str) -> CreationRule | None:
    """Return the rule that a part is to be sealed by; None without rules.

    It is the rule of the part's path, and where that has none, the rule of its base. A part that others can read than
    those who read its base would be a leak, or of no use to them.

    Raises:
        Refused: the paths have different rules, for different keys.
        RuleError
    """
    if rules is None:
        return None
    of_base = rules.match(config_file.path_in(rules.path, base))
    try:
        of_part = rules.match(config_file.path_in(rules.path, part))
    except NoMatchingRule:
        return of_base
    if of_base is None or of_part is None or of_part is of_base:
        return of_part
    if (of_part.groups, of_part.threshold) != (of_base.groups, of_base.threshold):
        raise Refused(
            f"{part} would be sealed for other keys than {base}",
            hint=f"let the path_regex in line {of_base.line} of {os.path.relpath(rules.path)} take in "
            f"{part_folder.folder_of(base)} too",
        )
    return of_part


def check_readers(base: str, of_base: Sequence[Sequence[KeyName]], of_part: Sequence[Sequence[KeyName]]) -> bool:
    """Tell whether a part is for the readers of its base, given the keys that both are sealed for.

    They differ while a rule was changed and the base not yet brought in line.

    Raises:
        Refused: nobody who reads the base could read the part, so nobody could read the two as one.
    """
    ours, theirs = ({name for group in groups for name in group} for groups in (of_base, of_part))
    if ours.isdisjoint(theirs):
        raise Refused(
            f"the part would be sealed for nobody who reads {base}",
            hint=f'mend the rule, or have somebody who reads it run "{shlex.join(["sealpy", "sync", base])}"',
        )
    return ours == theirs


def kustomization_beside(file: str) -> str | None:
    """Return the path of the kustomization in a file's folder."""
    folder = os.path.dirname(file)
    return next((path for name in _KUSTOMIZATIONS if os.path.isfile(path := os.path.join(folder, name))), None)


def enter(kustomization: str, section: str, file: str) -> bool:
    """Name a file under ``patches`` or ``resources`` of a kustomization; False if it stands there already.

    Raises:
        SealpyError: the kustomization cannot be read or written.
    """
    name = _name_in(kustomization, file)

    def change(document: Document, fmt: Format) -> Sequence[Edit]:
        if _places(document.leaves, section, name):
            return ()
        item: object = {"path": name} if section == "patches" else name
        count = len({leaf.path[1] for leaf in document.leaves if leaf.path[:1] == (section,) and len(leaf.path) > 1})
        return fmt.insert(document, (section, count), item) if count else fmt.insert(document, (section,), [item])

    return _change(kustomization, change)


def is_patch(kustomization: str, file: str) -> bool:
    """Tell whether a kustomization names a file under ``patches``.

    Flux opens what stands there before it builds, and resources only afterwards.

    Raises:
        SealpyError: the kustomization cannot be read.
    """
    return bool(_places(_read(kustomization)[2].leaves, "patches", _name_in(kustomization, file)))


def retire(base: str, parts: Sequence[tuple[str, bytes]]) -> list[str]:
    """Take parts away that are in their base by now, given as they were read; return those that changed meanwhile.

    What names them goes first, so that a build never looks for a file that is gone.

    Raises:
        SealpyError: something cannot be read or written.
    """
    kustomization = kustomization_beside(base)
    changed = []
    for path, data in parts:
        try:
            standing: bytes | None = files.read(path)
        except NoSuchFile:
            standing = None
        if standing is not None and standing != data:
            changed.append(path)
            continue
        if kustomization is not None:
            _strike(kustomization, path)
        with suppress(FileNotFoundError):
            os.unlink(path)
    folder = part_folder.folder_of(base)
    with suppress(OSError):
        # Only an empty folder goes.
        os.rmdir(folder or "")
    return changed


def _strike(kustomization: str, file: str) -> None:
    name = _name_in(kustomization, file)

    def change(document: Document, fmt: Format) -> Sequence[Edit]:
        place = next(filter(None, (_item(leaf, name) for leaf in document.leaves)), None)
        if place is None:
            return ()
        depth = len(place)
        above = place[:-1]
        items = {
            leaf.path[depth - 1]
            for leaf in document.leaves
            if leaf.path[: depth - 1] == above and len(leaf.path) >= depth
        }
        is_last = isinstance(place[-1], int) and len(items) == 1
        return fmt.remove(document, above if is_last else place)

    while _change(kustomization, change):
        # As often as it stands there.
        pass


def _change(path: str, change: Callable[[Document, Format], Sequence[Edit]]) -> bool:
    raw, fmt, document = _read(path)
    try:
        edits = change(document, fmt)
    except DocumentError as error:
        error.path = error.path or path
        raise
    if not edits:
        return False
    files.replace(path, fmt.encode(splice(document.text, edits)), expected=raw)
    return True


def _item(leaf: Leaf, name: str) -> Path | None:
    """Return what goes from a kustomization with a file that a leaf names; None where it names none, or another."""
    if leaf.kind == "comment" or not leaf.content or os.path.normpath(leaf.content) != name:
        return None
    match leaf.path:
        case ("patches", int(), "path"):
            return leaf.path[:2]
        case ("resources" | "patchesStrategicMerge", int()):
            return leaf.path
        case ("secretGenerator" | "configMapGenerator", int(), "envs", int()):
            return leaf.path
        case ("secretGenerator" | "configMapGenerator", int(), "env"):
            return leaf.path
    return None


def _read(path: str) -> tuple[bytes, Format, Document]:
    fmt = registry.format_named("yaml")
    raw = files.read(path)
    try:
        return raw, fmt, fmt.scan(fmt.decode(raw))
    except DocumentError as error:
        error.path = error.path or path
        raise


def _places(leaves: Sequence[Leaf], section: str, name: str) -> list[Path]:
    """Return the paths of the items that name a file."""
    below: Path = ("path",) if section == "patches" else ()
    return [
        leaf.path[:2]
        for leaf in leaves
        if leaf.path[:1] == (section,) and leaf.path[2:] == below and os.path.normpath(leaf.content or ".") == name
    ]


def _name_in(kustomization: str, file: str) -> str:
    return os.path.relpath(file, os.path.dirname(kustomization) or ".").replace(os.sep, "/")
