"""When a component is expected to speak: always, never, or within the shifts of a calendar.

Rule: silence at other times is *off*, which is no problem: it is tried again once a minute, and at its normal pace from
the first moment it is expected. A break is within its shift. Who answers although nobody expects it is simply up. Goes
by the wall clock, and looks at it every few seconds, since somebody may set it.
"""

from __future__ import annotations

import asyncio
import random

from bedplate.calendar import Calendar, local, zone
from bedplate.clock import Clock
from bedplate.config.deployment import Component

AGAIN = 60.0  # s at least between two tries of what is off
OPENING = 30.0  # s that a try may take: none begins so short before the next shift
LOOK = 4.0  # s between two looks at the clock
SPREAD = 2.0  # s
DAYS = (8, 60, 400)  # ahead, in which the next shift is looked for
DAY_NS = 86_400_000_000_000


class Expectation:
    """Of one component."""

    def __init__(self, component: Component, clock: Clock) -> None:
        self._clock = clock
        self.adopt(component)

    def adopt(self, component: Component) -> None:
        """Goes by what this one says."""
        self._always = component.expected == "always"
        self._calendar: Calendar | None = component.calendars.get(component.expected)
        self._from = self._turn = 0  # what is known holds from … until, ns UTC; until 0: for ever
        self._expected = self._always

    @property
    def now(self) -> bool:
        """Whether it should answer now."""
        self._refresh()
        return self._expected

    @property
    def words(self) -> str:
        """Why its silence is no problem, and until when. The same words until then."""
        self._refresh()
        if self._calendar is None:
            return "silent, and never expected"
        if not self._turn:
            return f"silent; {self._calendar.name} has no shift within the next {DAYS[-1]} days"
        return f"silent until {self._local(self._turn)}, when {self._calendar.name} goes on"

    async def rest(self) -> None:
        """Returns after a minute or so, or as soon as it is expected."""
        clock = self._clock
        end = clock.monotonic() + random.uniform(AGAIN, 1.25 * AGAIN)
        while not self.now:
            left, turn = end - clock.monotonic(), self._seconds_to_turn()
            if left <= 0 and turn > OPENING:
                return
            spread = random.uniform(0.0, SPREAD)  # of those that begin with one shift
            await asyncio.sleep(min(LOOK, turn + spread, left if left > 0 else LOOK))

    def _seconds_to_turn(self) -> float:
        return (self._turn - self._clock.time_ns()) / 1e9 if self._turn else float("inf")

    def _refresh(self) -> None:
        now = self._clock.time_ns()
        if self._calendar is None or self._from <= now < self._turn:
            return
        self._from = now
        shift = self._calendar.shift_at(now)
        self._expected = shift is not None
        self._turn = shift.end_ns if shift else self._next(self._calendar, now)

    def _next(self, calendar: Calendar, now: int) -> int:
        for days in DAYS:
            if shifts := calendar.shifts_between(now, now + days * DAY_NS):
                return shifts[0].start_ns
        return 0

    def _local(self, at_ns: int) -> str:
        assert self._calendar is not None
        return f"{local(at_ns, zone(self._calendar.timezone)):%a %Y-%m-%d %H:%M %Z}"
