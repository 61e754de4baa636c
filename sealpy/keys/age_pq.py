"""age's post-quantum keys (``age1pq1…``), which pyrage does not have.

The stanza ``mlkem768x25519`` is one HPKE message: ML-KEM-768 with X25519, HKDF-SHA256, ChaCha20-Poly1305.
Files are read and written whole and hold one chunk: what sops wraps has 32 or 33 bytes.
"""

import hashlib
import hmac
import os
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from sealpy.errors import BackendMissing, KeyServiceError, NotMyKey
from sealpy.keys import bech32

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey, MLKEM768X25519PublicKey, Suite

RECIPIENT_PREFIX = "age1pq1"
IDENTITY_PREFIX = "AGE-SECRET-KEY-PQ-1"

_VERSION_LINE = b"age-encryption.org/v1"
_STANZA = b"mlkem768x25519"
_INFO = b"age-encryption.org/mlkem768x25519"
_COLUMNS = 64
_FILE_KEY_BYTES = 16
_NONCE_BYTES = 16
_TAG_BYTES = 16
_ENCAPSULATED_BYTES = 1088 + 32
_MLKEM_PUBLIC_BYTES = 1184
_X25519_BYTES = 32
_SEED_BYTES = 32
_MLKEM_SEED_BYTES = 64
_CHUNK_BYTES = 64 * 1024
# The eleven bytes of a counter, and the mark of the last chunk.
_ONLY_CHUNK = bytes(11) + b"\x01"


class _Stanza(NamedTuple):
    arguments: list[bytes]
    body: bytes


class _Header(NamedTuple):
    stanzas: list[_Stanza]
    authenticated: bytes
    mac: bytes
    payload: bytes


def parse_recipient(text: str) -> "MLKEM768X25519PublicKey | None":
    """Read ``age1pq1…``; None if it is none."""
    decoded = bech32.decode(text)
    if decoded is None or decoded[0] != "age1pq" or len(decoded[1]) != _MLKEM_PUBLIC_BYTES + _X25519_BYTES:
        return None
    _require_hpke()
    from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
    from cryptography.hazmat.primitives.hpke import MLKEM768X25519PublicKey

    raw = decoded[1]
    try:
        return MLKEM768X25519PublicKey(
            MLKEM768PublicKey.from_public_bytes(raw[:_MLKEM_PUBLIC_BYTES]),
            X25519PublicKey.from_public_bytes(raw[_MLKEM_PUBLIC_BYTES:]),
        )
    except ValueError:
        return None


def parse_identity(text: str) -> "Seed | None":
    """Read ``AGE-SECRET-KEY-PQ-1…``; None if it is none."""
    decoded = bech32.decode(text)
    if decoded is None or decoded[0] != "age-secret-key-pq-" or len(decoded[1]) != _SEED_BYTES:
        return None
    return Seed(decoded[1])


class Seed:
    """A post-quantum identity. Its keys are derived on first use: most files do not need them."""

    __slots__ = ("_keys", "_seed")

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._keys: tuple[MLKEM768X25519PrivateKey, str] | None = None

    def recipient(self) -> str:
        """Return the ``age1pq1…`` text of the public key."""
        return self._derived()[1]

    def open(self, wrapped: bytes) -> bytes:
        """Return the content of an age file.

        Raises:
            NotMyKey: no stanza of the file is for this identity.
            KeyServiceError: the file is damaged.
        """
        header = _parse(wrapped)
        stanzas = [stanza for stanza in header.stanzas if stanza.arguments[0] == _STANZA]
        file_key = next((key for key in map(self._unwrap, stanzas) if key is not None), None)
        if file_key is None:
            raise NotMyKey("the post-quantum identity does not fit")
        if not hmac.compare_digest(_header_mac(file_key, header.authenticated), header.mac):
            _damaged()
        return _open_payload(file_key, header.payload)

    def _unwrap(self, stanza: _Stanza) -> bytes | None:
        from cryptography.exceptions import InvalidTag

        encapsulated = _unpadded(stanza.arguments[1]) if len(stanza.arguments) == 2 else b""
        if len(encapsulated) != _ENCAPSULATED_BYTES or len(stanza.body) != _FILE_KEY_BYTES + _TAG_BYTES:
            _damaged()
        file_key = None
        with suppress(InvalidTag):
            file_key = _suite().decrypt(encapsulated + stanza.body, self._derived()[0], info=_INFO)
        return file_key

    def _derived(self) -> "tuple[MLKEM768X25519PrivateKey, str]":
        if self._keys is None:
            _require_hpke()
            from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
            from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
            from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey

            expanded = hashlib.shake_256(self._seed).digest(_MLKEM_SEED_BYTES + _X25519_BYTES)
            lattice = MLKEM768PrivateKey.from_seed_bytes(expanded[:_MLKEM_SEED_BYTES])
            curve = X25519PrivateKey.from_private_bytes(expanded[_MLKEM_SEED_BYTES:])
            public = lattice.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw()
            self._keys = (MLKEM768X25519PrivateKey(lattice, curve), bech32.encode("age1pq", public))
        return self._keys


