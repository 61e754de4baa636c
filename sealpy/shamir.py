"""Shamir's secret sharing as sops uses it: one polynomial over GF(2^8) for each byte of the data key.

The field is AES's (x^8 + x^4 + x^3 + x + 1). A share is the polynomials' values at x, followed by x itself.
"""

from collections.abc import Sequence

from sealpy.errors import DataKeyUnavailable
from sealpy.secret import DATA_KEY_BYTES, DataKey, KeyPart

SHARE_BYTES = DATA_KEY_BYTES + 1

_MODULUS = 0x11B
_ORDER = 255


def combine(shares: Sequence[KeyPart]) -> DataKey:
    """Return the data key that at least a threshold of shares holds. Too few give a wrong key, unnoticed.

    Raises:
        DataKeyUnavailable: two shares are of the same group, or one of none.
    """
    points = [(share.expose()[-1], share.expose()[:-1]) for share in shares]
    places = [x for x, _ in points]
    if len(set(places)) < len(places) or 0 in places:
        raise DataKeyUnavailable("the shares of its key groups do not fit together")
    logarithms, powers = _tables()
    secret = bytearray(DATA_KEY_BYTES)
    for x, values in points:
        # Lagrange's coefficient at 0: the product of other / (other - x), where minus is exclusive or.
        exponent = sum(logarithms[other] - logarithms[other ^ x] for other in places if other != x)
        for index, value in enumerate(values):
            if value:
                secret[index] ^= powers[(logarithms[value] + exponent) % _ORDER]
    return DataKey(bytes(secret))


def _tables() -> tuple[list[int], list[int]]:
    """Return the logarithms to the base 3, which generates the field, and its powers."""
    logarithms, powers = [0] * 256, [0] * _ORDER
    value = 1
    for exponent in range(_ORDER):
        powers[exponent] = value
        logarithms[value] = exponent
        doubled = value << 1
        value ^= doubled ^ _MODULUS if doubled > _ORDER else doubled
    return logarithms, powers
