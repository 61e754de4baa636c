"""Our side of the in-process rows: the same verbs, arguments and output as gosops, sops' side.

    library.py decrypt N FILE...
    library.py encrypt N RECIPIENT REGEX FILE

One thread does all. Every round begins with a new key ring, so each file's data key is unwrapped each time.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

from sealpy import operations, registry
from sealpy.identities import Identities
from sealpy.keyring import Keyring
from sealpy.selection import Selection


def decrypt(paths: list[str]) -> None:
    keyring = Keyring(registry.backends(Identities(os.environ)))
    for path in paths:
        operations.decrypt(_read(path), registry.format_for(path), keyring)


def encrypt(recipient: str, regex: str, path: str) -> None:
    keyring = Keyring(registry.backends(Identities(os.environ)))
    plan = operations.Plan(groups=[[("age", recipient)]], selection=Selection("encrypted_regex", regex))
    operations.encrypt(_read(path), registry.format_for(path), plan, keyring, now=datetime.now(UTC))


def measure(rounds: int, operations_a_round: int, one_round: Callable[[], None]) -> dict[str, object]:
    one_round()
    taken = []
    for _ in range(rounds):
        start = time.perf_counter_ns()
        one_round()
        taken.append((time.perf_counter_ns() - start) // operations_a_round)
    return {"operations": operations_a_round, "ns": taken}


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def main() -> None:
    verb, rounds, *rest = sys.argv[1:]
    if verb == "decrypt":
        result = measure(int(rounds), len(rest), lambda: decrypt(rest))
    else:
        recipient, regex, path = rest
        result = measure(int(rounds), 1, lambda: encrypt(recipient, regex, path))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
