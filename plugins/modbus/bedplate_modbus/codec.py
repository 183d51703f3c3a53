"""What registers hold: every data type in four byte orders, read and written by the same rule.

Rule: a byte order is nothing but places. `Format.places` says where on the wire each byte of a value lies, least
significant first; reading gathers the bytes from there, writing puts them there. Many values of one data type are
gathered in one step, whatever their byte orders.
Byte orders: A is the most significant byte of a value; CDAB swaps the words, BADC the bytes within each word, DCBA both
(of 64 bits: the words in reverse). A text is never reversed: only the bytes within its words may be swapped.
Does not know requests, units or addresses.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bedplate import Bad, DataType, Refused
from bedplate.model import Strings, quality

ORDERS: Final = ("ABCD", "CDAB", "BADC", "DCBA")
_WORDS_SWAPPED: Final = {"CDAB", "DCBA"}
_BYTES_SWAPPED: Final = {"BADC", "DCBA"}

# numpy dtype on the wire (as if it came least significant byte first)
_NUMBERS: Final = {
    "int8_high": "i1",
    "int8_low": "i1",
    "uint8_high": "u1",
    "uint8_low": "u1",
    "int16": "<i2",
    "uint16": "<u2",
    "int32": "<i4",
    "uint32": "<u4",
    "int64": "<i8",
    "uint64": "<u8",
    "float16": "<f2",
    "float32": "<f4",
    "float64": "<f8",
}
_KINDS: Final = {"i": DataType.INT64, "u": DataType.INT64, "f": DataType.FLOAT64}


@dataclass(frozen=True, slots=True)
class Format:
    """How one value is stored. length: registers of a string; bit: of a register; coil: a coil or discrete input,
    which takes one byte of a block, a register two, high byte first."""

    data_type: str
    byte_order: str = "ABCD"
    length: int = 1
    bit: int = 0
    coil: bool = False

    @property
    def count(self) -> int:
        """Registers, or coils."""
        if self.data_type == "string":
            return self.length
        wire = _NUMBERS.get(self.data_type)
        return max(1, np.dtype(wire).itemsize // 2) if wire else 1

    @property
    def kind(self) -> DataType:
        """Type of the values: every integer but uint64 is INT64, every float FLOAT64."""
        if self.data_type in ("bool", "bit"):
            return DataType.BOOL
        if self.data_type == "string":
            return DataType.TEXT
        if self.data_type == "uint64":
            return DataType.UINT64
        return _KINDS[np.dtype(_NUMBERS[self.data_type]).kind]

    def places(self) -> tuple[int, ...]:
        """Offset on the wire of each byte of the value, least significant first; of a string in reading order."""
        if self.coil:
            return (0,)
        swapped = int(self.byte_order in _BYTES_SWAPPED)
        if self.data_type == "bit":
            return (int(self.bit < 8) ^ swapped,)
        if self.data_type.endswith(("_high", "_low")):
            return (int(self.data_type.endswith("_low")) ^ swapped,)
        words = range(self.count)
        if self.data_type != "string" and self.byte_order not in _WORDS_SWAPPED:
            words = words[::-1]
        inner = (0, 1) if self.data_type == "string" else (1, 0)
        return tuple(2 * word + (byte ^ swapped) for word in words for byte in inner)


class Column:
    """Values of one data type, decoded together. places: (n, size) offsets into the bytes that were read."""

    def __init__(self, formats: Sequence[Format], starts: Sequence[int]) -> None:
        """formats: all of one data type (strings: of one length too) · starts: offset of each value's first byte."""
        self.kind = formats[0].kind
        self._data_type = formats[0].data_type
        self._places = np.array(
            [
                [start + place for place in f.places()]
                for f, start in zip(formats, starts, strict=True)
            ],
            np.intp,
        )
        self._shifts = np.array([f.bit % 8 for f in formats], np.uint8)

    def decode(self, raw: NDArray[np.uint8]) -> Any:
        """raw: all bytes read. Returns an (n,) column of `kind`; of strings a list, with Bad for what is no UTF-8."""
        found = raw.take(self._places)
        if self._data_type == "string":
            return [_text(row.tobytes()) for row in found]
        if self._data_type == "bit":
            return ((found[:, 0] >> self._shifts) & 1).astype(np.bool_)
        if self._data_type == "bool":
            return found.any(axis=1)
        column = found.view(_NUMBERS[self._data_type])[:, 0]
        if self.kind is DataType.FLOAT64:
            with np.errstate(invalid="ignore"):  # a signalling NaN is a value like any other
                return column.astype("<f8")
        return column.astype(self.kind.dtype)


