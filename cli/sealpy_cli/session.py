"""What the environment and the flags say: keys, rules, formats, limits.

The only place of the command line that reads the configuration. Everything is made when it is first asked for:
decrypting needs no rules, encrypting no identity.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from sealpy import files, part_folder, registry
from sealpy.errors import NoMatchingRule, NoSuchFile, RuleError, SourceError
from sealpy.formats import Format
from sealpy.identities import Identities
from sealpy.keyring import DEFAULT_ORDER, Keyring
from sealpy.secret import Secret
from sealpy_cli import terminal
from sealpy_cli.exit_codes import BAD_CONTEXT, CONFLICT, FAILED, NO_KEY, ORDER_REPEATED, UNWRITABLE, Stop
from sealpy_cli.grammar import Call, UsageError
from sealpy_cli.verbs_table import COMMENT_SELECTION, KEY_FLAGS, SELECTION

if TYPE_CHECKING:
    from sealpy.operations import KeyName, Plan
    from sealpy.rules import CreationRule, Rules
    from sealpy.selection import Selection

_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30}


class Session:
    """One run's view of the world."""

    def __init__(self, call: Call, folder: str = "") -> None:
        self.call = call
        self.arguments = call.arguments
        self.limit = _size(call.arguments.text("max-size") or call.root.text("max-size"))
        self.order = _order(call.arguments.text("decryption-order"))
        self._keyring: Keyring | None = None
        self._quiet_keyring: Keyring | None = None
        self._rules: Rules | None = None
        self._rules_are_read = False
        self._shown: Callable[[str], str] | None = None
        self._folder = folder
        """Where the search for the configuration begins; empty: in the current folder."""

    def near(self, file: str) -> "Session":
        """Return a session whose configuration is the nearest above a file; with ``--config`` it is that one.

        sops, and ``encrypt`` as it does, look above the current folder. What goes into another file, or belongs to
        one, is for whom ``check`` says that it is for, wherever somebody stands.
        """
        other = Session(self.call, os.path.dirname(os.path.abspath(file)))
        other._keyring = self.keyring
        return other

    @property
    def keyring(self) -> Keyring:
        """Return the keys of this environment; asking a person for a passphrase is allowed."""
        if self._keyring is None:
            if self.arguments.values.get("keyservice"):
                terminal.warn("key services are not built yet; only the keys of this machine are used")
            if self.arguments.values.get("enable-local-keyservice") is False:
                raise Stop(
                    FAILED if self.call.verb == "encrypt" else NO_KEY,
                    "without the local keys nothing opens or seals a file; key services are not built yet",
                )
            self._keyring = self._new_keyring(_Person())
        return self._keyring

    @property
    def quiet_keyring(self) -> Keyring:
        """Return the keys of this environment, for trying what nobody asked for: no question is put to a person."""
        if self._quiet_keyring is None:
            self._quiet_keyring = self._new_keyring(None)
        return self._quiet_keyring

    def read(self, path: str, *, missing: int | None = None) -> bytes:
        """Read a file; ``missing`` is the exit code if there is none."""
        try:
            return files.read(path, self.limit)
        except NoSuchFile as error:
            if missing is None:
                raise
            message = error.message
        raise Stop(missing, message)

    def read_stdin(self) -> bytes:
        """Read standard input."""
        return files.read_stdin(self.limit)

    def format_of(self, path: str) -> Format:
        """Return the format of a file, by flags or by its name.

        Raises:
            Stop: the output would be of another format.
            UsageError
        """
        named = self.arguments.text("input-type")
        if named not in registry.format_names:
            if named and not self.call.as_sops:
                raise UsageError(f'there is no input type "{named}"', hint=f"one of {', '.join(registry.format_names)}")
            named = ""
        fmt = registry.format_named(named) if named else registry.format_for(path)
        wanted = self.arguments.text("output-type")
        if wanted and wanted != fmt.name and (wanted in registry.format_names or not self.call.as_sops):
            raise Stop(
                FAILED,
                f"converting {fmt.name} to {terminal.plain(wanted)} is not built yet",
                hint="use sops for it, or leave --output-type out",
            )
        return fmt

    def rule_for(self, path: str) -> "CreationRule | None":
        """Return the creation rule of a file; None when there is no configuration with rules.

        Raises:
            RuleError, SourceError
        """
        rules = self.rules()
        if rules is None:
            return None
        from sealpy.config_file import path_in

        try:
            return rules.match(path_in(rules.path, path))
        except NoMatchingRule:
            base = None if self.call.as_sops else part_folder.base_of(path)
            if base is None or not os.path.exists(base):
                raise
        # A part belongs to its base, also where a pattern names the base alone.
        return rules.match(path_in(rules.path, base))

    def rules(self) -> "Rules | None":
        """Return the configuration, None when there is none."""
        if not self._rules_are_read:
            from sealpy import config_file  # brings a YAML parser; decrypting does without

            path: str | None = self.call.root.text("config")
            if not path:
                path, note = config_file.find(self._folder or os.getcwd())
                if note:
                    terminal.warn(terminal.plain(note))
            fault: SourceError | None = None
            try:
                self._rules = config_file.load(path) if path else None
            except SourceError as error:
                fault = error
            if fault:
                raise RuleError(f"the configuration cannot be read: {fault.message}", hint=fault.hint)
            self._rules_are_read = True
        return self._rules

    def plan(self, path: str, fmt: Format, data: bytes) -> "Plan":
        """Return how a new file is to be sealed: flags first, then the creation rule, then defaults.

        Keys that are named by a flag or a variable take the place of the rule's keys; its other settings stay.

        Raises:
            RuleError, SourceError, Stop
        """
        return self.plan_by(self.rule_for(path), fmt, data)

    def plan_by(self, rule: "CreationRule | None", fmt: Format, data: bytes) -> "Plan":
        """Return how a new file is to be sealed by a rule: see ``plan``."""
        from sealpy.operations import Plan
        from sealpy.selection import from_settings

        flags = {
            flag.name.replace("-", "_"): self.arguments.text(flag.name) for flag in (*SELECTION, *COMMENT_SELECTION)
        }
        conflict: RuleError | None = None
        selection: Selection | None = None
        try:
            selection = from_settings(flags, rule.selection if rule else None)
        except RuleError as error:
            conflict = error
        if conflict:
            raise Stop(CONFLICT, conflict.message, hint=conflict.hint)
        only_encrypted = self.call.root.switch("mac-only-encrypted") or bool(rule and rule.mac_only_encrypted)
        threshold = self.arguments.number("shamir-secret-sharing-threshold") or (rule.threshold if rule else 0)
        groups = self.groups(rule)
        if fmt.name == "binary":
            if selection is not None:
                terminal.warn(f"{selection.mode} has no effect on a file that is sealed as one value")
            return Plan(groups, None, mac_only_encrypted=False, threshold=threshold)
        if selection is None:
            selection = self._default_selection(fmt, data)
        return Plan(groups, selection, mac_only_encrypted=only_encrypted, threshold=threshold)

    def groups(self, rule: "CreationRule | None") -> "list[list[KeyName]]":
        """Return the master keys of a new file.

        Raises:
            RuleError: there are none.
        """
        named = self.named_keys("")
        if named:
            return [named]
        groups = [[(key.backend, key.text) for key in group] for group in rule.groups] if rule else []
        if not any(groups):
            raise RuleError(
                "config file not found, or has no creation rules, and no keys provided through command line options"
                if self.call.as_sops
                else "there is no key to encrypt for",
                hint='name a recipient with --age age1…, or write a .sops.yaml; "sealpy init" does that',
            )
        return groups

    def named_keys(self, prefix: str) -> "list[KeyName]":
        """Return the master keys that flags name: ``--age``, or with a prefix ``--add-age``."""
        texts = {backend: self.arguments.text(prefix + flag) for flag, backend in KEY_FLAGS.items()}
        context = _context(self.arguments.text("encryption-context"))
        if not any(texts.values()):
            return []
        from sealpy.rules import named_keys

        keys = named_keys(texts, context=context, aws_profile=self.arguments.text("aws-profile"))
        return list(dict.fromkeys((key.backend, key.text) for key in keys))

    def write(
        self, path: str, data: bytes, *, plaintext: bool, expected: bytes | None = None, durable: bool = True
    ) -> None:
        """Put data in the place of a file; a new file with plaintext is its owner's alone.

        ``expected`` is what stood there when the data were made from it. Without ``durable`` the disk is not waited
        for: what is made from another file can be made again.

        Raises:
            Stop: it cannot be written.
            Refused: it is no longer what was expected.
        """
        mode = None
        if not plaintext and not os.path.lexists(path):
            umask = os.umask(0o077)
            os.umask(umask)
            mode = 0o666 & ~umask
        try:
            files.replace(path, data, mode=mode, expected=expected, durable=durable)
        except SourceError as error:
            message, hint = error.message, error.hint
        else:
            return
        raise Stop(UNWRITABLE, message, hint=hint)

    def _new_keyring(self, prompt: "_Person | None") -> Keyring:
        identities = Identities(self.call.environ, prompt=prompt, shown=self.shown)
        return Keyring(registry.backends(identities), self.order, shown=self.shown)

    def shown(self, label: str) -> str:
        """Write a master key for people, by its name; sops knows none."""
        if self._shown is None:
            from sealpy import config_file, project
            from sealpy_cli.team import project_file  # only what is said of people needs their names

            self._shown = (
                project.plain
                if self.call.as_sops
                else project_file.shown(lambda: self.call.root.text("config") or config_file.find(os.getcwd()).path)
            )
        return self._shown(label)

    def _default_selection(self, fmt: Format, data: bytes) -> "Selection":
        """What holds without a rule: a Secret or ConfigMap stays a valid manifest; sops would seal its kind too."""
        from sealpy.selection import DEFAULT, KUBERNETES

        if self.call.as_sops or not (b"kind" in data and (b"Secret" in data or b"ConfigMap" in data)):
            return DEFAULT
        from sealpy import kubernetes
        from sealpy.operations import scan_clear

        return KUBERNETES if kubernetes.default_selection_applies(scan_clear(data, fmt).leaves) else DEFAULT


