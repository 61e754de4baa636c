"""age identities: the private keys that open what was wrapped for a recipient.

An identity file has one identity a line; ``#`` lines and empty lines do not count. A file can be locked with a
passphrase. As in sops, one bad line makes the whole source unusable: what opens here opens there.
"""

from collections.abc import Iterable
from typing import Protocol

import pyrage  # type: ignore[import-untyped]

from sealpy.errors import KeyServiceError, NotMyKey
from sealpy.keys.age_plugin import Prompt
from sealpy.keys.exclusive import Exclusive
from sealpy.secret import Secret

LOCKED_STARTS = (b"age-encryption", b"-----BEGIN AGE")
"""How a passphrase-locked identity file begins, binary or armored."""

_NO_MATCH = "No matching keys found"


class Identity(Protocol):
    """One identity to try. It may tell its recipients; it never shows itself."""

    @property
    def recipients(self) -> tuple[str, ...]:
        """The public keys that are known to belong to it."""

    @property
    def patient(self) -> bool:
        """Whether trying it may ask a person or run a program, and so comes last."""

    @property
    def problem(self) -> str | None:
        """Why it turned out to be of no use: a wrong passphrase, a plugin that is not installed."""

    def fits(self, recipient: str) -> bool:
        """Tell, at no cost, whether it belongs to a recipient."""

    def open(self, wrapped: bytes) -> bytes:
        """Return the content of a binary age file.

        Raises:
            NotMyKey: the file is not for it, or it is of no use.
            KeyServiceError: the file is damaged.
        """


class X25519Identity:
    """An ``AGE-SECRET-KEY-1…``."""

    __slots__ = ("_native", "recipients", "text")
    patient = False
    problem: str | None = None

    def __init__(self, text: str, native: object) -> None:
        self._native = [native]
        self.text = Secret(text)
        self.recipients: tuple[str, ...] = (str(native.to_public()),)  # type: ignore[attr-defined]

    def fits(self, recipient: str) -> bool:
        return recipient in self.recipients

    def open(self, wrapped: bytes) -> bytes:
        return open_natively(wrapped, self._native)


class PostQuantumIdentity:
    """An ``AGE-SECRET-KEY-PQ-1…``. Its public key is worked out only when a file asks for such a one."""

    __slots__ = ("_seed", "text")
    patient = False
    problem: str | None = None

    def __init__(self, text: str) -> None:
        from sealpy.keys import age_pq  # rare, and it needs more of cryptography than all the rest

        seed = age_pq.parse_identity(text)
        if seed is None:
            raise ValueError
        self._seed = seed
        self.text = Secret(text)

    @property
    def recipients(self) -> tuple[str, ...]:
        return (self._seed.recipient(),)

    def fits(self, recipient: str) -> bool:
        return recipient.startswith("age1pq1") and recipient in self.recipients

    def open(self, wrapped: bytes) -> bytes:
        return self._seed.open(wrapped)


class PluginIdentity:
    """An ``AGE-PLUGIN-NAME-1…``. Only its program knows its recipient, so it is tried on everything, last."""

    __slots__ = ("_native", "_prompt", "problem", "text")
    patient = True
    recipients: tuple[str, ...] = ()

    def __init__(self, text: str, prompt: Prompt | None) -> None:
        from sealpy.keys import age_plugin

        self._native = age_plugin.parse_identity(text)
        if self._native is None:
            raise ValueError
        self._prompt = prompt
        self.problem: str | None = None
        self.text = Secret(text)

    def fits(self, recipient: str) -> bool:
        return False

    def open(self, wrapped: bytes) -> bytes:
        from sealpy.keys import age_plugin

        try:
            return age_plugin.unwrap(self._native, wrapped, self._prompt)
        except KeyServiceError as error:
            self.problem = error.message
        raise NotMyKey(self.problem)


TextIdentity = X25519Identity | PostQuantumIdentity | PluginIdentity


