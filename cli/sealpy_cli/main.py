"""The program: finds the verb, runs it, turns what went wrong into a line and a number.

Only ``sys``, ``os`` and the grammar are imported to get here; a verb's own module comes when it is its turn.
"""

import errno
import gc
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from sealpy.version import SOPS_VERSION, __version__
from sealpy_cli.grammar import Arguments, Call, Flag, UsageError, parse
from sealpy_cli.verbs_table import COMMANDS, HELP, LATER, ROOT, ROOT_ONLY, VERBS

FAILED, INTERNAL, INTERRUPTED, BROKEN_PIPE = 1, 70, 130, 141
_FULL = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code."""
    words = sys.argv if argv is None else list(argv)
    as_sops = _goes_by_sops(words[0] if words else "")
    _no_core_files()
    _no_missing_streams()
    # A run is over before there is garbage worth collecting; looking for it costs more than decrypting.
    gc.disable()
    if as_sops:
        from sealpy_cli import terminal

        terminal.speak_as_sops()
    try:
        code = _run(words[1:], as_sops)
        sys.stdout.flush()
    except UsageError as error:
        from sealpy_cli import terminal

        terminal.say(terminal.plain(error.message))
        terminal.hint(terminal.plain(error.hint or 'see "sealpy help --all"'))
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _output_to_nowhere()
        return BROKEN_PIPE
    except OSError as error:
        # The files that verbs work on have errors of their own, which name them.
        if error.filename is not None or error.errno not in _FULL:
            return _report(error)
        _output_to_nowhere()
        return _unwritable(error)
    except Exception as error:  # noqa: BLE001 - the last line of defence: a foreign error may quote a secret
        return _report(error)
    if argv is None and not gc.isenabled():
        # All is written and nothing is left open: the interpreter's tidying up would be a tenth of the time.
        os._exit(code)
    return code


def _run(words: Sequence[str], as_sops: bool) -> int:
    if words and words[-1] == "--generate-bash-completion":
        from sealpy_cli.completion import answer

        return answer(words[:-1], os.environ, as_sops)
    root = parse(_known(ROOT, as_sops), words, os.environ, interspersed=False)
    name = root.operands[0] if root.operands else ""
    if root.switch("help"):
        name = "help"
        root = Arguments(root.values, frozenset(), ("help",))
    elif root.switch("version"):
        sys.stdout.write(version(as_sops) + "\n")
        return 0
    if name == "h":
        name = "help"
    for verb in VERBS:
        if verb.name == name:
            rest = root.operands[1:]
            if verb.flags:
                flags = _known((*verb.flags, HELP), as_sops)
                try:
                    arguments = parse(flags, rest, os.environ, interspersed=True, as_sops=as_sops)
                except UsageError as error:
                    error.hint = error.hint or f'see "sealpy {name} --help"'
                    raise
            else:
                arguments = Arguments({}, frozenset(), rest)
            call = Call(name, arguments, root, os.environ, as_sops)
            if arguments.switch("help"):
                call = Call("help", Arguments({}, frozenset(), (name,)), root, os.environ, as_sops)
                return _function("sealpy_cli.help:run")(call)
            _warn_of_root_flags(call)
            return _function(verb.runs)(call)
    if name in LATER:
        raise UsageError(f'"{name}" is not built yet', hint="use sops for it; the files are the same")
    if not as_sops:
        for command in COMMANDS:
            if command.name == name:
                from sealpy_cli.commands import run

                return run(command, root.operands[1:], root)
    call = Call("", root, root, os.environ, as_sops)
    return _function("sealpy_cli.verbs.root:run")(call)


def version(as_sops: bool) -> str:
    """Return the version line; scripts parse that of sops."""
    return f"sops {SOPS_VERSION}" if as_sops else f"sealpy {__version__} (sops {SOPS_VERSION} compatible)"


def _warn_of_root_flags(call: Call) -> None:
    """sops ignores most flags before a verb without a word."""
    ignored = [name for name in call.root.given if name not in ROOT_ONLY]
    if ignored and not call.as_sops:
        from sealpy_cli import terminal

        names = ", ".join(f"--{name}" for name in sorted(ignored))
        terminal.warn(f'{names} before "{call.verb}" has no effect, as in sops; write it after the verb')


def _known(flags: Sequence[Flag], as_sops: bool) -> Sequence[Flag]:
    return [flag for flag in flags if not flag.own] if as_sops else flags


def _function(place: str) -> Callable[[Call], int]:
    module, _, name = place.partition(":")
    # importlib costs a millisecond and does no more than this.
    __import__(module)
    run: Callable[[Call], int] = getattr(sys.modules[module], name)
    return run


def _goes_by_sops(program: str) -> bool:
    base = program.replace("\\", "/").rpartition("/")[2].lower()
    return base in ("sops", "sops.exe") or os.environ.get("SEALPY_SOPS_COMPAT") == "1"


def _no_core_files() -> None:
    # A core file would hold every secret of this run. Ours to set: this is the program, not the library.
    try:
        import resource
    except ImportError:  # Windows writes none
        return
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))


def _no_missing_streams() -> None:
    """A standard stream that is closed leaves its number to the next file opened, and the output would go there."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            # The lowest number that is free is this one.
            os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 - to the end


def _output_to_nowhere() -> None:
    # Let the interpreter's last flush go nowhere instead of complaining.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)


def _unwritable(error: OSError) -> int:
    from sealpy_cli import terminal

    terminal.say(f"standard output takes no more: {os.strerror(error.errno or 0).lower()}")
    return FAILED


def _report(error: Exception) -> int:
    from sealpy.errors import SealpyError
    from sealpy_cli import terminal
    from sealpy_cli.exit_codes import code_of

    if isinstance(error, SealpyError):
        terminal.fail(error)
        return code_of(error)
    terminal.say(f"internal error: {type(error).__name__} at {_our_line(error)}")
    terminal.hint("please report this line; nothing of your files is in it")
    return INTERNAL


def _our_line(error: Exception) -> str:
    place = "?"
    trace = error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename.replace("\\", "/")
        for package in ("/sealpy/", "/sealpy_cli/", "/sealpy_controller/"):
            if package in file:
                place = f"{package.strip('/')}/{file.rpartition(package)[2]}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def _exit() -> NoReturn:
    sys.exit(main())


if __name__ == "__main__":
    _exit()
