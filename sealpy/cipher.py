"""Seal and open one value under a data key: AES-256-GCM with sops' 32-byte nonce.

A wrong data key, a wrong tag and a wrong place are one and the same failure on purpose: telling them apart
would help nobody but an attacker.
"""

import os
from typing import TYPE_CHECKING

from sealpy.encrypted_value import EncryptedValue, parse, write
from sealpy.secret import DataKey

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
else:
    # The public module imports every cipher there is (12 ms); this is the class that it re-exports (4 ms).
    try:
        from cryptography.hazmat.bindings._rust import openssl

        AESGCM = openssl.aead.AESGCM
    except (ImportError, AttributeError):
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cryptography.exceptions import InvalidTag

NONCE_BYTES = 32
TAG_BYTES = 16


class Cipher:
    """One data key, ready to use; building it costs more than using it."""

    __slots__ = ("_gcm",)

    def __init__(self, data_key: DataKey) -> None:
        self._gcm = AESGCM(data_key.expose())

    def __repr__(self) -> str:
        return "<Cipher>"

    def seal(self, content: str, kind: str, additional_data: bytes) -> str:
        """Return ``ENC[…]`` for a non-empty content, under a fresh nonce."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._gcm.encrypt(nonce, content.encode("utf-8", "surrogateescape"), additional_data)
        return write(EncryptedValue(sealed[:-TAG_BYTES], nonce, sealed[-TAG_BYTES:], kind))

    def open(self, text: str, additional_data: bytes) -> tuple[str, bytes] | None:
        """Return the kind and the content's bytes, or None if it does not open here under this data key."""
        value = parse(text)
        if value is None:
            return None
        ciphertext, nonce, tag, kind = value
        try:
            return kind, self._gcm.decrypt(nonce, ciphertext + tag, additional_data)
        except (InvalidTag, ValueError):
            # ValueError: a nonce shorter than 8 or longer than 128 bytes, which is never ours.
            return None
