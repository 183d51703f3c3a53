"""What was expected while Bedplate did not run: windows of it, counted by the wall clock.

What a calendar leaves out was not expected. Windows of a downtime beyond a day are hours.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from bedplate.config.deployment import Component
from bedplate.runtime.ledger.reasons import ROWS

DAY = 86_400_000_000_000
HOUR = DAY // 24
MOST = 400 * DAY


def planned(component: Component, since: int, until: int) -> list[tuple[int, int]]:
    """When it was expected to speak within [since, until)."""
    if since >= until or component.expected == "never":
        return []
    calendar = component.calendars.get(component.expected)
    if calendar is None:
        return [(since, until)]
    shifts = calendar.shifts_between(since, until)
    return [(max(s.start_ns, since), min(s.end_ns, until)) for s in shifts]


def slots(period: int, origin: int, begin: int, end: int) -> int:
    """How often a scan class is due in [begin, end) when it was due last at origin; all in ns."""
    return max(0, (end - origin - 1) // period - (begin - origin - 1) // period)


def steps(since: int, until: int, width: int) -> Iterator[tuple[int, int, int]]:
    """(start, width, end) of the windows that [since, until) reaches into; their starts are aligned."""
    while since < until:
        wide = HOUR if until - since > DAY else width
        start = since // wide * wide
        yield start, wide, min(start + wide, until)
        since = start + wide


def counts(
    periods: NDArray[np.int64],
    reason: int,
    origin: int,
    window: tuple[int, int],
    spells: list[tuple[int, int]],
) -> NDArray[np.int64]:
    """Columns of a window: what was due within the spells has this reason. periods: (n + 1,) ns, entry 0 unused."""
    made = np.zeros((ROWS, len(periods)), np.int64)
    inside = [(max(a, window[0]), min(b, window[1])) for a, b in spells]
    inside = [(a, b) for a, b in inside if a < b]
    for period in set(periods[1:].tolist()):
        due = sum(slots(period, origin, a, b) for a, b in inside)
        made[reason, 1:][periods[1:] == period] = due
    return made
