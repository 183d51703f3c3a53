"""The life of a component, as a table. Nothing here does anything: the supervisor does, and asks this table.

States people see: up, degraded, unreachable, off, set aside, faulted; starting, invalid, stopping and
stopped frame them. Unreachable is not faulty: only bugs, crashes and breaches of the contract lead to faulted.
"""

from __future__ import annotations

import enum
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

FAULTS = 5  # more than so many …
WINDOW = 60.0  # … within so many seconds: faulted
HALF_OPEN = 60.0  # s: a faulted component is tried again this often
FIRST_RETRY, LAST_RETRY = 1.0, 10.0  # s
REMEMBERED = 64  # transitions kept for people


class State(enum.StrEnum):
    STARTING = "starting"
    UP = "up"
    DEGRADED = "degraded"
    UNREACHABLE = "unreachable"
    OFF = "off"
    SET_ASIDE = "set aside"
    FAULTED = "faulted"
    INVALID = "invalid"
    STOPPING = "stopping"
    STOPPED = "stopped"


class Cause(enum.StrEnum):
    """Why a component changes its state."""

    START = "start"
    OPENED = "opened"
    PARTLY = "some tags are Bad"
    WHOLE = "all tags answer"
    LOST = "connection lost"
    BUG = "bug"
    FAULTS = "too many bugs"
    REFUSED = "settings refused"
    RETRY = "retry"
    STOP = "stop"
    CLOSED = "closed"


S, C = State, Cause
TABLE: dict[tuple[State, Cause], State] = {
    (S.STOPPED, C.START): S.STARTING,
    (S.STARTING, C.OPENED): S.UP,
    (S.UP, C.PARTLY): S.DEGRADED,
    (S.DEGRADED, C.WHOLE): S.UP,
    (S.UNREACHABLE, C.OPENED): S.UP,
    (S.FAULTED, C.RETRY): S.STARTING,  # half open
    **{(s, C.LOST): S.UNREACHABLE for s in (S.STARTING, S.UP, S.DEGRADED, S.UNREACHABLE)},
    **{(s, C.BUG): S.STARTING for s in (S.STARTING, S.UP, S.DEGRADED, S.UNREACHABLE)},
    **{(s, C.FAULTS): S.FAULTED for s in (S.STARTING, S.UP, S.DEGRADED, S.UNREACHABLE)},
    **{(s, C.REFUSED): S.INVALID for s in (S.STARTING, S.UNREACHABLE)},
    **{(s, C.STOP): S.STOPPING for s in S if s not in (S.STOPPING, S.STOPPED)},
    (S.STOPPING, C.CLOSED): S.STOPPED,
}


@dataclass(frozen=True, slots=True)
class Transition:
    """at: ns UTC; reason: in words."""

    at: int
    state: State
    reason: str


@dataclass
class Life:
    """The state of one component with its history. hear: called after each change."""

    now: Callable[[], int]
    hear: Callable[[Transition], None] = lambda transition: None
    state: State = State.STOPPED
    history: deque[Transition] = field(default_factory=lambda: deque(maxlen=REMEMBERED))

    def move(self, cause: Cause, reason: str = "") -> bool:
        """Follows the table. False when the table has no such edge, or nothing but the same reason is new."""
        target = TABLE.get((self.state, cause))
        text = reason or str(cause)
        if target is None or (
            target is self.state and self.history and self.history[-1].reason == text
        ):
            return False
        self.state = target
        transition = Transition(self.now(), target, text)
        self.history.append(transition)
        self.hear(transition)
        return True

    @property
    def reason(self) -> str:
        return self.history[-1].reason if self.history else ""

    @property
    def since(self) -> int:
        """When the present state began (ns UTC); not when its reason last changed."""
        since = 0
        for transition in reversed(self.history):
            if transition.state is not self.state:
                break
            since = transition.at
        return since


class Backoff:
    """How long to wait before the next try: 1 s doubling to 10 s, each ±25 %, from the start after a success."""

    def __init__(
        self, first: float = FIRST_RETRY, last: float = LAST_RETRY, seed: float | None = None
    ) -> None:
        self._first, self._last = first, last
        self._tries = 0
        self._random = random.Random(seed)

    def next(self) -> float:
        wait = min(self._last, self._first * 2.0 ** min(self._tries, 30))
        self._tries += 1
        return min(self._last, wait * self._random.uniform(0.75, 1.25))

    def reset(self) -> None:
        self._tries = 0


class FaultCount:
    """Counts bugs, crashes and breaches; unreachable devices are not among them."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._now = monotonic
        self._times: deque[float] = deque()

    def add(self) -> bool:
        """One more. True when there were too many."""
        now = self._now()
        self._times.append(now)
        while self._times and self._times[0] < now - WINDOW:
            self._times.popleft()
        return len(self._times) > FAULTS

    def clear(self) -> None:
        self._times.clear()
