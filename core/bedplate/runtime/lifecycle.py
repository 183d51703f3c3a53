"""The life of a component, as a table. Nothing here does anything: the supervisor does, and asks this table.

States people see: up, degraded, unreachable, off, set aside, faulted; starting, invalid, stopping and
stopped frame them. Unreachable is not faulty: only bugs, crashes and breaches of the contract lead to faulted. Off is
unreachable when nobody expects it to answer. Set aside is no step of a session, so it has no row here: it lies over one
while people work on the device, and the table goes on beneath, told to nobody.
"""

from __future__ import annotations

import enum
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

FAULTS = 5  # more than so many …
WINDOW = 60.0  # … within so many seconds: faulted
HALF_OPEN = 60.0  # s at most, less a jitter of a quarter: a faulted component is tried again
PROVED = 10.0  # s of service without a fault after which a faulted component counts as back
FIRST_RETRY, LAST_RETRY = 1.0, 10.0  # s: after an unreachable device
FIRST_AGAIN, LAST_AGAIN = 0.25, 2.0  # s: after a bug, a crash, a breach
SLOW = 4.0  # s without an answer after which people are told …
SLOW_WORK = 10.0  # … and of a reader or an analytic, which may have much to do
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
    SLOW = "no answer yet"
    LOST = "connection lost"
    UNEXPECTED = "silent, and not expected to speak"
    BUG = "bug"
    FAULTS = "too many bugs"
    REFUSED = "settings refused"
    RETRY = "retry"
    RENEWED = "what it opened with has changed"
    STOP = "stop"
    CLOSED = "closed"


S, C = State, Cause
SESSIONS = (S.STARTING, S.UP, S.DEGRADED, S.UNREACHABLE, S.OFF)  # one is tried or served
TABLE: dict[tuple[State, Cause], State] = {
    (S.STOPPED, C.START): S.STARTING,
    (S.STARTING, C.OPENED): S.UP,
    (S.UP, C.PARTLY): S.DEGRADED,
    (S.DEGRADED, C.WHOLE): S.UP,
    (S.UNREACHABLE, C.OPENED): S.UP,
    (S.OFF, C.OPENED): S.UP,
    (S.FAULTED, C.RETRY): S.STARTING,  # half open
    (S.INVALID, C.RETRY): S.STARTING,  # another run of a program elsewhere
    (S.STARTING, C.SLOW): S.STARTING,
    **{(s, C.RENEWED): S.STARTING for s in (*SESSIONS, S.FAULTED, S.INVALID)},
    **{(s, C.SLOW): S.DEGRADED for s in (S.UP, S.DEGRADED)},
    **{(s, C.LOST): S.UNREACHABLE for s in SESSIONS},
    **{(s, C.UNEXPECTED): S.OFF for s in SESSIONS},
    **{(s, C.BUG): S.STARTING for s in SESSIONS},
    **{(s, C.FAULTS): S.FAULTED for s in SESSIONS},
    **{(s, C.REFUSED): S.INVALID for s in SESSIONS},
    **{(s, C.STOP): S.STOPPING for s in S if s not in (S.STOPPING, S.STOPPED)},
    (S.STOPPING, C.CLOSED): S.STOPPED,
}


@dataclass(frozen=True, slots=True)
class Transition:
    """at: ns UTC; reason: in words; evidence: lines for the plugin's author, such as a stack or its last output."""

    at: int
    state: State
    reason: str
    evidence: tuple[str, ...] = field(default=(), compare=False)


@dataclass
class Life:
    """The state of one component with its history. hear: called after each change of what people see · beneath: the
    state by the table · aside: why it is set aside, in words; empty when it is not."""

    now: Callable[[], int]
    hear: Callable[[Transition], None] = lambda transition: None
    beneath: State = State.STOPPED
    aside: str = ""
    history: deque[Transition] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    _why: str = ""  # of beneath

    @property
    def state(self) -> State:
        """What people see. What is faulted, refused or stopped is so, set aside or not."""
        hidden = self.aside and self.beneath in SESSIONS
        return State.SET_ASIDE if hidden else self.beneath

    def move(self, cause: Cause, reason: str = "", evidence: Sequence[str] = ()) -> bool:
        """Follows the table. False when the table has no such edge, or nothing but the same reason is new."""
        target = TABLE.get((self.beneath, cause))
        text = reason or str(cause)
        if target is None or (target is self.beneath and self._why == text):
            return False
        before = self.state
        self.beneath, self._why = target, text
        if not (before is State.SET_ASIDE and self.state is before):
            self._tell(evidence)
        return True

    def set_aside(self, words: str) -> None:
        """words: why, and until when; empty: it is back, in the state that the table has come to meanwhile."""
        before = self.state, self.reason
        self.aside = words
        if before[0] is not self.state or (self.state is State.SET_ASIDE and before[1] != words):
            self._tell()

    def _tell(self, evidence: Sequence[str] = ()) -> None:
        hidden = self.state is State.SET_ASIDE
        why = self.aside if hidden else self._why
        transition = Transition(self.now(), self.state, why, () if hidden else tuple(evidence))
        self.history.append(transition)
        self.hear(transition)

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
    """How long to wait before the next try: 1 s doubling to 10 s, each with a jitter of ±25 %, from the start after a
    success. Jitter, so that many which fail of one cause do not all come back at once."""

    def __init__(
        self, first: float = FIRST_RETRY, last: float = LAST_RETRY, seed: float | None = None
    ) -> None:
        self._first, self._last = first, last
        self._tries = 0
        self._random = random.Random(random.random() if seed is None else seed)

    def next(self) -> float:
        wait = min(self._last, self._first * 2.0 ** min(self._tries, 30))
        self._tries += 1
        return self._random.uniform(0.75 * wait, min(1.25 * wait, self._last))

    def reset(self) -> None:
        self._tries = 0


class FaultCount:
    """Counts bugs, crashes and breaches; unreachable devices are not among them.

    half_open: it was faulted, and has not yet proved since that it is back; then one more fault is too many.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._now = monotonic
        self._times: deque[float] = deque()
        self.half_open = False

    def add(self, number: int = 1) -> bool:
        """So many more. True when there were too many."""
        now = self._now()
        self._times.extend([now] * number)
        while self._times and self._times[0] < now - WINDOW:
            self._times.popleft()
        self.half_open = self.half_open or len(self._times) > FAULTS
        return self.half_open

    def proved(self) -> None:
        """It has served long enough: what was is forgotten when it was half open."""
        if self.half_open:
            self.half_open = False
            self._times.clear()
