"""What is learnt later about windows that are over: samples that were fetched afterwards, samples that were lost.

Works on what is kept, on the ledger's thread. Returns what was added to the counts of windows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bedplate.runtime.ledger.columns import expected, received
from bedplate.runtime.ledger.reasons import ROWS, Reason
from bedplate.runtime.ledger.store import Kept, SourceKey, Store, Window

Times = tuple[int, int]
FOREVER = 2**62
WIDEST = 3_600_000_000_000
EDGE = 2_000_000_000  # ns: a gap ends when a value came, and what was fetched with the time that the source gave it


def fill(
    store: Store, component: str, tags: Iterable[str], times: Times, samples: int
) -> list[Window]:
    """So many samples of these tags, from times[0] to times[1] (exclusive, ns UTC), are there now. What was missing of
    the tags within that time counts as come afterwards. Raises sqlite3.Error."""
    wanted = frozenset(tags)
    gaps = [kept for kept in store.gaps(*times) if kept.source.component == component]
    gaps = [kept for kept in gaps if _of(kept, wanted)]
    if not gaps or not samples:
        return []
    deltas = []
    for window in _windows(store, component, times):
        handles = _handles(window.source, wanted)
        inside = (window.start, window.start + window.width)
        share = _share(gaps, inside, times)
        if share and len(handles):
            delta = np.zeros_like(window.counts)
            missing = np.maximum(0, expected(window.counts) - received(window.counts))[handles]
            delta[Reason.FILLED, handles] = np.rint(missing * share)
            deltas.append(replace(window, counts=delta))
    store.amend(deltas, _spread(gaps, times, samples))
    return deltas


def lose(store: Store, source: SourceKey, times: Times, samples: int) -> list[Window]:
    """So many samples of a source that had come within that time are gone. Raises sqlite3.Error."""
    windows = [w for w in _windows(store, source.component, times) if len(w.source.tags)]
    spans = [_overlap((w.start, w.start + w.width), times) for w in windows]
    deltas, left = [], samples
    for number, window in enumerate(windows):
        rest = sum(spans[number:])
        here = round(left * spans[number] / rest) if rest else left
        left -= here
        deltas.append(replace(window, counts=_taken(window.counts, here)))
    store.amend(deltas, ())
    return deltas


def _taken(counts: NDArray[np.int64], samples: int) -> NDArray[np.int64]:
    """Samples that came become lost ones, evenly over the tags, and never more than came."""
    delta = np.zeros((ROWS, counts.shape[1]), np.int64)
    each, more = divmod(samples, counts.shape[1] - 1)
    gone = np.full(counts.shape[1], each, np.int64)
    gone[1 : more + 1] += 1
    gone[0] = 0
    gone = np.minimum(gone, counts[Reason.RECEIVED])
    delta[Reason.RECEIVED], delta[Reason.LOST] = -gone, gone
    return delta


def _windows(store: Store, component: str, times: Times) -> list[Window]:
    found = store.windows(times[0] - WIDEST, max(times[1], times[0] + 1))
    return [w for w in found if w.source.component == component and w.start + w.width > times[0]]


def _of(kept: Kept, wanted: frozenset[str]) -> bool:
    local = kept.span.tags
    tags = kept.source.tags if local is None else [kept.source.tags[i - 1] for i in local.tolist()]
    return not wanted.isdisjoint(tags)


def _handles(source: SourceKey, wanted: frozenset[str]) -> NDArray[np.intp]:
    return np.array([i for i, tag in enumerate(source.tags, 1) if tag in wanted], np.intp)


def _overlap(one: Times, other: Times) -> int:
    return max(0, min(one[1], other[1]) - max(one[0], other[0]))


def _times(kept: Kept) -> Times:
    return kept.span.since, kept.span.until or FOREVER


def _share(gaps: Sequence[Kept], window: Times, times: Times) -> float:
    """How much of what is missing in a window lies within the times."""
    whole = part = 0
    for gap in map(_times, gaps):
        inside = max(gap[0], window[0]), min(gap[1], window[1])
        if inside[0] < inside[1]:
            whole += inside[1] - inside[0]
            part += _overlap(inside, _to_the_edges(times, gap))
    return part / whole if whole else 0.0


def _to_the_edges(times: Times, gap: Times) -> Times:
    """The same times, reaching to where a gap begins or ends nearby."""
    near = [abs(one - other) <= EDGE for one, other in zip(times, gap, strict=True)]
    return gap[0] if near[0] else times[0], gap[1] if near[1] else times[1]


def _spread(gaps: Sequence[Kept], times: Times, samples: int) -> list[tuple[int, int]]:
    """(gap, samples fetched of it by now): as much as it has of the times."""
    parts = [_overlap(_times(kept), times) for kept in gaps]
    left, told = samples, []
    for number, kept in enumerate(gaps):
        rest = sum(parts[number:])
        here = round(left * parts[number] / rest) if rest else 0
        left -= here
        told.append((kept.id, kept.span.filled + here))
    return told
