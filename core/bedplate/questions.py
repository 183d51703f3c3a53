"""What a history is asked, and a page of what it answers: part of the contract of connectors (contracts.py)."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from bedplate.model import Batch, TagInfo


class Aggregate(enum.IntEnum):
    """Aggregates of OPC UA Part 13 that a history serves; RAW: the samples themselves."""

    RAW = 0
    AVERAGE = 1
    MINIMUM = 2
    MAXIMUM = 3
    FIRST = 4
    LAST = 5
    COUNT = 6
    SUM = 7


@dataclass(frozen=True, slots=True)
class Query:
    """A question to a history. start (inclusive), end (exclusive): ns UTC of source time.

    every: width of a window in ns, 0: the whole range is one · limit: newest samples per tag, 0: all ·
    last_before: per tag also the newest sample before start. Windows begin at multiples of `every` since 1970.
    """

    selectors: tuple[str, ...]
    start: int
    end: int
    every: int = 0
    aggregate: Aggregate = Aggregate.RAW
    limit: int = 0
    last_before: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Part of an answer. tags: the handles its batches use, chosen by the history, the same in every page of one
    answer; batches: by tag, then time, at most about 50,000 samples; progress: 0 to 1."""

    tags: Sequence[TagInfo]
    batches: Sequence[Batch]
    progress: float = 1.0
