"""What a person can write and read, by the rules of a repository and the keys at hand."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from sealpy import registry
from sealpy.errors import KeyAccessError
from sealpy.identities import Identities, require_recipient
from sealpy.rules import CreationRule, KeySpec, Rules
from sealpy_cli.team.environments import ORDER, PARENTS

_LITERAL = re.compile(r"[\w.-]+")
_CHOICE = re.compile(r"\(([\w.|-]+)\)")
_ESCAPE = re.compile(r"\\([^\w\s])")


class Access(NamedTuple):
    """One rule: what people call it, and what can be done with the files that it covers."""

    labels: Sequence[str]
    """The environments that its path names; else the pattern itself."""
    path_regex: str
    write: bool
    read: bool


def of(rules: Rules, identities: Identities) -> list[Access]:
    """Look at every rule. No program is run and nobody is asked."""
    creation = rules.creation_rules or ()
    in_keyring = frozenset(identities.in_keyring())

    def is_ours(key: KeySpec) -> bool:
        return key.backend == "age" and (key.text in in_keyring or identities.matching(key.text) is not None)

    accesses = []
    for rule in creation:
        ours = [any(map(is_ours, group)) for group in rule.groups]
        names = labels(rule.path_regex, alone=len(creation) == 1)
        accesses.append(Access(names, rule.path_regex, _can_write(rule, identities), _can_read(rule, ours)))
    return accesses


def summary(accesses: Sequence[Access]) -> Mapping[str, list[str]]:
    """Return the labels that can be written and read, each if it holds for all its rules."""
    ordered = dict.fromkeys(label for access in accesses for label in access.labels)
    return {
        "write": [name for name in ordered if all(each.write for each in accesses if name in each.labels)],
        "read": [name for name in ordered if all(each.read for each in accesses if name in each.labels)],
    }


def labels(path_regex: str, *, alone: bool = False) -> list[str]:
    """Find the environment that a path's pattern names, or its alternatives."""
    if not path_regex:
        return ["everything" if alone else "everything else"]
    best: list[str] = []
    parent = ""
    for choices in _segments(path_regex):
        if choices and (parent in PARENTS or all(choice.lower() in ORDER for choice in choices)):
            best = choices
        parent = choices[0] if len(choices) == 1 else ""
    return best or [path_regex]


def _segments(path_regex: str) -> Iterator[list[str]]:
    """Cut a pattern at its slashes; what is no plain text, or a choice of plain texts, is an empty list."""
    for segment in path_regex.replace("(^|/)", "/").removeprefix("^").removesuffix("$").split("/"):
        plain = _ESCAPE.sub(r"\1", segment)
        if _LITERAL.fullmatch(segment) or (plain != segment and _LITERAL.fullmatch(plain)):
            yield [plain]
        elif choice := _CHOICE.fullmatch(segment):
            yield choice[1].split("|")
        else:
            yield []


def _can_write(rule: CreationRule, identities: Identities) -> bool:
    if rule.fault is not None or len(rule.groups) != 1:
        return False
    look_up = registry.backends(identities)
    try:
        for key in rule.groups[0]:
            look_up(key.backend)
            require_recipient(key.text)
    except KeyAccessError:
        return False
    return True


def _can_read(rule: CreationRule, ours: Sequence[bool]) -> bool:
    if rule.fault is not None or not ours:
        return False
    return sum(ours) >= rule.quorum
