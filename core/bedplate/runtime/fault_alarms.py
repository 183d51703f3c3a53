"""Alarms of the kernel itself: a component is faulted, and somebody has to look after its plugin.

States of ISA-18.2-2016: raised when a component becomes faulted, over when it has proved that it is back; acknowledged
by a person in between or after. An alarm of a component that the deployment no longer has ends at the start.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection
from dataclasses import replace

from bedplate.config.deployment import Component
from bedplate.errors import JournalError
from bedplate.model import SEVERITY, Alarm, AlarmPriority, AlarmState, Event, EventKind
from bedplate.runtime.causes.grouping import alike
from bedplate.runtime.spine import Spine

STREAM = "kernel/event"
JOURNAL = "kernel/journal"  # source of what concerns the journal
OWNER = "kernel"  # Event.component of these alarms; no component of a deployment may have this name
CAUSE = b'"components"'  # in the detail of an alarm of a cause
DUE = (AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED)


class FaultAlarms:
    """One for the kernel. Writes events, and keeps nothing: the alarm book has the newest of each source."""

    def __init__(self, spine: Spine) -> None:
        self._spine = spine

    def raised(self, component: Component, reason: str, support: str, process: str = "") -> None:
        """The component is faulted, or with process all that run there. Told again, it changes nothing."""
        source = _of_process(process) if process else source_of(component)
        subject = f"process {process}" if process else component.id
        if (standing := self._alarm(source)) and standing.state in DUE:
            return
        bug = json.dumps({"bug": [component.use, alike(reason, component.id)]}).encode()
        if any(_stands(one, bug) for one in self._spine.alarms.standing()):
            return  # one bug, one alarm; told anew when the one that has it is back and this one is not
        do = f"bedplate why {process or component.id}"
        alarm = Alarm(
            AlarmState.UNACKNOWLEDGED,
            AlarmPriority.HIGH,
            condition=f"{subject} faulted: {reason}",
            do=f"{do}; support of its plugin: {support}" if support else do,
            active_since=self._spine.clock.time_ns(),
        )
        self._write(source, alarm, f"{subject} is faulted: {reason}", bug)

    def returned(self, component: Component, process: str) -> None:
        """The component is back, and so is the process that it runs in."""
        self._end(source_of(component), f"{component.id} is back")
        self._end(_of_process(process), f"process {process} is back")

    def cause_raised(self, source: str, alarm: Alarm, text: str, detail: bytes) -> None:
        """A cause stands for long enough. detail: what it needs to be known again after a restart."""
        self._write(source, alarm, text, detail)

    def cause_returned(self, source: str, text: str) -> None:
        """It is over. Told again, it changes nothing."""
        self._end(source, text)

    def standing_causes(self) -> dict[str, bytes]:
        """The detail of each alarm of a cause that is not over, by source."""
        found = {s: self._spine.alarms.get(s) for s in self._spine.alarms.sources()}
        return {
            source: event.detail
            for source, event in found.items()
            if event and event.component == OWNER and event.alarm
            if CAUSE in event.detail and event.alarm.state in DUE
        }

    def journal_raised(self, source: str, why: str, do: str, priority: AlarmPriority) -> bool:
        """Something is the matter with the journal. False when that stands already."""
        if (standing := self._alarm(source)) and standing.state in DUE:
            return False
        now = self._spine.clock.time_ns()
        alarm = Alarm(AlarmState.UNACKNOWLEDGED, priority, condition=why, do=do, active_since=now)
        self._write(source, alarm, why)
        return True

    def journal_returned(self, source: str, text: str) -> bool:
        """It is over. False when nothing was the matter."""
        standing = self._alarm(source)
        self._end(source, text)
        return standing is not None and standing.state in DUE

    def acknowledge(self, source: str, by: str, comment: str) -> bool:
        """False when the alarm is not one of these. Raises JournalError."""
        event = self._spine.alarms.get(source)
        if event is None or event.component != OWNER or event.alarm is None:
            return False
        after = {
            AlarmState.UNACKNOWLEDGED: AlarmState.ACKNOWLEDGED,
            AlarmState.RETURNED_UNACKNOWLEDGED: AlarmState.NORMAL,
        }.get(event.alarm.state)
        if after is not None:
            now = self._spine.clock.time_ns()
            alarm = replace(event.alarm, state=after, acknowledged_at=now)
            alarm = replace(alarm, acknowledged_by=by, comment=comment)
            told = self._event(source, alarm, event.text, by, event.detail)
            self._spine.event(STREAM, told, sync=True)
        return True

    def forget_all_but(self, components: Collection[Component], processes: Collection[str]) -> None:
        """Ends those of components that are gone: nobody else would. After a restart the others stand until their
        component has proved that it is back."""
        mine = {source_of(component) for component in components}
        mine |= set(map(_of_process, processes))
        for source in list(self._spine.alarms.sources()):
            event = self._spine.alarms.get(source)
            if source.startswith(f"{JOURNAL}/") or (event and CAUSE in event.detail):
                continue  # whoever watches the journal, or causes, says when it is over
            if event and event.component == OWNER and source not in mine:
                self._end(source, "the deployment has no such component any more", gone=True)

    def _end(self, source: str, text: str, *, gone: bool = False) -> None:
        alarm = self._alarm(source)
        if alarm is None or not (alarm.state in DUE or (gone and alarm.state != AlarmState.NORMAL)):
            return
        quiet = gone or alarm.state is AlarmState.ACKNOWLEDGED
        state = AlarmState.NORMAL if quiet else AlarmState.RETURNED_UNACKNOWLEDGED
        now = self._spine.clock.time_ns()
        self._write(source, replace(alarm, state=state, returned_at=now), text)

    def _alarm(self, source: str) -> Alarm | None:
        event = self._spine.alarms.get(source)
        return event.alarm if event and event.component == OWNER else None

    def _write(self, source: str, alarm: Alarm, text: str, detail: bytes = b"") -> None:
        with contextlib.suppress(JournalError):  # a dead journal is told by the kernel
            self._spine.event(STREAM, self._event(source, alarm, text, detail=detail), sync=True)

    def _event(
        self, source: str, alarm: Alarm, text: str, by: str = "", detail: bytes = b""
    ) -> Event:
        severity = SEVERITY[alarm.priority]
        now = self._spine.clock.time_ns()
        return Event(source, EventKind.ALARM, now, text, severity, alarm, by, OWNER, detail)


def _stands(event: Event, detail: bytes) -> bool:
    due = event.alarm is not None and event.alarm.state in DUE
    return due and event.component == OWNER and event.detail == detail


def source_of(component: Component) -> str:
    """Below the place where it hangs: acme/berlin/line1/press-07/faulted."""
    place = component.path or component.id
    own = place if place.split("/")[-1] == component.id else f"{place}/{component.id}"
    return f"{own}/faulted"


def _of_process(name: str) -> str:
    """One cause, one alarm, however many components run there."""
    return f"process/{name}/faulted"
