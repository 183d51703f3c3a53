"""One alarm per cause: raised when it has lasted, over when nothing of it is left. The components behind it raise none.

Rule: ten seconds of silence, a minute of Bad tags; five seconds of health end it. A component is in one alarm at most.
Faults and the journal have alarms of their own (fault_alarms.py, journal_watch.py). What stands survives a restart: who
is in it lies with the event, and it is over only when each of them has proved that it is back, or is gone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence

from bedplate import strict_json
from bedplate.clock import Clock
from bedplate.model import AlarmPriority
from bedplate.runtime.causes import Cause, Kind
from bedplate.runtime.causes.cause import MANY
from bedplate.runtime.kernel_alarms import KernelAlarms

SETTLES = {Kind.SILENT: 10.0, Kind.AWAY: 10.0, Kind.SETTINGS: 10.0, Kind.TAGS: 60.0}  # s
OVER = 5.0  # s
WORD = {
    Kind.SILENT: "unreachable",
    Kind.AWAY: "away",
    Kind.SETTINGS: "invalid",
    Kind.TAGS: "bad",
}
DETAIL = "components"


class CauseAlarms:
    """One for the kernel. well: whether a component is back, off, set aside or gone · place: the path below which an
    alarm of one component hangs."""

    def __init__(
        self,
        alarms: KernelAlarms,
        clock: Clock,
        well: Callable[[str], bool],
        place: Callable[[str], str],
    ) -> None:
        self._alarms = alarms
        self._clock = clock
        self._well = well
        self._place = place
        self._first: dict[tuple[Kind, str], tuple[float, float]] = {}  # seen first and last
        self._quiet: dict[str, float] = {}  # since when nothing of an alarm is left
        self._raised = {
            event.source: frozenset(found)
            for event in alarms.due()
            if (found := _components(event.detail))
        }

    def look(self, causes: Sequence[Cause]) -> None:
        """Takes what stands now; call it about once a second."""
        mine = [cause for cause in causes if cause.kind in SETTLES]
        now = self._clock.monotonic()
        self._remember(mine, now)
        for cause in mine:
            taken = frozenset().union(*self._raised.values())
            fresh = frozenset(cause.components) - taken
            enough = fresh and 2 * len(fresh) >= len(cause.components)
            if enough and self._lasts(cause, fresh, now):
                self._raise(cause, fresh)
        troubled = {component for cause in mine for component in cause.components}
        for source in list(self._raised):
            self._return(source, troubled, now)

    def _remember(self, causes: Iterable[Cause], now: float) -> None:
        for cause in causes:
            for component in cause.components:
                key = cause.kind, component
                self._first[key] = self._first.get(key, (now, now))[0], now
        self._first = {k: (a, b) for k, (a, b) in self._first.items() if now - b < OVER}

    def _lasts(self, cause: Cause, components: Iterable[str], now: float) -> bool:
        begun = min(self._first[cause.kind, component][0] for component in components)
        return now - begun >= SETTLES[cause.kind]

    def _raise(self, cause: Cause, components: frozenset[str]) -> None:
        source = self._source(cause)
        priority = AlarmPriority.HIGH if cause.severity >= MANY else AlarmPriority.MEDIUM
        if cause.kind is Kind.TAGS:
            priority = AlarmPriority.LOW
        do = "; ".join((*cause.advice[:1], cause.hint))
        detail = json.dumps({DETAIL: sorted(components)}).encode()
        problem, since = cause.problem, cause.since
        self._alarms.raised(source, priority, problem, do, detail=detail, since=since)
        self._raised[source] = components

    def _source(self, cause: Cause) -> str:
        """Below the place of the one that it hits, or a name of its own; never that of one that stands."""
        word = WORD[cause.kind]
        alone = len(cause.components) == 1
        name = self._place(cause.components[0]) if alone else f"cause/{_level(cause.subject)}"
        wanted, number = f"{name}/{word}", 2
        while wanted in self._raised:
            wanted, number = f"{name}/{word} {number}", number + 1
        return wanted

    def _return(self, source: str, troubled: set[str], now: float) -> None:
        components = self._raised[source]
        if components & troubled or not all(map(self._well, components)):
            self._quiet.pop(source, None)
        elif now - self._quiet.setdefault(source, now) >= OVER:
            del self._raised[source], self._quiet[source]
            self._alarms.returned(source, f"{', '.join(sorted(components)[:3])} answers again")


def _components(detail: bytes) -> Iterable[str]:
    try:
        return [str(one) for one in strict_json.loads(detail)[DETAIL]]
    except (ValueError, KeyError, TypeError):
        return []


def _level(text: str) -> str:
    """A subject as one level of a path."""
    return text.replace("/", " ")