def encrypt(content: bytes, recipient: "MLKEM768X25519PublicKey") -> bytes:
    """Return a binary age file for one recipient, at most one chunk long."""
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    file_key = os.urandom(_FILE_KEY_BYTES)
    message = _suite().encrypt(file_key, recipient, info=_INFO)
    encapsulated, body = message[:_ENCAPSULATED_BYTES], message[_ENCAPSULATED_BYTES:]
    lines = [_VERSION_LINE, b"-> %b %b" % (_STANZA, _base64(encapsulated)), *_wrapped_lines(body), b"---"]
    authenticated = b"\n".join(lines)
    nonce = os.urandom(_NONCE_BYTES)
    payload = ChaCha20Poly1305(_derive(file_key, nonce, b"payload")).encrypt(_ONLY_CHUNK, content, None)
    return b"%b %b\n%b%b" % (authenticated, _base64(_header_mac(file_key, authenticated)), nonce, payload)


def _open_payload(file_key: bytes, payload: bytes) -> bytes:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    nonce, chunk = payload[:_NONCE_BYTES], payload[_NONCE_BYTES:]
    if not _TAG_BYTES <= len(chunk) <= _CHUNK_BYTES + _TAG_BYTES:
        _damaged()
    content = None
    with suppress(InvalidTag):
        content = ChaCha20Poly1305(_derive(file_key, nonce, b"payload")).decrypt(_ONLY_CHUNK, chunk, None)
    if content is None:
        _damaged()
    return content


def _parse(wrapped: bytes) -> _Header:
    """Read the header; every oddity is damage, as in age."""
    lines = []
    start = 0
    while True:
        end = wrapped.find(b"\n", start)
        if end < 0:
            _damaged()
        line = wrapped[start:end]
        lines.append(line)
        if line.startswith(b"---"):
            break
        start = end + 1
    if lines[0] != _VERSION_LINE or not line.startswith(b"--- "):
        _damaged()
    stanzas = _stanzas(lines[1:-1])
    return _Header(stanzas, wrapped[: start + 3], _unpadded(line[4:]), wrapped[end + 1 :])


def _stanzas(lines: list[bytes]) -> list[_Stanza]:
    stanzas: list[_Stanza] = []
    place = 0
    while place < len(lines):
        mark, *arguments = lines[place].split(b" ")
        if mark != b"->" or not all(arguments) or not arguments:
            _damaged()
        place += 1
        body = b""
        # A stanza ends with its first short line, which may be empty.
        while True:
            if place >= len(lines) or len(lines[place]) > _COLUMNS:
                _damaged()
            body += lines[place]
            place += 1
            if len(lines[place - 1]) < _COLUMNS:
                break
        stanzas.append(_Stanza(arguments, _unpadded(body)))
    return stanzas


def _wrapped_lines(body: bytes) -> list[bytes]:
    text = _base64(body)
    return [text[start : start + _COLUMNS] for start in range(0, len(text) + 1, _COLUMNS)]


def _base64(data: bytes) -> bytes:
    return b2a_base64(data, newline=False).rstrip(b"=")


def _unpadded(text: bytes) -> bytes:
    """Decode base64 without padding, in its one canonical spelling."""
    try:
        data = a2b_base64(text + b"=" * (-len(text) % 4), strict_mode=True)
    except Base64Error:
        data = None
    if data is None or _base64(data) != text:
        _damaged()
    return data


def _header_mac(file_key: bytes, authenticated: bytes) -> bytes:
    return hmac.digest(_derive(file_key, b"", b"header"), authenticated, "sha256")


def _derive(key: bytes, salt: bytes, info: bytes) -> bytes:
    """HKDF-SHA256 for one block of output."""
    extracted = hmac.digest(salt or bytes(32), key, "sha256")
    return hmac.digest(extracted, info + b"\x01", "sha256")


def _suite() -> "Suite":
    from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

    return Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


def _require_hpke() -> None:
    """OpenSSL of some distributions has no ML-KEM; the wheels of PyPI do."""
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey

        MLKEM768PrivateKey.from_seed_bytes(bytes(_MLKEM_SEED_BYTES))
    except (ImportError, UnsupportedAlgorithm):
        missing = True
    else:
        missing = False
    if missing:
        raise BackendMissing(
            "this build of cryptography has no ML-KEM, which age1pq1 keys need",
            hint="install cryptography 47 or newer from its wheel: pip install --force-reinstall cryptography",
        )


def _damaged() -> NoReturn:
    raise KeyServiceError("the wrapped data key is damaged")
