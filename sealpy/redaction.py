"""What a report may hold of a value: the value itself, or only what it is like.

Comparison makes ``RevealedValue``. Before anything is rendered for a place where values must not appear, the
whole set of changes is turned into one of ``RedactedValue``, which has nowhere to keep a plaintext: a renderer
that takes redacted values cannot leak by mistake. ``PublicValue`` is text that stands in clear in the file and
is not a secret by its place.
"""

from typing import NamedTuple

from sealpy.secret import Secret


class PublicValue(NamedTuple):
    """What anybody who sees the repository reads: a clear field, a clear comment."""

    kind: str
    text: str


class RedactedValue(NamedTuple):
    """What a secret value is like: its type, and how many bytes it has.

    ``size`` is None where it would tell the value (a boolean has four bytes or five) or is not known. The type
    and the size of a sealed value are plain to see in the file.
    """

    kind: str
    size: int | None


class RevealedValue:
    """A secret value in clear, as bytes: what the workload gets, base64 of a Kubernetes Secret decoded."""

    __slots__ = ("content", "kind")

    def __init__(self, kind: str, content: Secret[bytes]) -> None:
        self.kind = kind
        self.content = content

    def __repr__(self) -> str:
        return f"<RevealedValue {self.kind}>"

    def redacted(self) -> RedactedValue:
        """Forget the value."""
        return RedactedValue(self.kind, None if self.kind == "bool" else len(self.content.expose()))
