"""One sample as an author hands it over, made sound: a value of a DataType, or none with the quality that says why.

Nothing is coerced: what no DataType holds becomes Bad. A time or a quality that is none is the author's mistake.
"""

from __future__ import annotations

import operator
from typing import Any, NamedTuple

import numpy as np

from bedplate.contracts import Bad, Sample
from bedplate.model import DataType, quality

MOST_BYTES = 8 << 20  # of one text or blob: a message of the contract has less than 16 MiB
NO_VALUE = float("nan")
PLAIN = {
    float: DataType.FLOAT64,
    int: DataType.INT64,
    bool: DataType.BOOL,
    str: DataType.TEXT,
    bytes: DataType.BLOB,
    np.uint64: DataType.UINT64,
}


class Row(NamedTuple):
    """time, server_time: ns UTC, None: unknown · code: StatusCode · why: a reason in words, or empty."""

    handle: int
    value: Any
    time: int | None
    code: int
    server_time: int | None
    why: str = ""


def row_of(handle: int, value: Any) -> Row:
    """What was handed over for a tag. Raises ValueError for a time or a quality that is none."""
    if not isinstance(value, Sample):
        plain, code, why = _sound(value)
        return Row(handle, plain, None, code, None, why)
    plain, code, why = _sound(value.value)
    given = _within("quality", value.quality, 0, 1 << 32)
    if given >> 30 < code >> 30:  # what the source says does not outweigh that there is no value
        given = code
    return Row(handle, plain, _time(value.time), given, _time(value.server_time), why)


def type_of(value: Any) -> DataType:
    """The DataType of a Python value; UNSPECIFIED when there is none."""
    kind = PLAIN.get(type(value), DataType.UNSPECIFIED)
    if kind is DataType.INT64 and not -(2**63) <= value < 2**63:
        return DataType.UINT64 if 0 <= value < 2**64 else DataType.UNSPECIFIED
    return kind


def _sound(value: Any) -> tuple[Any, int, str]:
    """Value, code and reason."""
    if isinstance(value, Bad):
        code = quality.BAD if quality.is_good(value.code) else value.code
        return NO_VALUE, code, value.why or quality.name(code)
    if value is None:
        return NO_VALUE, quality.BAD, "no value"
    value = _plain(value)
    match type_of(value):
        case DataType.UNSPECIFIED:
            return NO_VALUE, quality.BAD_TYPE_MISMATCH, f"{value!r:.80} is no value a tag can have"
        case DataType.TEXT if not (value.isascii() or _is_unicode(value)):
            return NO_VALUE, quality.BAD_DECODING, f"{value!r:.80} is no Unicode text"
        case DataType.TEXT | DataType.BLOB if len(value) * 4 > MOST_BYTES:
            if (size := len(value.encode() if isinstance(value, str) else value)) > MOST_BYTES:
                why = f"a value of {size} bytes; it may have {MOST_BYTES}"
                return NO_VALUE, quality.BAD_OUT_OF_RANGE, why
    return value, quality.GOOD, ""


def _plain(value: Any) -> Any:
    """The built-in value of a numpy scalar, an IntEnum, a StrEnum, a bytearray."""
    if (
        type(value) in PLAIN
    ):  # also uint64: as an int it would turn into INT64, and the tag change its type
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    base = next((b for b in (int, float, str, bytes) if isinstance(value, b)), None)
    return value if base is None else base(value)


def _is_unicode(value: str) -> bool:
    """False for half a surrogate pair, which no UTF-8 holds."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _time(time: Any) -> int | None:
    return None if time is None else _within("time", time, -(1 << 63), 1 << 63)


def _within(what: str, number: Any, least: int, limit: int) -> int:
    try:
        found = operator.index(number)
    except TypeError:
        raise ValueError(f"{what} must be an int, not {number!r:.80}") from None
    if not least <= found < limit:
        raise ValueError(f"{what} {found} does not fit into {limit.bit_length() - 1} bits")
    return found
