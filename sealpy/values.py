"""Typed values as text: what sops seals and hashes, and what it takes back.

sops is a Go program: a number, a truth value or a time is written as Go's standard library prints it, and
read as Go parses it. The text of a leaf is its content; it is canonical when it is what goes into the MAC.
"""

import re
from binascii import Error as Base64Error
from binascii import a2b_base64
from datetime import UTC, datetime
from math import isfinite, isinf, isnan

from sealpy.document import Kind, Path
from sealpy.errors import InvalidEncryptedValue, UnsealableValue

INT_MIN = -(2**63)
INT_MAX = 2**63 - 1

_MAX_DEPTH = 1000

_CANONICAL_INT = re.compile(r"0|-?[1-9][0-9]{0,17}")
_INT = re.compile(r"([+-]?)0*([0-9]{1,19})")
_DIGITS = r"[0-9]+(?:_[0-9]+)*"
_HEX = r"[0-9a-fA-F]+(?:_[0-9a-fA-F]+)*"
_DECIMAL_FLOAT = re.compile(rf"[+-]?(?:{_DIGITS}(?:\.(?:{_DIGITS})?)?|\.{_DIGITS})(?:[eE][+-]?{_DIGITS})?")
_HEX_FLOAT = re.compile(rf"[+-]?0[xX](?:_?{_HEX}(?:\.(?:{_HEX})?)?|\.{_HEX})[pP][+-]?{_DIGITS}")
_SPECIAL_FLOAT = re.compile(r"[+-]?inf(?:inity)?|nan", re.IGNORECASE | re.ASCII)
_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{1,2}):([0-9]{2}):([0-9]{2})(?:[.,]([0-9]+))?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})"
)
_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_BOOLS = dict.fromkeys(("1", "t", "T", "TRUE", "true", "True"), "True") | dict.fromkeys(
    ("0", "f", "F", "FALSE", "false", "False"), "False"
)


def float_text(value: float) -> str:
    """Return a float's canonical content: the fewest digits that read back as it, and no exponent."""
    text = repr(value)
    if text.endswith(".0"):
        return text[:-2]
    if not isfinite(value):
        return "NaN" if isnan(value) else "+Inf" if value > 0 else "-Inf"
    if "e" not in text:
        return text
    sign, digits, point = _shortest(text)
    if point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    # Python writes an exponent from 1e16 on, so no digit is left for after the point.
    return f"{sign}{digits.ljust(point, '0')}"


def float_general(value: float) -> str:
    """Return a float as YAML files of sops carry it: an exponent below 1e-4 and from 1e6 on; ``.inf``, ``.nan``."""
    if not isfinite(value):
        return ".nan" if isnan(value) else ".inf" if value > 0 else "-.inf"
    sign, digits, point = _shortest(repr(value))
    exponent = point - 1
    if value == 0 or -4 <= exponent < 6:
        return float_text(value)
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{fraction}e{'-' if exponent < 0 else '+'}{abs(exponent):02}"


def float_json(value: float) -> str:
    """Return a float as JSON files of sops carry it: an exponent below 1e-6 and from 1e21 on.

    Raises:
        UnsealableValue: an infinity, or not a number.
    """
    if not isfinite(value):
        raise UnsealableValue("json has no infinity and no nan", hint="write it as a string")
    if value == 0 or 1e-6 <= abs(value) < 1e21:
        return float_text(value)
    sign, digits, point = _shortest(repr(value))
    exponent = point - 1
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{fraction}e{'-' if exponent < 0 else '+'}{abs(exponent)}"


def parse_float(text: str) -> float | None:
    """Read a float as Go does; None if it is none, or too big.

    Decimal, hexadecimal with a ``p``, ``_`` between digits, and the words for infinity and nan.
    """
    if _DECIMAL_FLOAT.fullmatch(text):
        value = float(text)
        return None if isinf(value) else value
    if _SPECIAL_FLOAT.fullmatch(text):
        return float(text)
    if _HEX_FLOAT.fullmatch(text):
        try:
            return float.fromhex(text.replace("_", ""))
        except OverflowError:
            return None
    return None


def parse_int(text: str) -> int | None:
    """Read a decimal integer of 64 bits with an optional sign; None if it is none, or out of range."""
    match = _INT.fullmatch(text)
    if match is None:
        return None
    value = int(match[2])
    if match[1] == "-":
        value = -value
    return value if INT_MIN <= value <= INT_MAX else None


def parse_time(text: str) -> str | None:
    """Read an RFC 3339 time as leniently as Go, and return its canonical content; None if it is none."""
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    try:
        return time_text(*match.groups())
    except UnsealableValue:
        return None


