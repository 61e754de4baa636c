"""Writes docs/cli.md from the tables that the program itself reads.

Run it after a change of verbs or flags: ``.venv/bin/python docs/generate_cli.py``.
"""
# A program, not a package.
# ruff: noqa: INP001

import inspect
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import click

from sealpy_cli import exit_codes, review_codes, verbs_table
from sealpy_cli.grammar import Flag, Verb
from sealpy_cli.verbs_table import COMMANDS, LATER, ROOT, VERBS, Command

PAGE = Path(__file__).with_name("cli.md")

HEAD = """\
# The command line

<!-- Written by docs/generate_cli.py; a test fails when it lags behind the program. -->

`sealpy VERB [FLAG…] FILE…`; `sealpy --help` shows what people need first, `sealpy help --all` every verb, `sealpy VERB --help` one.

One dash or two mean the same, `--flag value` and `--flag=value` too, and a switch is turned off with `--flag=false`.
Flags of a verb may stand before or after the files.
A flag that sops does not have is marked with ✚.

Standard output is data: a file in clear or sealed, a list, a JSON document.
Everything else goes to standard error, one line at a time, beginning with `sealpy:`; a line with `hint:` is the next step.

## One file or many

Every verb marked *many files* takes files, patterns in quotes, and with `-r` folders, and asks for a passphrase or a touch once for all of them.
The results go back into the files with `-i`, or into a folder with `--output-dir`; many results are never mixed on standard output.
Hidden folders, links, and `.sops.yaml` and its like are passed over in a folder, and so is what the verb has nothing to do with.
A file that fails does not stop the others; the exit code is the one that all failures share, else 1.

## By the name of sops

A link to the program named `sops`, or `SEALPY_SOPS_COMPAT=1`, makes it answer as sops does where scripts look: the version line, texts, one file only, and what is sealed without a rule.
Flags marked ✚ and the verbs that sops does not have do not exist then.

## Variables

Flags name theirs below, and [Keys](keys.md) has those of identities.

| variable | does |
|---|---|
| `SOPS_EDITOR`, `EDITOR` | the editor of `edit`, the first that is set; else vim, nano or vi |
| `SEALPY_SOPS_COMPAT` | `1`: answer as sops |
| `CI` | anything but empty, `0` or `false`: values are shown only with `--reveal-in-ci`, and private keys never |
| `NO_COLOR`, `TERM=dumb` | no colour |
"""

MEANINGS = {
    "OK": "done",
    "FAILED": "a rule, a path or metadata that are wrong; a flag that nobody knows; several files that failed differently",
    "UNREADABLE": "a file that cannot be read, or to be encrypted is no document of its format",
    "UNWRITABLE": "the result cannot be written",
    "UNRENDERABLE": "the result cannot be written in this format",
    "BAD_CONTEXT": "`--encryption-context` makes no sense",
    "BAD_VALUE": "the path or the value of `set` makes no sense",
    "CONFLICT": "flags that exclude each other, or one that is missing",
    "UNSEALABLE": "a value that sops could not read back once sealed",
    "BAD_CIPHERTEXT": "a value does not open, or stands in clear where the file's rule says sealed",
    "NOTHING_TO_ROTATE": "keys to add or remove, and no such file",
    "BAD_MAC": "the MAC is missing, or does not fit the values",
    "INTERNAL": "a fault of sealpy; please report it",
    "BAD_PATH": "the path of `--extract` makes no sense",
    "EMPTY": "the file to be encrypted holds no document",
    "NO_FILE": "no file was named, or there is no such file",
    "ORDER_REPEATED": "`--decryption-order` names a kind of key twice",
    "NO_KEY": "no key here opens the file",
    "INTERRUPTED": "Ctrl-C",
    "BROKEN_PIPE": "whoever read the output has gone",
    "UNCHANGED": "`edit`: nothing was changed",
    "NO_EDITOR": "`edit`: no editor, or it failed",
    "ENCRYPTED": "the file is encrypted already, or uses a name that is reserved",
}
"""What each exit code of ``sealpy_cli.exit_codes`` means."""


def page() -> str:
    """Return the whole page."""
    return "\n".join([*_lines()]).rstrip() + "\n"


def codes() -> dict[str, int]:
    """Return the exit codes by name."""
    return {name: code for name, code in vars(exit_codes).items() if name.isupper() and isinstance(code, int)}


