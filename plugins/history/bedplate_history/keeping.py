"""Which segments to merge and which to let go. Pure decisions over what the catalogue says."""

from __future__ import annotations

from collections.abc import Sequence

from bedplate_history.segment import Segment

FAN = 8
"""Segments of one size that become one. Each sample is written about log8(32 M / rows of a seal) times."""

LARGEST = 16
"""A merged segment holds at most so many times the rows of a seal."""

SPAN = 32
"""With an age to keep, a merged segment spans at most a 32nd of it, so that what goes goes in time."""


def mergeable(segments: Sequence[Segment], rows: int, span: int | None) -> list[Segment]:
    """Neighbours that should become one; empty when none should. segments: in the order of the journal; rows: of a
    full seal; span: most ns between the arrivals of the first and the last."""
    for tier in range(_tier(rows * LARGEST) + 1):
        run: list[Segment] = []
        for segment in segments:
            if _tier(segment.rows) > tier:
                run = []
                continue
            run.append(segment)
            while not _fits(run, rows * LARGEST, span):
                run.pop(0)
            if len(run) == FAN:
                return run
    return []


def _tier(rows: int) -> int:
    tier = 0
    while rows >= FAN:
        rows //= FAN
        tier += 1
    return tier


def _fits(run: Sequence[Segment], rows: int, span: int | None) -> bool:
    in_time = span is None or abs(run[-1].received - run[0].received) <= span
    return len(run) == 1 or (sum(segment.rows for segment in run) <= rows and in_time)


def expired(
    segments: Sequence[Segment], now: int, age: int | None, size: int | None
) -> list[Segment]:
    """Those that go: all whose newest sample is older than age (ns), then the oldest until the rest fits into size
    (bytes). now: ns UTC."""
    by_age = sorted(segments, key=lambda segment: segment.newest)
    gone = 0
    while age is not None and gone < len(by_age) and by_age[gone].newest < now - age:
        gone += 1
    total = sum(segment.size for segment in by_age[gone:])
    while size is not None and total > size:
        total -= by_age[gone].size
        gone += 1
    return by_age[:gone]
