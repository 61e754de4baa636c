"""``--extract``: one value, or one branch, of an opened document.

A string is printed as it is, without a new line, so that ``$(…)`` and files get exactly the value. Other values are
printed as the format writes them; a branch of YAML or JSON as a document of its own, without its comments.
"""

from typing import Any

from sealpy import data
from sealpy.document import Leaf, Path
from sealpy.errors import PathNotFound
from sealpy.formats import Format
from sealpy.sealing import Opened
from sealpy_cli.exit_codes import UNRENDERABLE, Stop


def extract(opened: Opened, fmt: Format, path: Path) -> bytes:
    """Return what is at a path of the first document.

    Raises:
        PathNotFound
        Stop: a branch, in a format that has none.
    """
    below = [leaf for leaf in opened.leaves if leaf.document == 0 and leaf.path[: len(path)] == path]
    below = [leaf for leaf in below if leaf.kind != "comment"]
    if not below:
        raise PathNotFound("there is nothing at that path", hint="keys are case-sensitive; list items count from 0")
    if below[0].path == path and below[0].kind not in ("map", "list"):
        return _scalar(below[0], fmt)
    value: Any = data.documents(below, 1)[0]
    for part in path:
        # Items before the one that was asked for are not there, so it is the first.
        value = value[0] if isinstance(part, int) else value[part]
    return _branch(value, fmt)


def _scalar(leaf: Leaf, fmt: Format) -> bytes:
    match leaf.kind:
        case "null":
            text = "null"
        case "bool":
            text = leaf.content.lower()
        case "str" | "bytes":
            return leaf.content.encode("utf-8", "surrogateescape")
        case _:
            text = leaf.content
    return f"{text}\n".encode() if fmt.name == "yaml" else text.encode()


def _branch(value: Any, fmt: Format) -> bytes:
    if fmt.name == "json":
        import json

        text = json.dumps(value, indent="\t", ensure_ascii=False, default=str)
        return f"{text}\n".encode("utf-8", "surrogateescape") if isinstance(value, dict) else text.encode()
    if fmt.name == "yaml":
        import yaml

        class Indenting(yaml.SafeDumper):
            """Indents lists in maps, as sops does."""

            def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
                super().increase_indent(flow, indentless=False)

        dumped: bytes = yaml.dump(
            value,
            Dumper=Indenting,
            sort_keys=False,
            allow_unicode=True,
            default_flow_style=False,
            width=2**31 - 1,
            indent=4,
            encoding="utf-8",
        )
        return dumped
    raise Stop(UNRENDERABLE, f"one value of a {fmt.name} file can be extracted, but not a branch of it")
