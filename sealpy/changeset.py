"""What differs between two states of a repository, as values: what every command of review is a view of.

    ChangeSet[V]                 the range, and a stream of
      └── FileChange[V]          one file that differs: how it stands, what is wrong with it, who reads it
            ├── Access           recipients, thresholds, selection, data key
            ├── Fault            what does not fit: MAC, a value that does not open, metadata, text
            └── ObjectChange[V]  one Kubernetes object, or one document
                  └── Change[V]  one key

``V`` is ``RevealedValue`` or ``RedactedValue``. A comparison makes a ``ChangeSet[RevealedValue]``; ``redact``
turns it into one that holds no plaintext, before a renderer sees it. A renderer says by its type which it takes.
"""

from collections.abc import Iterable, Iterator
from typing import Generic, Literal, NamedTuple, Protocol, TypeVar

from sealpy.document import Path
from sealpy.redaction import PublicValue, RedactedValue, RevealedValue

V = TypeVar("V", bound=RevealedValue | RedactedValue)

Operation = Literal["added", "removed", "changed", "renamed", "moved"]
"""``renamed``: another key, the same value. ``moved``: from ``data`` to ``stringData`` or back, the same bytes."""

Certainty = Literal["known", "certain", "probable", "unknown"]
"""How sure it is that a value changed. ``known``: both were opened or are in clear. The others are what can be
said without a key: ``certain`` (length or type differ), ``probable`` (only some values have new ciphertext),
``unknown`` (all have)."""

Standing = Literal["opened", "opaque", "unreadable", "clear", "other"]
"""Each changed file is exactly one of these. ``opened``: sealed, and read. ``opaque``: sealed, and no key here
opens it. ``unreadable``: meant to be sealed, but no document or no metadata. ``clear``: a Kubernetes Secret
that is not sealed. ``other``: no secret, not looked into."""

State = Literal["absent", "opened", "opaque", "unreadable", "clear", "other"]
"""How one version of a file stands; ``absent``: there is none."""

Happening = Literal["added", "removed", "changed", "renamed"]

KeyRelation = Literal["same", "rotated", "unknown", "none"]
"""The data key of the new version against the old: ``none`` where one of them is not sealed."""


class Snapshot(NamedTuple):
    """One state of the files: a commit, the index, the worktree, or files outside git."""

    label: str
    """What the user calls it."""
    commit: str = ""
    """The commit's object id; empty where it is none."""


class Range(NamedTuple):
    """What is compared with what."""

    old: Snapshot
    new: Snapshot
    from_merge_base: bool = False
    """Whether the old side is where ``new`` left ``old``; ``merge_base`` is that commit, where it is known."""
    merge_base: str = ""


class FileVersion(NamedTuple):
    """One version of a file. ``data`` is None where it is no regular file, too large, or not to be had."""

    path: bytes
    mode: int
    """As git has it: 0o100644, 0o100755, 0o120000 (symbolic link), 0o160000 (submodule)."""
    blob: str
    """The object id; empty for a file of the worktree."""
    data: bytes | None
    problem: str = ""
    """Why there are no data."""
    missing: bool = False
    """Whether this clone lacks the content; then nobody can say what the file is."""

    def __repr__(self) -> str:
        return f"<FileVersion {self.path!r}>"


class Fault(NamedTuple):
    """What does not fit in one version of a file. ``message`` holds no value."""

    side: Literal["old", "new"]
    kind: Literal["mac", "value", "metadata", "text", "key", "missing", "internal", "note"]
    """``value``: one that does not open, or stands in clear where the file's rule says sealed. ``key``: a master key
    or its service is broken. ``missing``: the content is not in this clone. ``internal``: a fault of ours. ``note``:
    worth knowing, nothing wrong."""
    message: str
    path: Path = ()
    hint: str = ""

    @property
    def breaks_integrity(self) -> bool:
        """Whether the new version is not what somebody with the key sealed."""
        return self.side == "new" and self.kind in ("mac", "value", "metadata", "text")


