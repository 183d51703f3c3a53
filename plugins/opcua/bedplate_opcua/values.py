"""Values as they come over the wire, turned into columns without an object per value.

Owns: reading encoded DataValues (OPC 10000-6 §5.2.2.17) into Batches.
Rule: a DataValue of fixed size is never unpacked by itself. It is cut out, put behind the others of the same layout,
and numpy reads them all at once; only texts, missing values and the like are read one by one. A tag's values stay in
the order in which they came. Times keep the 100 ns (and more) that the server sent.
Does not know requests or subscriptions. Raises what asyncua and struct raise when the bytes are broken.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bedplate import Batch, DataType
from bedplate.model import Strings
from bedplate_opcua.datatypes import FIXED, NOTHING, VALUE_TYPES
from bedplate_opcua.odd_values import BAD_NO_DATA, Unsupported, read_variant

EPOCH: Final = 116_444_736_000_000_000
"""1970 in ticks of 100 ns since 1601, the DateTime of OPC UA."""
FURTHEST: Final = 92_000_000_000_000_000
"""Ticks from 1970 that still fit into an int64 of nanoseconds."""

VALUE, STATUS, SOURCE, SERVER, SOURCE_PICO, SERVER_PICO = 1, 2, 4, 8, 16, 32
BAD_NOT_SUPPORTED: Final = 0x803D_0000

_U32 = struct.Struct("<I")
_I64 = struct.Struct("<q")
_U16 = struct.Struct("<H")


class Row(NamedTuple):
    """One value that was read by itself. place: where it stood among all; source, server: ns, 0: none."""

    place: int
    handle: int
    value: Any
    quality: int
    source: int
    server: int


@dataclass(slots=True)
class Group:
    """Encoded DataValues of one layout, one behind the other."""

    size: int
    dtype: np.dtype[Any]
    data_type: DataType
    parts: list[bytes] = field(default_factory=list)
    places: list[int] = field(default_factory=list)


class Columns(NamedTuple):
    """Columns of one value type before they are a Batch; source and server in ns, 0: none."""

    place: NDArray[np.int64]
    handle: NDArray[np.uint32]
    value: Any
    quality: NDArray[np.uint32]
    source: NDArray[np.int64]
    server: NDArray[np.int64]


class Values:
    """Gathers encoded DataValues; `batches` then gives one Batch per value type.

    types: value type of a handle, for samples without a value · unsupported: told handle and reason for a value that
    Bedplate has no type for · now: ns UTC, for samples without any time.
    """

    def __init__(
        self,
        types: Mapping[int, DataType],
        unsupported: Callable[[int, str], None],
        now: Callable[[], int],
    ) -> None:
        self._types = types
        self._unsupported = unsupported
        self._now = now
        self._groups: dict[bytes, Group] = {}
        self._rows: dict[DataType, list[Row]] = {}
        self._count = 0

    def take_items(self, data: bytes, at: int, count: int) -> int:
        """Reads `count` MonitoredItemNotifications (handle, DataValue). Returns where they end."""
        groups = self._groups
        for place in range(self._count, self._count + count):
            group = groups.get(data[at + 4 : at + 6])
            if group is None:
                group = self._new_group(data[at + 4 : at + 6], handles=True)
            if group is None:
                (handle,) = _U32.unpack_from(data, at)
                at = self._one(data, at + 4, place, handle)
                continue
            end = at + group.size
            group.parts.append(data[at:end])
            group.places.append(place)
            at = end
        return self._counted(data, at, count)

    def take_values(self, data: bytes, at: int, handles: Sequence[int]) -> int:
        """Reads one DataValue for each handle. Returns where they end."""
        groups = self._groups
        for place, handle in enumerate(handles, self._count):
            group = groups.get(data[at : at + 2])
            if group is None:
                group = self._new_group(data[at : at + 2], handles=False)
            if group is None:
                at = self._one(data, at, place, handle)
                continue
            end = at + group.size
            group.parts.append(_U32.pack(handle) + data[at:end])
            group.places.append(place)
            at = end
        return self._counted(data, at, len(handles))

    def put(self, handle: int, quality: int) -> None:
        """A sample without a value and without times, not from the wire."""
        self._row(Row(self._count, handle, None, quality, 0, 0), None)
        self._count += 1

    def batches(self) -> list[Batch]:
        """Everything so far, one Batch per value type; then begins anew."""
        columns: dict[DataType, list[Columns]] = {}
        for group in self._groups.values():
            if group.parts:
                columns.setdefault(group.data_type, []).append(_read_group(group))
        for data_type, rows in self._rows.items():
            columns.setdefault(data_type, []).append(_read_rows(rows, data_type))
        self._groups, self._rows, self._count = {}, {}, 0
        return [self._batch(kind, parts) for kind, parts in columns.items()]

    # parts ---------------------------------------------------------------------------------------------------------

    def _counted(self, data: bytes, at: int, count: int) -> int:
        if at > len(data):
            raise ValueError("the message ends within a value")
        self._count += count
        return at

    def _new_group(self, head: bytes, *, handles: bool) -> Group | None:
        layout = _layout(head)
        if layout is None:
            return None
        dtype, data_type = layout
        size = dtype.itemsize if handles else dtype.itemsize - 4
        group = self._groups[head] = Group(size, dtype, data_type)
        return group

    def _one(self, data: bytes, at: int, place: int, handle: int) -> int:
        """Reads a DataValue by itself. Returns where it ends."""
        mask, at = data[at], at + 1
        value: Any = None
        data_type: DataType | None = None
        problem = 0
        if mask & VALUE:
            try:
                value, data_type, at = read_variant(data, at)
            except Unsupported as unsupported:
                self._unsupported(handle, str(unsupported))
                at, problem = unsupported.end, BAD_NOT_SUPPORTED
        status, source, server, at = _read_rest(data, at, mask)
        quality = problem if problem and not status & 0x8000_0000 else status
        self._row(Row(place, handle, value, quality, source, server), data_type)
        return at

    def _row(self, row: Row, data_type: DataType | None) -> None:
        if row.value is None:
            data_type = self._types.get(row.handle) or data_type or DataType.FLOAT64
            quality = row.quality if row.quality & 0x8000_0000 else BAD_NO_DATA
            row = row._replace(value=NOTHING[data_type], quality=quality)
        assert data_type is not None
        self._rows.setdefault(data_type, []).append(row)

    def _batch(self, data_type: DataType, parts: list[Columns]) -> Batch:
        columns = parts[0] if len(parts) == 1 else _in_order(parts, data_type)
        source, server = columns.source, columns.server
        if not source.all():
            source = np.where(source == 0, server, source)
            source = np.where(source == 0, self._now(), source)
        return Batch(
            data_type,
            columns.handle,
            source,
            columns.value,
            columns.quality if columns.quality.any() else None,
            server_time=server if server.any() else None,
        )


@cache
def _layout(head: bytes) -> tuple[np.dtype[Any], DataType] | None:
    """How a handle and a DataValue lie in memory that begin with these two bytes: encoding mask, variant type.

    None when the size is not fixed.
    """
    if len(head) < 2 or not head[0] & VALUE or head[0] > 0x3F or head[1] not in FIXED:
        return None
    mask = head[0]
    fields: list[tuple[str, str]] = [("handle", "<u4"), ("mask", "u1"), ("kind", "u1")]
    fields.append(("value", FIXED[head[1]]))
    order = (
        (STATUS, "status", "<u4"),
        (SOURCE, "source", "<i8"),
        (SOURCE_PICO, "source_pico", "<u2"),
        (SERVER, "server", "<i8"),
        (SERVER_PICO, "server_pico", "<u2"),
    )
    fields += [(name, kind) for bit, name, kind in order if mask & bit]
    return np.dtype(fields), VALUE_TYPES[head[1]]


def _read_rest(data: bytes, at: int, mask: int) -> tuple[int, int, int, int]:
    """What follows the value of a DataValue: status, source and server time in ns, and where it ends."""
    status = source = server = 0
    if mask & STATUS:
        (status,), at = _U32.unpack_from(data, at), at + 4
    if mask & SOURCE:
        (source,), at = _I64.unpack_from(data, at), at + 8
        source = nanoseconds(source)
    if mask & SOURCE_PICO:
        source, at = source + _U16.unpack_from(data, at)[0] // 100, at + 2
    if mask & SERVER:
        (server,), at = _I64.unpack_from(data, at), at + 8
        server = nanoseconds(server)
    if mask & SERVER_PICO:
        server, at = server + _U16.unpack_from(data, at)[0] // 100, at + 2
    return status, source, server, at


def nanoseconds(ticks: int) -> int:
    """ns UTC of an OPC UA DateTime; 0 for none and for what an int64 can't hold."""
    return (ticks - EPOCH) * 100 if ticks > 0 and abs(ticks - EPOCH) < FURTHEST else 0


