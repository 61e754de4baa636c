"""The file ``.sealpy.yaml``: what people of a project call its recipients and its environments.

Pure: text in, names out; the edge finds and reads the file. It holds no address and no secret, and nothing in it
gives anybody access: who reads a file is for ``.sops.yaml`` to say.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sealpy import regex, settings
from sealpy.settings import Setting

NAME = ".sealpy.yaml"

_KEYS = ("version", "layout", "environments", "recipients", "severities", "reuse_ok", "parity", "pager")
_VERSION = "1"
# It is typed on command lines and stands in sentences and tables.
_WORD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,62}")
_FINDING = re.compile(r"SP[1-9][0-9]{2}")
_SEVERITIES = ("error", "warning", "note", "off")
_ENVIRONMENT = "{env}"

_WHOLE = 72
"""Characters of a master key that are shown; age recipients, fingerprints and most ARNs have fewer."""


class Project(NamedTuple):
    """What a project calls things.

    ``names`` is from recipient to name, ``recipients`` the other way round. ``environments`` is from the name of an
    environment to the pattern of its paths; ``severities`` from the id of a finding to error, warning, note or off.
    """

    path: str = ""
    names: Mapping[str, str] = {}
    recipients: Mapping[str, str] = {}
    environments: Mapping[str, str] = {}
    layout: str = ""
    """Where an environment stands in a path, such as ``k8s/{env}/{service}/{file}``."""
    severities: Mapping[str, str] = {}
    lines: Mapping[str, int] = {}
    """From the name of a recipient to its line, counted from 1."""
    notes: Sequence[str] = ()
    """What is worth saying about the file, such as keys that nobody knows."""

    def name_of(self, recipient: str) -> str:
        """Return the name of a recipient; empty if it has none."""
        return self.names.get(_key_of(recipient), "") if self.names else ""

    def shown(self, recipient: str) -> str:
        """Write a recipient for people: ``alice (age1qx…7d)``, or without a name as it is; safe to print."""
        name = self.name_of(recipient)
        return f"{name} ({_short(recipient)})" if name else plain(recipient)

    def environment_of(self, path: str) -> str:
        """Return the environment of a path, which is relative to the folder of this file; empty if it has none.

        A pattern of ``environments`` decides, of several the most specific, else ``layout``.
        """
        names = [name for name, pattern in self.environments.items() if _matches(pattern, path)]
        if names:
            return max(names, key=lambda name: _how_specific(self.environments[name]))
        return _in_layout(self.layout, path) if self.layout else ""


EMPTY = Project()
"""A project that has no names for anything."""


def parse(text: str, path: str) -> Project:
    """Read a project file; ``path`` is what errors call it.

    Raises:
        RuleError: not well-formed, a key that looks like a slip, a name that is none, or one recipient named twice.
    """
    root = settings.parse(text, path)
    if root is None:
        return Project(path)
    fields = root.fields(_KEYS)
    if "version" in fields and fields["version"].text("version") != _VERSION:
        raise fields["version"].fault("version must be 1", hint="a newer sealpy may read this file")
    names: dict[str, str] = {}
    recipients: dict[str, str] = {}
    lines: dict[str, int] = {}
    for name, node in _named(fields.get("recipients"), "the name of a recipient"):
        recipient = _recipient(node)
        other = names.setdefault(_key_of(recipient), name)
        if other != name:
            raise node.fault(f"{name} and {other} are one recipient", hint="keep one of the names")
        recipients[name] = recipient
        lines[name] = node.line
    layout = fields["layout"].text("layout") if "layout" in fields else ""
    if layout and _ENVIRONMENT not in layout.split("/"):
        raise fields["layout"].fault("layout must say where {env} stands", hint="such as k8s/{env}/{service}/{file}")
    environments = {
        name: _path(node) for name, node in _named(fields.get("environments"), "the name of an environment")
    }
    return Project(
        path,
        names,
        recipients,
        environments,
        layout,
        dict(_severities(fields.get("severities"))),
        lines,
        tuple(root.notes),
    )


def plain(recipient: str) -> str:
    """Write a master key that has no name; it may come from a file, and be anything."""
    if not recipient.strip():
        return "a key that names nobody"
    if "AGE-SECRET-KEY-" in recipient.upper():
        return "a private key, which does not belong there"
    from sealpy.sanitise import visible  # compiles patterns that decrypting a file does not need

    text = visible(recipient)
    return text if len(text) <= _WHOLE else f"{text[:24]}…{text[-12:]}"


def _short(recipient: str) -> str:
    if recipient.startswith("age1"):
        return f"{recipient[:6]}…{recipient[-2:]}"
    if recipient.startswith("ssh-"):
        kind, _, rest = _key_of(recipient).partition(" ")
        return f"{kind} …{rest[-6:]}"
    return plain(recipient)


def _key_of(recipient: str) -> str:
    """Return what two spellings of one recipient have in common: an SSH key may carry a comment."""
    text = recipient.strip()
    return " ".join(text.split()[:2]) if text.startswith("ssh-") else text


def _named(node: Setting | None, what: str) -> Sequence[tuple[str, Setting]]:
    """Return the entries of a map whose keys are names that people give."""
    if node is None:
        return ()
    found = []
    for key, value in node.entries(set()):
        name = key.text(what)
        if not _WORD.fullmatch(name):
            raise key.fault(f"{what} must be one word", hint="letters, digits and _ . @ + - make a name")
        if name.startswith(("age1", "ssh-")):
            raise key.fault(f"{what} looks like a recipient", hint="write NAME: RECIPIENT")
        found.append((name, value))
    return found


def _recipient(node: Setting) -> str:
    text = node.text("a recipient").strip()
    if node.null or not text:
        raise node.fault("this name has no recipient")
    if "AGE-SECRET-KEY-" in text.upper():
        raise node.fault(
            "a private key stands where its recipient belongs",
            hint="it is to be taken for stolen: make a new one, and write the public key, age1…",
        )
    if not text.isprintable():
        raise node.fault("this is no recipient")
    return text


def _path(node: Setting) -> str:
    text = node.text("the path of an environment")
    if node.null or not text.strip("/") or not text.isprintable():
        raise node.fault("this environment has no path", hint="write the folder that holds it, such as k8s/prod")
    return text


def _severities(node: Setting | None) -> Sequence[tuple[str, str]]:
    if node is None:
        return ()
    found = []
    for key, value in node.entries(set()):
        name, word = key.text("the id of a finding"), value.text("a severity")
        if not _FINDING.fullmatch(name):
            raise key.fault("this is no id of a finding", hint="they are SP101, SP102 and so on")
        if word not in _SEVERITIES:
            raise value.fault("there is no such severity", hint=f"one of {', '.join(_SEVERITIES)}")
        found.append((name, word))
    return found


def _matches(pattern: str, path: str) -> bool:
    """Match a path: a folder means all below it, ``*`` any part of a name, ``**`` any number of folders."""
    expression = regex.compile(f"^{_expression(pattern.strip('/'))}(/|$)")
    return expression.search(path)


def _how_specific(pattern: str) -> tuple[int, int, int]:
    """Rank a pattern by the folders that it names, then by its letters, then by its depth."""
    literal = [part.replace("*", "") for part in pattern.strip("/").split("/")]
    return sum(map(bool, literal)), sum(map(len, literal)), len(literal)


def _expression(pattern: str) -> str:
    pieces = re.split(r"(\*\*/|\*\*|\*)", pattern)
    spelt = {"**/": "(.*/)?", "**": ".*", "*": "[^/]*"}
    return "".join(spelt.get(piece) or re.escape(piece) for piece in pieces)


def _in_layout(layout: str, path: str) -> str:
    parts, names = layout.strip("/").split("/"), path.split("/")
    if len(names) < len(parts):
        return ""
    found = ""
    for part, name in zip(parts, names, strict=False):
        if part == _ENVIRONMENT:
            found = name
        elif part != name and not (part.startswith("{") and part.endswith("}")):
            return ""
    return found
