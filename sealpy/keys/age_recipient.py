"""age recipients: the public keys that people put into ``.sops.yaml``.

Four kinds, told apart by their first letters as sops does: ``age1…`` (X25519), ``age1pq1…`` (post-quantum),
``age1NAME1…`` (a plugin's), and ``ssh-ed25519`` or ``ssh-rsa`` key lines.
"""

from collections.abc import Callable

import pyrage  # type: ignore[import-untyped]

from sealpy.errors import KeyServiceError

Wrap = Callable[[bytes], bytes]
"""Turn a few bytes into a binary age file for one recipient."""

_SHOWN = 40


def parse(text: str) -> Wrap:
    """Return the function that wraps for a recipient.

    Raises:
        KeyServiceError: the text is no recipient; a private key is never repeated in the message.
        BackendMissing: this machine cannot use that kind.
    """
    _refuse_identity(text)
    if text.startswith("age1pq1"):
        return _post_quantum(text)
    if text.startswith("age1") and text.count("1") > 1:
        return _plugin(text)
    if text.startswith("age1"):
        return _x25519(text)
    if text.startswith("ssh-"):
        return _ssh(text)
    raise _refusal(text, "a recipient begins with age1, ssh-ed25519 or ssh-rsa")


def without_comment(recipient: str) -> str:
    """Return what makes two recipients the same: an SSH key line without its comment, others as they are."""
    return " ".join(recipient.split()[:2]) if recipient.startswith("ssh-") else recipient


def _x25519(text: str) -> Wrap:
    try:
        recipient = pyrage.x25519.Recipient.from_str(text)
    except (pyrage.RecipientError, UnicodeEncodeError):
        recipient = None
    if recipient is None:
        raise _refusal(text, "its checksum does not fit")
    return lambda content: bytes(pyrage.encrypt(content, [recipient]))


def _post_quantum(text: str) -> Wrap:
    from sealpy.keys import age_pq  # rare, and it needs more of cryptography than all the rest

    recipient = age_pq.parse_recipient(text)
    if recipient is None:
        raise _refusal(text, "its checksum or length does not fit")
    return lambda content: age_pq.encrypt(content, recipient)


def _ssh(text: str) -> Wrap:
    try:
        recipient = pyrage.ssh.Recipient.from_str(text)
    except (pyrage.RecipientError, UnicodeEncodeError):
        recipient = None
    if recipient is None:
        known = text.startswith(("ssh-ed25519 ", "ssh-rsa "))
        why = "the key is damaged or too short" if known else "age takes only ssh-ed25519 and ssh-rsa"
        raise _refusal(text, why)
    return lambda content: bytes(pyrage.encrypt(content, [recipient]))


def _plugin(text: str) -> Wrap:
    from sealpy.keys import age_plugin  # rare

    recipient = age_plugin.parse_recipient(text)
    if recipient is None:
        raise _refusal(text, "its checksum does not fit")
    return lambda content: age_plugin.wrap(recipient, content)


def _refuse_identity(text: str) -> None:
    if "AGE-SECRET-KEY-" in text.upper() or "PRIVATE KEY" in text or text.upper().startswith("AGE-PLUGIN-"):
        raise KeyServiceError(
            "a private key was given where a recipient, which is public, belongs",
            hint='print its recipient with "sealpy key recipient"; '
            "if the private key stood in a file or a shell history, replace it",
        )


def _refusal(text: str, why: str) -> KeyServiceError:
    shown = "".join(letter if letter.isprintable() else "?" for letter in text[:_SHOWN])
    if len(text) > _SHOWN:
        shown += "…"
    return KeyServiceError(
        f'"{shown}" is not an age recipient: {why}',
        hint='copy the whole public key, as "sealpy key list" prints it',
    )
