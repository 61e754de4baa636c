"""``sealpy key``: private keys are made, listed and moved here, and never printed unless asked for by name.

stdout has recipients, one a line: they are public, and what other people and ``.sops.yaml`` need.
"""

import json
import os
import sys
from collections.abc import Sequence

import click

from sealpy import config_file, files, os_keyring
from sealpy.config_folder import config_folder
from sealpy.errors import KeyServiceError, NotMyKey, Refused
from sealpy.identities import Identities, TextIdentity, generate, read
from sealpy.project import Project
from sealpy_cli import key_file, terminal
from sealpy_cli.person import Person
from sealpy_cli.team import project_file

_LIMIT = 1 << 24
_COMMANDS = ("SOPS_AGE_KEY_CMD", "SOPS_AGE_SSH_PRIVATE_KEY_CMD")


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, invoke_without_command=True)
@click.pass_context
def key(context: click.Context) -> None:
    """Make, list, import and export age keys."""
    if context.invoked_subcommand is None:
        print(context.get_help())


@key.command()
@click.option("--keyring", "in_keyring", is_flag=True, help="Keep it in the system's keyring instead of a file.")
@click.option("--output", metavar="FILE", help="Write it to a new file instead of sops' own key file.")
@click.option("--name", default="", help='What "key list" calls it, such as prod.')
def new(in_keyring: bool, output: str | None, name: str) -> None:
    """Make a key and print its recipient.

    The recipient is public: others encrypt for you with it. The key goes where sops finds it too.
    """
    if in_keyring and (output or name):
        raise click.UsageError("--keyring goes with neither --output nor --name")
    if not name.isprintable():
        raise click.UsageError("a name has no control characters")
    made = generate()
    recipient = made.recipients[0]
    if in_keyring:
        _store_in_keyring(made)
    elif output:
        files.create(output, key_file.entry(made, name).expose().encode())
        terminal.say(f"the key is in {terminal.plain(output)}, readable by you alone")
        terminal.hint(f"sops and sealpy find it there with SOPS_AGE_KEY_FILE={terminal.plain(output)}")
    else:
        _add([made], name)
    print(recipient)


@key.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def list_keys(as_json: bool) -> None:
    """List the keys that are here.

    Shown are their recipients and where they are. Nothing is unlocked and no program is run for that.
    """
    identities = Identities(os.environ)
    identities.at_hand()
    attempts = identities.attempts()
    path = identities.key_file()
    names = key_file.names(path) if path else {}
    calls = _project()
    found = [
        {"recipient": recipient, "source": attempt.source, "name": names.get(recipient, "")}
        for attempt in attempts
        for recipient in attempt.recipients
    ]
    found += [{"recipient": recipient, "source": "keyring", "name": ""} for recipient in identities.in_keyring()]
    found = [{**item, "called": calls.name_of(item["recipient"])} for item in found]
    unusable = [{"source": item.source, "reason": item.reason} for item in attempts if item.reason]
    unusable += [{"source": name, "reason": "not run"} for name in _COMMANDS if name in os.environ]
    if as_json:
        print(json.dumps({"schema": "sealpy.key-list/1", "keys": found, "unusable": unusable}, indent=2))
        return
    for item in found:
        called = dict.fromkeys((item["name"], item["called"]))
        print("  ".join(filter(None, (item["recipient"], *map(terminal.plain, (item["source"], *called))))))
    for item in unusable:
        terminal.say(terminal.plain(f"{item['source']}: {item['reason']}"))
    if not found:
        terminal.say("there is no age key here")
        terminal.hint('make one with "sealpy key new", or add yours with "sealpy key import"')


@key.command("import")
@click.argument("file", default="")
def import_keys(file: str) -> None:
    """Add keys of yours to sops' own key file.

    Their recipients are printed. Without FILE the key is asked for and not shown; "-" reads standard input. A key is never an argument.
    """
    imported = _read(file)
    path = key_file.path_of(Identities(os.environ))
    known = key_file.held(path)
    fresh = [identity for identity in imported if not identity.recipients or not set(identity.recipients) <= known]
    if fresh:
        _add(fresh)
    for identity in imported:
        if identity not in fresh:
            terminal.say(f"{_project().shown(identity.recipients[0])} is already in {terminal.plain(path)}")
    _print_recipients(imported)


