"""The age back end, by pyrage.

sops wraps each part for one recipient alone and stores the armored age file. Both forms of armor are done here:
handing pyrage binary files is quicker than letting it take the armor off.
"""

from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from collections.abc import Iterable, Mapping
from typing import Protocol

from sealpy.errors import KeyServiceError, NotMyKey
from sealpy.keys import age_recipient
from sealpy.keys.age_identity import Identity
from sealpy.secret import KeyPart

_BEGIN = "-----BEGIN AGE ENCRYPTED FILE-----"
_END = "-----END AGE ENCRYPTED FILE-----"
_COLUMNS = 64
# A repository has a handful of recipients; a post-quantum one takes a millisecond to read.
_REMEMBERED_RECIPIENTS = 256


class IdentitySource(Protocol):
    """Where identities come from, best guesses first."""

    def matching(self, recipient: str) -> Identity | None:
        """Return the identity of a recipient, if it can be had without a prompt or a program."""

    def candidates(self, recipient: str) -> Iterable[Identity]:
        """Yield everything worth trying: what matches, what is at hand, then what needs a program or a person."""

    def not_mine(self) -> NotMyKey:
        """Say which identities were tried and from where, what was of no use, and the next step."""


class AgeBackend:
    """Wraps for age recipients, and unwraps with the identities of one source."""

    __slots__ = ("_identities", "_recipients")
    name = "age"

    def __init__(self, identities: IdentitySource) -> None:
        self._identities = identities
        self._recipients: dict[str, age_recipient.Wrap] = {}

    def wrap(self, text: str, part: KeyPart) -> Mapping[str, object]:
        """Wrap for a recipient. An SSH recipient keeps its whole line, comment included, as in sops.

        Raises:
            KeyServiceError: the text is no recipient, or its plugin fails.
            BackendMissing: this machine cannot use that kind.
        """
        recipient = text.strip()
        wrap = self._recipients.get(recipient)
        if wrap is None:
            wrap = age_recipient.parse(recipient)
            if len(self._recipients) < _REMEMBERED_RECIPIENTS:
                self._recipients[recipient] = wrap
        return {"recipient": recipient, "enc": armor(wrap(part.expose()))}

    def unwrap(self, entry: Mapping[str, object]) -> KeyPart:
        """Unwrap an entry, whoever's identity fits: as in sops, ``recipient`` is a hint and not binding.

        Raises:
            NotMyKey: no identity fits; the message says which were tried.
            KeyServiceError: the entry is damaged.
        """
        wrapped = dearmor(entry.get("enc"))
        for identity in self._identities.candidates(str(entry.get("recipient", ""))):
            try:
                return KeyPart(identity.open(wrapped))
            except NotMyKey:
                continue
        raise self._identities.not_mine()

    def recognises(self, entry: Mapping[str, object]) -> bool:
        """Tell, without a prompt or a program, whether the identity of an entry's recipient is at hand."""
        return self._identities.matching(str(entry.get("recipient", ""))) is not None


def armor(data: bytes) -> str:
    """Spell a binary age file as text, as age does."""
    text = b2a_base64(data, newline=False).decode()
    lines = [text[start : start + _COLUMNS] for start in range(0, len(text), _COLUMNS)]
    return "\n".join([_BEGIN, *lines, _END, ""])


def dearmor(text: object) -> bytes:
    """Read an armored age file as strictly as age does: blank space around it and CRLF are fine, nothing else.

    Raises:
        KeyServiceError
    """
    data = None
    if isinstance(text, str):
        begin, _, rest = text.strip().replace("\r\n", "\n").partition("\n")
        *lines, end = rest.split("\n")
        well_formed = all(len(line) == _COLUMNS for line in lines[:-1]) and 0 < len("".join(lines[-1:])) <= _COLUMNS
        if begin == _BEGIN and end == _END and well_formed:
            try:
                data = a2b_base64("".join(lines), strict_mode=True)
            except (Base64Error, ValueError):
                data = None
    if data is None:
        raise KeyServiceError("the wrapped data key is not an armored age file")
    return data
