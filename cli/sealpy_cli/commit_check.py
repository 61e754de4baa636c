"""The check before a commit: nothing goes into history in clear that a creation rule wants encrypted.

The index is read and not the worktree, because it is the index that is committed. No key is needed.
"""

import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sealpy import config_file, files, kubernetes, registry
from sealpy.document import Leaf
from sealpy.errors import DocumentError, EmptyDocument, NoMatchingRule
from sealpy.rules import CreationRule, Rules
from sealpy.selection import DEFAULT, KUBERNETES, select
from sealpy_cli.git import Git

_REGULAR = 0o100000
_KIND_OF_FILE = 0o170000
_VALUES = frozenset(("str", "int", "float", "bool", "time", "bytes"))

# Read by kustomize itself, so never encrypted, whatever a rule covers; sops' own configuration likewise.
_NEVER = frozenset((config_file.NAME, "kustomization.yaml", "kustomization.yml", "Kustomization"))
# Objects that stand for secrets and hold none.
_STAND_INS = frozenset(("ExternalSecret", "ClusterExternalSecret", "SealedSecret"))


class InClear(NamedTuple):
    """A staged file that would be committed in clear, and why that is wrong."""

    path: str
    """From the top of the worktree."""
    why: str


def find(git: Git) -> Iterator[InClear]:
    """Look at every staged file that is new or changed.

    Raises:
        SourceError: git fails, or a configuration file cannot be read.
        RuleError: a configuration file is wrong.
    """
    top = git.top()
    staged = [
        change
        for change in git.differences(("--cached",))
        if change.new_path and change.new_mode & _KIND_OF_FILE == _REGULAR
    ]
    ruled = []
    known: dict[str, Rules | None] = {}
    for change in staged:
        path = os.fsdecode(change.new_path)
        rule = None if os.path.basename(path) in _NEVER else _rule_for(os.path.join(top, path), known)
        if rule is not None:
            ruled.append((path, change.new_blob, rule))
    blobs = git.blobs((blob for _, blob, _ in ruled), files.MAX_BYTES)
    for (path, _, rule), blob in zip(ruled, blobs, strict=True):
        why = "it is too large to be checked" if blob.data is None else _why_not(path, blob.data, rule)
        if why:
            yield InClear(path, why)


def _rule_for(path: str, known: dict[str, Rules | None]) -> CreationRule | None:
    """Return the rule of the nearest configuration file above a file."""
    folder = os.path.dirname(path)
    if folder not in known:
        found = config_file.find(folder).path
        known[folder] = None if found is None else config_file.load(found)
    rules = known[folder]
    if rules is None:
        return None
    try:
        return rules.match(config_file.path_in(rules.path, path))
    except NoMatchingRule:
        return None


def _why_not(path: str, data: bytes, rule: CreationRule) -> str:
    """Say why a file must not be committed as it is; empty if it may."""
    fmt = registry.format_for(path)
    try:
        document = fmt.scan(fmt.decode(data))
    except EmptyDocument:
        return ""
    except DocumentError as error:
        # A template is no document before it is rendered.
        return "" if b"{{" in data or not rule.path_regex else f"it cannot be checked: {error}"
    if document.metadata is not None:
        return ""
    if fmt.name == "binary":
        return "a creation rule wants it encrypted" if data and rule.path_regex else ""
    if not rule.path_regex:
        # A rule for everything is there for whoever encrypts; only what is a secret beyond doubt is held to it.
        return "it is a Kubernetes Secret in clear" if kubernetes.holds_secret(document.leaves) else ""
    return "a creation rule wants it encrypted" if _would_seal(document.leaves, rule) else ""


def _would_seal(leaves: Sequence[Leaf], rule: CreationRule) -> bool:
    selection = rule.selection
    if selection is None:
        selection = KUBERNETES if kubernetes.default_selection_applies(leaves) else DEFAULT
    chosen = select(selection, leaves)
    for manifest in kubernetes.manifests(leaves):
        # Sealing all of an object breaks it, so a rule that selects nothing is not meant for it.
        if manifest.kind in _STAND_INS or (rule.selection is None and not kubernetes.is_secret_like(manifest)):
            for index in range(*manifest.span):
                chosen[index] = False
    return any(sealed and leaf.content and leaf.kind in _VALUES for leaf, sealed in zip(leaves, chosen, strict=True))
