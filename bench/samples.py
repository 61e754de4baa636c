"""The files that are measured, sealed by sops itself: the same bytes for both sides."""

import base64
import json
import os
import random
import subprocess
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from processes import environment

REGEX = "^(data|stringData)$"
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


class Key(NamedTuple):
    """An age identity in a file, and its recipient."""

    file: str
    recipient: str


def make_key(age_keygen: str, folder: str) -> Key:
    """Make a throw-away key."""
    file = os.path.join(folder, "keys.txt")
    subprocess.run([age_keygen, "-o", file], capture_output=True, check=True)
    made = subprocess.run([age_keygen, "-y", file], capture_output=True, text=True, check=True)
    return Key(file, made.stdout.strip())


def secret(number: int, draw: random.Random) -> str:
    """Write a Kubernetes Secret with ten values of 8 to 64 characters."""
    head = f"apiVersion: v1\nkind: Secret\nmetadata:\n    name: secret-{number}\nstringData:\n"
    return head + "".join(f"    key-{line}: {value(draw)}\n" for line in range(10))


def value(draw: random.Random) -> str:
    """Write one value."""
    return "".join(draw.choices(LETTERS, k=draw.randint(8, 64)))


def flat(values: int, draw: random.Random) -> str:
    """Write a YAML file of so many values, ten in a map, as people nest them."""
    lines = []
    for number in range(values):
        if number % 10 == 0:
            lines.append(f"group-{number // 10}:\n")
        lines.append(f"    key-{number % 10}: {value(draw)}\n")
    return "".join(lines)


def seal(gosops: str, recipient: str, texts: Iterable[str], regex: str = REGEX) -> Iterator[bytes]:
    """Seal YAML texts with sops, each under a data key of its own."""
    with subprocess.Popen(
        [gosops, "serve"], env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin
        assert server.stdout
        for text in texts:
            order = {
                "operation": "encrypt",
                "format": "yaml",
                "text": base64.b64encode(text.encode()).decode(),
                "groups": [[recipient]],
                "selection": {"encrypted_regex": regex},
            }
            server.stdin.write(json.dumps(order) + "\n")
            server.stdin.flush()
            reply = json.loads(server.stdout.readline())
            assert "error" not in reply, reply["error"]
            yield base64.b64decode(reply["text"])
        server.stdin.close()


def write(path: str, data: bytes) -> str:
    """Write a file and return its path."""
    with open(path, "wb") as file:
        file.write(data)
    return path
