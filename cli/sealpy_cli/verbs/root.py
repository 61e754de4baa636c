"""The root form, ``sops [FLAG…] FILE``: flags choose the verb, and without one the file is edited.

Flags stand before the file; what follows the file is ignored with a warning, as in sops.
"""

import os

from sealpy_cli import terminal
from sealpy_cli.exit_codes import NO_FILE, NOTHING_TO_ROTATE, Stop
from sealpy_cli.grammar import Arguments, Call, UsageError
from sealpy_cli.verbs_table import COMMANDS, KEY_CHANGES, LATER, VERBS


def run(call: Call) -> int:
    """Find the verb that the flags ask for, and run it."""
    arguments = call.arguments
    if not arguments.operands:
        raise Stop(NO_FILE, "no file given", hint='run "sealpy --help"')
    path, *rest = arguments.operands
    modes = [mode for mode in ("encrypt", "decrypt", "rotate") if arguments.switch(mode)]
    if arguments.text("set"):
        modes.append("set")
    if not os.path.lexists(path):
        if any(arguments.text(flag.name) for flag in KEY_CHANGES):
            raise Stop(NOTHING_TO_ROTATE, f"{path}: there is no such file, so it has no keys to add to or remove from")
        if not modes and not call.as_sops:
            _refuse_misspelt_verb(path)
        if modes and modes != ["set"]:
            raise Stop(NO_FILE, f"{path}: there is no such file")
    if rest:
        terminal.warn(f"only {terminal.plain(path)} is looked at; flags must stand before the file")
    if len(modes) > 1:
        terminal.warn(f"more than one of --encrypt, --decrypt, --rotate, --set: only --{modes[-1]} has an effect")
    verb = modes[-1] if modes else "edit"
    one = Arguments(arguments.values, arguments.given, (path,))
    return _run(verb, Call(verb, one, one, call.environ, call.as_sops))


def _run(verb: str, call: Call) -> int:
    match verb:
        case "encrypt":
            from sealpy_cli.verbs.encrypt import run as run_verb
        case "decrypt":
            from sealpy_cli.verbs.decrypt import run as run_verb
        case "rotate":
            from sealpy_cli.verbs.rotate import run as run_verb
        case "set":
            from sealpy_cli.verbs.set import run_root as run_verb
        case _:
            from sealpy_cli.verbs.edit import run as run_verb
    return run_verb(call)


def _refuse_misspelt_verb(word: str) -> None:
    """``sealpy decrpyt f`` would otherwise offer to write a new file of that name."""
    from difflib import get_close_matches  # only when there is no such file

    names = [one.name for one in (*VERBS, *COMMANDS)] + list(LATER)
    near = get_close_matches(word, names, n=1, cutoff=0.75)
    if near and "." not in word:
        raise UsageError(f'there is neither a verb nor a file "{word}"', hint=f'did you mean "{near[0]}"?')
