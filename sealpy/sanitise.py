"""The one place where text from outside becomes safe to print.

Values, keys, comments, names of files and refs, recipients and other programs' messages all come from people
who may want to fool the reader: to move the cursor, to hide a character, to turn text around, to speak to a
CI system. ``visible`` shows every such character as what it is. Colour and layout are added afterwards.

The signs ⏎ ␍ ⇥ ⍽ and the brackets ⟦ ⟧ stand for nothing else: where they occur in the text they are spelt out.
"""

import re

_TOKENS = {"\n": "⏎", "\r": "␍", "\t": "⇥", "\u00a0": "⍽"}

# Printable by Python's measure, and yet nothing is seen of them: fillers, joiners, variation selectors.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_SIGNS = frozenset("⏎␍⇥⍽⟦⟧")

# "##[command]" and "##vso[…]" are orders to some CI systems wherever they stand in a line.
_ORDER = re.compile(r"##(\w*)\[")

_FIRST_BYTE_ESCAPE, _LAST_BYTE_ESCAPE = 0xDC80, 0xDCFF


def visible(text: str) -> str:
    """Return the text on one line, with everything in it to be seen.

    A new line is ⏎, a carriage return ␍, a tab ⇥, a no-break space ⍽; any other character that has no shape of
    its own, or acts on its neighbours' order, is ⟦U+200B⟧; a byte that is no UTF-8 is ⟦0xFF⟧.
    """
    if not (text.isascii() and text.isprintable()):
        text = "".join([_sign(sign) for sign in text])
    return _ORDER.sub(r"##\1⟦U+005B⟧", text) if "##" in text else text


def visible_path(path: bytes) -> str:
    """Return the name of a file, which git and the system know as bytes."""
    return visible(path.decode("utf-8", "surrogateescape"))


def _sign(sign: str) -> str:
    if sign.isprintable() and sign not in _SIGNS and not _UNSEEN.match(sign):
        return sign
    token = _TOKENS.get(sign)
    if token is not None:
        return token
    code = ord(sign)
    if _FIRST_BYTE_ESCAPE <= code <= _LAST_BYTE_ESCAPE:
        return f"⟦0x{code - 0xDC00:02X}⟧"
    return f"⟦U+{code:04X}⟧"
