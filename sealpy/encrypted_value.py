"""The text form of one sealed value: ``ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]``.

Parsing and writing are here because both are hot; opening one is in ``cipher``.
"""

import re
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from typing import NamedTuple

PREFIX = "ENC["

# sops anchors its pattern only at the start and takes the last closing bracket, so text after it is ignored;
# base64 has no comma, hence exact character classes accept the same values and cannot backtrack.
_PATTERN = re.compile(
    r"ENC\[AES256_GCM,data:([A-Za-z0-9+/=]+),iv:([A-Za-z0-9+/=]+),tag:([A-Za-z0-9+/=]+),type:([^\]\n]+)\]"
)


class EncryptedValue(NamedTuple):
    """A sealed value. ``kind`` is not authenticated: anybody can edit it."""

    ciphertext: bytes
    nonce: bytes
    tag: bytes
    kind: str


def parse(text: str) -> EncryptedValue | None:
    """Read one sealed value; None if the text is not one (also if its base64 is damaged)."""
    found = _PATTERN.match(text)
    if found is None:
        return None
    data, nonce, tag, kind = found.groups()
    try:
        fields = (
            a2b_base64(data, strict_mode=True),
            a2b_base64(nonce, strict_mode=True),
            a2b_base64(tag, strict_mode=True),
            kind,
        )
    except Base64Error:
        return None
    # EncryptedValue(…) without its detour through a function of Python.
    return tuple.__new__(EncryptedValue, fields)


def write(value: EncryptedValue) -> str:
    """Write one sealed value."""
    data = b2a_base64(value.ciphertext, newline=False).decode()
    nonce = b2a_base64(value.nonce, newline=False).decode()
    tag = b2a_base64(value.tag, newline=False).decode()
    return f"ENC[AES256_GCM,data:{data},iv:{nonce},tag:{tag},type:{value.kind}]"


def looks_sealed(text: str) -> bool:
    """Tell whether a text has the form of a sealed value, without decoding it."""
    return text.startswith(PREFIX) and _PATTERN.match(text) is not None
