"""Which files of the source can hold a Secret or a ConfigMap, by name and by a glance at the content."""

import re
from collections.abc import Sequence

from sealpy import part_folder, registry
from sealpy.document import Leaf
from sealpy.encrypted_value import looks_sealed
from sealpy.errors import DocumentError
from sealpy.kubernetes import is_secret_like, manifests

_SUFFIXES = (".yaml", ".yml", ".json")
_KUSTOMIZATIONS = frozenset(("kustomization.yaml", "kustomization.yml", "Kustomization"))
# What makes other objects of those that stand in the files, or more of them.
_TRANSFORMING = frozenset(
    (
        "components",
        "configMapGenerator",
        "generators",
        "namePrefix",
        "nameSuffix",
        "namespace",
        "patches",
        "patchesJson6902",
        "patchesStrategicMerge",
        "replacements",
        "secretGenerator",
        "transformers",
    )
)
_MEANT = re.compile(rb"""\bkind["']?\s*:\s*["']?(?:Secret|ConfigMap)(?:List)?["']?\s*(?:[,}#]|$)|ENC\[""", re.MULTILINE)
# An escape can spell anything; a sealed kind shows only its envelope.
_SIGNS = (b"Secret", b"ConfigMap", b"ENC[", b"\\")


def is_manifest(path: str) -> bool:
    """Tell by its name whether a file may hold objects. What is kustomize's own is none."""
    return path.endswith(_SUFFIXES) and not is_kustomization(path)


def is_kustomization(path: str) -> bool:
    """Tell whether kustomize reads this file as its own."""
    return path.rpartition("/")[2] in _KUSTOMIZATIONS


def transforming_fields(data: bytes) -> dict[str, str]:
    """Return the fields of a kustomization that would make other objects, with their texts where they have one."""
    fmt = registry.format_named("yaml")
    try:
        leaves = fmt.scan(fmt.decode(data)).leaves
    except DocumentError:
        return {}
    return {
        str(leaf.path[0]): leaf.content
        for leaf in leaves
        if leaf.path and leaf.path[0] in _TRANSFORMING and not _names_part(leaf)
    }


def _names_part(leaf: Leaf) -> bool:
    # A patch that is a part has its effect without kustomize too.
    return leaf.path[0] == "patches" and leaf.path[2:] == ("path",) and part_folder.base_of(leaf.content) is not None


def may_hold_object(data: bytes) -> bool:
    """Tell whether it is worth the time to read a file."""
    return any(sign in data for sign in _SIGNS)


def resembles_object(data: bytes) -> bool:
    """Tell of a file that cannot be read whether it was meant to hold a Secret or a ConfigMap."""
    return _MEANT.search(data) is not None


def needs_opening(leaves: Sequence[Leaf]) -> bool:
    """Tell whether a sealed file holds a Secret or a ConfigMap, or hides what it holds.

    A sealed file of something else (values of a chart, another program's object) is none of our business, and it is
    no fault if no key here opens it.
    """
    return any(
        is_secret_like(manifest) or looks_sealed(manifest.kind) or looks_sealed(manifest.api_version)
        for manifest in manifests(leaves)
    )
