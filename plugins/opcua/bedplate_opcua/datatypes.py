"""Built-in types of OPC UA (OPC 10000-6 §5.1.2) and the value types of Bedplate they become.

Rule: signed integers stay signed, unsigned stay unsigned, nothing becomes a float that was none. An enumeration is
Int32 on the wire and so an int64. What is only readable for people (times, names, identifiers) is text.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from bedplate import DataType


class BuiltIn(IntEnum):
    """Numbers of the built-in types, which are also the numbers of their nodes in namespace 0."""

    NULL = 0
    BOOLEAN = 1
    SBYTE = 2
    BYTE = 3
    INT16 = 4
    UINT16 = 5
    INT32 = 6
    UINT32 = 7
    INT64 = 8
    UINT64 = 9
    FLOAT = 10
    DOUBLE = 11
    STRING = 12
    DATETIME = 13
    GUID = 14
    BYTESTRING = 15
    XML_ELEMENT = 16
    NODE_ID = 17
    EXPANDED_NODE_ID = 18
    STATUS_CODE = 19
    QUALIFIED_NAME = 20
    LOCALIZED_TEXT = 21
    EXTENSION_OBJECT = 22


B = BuiltIn
VALUE_TYPES: Final[dict[int, DataType]] = {
    B.BOOLEAN: DataType.BOOL,
    **dict.fromkeys((B.SBYTE, B.INT16, B.INT32, B.INT64), DataType.INT64),
    **dict.fromkeys((B.BYTE, B.UINT16, B.UINT32, B.UINT64, B.STATUS_CODE), DataType.UINT64),
    **dict.fromkeys((B.FLOAT, B.DOUBLE), DataType.FLOAT64),
    **dict.fromkeys((B.STRING, B.DATETIME, B.GUID, B.XML_ELEMENT), DataType.TEXT),
    **dict.fromkeys(
        (B.NODE_ID, B.EXPANDED_NODE_ID, B.QUALIFIED_NAME, B.LOCALIZED_TEXT), DataType.TEXT
    ),
    B.BYTESTRING: DataType.BLOB,
}

FIXED: Final[dict[int, str]] = {
    B.BOOLEAN: "u1",
    B.SBYTE: "<i1",
    B.BYTE: "<u1",
    B.INT16: "<i2",
    B.UINT16: "<u2",
    B.INT32: "<i4",
    B.UINT32: "<u4",
    B.INT64: "<i8",
    B.UINT64: "<u8",
    B.FLOAT: "<f4",
    B.DOUBLE: "<f8",
    B.STATUS_CODE: "<u4",
}
"""numpy dtypes of the built-in types that have a fixed size and are numbers."""

RANGES: Final[dict[int, tuple[int, int]]] = {
    B.SBYTE: (-(2**7), 2**7 - 1),
    B.BYTE: (0, 2**8 - 1),
    B.INT16: (-(2**15), 2**15 - 1),
    B.UINT16: (0, 2**16 - 1),
    B.INT32: (-(2**31), 2**31 - 1),
    B.UINT32: (0, 2**32 - 1),
    B.INT64: (-(2**63), 2**63 - 1),
    B.UINT64: (0, 2**64 - 1),
}

NOTHING: Final[dict[DataType, float | int | bool | str | bytes]] = {
    DataType.FLOAT64: float("nan"),
    DataType.INT64: 0,
    DataType.UINT64: 0,
    DataType.BOOL: False,
    DataType.TEXT: "",
    DataType.BLOB: b"",
}
"""What stands in a value column where there is no value; the quality says so."""
