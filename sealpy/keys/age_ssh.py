"""SSH private keys as age identities: ed25519 and RSA, locked or not.

The public half of an OpenSSH key stands in clear in its file, so a locked key is only unlocked for a file that
is sealed for it.
"""

from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from typing import NamedTuple

import pyrage  # type: ignore[import-untyped]

from sealpy.errors import BackendMissing, KeyAccessError, KeyServiceError, NotMyKey
from sealpy.keys.age_identity import open_natively
from sealpy.keys.age_plugin import Prompt
from sealpy.keys.age_recipient import without_comment
from sealpy.keys.exclusive import Exclusive

_OPENSSH_BEGIN = b"-----BEGIN OPENSSH PRIVATE KEY-----"
_OPENSSH_END = b"-----END OPENSSH PRIVATE KEY-----"
_MAGIC = b"openssh-key-v1\0"
_USABLE = ("ssh-ed25519", "ssh-rsa")


class _Envelope(NamedTuple):
    recipient: str
    locked: bool


class SshIdentity:
    """One SSH private key. Parsed on first use: an RSA key takes longer than a whole file."""

    __slots__ = ("_content", "_exclusive", "_locked", "_native", "_prompt", "_where", "problem", "recipients")

    def __init__(
        self, content: bytes, recipient: str, *, locked: bool, where: str = "", prompt: Prompt | None = None
    ) -> None:
        self._content = content
        self._locked = locked
        self._where = where
        self._prompt = prompt
        self._native: object | None = None
        self._exclusive = Exclusive()
        self.problem: str | None = None
        self.recipients: tuple[str, ...] = (recipient,)

    @property
    def patient(self) -> bool:
        return self._locked and self._native is None and self.problem is None

    def fits(self, recipient: str) -> bool:
        return recipient.startswith("ssh-") and without_comment(recipient) in self.recipients

    def open(self, wrapped: bytes) -> bytes:
        with self._exclusive:
            if self._native is None and self.problem is None:
                try:
                    content = _unlocked(self._content, self._passphrase()) if self._locked else self._content
                    self._native = _native(content)
                except KeyAccessError as error:
                    self.problem = f"{error.message}; {error.hint}" if error.hint else error.message
        if self._native is None:
            raise NotMyKey(self.problem or "it is not usable")
        return open_natively(wrapped, [self._native])

    def _passphrase(self) -> bytes:
        answer = None if self._prompt is None else self._prompt.ask_secret(f"passphrase for {self._where}")
        if not answer:
            raise KeyServiceError("it is locked with a passphrase, and none was given")
        return answer.expose().encode()


def parse(content: bytes, where: str, *, public: bytes | None = None, prompt: Prompt | None = None) -> SshIdentity:
    """Read a private key file.

    ``public`` is the content of the ``.pub`` file, which only a locked key in the old PEM form needs.

    Raises:
        KeyServiceError: no SSH private key, or one that age cannot use.
    """
    envelope = _openssh_envelope(content)
    if envelope is not None:
        _check_usable(envelope.recipient)
        return SshIdentity(content, envelope.recipient, locked=envelope.locked, where=where, prompt=prompt)
    if b"ENCRYPTED" in content and b"PRIVATE KEY-----" in content:
        recipient = without_comment((public or b"").decode("utf-8", "replace").strip())
        if not recipient.startswith("ssh-"):
            raise KeyServiceError("it is locked, and its .pub file, which says whose it is, is missing")
        _check_usable(recipient)
        return SshIdentity(content, recipient, locked=True, where=where, prompt=prompt)
    return _from_pem(content)


def _openssh_envelope(content: bytes) -> _Envelope | None:
    """Read the clear part of an OpenSSH private key: its cipher and its public key."""
    start, end = content.find(_OPENSSH_BEGIN), content.find(_OPENSSH_END)
    if start < 0 or end < start:
        return None
    try:
        data = a2b_base64(content[start + len(_OPENSSH_BEGIN) : end])
    except Base64Error:
        return None
    if not data.startswith(_MAGIC):
        return None
    cipher, place = _string(data, len(_MAGIC))
    _, place = _string(data, place)
    _, place = _string(data, place)
    public, _ = _string(data, place + 4)
    kind = _string(public, 0)[0].decode("ascii", "replace")
    return _Envelope(f"{kind} {b2a_base64(public, newline=False).decode()}", locked=cipher != b"none")


def _string(data: bytes, place: int) -> tuple[bytes, int]:
    """Read a length-prefixed string; what is cut off reads as empty, and is refused later."""
    end = place + 4 + int.from_bytes(data[place : place + 4], "big")
    return data[place + 4 : end], end


def _check_usable(recipient: str) -> None:
    kind = recipient.split(" ", maxsplit=1)[0]
    if kind not in _USABLE:
        shown = kind if kind.isprintable() and kind.isascii() else "unknown"
        raise KeyServiceError(f"its type is {shown}, and age takes only ssh-ed25519 and ssh-rsa")


def _from_pem(content: bytes) -> SshIdentity:
    unlocked, recipient = _openssh_of(content, None)
    _check_usable(recipient)
    return SshIdentity(unlocked, recipient, locked=False)


def _unlocked(content: bytes, passphrase: bytes) -> bytes:
    return _openssh_of(content, passphrase)[0]


def _openssh_of(content: bytes, passphrase: bytes | None) -> tuple[bytes, str]:
    """Re-write a private key, in memory, as the unlocked OpenSSH form that pyrage reads; and its public key."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization as forms
    from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

    load = forms.load_ssh_private_key if content.lstrip().startswith(_OPENSSH_BEGIN) else forms.load_pem_private_key
    try:
        key = load(content, passphrase)
    except UnsupportedAlgorithm:
        problem: KeyServiceError | BackendMissing = BackendMissing(
            "unlocking an SSH key needs the package bcrypt", hint="pip install 'sealpy[ssh]'"
        )
    except (ValueError, TypeError):
        what = "it is not an SSH private key" if passphrase is None else "the passphrase does not unlock it"
        problem = KeyServiceError(what)
    else:
        if not isinstance(key, ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey):
            raise KeyServiceError("age takes only ssh-ed25519 and ssh-rsa keys")
        private = key.private_bytes(forms.Encoding.PEM, forms.PrivateFormat.OpenSSH, forms.NoEncryption())
        public = key.public_key().public_bytes(forms.Encoding.OpenSSH, forms.PublicFormat.OpenSSH)
        return private, public.decode()
    raise problem


def _native(content: bytes) -> object:
    try:
        native: object = pyrage.ssh.Identity.from_buffer(content)
    except pyrage.IdentityError:
        native = None
    if native is None:
        raise KeyServiceError("it is not an SSH private key that age can use")
    return native
