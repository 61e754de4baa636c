"""Where age identities are found.

sops reads all its sources and tries everything at once. The same sources are asked here, but one after the other
and only as long as nothing fits, the cheap ones first:

1. at hand: ``SOPS_AGE_KEY``, ``SOPS_AGE_KEY_FILE``, sops' own ``age/keys.txt``,
   ``SOPS_AGE_SSH_PRIVATE_KEY_FILE``, ``~/.ssh/id_ed25519``, ``~/.ssh/id_rsa``;
2. programs: ``SOPS_AGE_KEY_CMD``, ``SOPS_AGE_SSH_PRIVATE_KEY_CMD``, once for each recipient;
3. what needs a person or a plugin: locked files and keys, ``AGE-PLUGIN-…`` identities;
4. the keyring of the operating system, if ``sealpy key`` has put something there.

A source that fails stops nothing; why it failed is told when nothing else opened the file.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from sealpy.config_folder import config_folder
from sealpy.errors import KeyAccessError, KeyServiceError, NotMyKey
from sealpy.keys.age_identity import Identity, LockedFile, TextIdentity, generate, parse_source
from sealpy.keys.age_plugin import Prompt
from sealpy.keys.exclusive import Exclusive
from sealpy.secret import Secret

KEY = "SOPS_AGE_KEY"
KEY_FILE = "SOPS_AGE_KEY_FILE"
KEY_CMD = "SOPS_AGE_KEY_CMD"
SSH_FILE = "SOPS_AGE_SSH_PRIVATE_KEY_FILE"
SSH_CMD = "SOPS_AGE_SSH_PRIVATE_KEY_CMD"
RECIPIENT = "SOPS_AGE_RECIPIENT"

__all__ = ["Attempt", "Identities", "Prompt", "TextIdentity", "generate", "read", "require_recipient"]

_MAX_SOURCE_BYTES = 1 << 24
_SHOWN_RECIPIENT = 64


class Attempt(NamedTuple):
    """One source that was asked: what was found there, or why it could not be used."""

    source: str
    """Such as ``SOPS_AGE_KEY_FILE=/x/keys.txt``. A command is named by its variable alone."""
    recipients: tuple[str, ...]
    reason: str | None = None


class _Found(NamedTuple):
    source: str
    identities: Sequence[Identity]
    reason: str | None


_Load = Callable[[], Sequence[Identity]]


class Identities:
    """The identities of one environment. Make a new one when keys may have changed.

    Safe to share between threads, and after a fork. Nothing is read before it is needed.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        home: str | None = None,
        prompt: Prompt | None = None,
        shown: Callable[[str], str] | None = None,
    ) -> None:
        """Take the environment; ``shown`` writes a recipient for people, by its name."""
        self._environ = environ
        self._shown = shown or _short
        self._home = home or environ.get("HOME")
        self._prompt = prompt
        self._waiting: list[tuple[str, _Load]] | None = None
        self._found: list[_Found] = []
        self._asked: set[tuple[str, str]] = set()
        self._exclusive = Exclusive()

    def matching(self, recipient: str) -> Identity | None:
        """Return the identity of a recipient, if it is at hand."""
        seen = 0
        while True:
            found = self._found
            for source in found[seen:]:
                for identity in source.identities:
                    if identity.fits(recipient):
                        return identity
            seen += len(found[seen:])
            if not self._load_next() and seen == len(self._found):
                return None

    def candidates(self, recipient: str) -> Iterator[Identity]:
        """Yield everything worth trying on what is wrapped for a recipient, in the order of the module's text."""
        tried: list[Identity] = []

        def fresh(*, patient: bool) -> Iterator[Identity]:
            for identity in self._identities():
                if identity not in tried and identity.patient == patient:
                    tried.append(identity)
                    yield identity

        match = self.matching(recipient)
        if match is not None:
            tried.append(match)
            yield match
        yield from fresh(patient=False)
        for variable in (KEY_CMD, SSH_CMD):
            self._ask_command(variable, recipient)
            yield from fresh(patient=False)
        # A locked key that tells its recipient is no use for another one: nobody is asked in vain.
        yield from (identity for identity in fresh(patient=True) if not identity.recipients)
        self._ask_os_keyring(recipient)
        yield from fresh(patient=False)

    def at_hand(self) -> list[Identity]:
        """Return the identities of all sources that need no program and no person."""
        while self._load_next():
            pass
        return self._identities()

    def attempts(self) -> list[Attempt]:
        """Tell which sources were asked so far and what each gave."""
        return [_attempt(found) for found in list(self._found)]

    def not_mine(self) -> NotMyKey:
        """Say which identities were tried and from where, what was of no use, and the next step."""
        attempts = self.attempts()
        recipients = [
            f"{self._shown(recipient)} ({attempt.source})" for attempt in attempts for recipient in attempt.recipients
        ]
        problems = [f"{attempt.source}: {attempt.reason}" for attempt in attempts if attempt.reason]
        if recipients:
            message = f"tried {', '.join(recipients)}"
            hint = "ask whoever opens it to let you in, or name the file of another key of yours in SOPS_AGE_KEY_FILE"
        else:
            message = "no age identity was found"
            hint = (
                f'name your key file in {KEY_FILE}, or add your key with "sealpy key import"; '
                'without a key, make one with "sealpy key new" and ask whoever opens it to let you in'
            )
        return NotMyKey("; ".join([message, *problems]), hint=hint)

    def text_of(self, recipient: str) -> Secret[str]:
        """Return the identity of a recipient as age writes it, from what is at hand or from the keyring.

        Raises:
            NotMyKey: there is none.
            KeyServiceError: it is an SSH key, or behind a passphrase.
        """
        identity = self.matching(recipient)
        if identity is None:
            self._ask_os_keyring(recipient)
            identity = self.matching(recipient)
        if identity is None:
            raise self.not_mine()
        if isinstance(identity, TextIdentity):
            return identity.text
        raise KeyServiceError("it is an SSH key, or in a file under a passphrase", hint="copy that file itself")

    def in_keyring(self) -> list[str]:
        """Return the recipients that the keyring of the operating system holds; nothing is unlocked for that.

        Raises:
            KeyServiceError: sealpy's index of them is damaged.
        """
        from sealpy import os_keyring  # reads one small file

        folder = config_folder(self._environ, self._home)
        return [] if folder is None else os_keyring.recipients(folder)

    def key_file(self) -> str | None:
        """Return the path of sops' own key file, whether it exists or not."""
        folder = config_folder(self._environ, self._home)
        return None if folder is None else os.path.join(folder, "sops", "age", "keys.txt")

    def _identities(self) -> list[Identity]:
        return [identity for found in list(self._found) for identity in found.identities]

    def _load_next(self) -> bool:
        """Load one more source that is at hand; False if there is none left."""
        with self._exclusive:
            if self._waiting is None:
                self._waiting = list(self._sources())
            if not self._waiting:
                return False
            source, load = self._waiting.pop(0)
            self._record(source, load)
            return True

    def _record(self, source: str, load: _Load) -> None:
        try:
            found = _Found(source, load(), None)
        except KeyAccessError as error:
            found = _Found(source, [], f"{error.message}; {error.hint}" if error.hint else error.message)
        self._found.append(found)

    def _sources(self) -> Iterator[tuple[str, _Load]]:
        environ = self._environ
        if KEY in environ:
            yield KEY, lambda: parse_source(_encoded(environ[KEY]), KEY, words=True, prompt=self._prompt)
        if KEY_FILE in environ:
            yield f"{KEY_FILE}={environ[KEY_FILE]}", lambda: self._from_file(environ[KEY_FILE])
        key_file = self.key_file()
        if key_file is not None and os.path.exists(key_file):
            yield key_file, lambda: self._from_file(key_file)
        if SSH_FILE in environ:
            yield f"{SSH_FILE}={environ[SSH_FILE]}", lambda: self._from_ssh_file(environ[SSH_FILE])
        for name in ("id_ed25519", "id_rsa"):
            path = os.path.join(self._home, ".ssh", name) if self._home else ""
            if path and os.path.exists(path):
                yield path, lambda path=path: self._from_ssh_file(path)  # type: ignore[misc]

    def _from_file(self, path: str) -> Sequence[Identity]:
        return parse_source(_read(path), path, prompt=self._prompt)

    def _from_ssh_file(self, path: str) -> Sequence[Identity]:
        from sealpy.keys import age_ssh  # not needed where the first source fits

        content = _read(path)
        try:
            public = _read(f"{path}.pub")
        except KeyServiceError:
            public = None
        return [age_ssh.parse(content, path, public=public, prompt=self._prompt)]

    def _ask_command(self, variable: str, recipient: str) -> None:
        """Run the user's program for a recipient, once in the life of this object."""
        if variable in self._environ:
            self._ask_once(variable, recipient, lambda: self._run(variable, recipient))

    def _ask_os_keyring(self, recipient: str) -> None:
        from sealpy import os_keyring  # its index is read first; the keyring itself only if it lists the recipient

        folder = config_folder(self._environ, self._home)
        if folder is None:
            return
        try:
            listed = recipient in os_keyring.recipients(folder)
        except KeyServiceError:
            listed = True  # a damaged index is a reason to tell, by the attempt below
        if listed:
            source = "the keyring of this system"
            self._ask_once(
                source, recipient, lambda: parse_source(_encoded(os_keyring.fetch(folder, recipient).expose()), source)
            )

    def _ask_once(self, source: str, recipient: str, load: _Load) -> None:
        with self._exclusive:
            if (source, recipient) not in self._asked:
                self._asked.add((source, recipient))
                self._record(source, load)

    def _run(self, variable: str, recipient: str) -> Sequence[Identity]:
        import shlex
        import subprocess  # slow to import, and most people have no such program

        why = None
        output = b""
        try:
            words = shlex.split(self._environ[variable])
            environ = {**self._environ, RECIPIENT: recipient}
            # Its stderr is the terminal's: it is where the program asks for a touch.
            done = subprocess.run(words, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True)
            output = done.stdout
        except (ValueError, IndexError):
            why = "it is empty, or its quotes do not match"
        except OSError as error:
            why = f"its program does not start: {(error.strerror or '').lower()}"
        except subprocess.CalledProcessError as error:
            why = f"its program ended with exit code {error.returncode}"
        if why is not None:
            raise KeyServiceError(why)
        if variable == KEY_CMD:
            return parse_source(output, variable, prompt=self._prompt)
        from sealpy.keys import age_ssh

        return [age_ssh.parse(output, variable, prompt=self._prompt)]


