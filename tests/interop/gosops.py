"""sops' own Go packages in one long-running process: the reference for thousands of documents."""

import base64
import json
import subprocess
from typing import Any, NamedTuple

from sealpy.document import Path
from tests.conftest import AgeKey

Item = tuple[Path, str, str]
"""A value or comment of sops' tree: its path (a comment's is that of its map), its type and its text."""


class Answer(NamedTuple):
    """What sops made of a request; ``error`` is empty if it did."""

    error: str
    items: list[Item]
    text: bytes


class GoSops:
    """Asks the server; a panic of sops is an error like others."""

    def __init__(self, program: str, key: AgeKey) -> None:
        self.key = key
        self.process = subprocess.Popen([program, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def close(self) -> None:
        self.process.communicate(timeout=10)

    def tree(self, name: str, text: bytes) -> Answer:
        """Read a clear file."""
        return self._ask("tree", name, text)

    def encrypt(self, name: str, text: bytes, *, only_encrypted: bool = False, **selection: str) -> Answer:
        return self._ask("encrypt", name, text, mac_only_encrypted=only_encrypted, selection=selection)

    def decrypt(self, name: str, text: bytes) -> Answer:
        """Open a sealed file with a good MAC: its tree, and the text that sops writes for it."""
        return self._ask("decrypt", name, text)

    def _ask(self, operation: str, name: str, text: bytes, **more: Any) -> Answer:
        request = {
            "operation": operation,
            "format": name,
            "text": base64.b64encode(text).decode(),
            "identity": self.key.identity,
            "groups": [[self.key.recipient]],
            **more,
        }
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()
        reply = json.loads(self.process.stdout.readline())
        items: list[Item] = []
        for document in reply["documents"] or []:
            _walk(document, (), items)
        return Answer(reply.get("error", ""), items, base64.b64decode(reply["text"] or ""))


def _walk(node: dict[str, Any], path: Path, items: list[Item]) -> None:
    entries = node.get("items") or []
    if node["type"] in ("map", "list") and entries:
        for number, entry in enumerate(entries):
            inner = entry["node"]
            if inner["type"] == "comment":
                items.append((path, "comment", _text(inner)))
            else:
                _walk(inner, (*path, entry.get("key", number)), items)
    else:
        items.append((path, node["type"], _text(node)))


def _text(node: dict[str, Any]) -> str:
    if "raw" in node:
        return base64.b64decode(node["raw"]).decode("utf-8", "surrogateescape")
    return str(node.get("value", ""))
