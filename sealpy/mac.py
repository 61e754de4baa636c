"""The document's MAC: SHA-512 over the values, sealed under the data key with ``lastmodified`` bound to it.

It covers values only, one after another, as sops defines it. Names of clear keys, borders between neighbouring
clear values, nulls, empty values, comments and the metadata (but for ``lastmodified``) are not under it.
"""

from collections.abc import Iterable
from hashlib import sha256, sha512

# With mac_only_encrypted the hash starts with this, so that the option cannot be switched off by hand.
_ONLY_ENCRYPTED = sha256(b"sops").digest()


def digest(contents: Iterable[bytes], *, only_encrypted: bool) -> str:
    """Hash contents in document order; 128 upper-case hexadecimal digits."""
    state = sha512(_ONLY_ENCRYPTED if only_encrypted else b"")
    state.update(b"".join(contents))
    return state.hexdigest().upper()