class Change(NamedTuple, Generic[V]):
    """What happened to one key, comment or empty container."""

    operation: Operation
    path: Path
    """Below the object; of a comment, the container's. In the new version, or of what was removed."""
    was: Path | None
    """The old path, where it is another."""
    old: V | RedactedValue | PublicValue | None
    new: V | RedactedValue | PublicValue | None
    """A ``RedactedValue`` among revealed ones is a value that no key here opens."""
    sealed: tuple[bool, bool]
    """Whether it stood sealed before, and stands sealed now."""
    authenticated: bool | None
    """Whether the new version's MAC vouches for the change: somebody with the data key made it. None: unchecked. Of a
    clear value this is as much as a hash without names and borders can say."""
    certainty: Certainty = "known"
    note: str = ""
    """A remark in words of our own."""
    part: bytes = b""
    """The part of the file that the new value stands in, or else the old one."""


class Identity(NamedTuple):
    """A Kubernetes object's name; of any other document, only its number in the stream."""

    kind: str
    namespace: str
    name: str
    document: int
    api_version: str = ""

    def __str__(self) -> str:
        if not self.kind:
            return f"document {self.document + 1}"
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}".rstrip()


class ObjectChange(NamedTuple, Generic[V]):
    """One object or document: added, removed, changed, or changed under another name."""

    identity: Identity
    was: Identity | None
    happening: Happening
    changes: tuple[Change[V], ...]


class Recipient(NamedTuple):
    """A master key of a file. The list is the file's own claim; nothing vouches for it but who can open it."""

    backend: str
    label: str
    group: int


class Setting(NamedTuple):
    """A field of the metadata that changed. Not under the MAC, ever."""

    name: str
    old: str
    new: str


class Access(NamedTuple):
    """Who can read the file, and how that changed."""

    recipients: tuple[Recipient, ...]
    """Those of the new version, or of the old where there is no new."""
    added: tuple[Recipient, ...]
    removed: tuple[Recipient, ...]
    settings: tuple[Setting, ...]
    data_key: KeyRelation
    rewrapped: bool
    """The same data key wrapped anew for at least one recipient that stayed."""

    @property
    def changed(self) -> bool:
        """Whether who reads the file, or what is sealed in it, changed."""
        return bool(self.added or self.removed or self.settings)


class PartChange(NamedTuple):
    """A part of a file that came, went or changed. Whoever can push can write one."""

    path: bytes
    happening: Happening
    beyond: tuple[str, ...] = ()
    """The recipients that it has, as it is now, and its file has not."""
    lacking: tuple[str, ...] = ()
    """Those that its file has, and it has not."""


class FileChange(NamedTuple, Generic[V]):
    """One file that differs, or whose parts do."""

    path: bytes
    old_path: bytes | None
    happening: Happening
    standing: Standing
    states: tuple[State, State]
    format: str
    objects: tuple[ObjectChange[V], ...] = ()
    access: Access | None = None
    faults: tuple[Fault, ...] = ()
    unchanged: int = 0
    """Secret values that stand as they stood."""
    resealed: int = 0
    """Secret values with new ciphertext and the same plaintext."""
    unknown: int = 0
    """Sealed values of which nobody without a key can tell whether they changed."""
    mac: Literal["ok", "bad", "absent", "unchecked", "none"] = "none"
    """Of the new version; ``none`` where it is not sealed."""
    needs: tuple[str, ...] = ()
    """Whom to ask: the master keys of a version that no key here opens."""
    modes: tuple[int, int] = (0, 0)
    sizes: tuple[int, int] = (-1, -1)
    note: str = ""
    """What else to say about it, in words of our own."""
    parts: tuple[PartChange, ...] = ()
    """The parts that differ; what they hold is compared with the file, as one."""
    counts: int = 1
    """How many changed files this is about: itself, if it is among them, and its parts."""

    @property
    def differs(self) -> bool:
        """Whether anything but ciphertext and layout differs."""
        if self.standing == "other" or self.happening != "changed" or self.unknown:
            return True
        if any(fault.breaks_integrity for fault in self.faults) or "unreadable" in self.states:
            return True
        return bool(self.objects or (self.access is not None and self.access.changed))


