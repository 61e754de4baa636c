"""Files that nobody writes by accident, and a program that reads them: ``python -m tests.security.hostile GROUP``.

For each case one line of JSON: its name, what became of it (``ok`` or the name of the error), the seconds of CPU it took, and
the peak of memory so far. The caller limits the process; a case that ends it shows by the lines that are missing.
"""

import json
import os
import re
import resource
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

import pyrage

from sealpy import data, library, operations, registry
from sealpy.errors import SealpyError
from sealpy.identities import Identities
from sealpy.keyring import Keyring
from sealpy.keys.age import armor
from sealpy.selection import DEFAULT, Selection

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
MEGA = 10**6
IDENTITY = pyrage.x25519.Identity.generate()
RECIPIENT = str(IDENTITY.to_public())


class Case(NamedTuple):
    """One file. ``outcome`` is what must become of it: ``ok``, or the error's name, or several with a bar between."""

    name: str
    format: str
    content: bytes
    outcome: str


def keyring() -> Keyring:
    return Keyring(registry.backends(Identities({"SOPS_AGE_KEY": str(IDENTITY)}, home=os.devnull)))


def seal(content: bytes, name: str, selection: Selection = DEFAULT) -> bytes:
    plan = operations.Plan([[("age", RECIPIENT)]], None if name == "binary" else selection)
    return operations.encrypt(content, registry.format_named(name), plan, keyring(), now=NOW, allow_clear=True)


# -- clear text -----------------------------------------------------------------------------------------------------------


