"""Values that do not print.

Inside the library every plaintext, data key and identity travels in a ``Secret``. It shows a constant
in ``repr``, ``str`` and f-strings, and cannot be pickled, copied deeply or hashed; ``expose`` is the one
way out, and easy to search for. What the public functions of ``sealpy`` return is plain.

What this cannot do: Python offers no way to wipe memory, and a debugger sees everything.
"""

import os
from typing import Generic, NoReturn, TypeVar

T = TypeVar("T", str, bytes)

DATA_KEY_BYTES = 32


class Secret(Generic[T]):
    """A string or bytes that must be asked for by name."""

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        self._value: T = value

    def expose(self) -> T:
        """Return the bare value. Keep it in the innermost expression."""
        return self._value

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        from hmac import compare_digest

        return compare_digest(_as_bytes(self._value), _as_bytes(other._value))

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret cannot be pickled or copied")

    def __deepcopy__(self, memo: object) -> NoReturn:
        self.__reduce__()


class DataKey(Secret[bytes]):
    """The 32 bytes that seal one file's values."""

    __slots__ = ()

    def __init__(self, value: bytes) -> None:
        if len(value) != DATA_KEY_BYTES:
            raise ValueError("a data key has 32 bytes")
        super().__init__(value)

    @classmethod
    def generate(cls) -> "DataKey":
        """Draw a fresh data key from the system."""
        return cls(os.urandom(DATA_KEY_BYTES))


class KeyPart(Secret[bytes]):
    """What a master key wraps: a data key, or one 33-byte Shamir share of it."""

    __slots__ = ()


def _as_bytes(value: str | bytes) -> bytes:
    return value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
