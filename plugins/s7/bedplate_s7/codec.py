"""S7's elementary types and the bytes they lie in: big endian, strings with their own length in front.

Values go in as the deployment's user means them, and out as the controller said them; nothing is coerced.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import Any, Final

NUMBERS: Final = {
    "byte": ">B", "usint": ">B", "sint": ">b", "word": ">H", "uint": ">H", "int": ">h", "dword": ">I", "udint": ">I",
    "dint": ">i", "real": ">f", "time": ">i", "lword": ">Q", "ulint": ">Q", "lint": ">q", "lreal": ">d",
}  # fmt: skip
WHAT_A_LETTER_SAYS: Final = {1: "byte", 2: "word", 4: "dword"}
FLOATS: Final = ("real", "lreal")


class Unfit(ValueError):
    """What can't be such a value, in words."""


@dataclass(frozen=True, slots=True)
class Form:
    """A type with what it needs beside its name. bit: of a bool · length: most characters of a string."""

    name: str
    bit: int = 0
    length: int = 254

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        match self.name:
            case "bool" | "char":
                return 1
            case "string":
                return 2 + self.length
            case "wstring":
                return 4 + 2 * self.length
        return struct.calcsize(NUMBERS[self.name])

    def decode(self, raw: bytes) -> Any:
        """raw: `size` bytes. time is in ms. Raises Unfit for a string whose own lengths contradict each other, and for
        a wide one that is no UTF-16."""
        match self.name:
            case "bool":
                return bool(raw[0] >> self.bit & 1)
            case "char":
                return raw.decode("latin-1")
            case "string":
                return _string(raw, 1).decode("latin-1")
            case "wstring":
                return _wide(_string(raw, 2))
        return struct.unpack(NUMBERS[self.name], raw)[0]

    def encode(self, value: Any) -> bytes:
        """Raises Unfit in words for what does not fit."""
        match self.name:
            case "bool":
                if not isinstance(value, bool):
                    raise Unfit(f"{value!r} is no bool")
                return bytes([value])
            case "char" | "string" | "wstring":
                return self._text(value)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise Unfit(f"{value!r} is no number")
        if self.name in FLOATS and not math.isfinite(value):
            raise Unfit(f"{value!r} is not finite")
        if self.name not in FLOATS and value != int(value):
            raise Unfit(f"{value!r} is no whole number")
        try:
            return struct.pack(NUMBERS[self.name], value if self.name in FLOATS else int(value))
        except (struct.error, OverflowError):
            raise Unfit(f"{value!r} does not fit {self.name.upper()}") from None

    def _text(self, value: Any) -> bytes:
        if not isinstance(value, str):
            raise Unfit(f"{value!r} is no text")
        width, code = (2, "utf-16-be") if self.name == "wstring" else (1, "latin-1")
        try:
            content = value.encode(code)
        except UnicodeEncodeError:
            raise Unfit(f"{value!r} has characters that {self.name.upper()} does not") from None
        count, most = len(content) // width, 1 if self.name == "char" else self.length
        if count > most or (self.name == "char" and count != 1):
            raise Unfit(f"{value!r} has {count} characters, {self.name.upper()} here takes {most}")
        if self.name == "char":
            return content
        head = struct.pack(">HH" if width == 2 else ">BB", self.length, count)
        return head + content.ljust(self.length * width, b"\0")


def _string(raw: bytes, width: int) -> bytes:
    most, count = struct.unpack_from(">HH" if width == 2 else ">BB", raw)
    if count > most or (count + 2) * width > len(raw):
        raise Unfit(f"says it has {count} of {most} characters: no such string lies here")
    return raw[2 * width : (2 + count) * width]


def _wide(content: bytes) -> str:
    try:
        return content.decode("utf-16-be")
    except UnicodeDecodeError:
        raise Unfit("has half of a pair of UTF-16: no such string lies here") from None
