"""One list of tags, prepared once: its requests, and how the bytes that come back become columns.

Rule: nothing here is done per value unless something was refused; then the answer is a list with Bad in its places.
Does not ask; that is `reader.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from bedplate import Bad, Batch, DataType
from bedplate_modbus.codec import Column, joined
from bedplate_modbus.plan import Block, Limits, Span, blocks_of
from bedplate_modbus.point import Point

_NO_TIME: Final = np.empty(0, np.int64)  # the kernel stamps


class Readout:
    """points: what to read · handles: of their tags, in the same order."""

    def __init__(self, points: Sequence[Point], handles: Sequence[int], limits: Limits) -> None:
        self.points = points
        self.blocks: dict[int, list[Block]] = {}  # by unit
        self.size = 0  # bytes of all blocks
        starts = [0] * len(points)
        for block in blocks_of(map(span_of, range(len(points)), points), limits):
            self.blocks.setdefault(block.unit, []).append(block)
            self.size += block.length
            for span in block.spans:
                starts[span.index] = block.place_of(span)
        self._groups = [
            (Column([points[i].form for i in group], [starts[i] for i in group]), group)
            for group in _alike(points)
        ]
        self._handles = self._by_kind(np.array(handles, np.uint32))

    def _by_kind(self, handles: Any) -> dict[DataType, Any]:
        found: dict[DataType, list[Any]] = {}
        for column, group in self._groups:
            found.setdefault(column.kind, []).append(handles[group])
        return {kind: np.concatenate(parts) for kind, parts in found.items()}

    def values(self, raw: bytearray, bad: Mapping[int, Bad]) -> list[Any]:
        """Batches, one for each value type; or, when a tag is Bad, one value or Bad for each tag in order.

        raw: `size` bytes · bad: by index of the tag.
        """
        read = np.frombuffer(raw, np.uint8)
        columns = [column.decode(read) for column, _ in self._groups]
        if bad or any(isinstance(c, list) and any(isinstance(v, Bad) for v in c) for c in columns):
            return self._listed(columns, bad)
        parts: dict[DataType, list[Any]] = {}
        for (column, _), values in zip(self._groups, columns, strict=True):
            parts.setdefault(column.kind, []).append(values)
        return [
            Batch(kind, self._handles[kind], _NO_TIME, joined(values, kind))
            for kind, values in parts.items()
        ]

    def _listed(self, columns: Sequence[Any], bad: Mapping[int, Bad]) -> list[Any]:
        found: list[Any] = [None] * len(self.points)
        for (column, group), values in zip(self._groups, columns, strict=True):
            plain = (
                isinstance(values, list) or column.kind is DataType.UINT64
            )  # else it would turn into INT64
            for index, value in zip(group, values if plain else values.tolist(), strict=True):
                found[index] = value
        for index, why in bad.items():
            found[index] = why
        return found


def span_of(index: int, point: Point) -> Span:
    return Span(index, point.unit, point.register_type, point.address, point.form.count)


def _alike(points: Sequence[Point]) -> list[list[int]]:
    """Indexes of points that are decoded together."""
    groups: dict[tuple[str, bool, int], list[int]] = {}
    for index, point in enumerate(points):
        form = point.form
        groups.setdefault((form.data_type, form.coil, form.length), []).append(index)
    return list(groups.values())
