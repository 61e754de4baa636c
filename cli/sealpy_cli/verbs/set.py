"""``sealpy set`` and ``sealpy unset``.

The value is JSON: an integer stays an integer, and a list is a list (sops turns the first into a float and refuses
the second; by its name, so do we). Without a value on the command line it is asked for, hidden, as plain text: what
stands in the arguments can be read by every process of the machine.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, NoReturn

from sealpy import part_folder
from sealpy.document import Path
from sealpy.formats import Format
from sealpy_cli import commit_message, many, terminal, tree_path
from sealpy_cli.exit_codes import BAD_VALUE, FAILED, NO_FILE, OK, Stop
from sealpy_cli.grammar import Call
from sealpy_cli.session import Session
from sealpy_cli.value_change import ValueChange

_LARGEST = 2**63


def run(call: Call) -> int:
    """Put a value at a path of a file."""
    arguments = call.arguments
    operands = arguments.operands
    if arguments.switch("value-file") and arguments.switch("value-stdin"):
        raise Stop(FAILED, "cannot use both --value-file and --value-stdin")
    asks = len(operands) == 2 and not arguments.switch("value-file") and not call.as_sops
    if len(operands) != (2 if arguments.switch("value-stdin") or asks else 3):
        raise Stop(NO_FILE, "set needs a file, a path and a value", hint="""sealpy set FILE '["key"]' '"value"'""")
    session = Session(call)
    path = _path(operands[1])
    if arguments.switch("value-stdin"):
        value = _value(_text(session.read_stdin()), call.as_sops)
    elif asks:
        value = _asked(operands[1])
    elif arguments.switch("value-file"):
        value = _value(_text(session.read(operands[2], missing=FAILED)), call.as_sops)
    else:
        value = _value(operands[2], call.as_sops)
    return _change(session, operands[0], ValueChange(path, value, idempotent=arguments.switch("idempotent")))


def run_root(call: Call) -> int:
    """Do what ``sops --set 'PATH JSON' FILE`` asks for."""
    session = Session(call)
    words = call.arguments.text("set")
    end = words.find("] ")
    if end < 0:
        raise Stop(BAD_VALUE, "--set takes a path, a space and JSON", hint="""--set '["key"] "value"'""")
    value = _value(words[end + 2 :], call.as_sops)
    path = _path(words[: end + 1])
    # sops reads the configuration here for no use but to refuse a broken one.
    session.rule_for(call.arguments.text("filename-override") or call.arguments.operands[0])
    return _change(session, call.arguments.operands[0], ValueChange(path, value))


def run_unset(call: Call) -> int:
    """Take out what is at a path of a file."""
    operands = call.arguments.operands
    if len(operands) != 2:
        raise Stop(NO_FILE, "unset needs a file and a path", hint="""sealpy unset FILE '["key"]'""")
    change = ValueChange(_path(operands[1]), removes=True, idempotent=call.arguments.switch("idempotent"))
    return _change(Session(call), operands[0], change)


class _OnBranch(NamedTuple):
    """The change as it is made on the tip of a branch."""

    session: Session
    name: str
    fmt: Format
    change: ValueChange

    @property
    def what(self) -> str:
        return self.change.shown

    @property
    def names(self) -> tuple[str]:
        return (self.name,)

    def apply(self, read: Callable[[str], bytes | None]) -> Mapping[str, bytes]:
        from sealpy_cli.repo.push_change import require

        changed = self.change.apply(self.session, require(self.name, read(self.name)), self.fmt)
        return {} if changed is None else {self.name: changed}

    def standing(self, read: Callable[[str], bytes | None]) -> object:
        return self.change.standing(self.session, read(self.name), self.fmt)


def _change(session: Session, file: str, change: ValueChange) -> int:
    fmt = session.format_of(session.arguments.text("filename-override") or file)
    message = session.arguments.text("commit") if "commit" in session.arguments.values else None
    pushes = session.arguments.switch("push")
    retries = session.arguments.number("retries") if "retries" in session.arguments.values else None
    commit_message.require(message, push=pushes, retries=retries)

    def in_worktree(_: many.Item) -> None:
        raw = session.read(file)
        changed = change.apply(session, raw, fmt)
        if changed is not None:
            session.write(file, changed, plaintext=False, expected=raw)

    def committed(item: many.Item, message: str) -> None:
        from sealpy_cli.repo import local_commit, push_change  # they bring subprocess

        top = push_change.top_of(file)
        name = push_change.name_in(top, file)
        if pushes:
            push_change.push(top, _OnBranch(session, name, fmt, change), message, retries)
            return
        local_commit.prepare(top, [name])
        in_worktree(item)
        local_commit.commit(top, [name], message)

    work = in_worktree if message is None else lambda item: committed(item, message)
    code = many.each([many.Item(file, file)], work, "changed")
    is_text = change.removes or isinstance(change.value, str)
    if code == OK and not session.call.as_sops and (not is_text or part_folder.beside(file)):
        from sealpy_cli import value_remarks  # few changes need them

        value_remarks.tell(file, fmt, change)
    return code


def _path(text: str) -> Path:
    path = tree_path.parse(text, BAD_VALUE)
    if not path or isinstance(path[0], int):
        raise Stop(BAD_VALUE, "the path must begin with a key", hint="""write it like '["data"]["password"]'""")
    return path


def _asked(path: str) -> str:
    answer = terminal.hidden(f"value for {terminal.plain(path)}, as plain text")
    if answer is None:
        raise Stop(
            NO_FILE, "there is no value, and no terminal to ask on", hint="give it as JSON on stdin: --value-stdin"
        )
    return answer


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        pass
    raise Stop(BAD_VALUE, "the value is not UTF-8")


def _value(text: str, as_sops: bool) -> object:
    value: Any = None
    try:
        value = json.loads(text, parse_int=_integer, parse_float=_float, parse_constant=_no_constant)
        value = _in_unicode(value)
        is_good = True
    except (ValueError, RecursionError):
        is_good = False
    if not is_good:
        raise Stop(BAD_VALUE, "the value is not JSON", hint="""a text stands in double quotes: '"text"'""")
    if as_sops and isinstance(value, list):
        raise Stop(BAD_VALUE, "a list cannot be set")
    if as_sops and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


def _integer(digits: str) -> int | float:
    # Go reads what is no 64-bit integer as a float.
    if len(digits) <= len(str(_LARGEST)) + 1 and -_LARGEST <= int(digits) < _LARGEST:
        return int(digits)
    return _float(digits)


def _float(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise ValueError
    return number


def _no_constant(_: str) -> NoReturn:
    raise ValueError


def _in_unicode(value: Any) -> Any:
    """Put a replacement character for half of a surrogate pair, as Go does."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_in_unicode(item) for item in value]
    if isinstance(value, dict):
        return {_in_unicode(name): _in_unicode(item) for name, item in value.items()}
    return value
