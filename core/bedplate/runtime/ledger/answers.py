"""What the ledger says to those who ask: gaps with paths, and how complete tags are. Plain values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bedplate.runtime.ledger.columns import expected, received
from bedplate.runtime.ledger.store import Kept, SourceKey, Window


@dataclass(frozen=True, slots=True)
class Gap:
    """Values that are missing. component: id · path: of the device · tags: paths of those that are missing · whole:
    whether these are all of the device · since (inclusive), until (exclusive): ns UTC, until 0: it lasts · reason:
    bedplate.api.v1.GapReason · text: in words · missing: samples that were expected and did not come, 0: unknown ·
    filled: fetched afterwards."""

    component: str
    path: str
    tags: tuple[str, ...]
    whole: bool
    since: int
    until: int
    reason: int
    text: str
    missing: int
    filled: int


@dataclass(frozen=True, slots=True)
class Complete:
    """How complete a tag is, or a device over all its tags. component: id · expected: samples, without those of times
    when it was off or set aside · received: of these."""

    component: str
    path: str
    expected: int
    received: int

    @property
    def ratio(self) -> float:
        """0 to 1; 1 when nothing was expected."""
        return min(1.0, self.received / self.expected) if self.expected else 1.0


def gap_of(kept: Kept) -> Gap:
    span, source = kept.span, kept.source
    chosen = source.tags if span.tags is None else _paths(source.tags, span.tags.tolist())
    return Gap(
        source.component,
        source.path,
        chosen,
        span.tags is None,
        span.since,
        span.until,
        span.reason,
        span.text,
        span.missing,
        span.filled,
    )


def _paths(tags: Sequence[str], handles: Sequence[int]) -> tuple[str, ...]:
    return tuple(tags[handle - 1] for handle in handles)


def summed(component: str, path: str, due: int, came: int) -> Complete:
    return Complete(component, path, due, min(came, due))


def by_tag(windows: Iterable[Window]) -> list[Complete]:
    """Of each tag over all windows, by path."""
    totals: dict[SourceKey, NDArray[np.int64]] = {}
    for one in windows:
        totals[one.source] = totals.get(one.source, np.int64(0)) + one.counts
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for source, counts in totals.items():
        due, came = expected(counts)[1:].tolist(), received(counts)[1:].tolist()
        for path, a, b in zip(source.tags, due, came, strict=True):
            before = found.get((path, source.component), (0, 0))
            found[path, source.component] = before[0] + a, before[1] + b
    return [summed(id_, path, *both) for (path, id_), both in sorted(found.items())]
