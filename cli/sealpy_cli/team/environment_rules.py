"""Which creation rules an environment means, so that a change for prod is one for prod alone."""

import os
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from sealpy import part_folder
from sealpy.project import Project
from sealpy.rules import Rules
from sealpy_cli import terminal
from sealpy_cli.exit_codes import FAILED, Stop
from sealpy_cli.team import access
from sealpy_cli.team.environments import ORDER, PARENTS

Placed = tuple[str, int]
"""The path of a sealed file, and the place of its rule among the creation rules."""


class Scope(NamedTuple):
    """Some environments by name, and the places of their rules among the creation rules."""

    names: Sequence[str]
    places: Sequence[int]

    @property
    def shown(self) -> str:
        """Write them for a sentence."""
        return " and ".join(terminal.plain(name) for name in self.names)


def resolve(words: str, rules: Rules, project: Project, files: Callable[[], Iterable[Placed]]) -> Scope:
    """Return the rules of environments, named as in ``dev,qa``; ``files`` is asked where no rule's path names one.

    Raises:
        Stop: there is no such environment, or a rule of theirs is for others too.
    """
    wanted = list(dict.fromkeys(word.strip() for word in words.split(",") if word.strip()))
    if not wanted:
        raise Stop(FAILED, "no environment is named")
    placed: Sequence[Placed] | None = None
    places: list[int] = []
    for name in wanted:
        found = labelled(rules, name)
        if not found:
            placed = list(files()) if placed is None else placed
            found = _of_files(name, wanted, rules, project, placed)
        places += [place for place in found if place not in places]
    for place in places:
        others = [label for label in labels(rules, place) if label not in wanted]
        if others and len(others) < len(labels(rules, place)):
            raise _wider(rules, place, wanted, terminal.listing(others))
    return Scope(wanted, sorted(places))


def labelled(rules: Rules, name: str) -> list[int]:
    """Return the rules whose path names an environment, alone or among others."""
    return [place for place in range(len(rules.creation_rules or ())) if name in labels(rules, place)]


def labels(rules: Rules, place: int) -> Sequence[str]:
    """Return the environments that a rule's path names; a path that names none stands for itself."""
    creation = rules.creation_rules or ()
    return access.labels(creation[place].path_regex, alone=len(creation) == 1)


def environment_of(path: str, project: Project) -> str:
    """Return the environment of a file: what ``.sealpy.yaml`` says, else by the names of its folders; may be empty.

    A part is of the environment of its base, whatever the folder of parts is called.
    """
    base = part_folder.base_of(path)
    if base is not None and os.path.exists(base):
        path = base
    if project.path:
        name = project.environment_of(os.path.relpath(path, os.path.dirname(project.path)).replace(os.sep, "/"))
        if name:
            return name
    found = ""
    parent = ""
    for folder in os.path.abspath(path).split(os.sep)[:-1]:
        if parent in PARENTS or folder.lower() in ORDER:
            found = folder
        parent = folder
    return found


def known(rules: Rules, project: Project) -> list[str]:
    """Return the names of all environments that the rules and ``.sealpy.yaml`` name."""
    named = [label for place in range(len(rules.creation_rules or ())) for label in labels(rules, place)]
    return list(dict.fromkeys((*named, *project.environments)))


def _of_files(name: str, wanted: Sequence[str], rules: Rules, project: Project, placed: Sequence[Placed]) -> list[int]:
    found = list(dict.fromkeys(place for path, place in placed if environment_of(path, project) == name))
    others = [other for other in known(rules, project) if other != name]
    if not found and len(others) < len(known(rules, project)):
        raise Stop(
            FAILED,
            f"no rule covers an encrypted file of {terminal.plain(name)}, so nothing says who reads it",
            hint=f"give {terminal.plain(name)} a rule in {rules.path}, or mend the path_regex of the one meant for it",
        )
    if not found:
        raise Stop(
            FAILED,
            f"there is no environment {terminal.plain(name)} with encrypted files, and no rule names it",
            hint=f"there are {terminal.listing(others)}",
        )
    for place in found:
        others = [path for path, at in placed if at == place and environment_of(path, project) not in wanted]
        if others:
            raise _wider(rules, place, wanted, terminal.listing(others, 3))
    return found


def _wider(rules: Rules, place: int, wanted: Sequence[str], others: str) -> Stop:
    line = (rules.creation_rules or ())[place].line
    names = " and ".join(terminal.plain(name) for name in wanted)
    return Stop(
        FAILED,
        f"{rules.path}:{line}: the rule for {names} is for {others} too, so who reads one reads all",
        hint=f"give {names} a rule of its own, above this one, or name all of them, as in dev,qa",
    )