def read(content: bytes, where: str, prompt: Prompt | None = None) -> list[TextIdentity]:
    """Read an identity file, unlocking it if need be. ``where`` is what a person is told it is.

    Raises:
        KeyServiceError: a line is no identity, or the passphrase is missing or wrong.
    """
    identities: list[TextIdentity] = []
    for identity in parse_source(content, where, prompt=prompt):
        identities += identity.unlock() if isinstance(identity, LockedFile) else [identity]
    return identities


def require_recipient(text: str) -> None:
    """Check that a text is an age recipient that can be used here.

    Raises:
        KeyServiceError, BackendMissing
    """
    from sealpy.keys import age_recipient

    age_recipient.parse(text.strip())


def _attempt(found: _Found) -> Attempt:
    recipients = tuple(recipient for identity in found.identities for recipient in identity.recipients)
    reasons = [found.reason, *(_why_unnamed(identity) for identity in found.identities)]
    if not found.identities and not found.reason:
        reasons.append("there is no identity in it")
    return Attempt(found.source, recipients, "; ".join(filter(None, reasons)) or None)


def _why_unnamed(identity: Identity) -> str | None:
    if identity.problem or identity.recipients:
        return identity.problem
    return "it is locked with a passphrase" if isinstance(identity, LockedFile) else "a plugin's key is in it"


def _read(path: str) -> bytes:
    """Read a key file, which may be a pipe."""
    content = b""
    why = None
    try:
        with open(path, "rb") as file:
            content = file.read(_MAX_SOURCE_BYTES + 1)
    except OSError as error:
        why = (error.strerror or "it cannot be read").lower()
    if len(content) > _MAX_SOURCE_BYTES:
        why = "it is too large for a key file"
    if why is not None:
        raise KeyServiceError(why)
    return content


def _encoded(text: str) -> bytes:
    # Identities are ASCII; the error about what cannot be encoded would carry the whole text.
    return text.encode("utf-8", "replace")


def _short(recipient: str) -> str:
    """Cut a post-quantum or SSH recipient to what a person can recognise."""
    if len(recipient) <= _SHOWN_RECIPIENT:
        return recipient
    return f"{recipient[:24]}…{recipient[-12:]}"
