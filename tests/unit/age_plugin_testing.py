"""A real age plugin, as a program: it speaks age's plugin protocol, and "wraps" by turning bytes around.

Its recipient is any ``age1testing1…``; its identity any ``AGE-PLUGIN-TESTING-1…``. It shows a message first,
and with TESTING_PIN set it asks for a PIN and fails on any other.
"""

import base64
import os
import sys
from collections.abc import Iterator


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=")


def decoded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4))


def send(*words: str, body: bytes = b"") -> None:
    text = encoded(body)
    lines = [text[start : start + 64] for start in range(0, len(text) + 1, 64)]
    sys.stdout.write("\n".join(["-> " + " ".join(words), *lines]) + "\n")
    sys.stdout.flush()


def receive() -> tuple[list[str], bytes]:
    words = sys.stdin.readline().split()[1:]
    text = ""
    while True:
        line = sys.stdin.readline().rstrip("\n")
        text += line
        if len(line) < 64:
            return words, decoded(text)


def commands() -> Iterator[tuple[list[str], bytes]]:
    while True:
        words, body = receive()
        if words[0] == "done":
            return
        yield words, body


def recipient() -> None:
    file_keys = [body for words, body in commands() if words[0] == "wrap-file-key"]
    for index, file_key in enumerate(file_keys):
        send("recipient-stanza", str(index), "testing", body=file_key[::-1])
        receive()
    send("done")


def identity() -> None:
    stanzas = [(words, body) for words, body in commands() if words[0] == "recipient-stanza"]
    send("msg", body=b"touch the \x1b[31mtesting key")
    receive()
    if "TESTING_PIN" in os.environ:
        send("request-secret", body=b"PIN of the testing key")
        answer, pin = receive()
        if answer != ["ok"] or pin.decode() != os.environ["TESTING_PIN"]:
            send("error", "internal", body=b"the testing key wants its PIN")
            receive()
            send("done")
            return
    for words, body in stanzas:
        if words[2] == "testing":
            send("file-key", words[1], body=body[::-1])
            receive()
    send("done")


if __name__ == "__main__":
    recipient() if sys.argv[1] == "--age-plugin=recipient-v1" else identity()
