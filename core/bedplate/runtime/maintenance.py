"""Devices that are set aside while people work on them, with who, why and until when.

Rule: begin and end are an event and a state in one step of the journal, so a restart changes nothing. It goes by the
wall clock, like the people who wrote 06:00, and a period that is over stays until its end is written down too: a lock
that nobody has seen end is locked. What stands of a component that the deployment no longer has is kept for its return.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from bedplate import strict_json
from bedplate.calendar import local, zone
from bedplate.errors import Invalid, JournalError
from bedplate.journal.engine import Commit, Entry
from bedplate.model import Alarm, AlarmState, Body, Event, EventKind
from bedplate.runtime.kernel_alarms import OWNER, STREAM
from bedplate.runtime.output import legible
from bedplate.runtime.spine import Spine
from bedplate.runtime.supervisor import Supervisor
from bedplate.wire import encode_event

READER = "kernel/maintenance"  # its states in the journal: one for each component
LOOK = 1.0  # s between two looks at the clock
SOON = 0.05  # s at least: a clock may stand still
MOST_NS = 400 * 86_400_000_000_000
DAY_NS = 86_400_000_000_000
REASON = 300  # characters
DONE = "its time was over"


@dataclass(frozen=True, slots=True)
class Maintenance:
    """component: its id · path: of its asset · since, until: ns UTC · by: who said so · reason: why."""

    component: str
    path: str
    since: int
    until: int
    by: str
    reason: str


class MaintenanceBook:
    """One for the kernel, on its loop. find: a component of the deployment by its id · told: hears of each that begins,
    changes and ends, with that word."""

    def __init__(
        self,
        spine: Spine,
        find: Callable[[str], Supervisor | None],
        timezone: str = "UTC",
        told: Callable[[Maintenance, str], None] = lambda one, what: None,
    ) -> None:
        self._spine = spine
        self._find = find
        self._zone = zone(timezone)
        self._standing: dict[str, Maintenance] = {}
        self._told = told

    async def restore(self) -> None:
        """What stood before the restart. What can't be read is forgotten. Raises JournalError."""
        _, states = await self._spine.engine.cursor(READER)
        for component, state in states.items():
            with contextlib.suppress(ValueError, TypeError):
                self._standing[component] = Maintenance(**strict_json.loads(state))

    def takes(self, supervisor: Supervisor) -> None:
        """A component is there, again or with other settings: it is what it was set."""
        if one := self._standing.get(supervisor.component.id):
            supervisor.set_aside(self.words(one))

    def begin(self, component: str, until: int, by: str, reason: str) -> Maintenance:
        """Sets a component aside, or says anew until when and why. Raises Invalid for a time or reason that is none,
        JournalError when it can't be written: then nothing has changed."""
        supervisor, now = self._find(component), self._spine.clock.time_ns()
        reason = legible(reason.strip(), REASON)
        if supervisor is None:
            raise Invalid(f"the deployment has no component {component}")
        if not reason:
            raise Invalid("maintenance needs a reason", pointer="/reason")
        if not now < until <= now + MOST_NS:
            raise Invalid("maintenance must end later than now, within 400 days", pointer="/until")
        before = self._standing.get(component)
        since = before.since if before else now
        path = supervisor.component.path or component
        one = Maintenance(component, path, since, until, by, reason)
        text = f"{component} is set aside until {self.local(until)}: {reason}"
        self._write(one, text, json.dumps(asdict(one)).encode())
        self._standing[component] = one
        supervisor.set_aside(self.words(one))
        self._retell(one)
        self._told(one, "begins" if before is None else "changes")
        return one

    def end(self, component: str, by: str = "") -> Maintenance | None:
        """Takes it back into service; None when it was not set aside. by: empty when its time was over. Raises
        JournalError; then it stays set aside."""
        one = self._standing.get(component)
        if one is None:
            return None
        how = "" if by else f": {DONE}"
        self._write(replace(one, by=by), f"{component} is back in service{how}", b"")
        del self._standing[component]
        if supervisor := self._find(component):
            supervisor.set_aside("")
        self._retell(one)
        self._told(replace(one, by=by), "ends")
        return one

    async def run(self) -> None:
        """Ends each when its time is over."""
        while True:
            now = self._spine.clock.time_ns()
            for one in [one for one in self._standing.values() if one.until <= now]:
                with contextlib.suppress(JournalError):  # the next look tries again
                    self.end(one.component)
            left = min((one.until - now for one in self._standing.values()), default=0) / 1e9
            await asyncio.sleep(min(LOOK, max(left, SOON)) if left > 0 else LOOK)

    # --- who asks ---

    def locked(self, component: str) -> Maintenance | None:
        """What forbids writing to this component now; None when it is in service. Commands ask this."""
        return self._standing.get(component)

    def standing(self) -> list[Maintenance]:
        """All of them, what ends first first."""
        return sorted(self._standing.values(), key=lambda one: (one.until, one.component))

    def of_tag(self, path: str) -> Maintenance | None:
        """What took this tag out of service: its device, or for a derived tag a device of its asset."""
        if not self._standing:
            return None
        owner = self._spine.registry.owner.get(path, "")
        supervisor = self._find(owner)
        if supervisor and supervisor.component.kind == "connector":
            return self._standing.get(owner)
        return self._below(path)

    def shown(self, event: Event) -> Event:
        """An alarm as people see it: one of what is set aside is out of service (ISA-18.2-2016, 11.9), with who and
        until when, whatever its state is beneath. Faults of the platform are never."""
        alarm = event.alarm
        if alarm is None or alarm.state is AlarmState.NORMAL or not self._standing:
            return event
        if event.component == OWNER:
            return event
        one = self.of_tag(alarm.tag) if alarm.tag else self._below(event.source)
        return replace(event, alarm=self._off(alarm, one)) if one else event

    def _off(self, alarm: Alarm, one: Maintenance) -> Alarm:
        return replace(alarm, state=AlarmState.OUT_OF_SERVICE, out_of_service=self.words(one))

    def _below(self, path: str) -> Maintenance | None:
        within = (one for one in self._standing.values() if path.startswith(f"{one.path}/"))
        return next(within, None)

    def words(self, one: Maintenance) -> str:
        """ "maintenance until 06:00 CET, operator-1: "new ram seal""; the same as long as it stands."""
        clock = self.local(one.until, short=one.until - one.since < DAY_NS)
        return f'maintenance until {clock}, {one.by}: "{one.reason}"'

    def local(self, at_ns: int, *, short: bool = False) -> str:
        moment = local(at_ns, self._zone)
        return f"{moment:%H:%M %Z}" if short else f"{moment:%a %Y-%m-%d %H:%M %Z}"

    def _write(self, one: Maintenance, text: str, state: bytes) -> None:
        """Event and state in one step."""
        now = self._spine.clock.time_ns()
        event = Event(one.path, EventKind.NOTE, now, text, 100, by=one.by, component=one.component)
        entry = Entry(STREAM, Body.EVENT, encode_event(event), now)
        self._spine.append([(entry, None)], Commit(READER, 0, {one.component: state}), sync=True)

    def _retell(self, one: Maintenance) -> None:
        """Who watches alarms hears of those that are out of service now, or back."""
        book = self._spine.alarms
        for event in book.standing():
            tag = event.alarm.tag if event.alarm else ""
            owner = self._spine.registry.owner.get(tag, "")
            if owner == one.component or event.source.startswith(f"{one.path}/"):
                book.retell(event)
