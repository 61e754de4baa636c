"""Bech32 (BIP 173) without its length limit, as age uses it.

Only the keys that pyrage does not read are decoded here.
"""

_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)}
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECKSUM_LETTERS = 6


def encode(prefix: str, data: bytes) -> str:
    """Spell bytes in lower case behind a lower-case prefix."""
    values = _regroup(data, 8, 5, pad=True)
    state = _checksum([*_expanded(prefix), *values, *[0] * _CHECKSUM_LETTERS]) ^ 1
    values += [state >> 5 * (_CHECKSUM_LETTERS - 1 - place) & 31 for place in range(_CHECKSUM_LETTERS)]
    return f"{prefix}1{''.join(_ALPHABET[value] for value in values)}"


def decode(text: str) -> tuple[str, bytes] | None:
    """Return the prefix, in lower case, and the bytes; None if the text is not Bech32."""
    lower = text.lower()
    if text not in (lower, text.upper()):
        return None
    prefix, separator, body = lower.rpartition("1")
    if not separator or not prefix or not prefix.isascii() or len(body) < _CHECKSUM_LETTERS:
        return None
    values = [_VALUES.get(letter, -1) for letter in body]
    if -1 in values or _checksum([*_expanded(prefix), *values]) != 1:
        return None
    try:
        return prefix, bytes(_regroup(values[:-_CHECKSUM_LETTERS], 5, 8, pad=False))
    except ValueError:
        return None


def _expanded(prefix: str) -> list[int]:
    return [*(ord(letter) >> 5 for letter in prefix), 0, *(ord(letter) & 31 for letter in prefix)]


def _checksum(values: list[int]) -> int:
    state = 1
    for value in values:
        top = state >> 25
        state = (state & 0x1FFFFFF) << 5 ^ value
        for place, term in enumerate(_GENERATOR):
            if top >> place & 1:
                state ^= term
    return state


def _regroup(values: bytes | list[int], width: int, new_width: int, *, pad: bool) -> list[int]:
    """Cut a row of numbers of ``width`` bits into numbers of ``new_width`` bits."""
    held = bits = 0
    regrouped = []
    for value in values:
        held = held << width | value
        bits += width
        while bits >= new_width:
            bits -= new_width
            regrouped.append(held >> bits)
            held &= (1 << bits) - 1
    if pad and bits:
        regrouped.append(held << new_width - bits)
    elif not pad and (bits >= width or held):
        raise ValueError("the padding is not zero")
    return regrouped
