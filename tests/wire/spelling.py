"""Protobuf by hand: messages taken apart and written again in every other way that is legal."""

from __future__ import annotations

import random
from collections.abc import Iterator

WIDTHS = {
    2: 4,
    3: 8,
    4: 4,
    5: 8,
    8: 8,
    9: 8,
    10: 8,
    14: 4,
}  # field number of a packed column → bytes of an entry


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def read_varint(content: bytes, at: int) -> tuple[int, int]:
    """The number and where it ends."""
    number = shift = 0
    while True:
        byte = content[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number, at


def length_delimited(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def number_field(number: int, value: int) -> bytes:
    return varint(number << 3) + varint(value)


def fields(encoded: bytes) -> Iterator[tuple[int, bytes | None, bytes]]:
    """Number, content (of length-delimited fields) and raw bytes of each field."""
    at = 0
    while at < len(encoded):
        start = at
        key, at = read_varint(encoded, at)
        content = None
        match key & 7:
            case 0:
                _, at = read_varint(encoded, at)
            case 1:
                at += 8
            case 2:
                length, at = read_varint(encoded, at)
                content, at = encoded[at : at + length], at + length
            case 5:
                at += 4
        yield key >> 3, content, encoded[start:at]


def split(encoded: bytes, source: random.Random) -> bytes:
    """Every packed column in several pieces, some of them empty."""
    out = bytearray()
    for number, content, raw in fields(encoded):
        if content is None or number not in WIDTHS:
            out += raw
            continue
        entries = len(content) // WIDTHS[number]
        cuts = sorted(source.randrange(entries + 1) * WIDTHS[number] for _ in range(2))
        for start, end in zip([0, *cuts], [*cuts, len(content)], strict=True):
            out += length_delimited(number, content[start:end])
    return bytes(out)


def unpacked(encoded: bytes) -> bytes:
    """Every entry of a packed column as a field of its own."""
    out = bytearray()
    for number, content, raw in fields(encoded):
        if content is None or number not in WIDTHS:
            out += raw
            continue
        width = WIDTHS[number]
        key = varint(number << 3 | (5 if width == 4 else 1))
        for start in range(0, len(content), width):
            out += key + content[start : start + width]
    return bytes(out)