def time_text(
    year: str, month: str, day: str, hour: str, minute: str, second: str, fraction: str | None, zone: str
) -> str | None:
    """Put the digits of a time together: RFC 3339, the offset kept, no zeros at the end of the nanoseconds.

    Text, because ``datetime`` has neither nanoseconds nor a year 0. ``zone`` is ``Z`` or ``+hh:mm``.
    Returns None for a day or an hour that does not exist.

    Raises:
        UnsealableValue: an offset of a whole day, which Go reads and does not write.
    """
    month_number, day_number = int(month), int(day)
    if not 1 <= month_number <= 12 or int(hour) > 23 or int(minute) > 59 or int(second) > 59:
        return None
    days = 29 if month_number == 2 and _is_leap(int(year)) else _DAYS[month_number - 1]
    if not 1 <= day_number <= days:
        return None
    if zone != "Z":
        hours, minutes = int(zone[1:3]), int(zone[4:])
        # Go reads offsets of up to 24 hours and up to 60 minutes, and adds them up.
        if hours > 24 or minutes > 60:
            return None
        total = hours * 60 + minutes
        if total >= 24 * 60:
            raise UnsealableValue("a time has an offset of a day or more", hint="write it with another offset")
        zone = f"{zone[0]}{total // 60:02}:{total % 60:02}" if total else "Z"
    nanoseconds = (fraction or "")[:9].rstrip("0")
    return (
        f"{year}-{month_number:02}-{day_number:02}T{hour:0>2}:{minute:0>2}:{second:0>2}"
        f"{'.' if nanoseconds else ''}{nanoseconds}{zone}"
    )


def normalise(kind: str, content: str) -> str:
    """Return what sops hashes for a decrypted value, once it has read it as its type.

    The type tag of a sealed value is not authenticated, so anything can stand here.

    Raises:
        InvalidEncryptedValue: the content does not read as its type, or the type is unknown.
    """
    if kind in ("str", "comment", "bytes"):
        return content
    text: str | None = None
    if kind == "int":
        if _CANONICAL_INT.fullmatch(content):
            return content
        number = parse_int(content)
        text = None if number is None else str(number)
    elif kind == "float":
        real = parse_float(content)
        text = None if real is None else float_text(real)
    elif kind == "bool":
        text = _BOOLS.get(content)
    elif kind == "time":
        text = parse_time(content)
    else:
        # The tag comes from the file, so it is not repeated.
        raise InvalidEncryptedValue("a sealed value has a type that sops does not know")
    if text is None:
        raise InvalidEncryptedValue(f"a sealed value is no {kind}, though its type says so")
    return text


def python_value(kind: Kind, content: str) -> object:
    """Return canonical content as plain Python data.

    A time is an aware ``datetime`` with its nanoseconds cut to microseconds; text in the year 0, which Python
    does not have. Bytes, and strings that are no UTF-8, keep their bytes: as ``bytes``, and as surrogate escapes.
    """
    match kind:
        case "int":
            return int(content)
        case "float":
            return float(content)
        case "bool":
            return content == "True"
        case "null":
            return None
        case "time":
            return content if content.startswith("0000") else datetime.fromisoformat(content)
        case "bytes":
            return content.encode("utf-8", "surrogateescape")
        case "map":
            return {}
        case "list":
            return []
        case _:
            return content


def from_python(value: object) -> tuple[Kind, str]:
    """Return the kind and canonical content of plain Python data that has no parts: ``python_value`` backwards.

    A ``datetime`` without a zone is UTC. Bytes become a string, as they do in every file of sops.

    Raises:
        UnsealableValue: an integer of more than 64 bits, or something that is no plain data.
    """
    if isinstance(value, str):
        return "str", value
    if isinstance(value, bool):
        return "bool", str(value)
    if isinstance(value, int):
        if INT_MIN <= value <= INT_MAX:
            return "int", str(value)
        raise UnsealableValue("an integer of more than 64 bits cannot be sealed by sops", hint="give it as a string")
    if isinstance(value, float):
        return "float", float_text(value)
    if value is None:
        return "null", ""
    if isinstance(value, bytes):
        return "str", value.decode("utf-8", "surrogateescape")
    if isinstance(value, datetime):
        text = parse_time((value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat())
        if text is not None:
            return "time", text
    if value == {}:
        return "map", ""
    if value == []:
        return "list", ""
    raise UnsealableValue(f"a {type(value).__name__} has no place in a document")


def decode_base64(text: str) -> bytes | None:
    """Decode base64 as Go and Kubernetes do: padding needed, line ends ignored, nothing else; None if it is wrong."""
    if "\n" in text or "\r" in text:
        text = text.replace("\n", "").replace("\r", "")
    if len(text) % 4 or text.endswith("===") or not text.isascii():
        return None
    try:
        return a2b_base64(text, strict_mode=True)
    except Base64Error:
        return None


def _shortest(text: str) -> tuple[str, str, int]:
    """Take Python's shortest float apart: sign, digits without zeros around, and where the point is before them."""
    sign = "-" if text.startswith("-") else ""
    mantissa, _, exponent = text.lstrip("-").partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    return sign, digits.rstrip("0"), point


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def check_data(path: Path, value: object) -> None:
    """Refuse strings that no file can hold, and a depth that nobody means, in plain data for a path.

    Raises:
        UnsealableValue
    """
    level: list[object] = [value]
    strings = [part for part in path if isinstance(part, str)]
    for _ in range(_MAX_DEPTH):
        strings += [text for text in level if isinstance(text, str)]
        strings += [name for item in level if isinstance(item, dict) for name in item if isinstance(name, str)]
        level = [
            inner
            for item in level
            if isinstance(item, dict | list)
            for inner in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            break
    if level:
        raise UnsealableValue("the value is nested too deeply")
    try:
        "".join(strings).encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        pass
    else:
        return
    raise UnsealableValue("half of a surrogate pair is no character")
