"""What a YAML scalar means to sops: the rules of go-yaml 3, which are neither YAML 1.1 nor YAML 1.2.

An unencrypted scalar goes into the MAC as the text of the value that go-yaml makes of it, so everything here
is exact. It runs for every scalar of every file: the first character decides, and for most strings that is all.
"""

import re

from sealpy import values
from sealpy.document import Kind
from sealpy.errors import ParseError, UnsealableValue

_CORE = "tag:yaml.org,2002:"

_WORDS: dict[str, tuple[Kind, str]] = {
    **dict.fromkeys(("true", "True", "TRUE"), ("bool", "True")),
    **dict.fromkeys(("false", "False", "FALSE"), ("bool", "False")),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), ("null", "")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), ("float", "NaN")),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), ("float", "+Inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), ("float", "-Inf")),
}
_FIRST_OF_WORDS = frozenset("tTfFnN~") | {""}
_FIRST_OF_NUMBERS = frozenset("0123456789+-.")
FIRST_OF_TYPED = _FIRST_OF_WORDS | _FIRST_OF_NUMBERS

_PLAIN_INT = re.compile(r"-?[1-9][0-9]{0,17}")
_INT = re.compile(r"([+-]?)(?:0[bB]([01]+)|0[oO]([0-7]+)|0[xX]([0-9a-fA-F]+)|0([0-7]*)|([1-9][0-9]*))")
_SIGN_AFTER_PREFIX = re.compile(r"0b([+-][01]+)|0o([+-][0-7]+)")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_TIMESTAMP = re.compile(
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:"
    r"[Tt]([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:[.,]([0-9]+))?(Z|[-+][0-9]{2}:[0-9]{2})"
    r"| +([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:[.,]([0-9]+))?)?"
)

# Words that a YAML 1.1 parser does not read as strings, in small letters.
_OLD_WORDS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", "=", "<<"))
# What some YAML 1.1 parser reads as a number or a time and go-yaml does not: base 60, grouped thousands, a
# time with a space before its zone.
_OLD_NUMBER = re.compile(
    r"[-+]?[0-9][0-9_,]*(?::[0-5]?[0-9])*(?:\.[0-9_,]*)?(?:[eE][-+]?[0-9]+)?|[-+]?\.[0-9_,]*(?:[eE][-+]?[0-9]+)?"
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt ].*)?"
    r"|[-+]?0[box][0-9a-fA-F_]*",
    re.IGNORECASE,
)
_NEVER_FIRST = frozenset("?:,[]{}#&*!|>'\"%@` ")
_NEVER_IN_FLOW = re.compile(r"[,\[\]{}:?]")


def resolve(text: str, tag: str | None = None) -> tuple[Kind, str]:
    """Return the kind and the canonical content of a scalar that is plain, or has a tag.

    Quoted and block scalars without a tag are strings, and are not to be asked about. ``tag`` is the resolved
    tag (``tag:yaml.org,2002:int``); the lone ``!`` says nothing, and tags of one's own make a string.

    Raises:
        ParseError: the text does not fit its tag.
        UnsealableValue: an integer that needs the 64th bit, or a time with an offset of a day.
    """
    if tag is not None and tag != "!":
        return _resolve_tagged(text, tag)
    first = text[:1]
    if first not in FIRST_OF_TYPED:
        return "str", text
    return _WORDS.get(text) or (_resolve_number(text, "") if first in _FIRST_OF_NUMBERS else ("str", text))


def is_plain_string(text: str, *, flow: bool = False) -> bool:
    """Would this text, written without quotes, be read as just this string?

    By go-yaml, by libyaml and by parsers of YAML 1.1, in block context or inside ``[]`` and ``{}``. When in
    doubt, no: quotes are always right.
    """
    if not text or not text.isprintable() or text[0] in _NEVER_FIRST or text[-1] in " :":
        return False
    if ": " in text or " #" in text or (flow and _NEVER_IN_FLOW.search(text)):
        return False
    first = text[0]
    if first == "-" and (text[1:2] in ("", " ") or text.startswith("---")):
        return False
    if first == "." and text.startswith("..."):
        return False
    if first in _FIRST_OF_NUMBERS and (_OLD_NUMBER.fullmatch(text) or not _resolves_to_string(text)):
        return False
    return len(text) > 5 or text.lower() not in _OLD_WORDS


