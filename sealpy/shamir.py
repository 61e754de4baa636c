"""Splitting a data key among key groups, and putting it together: Shamir's secret sharing over GF(2^8).

Every byte of the key is the value at 0 of a polynomial of its own; a share has the polynomials' values at one
point, and the point in its last byte. sops numbers the points by key group, from 1.
"""

import os
from collections.abc import Sequence

from sealpy.errors import DataKeyUnavailable, Refused
from sealpy.secret import DATA_KEY_BYTES, DataKey, KeyPart

SHARE_BYTES = DATA_KEY_BYTES + 1

_MODULUS = 0x11B  # x^8 + x^4 + x^3 + x + 1, as in AES
_MOST_SHARES = 255  # the points of the field but 0


def split(data_key: DataKey, shares: int, threshold: int) -> list[KeyPart]:
    """Return the shares of a data key for the points 1, 2, …: any ``threshold`` of them give it, fewer tell nothing.

    Raises:
        Refused: not 2 <= threshold <= shares <= 255, as with sops.
    """
    if not 2 <= threshold <= shares <= _MOST_SHARES:
        most = f"make shamir_threshold 2 to {shares}, or leave it out, and all are needed"
        raise Refused(
            f"there are {shares} key groups, and {threshold} of them are to open the file",
            hint=most if shares <= _MOST_SHARES else f"there can be {_MOST_SHARES} key groups",
        )
    secret = data_key.expose()
    # From the highest power down; a leading zero is as likely as any other byte, or the shares would tell something.
    coefficients = [os.urandom(len(secret)) for _ in range(threshold - 1)]
    parts = []
    for point in range(1, shares + 1):
        share = bytearray(len(secret))
        for coefficient in (*coefficients, secret):
            for index, byte in enumerate(coefficient):
                share[index] = _multiply(share[index], point) ^ byte
        parts.append(KeyPart(bytes((*share, point))))
    return parts


def combine(parts: Sequence[KeyPart]) -> DataKey:
    """Return the data key behind two or more shares.

    Too few shares give a data key all the same, a wrong one: the caller knows the threshold.

    Raises:
        DataKeyUnavailable: fewer than two shares, one of another length, or two for one point.
    """
    shares = [part.expose() for part in parts]
    if len(shares) < 2 or any(len(share) != SHARE_BYTES for share in shares):
        raise DataKeyUnavailable("the shares of its key groups are not as sops makes them")
    points = [share[-1] for share in shares]
    # At 0 is the data key itself: such a share would decide alone.
    if len(set(points)) != len(points) or 0 in points:
        raise DataKeyUnavailable("the shares of its key groups do not fit together")
    secret = bytearray(DATA_KEY_BYTES)
    for share, point in zip(shares, points, strict=True):
        weight = 1
        for other in points:
            if other != point:
                # Lagrange's weight for the value at 0; to subtract is to add.
                weight = _multiply(weight, _multiply(other, _inverse(other ^ point)))
        for index in range(DATA_KEY_BYTES):
            secret[index] ^= _multiply(weight, share[index])
    return DataKey(bytes(secret))


def _multiply(a: int, b: int) -> int:
    """Multiply without a table or a branch that depends on the secret, as far as Python can promise that."""
    product = 0
    for bit in range(8):
        product ^= -(b >> bit & 1) & a
        a = (a << 1) ^ (-(a >> 7) & _MODULUS)
    return product


def _inverse(a: int) -> int:
    """Raise to the 254th power, because the 255th is 1."""
    power = a
    for _ in range(6):
        power = _multiply(_multiply(power, power), a)
    return _multiply(power, power)
