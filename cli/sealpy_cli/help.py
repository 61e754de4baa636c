"""The help: a short one with what people need, ``help --all`` with every verb, and one for each verb.

It is written from ``verbs_table`` and goes to stdout, because it was asked for.
"""

import sys
from collections.abc import Iterable, Sequence

from sealpy_cli.grammar import Call, Flag, UsageError, Verb
from sealpy_cli.verbs_table import COMMANDS, HELP, ROOT, VERBS, Command

WIDTH = 100


def run(call: Call) -> int:
    """Explain the verb that is named, or the whole."""
    words = [word for word in call.arguments.operands if word != "--all"]
    if not words:
        sys.stdout.write(everything(call.as_sops) if "--all" in call.arguments.operands else short(call.as_sops))
        return 0
    for verb in VERBS:
        if verb.name == words[0]:
            sys.stdout.write(of_verb(verb, call.as_sops))
            return 0
    for command in COMMANDS:
        if command.name == words[0] and not call.as_sops:
            from sealpy_cli import commands  # the command explains itself

            return commands.run(command, ("--help",), call.root)
    raise UsageError("there is no such verb", hint='run "sealpy help --all"')


def short(as_sops: bool) -> str:
    """Return the help that fits on half a screen."""
    name = _name(as_sops)
    if as_sops:
        return everything(as_sops)
    lines = [
        f"{name} keeps secrets encrypted in git, in files that sops reads and writes too.",
        "",
        f"usage: {name} VERB [FLAG…] FILE…      {name} VERB --help",
        "",
        *_table((one.name, one.help) for one in _verbs(as_sops) if one.first),
        "",
        f'more with "{name} help --all"',
    ]
    return "\n".join(lines) + "\n"


def everything(as_sops: bool) -> str:
    """Return every verb by group, and the root form with its flags."""
    name = _name(as_sops)
    lines = [f"usage: {name} [ROOT FLAG…] VERB [FLAG…] FILE…", f"       {name} [FLAG…] FILE          edit FILE", ""]
    groups: dict[str, list[tuple[str, str]]] = {}
    for one in _verbs(as_sops):
        groups.setdefault(one.group, []).append((one.name, one.help))
    for group, rows in groups.items():
        lines += [f"{group}:", *_table(rows), ""]
    lines += ["Root form, as in sops: flags stand before the file. Flags:", *_flags(ROOT, as_sops)]
    return "\n".join(lines) + "\n"


def of_verb(verb: Verb, as_sops: bool) -> str:
    """Return the help of one verb."""
    operands = verb.operands.replace("…", "") if as_sops else verb.operands
    lines = [f"usage: {_name(as_sops)} {verb.name} [FLAG…] {operands}", "", verb.help]
    if verb.flags:
        lines += ["", *_flags((*verb.flags, HELP), as_sops)]
    return "\n".join(lines) + "\n"


def _verbs(as_sops: bool) -> Sequence[Verb | Command]:
    if as_sops:
        return VERBS
    return sorted((*VERBS, *COMMANDS), key=lambda one: _ORDER.get(one.name, 99))


_ORDER = {name: place for place, name in enumerate(("init", "add", "encrypt", "edit", "diff", "check", "grant"))}


def _name(as_sops: bool) -> str:
    return "sops" if as_sops else "sealpy"


def _flags(flags: Iterable[Flag], as_sops: bool) -> list[str]:
    rows = []
    for flag in flags:
        if flag.own and as_sops:
            continue
        spellings = ", ".join(f"-{name}" if len(name) == 1 else f"--{name}" for name in reversed(flag.spellings))
        rows.append((f"{spellings} {flag.value}".rstrip(), flag.help + (f" [${flag.env}]" if flag.env else "")))
    return _table(rows)


def _table(rows: Iterable[tuple[str, str]]) -> list[str]:
    rows = list(rows)
    left = min(max((len(first) for first, _ in rows), default=0), 34)
    lines = []
    for first, second in rows:
        if len(first) > left:
            lines += [f"  {first}", f"  {'':<{left}}  {second}"]
        else:
            lines.append(f"  {first:<{left}}  {second}")
    return lines