def _text(found: bytes) -> str | Bad:
    """Up to the first NUL. OPC 10000-6 calls what is no UTF-8 BadDecodingError."""
    text = found.split(b"\0", 1)[0]
    try:
        return text.decode()
    except UnicodeDecodeError:
        return Bad(f"registers hold no UTF-8 text: {text[:32].hex(' ')}", quality.BAD_DECODING)


def joined(columns: Sequence[Any], kind: DataType) -> Any:
    """Columns of one kind as one: an array, or Strings."""
    if kind is DataType.TEXT:
        return Strings.of(text for column in columns for text in column)
    return columns[0] if len(columns) == 1 else np.concatenate(columns)


def encode(form: Format, value: Any) -> tuple[bytes, bytes]:
    """The bytes to write, and a mask of the bits among them that belong to the value: all, but for a bit or half of a
    register. Raises Refused when the value does not fit: wrong type, out of range, not finite, too long."""
    if form.data_type == "bit":
        shift = form.bit % 8
        own, bits = bytes([_truth(value) << shift]), 1 << shift
    else:
        own, bits = _little_endian(form, value), 0xFF
    size = 1 if form.coil else 2 * form.count
    data, mask = bytearray(size), bytearray(size)
    for byte, place in zip(own, form.places(), strict=True):
        data[place], mask[place] = byte, bits
    return bytes(data), bytes(mask)


def _little_endian(form: Format, value: Any) -> bytes:
    if form.data_type == "string":
        return _text_bytes(value, 2 * form.length)
    if form.data_type == "bool":
        return _truth(value).to_bytes(1 if form.coil else 2, "little")
    wire = np.dtype(_NUMBERS[form.data_type])
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise Refused(f"{value!r:.40} is no number; the register holds {form.data_type}")
    return _float_bytes(form, wire, value) if wire.kind == "f" else _int_bytes(form, wire, value)


def _float_bytes(form: Format, wire: np.dtype[Any], value: Any) -> bytes:
    limits = np.finfo(wire)
    if not _finite(value) or abs(value) > float(limits.max):
        raise Refused(f"{value} does not fit {form.data_type} (up to ±{float(limits.max):.6g})")
    return np.array(value, wire).tobytes()


def _int_bytes(form: Format, wire: np.dtype[Any], value: Any) -> bytes:
    limits = np.iinfo(wire)
    if not _finite(value) or value != int(value) or not limits.min <= value <= limits.max:
        raise Refused(
            f"{value} does not fit {form.data_type} (whole numbers {limits.min} to {limits.max})"
        )
    return np.array(int(value), wire).tobytes()


def _finite(value: Any) -> bool:
    return isinstance(value, int | np.integer) or math.isfinite(value)


def _truth(value: Any) -> int:
    if isinstance(value, bool | np.bool_ | int) and value in (0, 1):
        return int(value)
    raise Refused(f"{value!r:.40} is neither true nor false")


def _text_bytes(value: Any, size: int) -> bytes:
    if not isinstance(value, str):
        raise Refused(f"{value!r:.40} is no text")
    text = value.encode()
    if len(text) > size or b"\0" in text:
        raise Refused(f"{value!r:.40} does not fit {size} bytes of UTF-8 text without NUL")
    return text.ljust(size, b"\0")


def decode_all(registers: Sequence[int], data_type: str) -> dict[str, Any]:
    """The value that registers hold, in each of the four byte orders; a string takes them all.

    registers: as received, each 0 to 65535. Raises ValueError when their number does not fit the data type, or the data
    type is none that registers hold.
    """
    known = data_type in ("bool", "string") or data_type in _NUMBERS
    forms = {o: Format(data_type, o, length=len(registers)) for o in ORDERS} if known else {}
    if not forms or forms["ABCD"].count != len(registers):
        raise ValueError(f"{len(registers)} registers hold no {data_type}")
    raw = np.array(registers, ">u2").view(np.uint8)
    return {order: _first(Column([form], [0]).decode(raw)) for order, form in forms.items()}


def _first(column: Any) -> Any:
    return column[0] if isinstance(column, list) else column[0].item()
