"""Whether a file is sealed as its rule says: for exactly those recipients, in the same groups, by the same choice.

Labels of recipients are what the file claims; whether somebody can really open it is known to those who hold the key.
"""

from collections.abc import Iterator, Sequence

from sealpy.checking.findings import Finding
from sealpy.metadata import Metadata
from sealpy.project import Project
from sealpy.rules import CreationRule
from sealpy.selection import Selection

_SYNC = "sealpy sync {path}"

KeyName = tuple[str, str]


def compare(path: str, metadata: Metadata, rule: CreationRule, project: Project) -> Iterator[Finding]:
    """Compare a file's metadata with its rule."""
    if any(rule.groups):
        yield from _recipients(path, metadata, rule, project)
    if rule.selection is not None and metadata.selection is not None and rule.selection != metadata.selection:
        yield Finding(
            "SP310",
            path,
            f"it is encrypted by {_spelt(metadata.selection)}, but the rule says {_spelt(rule.selection)}",
            fix=_SYNC,
        )
    if metadata.selection is not None and rule.mac_only_encrypted != metadata.mac_only_encrypted:
        what = "only the encrypted values" if metadata.mac_only_encrypted else "clear values too"
        other = "clear values too" if metadata.mac_only_encrypted else "only the encrypted values"
        yield Finding("SP311", path, f"its MAC covers {what}, but the rule says {other}", fix=_SYNC)


def differences(metadata: Metadata, rule: CreationRule) -> tuple[list[str], list[str]]:
    """Return the recipients that a file has beyond its rule, and those of the rule that it lacks."""
    present = [key for group in _present(metadata, rule) for key in group]
    wanted = [(key.backend, key.text.strip()) for group in rule.groups for key in group]
    if not wanted:
        return [], []
    return (
        list(dict.fromkeys(text for backend, text in present if (backend, text) not in wanted)),
        list(dict.fromkeys(text for backend, text in wanted if (backend, text) not in present)),
    )


def _recipients(path: str, metadata: Metadata, rule: CreationRule, project: Project) -> Iterator[Finding]:
    beyond, missing = differences(metadata, rule)
    for label in beyond:
        yield Finding("SP301", path, f"{project.shown(label)} can read it, but the rule does not say so", fix=_SYNC)
    for label in missing:
        yield Finding("SP302", path, f"{project.shown(label)} cannot read it, but the rule says so", fix=_SYNC)
    if beyond or missing:
        return
    present = [set(group) for group in _present(metadata, rule)]
    wanted = [{(key.backend, key.text.strip()) for key in group} for group in rule.groups]
    if present != wanted:
        yield Finding(
            "SP305", path, f"its recipients stand in {_groups(len(present))}, not in the rule's groups", fix=_SYNC
        )
    elif len(wanted) > 1 and (metadata.threshold or len(present)) != rule.quorum:
        yield Finding(
            "SP305",
            path,
            f"{metadata.threshold or len(present)} of its {len(present)} key groups open it, "
            f"but the rule says {rule.quorum}",
            fix=_SYNC,
        )


def _present(metadata: Metadata, rule: CreationRule) -> Sequence[Sequence[KeyName]]:
    """Return a file's master keys as the rule calls them."""
    return [[rule.called(key.backend, key.label.strip()) for key in group] for group in metadata.groups]


def _groups(number: int) -> str:
    return "one key group" if number == 1 else f"{number} key groups"


def _spelt(selection: Selection) -> str:
    return f"{selection.mode}: {selection.pattern}"