class Totals:
    """Accounts for every file of the range; grows as a ``ChangeSet`` is read.

    ``tally`` has each file exactly once: ``changed`` and ``same`` (nothing but ciphertext and layout differs) are
    secrets that were read, the others stand as ``Standing`` says.
    """

    __slots__ = ("broken", "closed", "failed", "missing", "tally", "unchanged")

    def __init__(self) -> None:
        self.tally = {"changed": 0, "same": 0, "opaque": 0, "unreadable": 0, "clear": 0, "other": 0}
        self.broken = 0
        """Files that are not what somebody with the key sealed."""
        self.closed = 0
        """Files of which a version could not be decrypted."""
        self.missing = 0
        """Files whose content is not in this clone."""
        self.failed = 0
        """Files that we failed on."""
        self.unchanged = 0
        """Where no file differs at all: how many there are."""

    @property
    def files(self) -> int:
        """How many files differ at all."""
        return sum(self.tally.values())

    @property
    def differ(self) -> int:
        """In how many files a secret, or who reads it, changed, or may have."""
        return self.files - self.tally["same"] - self.tally["other"]

    def count(self, file: FileChange[V]) -> None:
        """Add one file."""
        if file.standing in ("opened", "opaque") and not file.differs:
            self.tally["same"] += file.counts
        else:
            self.tally["changed" if file.standing == "opened" else file.standing] += file.counts
        self.broken += any(fault.breaks_integrity for fault in file.faults)
        self.missing += any(fault.kind == "missing" for fault in file.faults)
        self.failed += any(fault.kind == "internal" for fault in file.faults)
        self.closed += "opaque" in file.states or any(fault.kind == "value" for fault in file.faults)


class ChangeSet(Generic[V]):
    """The changed files between two snapshots, in order of their paths; to be read once."""

    __slots__ = ("_files", "range", "totals")

    def __init__(self, compared: Range, files: Iterable[FileChange[V]]) -> None:
        self.range = compared
        self.totals = Totals()
        self._files = files

    def __iter__(self) -> Iterator[FileChange[V]]:
        for file in self._files:
            self.totals.count(file)
            yield file


class Renderer(Protocol[V]):
    """Writes a set of changes. One that takes only redacted values cannot leak."""

    def render(self, changes: ChangeSet[V]) -> Iterator[str]:
        """Return the report piece by piece, so that the first is out before the last file is read."""


def redact(changes: ChangeSet[RevealedValue]) -> ChangeSet[RedactedValue]:
    """Take every secret value out; what changed was decided before."""
    redacted = ChangeSet(changes.range, (redact_file(file) for file in changes))
    redacted.totals.unchanged = changes.totals.unchanged
    return redacted


def redact_file(file: FileChange[RevealedValue]) -> FileChange[RedactedValue]:
    """Take every secret value out of one file's changes."""
    objects = tuple(
        ObjectChange(one.identity, one.was, one.happening, tuple(_redact_change(change) for change in one.changes))
        for one in file.objects
    )
    return FileChange(*file[:6], objects, *file[7:])  # type: ignore[arg-type]  # mypy cannot follow the slices


def _redact_change(change: Change[RevealedValue]) -> Change[RedactedValue]:
    operation, path, was, old, new, *rest = change
    return Change(operation, path, was, _redacted(old), _redacted(new), *rest)  # type: ignore[arg-type]


def _redacted(value: RevealedValue | RedactedValue | PublicValue | None) -> RedactedValue | PublicValue | None:
    return value.redacted() if isinstance(value, RevealedValue) else value
