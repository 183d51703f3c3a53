"""Looks for causes once a second, for as long as the kernel runs, so that each has its alarm; and for whoever asks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from bedplate.calendar import local, zone
from bedplate.runtime.cause_alarms import CauseAlarms
from bedplate.runtime.causes import Cause, Fact, Kind, causes
from bedplate.runtime.findings import IDLE, Findings, Plant
from bedplate.runtime.kernel_alarms import KernelAlarms
from bedplate.runtime.lifecycle import State

LOOK = 1.0  # s
WELL = (*IDLE, State.UP, State.DEGRADED)


class CauseWatch:
    """One for the kernel."""

    def __init__(self, plant: Plant, alarms: KernelAlarms) -> None:
        self._plant = plant
        self.findings = Findings(plant)
        self._alarms = CauseAlarms(alarms, plant.spine.clock, self._well, self._place)

    def now(self, more: Iterable[str] = ()) -> list[Cause]:
        """All that stand, the most severe first. more: problems of what the kernel does not know of."""
        began = self._plant.spine.clock.time_ns()
        facts = [*self.findings.facts(), *(Fact("", Kind.PLATFORM, "", began, t) for t in more)]
        return causes(facts, self.findings.members(), self.clock) if facts else []

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await asyncio.sleep(LOOK)
            self._alarms.look(self.now())

    def clock(self, at_ns: int) -> str:
        """03:14:07 in the deployment's time zone; with its name where this machine has another one, and with the day
        when that is not today."""
        here = zone(self._plant.deployment.timezone)
        moment, today = local(at_ns, here), local(self._plant.spine.clock.time_ns(), here)
        day = "" if moment.date() == today.date() else "%a %Y-%m-%d "
        name = "" if moment.utcoffset() == moment.astimezone().utcoffset() else " %Z"
        return moment.strftime(f"{day}%H:%M:%S{name}")

    def _well(self, component: str) -> bool:
        one = self._plant.components.get(component)
        return one is None or one.life.state in WELL

    def _place(self, component: str) -> str:
        one = self._plant.components[component].component
        path = one.path or one.id
        return path if path.split("/")[-1] == one.id else f"{path}/{one.id}"
