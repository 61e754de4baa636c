"""The next step of somebody whose keys do not open a file: the command that asks to be let in."""

import os
import shlex
from collections.abc import Sequence

from sealpy import config_file
from sealpy.errors import SealpyError
from sealpy.identities import Identities
from sealpy.project import Project
from sealpy_cli import environment_rules, project_file, terminal


def hint(path: str) -> None:
    """Say how to ask for the environment of a file; nothing, if it has none or there is no key that could be let in."""
    try:
        config = config_file.find(os.getcwd()).path
        if config is None:
            return
        calls = project_file.load(config)
        environment = environment_rules.environment_of(path, calls)
        if not environment_rules.labelled(config_file.load(config), environment):
            return
        own = recipients(Identities(os.environ))
    except SealpyError:  # somebody else's mistake, and the file does not open either way
        return
    if own:
        terminal.hint(f"to be let in, ask with a pull request: {terminal.plain(request(environment, own, calls))}")


def recipients(identities: Identities) -> list[str]:
    """Return one's own recipients, without asking a person or running a program."""
    return [*(text for identity in identities.at_hand() for text in identity.recipients), *identities.in_keyring()]


def request(environment: str, own: Sequence[str], calls: Project) -> str:
    """Return the command that asks for an environment, by the name that one of our recipients has."""
    name = next(filter(None, map(calls.name_of, own)), "")
    named = " --name $USER" if calls.path and not name else ""
    return f"sealpy grant --request {shlex.join([environment, name or own[0]])}{named}"
