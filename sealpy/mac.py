"""The document's MAC: SHA-512 over the values, sealed under the data key with ``lastmodified`` bound to it.

It covers values only, one after another, as sops defines it. Names of clear keys, borders between neighbouring
clear values, nulls, empty values, comments and the metadata (but for ``lastmodified``) are not under it.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hashlib import sha512
else:
    # hashlib loads OpenSSL, which takes longer than everything else that decrypting a file does. The interpreter's
    # own implementation is the same function; its module has another name in each version.
    try:
        from _sha2 import sha512
    except ImportError:
        try:
            from _sha512 import sha512
        except ImportError:
            from hashlib import sha512

# With mac_only_encrypted the hash starts with this, the SHA-256 of "sops", so that the option cannot be switched
# off by hand.
_ONLY_ENCRYPTED = bytes.fromhex("8a3fd2ad54ce66527b1034f3d147be0b0b975b3bf44f72c6fdadec8176f27d69")


def digest(contents: Iterable[bytes], *, only_encrypted: bool) -> str:
    """Hash contents in document order; 128 upper-case hexadecimal digits."""
    state = sha512(_ONLY_ENCRYPTED if only_encrypted else b"")
    state.update(b"".join(contents))
    return state.hexdigest().upper()
