"""The configuration itself: mistakes and remarks, recipients that nobody can use, recipients without a name."""

from collections.abc import Iterable, Iterator, Mapping

from sealpy.checking.findings import Finding
from sealpy.errors import KeyAccessError, RuleError
from sealpy.identities import require_recipient
from sealpy.project import Project
from sealpy.rules import Fault, KeySpec, Rules

_NAMED = "age"
"""The kind of recipient that nobody recognises by itself; an ARN or a URL is a name already."""


def of_error(path: str, shown: str, error: RuleError) -> Finding:
    """Report a file that cannot be read as a configuration; ``shown`` is what findings call ``path``."""
    return _fault(path, shown, Fault(error.message, error.hint))


def of_rules(rules: Rules, shown: str) -> Iterator[Finding]:
    """Report every mistake in any rule, whether a file uses it or not, and what is worth saying."""
    for fault in rules.faults():
        yield _fault(rules.path, shown, fault)
    for note in rules.notes:
        yield _note(shown, note)
    seen = set()
    for line, key in _keys(rules):
        if key.backend != _NAMED or key.text in seen:
            continue
        seen.add(key.text)
        reason = _refusal(key.text)
        if reason:
            yield Finding("SP309", shown, f"{reason}; so nothing can be encrypted by this rule", line)


def of_project(project: Project, shown: str) -> Iterator[Finding]:
    """Report what is worth saying about a project file."""
    for note in project.notes:
        yield _note(shown, note)


def of_names(rules: Iterable[tuple[Rules, str]], files: Mapping[str, str], project: Project) -> Iterator[Finding]:
    """Report recipients without a name: those of the rules, then those of files (recipient to path), each once."""
    places: dict[str, tuple[str, int]] = {}
    for each, shown in rules:
        for line, key in _keys(each):
            if key.backend == _NAMED:
                places.setdefault(key.text, (shown, line))
    for recipient, path in files.items():
        places.setdefault(recipient, (path, 0))
    if not project.names:
        if places:
            path, _ = next(iter(places.values()))
            many = (
                "the recipient has no name" if len(places) == 1 else f"none of the {len(places)} recipients has a name"
            )
            yield Finding("SP313", path, f"{many}; .sealpy.yaml can give names: recipients: {{NAME: age1…}}")
        return
    for recipient, (path, line) in places.items():
        if not project.name_of(recipient):
            yield Finding("SP312", path, f"{project.shown(recipient)} has no name in .sealpy.yaml", line)


def _keys(rules: Rules) -> Iterator[tuple[int, KeySpec]]:
    for rule in rules.creation_rules or ():
        for group in rule.groups:
            for key in group:
                yield rule.line, key


def _refusal(recipient: str) -> str:
    try:
        require_recipient(recipient)
    except KeyAccessError as error:
        return error.message
    return ""


def _fault(path: str, shown: str, fault: Fault) -> Finding:
    """Take the place out of a message that begins with it."""
    rest = fault.message.removeprefix(f"{path}:")
    number, _, words = rest.partition(": ")
    line = int(number) if rest != fault.message and number.isdecimal() else 0
    message = words if line else fault.message
    return Finding("SP507", shown, f"{message}; {fault.hint}" if fault.hint else message, line)


def _note(shown: str, note: str) -> Finding:
    """Take the line out of a note that begins with it."""
    place, _, words = note.partition(": ")
    number = place.removeprefix("line ")
    if place != number and number.isdecimal():
        return Finding("SP508", shown, words, int(number))
    return Finding("SP508", shown, note)
