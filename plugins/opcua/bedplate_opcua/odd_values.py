"""Variants that are no plain number: texts, times, identifiers; and those that no tag can hold.

Rule: what can be said in one text is a text; an array or a structure is Unsupported, with the place where it ends so
that its neighbours can still be read.
"""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from typing import Any, Final

from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import variant_from_binary

from bedplate import DataType
from bedplate_opcua.datatypes import VALUE_TYPES, BuiltIn

BAD_NO_DATA: Final = 0x809B_0000
_I32 = struct.Struct("<i")
_ENCODING: Final = 0x3F
_ARRAY: Final = 0xC0


class Unsupported(Exception):
    """A value that no tag can hold. end: where it ends in the message."""

    def __init__(self, text: str, end: int) -> None:
        super().__init__(text)
        self.end = end


def read_variant(data: bytes, at: int) -> tuple[Any, DataType | None, int]:
    """A Variant (OPC 10000-6 §5.2.2.16): its value or None, its value type, where it ends.

    Raises Unsupported for arrays and structures, and what asyncua raises when the bytes are broken.
    """
    head = data[at]
    if head in (BuiltIn.STRING, BuiltIn.XML_ELEMENT, BuiltIn.BYTESTRING):
        return _read_text(data, at)
    buffer = Buffer(data, at)
    variant = variant_from_binary(buffer)
    end = buffer.cur_pos
    kind = head & _ENCODING
    if head & _ARRAY:
        raise Unsupported(f"an array of {_called(kind)}; a tag holds one value", end)
    if kind == BuiltIn.NULL:
        return None, None, end
    data_type = VALUE_TYPES.get(kind)
    if data_type is None:
        raise Unsupported(
            f"a value of type {_called(kind)}; a tag holds a number, a bool, a text or bytes", end
        )
    return _plain(variant.Value, kind), data_type, end


def _read_text(data: bytes, at: int) -> tuple[Any, DataType, int]:
    (length,) = _I32.unpack_from(data, at + 1)
    start = at + 5
    end = start + max(length, 0)
    if end > len(data):
        raise ValueError("the message ends within a text")
    raw = data[start:end]
    if data[at] == BuiltIn.BYTESTRING:
        return raw, DataType.BLOB, end
    return raw.decode("utf-8", "replace"), DataType.TEXT, end


def _plain(value: Any, kind: int) -> Any:
    """A value of asyncua as one that a column takes."""
    match kind:
        case BuiltIn.DATETIME:
            return iso(value)
        case BuiltIn.LOCALIZED_TEXT:
            return (value.Text if value is not None else "") or ""
        case BuiltIn.QUALIFIED_NAME:
            return (
                f"{value.NamespaceIndex}:{value.Name}" if value.NamespaceIndex else value.Name or ""
            )
        case BuiltIn.NODE_ID | BuiltIn.EXPANDED_NODE_ID:
            return value.to_string()
        case BuiltIn.GUID:
            return str(value)
    return value


def iso(value: datetime) -> str:
    """ISO 8601 in UTC with microseconds: 2026-11-22T08:00:00.000000Z."""
    utc = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return utc.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _called(kind: int) -> str:
    try:
        return BuiltIn(kind).name.title().replace("_", "")
    except ValueError:
        return f"number {kind}"
