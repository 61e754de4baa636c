"""What a team's verbs mean, in plain dicts: the values of each file, and who opens it.

Nothing is sealed here. Every verb changes the model and returns its ``Outcome``: how the program has to end, and what
it may have done to which file of the tree. Whatever that does not name stays as it was, byte for byte.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from sealpy_cli.exit_codes import BAD_VALUE, FAILED, NO_FILE, NO_KEY, OK

Path = tuple[str, ...]
Value = str | int

RULES, NAMES = ".sops.yaml", ".sealpy.yaml"
IMAGE: Path = ("metadata", "labels", "image")
"""The clear field of a manifest that people set."""

TEXT_SECTION = {"Secret": "stringData", "ConfigMap": "data"}
ENCODED_SECTION = {"Secret": "data", "ConfigMap": "binaryData"}


class Change(NamedTuple):
    """What became of a file.

    ``kind`` is "set" (of the values, only those of ``paths`` have other ciphertext), "wrapped" (the data key for others,
    and no value), "anew" (another data key, so every value), "new" (a file that was not there, or takes the place of
    one), "gone", or "text" (it holds no secrets).
    """

    kind: str
    paths: frozenset[Path] = frozenset()


class Outcome(NamedTuple):
    """How a verb ends, what it changes, and what ``revoke`` lists: the paths of values by file."""

    code: int = OK
    changes: Mapping[str, Change] = {}
    listed: Mapping[str, frozenset[str]] = {}


class Sealed:
    """A base or a part. ``kind`` is Secret, ConfigMap, or empty for a flat file."""

    def __init__(
        self, kind: str, clear: Mapping[Path, str], values: Mapping[Path, Value], readers: Iterable[str]
    ) -> None:
        self.kind = kind
        self.clear = dict(clear)
        self.values = dict(values)
        self.readers = set(readers)

    def place(self, key: str, content: bytes) -> tuple[Path, str] | None:
        """Where the value of a key goes, and as what; None where bytes would have to stand for text."""
        text: str | None = None
        with suppress(UnicodeDecodeError):
            text = content.decode()
        if not self.kind:
            return None if text is None else ((key,), text)
        # stringData wins over data, so a key that stands in both is replaced there.
        order = (TEXT_SECTION[self.kind], ENCODED_SECTION[self.kind])
        standing = [section for section in order if (section, key) in self.values]
        section = standing[0] if standing else order[text is None]
        if section == order[1]:
            return (section, key), b64encode(content).decode()
        return None if text is None else ((section, key), text)

    def contents(self) -> dict[str, Value | bytes]:
        """What a program gets to see: of a manifest bytes, of a flat file its values."""
        if not self.kind:
            return {path[0]: value for path, value in self.values.items()}
        encoded, text = ENCODED_SECTION[self.kind], TEXT_SECTION[self.kind]
        found: dict[str, Value | bytes] = {
            path[1]: b64decode(str(value), validate=True) for path, value in self.values.items() if path[0] == encoded
        }
        found |= {path[1]: str(value).encode() for path, value in self.values.items() if path[0] == text}
        return found

    def listing(self) -> frozenset[str]:
        """The paths of what is sealed: empty text is not."""
        return frozenset(".".join(path) for path, value in self.values.items() if value != "")


class Model:
    """The repository: its rules, its names and its files, parts among them."""

    def __init__(self, rules: Mapping[str, Iterable[str]], named: Iterable[str], only_encrypted: Iterable[str]) -> None:
        self.rules = {environment: set(people) for environment, people in rules.items()}
        self.named = set(named)
        self.only_encrypted = frozenset(only_encrypted)
        """The environments whose clear fields are not under the MAC."""
        self.files: dict[str, Sealed] = {}

    def bases(self, environment: str = "") -> list[str]:
        """The files that are no parts, of one environment or of all."""
        return [name for name in self.files if not is_part(name) and environment in ("", environment_of(name))]

    def parts(self, base: str) -> list[str]:
        """The parts of a file, in the order in which they are read."""
        folder, suffix = folder_of(base), suffix_of(base)
        return sorted(name for name in self.files if name.startswith(folder) and name.endswith(suffix))

    def part(self, base: str, key: str) -> str:
        """Where the part for a key is, or would be."""
        return folder_of(base) + key + suffix_of(base)

    def effective(self, base: str) -> dict[str, Value | bytes] | None:
        """What a file and its parts hold together; None where a part has bytes for a key that is text."""
        file = self.files[base]
        found = file.contents()
        for part in self.parts(base):
            for key, content in self.files[part].contents().items():
                if file.place(key, as_bytes(content)) is None:
                    return None
                found[key] = content
        return found

    def opens(self, person: str, names: Iterable[str]) -> bool:
        """Tell whether somebody opens all of these files."""
        return all(person in self.files[name].readers for name in names)

    def decrypt(self, person: str, base: str) -> Outcome:
        """Show a file and its parts as one."""
        if not self.opens(person, [base, *self.parts(base)]):
            return Outcome(NO_KEY)
        return Outcome(FAILED if self.effective(base) is None else OK)

    def add(self, person: str, base: str, key: str, content: bytes) -> Outcome:
        """Put a key into a file, or beside it."""
        file = self.files[base]
        if not content:
            return Outcome(BAD_VALUE)
        placed = file.place(key, content)
        if placed is None:
            return Outcome(FAILED)
        path, value = placed
        part = self.part(base, key)
        if person in file.readers:
            file.values[path] = value
            changes = {base: Change("set", frozenset([path]))}
            if self.files.pop(part, None) is not None:
                changes[part] = Change("gone")
            return Outcome(OK, changes)
        clear = {where: text for where, text in file.clear.items() if where != IMAGE}
        self.files[part] = Sealed(file.kind, clear, {path: value}, self.rules[environment_of(base)])
        return Outcome(OK, {part: Change("new")})

    def set(self, person: str, base: str, path: Path, value: Value) -> Outcome:
        """Put a value into a file alone."""
        file = self.files[base]
        in_clear = path == IMAGE
        if person not in file.readers and not (in_clear and environment_of(base) in self.only_encrypted):
            return Outcome(NO_KEY)
        if in_clear:
            file.clear[path] = str(value)
        else:
            file.values[path] = value
        return Outcome(OK, {base: Change("set", frozenset([path]))})

    def unset(self, person: str, base: str, path: Path) -> Outcome:
        """Take a value out of a file alone. Which there are, everybody sees."""
        file = self.files[base]
        if path not in file.values:
            return Outcome(FAILED)
        if person not in file.readers:
            return Outcome(NO_KEY)
        del file.values[path]
        return Outcome(OK, {base: Change("set", frozenset([path]))})

    def fold(self, person: str, base: str) -> Outcome:
        """Make one file of a base and its parts."""
        parts = self.parts(base)
        if not parts:
            return Outcome()
        if not self.opens(person, [base, *parts]):
            return Outcome(NO_KEY)
        if self.effective(base) is None:
            return Outcome(FAILED)
        file = self.files[base]
        folded = self._folded(base)
        changed = {path for path, value in folded.items() if file.values.get(path) != value}
        file.values = folded
        for part in parts:
            del self.files[part]
        changes = {part: Change("gone") for part in parts}
        return Outcome(OK, {**changes, base: Change("set", frozenset(changed))} if changed else changes)

    def rotate(self, person: str, name: str) -> Outcome:
        """Give one file, base or part, a new data key."""
        return Outcome(OK, {name: Change("anew")}) if self.opens(person, [name]) else Outcome(NO_KEY)

    def grant(self, person: str, environments: Sequence[str], who: str, *, request: bool) -> Outcome:
        """Let somebody read environments."""
        lacking = [name for name in self._of(environments) if who not in self.files[name].readers]
        if not request and not self.opens(person, lacking):
            return Outcome(NO_KEY)
        changes = {NAMES: Change("text")} if who not in self.named else {}
        if any(who not in self.rules[environment] for environment in environments):
            changes[RULES] = Change("text")
        self.named.add(who)
        for environment in environments:
            self.rules[environment].add(who)
        if not request:
            for name in lacking:
                self.files[name].readers.add(who)
                changes[name] = Change("wrapped")
        return Outcome(OK, changes)

    def revoke(self, person: str, environments: Sequence[str], who: str, *, request: bool) -> Outcome:
        """Let somebody read environments no longer."""
        if any(self.rules[environment] == {who} for environment in environments):
            return Outcome(FAILED)
        reading = [name for name in self._of(environments) if who in self.files[name].readers]
        listed = {}
        changes = {}
        if any(who in self.rules[environment] for environment in environments):
            changes[RULES] = Change("text")
        if not request:
            if not self.opens(person, reading):
                return Outcome(NO_KEY)
            if any(self.files[name].readers == {who} for name in reading):
                return Outcome(FAILED)
            for name in reading:
                self.files[name].readers.discard(who)
                changes[name] = Change("anew")
                listed[name] = self.files[name].listing()
        for environment in environments:
            self.rules[environment].discard(who)
        return Outcome(OK, changes, listed)

    def behind(self, environment: str = "") -> list[str]:
        """The files that others open than their rule says."""
        names = [name for name in self.files if environment in ("", environment_of(name))]
        return [name for name in names if self.files[name].readers != self.rules[environment_of(name)]]

    def sync(self, person: str, environment: str = "") -> Outcome:
        """Bring files in line with the rules; what a person cannot open stays, and the others go on."""
        code, changes = OK, {}
        for name in self.behind(environment):
            file, wanted = self.files[name], self.rules[environment_of(name)]
            if person not in file.readers:
                code = NO_KEY
                continue
            # Whoever goes knows the data key.
            changes[name] = Change("anew" if file.readers - wanted else "wrapped")
            file.readers = set(wanted)
        return Outcome(code, changes)

    def copy_key(self, person: str, source: str, target: str, path: Path, *, keep: bool) -> Outcome:
        """Copy one value of a file and its parts; from one environment to another only when that is insisted on."""
        if not self.opens(person, [source, *self.parts(source)]):
            return Outcome(NO_KEY)
        if self.effective(source) is None:
            return Outcome(FAILED)
        if target not in self.files:
            return Outcome(NO_FILE)
        if not self.opens(person, [target]):
            return Outcome(NO_KEY)
        value = self._folded(source).get(path)
        values = self.files[target].values
        beaten = self.files[target].kind == "Secret" and path[0] == "data" and ("stringData", path[1]) in values
        if value is None or beaten:
            return Outcome(FAILED)
        if values.get(path) == value:
            return Outcome()
        if value != "" and not keep and environment_of(source) != environment_of(target):
            return Outcome(FAILED)
        values[path] = value
        return Outcome(OK, {target: Change("set", frozenset([path]))})

    def copy_file(self, person: str, source: str, target: str, *, keep: bool, written: bool) -> Outcome:
        """Copy a file with its parts, as one, over another file, or where none is.

        ``written``: whether that changed a byte. Files with the same values may differ in their layout, which is not
        modelled.
        """
        if not self.opens(person, [source, *self.parts(source)]):
            return Outcome(NO_KEY)
        if self.effective(source) is None:
            return Outcome(FAILED)
        if target in self.files and not self.opens(person, [target]):
            return Outcome(NO_KEY)
        file, there, values = self.files[source], self.files.get(target), self._folded(source)
        own = {} if there is None else there.values
        if any(value != "" and path not in values for path, value in own.items()):
            return Outcome(FAILED)
        shared = [path for path, value in values.items() if value != "" and own.get(path) != value]
        if shared and not keep:
            return Outcome(FAILED)
        if not written and there is not None and (own, there.clear) == (values, file.clear):
            return Outcome()
        wanted = self.rules[environment_of(target)]
        change = Change("new")
        if there is not None and there.readers == wanted:
            paths = {path for path in {**values, **own} if own.get(path) != values.get(path)}
            change = Change("set", frozenset((*paths, IMAGE)))
        self.files[target] = Sealed(file.kind, file.clear, values, wanted)
        return Outcome(OK, {target: change})

    def _folded(self, base: str) -> dict[Path, Value]:
        """The values of a base with those of its parts in their places; ``effective`` told that they fit."""
        file = self.files[base]
        folded = Sealed(file.kind, file.clear, file.values, file.readers)
        for part in self.parts(base):
            for key, content in self.files[part].contents().items():
                placed = folded.place(key, as_bytes(content))
                assert placed is not None
                folded.values[placed[0]] = placed[1]
        return folded.values

    def _of(self, environments: Sequence[str]) -> list[str]:
        return [name for name in self.files if environment_of(name) in environments]


def environment_of(name: str) -> str:
    """The environment of a file: its second folder."""
    return name.split("/")[1]


def is_part(name: str) -> bool:
    """Tell parts from bases."""
    return ".d/" in name


def folder_of(base: str) -> str:
    """Where the parts of a file are."""
    return base.removesuffix(suffix_of(base)) + ".d/"


def suffix_of(name: str) -> str:
    """The suffix of a file."""
    return name[name.rindex(".") :]


def as_bytes(content: Value | bytes) -> bytes:
    """A value as it is read from standard input."""
    return content if isinstance(content, bytes) else str(content).encode()