def _lines() -> Iterator[str]:
    yield HEAD
    groups: dict[str, list[Verb | Command]] = {}
    for one in (*VERBS, *COMMANDS):
        groups.setdefault(one.group, []).append(one)
    yield "## Verbs\n"
    yield "| | verb | does |\n|---|---|---|"
    for group, members in groups.items():
        for one in members:
            yield f"| {group} | [`{one.name}`](#{one.name}) | {_cell(one.help)} |"
    yield f"\nVerbs of sops that are not there yet: {', '.join(f'`{name}`' for name in LATER)}.\n"
    for members in groups.values():
        for one in members:
            yield from _verb(one) if isinstance(one, Verb) else _command(one)
    yield "## Root form\n"
    yield "`sealpy [FLAG…] FILE`, as in sops: `-d`, `-e` and `-r` decrypt, encrypt and rotate, and without them the file is edited."
    yield "Flags stand before the file."
    before = ", ".join(f"`--{name}`" for name in verbs_table.ROOT_ONLY)
    yield f"Before a verb, only {before} have an effect.\n"
    yield from _flags(ROOT)
    yield "## Exit codes\n"
    yield "They are those of sops, where sops has one.\n"
    yield "| code | meaning |\n|---|---|"
    for name, code in sorted(codes().items(), key=lambda item: item[1]):
        yield f"| {code} | {MEANINGS[name]} |"
    yield "\n`sealpy diff` has its own:\n"
    yield "| code | meaning |\n|---|---|"
    for code, meaning in re.findall(r"^    (\d+) +(.+)$", inspect.getdoc(review_codes) or "", re.MULTILINE):
        yield f"| {code} | {_cell(meaning)} |"
    yield "\nWhere several hold, the first of 2, 70, 5, 3, 4, 1 counts."


def _verb(verb: Verb) -> Iterator[str]:
    yield f"## {verb.name}\n"
    yield f"`sealpy {verb.name} {'[FLAG…] ' if verb.flags else ''}{verb.operands}`" + (
        " · *many files*" if verb.many else ""
    )
    yield f"\n{verb.help[:1].upper()}{verb.help[1:]}.\n"
    yield from _flags(verb.flags)


def _flags(flags: Sequence[Flag]) -> Iterator[str]:
    if not flags:
        return
    yield "| flag | meaning | variable |\n|---|---|---|"
    for flag in flags:
        names = ", ".join(f"-{name}" if len(name) == 1 else f"--{name}" for name in reversed(flag.spellings))
        spelt = f"`{f'{names} {flag.value}'.strip()}`" + (" ✚" if flag.own else "")
        yield f"| {_cell(spelt)} | {_cell(flag.help)}{' (on)' if flag.on else ''} | {f'`{flag.env}`' if flag.env else ''} |"
    yield ""


def _command(command: Command) -> Iterator[str]:
    module, _, name = command.runs.partition(":")
    __import__(module)
    found: click.Command = getattr(sys.modules[module], name)
    yield f"## {command.name}\n"
    yield from _click(found, f"sealpy {command.name}")
    if isinstance(found, click.Group):
        for each in sorted(found.commands):
            yield f"### {command.name} {each}\n"
            yield from _click(found.commands[each], f"sealpy {command.name} {each}")


def _click(command: click.Command, name: str) -> Iterator[str]:
    context = click.Context(command)
    yield f"`{' '.join([name, *command.collect_usage_pieces(context)])}`\n"
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(command.help or "")):
        if paragraph.startswith("\b"):
            as_it_stands = paragraph.removeprefix("\b").strip("\n")
            yield f"```text\n{as_it_stands}\n```\n"
        else:
            yield re.sub(r"(?<=\.) +", "\n", re.sub(r"\s+", " ", paragraph)) + "\n"
    options = [
        record
        for parameter in command.params
        if isinstance(parameter, click.Option) and (record := parameter.get_help_record(context))
    ]
    if options:
        yield "| option | meaning |\n|---|---|"
        yield from (f"| `{_cell(spelt)}` | {_cell(meaning)} |" for spelt, meaning in options)
        yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main(words: Iterable[str]) -> None:
    """Write the page, or print it with ``-``."""
    if "-" in words:
        sys.stdout.write(page())
    else:
        PAGE.write_text(page())


if __name__ == "__main__":
    main(sys.argv[1:])
