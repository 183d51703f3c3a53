"""View: everything a query sees, taken in one moment. Each sample is in a segment or in memory, never in both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bedplate.model import DataType
from bedplate_history.archive import Segments
from bedplate_history.block import UNKNOWN, Block, as_arrow, concat
from bedplate_history.segment import TIMESTAMP, Segment


@dataclass(frozen=True, slots=True)
class View:
    """segments: pinned · blocks: in the order of the journal within a type."""

    segments: Segments
    blocks: Sequence[Block]

    def span(self) -> tuple[int, int]:
        """From the first sample to just after the last, ns UTC; empty when there is none."""
        first = [block.first_time for block in self.blocks]
        last = [block.last_time for block in self.blocks]
        if self.segments:
            first.append(int(self.segments.first_time.min()))
            last.append(int(self.segments.last_time.max()))
        return (min(first), max(last) + 1) if first else (0, 0)

    def holding(self, numbers: NDArray[np.int64], start: int, end: int) -> list[Segment]:
        """Segments with samples of any of these tags that may be in [start, end)."""
        return [s for s in self.segments.within(start, end) if s.holds(numbers).any()]

    def in_memory(
        self, data_type: DataType, handles: Mapping[int, int], start: int, end: int
    ) -> Any:
        """Unsealed samples of these tag numbers in [start, end), as rows of the statements; None when there are none.
        handles: number → handle."""
        lookup = np.zeros(max(handles) + 1, np.uint32)
        lookup[list(handles)] = list(handles.values())
        chosen = []
        for block in self.blocks:
            within = block.first_time < end and block.last_time >= start
            if block.data_type is data_type and within:
                rows = _rows(block, lookup, handles, start, end)
                if len(rows):
                    chosen.append(block.take(rows))
        return _table(concat(chosen), lookup) if chosen else None


def _rows(
    block: Block, lookup: NDArray[np.uint32], handles: Mapping[int, int], start: int, end: int
) -> NDArray[np.int64]:
    if len(handles) == 1:
        rows = np.flatnonzero(block.tag == next(iter(handles)))
    else:
        known = np.minimum(block.tag, len(lookup) - 1)
        rows = np.flatnonzero((lookup[known] > 0) & (known == block.tag))
    time = block.time[rows]
    return rows[(time >= start) & (time < end)]


def _table(block: Block, lookup: NDArray[np.uint32]) -> Any:
    n = len(block)
    server_time, flags = pa.nulls(n, TIMESTAMP), pa.nulls(n, pa.uint32())
    if block.server_time is not None:
        stamps = pa.array(block.server_time, mask=block.server_time == UNKNOWN)
        server_time = stamps.view(TIMESTAMP)
    if block.flags is not None:
        flags = pa.array(block.flags)
    columns = {
        "tag": pa.array(lookup[block.tag]),
        "time": pa.array(block.time).view(TIMESTAMP),
        "value": as_arrow(block.value),
        "quality": pa.array(block.quality),
        "position": pa.array(block.position),
        "row": pa.array(np.arange(n)),
        "server_time": server_time,
        "flags": flags,
    }
    return pa.table(columns)
