"""The next step of somebody whose keys do not open a file: the command that asks to be let in."""

import os
import shlex
from collections.abc import Sequence

from sealpy import config_file
from sealpy.errors import SealpyError
from sealpy.identities import Identities
from sealpy.project import Project
from sealpy.rules import CreationRule
from sealpy_cli import terminal
from sealpy_cli.team import environment_rules, project_file


def hint(path: str) -> None:
    """Say how to ask for the environment of a file; nothing, if no rule names one or there is no key to be let in."""
    try:
        config = config_file.find(os.getcwd()).path
        if config is None:
            return
        calls = project_file.load(config)
        environment = environment_rules.environment_of(path, calls)
        rules = config_file.load(config)
        places = environment_rules.labelled(rules, environment)
        own = recipients(Identities(os.environ))
    except SealpyError:  # somebody else's mistake, and the file does not open either way
        return
    if not places or not own:
        return
    creation = [(rules.creation_rules or ())[place] for place in places]
    ruling = next((rule for rule in creation for group in rule.groups if any(key.text in own for key in group)), None)
    if ruling is not None and (apart := _other_groups(ruling, own, calls)):
        terminal.hint(apart)
        return
    if ruling is not None:
        command = shlex.join(["sealpy", "sync", environment])
        terminal.hint(terminal.plain(f'the rules name you already: ask whoever opens it to run "{command}"'))
        return
    terminal.hint(f"to be let in, ask with a pull request: {terminal.plain(request(environment, own, calls))}")


def _other_groups(rule: CreationRule, own: Sequence[str], calls: Project) -> str:
    """Say who else it takes where a rule has several key groups open a file together; empty if nobody."""
    foreign = [group for group in rule.groups if not any(key.text in own for key in group)]
    total = len(rule.groups)
    missing = rule.quorum - (total - len(foreign))
    if missing <= 0:
        return ""
    who = "; ".join(terminal.listing([calls.shown(key.text) for key in group]) for group in foreign)
    more = "a key of another group is needed" if missing == 1 else f"keys of {missing} more groups are needed"
    return f"{rule.quorum} of {total} key groups together open it, so {more}: {who}"


def recipients(identities: Identities) -> list[str]:
    """Return one's own recipients, without asking a person or running a program."""
    return [*(text for identity in identities.at_hand() for text in identity.recipients), *identities.in_keyring()]


def request(environment: str, own: Sequence[str], calls: Project) -> str:
    """Return the command that asks for an environment, by the name that one of our recipients has."""
    name = next(filter(None, map(calls.name_of, own)), "")
    named = " --name $USER" if calls.path and not name else ""
    return f"sealpy grant --request {shlex.join([environment, name or own[0]])}{named}"
