"""The configuration file ``.sops.yaml``: which rule is for which file.

Pure: text in, rules out; ``config_file`` finds and reads the file. A rule that is wrong is an error only for the
files it is for, as in sops: a slip in one team's rule does not stop another team.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from sealpy import regex, settings
from sealpy.errors import NoMatchingRule, RuleError
from sealpy.selection import MODES, Selection, from_settings
from sealpy.settings import Setting

_FILE_KEYS = ("creation_rules", "destination_rules", "stores")
_RULE_KEYS = (
    "path_regex",
    "age",
    "pgp",
    "kms",
    "aws_profile",
    "gcp_kms",
    "hckms",
    "azure_keyvault",
    "hc_vault_transit_uri",
    "key_groups",
    "shamir_threshold",
    "mac_only_encrypted",
    *MODES,
)
_GROUP_KEYS = ("merge", "age", "pgp", "kms", "gcp_kms", "hckms", "azure_keyvault", "hc_vault")
_DESTINATIONS = ("s3_bucket", "gcs_bucket", "vault_path")
_DESTINATION_TEXTS = (*_DESTINATIONS, "s3_prefix", "gcs_prefix", "vault_address", "vault_kv_mount_name")
_DESTINATION_KEYS = ("path_regex", *_DESTINATION_TEXTS, "vault_kv_version", "omit_extensions", "recreation_rule")
_STORES = ("yaml", "json", "json_binary", "dotenv", "ini")

# sops calls one thing by several names: in the metadata, in a rule, in a key group.
_MISTAKEN_IN_RULE = {
    "gpg": "pgp",
    "aws_kms": "kms",
    "azure_kv": "azure_keyvault",
    "hc_vault": "hc_vault_transit_uri",
    "hc_vault_transit": "hc_vault_transit_uri",
    "filename_regex": "path_regex",
}
_MISTAKEN_IN_GROUP = {
    "gpg": "pgp",
    "aws_kms": "kms",
    "azure_kv": "azure_keyvault",
    "hc_vault_transit": "hc_vault",
    "hc_vault_transit_uri": "hc_vault",
}

_FLAT = {
    "age": "age",
    "pgp": "pgp",
    "kms": "kms",
    "gcp_kms": "gcp_kms",
    "hckms": "hckms",
    "azure_keyvault": "azure_kv",
    "hc_vault_transit_uri": "hc_vault",
}
"""The lists of a rule, in the order in which sops takes them, and the back end of each."""
_NAMED_ORDER = ("kms", "gcp_kms", "hckms", "azure_kv", "pgp", "hc_vault", "age")
"""The order of the master keys that the command line names."""


class KeySpec(NamedTuple):
    """A master key that is to be: the back end, and the text that names the key to it.

    AWS: ``arn`` or ``arn+role``. Azure: ``https://VAULT/keys/NAME[/VERSION]``. Huawei: ``region:id``. Vault: the
    URI of the transit key. ``context`` and ``aws_profile`` are of AWS alone.
    """

    backend: str
    text: str
    context: tuple[tuple[str, str], ...] = ()
    aws_profile: str = ""


class Fault(NamedTuple):
    """What is wrong with a rule; it is raised when the rule is used."""

    message: str
    hint: str | None


class CreationRule(NamedTuple):
    """What a new file gets: master keys, what is sealed, and what the MAC covers.

    ``groups`` is empty when the rule names no key. ``threshold`` is 0 when every group is needed.
    """

    line: int
    path_regex: str = ""
    groups: tuple[tuple[KeySpec, ...], ...] = ()
    threshold: int = 0
    selection: Selection | None = None
    mac_only_encrypted: bool = False
    fault: Fault | None = None

    @property
    def quorum(self) -> int:
        """How many of its key groups together open a file."""
        return 1 if len(self.groups) == 1 else self.threshold or len(self.groups)

    def called(self, backend: str, text: str) -> tuple[str, str]:
        """Return what the rule calls a master key of a file: a version of an Azure key that it leaves open is cut off."""
        if backend != "azure_kv":
            return backend, text
        short = text.rpartition("/")[0]
        unversioned = any(key.backend == backend and key.text == short for group in self.groups for key in group)
        return backend, short if unversioned else text

    def with_keys(self, keys: Sequence[KeySpec]) -> "CreationRule":
        """Return the rule with other keys, as one group; all else that it says stays."""
        return self._replace(groups=(tuple(keys),))


class DestinationRule(NamedTuple):
    """Where a published file goes, and the rule that it is sealed anew by."""

    line: int
    path_regex: str = ""
    settings: Mapping[str, str | int | bool] = {}
    recreation_rule: CreationRule | None = None
    fault: Fault | None = None


class Stores(NamedTuple):
    """Indents to emit with, in spaces; for JSON -1 is a tab, for YAML 0 is the default."""

    yaml_indent: int = 0
    json_indent: int = -1
    json_binary_indent: int = -1


class Rules(NamedTuple):
    """A configuration file. ``creation_rules`` is None when it has none at all, which is as if there were no file."""

    path: str
    creation_rules: tuple[CreationRule, ...] | None = None
    destination_rules: tuple[DestinationRule, ...] = ()
    stores: Stores = Stores()
    notes: tuple[str, ...] = ()
    """What is worth saying about the file, such as keys that nobody knows."""

    def match(self, path: str) -> CreationRule | None:
        """Return the first rule for a path; None when the file has no rules.

        ``path`` is relative to the folder of the configuration file, or absolute when it is outside.

        Raises:
            NoMatchingRule: there are rules, and none is for it.
            RuleError: the rule, or one before it, is wrong.
        """
        if self.creation_rules is None:
            return None
        for rule in self.creation_rules:
            if self._covers(rule, path):
                self._require(rule)
                return rule
        raise NoMatchingRule(
            f"no creation rule of {self.path} matches {path}",
            hint="add a rule whose path_regex matches this path, or a last rule without path_regex",
        )

    def faults(self) -> Iterator[Fault]:
        """Give what is wrong with any rule, whether a file uses it or not."""
        for rule in self.creation_rules or ():
            try:
                self._covers(rule, "")
                self._require(rule)
            except RuleError as error:
                yield Fault(error.message, error.hint)
        for destination in self.destination_rules:
            if destination.fault is not None:
                yield destination.fault

    def _covers(self, rule: CreationRule, path: str) -> bool:
        if not rule.path_regex:
            return True
        try:
            matcher = regex.compile(rule.path_regex)
        except RuleError as error:
            message, hint = f"{self.path}:{rule.line}: path_regex is {error.message}", error.hint
        else:
            # Rules are written with slashes; paths of Windows come with backslashes.
            return matcher.search(path) or ("\\" in path and matcher.search(path.replace("\\", "/")))
        raise RuleError(message, hint=hint)

    def _require(self, rule: CreationRule) -> None:
        """Refuse a rule that cannot be used."""
        if rule.fault is not None:
            raise RuleError(rule.fault.message, hint=rule.fault.hint)
        if rule.selection is None:
            return
        try:
            rule.selection.check()
        except RuleError as error:
            message, hint = f"{self.path}:{rule.line}: {error.message}", error.hint
        else:
            return
        raise RuleError(message, hint=hint)


def parse(text: str, path: str) -> Rules:
    """Read a configuration file; ``path`` is what errors call it.

    Raises:
        RuleError: not well-formed, or something other than its rules is wrong; see ``Rules.match``.
    """
    root = settings.parse(text, path)
    if root is None:
        return Rules(path)
    fields = root.fields(_FILE_KEYS)
    creation = fields.get("creation_rules")
    destination = fields.get("destination_rules")
    return Rules(
        path,
        None if creation is None else tuple(_creation_rule(item) for item in _items(creation, "creation_rules")),
        tuple(_destination_rule(item) for item in _items(destination, "destination_rules")),
        _stores(fields.get("stores")),
        tuple(root.notes),
    )


def named_keys(
    texts: Mapping[str, str], *, context: Mapping[str, str] | None = None, aws_profile: str = ""
) -> tuple[KeySpec, ...]:
    """Return the master keys that the command line or the environment names, by back end, in texts with commas."""
    return tuple(
        spec
        for backend in _NAMED_ORDER
        for spec in _specs(
            backend,
            [part.strip() for part in texts.get(backend, "").split(",") if part.strip()],
            tuple(sorted((context or {}).items())),
            aws_profile,
        )
    )


def _creation_rule(node: Setting) -> CreationRule:
    """Read a rule; where it is wrong keep for which files that matters."""
    rule = CreationRule(node.line)
    try:
        path_regex = node.field("path_regex")
        if path_regex is not None:
            rule = rule._replace(path_regex=path_regex.text("path_regex"))
        return _filled(rule, node)
    except RuleError as error:
        return rule._replace(fault=Fault(error.message, error.hint))


def _filled(rule: CreationRule, node: Setting) -> CreationRule:
    fields = node.fields(_RULE_KEYS, _MISTAKEN_IN_RULE)
    selectors = {mode: fields[mode].text(mode) for mode in MODES if mode in fields}
    try:
        selection = from_settings(selectors)
    except RuleError as error:
        message, hint = error.message, error.hint
    else:
        threshold = _integer(fields, "shamir_threshold")
        if threshold < 0:
            raise fields["shamir_threshold"].fault("shamir_threshold must not be negative")
        return rule._replace(
            groups=_groups(fields),
            threshold=threshold,
            selection=selection,
            mac_only_encrypted="mac_only_encrypted" in fields
            and fields["mac_only_encrypted"].boolean("mac_only_encrypted"),
        )
    raise node.fault(message, hint=hint)


def _groups(fields: Mapping[str, Setting]) -> tuple[tuple[KeySpec, ...], ...]:
    groups = _items(fields.get("key_groups"), "key_groups")
    if groups:
        # The flat lists don't count then.
        return tuple(_group(group) for group in groups)
    profile = _text(fields, "aws_profile")
    flat = tuple(
        spec
        for name, backend in _FLAT.items()
        if name in fields
        for spec in _specs(backend, fields[name].texts(name), (), profile)
    )
    return (flat,) if flat else ()


def _group(node: Setting) -> tuple[KeySpec, ...]:
    """Read a key group; what it merges comes first, and no key comes twice."""
    keys: dict[KeySpec, None] = dict.fromkeys(_members(node))
    if not keys:
        raise node.fault("this key group holds no key", hint="a share of the data key would be lost with it")
    return tuple(keys)


def _members(node: Setting) -> Iterator[KeySpec]:
    fields = node.fields(_GROUP_KEYS, _MISTAKEN_IN_GROUP)
    for group in _items(fields.get("merge"), "merge"):
        yield from _members(group)
    for name in ("age", "pgp"):
        yield from _specs(name, [part for item in _items(fields.get(name), name) for part in item.texts(name)], (), "")
    for item in _items(fields.get("kms"), "kms"):
        key = item.fields(("arn", "role", "context", "aws_profile"))
        role = _text(key, "role")
        context = key["context"].pairs("context") if "context" in key else {}
        yield KeySpec(
            "kms",
            _needed(item, key, "arn") + (f"+{role}" if role else ""),
            tuple(sorted(context.items())),
            _text(key, "aws_profile"),
        )
    for item in _items(fields.get("gcp_kms"), "gcp_kms"):
        yield KeySpec("gcp_kms", _needed(item, item.fields(("resource_id",)), "resource_id"))
    for item in _items(fields.get("hckms"), "hckms"):
        yield KeySpec("hckms", _needed(item, item.fields(("key_id",)), "key_id"))
    for item in _items(fields.get("azure_keyvault"), "azure_keyvault"):
        key = item.fields(("vaultUrl", "key", "version"))
        version = _text(key, "version")
        url = f"{_needed(item, key, 'vaultUrl')}/keys/{_needed(item, key, 'key')}"
        yield KeySpec("azure_kv", f"{url}/{version}" if version else url)
    for item in _items(fields.get("hc_vault"), "hc_vault"):
        yield KeySpec("hc_vault", item.text("hc_vault"))


def _specs(
    backend: str, texts: Sequence[str], context: tuple[tuple[str, str], ...], aws_profile: str
) -> Iterator[KeySpec]:
    for text in texts:
        if backend == "kms":
            yield KeySpec(backend, text.replace(" ", ""), context, aws_profile)
        elif backend in ("pgp", "gcp_kms"):
            yield KeySpec(backend, text.replace(" ", ""))
        else:
            yield KeySpec(backend, text)


def _destination_rule(node: Setting) -> DestinationRule:
    rule = DestinationRule(node.line)
    try:
        fields = node.fields(_DESTINATION_KEYS)
        rule = rule._replace(path_regex=_text(fields, "path_regex"))
        given: dict[str, str | int | bool] = {
            name: text for name in _DESTINATION_TEXTS if (text := _text(fields, name))
        }
        if "vault_kv_version" in fields:
            given["vault_kv_version"] = _integer(fields, "vault_kv_version")
        if "omit_extensions" in fields:
            given["omit_extensions"] = fields["omit_extensions"].boolean("omit_extensions")
        recreation = fields.get("recreation_rule")
        if sum(name in given for name in _DESTINATIONS) > 1:
            raise node.fault("more than one destination in one rule", hint="write a rule for each")
        return rule._replace(settings=given, recreation_rule=_creation_rule(recreation) if recreation else None)
    except RuleError as error:
        return rule._replace(fault=Fault(error.message, error.hint))


def _stores(node: Setting | None) -> Stores:
    if node is None:
        return Stores()
    found = {}
    for name, store in node.fields(_STORES).items():
        indent = store.fields(("indent",)).get("indent") if name.startswith(("yaml", "json")) else None
        if indent is not None:
            found[f"{name}_indent"] = indent.integer("indent")
            if found[f"{name}_indent"] < (0 if name == "yaml" else -1):
                raise indent.fault("indent is too small")
    return Stores(**found)


def _items(node: Setting | None, what: str) -> list[Setting]:
    """Return the items of a list, without null ones; a list that is not there is empty."""
    return [] if node is None else [item for item in node.items(what) if not item.null]


def _text(fields: Mapping[str, Setting], name: str) -> str:
    return fields[name].text(name) if name in fields else ""


def _integer(fields: Mapping[str, Setting], name: str) -> int:
    return fields[name].integer(name) if name in fields else 0


def _needed(node: Setting, fields: Mapping[str, Setting], name: str) -> str:
    text = _text(fields, name)
    if not text:
        raise node.fault(f"this key has no {name}")
    return text
