"""Files in which every value and comment is a canary, and ways to spoil them."""

import random
from collections.abc import Iterator
from typing import NamedTuple

from tests.security.canary import draw


class Sample(NamedTuple):
    """A clear file, and the canaries in it by what they are."""

    format: str
    suffix: str
    clear: bytes
    canaries: dict[str, str]


class _Canaries(dict[str, str]):
    """Draws a canary for each name that a template asks for; a name with a number asks for digits."""

    def __missing__(self, name: str) -> str:
        self[name] = str(random.SystemRandom().randrange(10**17, 10**18)) if name.startswith("number") else draw()
        return self[name]


YAML = """\
# {comment}
plain: {plain}
single: '{single}'
double: "{double}\\n"
nested:
  list:
    - {item}
    # {item_comment}
    - [{flow}, "{flow_quoted}", {{k: {flow_value}}}]
  number: {number}   # {inline}
literal: |
  {literal}
  {second_line}
folded: >-
  {folded}
  {second_folded}
anchor: &x {anchored}
alias: *x
tagged: !!str {tagged}
---
# {second_comment}
second: {second_document}
"""
SECRET = """\
apiVersion: v1
kind: Secret
metadata:
  name: app
  namespace: prod
stringData:
  password: {password}
  url: "postgres://user:{in_url}@db/{database}"
"""
JSON = """\
{{
  "plain": "{plain}",
  "escaped": "{before}\\n{after}",
  "list": ["{item}", {number}, {{"k": "{deep}"}}]
}}
"""
DOTENV = """\
# {comment}
PLAIN={plain}
QUOTED="{quoted}"
LINES={first}\\n{second}
"""
INI = """\
; {comment}
top = {top}
[section] ; {beside_section}
# {key_comment}
plain = {plain} ; {beside}
quoted = "{quoted}"
lines = \"\"\"{first}
{second}\"\"\"
; {last_comment}
"""
BINARY = "{content}\0\udcff{more}"

TEMPLATES = {
    "yaml": ("yaml", ".yaml", YAML),
    "a Secret": ("yaml", ".yaml", SECRET),
    "json": ("json", ".json", JSON),
    "dotenv": ("dotenv", ".env", DOTENV),
    "ini": ("ini", ".ini", INI),
    "binary": ("binary", ".bin", BINARY),
}

MALFORMED = {
    "yaml": (
        "a: '{c}", 'a: "{c}', 'a: "{c}\\q"', "a: b\n  - {c}", "a:\n\t{c}: 1", "{c}", "- {c}", "a: {c}: b", "a: [{c}", "a: {{{c}",
        "a: {c}]\n]", "a: *{c}", "a: &{c} 1\nb: *{c}x", "*{c} : 1", "a: !!int {c}", "a: !!binary {c}!", "a: !!float {c}",
        "a: !{c}!x y", "%{c}\na: b", "%TAG ! {c}\n--- a", "a: {c}\na: {c}", "? [{c}]\n: b", "? {{{c}: 1}}\n: b", "a: @{c}", "a: `{c}",
        "a: |{c}\n  x", "a: >9 {c}\n x", "a: {c}\n...\n{c}", "a: {c}\n---\n{c}", "a: {c}\n--- [{c}]", 'a: "{c}"x', "a: '{c}'x: 1",
        "a: {c}\nsops: {c}", "a: {c}\nsops:\n  mac: {c}", "a: {c}\0", "a: {c}\x07", "a: 18446744073709551615 # {c}", "<<: {c}",
        "2001-01-01: {c}", "12: {c}", "null: {c}", "a: !!timestamp {c}", "a: 2001-01-01T00:00:00+24:00 # {c}",
        'a: "{c}\\ud800"', "a: |\n {c}\n\tx: [", "a: {c}\r\n b: [", "{c}: {c}: {c}", "a: b: {c}", "- a: {c}\nb", "a: # {c}\n- b\nc",
    ),
    "json": (
        '{{"a": "{c}', '{{"a": "{c}"', '{{"a": "{c}\n"}}', '{{"a": "{c}\\q"}}', '{{"a": {c}}}', '{{"a" "{c}"}}', '["{c}"]', '"{c}"',
        '{{"a": "{c}",}}', '{{"a": ["{c}"}}', "{{'a': '{c}'}}", '{{a: "{c}"}}', '{{"a": "{c}" // x\n}}', '{{"{c}": 1e999}}', '{{"a": NaN, "b": "{c}"}}',
        '{{"a": "{c}", "sops": "{c}"}}', '{{"sops": {{"mac": "{c}"}}}}', '\ufeff{{"a": "{c}"}}', '{{"a": "{c}\x01"}}', '{{"a": 0{c}}}', "{c}",
        '{{"a": "{c}"]', '{{"a": tru{c}}}', '{{"a": "{c}"}} {{', '{{"{c}": 18446744073709551616, "b": [}}',
    ),
    "dotenv": ("{c}", "A=1\n{c}", "sops_mac={c}", "sops_={c}", " {c}", '"{c}"', "A=b\n\r{c}"),
    "ini": (
        "{c}", "[{c}", "[]\na={c}", "= {c}", '"{c} = 1', "`{c} = 1", 'a = """{c}', "a = `{c}", "-={c}", "[s]\n{c}", "[sops]\nmac = {c}",
        "; \n; {c}\na = b", "a = {c} \\", '"""{c}"" = 1', "[s]\n = {c}",
    ),
    "binary": (),
}  # fmt: skip
"""Faults that a slip of the pen makes, with a canary in the line where they are."""


def samples() -> dict[str, Sample]:
    """Draw every sample anew."""
    found = {}
    for name, (fmt, suffix, template) in TEMPLATES.items():
        canaries = _Canaries()
        clear = template.format_map(canaries).encode("utf-8", "surrogateescape")
        found[name] = Sample(fmt, suffix, clear, dict(canaries))
    return found


def malformed(fmt: str, canary: str) -> Iterator[bytes]:
    for template in MALFORMED[fmt]:
        yield template.format(c=canary).encode()
        yield f"{template.format(c=canary)}\n".encode()


def spoilt(content: bytes, draw_from: random.Random) -> Iterator[tuple[str, bytes]]:
    """Cut a file off in many places, change a bit in many places, and put in what is no text."""
    size = len(content)
    for at in sorted({0, 1, 2, size - 1, size - 2, *(draw_from.randrange(size) for _ in range(40))} & set(range(size))):
        yield f"cut at {at}", content[:at]
    for _ in range(40):
        at, bit = draw_from.randrange(size), 1 << draw_from.randrange(8)
        yield f"bit {bit} at {at}", content[:at] + bytes([content[at] ^ bit]) + content[at + 1 :]
    for junk in (
        b"\xff",
        b"\0",
        b"\xed\xa0\x80",
        b"\r",
        b"\t",
        b"\xe2\x80\xa8",
        b'"',
        b"'",
        b"[",
        b"*x ",
        b"&x ",
        b": ",
        b"\n",
    ):
        for _ in range(3):
            at = draw_from.randrange(size)
            yield f"{junk!r} at {at}", content[:at] + junk + content[at:]
    lines = content.splitlines(keepends=True)
    for number in range(0, len(lines), 3):
        yield f"without line {number}", b"".join(lines[:number] + lines[number + 1 :])
    yield "twice", content + content
    yield "UTF-16", content.decode("latin-1").encode("utf-16")
