"""One file or a thousand: finding them, doing one after another, and saying what became of them.

A file that fails does not stop the others. The process ends with the code that all failures share, else with 1.
"""

import os
from collections.abc import Callable, Sequence
from typing import NamedTuple

from sealpy.errors import DataKeyUnavailable, SealpyError
from sealpy_cli import terminal
from sealpy_cli.exit_codes import CONFLICT, NO_FILE, OK, UNREADABLE, UNWRITABLE, Stop, code_of, common
from sealpy_cli.grammar import Call

NOT_FOR_SEALING = frozenset({".sops.yaml", ".sops.yml", ".sealpy.yaml", ".gitattributes", ".gitignore"})
"""Configuration that stands in the folders of sealed files; found in a folder, it is passed over."""


class Item(NamedTuple):
    """One file to work on."""

    path: str
    target: str
    """Where it goes below ``--output-dir``."""
    found: bool = False
    """Whether it was found in a folder; such a file may turn out to be none of our business."""
    name: str = ""
    """What people call it, where it has no path."""

    @property
    def shown(self) -> str:
        """Return what messages call it."""
        return self.name or self.path


class LeftAlone(Exception):
    """A file found in a folder that the verb has nothing to do with."""


def files_of(call: Call) -> list[Item]:
    """Return the files that a verb is to work on, once it is clear where the results go.

    sops takes one file; by its name, so do we, with its warning.

    Raises:
        Stop
    """
    arguments = call.arguments
    operands = arguments.operands
    if call.as_sops or call.is_root_form:
        if len(operands) > 1:
            terminal.warn("more than one file is given; only the first is used")
        return [Item(operands[0], _target(operands[0]))]
    items = find(operands, recursive=arguments.switch("recursive"), into_folder=bool(arguments.text("output-dir")))
    if len(items) == 1 and not items[0].found:
        return items
    for flag in ("output", "extract", "filename-override", "update"):
        if arguments.text(flag):
            raise Stop(CONFLICT, f"--{flag} is for one file only", hint="--output-dir DIR takes many")
    if not arguments.switch("in-place") and not arguments.text("output-dir"):
        raise Stop(CONFLICT, "where do so many results go?", hint="add --in-place, or --output-dir DIR")
    return items


def check_destination(call: Call) -> None:
    """Refuse more than one place for the result.

    Raises:
        Stop
    """
    arguments = call.arguments
    places = [name for name in ("output", "output-dir") if arguments.text(name)]
    if arguments.switch("in-place"):
        places.insert(0, "in-place")
    if len(places) > 1:
        raise Stop(CONFLICT, f"cannot operate on both --{places[1]} and --{places[0]}")


def destination(call: Call, item: Item, *, private: bool = False) -> str | None:
    """Return where the result for a file goes, its folder made; None is stdout.

    ``private``: a new folder is its owner's alone.

    Raises:
        Stop: the folder cannot be made.
    """
    arguments = call.arguments
    if arguments.switch("in-place"):
        return item.path
    folder = arguments.text("output-dir")
    if not folder:
        return arguments.text("output") or None
    path = os.path.join(folder, item.target)
    before = os.umask(0o077) if private else None
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
    except OSError as error:
        reason = (error.strerror or "not writable").lower()
    else:
        return path
    finally:
        if before is not None:
            os.umask(before)
    raise Stop(UNWRITABLE, f"{os.path.dirname(path)}: {reason}")


def find(
    operands: Sequence[str], *, recursive: bool, into_folder: bool = False, folder_code: int = UNREADABLE
) -> list[Item]:
    """Return the files that the operands mean: files, globs that the shell left alone, and folders with ``-r``.

    ``into_folder``: the results go below one folder, else each stays where its file is.

    Raises:
        Stop: no such file, a folder without ``-r``, or two files that would be written to one place.
    """
    items: list[Item] = []
    for operand in operands:
        for path in _matches(operand):
            if not os.path.isdir(path):
                items.append(Item(path, _target(path)))
            elif recursive:
                prefix = path if path.endswith("/") else f"{path}/"
                items.extend(Item(below, below[len(prefix) :], found=True) for below in _walk(path))
            else:
                raise Stop(folder_code, f"{path}: is a folder", hint="add -r to take the files below it")
    places: dict[str, str] = {}
    for item in items:
        other = places.setdefault(item.target if into_folder else os.path.normpath(item.path), item.path)
        if other != item.path:
            raise Stop(CONFLICT, f"{other} and {item.path} would be written to one place", hint="run sealpy twice")
    return items


def each(items: Sequence[Item], work: Callable[[Item], None], done: str, *, clear: bool = False) -> int:
    """Do ``work`` for every item and return the exit code; ``done`` is the word for it in the summary."""
    codes: list[int] = []
    left_alone = 0
    progress = terminal.Progress(len(items))
    for item in items:
        try:
            work(item)
        except LeftAlone:
            left_alone += 1
        except SealpyError as error:
            progress.clear()
            terminal.fail(error, item.shown)
            if isinstance(error, DataKeyUnavailable) and not terminal.speaks_as_sops():
                from sealpy_cli.team import admission  # reads the configuration, which opening a file does without

                admission.hint(item.path)
            codes.append(code_of(error, clear=clear))
        else:
            codes.append(OK)
        progress.step()
    progress.clear()
    if len(items) != 1:
        failed = sum(code != OK for code in codes)
        parts = [f"{len(codes) - failed} {done}"]
        parts += [f"{left_alone} left alone"] if left_alone else []
        parts += [f"{failed} failed"] if failed else []
        terminal.say(", ".join(parts))
    return common(codes)


def _matches(operand: str) -> Sequence[str]:
    if os.path.lexists(operand) or not any(sign in operand for sign in "*?["):
        return (operand,)
    from glob import glob  # only for a pattern in quotes

    paths = sorted(glob(operand, recursive=True))
    if not paths:
        raise Stop(NO_FILE, f"{operand}: matches no file")
    return paths


def _walk(folder: str) -> list[str]:
    """Return the files below a folder, in order; hidden folders and links are passed over."""
    files: list[str] = []
    folders: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_symlink():
                    continue
                if entry.is_dir():
                    if not entry.name.startswith("."):
                        folders.append(entry.path)
                elif entry.is_file() and entry.name not in NOT_FOR_SEALING:
                    files.append(entry.path)
    except OSError as error:
        reason = error.strerror or "not readable"
    else:
        reason = ""
    if reason:
        raise Stop(UNREADABLE, f"{folder}: {reason.lower()}")
    files.sort()
    for below in sorted(folders):
        files.extend(_walk(below))
    return files


def _target(path: str) -> str:
    plain = os.path.normpath(path)
    return os.path.basename(plain) if os.path.isabs(plain) or plain.startswith("..") else plain
