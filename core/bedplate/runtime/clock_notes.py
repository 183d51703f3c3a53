"""Whose clock is off, told to people: an event when it begins, a line in `status` as long as it is so.

One line for devices that are off alike; when all are, the clock of this machine is the first to look at.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator

from bedplate.config.deployment import Component
from bedplate.errors import JournalError
from bedplate.model import Event, EventKind
from bedplate.runtime.spine import Spine
from bedplate.shown import some

AGAIN = (
    600.0  # s at least between two events of one device: a clock that flutters is one piece of news
)
MANY = 3
SEVERITY = 300
_UNITS = (("a", 31_557_600), ("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
DO = "set it, or let it ask a time server (NTP); its samples are kept, and flagged"
DO_MANY = "set them, or let them ask a time server (NTP); their samples are kept, and flagged"


class ClockNotes:
    """Of one source."""

    def __init__(self, component: Component, spine: Spine) -> None:
        self._component, self._spine = component, spine
        self._off = False
        self._next = float("-inf")

    def look(self, off: int) -> None:
        """off: ns, as SourceClock has it. Costs nothing while nothing changes."""
        if bool(off) is self._off:
            return
        self._off = bool(off)
        if not off or self._spine.clock.monotonic() < self._next:
            return
        self._next = self._spine.clock.monotonic() + AGAIN
        id_, now = self._component.id, self._spine.clock.time_ns()
        text = f"the clock of {id_} is {ahead(off)}: {DO}"
        source = self._component.path or id_
        event = Event(source, EventKind.NOTE, now, text, SEVERITY, component=id_)
        with contextlib.suppress(JournalError):
            self._spine.event(f"{id_}/event", event)


def ahead(off: int) -> str:
    """ "1 h 2 min ahead", "3 d behind": two units, and no more than anybody wants to know."""
    left = abs(off) // 1_000_000_000
    words: list[str] = []
    for unit, seconds in _UNITS:
        if left >= seconds and len(words) < 2:
            words.append(f"{left // seconds} {unit}")
            left %= seconds
        elif words:
            break
    return f"{' '.join(words) or 'under 1 s'} {'ahead' if off > 0 else 'behind'}"


def problems(clocks: Iterable[tuple[str, int]]) -> Iterator[str]:
    """clocks: id of each device and how far its clock is off, ns. One line for all that are off alike."""
    every = list(clocks)
    alike: dict[str, list[str]] = {}
    for id_, off in every:
        if off:
            alike.setdefault(_roughly(off), []).append(id_)
    for words, ids in alike.items():
        if len(ids) == len(every) >= MANY:
            yield f"the clocks of all {len(ids)} devices are {words}: look at this machine's first"
            continue
        whose = "clocks are" if len(ids) > 1 else "clock is"
        yield f"{some(ids)}: {whose} {words}; {DO_MANY if len(ids) > 1 else DO}"


def _roughly(off: int) -> str:
    """To one unit, so that devices which are off together are one line, and the line stays the same for a while."""
    words = ahead(off).split()
    return f"about {words[0]} {words[1]} {words[-1]}"
