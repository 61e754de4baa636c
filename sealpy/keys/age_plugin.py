"""age plugins: programs named ``age-plugin-NAME`` on PATH that hold keys elsewhere, such as on a YubiKey."""

from typing import Any, Protocol

import pyrage  # type: ignore[import-untyped]

from sealpy.errors import KeyServiceError, NotMyKey
from sealpy.secret import Secret

_SHOWN = 200
# Fluent, which words pyrage's errors, puts these around every inserted name.
_ISOLATES = {0x2068: None, 0x2069: None}


class Prompt(Protocol):
    """How a person is asked. The edge implements it; without one, nobody is asked."""

    def ask_secret(self, question: str) -> Secret[str] | None:
        """Ask for a passphrase; None if the person declines or nobody is there."""

    def show(self, message: str) -> None:
        """Show what the holder of a key wants from the person, such as a touch."""


class _Callbacks:
    """What pyrage calls while a plugin runs."""

    __slots__ = ("_prompt",)

    def __init__(self, prompt: Prompt | None) -> None:
        self._prompt = prompt

    def display_message(self, message: str) -> None:
        if self._prompt is not None:
            self._prompt.show(message)

    def confirm(self, message: str, yes: str, no: str | None) -> bool | None:
        return None

    def request_public_string(self, description: str) -> str | None:
        return None

    def request_passphrase(self, description: str) -> str | None:
        answer = None if self._prompt is None else self._prompt.ask_secret(description)
        return None if answer is None else answer.expose()


def parse_recipient(text: str) -> Any | None:
    """Read ``age1NAME1…``; None if it is none."""
    try:
        return pyrage.plugin.Recipient.from_str(text)
    except (pyrage.RecipientError, UnicodeEncodeError):
        return None


def parse_identity(text: str) -> Any | None:
    """Read ``AGE-PLUGIN-NAME-1…``; None if it is none."""
    try:
        return pyrage.plugin.Identity.from_str(text)
    except (pyrage.IdentityError, UnicodeEncodeError):
        return None


def wrap(recipient: Any, content: bytes) -> bytes:
    """Let the recipient's plugin wrap.

    Raises:
        KeyServiceError: the program is missing or fails.
    """
    name = recipient.plugin()
    try:
        plugin = pyrage.plugin.RecipientPluginV1(name, [recipient], [], _Callbacks(None))
        return bytes(pyrage.encrypt(content, [plugin]))
    except (pyrage.EncryptError, pyrage.DecryptError, pyrage.RecipientError) as error:
        text = str(error)
    raise _problem(name, text)


def unwrap(identity: Any, wrapped: bytes, prompt: Prompt | None) -> bytes:
    """Let the identity's plugin unwrap.

    Raises:
        NotMyKey: the plugin has no key for the file.
        KeyServiceError: the program is missing or fails.
    """
    name = identity.plugin()
    try:
        plugin = pyrage.plugin.IdentityPluginV1(name, [identity], _Callbacks(prompt))
        return bytes(pyrage.decrypt(wrapped, [plugin]))
    except (pyrage.DecryptError, pyrage.IdentityError) as error:
        text = str(error)
    if text == "No matching keys found":
        raise NotMyKey(f"age-plugin-{name} has no key for it")
    raise _problem(name, text)


def _problem(name: str, text: str) -> KeyServiceError:
    program = f"age-plugin-{name}"
    if "on the PATH" in text:
        return KeyServiceError(f"the program {program} is not on PATH", hint=f"install {program}")
    # A plugin's own words are all a person has to go by when a device refuses.
    said = "".join(letter for letter in text.translate(_ISOLATES) if letter.isprintable())
    return KeyServiceError(f"{program} failed: {said[:_SHOWN]}")
