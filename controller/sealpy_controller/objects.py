"""What is reconciled: Secrets and ConfigMaps by name, and digests that stand for their values.

Decisions are made on digests alone; a value is opened, handed to the target and forgotten.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

Digests = Mapping[str, str]
"""One keyed digest for each key of an object."""

KINDS = ("ConfigMap", "Secret")

_NAMESPACE = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")
_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*")


class Object(NamedTuple):
    """Which object: what Kubernetes tells two of them apart by."""

    namespace: str
    kind: str
    """One of ``KINDS``."""
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"

    @property
    def problem(self) -> str:
        """Say what of it Kubernetes would not take, empty if it would: what is in order is also safe as a path."""
        if self.kind not in KINDS:
            return "kind"
        if not _NAMESPACE.fullmatch(self.namespace):
            return "namespace"
        return "" if _NAME.fullmatch(self.name) else "name"


class Wanted(NamedTuple):
    """An object as the source has it."""

    digests: Digests
    file: str


class Running(NamedTuple):
    """An object as it is found in the target.

    ``damage`` says in plain words what is wrong with it besides the content of its keys; it is empty in order.
    """

    digests: Digests
    damage: tuple[str, ...] = ()


class Entry(NamedTuple):
    """What the inventory knows of an object: what was put there, and from where.

    ``applied`` is None until it was put there for the first time. ``pending`` is set while it is being written, so
    that after a crash neither the old nor the new content is taken for somebody else's.
    """

    file: str
    source: str
    """The repository, branch and folder that it came from, as one text."""
    commit: str
    applied: Digests | None
    pending: Digests | None = None