@key.command()
@click.argument("recipient")
@click.option("--reveal", is_flag=True, help="Print the private key to stdout.")
@click.option("--output", metavar="FILE", help="Write it to a new file that only you can read.")
def export(recipient: str, reveal: bool, output: str | None) -> None:
    """Hand out the private key of RECIPIENT.

    To back it up, or to place it in an environment.
    """
    if reveal == bool(output):
        raise Refused(
            "a private key is handed out only where you say", hint="--output FILE writes a file, --reveal prints it"
        )
    if reveal and os.environ.get("CI", "").lower() not in ("", "0", "false"):
        raise Refused("a private key is not printed into the log of a CI system", hint="use --output FILE")
    text = Identities(os.environ, prompt=Person()).text_of(recipient)
    (identity,) = read(text.expose().encode(), recipient)
    spelt = key_file.entry(identity).expose().encode()
    if output:
        files.create(output, spelt)
        terminal.say(f"the key is in {terminal.plain(output)}, readable by you alone")
    else:
        terminal.data(spelt)


@key.command()
@click.argument("file", default="")
def recipient(file: str) -> None:
    """Print the recipients of private keys.

    They are read from FILE, "-" for standard input. Without FILE a key is asked for and not shown.
    """
    _print_recipients(_read(file))


def _read(file: str) -> list[TextIdentity]:
    if "AGE-SECRET-KEY-" in file.upper() or file.upper().startswith("AGE-PLUGIN-"):
        raise Refused(
            "a private key was given on the command line, which other programs can see and shells write down",
            hint="replace that key; name a file, or leave the argument out to be asked",
        )
    if not file and not terminal.is_screen(0):
        file = "-"
    if file == "-":
        content = files.read_stdin(_LIMIT)
    elif file:
        content = files.read(file, _LIMIT)
    else:
        answer = Person().ask_secret("private key (AGE-SECRET-KEY-…)")
        content = b"" if answer is None else answer.expose().strip().encode()
    where = file if file not in ("", "-") else "standard input"
    if b"PRIVATE KEY-----" in content:
        raise Refused(
            f"{where} is an SSH key",
            hint="sops and sealpy use it where it is: name it in SOPS_AGE_SSH_PRIVATE_KEY_FILE",
        )
    try:
        found = read(content, where, Person())
    except KeyServiceError as error:
        problem = error.message
    else:
        problem = "" if found else "there is no identity in it"
        if found:
            return found
    raise KeyServiceError(f"{where}: {problem}", hint="an age identity is a line that begins with AGE-SECRET-KEY-1")


def _add(made: Sequence[TextIdentity], name: str = "") -> None:
    path = key_file.path_of(Identities(os.environ))
    key_file.add(path, [key_file.entry(identity, name) for identity in made])
    terminal.say(f"the key is in {terminal.plain(path)}, where sops finds it too")
    if key_file.is_private(path):
        terminal.hint("keep a copy in a safe place: without it, what is encrypted for it is lost")
    else:
        terminal.warn(f"others on this machine can read {terminal.plain(path)}")
        terminal.hint(f"chmod 600 {terminal.plain(path)}")


def _store_in_keyring(made: TextIdentity) -> None:
    folder = config_folder(os.environ)
    if folder is None:
        raise Refused("there is no home folder to keep the list of keys in", hint="name a file with --output")
    os_keyring.store(folder, made.recipients[0], made.text)
    terminal.say("the key is in the keyring of this system; sealpy finds it there, sops does not")
    if sys.platform == "darwin":
        terminal.say("on macOS, any code that the same Python runs can read it without being asked")


def _project() -> Project:
    return project_file.usable(config_file.find(os.getcwd()).path)


def _print_recipients(identities: Sequence[TextIdentity]) -> None:
    unknown = [identity for identity in identities if not identity.recipients]
    for identity in identities:
        for recipient in identity.recipients:
            print(recipient)
    if unknown:
        raise NotMyKey("only the plugin of a key knows its recipient", hint="ask the plugin's program for it")