class _Person:
    """Whoever sits at the terminal."""

    def ask_secret(self, question: str) -> Secret[str] | None:
        """Ask for a passphrase."""
        answer = terminal.hidden(terminal.plain(question))
        return None if answer is None else Secret(answer)

    def show(self, message: str) -> None:
        """Show what a plugin says."""
        terminal.say(terminal.plain(message))


def _order(text: str) -> Sequence[str]:
    if not text:
        return DEFAULT_ORDER
    order = text.split(",")
    for place, kind in enumerate(order):
        if kind in order[:place]:
            raise Stop(ORDER_REPEATED, f"{kind} stands twice in the decryption order")
    return order


def _context(text: str) -> Mapping[str, str]:
    pairs = [pair.split(":") for pair in text.split(",")] if text else []
    if any(len(pair) != 2 for pair in pairs):
        raise Stop(BAD_CONTEXT, "the encryption context is not KEY:VALUE,KEY:VALUE")
    return {pair[0]: pair[1] for pair in pairs}


def _size(text: str) -> int:
    if not text:
        return files.MAX_BYTES
    number, unit = text.rstrip("KMGkmg"), text[len(text.rstrip("KMGkmg")) :].upper()
    if not (number.isascii() and number.isdigit()) or unit not in _UNITS:
        raise UsageError("the size limit is no size", hint="write it like 100M or 1G")
    return int(number) * _UNITS[unit]
