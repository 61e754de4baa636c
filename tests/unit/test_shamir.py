"""A split data key is put together as sops splits it."""

import itertools
import json
import subprocess

import pytest

from sealpy.cipher import Cipher
from sealpy.errors import DataKeyUnavailable, Refused
from sealpy.secret import DataKey, KeyPart
from sealpy.shamir import SHARE_BYTES, combine, split


def shares_of(secret: bytes, *coefficients: bytes, points: tuple[int, ...]) -> list[KeyPart]:
    """Evaluate one polynomial a byte, by the definition of the field."""
    shares = []
    for point in points:
        share = bytearray(secret)
        power = 1
        for coefficient in coefficients:
            power = times(power, point)
            share = bytearray(value ^ times(byte, power) for value, byte in zip(share, coefficient, strict=True))
        shares.append(KeyPart(bytes(share) + bytes([point])))
    return shares


def times(a: int, b: int) -> int:
    """Multiply as polynomials and divide by x^8 + x^4 + x^3 + x + 1, with pencil and paper."""
    product = 0
    for bit in range(8):
        if b & (1 << bit):
            product ^= a << bit
    for bit in range(14, 7, -1):
        if product & (1 << bit):
            product ^= 0b1_0001_1011 << (bit - 8)
    return product


def test_two_known_shares_give_the_known_secret():
    # On the line 0x53 + 0xCA x: at 1 it is 0x99, at 2 it is 0x53 + 0x8F = 0xDC.
    one = KeyPart(b"\x99" * 32 + b"\x01")
    two = KeyPart(b"\xdc" * 32 + b"\x02")

    assert combine([one, two]).expose() == b"\x53" * 32


@pytest.mark.parametrize("threshold", [2, 3, 5])
def test_any_shares_up_to_the_threshold_give_the_secret(rng, threshold):
    secret, *coefficients = (rng.randbytes(32) for _ in range(threshold))
    shares = shares_of(secret, *coefficients, points=tuple(rng.sample(range(1, 256), 6)))

    for chosen in itertools.permutations(shares, threshold):
        assert combine(chosen).expose() == secret
    assert combine(shares).expose() == secret


def test_too_few_shares_give_another_secret(rng):
    secret, *coefficients = (rng.randbytes(32) for _ in range(3))
    shares = shares_of(secret, *coefficients, points=(1, 2, 3))

    assert combine(shares[:2]).expose() != secret


@pytest.mark.parametrize("chosen", [(0, 1), (0, 2), (1, 2), (2, 0), (0, 1, 2)])
def test_the_shares_that_sops_made_open_its_values(vectors, tool, chosen):
    sealed = json.loads((vectors / "json-shamir-2of3.enc.json").read_text())
    groups = sealed["sops"]["key_groups"]
    # age takes the first identity that fits, so all of them may be offered for each part.
    identities = vectors / "keys" / "all.txt"

    parts = [
        KeyPart(
            subprocess.run(
                [tool("age"), "--decrypt", "--identity", str(identities)],
                input=groups[number]["age"][0]["enc"].encode(),
                capture_output=True,
                check=True,
            ).stdout
        )
        for number in chosen
    ]

    cipher = Cipher(combine(parts))
    assert cipher.open(sealed["sops"]["mac"], sealed["sops"]["lastmodified"].encode())
    assert [part.expose()[-1] for part in parts] == [number + 1 for number in chosen]


@pytest.mark.parametrize(
    "shares",
    [
        [],
        [b"x" * 32 + b"\x01"],
        [b"x" * 32 + b"\x01", b"x" * 31 + b"\x02"],
        [b"x" * 31 + b"\x01", b"x" * 31 + b"\x02"],
        [b"x" * 33 + b"\x01", b"x" * 33 + b"\x02"],
        [b"", b""],
        [b"x" * 32 + b"\x01", b"y" * 32 + b"\x01"],
        [b"x" * 32 + b"\x01", b"y" * 32 + b"\x02", b"x" * 32 + b"\x01"],
        [b"x" * 32 + b"\x01", b"y" * 32 + b"\x00"],
    ],
)
def test_shares_that_cannot_belong_together_are_refused(shares):
    with pytest.raises(DataKeyUnavailable):
        combine([KeyPart(share) for share in shares])


@pytest.mark.parametrize(("shares", "threshold"), [(2, 2), (3, 2), (5, 3), (5, 5)])
def test_any_threshold_of_the_shares_gives_the_data_key_and_no_fewer_do(rng, shares, threshold):
    data_key = DataKey(rng.randbytes(32))

    parts = split(data_key, shares, threshold)

    assert [part.expose()[-1] for part in parts] == list(range(1, shares + 1))
    for chosen in itertools.permutations(parts, threshold):
        assert combine(chosen) == data_key
    for chosen in itertools.combinations(parts, threshold - 1):
        assert threshold == 2 or combine(chosen) != data_key
        assert data_key.expose() not in [part.expose()[:-1] for part in chosen]


def test_255_shares_are_the_most():
    data_key = DataKey.generate()

    parts = split(data_key, 255, 2)

    assert combine([parts[0], parts[254]]) == data_key
    with pytest.raises(Refused, match="there are 256 key groups, and 2 of them are to open the file") as caught:
        split(data_key, 256, 2)
    assert caught.value.hint == "there can be 255 key groups"


@pytest.mark.parametrize("threshold", [-1, 0, 1, 4, 256])
def test_a_threshold_that_cannot_be_is_refused(threshold):
    with pytest.raises(Refused, match="there are 3 key groups") as caught:
        split(DataKey.generate(), 3, threshold)
    assert caught.value.hint == "make shamir_threshold 2 to 3, or leave it out, and all are needed"


def test_the_shares_are_others_each_time_and_one_says_nothing_about_the_data_key():
    data_key = DataKey(bytes(32))

    firsts = [split(data_key, 2, 2)[0].expose()[:-1] for _ in range(64)]

    # Of 2,048 random bytes 8 are 0 on average, and 40 once in more than 10^14 runs; of a leading byte that is never 0, none.
    zeros = sum(share.count(0) for share in firsts)
    assert len(set(firsts)) == 64
    assert 0 < zeros < 40


def test_a_share_is_a_data_key_and_a_point():
    assert SHARE_BYTES == 33
