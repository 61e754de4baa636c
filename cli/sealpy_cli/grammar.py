"""The grammar of sops' command line: Go flags, as urfave/cli arranges them.

One or two dashes mean the same; ``--flag value`` and ``--flag=value``; a switch takes a value only after
``=``; a flag of a verb may stand after the file name, one of the root form may not. The words come from
``verbs_table``. No click here: importing it costs more than decrypting a file.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

Value = bool | str | int | tuple[str, ...]

TRUE = ("1", "t", "T", "TRUE", "true", "True")
FALSE = ("0", "f", "F", "FALSE", "false", "False")


class Flag(NamedTuple):
    """One flag. ``kind`` is ``switch``, ``text``, ``number`` or ``list`` (may be given more than once)."""

    name: str
    kind: str
    help: str
    short: str = ""
    """Other spellings, separated by spaces."""
    value: str = ""
    """What stands for its value in the help."""
    env: str = ""
    """The environment variable that it is read from when it is not given."""
    on: bool = False
    """Whether a switch is on by default."""
    own: bool = False
    """Whether sops does not know it; it does not exist then under the name of sops."""

    @property
    def spellings(self) -> tuple[str, ...]:
        """Return every name, without dashes."""
        return (self.name, *self.short.split())


class Verb(NamedTuple):
    """One verb: what it takes, what it says about itself, and ``module:function`` to run it."""

    name: str
    operands: str
    help: str
    flags: tuple[Flag, ...]
    runs: str
    group: str
    first: bool = False
    """Whether the short help shows it."""
    many: bool = False
    """Whether sealpy takes more than one file where sops takes one."""


class UsageError(Exception):
    """What was typed makes no sense; says only what the user typed."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Arguments(NamedTuple):
    """What was typed, read: values by flag name, and the operands."""

    values: Mapping[str, Value]
    given: frozenset[str]
    """The flags that were typed; not those that came from the environment."""
    operands: tuple[str, ...]

    def switch(self, name: str) -> bool:
        """Return whether a switch is on."""
        return bool(self.values.get(name, False))

    def text(self, name: str) -> str:
        """Return a text, or "" if it was not given."""
        return str(self.values.get(name, ""))

    def number(self, name: str) -> int:
        """Return a number, or 0 if it was not given."""
        value = self.values.get(name, 0)
        return value if isinstance(value, int) else 0


class Call(NamedTuple):
    """One run of one verb, as its module gets it."""

    verb: str
    arguments: Arguments
    root: Arguments
    """The flags before the verb; in the root form (``sops -d file``) the same as ``arguments``."""
    environ: Mapping[str, str]
    as_sops: bool
    """Whether we go by the name of sops."""

    @property
    def is_root_form(self) -> bool:
        """Return whether the verb was asked for by a flag."""
        return self.arguments is self.root


def parse(
    flags: Sequence[Flag],
    words: Sequence[str],
    environ: Mapping[str, str],
    *,
    interspersed: bool,
    as_sops: bool = False,
) -> Arguments:
    """Read ``words``.

    ``interspersed``: flags may follow operands, as after a verb. Urfave moves flags to the front without
    looking whether they take a value, so that sops takes what follows ``-i FILE`` for operands, and the file
    in ``FILE --output`` for the value; that is followed only under the name of sops.

    Raises:
        UsageError
    """
    known = {spelling: flag for flag in flags for spelling in flag.spellings}
    rest = list(_flags_first(words, known)) if interspersed and as_sops else list(words)
    goes_on = interspersed and not as_sops
    values: dict[str, Value] = {}
    typed: dict[str, str] = {}
    operands: list[str] = []
    position = 0
    while position < len(rest):
        word = rest[position]
        if len(word) < 2 or word[0] != "-" or (operands and word[1].isdigit()):
            if not goes_on:
                break
            operands.append(word)
            position += 1
            continue
        position += 1
        if word == "--":
            break
        name, equals, text = word[2 if word[1] == "-" else 1 :].partition("=")
        if not name or name.startswith("-"):
            raise UsageError(f"bad flag syntax: {word}")
        flag = known.get(name)
        if flag is None:
            raise UsageError(f"unknown flag --{name}", hint=_near(name, known))
        if typed.setdefault(flag.name, name) != name:
            raise UsageError(f"-{typed[flag.name]} and -{name} are the same flag; give one of them")
        if flag.kind != "switch" and not equals:
            if position == len(rest):
                raise UsageError(f"flag --{name} needs a value")
            text = rest[position]
            position += 1
        value = _value(flag, text if equals or flag.kind != "switch" else "true", f"flag --{name}")
        earlier = values.get(flag.name)
        values[flag.name] = (*earlier, *value) if isinstance(earlier, tuple) and isinstance(value, tuple) else value
    for flag in flags:
        if flag.name not in values:
            text = environ.get(flag.env, "") if flag.env else ""
            if text:
                values[flag.name] = _value(flag, text, flag.env)
            elif flag.on:
                values[flag.name] = True
    return Arguments(values, frozenset(typed), (*operands, *rest[position:]))


def _flags_first(words: Sequence[str], known: Mapping[str, Flag]) -> Iterable[str]:
    flags: list[str] = []
    operands: list[str] = []
    value_may_follow = False
    for index, word in enumerate(words):
        is_flag = word[:1] == "-" and word not in ("-", "--") and word.lstrip("-").partition("=")[0] in known
        if value_may_follow and not is_flag:
            flags.append(word)
            value_may_follow = False
        elif word == "--":
            operands = ["--", *operands, *words[index + 1 :]]
            break
        elif is_flag:
            flags.append(word)
            value_may_follow = "=" not in word
        else:
            operands.append(word)
    return (*flags, *operands)


def _value(flag: Flag, text: str, source: str) -> Value:
    match flag.kind:
        case "switch":
            if text not in TRUE and text not in FALSE:
                raise UsageError(f"{source} takes true or false")
            return text in TRUE
        case "number":
            try:
                return int(text.lstrip("+"), 0)
            except ValueError:
                pass
            raise UsageError(f"{source} takes a whole number")
        case "list":
            return (text,)
        case _:
            return text


def _near(name: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches  # only after a mistake

    near = get_close_matches(name, list(known), n=1)
    return f"did you mean --{near[0]}?" if near else ""
