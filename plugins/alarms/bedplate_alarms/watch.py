"""One limit of one asset at work: its delayed condition, its alarm, and the events they give.

Two things move an alarm: the condition, and a person. Both are put in the order in which the kernel could know them, so
a person acknowledges what was on the screen. Its times never decrease.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bedplate.event_time import LONG_AGO
from bedplate.model import SEVERITY, Alarm, AlarmState, Event, EventKind
from bedplate_alarms.condition import Condition, Readings
from bedplate_alarms.delay import Change, Delayed
from bedplate_alarms.settings import Limit
from bedplate_alarms.states import Trigger, after

NS = 1_000_000_000
_NOTHING = (None, "")
KEPT = ("active_since", "returned_at", "acknowledged_by", "acknowledged_at", "comment", "value")


@dataclass(frozen=True, slots=True)
class Known:
    """An event, and when the kernel could know it: events of several limits are put in this order. At one and the same
    time, ns, silence (0) speaks before samples (1), and they before people (2)."""

    at: tuple[int, int]
    event: Event


class Watch:
    """Watches one limit. source: path of the alarm · path: of the tag · component: who says so.

    Its state is as small as can be: nothing at all while nothing ever happened.
    """

    def __init__(
        self,
        source: str,
        limit: Limit,
        path: str,
        labels: Mapping[int, str],
        lateness: int,
        component: str,
    ) -> None:
        self.source, self.tag, self.component = source, limit.tag, component
        self.text = limit.text or limit.condition
        condition = Condition(limit.question, limit.target, limit.deadband, labels)
        on, off = (round(delay * NS) for delay in (limit.on_delay, limit.off_delay))
        self.delayed = Delayed(condition, on, off, lateness)
        self.alarm = Alarm(AlarmState.NORMAL, limit.level, path, limit.condition, limit.do)
        self.changed = LONG_AGO  # time of the last event

    def advance(
        self, readings: Readings | None, acknowledgements: Sequence[Event], until: int
    ) -> list[Known]:
        """What happened up to `until`, in the order in which it could be known."""
        changes = self.delayed.advance(readings, until)
        if not acknowledgements:
            return [one for change in changes for one in self._condition(change)]
        steps: list[tuple[tuple[int, int], Change | Event]] = [(c.known, c) for c in changes]
        steps += [((a.time, 2), a) for a in acknowledgements]
        found: list[Known] = []
        for _, step in sorted(steps, key=lambda step: step[0]):
            found += self._acknowledge(step) if isinstance(step, Event) else self._condition(step)
        return found

    def _condition(self, change: Change) -> list[Known]:
        trigger = Trigger.ACTIVE if change.active else Trigger.RETURN
        time = max(change.time, self.changed)
        if change.active:
            again = {
                "active_since": time,
                "value": change.value,
                "returned_at": 0,
                "acknowledged_by": "",
                "acknowledged_at": 0,
                "comment": "",
            }
        else:
            again = {"returned_at": time}
        return self._move(trigger, change.known, time, again)

    def _acknowledge(self, wish: Event) -> list[Known]:
        time = max(wish.time, self.changed)
        seen = {"acknowledged_by": wish.by, "acknowledged_at": time, "comment": wish.text}
        return self._move(Trigger.ACKNOWLEDGE, (wish.time, 2), time, seen, by=wish.by)

    def _move(
        self,
        trigger: Trigger,
        known: tuple[int, int],
        time: int,
        fields: Mapping[str, Any],
        by: str = "",
    ) -> list[Known]:
        state = after(self.alarm.state, trigger)
        if state is None:
            return []
        self.alarm = replace(self.alarm, state=state, **fields)
        self.changed = time
        return [Known(known, self.event(time, self.text, by))]

    def event(self, time: int, text: str, by: str = "") -> Event:
        """An event that carries the whole alarm as it is now."""
        return Event(
            self.source,
            EventKind.ALARM,
            time,
            text,
            SEVERITY[self.alarm.priority],
            self.alarm,
            by,
            self.component,
        )

    def state(self) -> dict[str, Any]:
        """What later results depend on, as JSON; empty: as new."""
        now = self.delayed
        if self.changed == LONG_AGO and not now.holds:
            return {}
        alarm = {name: kept for name in KEPT if (kept := getattr(self.alarm, name)) not in _NOTHING}
        return {
            "delayed": [now.active, now.holds, now.since, now.value],
            "state": int(self.alarm.state),
            "changed": self.changed,
            **alarm,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Takes back what `state` gave. Raises KeyError, ValueError, TypeError when it is something else."""
        now = self.delayed
        now.active, now.holds, now.since, now.value = state["delayed"]
        self.changed = int(state["changed"])
        kept = {name: state[name] for name in KEPT if name in state}
        self.alarm = replace(self.alarm, state=AlarmState(state["state"]), **kept)