def _resolves_to_string(text: str) -> bool:
    try:
        return resolve(text)[0] == "str"
    except UnsealableValue:
        return False


def _resolve_number(text: str, tag: str) -> tuple[Kind, str]:
    """Resolve a text that starts with a digit, a sign or a point and is none of the words."""
    if text[0] == ".":
        number = values.parse_float(text)
        return ("str", text) if number is None else ("float", values.float_text(number))
    if not tag or tag == "timestamp":
        time = _timestamp(text)
        if time:
            return "time", time
    if _PLAIN_INT.fullmatch(text):
        return "int", text
    plain = text.replace("_", "")
    integer = _integer(plain)
    if integer is not None:
        return "int", str(integer)
    if _FLOAT.fullmatch(plain):
        number = values.parse_float(plain)
        if number is not None:
            return "float", values.float_text(number)
    return "str", text


def _integer(text: str) -> int | None:
    """Read an integer in any of Go's bases, where a leading 0 means octal.

    Raises:
        UnsealableValue: it needs the 64th bit: go-yaml makes an unsigned integer of it, which sops cannot seal.
    """
    match = _INT.fullmatch(text)
    if match is None:
        return _integer_with_odd_sign(text)
    sign, binary, octal, hexadecimal, old_octal, decimal = match.groups()
    if decimal is not None:
        # Longer ones are out of range anyway, and Python refuses to read thousands of digits.
        value = int(decimal) if len(decimal) < 21 else 2**64
    elif old_octal is not None:
        value = int(old_octal or "0", 8)
    elif hexadecimal is not None:
        value = int(hexadecimal, 16)
    elif octal is not None:
        value = int(octal, 8)
    else:
        value = int(binary, 2)
    if sign == "-":
        value = -value
    if values.INT_MIN <= value <= values.INT_MAX:
        return value
    if value < 2**64 and not sign:
        raise UnsealableValue("an integer above 9223372036854775807 cannot be sealed by sops", hint="quote it")
    return None


def _integer_with_odd_sign(text: str) -> int | None:
    """Read ``0b-101`` and ``0o+17``, which go-yaml takes too."""
    match = _SIGN_AFTER_PREFIX.fullmatch(text)
    if match is None:
        return None
    value = int(match[1], 2) if match[1] else int(match[2], 8)
    return value if values.INT_MIN <= value <= values.INT_MAX else None


def _timestamp(text: str) -> str | None:
    if text[4:5] != "-":
        return None
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        return None
    if match[4] is not None:
        return values.time_text(*match.groups()[:8])
    year, month, day, hour, minute, second, fraction = match.group(1, 2, 3, 9, 10, 11, 12)
    if hour is None:
        hour = minute = second = "0"
    return values.time_text(year, month, day, hour, minute, second, fraction, "Z")


def _resolve_tagged(text: str, tag: str) -> tuple[Kind, str]:
    """Resolve a scalar with an explicit tag: YAML's own convert it or fail, all others leave the string."""
    name = tag.removeprefix(_CORE).removeprefix("!!")
    if name == "binary" and name != tag:
        data = values.decode_base64(text)
        if data is None:
            raise ParseError("a value tagged !!binary is not base64")
        return "str", data.decode("utf-8", "surrogateescape")
    if name == tag or name not in ("bool", "int", "float", "null", "timestamp"):
        return "str", text
    first = text[:1]
    kind: Kind = "str"
    content = text
    if first in FIRST_OF_TYPED:
        word = _WORDS.get(text)
        kind, content = word or (_resolve_number(text, name) if first in _FIRST_OF_NUMBERS else ("str", text))
    if kind == "int" and name == "float":
        return "float", values.float_text(float(int(content)))
    if kind != ("time" if name == "timestamp" else name):
        raise ParseError(f"a value tagged !!{name} is none")
    return kind, content
