"""Wraps and unwraps a data key over the key groups of a file.

In one group each master key wraps the whole data key, and one of them is enough. In several, each group holds one
Shamir share of it, and ``threshold`` groups are needed.
"""

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, TypeVar

from sealpy.errors import DataKeyUnavailable, KeyAccessError, KeyServiceError, NotMyKey, Refused
from sealpy.keys import Backend, WrappedKey
from sealpy.secret import DATA_KEY_BYTES, DataKey, KeyPart
from sealpy.shamir import SHARE_BYTES, combine, split

if TYPE_CHECKING:
    from sealpy.metadata import Metadata

DEFAULT_ORDER = ("age", "pgp")

# More files than most repositories have; a few hundred bytes each.
_REMEMBERED = 16_384
_SHOWN_LABELS = 20


class Keyring:
    """The keys of one environment: make a new one when keys may have changed.

    What was unwrapped is remembered by its text, and a master key that did not open is not asked again, so that
    many files mean one prompt. Safe to share between threads, and after a fork: there is no lock, only single
    operations on dictionaries, and the worst of a race is that something is unwrapped twice.
    """

    __slots__ = ("_backends", "_order", "_parts", "_refused", "_shown")

    def __init__(
        self,
        backends: Callable[[str], Backend],
        order: Sequence[str] = DEFAULT_ORDER,
        *,
        shown: Callable[[str], str] | None = None,
    ) -> None:
        """Take the back ends by name; ``shown`` writes the label of a master key for people, by its name."""
        self._shown = shown or _plain
        self._backends = backends
        self._order = {name: place for place, name in enumerate(order)}
        self._parts: dict[object, KeyPart] = {}
        self._refused: dict[tuple[str, str], tuple[str, str | None]] = {}

    def open(self, metadata: "Metadata") -> DataKey:
        """Return the data key of a file.

        Raises:
            DataKeyUnavailable: too few groups open. It says who could, what was tried, and the next step.
        """
        groups = metadata.groups
        alone = len(groups) == 1
        needed = metadata.quorum
        parts: list[KeyPart] = []
        failures: list[tuple[str, KeyAccessError]] = []
        for group in groups:
            part = self._open_group(group, DATA_KEY_BYTES if alone else SHARE_BYTES, failures)
            if part is not None:
                parts.append(part)
            if len(parts) == needed:
                return DataKey(parts[0].expose()) if alone else combine(parts)
        raise _unavailable(failures, needed - len(parts), len(groups), self._shown)

    def close(
        self, data_key: DataKey, groups: Sequence[Sequence[tuple[str, str]]], threshold: int = 0
    ) -> tuple[tuple[WrappedKey, ...], ...]:
        """Wrap a data key for every master key of every group, each given as (back end, text).

        With several groups each gets a share, and ``threshold`` of them open the file; 0 stands for all.

        Raises:
            KeyServiceError, BackendMissing: a master key cannot be wrapped for; nothing is written then.
            Refused: a threshold that does not go with the number of groups, or a group without a key.
        """
        if not all(groups):
            raise Refused("a key group has no key", hint="name a key for each group")
        if len(groups) == 1:
            parts = [KeyPart(data_key.expose())]
        else:
            parts = split(data_key, len(groups), threshold or len(groups))
        return tuple(
            tuple(WrappedKey(name, self._backends(name).wrap(text, part)) for name, text in group)
            for part, group in zip(parts, groups, strict=True)
        )

    def _open_group(
        self, group: Sequence[WrappedKey], size: int, failures: list[tuple[str, KeyAccessError]]
    ) -> KeyPart | None:
        for key in group:
            known = self._parts.get(_enc(key))
            if known is not None and len(known.expose()) == size:
                return known
        # What one group needs no order, and most groups are of one.
        for key in sorted(group, key=self._rank) if len(group) > 1 else group:
            try:
                return self._unwrap(key, size)
            except KeyAccessError as error:
                # Whatever is wrong with one master key, another of the group may do.
                failures.append((key.label, error))
        return None

    def _rank(self, key: WrappedKey) -> tuple[int, bool]:
        """Go by the user's order of back ends; within one, first what is ours for certain and asks nobody."""
        return self._order.get(key.backend, len(self._order)), not self._recognises(key)

    def _recognises(self, key: WrappedKey) -> bool:
        try:
            recognises = getattr(self._backends(key.backend), "recognises", None)
        except KeyAccessError:
            return False
        return recognises is not None and bool(recognises(key.entry))

    def _unwrap(self, key: WrappedKey, size: int) -> KeyPart:
        name = (key.backend, key.label)
        refusal = self._refused.get(name)
        if refusal is not None:
            raise NotMyKey(refusal[0], hint=refusal[1])
        part = None
        try:
            part = self._backends(key.backend).unwrap(key.entry)
        except NotMyKey as error:
            # A label is a claim that anybody can write. Where its identity is at hand and does not fit, this entry
            # lies, and others of that label may open; they are tried without a prompt.
            if not self._recognises(key):
                _remember(self._refused, name, (error.message, error.hint))
                raise
        if part is None:
            raise NotMyKey(
                "its identity is here and does not fit, so the entry was made for another key, or is damaged",
                hint="restore the file from git, or have it encrypted again",
            )
        if len(part.expose()) != size:
            raise KeyServiceError("what it wraps is no data key")
        _remember(self._parts, _enc(key), part)
        return part


K = TypeVar("K")
V = TypeVar("V")


def _remember(memory: dict[K, V], key: K, value: V) -> None:
    if len(memory) >= _REMEMBERED:
        memory.clear()
    memory[key] = value


def _enc(key: WrappedKey) -> str:
    return str(key.entry.get("enc"))


def _unavailable(
    failures: Sequence[tuple[str, KeyAccessError]], missing: int, groups: int, shown: Callable[[str], str]
) -> DataKeyUnavailable:
    """Say for whom the file is sealed, what was tried for each, and the next step; the same reason once."""
    by_reason: dict[str, list[str]] = {}
    for label, error in failures:
        by_reason.setdefault(error.message, []).append(shown(label))
    reasons = [f"it is sealed for {_listed(dict.fromkeys(labels))}; {why}" for why, labels in by_reason.items()]
    lead = "no key here opens it" if groups == 1 else f"{missing} more of its {groups} key groups must open"
    hints = dict.fromkeys(error.hint for _, error in failures if error.hint)
    return DataKeyUnavailable(
        ": ".join([lead, "; ".join(reasons)] if reasons else [lead]),
        hint="; ".join(hints) or "ask one of its recipients to add your key",
        attempts=[(_public(label), error.message) for label, error in failures],
    )


def _listed(labels: Collection[str]) -> str:
    shown = [*labels][:_SHOWN_LABELS]
    more = len(labels) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _public(label: str) -> str:
    return "a private key, which does not belong there" if "AGE-SECRET-KEY-" in label.upper() else label


def _plain(label: str) -> str:
    """Return a label, which comes from the file, as something that is safe and short enough to print."""
    from sealpy.project import plain  # compiles patterns that only a failure needs

    return plain(label)