class LockedFile:
    """An identity file under a passphrase. The person is asked once, when nothing else has opened a file."""

    __slots__ = ("_content", "_exclusive", "_inside", "_prompt", "_where", "problem")

    def __init__(self, content: bytes, where: str, prompt: Prompt | None) -> None:
        self._content = content
        self._where = where
        self._prompt = prompt
        self._inside: list[TextIdentity] | None = None
        self._exclusive = Exclusive()
        self.problem: str | None = None

    @property
    def patient(self) -> bool:
        return self._inside is None and self.problem is None

    @property
    def recipients(self) -> tuple[str, ...]:
        return tuple(recipient for identity in self._inside or () for recipient in identity.recipients)

    def fits(self, recipient: str) -> bool:
        return any(identity.fits(recipient) for identity in self._inside or ())

    def open(self, wrapped: bytes) -> bytes:
        try:
            inside = self.unlock()
        except KeyServiceError:
            inside = []
        for identity in inside:
            try:
                return identity.open(wrapped)
            except NotMyKey:
                continue
        raise NotMyKey(self.problem or "the locked identity file has no fitting identity")

    def unlock(self) -> list[TextIdentity]:
        """Ask for the passphrase, once, and return the identities inside.

        Raises:
            KeyServiceError: no or a wrong passphrase; also on every later call.
        """
        with self._exclusive:
            if self.patient:
                try:
                    self._inside = self._unlocked()
                except KeyServiceError as error:
                    self.problem = error.message
        if self._inside is None:
            raise KeyServiceError(self.problem or "it is locked")
        return self._inside

    def _unlocked(self) -> list[TextIdentity]:
        question = f"passphrase for {self._where}"
        passphrase = None if self._prompt is None else self._prompt.ask_secret(question)
        if not passphrase:
            raise KeyServiceError("it is locked with a passphrase, and none was given")
        try:
            content = bytes(pyrage.passphrase.decrypt(self._content.strip(), passphrase.expose()))
        except pyrage.DecryptError:
            content = None
        if content is None:
            raise KeyServiceError("the passphrase does not unlock it")
        return parse_lines(content.decode("utf-8", "surrogateescape"), prompt=self._prompt)


def generate() -> X25519Identity:
    """Draw a fresh identity."""
    native = pyrage.x25519.Identity.generate()
    return X25519Identity(str(native), native)


def parse_source(
    content: bytes, where: str, *, words: bool = False, prompt: Prompt | None = None
) -> list[TextIdentity | LockedFile]:
    """Read a source of identities, which may be locked.

    ``words`` allows several identities on a line, as sops does in its environment variable.

    Raises:
        KeyServiceError: a line is no identity; the message has its number and nothing of it.
    """
    if content.startswith(LOCKED_STARTS):
        return [LockedFile(content, where, prompt)]
    return list(parse_lines(content.decode("utf-8", "surrogateescape"), words=words, prompt=prompt))


def parse_lines(text: str, *, words: bool = False, prompt: Prompt | None = None) -> list[TextIdentity]:
    """Read unlocked identities, one a line.

    Raises:
        KeyServiceError: a line is no identity; the message has its number and nothing of it.
    """
    identities: list[TextIdentity] = []
    for number, line in enumerate(text.removesuffix("\r").replace("\r\n", "\n").split("\n"), 1):
        if not line or line.startswith("#"):
            continue
        for word in line.split() if words else (line,):
            identity = _parse(word, prompt)
            if identity is None:
                why = _why_not(word)
                raise KeyServiceError(f"line {number} is not an age identity{why}")
            identities.append(identity)
    return identities


def open_natively(wrapped: bytes, natives: Iterable[object]) -> bytes:
    """Let pyrage unwrap with identities that need nobody's help.

    Raises:
        NotMyKey: none of them fits.
        KeyServiceError: the file is damaged.
    """
    try:
        return bytes(pyrage.decrypt(wrapped, natives))
    except pyrage.DecryptError as error:
        # pyrage tells its errors apart by their text alone.
        fits = str(error) != _NO_MATCH
    if fits:
        raise KeyServiceError("the wrapped data key is damaged")
    raise NotMyKey("the identity does not fit")


def _parse(text: str, prompt: Prompt | None) -> TextIdentity | None:
    try:
        if text.startswith("AGE-PLUGIN-"):
            return PluginIdentity(text, prompt)
        if text.startswith("AGE-SECRET-KEY-PQ-1"):
            return PostQuantumIdentity(text)
        if text.startswith("AGE-SECRET-KEY-1"):
            return X25519Identity(text, pyrage.x25519.Identity.from_str(text))
    except (ValueError, pyrage.IdentityError):
        # Neither says more than that the checksum does not fit.
        return None
    return None


def _why_not(text: str) -> str:
    if text.startswith("age1"):
        return ", but a recipient, which is public"
    if text.startswith("AGE-"):
        return ": it is incomplete or mistyped"
    if text != text.strip() and text.strip().startswith("AGE-"):
        return ": there is blank space around it"
    return ""
