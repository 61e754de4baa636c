"""Where the parts of a file are: names, and what stands in the folder.

The parts of ``secrets.yaml`` are the files ``secrets.d/*.yaml`` beside it. What a part is, ``parts`` says.
"""

import os

from sealpy.errors import Refused

_FOLDER = ".d"
_SUFFIXES = (".yaml", ".yml", ".json", ".env")
_LONGEST_NAME = 255
_UNFINISHED = ".sealpy-"
"""What a file is called while it is being written."""
_OF_KUSTOMIZE = ("kustomization.yaml", "kustomization.yml")


def folder_of(base: str) -> str | None:
    """Return the folder of a file's parts: ``secrets.d`` for ``secrets.yaml``; None for what can have none."""
    stem = _stem(base)
    return None if stem is None else stem + _FOLDER


def path_of(base: str, key: str) -> str:
    """Return where the part for a key is.

    Raises:
        Refused: this kind of file has no parts, or the key cannot be the name of a file.
    """
    folder = folder_of(base)
    if folder is None:
        raise Refused(f"{base} can have no parts", hint="files of YAML, JSON and dotenv can, by their suffix")
    name = key + _suffix(base)
    if len(name.encode("utf-8", "surrogateescape")) > _LONGEST_NAME:
        raise Refused("the key is too long to be the name of a file", hint="take a shorter one")
    if not _is_name(name):
        raise Refused(
            f"{name} is no name for a part, so {key} cannot be added without the key", hint="take another one"
        )
    return f"{folder}/{name}"


def base_of(path: str) -> str | None:
    """Return the file that this one is a part of, if it is there; None where the path is not that of a part.

    A part has the suffix of its base, so that secrets.yaml and secrets.json have each their own.
    """
    folder, _, name = path.replace("\\", "/").rpartition("/")
    above, slash, stem = folder.rpartition("/")
    if _stem(name) is None or not _is_name(name) or not stem.endswith(_FOLDER) or len(stem) == len(_FOLDER):
        return None
    return f"{above}{slash}{stem.removesuffix(_FOLDER)}{_suffix(name)}"


def bases_of(folder: str) -> list[str]:
    """Return what the files would be called that have their parts in a folder; none where it has not such a name."""
    stem = folder.removesuffix(_FOLDER)
    return [stem + suffix for suffix in _SUFFIXES] if stem != folder and stem and not stem.endswith("/") else []


def key_of(path: str) -> str:
    """Return the key that a part is for, by its name."""
    name = path.replace("\\", "/").rpartition("/")[2]
    return name.removesuffix(_suffix(name))


def beside(base: str) -> list[str]:
    """Return the paths of a file's parts that are there, in order; also of what is no file and cannot be used."""
    folder = folder_of(base)
    if folder is None:
        return []
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    suffix = _suffix(base)
    return [
        f"{folder}/{name}"
        for name in sorted(names)
        if _suffix(name) == suffix != name
        and _is_name(name)
        and (os.path.islink(path := os.path.join(folder, name)) or not os.path.isdir(path))
    ]


def link_to(path: str) -> str | None:
    """Return the symbolic link that stands in the place of a part or of its folder; None if there is none.

    Links are not followed: what they lead to may be anywhere, and a review would not show it.
    """
    return next((place for place in (os.path.dirname(path), path) if os.path.islink(place)), None)


def _is_name(name: str) -> bool:
    return not name.startswith(_UNFINISHED) and name not in _OF_KUSTOMIZE


def _stem(path: str) -> str | None:
    suffix = _suffix(path)
    stem = path.removesuffix(suffix)
    return stem if suffix and stem and not stem.endswith(("/", "\\")) else None


def _suffix(path: str) -> str:
    return next((suffix for suffix in _SUFFIXES if path.endswith(suffix)), "")