def _read_group(group: Group) -> Columns:
    raw = np.frombuffer(b"".join(group.parts), group.dtype)
    n = len(raw)
    names = group.dtype.names or ()
    wanted = group.data_type.dtype
    value = raw["value"] != 0 if group.data_type is DataType.BOOL else raw["value"].astype(wanted)
    return Columns(
        np.array(group.places, np.int64),
        raw["handle"].astype(np.uint32),
        value,
        raw["status"].astype(np.uint32) if "status" in names else np.zeros(n, np.uint32),
        _times(raw, "source", names, n),
        _times(raw, "server", names, n),
    )


def _times(raw: NDArray[Any], name: str, names: Sequence[str], n: int) -> NDArray[np.int64]:
    if name not in names:
        return np.zeros(n, np.int64)
    since = raw[name] - EPOCH
    known = (raw[name] > 0) & (np.abs(since) < FURTHEST)
    times: NDArray[np.int64] = np.where(known, since * 100, 0)
    if f"{name}_pico" in names:  # units of 10 ps
        times += np.where(known, raw[f"{name}_pico"] // 100, 0).astype(np.int64)
    return times


def _read_rows(rows: Iterable[Row], data_type: DataType) -> Columns:
    place, handle, value, quality, source, server = zip(*rows, strict=True)
    column: Any
    if data_type in (DataType.TEXT, DataType.BLOB):
        column = Strings.of(value, text=data_type is DataType.TEXT)
    else:
        column = np.array(value, data_type.dtype)
    return Columns(
        np.array(place, np.int64),
        np.array(handle, np.uint32),
        column,
        np.array(quality, np.uint32),
        np.array(source, np.int64),
        np.array(server, np.int64),
    )


def _in_order(parts: Sequence[Columns], data_type: DataType) -> Columns:
    """Columns of several layouts as one, each value where it stood."""
    joined = [np.concatenate([part[i] for part in parts]) for i in range(6) if i != 2]
    order = np.argsort(joined[0], kind="stable")
    value: Any = np.concatenate([part.value for part in parts])[order]
    place, handle, quality, source, server = (column[order] for column in joined)
    return Columns(place, handle, value, quality, source, server)
