"""Plan: how a question is cut into statements, so that none of them holds more than about CHUNK rows at once.

Numbers of rows are estimated from the catalogue: every tag of a segment is taken to have the same share of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bedplate.model import DataType
from bedplate_history.block import EARLIEST, LATEST
from bedplate_history.tags import StoredTag
from bedplate_history.view import View

CHUNK = 1_000_000


@dataclass(frozen=True, slots=True)
class Chunk:
    """Part of an answer: some tags of one type over part of the range, [start, end) ns UTC. handles: of each tag."""

    data_type: DataType
    tags: Sequence[StoredTag]
    handles: Sequence[int]
    start: int
    end: int

    @property
    def by_number(self) -> dict[int, int]:
        return {tag.number: handle for tag, handle in zip(self.tags, self.handles, strict=True)}

    def over(self, start: int, end: int) -> Chunk:
        return replace(self, start=start, end=end)

    def of(self, handles: Iterable[int]) -> Chunk:
        """Only these of its tags."""
        by_handle = dict(zip(self.handles, self.tags, strict=True))
        kept = list(handles)
        return replace(self, tags=[by_handle[handle] for handle in kept], handles=kept)

    def wanted(self) -> Any:
        """Table (path, tag) for a statement over several tags."""
        paths = pa.array([tag.path for tag in self.tags], pa.string())
        return pa.table({"path": paths, "tag": pa.array(self.handles, pa.uint32())})


def clipped(view: View, start: int, end: int) -> tuple[int, int]:
    """The part of [start, end) where there are samples at all."""
    first, last = view.span()
    return max(start, first, EARLIEST), min(end, last, LATEST + 1)


def chunks(
    view: View,
    tags: Sequence[StoredTag],
    span: tuple[int, int],
    most: float,
    every: int | None,
) -> Iterator[Chunk]:
    """Tags of several types, in the order of their handles 1, 2, 3 …, over a span. most: rows that one tag can have in
    the answer; every: a tag with many rows is cut at multiples of it, 0: anywhere, None: never."""
    kinds = dict.fromkeys(tag.data_type for tag in tags)
    for kind in kinds:
        group = [(tag, handle) for handle, tag in enumerate(tags, 1) if tag.data_type is kind]
        rows = np.minimum(_estimate(view, [tag for tag, _ in group], span), most)
        for first, last in _runs(rows):
            part = (
                [tag for tag, _ in group[first:last]],
                [handle for _, handle in group[first:last]],
            )
            heavy = rows[first] > CHUNK and every is not None
            cuts = _cuts(view, part[0][0], span, every or 0) if heavy else list(span)
            for start, end in pairwise(cuts):
                yield Chunk(kind, *part, start, end)


def _runs(rows: NDArray[np.float64]) -> Iterator[tuple[int, int]]:
    """Neighbours that have at most CHUNK rows together, or one tag alone."""
    first, total = 0, 0.0
    for index, count in enumerate(rows.tolist()):
        if index > first and total + count > CHUNK:
            yield first, index
            first, total = index, 0.0
        total += count
    yield first, len(rows)


def _estimate(view: View, tags: Sequence[StoredTag], span: tuple[int, int]) -> NDArray[np.float64]:
    """(n,) rows of each tag in the span."""
    numbers = np.array([tag.number for tag in tags], np.int64)
    rows = np.zeros(len(tags))
    for segment in view.segments.within(*span):
        inside = min(segment.last_time + 1, span[1]) - max(segment.first_time, span[0])
        share = max(inside, 0) / (segment.last_time + 1 - segment.first_time)
        rows[segment.holds(numbers)] += share * segment.rows / max(segment.tag_count(), 1)
    kind = tags[0].data_type
    rows += sum(len(b) for b in view.blocks if b.data_type is kind) / len(tags)
    return rows


def _cuts(view: View, tag: StoredTag, span: tuple[int, int], every: int) -> list[int]:
    """Where to cut the span of one tag with many rows; at least its two ends."""
    cuts, rows = [span[0]], 0.0
    number = np.array([tag.number], np.int64)
    for segment in sorted(view.holding(number, *span), key=lambda s: s.first_time):
        share = segment.rows / max(segment.tag_count(), 1)
        pieces = int(share // CHUNK) + 1
        width = (segment.last_time - segment.first_time) // pieces
        for piece in range(pieces):
            at = segment.first_time + piece * width
            at -= at % every if every else 0
            if rows >= CHUNK and cuts[-1] < at < span[1]:
                cuts.append(at)
                rows = 0.0
            rows += share / pieces
    return [*cuts, span[1]]
