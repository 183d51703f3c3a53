"""Batch ⇄ bytes of bedplate.record.v1.Batch, through the twin, with the idiomatic class as the fallback."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet
from numpy.typing import NDArray

from bedplate.errors import ProtocolError
from bedplate.model import Batch, DataType, Flag, Strings
from bedplate.record.v1 import record_pb2
from bedplate.wire.twin import twin

COLUMNS: Final[dict[DataType, tuple[str, np.dtype[Any]]]] = {
    DataType.FLOAT64: ("float64", np.dtype("<f8")),
    DataType.INT64: ("int64", np.dtype("<i8")),
    DataType.UINT64: ("uint64", np.dtype("<u8")),
    DataType.BOOL: ("bool", np.dtype("u1")),
}
STRINGS: Final = {DataType.TEXT: "text", DataType.BLOB: "blob"}
U4, I8 = np.dtype("<u4"), np.dtype("<i8")
WIDTHS: Final[dict[str, np.dtype[Any]]] = {
    "tag": U4,
    "time": I8,
    "quality": U4,
    "server_time": I8,
    "end": U4,
    "float64": np.dtype("<f8"),
    "int64": I8,
    "uint64": np.dtype("<u8"),
}
PLAIN = Flag(0)


def encode_batch(batch: Batch) -> bytes:
    """The wire form of a batch."""
    message = twin(record_pb2.Batch)(
        count=len(batch),
        tag=_bytes(batch.tag, U4),
        time=_bytes(batch.time, I8),
        flags=int(batch.flags),
        data_type=int(batch.data_type),
    )
    if batch.quality is not None:
        message.quality = _bytes(batch.quality, U4)
    if batch.server_time is not None:
        message.server_time = _bytes(batch.server_time, I8)
    if isinstance(batch.value, Strings):
        setattr(message, STRINGS[batch.data_type], batch.value.joined)
        message.end = _bytes(batch.value.end, U4)
    else:
        name, dtype = COLUMNS[batch.data_type]
        setattr(message, name, _bytes(batch.value, dtype))
    encoded: bytes = message.SerializeToString()
    return encoded


def decode_batch(encoded: bytes) -> Batch:
    """The batch in these bytes; its columns are read-only views of them.

    Raises ProtocolError when columns disagree in length, name no or another type, or texts are no UTF-8.
    """
    message = twin(record_pb2.Batch)()
    try:
        message.ParseFromString(encoded)
        if message.ByteSize() != len(encoded) or len(UnknownFieldSet(message)):
            message = _from_idiomatic(encoded)
    except DecodeError as error:
        raise ProtocolError("batch is no protobuf message") from error
    return _build(message)


def _bytes(column: NDArray[Any], dtype: Any) -> bytes:
    return column.astype(dtype, copy=False).tobytes()


def _from_idiomatic(encoded: bytes) -> Any:
    """Split or unpacked columns, or fields of a later minor: slow, legal."""
    idiomatic = record_pb2.Batch.FromString(encoded)
    plain = {
        field: getattr(idiomatic, field)
        for field in ("count", "flags", "data_type", "bool", "text", "blob")
    }
    columns = {f: np.array(getattr(idiomatic, f), dtype).tobytes() for f, dtype in WIDTHS.items()}
    return twin(record_pb2.Batch)(**plain, **columns)


def _column(
    message: Any, field: str, dtype: np.dtype[Any], lengths: tuple[int, ...]
) -> NDArray[Any]:
    content = getattr(message, field)
    entries, rest = divmod(len(content), dtype.itemsize)
    if rest or entries not in lengths:
        raise ProtocolError(f"batch column {field}: {len(content)} bytes for {lengths[0]} samples")
    return np.frombuffer(content, dtype)


def _build(message: Any) -> Batch:
    n = message.count
    try:
        kind = DataType(message.data_type)
        flags = Flag(message.flags) if message.flags else PLAIN
    except ValueError as error:
        raise ProtocolError(f"batch of unknown type {message.data_type}") from error
    value = _strings(message, kind, n) if kind in STRINGS else _numbers(message, kind, n)
    return Batch(
        kind,
        _column(message, "tag", U4, (n, 1)),
        _column(message, "time", I8, (n, 1, 0)),
        value,
        _column(message, "quality", U4, (n,)) if message.quality else None,
        _column(message, "server_time", I8, (n, 1)) if message.server_time else None,
        flags,
    )


def _numbers(message: Any, kind: DataType, n: int) -> NDArray[Any]:
    if kind not in COLUMNS:
        raise ProtocolError("batch without data_type")
    field, dtype = COLUMNS[kind]
    column = _column(message, field, dtype, (n,))
    return column != 0 if kind is DataType.BOOL else column


def _strings(message: Any, kind: DataType, n: int) -> Strings:
    joined: bytes = getattr(message, STRINGS[kind])
    end = _column(message, "end", U4, (n,))
    if (int(end[-1]) if n else 0) != len(joined) or np.any(end[1:] < end[:-1]):
        raise ProtocolError(
            f"batch column {STRINGS[kind]}: its ends do not fit its {len(joined)} bytes"
        )
    if kind is DataType.TEXT:
        _check_text(joined, end)
    return Strings(joined, end, kind is DataType.TEXT)


def _check_text(joined: bytes, end: NDArray[Any]) -> None:
    """UTF-8 as a whole, and no sample begins with the rest of a character."""
    try:
        joined.decode()
    except UnicodeDecodeError as error:
        raise ProtocolError("batch column text is not UTF-8") from error
    starts = end[:-1][end[:-1] < len(joined)]
    if np.any(np.frombuffer(joined, np.uint8)[starts] & 0xC0 == 0x80):
        raise ProtocolError("batch column text: a sample ends within a character")