def clear_yaml() -> Iterator[Case]:
    half = MEGA // 2
    bomb = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
        b"%c: &%c [%s]\n" % (98 + i, 98 + i, b",".join([b"*%c" % (97 + i)] * 9)) for i in range(9)
    )
    nested_anchors = b"a: " + b"".join(b"&a%d [" % i for i in range(900)) + b"1," * 30_000 + b"]" * 900
    for name, content, outcome in (
        ("an alias bomb", bomb, "ParseError"),
        ("an alias of itself in a list", b"a: &a [*a]\n", "ParseError"),
        ("an alias of itself in a map", b"a: &a\n  b: *a\n", "ParseError"),
        ("an alias of nothing", b"a: *x\n", "ParseError"),
        ("an alias of nothing as a key", b"*x : 1\n", "ParseError"),
        ("anchors inside anchors", nested_anchors, "ParseError"),
        ("many values at a depth of 990", b"a: " + b"[" * 990 + b"1," * half + b"]" * 990, "ParseError"),
        ("a depth of 990", b"a: " + b"[" * 990 + b"1" + b"]" * 990, "ok"),
        ("a depth of 10,000 in block style", b"".join(b" " * i + b"a:\n" for i in range(10_000)), "ParseError"),
        ("a depth of 10,000 in braces", b"a: " + b"{a: " * 10_000 + b"1" + b"}" * 10_000, "ParseError"),
        ("a depth of 10,000 in brackets", b"a: " + b"[" * 10_000 + b"]" * 10_000, "ParseError"),
        ("brackets", b"a: " + b"[" * MEGA, "ParseError"),
        ("brackets only", b"[" * MEGA, "ParseError"),
        ("braces", b"{" * MEGA, "ParseError"),
        ("braces with keys", b"a: " + b"{a: " * (MEGA // 4), "ParseError"),
        ("dashes", b"a:\n" + b"- " * half, "ParseError"),
        ("anchors", b"a: " + b"&a " * half, "ParseError"),
        ("one anchor", b"a: &" + b"a" * MEGA, "ok"),
        ("tags", b"a: " + b"! " * half, "ParseError"),
        ("question marks", b"? " * half, "ParseError"),
        ("number signs", b"#" * MEGA, "ParseError"),
        ("comment lines", b"a: 1\n" + b"#\n" * 50_000, "ok"),
        ("comment lines and blank lines", b"a: 1\n" + b"#x\n\n" * 25_000, "ok"),
        ("comments in a list", b"a:\n- 1\n" + b"#\n" * 25_000 + b"- 2\n", "ok"),
        ("comments in brackets", b"a: [\n" + b"1, #x\n" * 10_000 + b"]\n", "ok"),
        ("comments behind values", b"".join(b"a%d: 1 #x\n" % i for i in range(10_000)), "ok"),
        ("comments behind documents", b"--- #x\na: 1\n" * 1_000, "ok"),
        ("double quotes", b'a: "' + b'"' * MEGA, "ParseError"),
        ("an open quote", b'a: "' + b"x" * MEGA, "ParseError"),
        ("single quotes", b"a: '" + b"'" * (MEGA + 1), "ok"),
        ("one line", b"a: " + b"x" * MEGA, "ok"),
        ("blank lines in a literal", b"a: |\n" + b"\n" * MEGA, "ok"),
        ("indented blank lines in a literal", b"a: |\n" + b" \n" * half, "ok"),
        ("a folded text", b"a: >\n" + b" x\n" * half, "ok"),
        ("100,000 documents", b"---\n" * 100_000, "ok"),
        ("documents", b"---\na: 1\n" * 5_000, "ok"),
        ("documents in braces", b"--- {a: 1}\n" * 5_000, "ok"),
        ("a decimal of a million digits", b"a: " + b"1" * MEGA, "ok"),
        ("an octal of a million digits", b"a: 0" + b"7" * MEGA, "ok"),
        ("a hexadecimal of a million digits", b"a: 0x" + b"f" * MEGA, "ok"),
        ("a fraction of a million digits", b"a: 1." + b"1" * MEGA, "ok"),
        ("a million digits and underscores", b"a: " + b"1_" * half, "ok"),
        ("a million digits tagged an integer", b"a: !!int " + b"1" * MEGA, "ParseError"),
        ("directives", b"%YAML 1.1\n" * 10_000, "ParseError"),
        ("a NUL", b"a: \0", "ParseError"),
        ("a NUL far behind", b"a: b\n" * 100_000 + b"\0", "ParseError"),
        ("an escaped surrogate", b'a: "\\ud800"', "ParseError"),
        ("a surrogate in UTF-8", b"a: \xed\xa0\x80", "ParseError"),
        ("half of UTF-16", b"\xff\xfea", "ParseError"),
        ("UTF-16", "a: b".encode("utf-16"), "ok"),
        ("UTF-32", "a: b".encode("utf-32"), "ParseError"),
        ("a byte order mark", b"\xef\xbb\xbfa: b\n", "ok"),
        ("a byte order mark and nothing else", b"\xef\xbb\xbf", "EmptyDocument"),
        ("merge keys of merge keys", b"<<: " + b"{<<: " * 900 + b"{}" + b"}" * 900, "ok"),
        ("an alias of what is deep", b"a: &x " + b"{a: " * 900 + b"1" + b"}" * 900 + b"\nb: *x\n", "ParseError"),
        ("items that look like comments", b"a: [" + b'"ENC[type:comment]",' * 30_000 + b"]", "ok"),
    ):
        yield Case(name, "yaml", content, outcome)


def clear_json() -> Iterator[Case]:
    for name, content, outcome in (
        ("brackets", b'{"a":' + b"[" * MEGA, "ParseError"),
        ("braces", b'{"a":' * (MEGA // 5), "ParseError"),
        ("a depth of 990", b'{"a":' * 990 + b"1" + b"}" * 990, "ok"),
        ("objects at a depth of 10,000", b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "ParseError"),
        ("arrays at a depth of 10,000", b'{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}", "ParseError"),
        (
            "many values at a depth of 990",
            b'{"a":' + b"[" * 990 + b"1," * 40_000 + b"1" + b"]" * 990 + b"}",
            "ParseError",
        ),
        ("quotes", b'{"a":' + b'"' * MEGA, "ParseError"),
        ("an open quote", b'{"a":"' + b"x" * MEGA, "ParseError"),
        ("keys of backslashes", b"{" + b'"\\' * (MEGA // 2), "ParseError"),
        ("backslashes", b'{"a":"' + b"\\\\" * (MEGA // 2) + b'"}', "ok"),
        ("escapes", b'{"a":"' + b"\\u0041" * (MEGA // 6) + b'"}', "ok"),
        ("surrogates", b'{"a":"\\ud800 \\udc00\xff\xed\xa0\x80"}', "ok"),
        ("spaces", b" " * MEGA, "ParseError"),
        ("spaces in an object", b"{" + b" " * MEGA, "ParseError"),
        ("an integer of a million digits", b'{"a":' + b"1" * MEGA + b"}", "ParseError"),
        ("a fraction of a million digits", b'{"a":1.' + b"1" * MEGA + b"}", "ok"),
        ("an exponent of a million digits", b'{"a":1e' + b"1" * MEGA + b"}", "ParseError"),
        ("many numbers", b'{"a":[' + b"1," * 100_000 + b"1]}", "ok"),
        ("many empty objects", b'{"a":[' + b"{}," * 100_000 + b"1]}", "ok"),
        ("one key many times", b"{" + b'"a":"b",' * 50_000 + b'"a":1}', "ok"),
        ("sops many times", b"{" + b'"sops":1,' * (MEGA // 9) + b'"a":1}', "AlreadyEncrypted"),
        ("items that look like comments", b'{"a":[' + b'"ENC[,type:comment]",' * 50_000 + b"1]}", "ok"),
        (
            "spaces behind an item that looks like a comment",
            b'{"a":["ENC[,type:comment]"' + b" " * MEGA + b",1]}",
            "ok",
        ),
        ("a NUL", b'{"a":"\0"}', "ParseError"),
        ("NULs", b"\0" * MEGA, "ParseError"),
        ("a byte order mark", b'\xef\xbb\xbf{"a":1}', "ParseError"),
        ("UTF-16", '{"a":1}'.encode("utf-16"), "ParseError"),
    ):
        yield Case(name, "json", content, outcome)


def clear_flat() -> Iterator[Case]:
    for name, content, outcome in (
        ("equals signs", b"=" * MEGA, "ok"),
        ("empty lines", b"\n" * MEGA, "ok"),
        ("lines of an equals sign", b"=\n" * 100_000, "ok"),
        ("comments", b"#\n" * 100_000, "ok"),
        ("line breaks in a value", b"a=" + b"\\n" * (MEGA // 2), "ok"),
        ("no equals sign", b"x" * MEGA, "ParseError"),
        ("NULs", b"a=\0\n\0=b", "ok"),
        ("not UTF-8", b"\xff=\xfe\n", "ok"),
        ("one name of sops many times", b"sops_a=1\n" * (MEGA // 9), "AlreadyEncrypted"),
        ("names of sops between others", b"sops_a=1\nb=\n" * 50_000, "AlreadyEncrypted"),
        ("a name of sops of many levels", b"sops_a" + b"__map_a" * (MEGA // 7) + b"=1\n", "AlreadyEncrypted"),
        ("a list of sops with a gap", b"sops_a__list_999999999=1\n", "AlreadyEncrypted"),
        ("an index of a million digits", b"sops_a__list_" + b"9" * MEGA + b"=1\n", "AlreadyEncrypted"),
    ):
        yield Case(name, "dotenv", content, outcome)
    for name, content, outcome in (
        ("brackets", b"[" * MEGA, "ParseError"),
        ("sections", b"[a]\n" * 20_000, "ok"),
        ("sections of different names", b"".join(b"[s%d]\n" % i for i in range(20_000)), "ok"),
        ("keys", b"a=b\n" * 20_000, "ok"),
        ("keys of different names", b"".join(b"a%d=b\n" % i for i in range(20_000)), "ok"),
        ("keys that number themselves", b"-=a\n" * 20_000, "UnsealableValue"),
        ("comments", b";\n" * 50_000, "ok"),
        ("comments everywhere", b"".join(b";\na%d=b ;c\n" % i for i in range(10_000)), "ok"),
        ("comments behind all", b"[a]\nb=c\n" + b";x\n" * 50_000, "ok"),
        ("comments that look sealed", b"; ENC[AES256_GCM,data:a,iv:a,tag:a,type:a]\n" * 10_000 + b"a=b\n", "ok"),
        ("backslashes", b"a=\\\n" + b"b\\\n" * 200_000, "ok"),
        ("an open quote", b'a="""' + b"x\n" * 200_000, "ParseError"),
        ("quotes", b'a="""' + b'"' * MEGA, "ok"),
        ("backticks", b"a=`" + b"`" * MEGA, "ok"),
        ("semicolons", b"a=" + b"x;" * (MEGA // 2), "ok"),
        ("spaces", b" " * MEGA + b"a=b" + b" " * MEGA, "ok"),
        ("sops many times", b"[sops]\n" * 50_000, "AlreadyEncrypted"),
        ("sops many times with comments", b";\n[sops]\n" * 50_000, "AlreadyEncrypted"),
        ("NULs", b"\0=\0", "ok"),
        ("UTF-16", "[a]\nb=c".encode("utf-16"), "ok"),
    ):
        yield Case(name, "ini", content, outcome)
    for name, content in (
        ("what begins like a sealed file", b'{"sops"' * (MEGA // 8)),
        ("what nests like a sealed file", b'{"sops":' * 1000),
        ("random bytes", os.urandom(MEGA)),
        ("NULs", b"\0" * MEGA),
    ):
        yield Case(name, "binary", content, "ok")


# -- sealed files whose data key opens ---------------------------------------------------------------------------------------


def random64(size: int) -> str:
    return b64encode(os.urandom(size)).decode()


def sealed_value(content: str = "AA==", nonce: int = 32, tag: int = 16, kind: str = "str") -> str:
    return f"ENC[AES256_GCM,data:{content},iv:{random64(nonce)},tag:{random64(tag)},type:{kind}]"


def stranger() -> str:
    """The metadata entry of somebody else."""
    other = pyrage.x25519.Identity.generate().to_public()
    lines = armor(pyrage.encrypt(os.urandom(32), [other])).splitlines()
    enc = "".join(f"            {line}\n" for line in lines)
    return f"        - enc: |\n{enc}          recipient: {other}\n"


class Parts:
    """A sealed YAML file in pieces, to put something in."""

    def __init__(self) -> None:
        text = seal(b"a: hello\nb: [x, y]\n", "yaml").decode()
        self.head, _, block = text.partition("sops:\n")
        self.block = f"sops:\n{block}"
        self.value = found(r"a: (ENC.*)", self.head, 1)
        self.entry = found(r"(?s)        - enc: .*?recipient: \S+\n", self.block, 0)

    def with_value(self, value: str) -> str:
        return self.head.replace(self.value, value) + self.block

    def with_entry(self, entry: str) -> str:
        return self.head + self.block.replace(self.entry, entry)

    def with_field(self, name: str, value: str) -> str:
        return self.head + re.sub(rf"    {name}: .*\n", lambda _: f"    {name}: {value}\n", self.block)

    def with_rule(self, mode: str, pattern: str, text: str = "") -> str:
        rule = f"{mode}: '{pattern}'"
        return text + self.head + self.block.replace("unencrypted_suffix: _unencrypted", rule)


def found(pattern: str, text: str, group: int) -> str:
    match = re.search(pattern, text)
    assert match
    return match[group]


def sealed_values() -> Iterator[Case]:
    parts = Parts()
    bad = "InvalidEncryptedValue"
    for name, text, outcome in (
        ("ten megabytes of data", parts.with_value(sealed_value(random64(10 * MEGA))), bad),
        ("thousands of iv", parts.with_value("ENC[AES256_GCM,data:" + "x,iv:" * 200_000 + "]"), bad),
        (
            "thousands of everything",
            parts.with_value("ENC[AES256_GCM" + ",data:A,iv:A,tag:A,type:s" * 50_000 + "]"),
            bad,
        ),
        *((f"a nonce of {n} bytes", parts.with_value(sealed_value(nonce=n)), bad) for n in range(201)),
        *((f"a tag of {n} bytes", parts.with_value(sealed_value(tag=n)), bad) for n in (0, 1, 15, 17, 100)),
        ("a type of a megabyte", parts.with_value(sealed_value(kind="x" * MEGA)), bad),
        ("comments that don't open", (f"#{sealed_value()}\n") * 9_000 + parts.head + parts.block, "ok"),
        (
            "comments that don't open, deep down",
            "z: " + "{a: " * 900 + "\n" + f"#{sealed_value()}\n" * 3_000 + "}" * 900 + "\n" + parts.head + parts.block,
            "ok",
        ),
        (
            "items that don't open",
            "z:\n" + f"- {sealed_value(kind='comment')}\n" * 9_000 + parts.head + parts.block,
            bad,
        ),
        ("an alias of a sealed value", parts.head.replace("a: ENC", "a: &e ENC") + "c: *e\n" + parts.block, bad),
        ("a NUL", parts.head.replace("a:", "a\0:") + parts.block, "ParseError"),
        ("merge keys of merge keys", "<<: " + "{<<: " * 900 + "{}" + "}" * 900 + "\n" + parts.head + parts.block, "ok"),
        ("documents behind", parts.head + parts.block + "---\n" * 3_000, "ok"),
        ("many documents with metadata", parts.head + parts.block + "--- {sops: {}}\n" * 3_000, "ok"),
        ("metadata twice", parts.head + parts.block + parts.block, "ParseError"),
        ("a byte order mark", "\ufeff" + parts.head + parts.block, "ok"),
    ):
        yield Case(name, "yaml", text.encode(), outcome)
    for name, deep in (
        ("a depth of 990 in block style", "".join(f"{' ' * i}b:\n" for i in range(990)) + " " * 990 + "b: 1\n"),
        ("a depth of 990 in braces", "b: " + "{b: " * 990 + "1" + "}" * 990 + "\n"),
        ("a depth of 990 in dashes", "b:\n" + "- " * 990 + "x\n"),
        ("a depth of 990 in brackets", "b: " + "[" * 990 + "1" + "]" * 990 + "\n"),
        ("an anchor that stands twice", "b: &x 1\nc: &x 2\nd_unencrypted: *x\n"),
    ):
        yield Case(name, "yaml", seal(deep.encode(), "yaml"), "ok")
    yield Case("a depth of 990", "json", seal(b'{"a":' * 990 + b"1" + b"}" * 990, "json"), "ok")
    yield Case("UTF-16", "yaml", (parts.head + parts.block).encode("utf-16"), "ok")
    yield Case("UTF-16 cut off", "yaml", (parts.head + parts.block).encode("utf-16")[:-1], "ParseError")


def metadata() -> Iterator[Case]:
    parts = Parts()
    stranded = "DataKeyUnavailable"
    bad = "InvalidMetadata"
    deep = "{a: " * 900 + "1" + "}" * 900
    for name, text, outcome in (
        ("10,000 recipients", parts.with_entry(parts.entry + parts.entry.replace(RECIPIENT, "age1x") * 10_000), "ok"),
        ("500 strangers before us", parts.with_entry("".join(stranger() for _ in range(500)) + parts.entry), "ok"),
        ("500 strangers", parts.with_entry("".join(stranger() for _ in range(500))), stranded),
        ("a line break for a wrapped key", parts.with_entry('        - enc: "\\n"\n          recipient: x\n'), stranded),
        ("one line for a wrapped key", parts.with_entry('        - enc: "a\\n"\n          recipient: x\n'), stranded),
        ("nothing for a wrapped key", parts.with_entry('        - enc: ""\n'), stranded),
        ("a number for a wrapped key", parts.with_entry("        - enc: 5\n          recipient: [x]\n"), stranded),
        ("a null for a wrapped key", parts.with_entry("        - null\n"), bad),
        ("a private key for a recipient", parts.with_entry(f"        - recipient: {IDENTITY}\n"), stranded),
        ("depth in an unknown field", parts.head + parts.block + f"    x: {deep}\n", bad),
        ("lists in an unknown field", parts.head + parts.block + f"    x: {'[' * 900}{']' * 900}\n", bad),
        ("unknown fields", parts.head + parts.block + "".join(f"    x{i}: 1\n" for i in range(20_000)), "ok"),
        ("an alias of metadata", parts.head + parts.block + "    x: &x {q: 1}\nz: *x\n", "ParseError"),
        ("a list for metadata", parts.head + "sops: []\n", "AlreadyEncrypted"),
        ("nothing for metadata", parts.head + "sops:\n", "AlreadyEncrypted"),
        ("an empty map for metadata", parts.head + "sops: {}\n", bad),
        *((f"a threshold of {v}", parts.head + parts.block + f"    shamir_threshold: {v}\n", bad) for v in
          (".inf", "-.inf", ".nan", "1e308", "99999999999999999999", "[]", "{}", "x", '"-5"', '"\u0661"')),
        ("a map for the MAC", parts.with_field("mac", "{}"), bad),
        ("no MAC", parts.with_field("mac", "null"), "MacMismatch"),
        ("a word for the MAC", parts.with_field("mac", "x"), "MacMismatch"),
        *((f"a time of {v[:30]!r}", parts.with_field("lastmodified", f'"{v}"'), bad) for v in
          ("", "x" * MEGA, "0000-00-00T00:00:00Z", "9999-99-99T99:99:99Z", "2026-01-02T03:04:05+99:99",
           "2026-02-30T03:04:05Z", "2026-01-02t03:04:05z", "\u0662026-01-02T03:04:05Z", "2026-01-02T03:04:05Z\\n")),
        ("a time with a long fraction", parts.with_field("lastmodified", f'"2026-01-02T03:04:05.{"9" * MEGA}Z"'), "ok"),
        ("another time", parts.with_field("lastmodified", '"2026-01-02T03:04:06Z"'), "MacMismatch"),
        *((f"a version of {v[:20]!r}", parts.with_field("version", f'"{v}"'), bad) for v in ("", "x", "0.0", "3.13.3\\n")),
    ):  # fmt: skip
        yield Case(name, "yaml", text.encode(), outcome)
    sealed = seal(b'{"a": "hello"}', "json").decode()
    for name, text, outcome in (
        (
            "depth in an unknown field",
            sealed.replace('"sops": {', '"sops": {"x": ' + '{"a":' * 900 + "1" + "}" * 900 + ","),
            bad,
        ),
        ("a threshold of 1e308", sealed.replace('"sops": {', '"sops": {"shamir_threshold": 1e308,'), bad),
        ("null for metadata", '{"sops":null}', bad),
        ("metadata in metadata", sealed.replace('"sops": {', '"sops": {"sops":{},'), "ok"),
        ("two files in one", sealed + sealed, "ok"),
    ):
        yield Case(name, "json", text.encode(), outcome)
    sealed = seal(b"A=hello\nB=1\n", "dotenv").decode()
    for name, text, outcome in (
        ("a list with a gap", sealed + "sops_age__list_5__map_x=1\n", bad),
        ("one name twice", sealed + "sops_mac=1\n", bad),
        ("a map that is a text", sealed + "sops_mac__map_x=1\n", bad),
        ("a threshold that is too large", sealed + "sops_shamir_threshold=99999999999\n", bad),
        ("depth in an unknown field", sealed + "sops_x" + "__map_a" * 99 + "=1\n", "ok"),
        ("more depth", sealed + "sops_x" + "__map_a" * 100 + "=1\n", bad),
    ):
        yield Case(name, "dotenv", text.encode(), outcome)
    sealed = seal(b"[s]\na=hello\n", "ini").decode()
    yield Case("two sections of metadata", "ini", f"{sealed}[sops]\na=1\n".encode(), bad)
    yield Case("depth in an unknown field", "ini", f"{sealed}x{'__map_a' * 98}=1\n".encode(), "ok")


def rules() -> Iterator[Case]:
    """Regular expressions that take exponential time elsewhere, on keys and comments made for them."""
    parts = Parts()
    victims = f"{'a' * 1_000}: 1\n#{'a' * 3_000}\n"
    patterns = (
        "(a+)+$", "(a|a)*$", "(.*)*x", "(a*)*b", "a?" * 120 + "a" * 120, "(" * 1000 + ")" * 1000, ".*.*.*.*.*.*.*.*x",
        "[^a]*[^a]*[^a]*$", "a*a*a*a*a*a*a*b", "((a{1,100}){1,100}){1,100}", "a{1000}{1000}", "x{2000}", "(?i)" * 10_000,
        "(?=x)", "\\1", "(?P<x>", "[", "*", "(a|b|ab)*c" * 1_000,
    )  # fmt: skip
    for mode in ("encrypted_regex", "unencrypted_regex", "encrypted_comment_regex", "unencrypted_comment_regex"):
        for pattern in patterns:
            text = parts.with_rule(mode, pattern, victims)
            yield Case(f"{mode} {pattern[:20]}", "yaml", text.encode(), "ok|MacMismatch|InvalidEncryptedValue")


# -- what is done with them ----------------------------------------------------------------------------------------------


def tried(content: bytes, name: str, report: dict[str, str]) -> Iterator[Callable[[], object]]:
    """Give one after another the operations on a file that go on from what the ones before them returned."""
    fmt = registry.format_named(name)
    keys = keyring()
    opened: list[operations.Opened] = []
    yield lambda: library.inspect(content, format=name)
    yield lambda: opened.append(operations.open_document(content, fmt, keys))
    report["outcome"] = report["last"]
    if not opened:
        yield lambda: opened.append(operations.open_unverified(content, fmt, keys))
    if not opened:
        return
    there = opened[0]
    path = ("s", "new") if name == "ini" else ("new",)
    first = {"yaml": ("b",), "json": ("a",), "dotenv": ("A",), "ini": ("s", "a")}[name]
    groups = [[("age", RECIPIENT), ("age", str(pyrage.x25519.Identity.generate().to_public()))]]
    yield lambda: data.documents(there.leaves, there.document.documents)
    yield lambda: operations.clear_text(there, fmt)
    yield lambda: operations.edit(there, fmt, operations.clear_text(there, fmt), now=NOW)
    yield lambda: operations.set_value(there, fmt, path, "v", now=NOW)
    yield lambda: operations.unset_value(there, fmt, first, now=NOW)
    yield lambda: operations.rotate(there, fmt, keys, now=NOW)
    yield lambda: operations.update_keys(there, fmt, keys, groups)


def clear_tried(content: bytes, name: str, report: dict[str, str]) -> Iterator[Callable[[], object]]:
    made: list[bytes] = []
    yield lambda: made.append(seal(content, name))
    report["outcome"] = report["last"]
    if made and len(made[0]) < 20 * MEGA:
        yield lambda: operations.decrypt(made[0], registry.format_named(name), keyring())


GROUPS = {
    "clear yaml": (clear_yaml, clear_tried),
    "clear json": (clear_json, clear_tried),
    "clear flat": (clear_flat, clear_tried),
    "sealed values": (sealed_values, tried),
    "metadata": (metadata, tried),
    "rules": (rules, tried),
}


def attempt(step: Callable[[], object]) -> str:
    try:
        step()
    except SealpyError as error:
        foreign = error.__cause__ is not None or not isinstance(error.__context__, SealpyError | None)
        long = len(str(error)) + len(error.hint or "") > 4_000
        secret = "AGE-SECRET-KEY-" in f"{error!r} {vars(error)}"
        what = f"{type(error).__name__}"
        return what + " with a foreign cause" * foreign + " of great length" * long + " with an identity" * secret
    except BaseException as error:  # noqa: BLE001 - which is what is to be found out
        return f"foreign {type(error).__name__}"
    return "ok"


def main(group: str) -> None:
    cases, steps = GROUPS[group]
    for case in cases():
        report = {"last": "", "outcome": ""}
        slowest = 0.0
        faults = []
        for step in steps(case.content, case.format, report):
            started = time.process_time()
            report["last"] = attempt(step)
            slowest = max(slowest, time.process_time() - started)
            if " " in report["last"]:
                faults.append(report["last"])
        line = {
            "name": f"{case.format}: {case.name}",
            "wanted": case.outcome,
            "outcome": report["outcome"],
            "faults": faults,
            "seconds": slowest,
            "mebibytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        }
        print(json.dumps(line), flush=True)
    print(json.dumps({"done": group}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
