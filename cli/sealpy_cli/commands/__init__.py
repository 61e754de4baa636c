"""The commands of sealpy itself, one module each, and what runs them."""

import gc
import sys
from collections.abc import Sequence

from sealpy_cli.exit_codes import INTERRUPTED
from sealpy_cli.grammar import Arguments, UsageError
from sealpy_cli.verbs_table import Command


def run(command: Command, words: Sequence[str], root: Arguments) -> int:
    """Run a command; it gets the root flags as ``obj``.

    Raises:
        UsageError: it needs a package that is not installed.
    """
    import click  # its time is for those who run a command, not for whoever asks what there is

    from sealpy_cli import terminal

    gc.enable()  # it may run for weeks
    module, _, name = command.runs.partition(":")
    missing = ""
    try:
        __import__(module)
    except ModuleNotFoundError as error:
        missing = error.name or module
    if missing:
        raise UsageError(f'"{command.name}" needs the package {missing}', hint="install sealpy with its extras")
    click_command: click.Command = getattr(sys.modules[module], name)
    try:
        result = click_command.main(list(words), f"sealpy {command.name}", standalone_mode=False, obj=root)
    except click.exceptions.Abort:
        return INTERRUPTED
    except click.ClickException as error:
        terminal.say(terminal.plain(error.format_message()))
        if isinstance(error, click.UsageError):
            terminal.hint(f'see "sealpy {command.name} --help"')
        return error.exit_code
    return result if isinstance(result, int) else 0
