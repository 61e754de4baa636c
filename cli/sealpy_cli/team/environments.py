"""Which folders of a repository stand for environments: dev, qa, prod and so on."""

import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

ORDER = (
    "sandbox", "demo", "local", "dev", "develop", "development", "int", "integration", "test", "testing", "qa", "uat",
    "preview", "stage", "staging", "preprod", "pre-prod", "preproduction", "prod", "production", "live",
)  # fmt: skip
"""Names that people give environments, from the first to the last that a change goes through."""

PARENTS = frozenset(("env", "envs", "environments", "overlays", "clusters", "stages"))
"""Folders whose folders are environments, whatever their names."""

_SHARED = frozenset(("base", "bases", "common", "shared", "components", "default", "defaults"))
_OTHERS = frozenset(("node_modules", "vendor", "target", "dist", "build"))
_DEPTH = 5
_FOLDERS = 20_000


class Environment(NamedTuple):
    """One environment: its name, and the folders of that name, relative to the top, with slashes."""

    name: str
    folders: Sequence[str]


def find(top: str) -> list[Environment]:
    """Find the environments of a repository, in the order in which changes go through them.

    A folder counts if it is in one of ``PARENTS``, or has the name of an environment and so has a sibling: a lone
    ``test`` is more often a folder of tests.
    """
    found: dict[str, list[str]] = {}
    for folder in _folders(top):
        found.setdefault(folder.rpartition("/")[2], []).append(folder)
    return [Environment(name, sorted(found[name])) for name in sorted(found, key=_place)]


def _folders(top: str) -> Iterator[str]:
    seen = 0
    for path, names, _ in os.walk(top):
        seen += len(names)
        here = os.path.relpath(path, top).replace(os.sep, "/")
        here = "" if here == "." else f"{here}/"
        named = [name for name in names if name.lower() in ORDER]
        if here.rstrip("/").rpartition("/")[2] in PARENTS:
            environments = [name for name in names if name not in _SHARED and not name.startswith(".")]
        else:
            environments = named if len(named) > 1 else []
        yield from (here + name for name in environments)
        deeper = here.count("/") + 1 < _DEPTH and seen < _FOLDERS
        left_out = {*environments, *_OTHERS}
        names[:] = [name for name in names if name not in left_out and not name.startswith(".")] if deeper else []


def _place(name: str) -> tuple[int, str]:
    return (ORDER.index(name.lower()) if name.lower() in ORDER else len(ORDER), name)
