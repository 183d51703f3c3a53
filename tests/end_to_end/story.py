"""A quarter of a shift on the bottling line, lived through by three platforms at once: one with its plugins in
processes, one with all of them inline, one with all of them elsewhere. They look at the same machines, so what they
tell must agree.

The story: all is up, caps jam in the capper, an operator acknowledges, the platform is stopped and started, the jam is
cleared. Tests ask afterwards.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.end_to_end.site import EVERYWHERE, Site, until

from bedplate.client.update import Update
from bedplate.model import AlarmState, Event
from bedplate_simline.launch import Simulator

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "bottling-line.yaml"
SHIFT = 300.0  # s; the first jam comes 13.7 s after the start and is cleared 15 s later
BEGUN = 4.0  # s that the plant has run when the simulator starts


def deployment(line: dict[str, Any]) -> str:
    """The example as it stands in the documentation, with free ports, and PLACE for the placement of everything."""
    text = EXAMPLE.read_text(encoding="utf-8")
    text = text.replace("opc.tcp://127.0.0.1:48400", line["endpoint"])
    text = text.replace("port: 15020", f"port: {line['port']}")
    text = re.sub(r"^( +)(use: \w+)", r"\1\2\n\1placement: PLACE", text, flags=re.M)
    return text.replace("{use: history,", "{use: history, placement: PLACE,")


@dataclass
class Story:
    """One platform's. alarms: capper/jam at each step · live: what a subscriber saw before the restart."""

    site: Site
    alarms: dict[str, Event] = field(default_factory=dict)
    live: list[Update] = field(default_factory=list)
    watched: list[Event] = field(default_factory=list)  # by WatchAlarms, meanwhile
    stopped: int = 0  # ns UTC
    started: int = 0

    async def tell(self) -> None:
        """From the first start until the jam is cleared."""
        client = await self.site.start()
        await until(self.site.all_up, 30)
        watching = [asyncio.create_task(self._watch()), asyncio.create_task(self._watch_alarms())]
        self.alarms["raised"] = await self._jam(AlarmState.UNACKNOWLEDGED, 30)
        await client.acknowledge("capper/jam", "on my way")
        self.alarms["acknowledged"] = await self._jam(AlarmState.ACKNOWLEDGED)
        await until(self._saw_acknowledged)
        for task in watching:
            task.cancel()
        await self.site.stop()
        self.stopped = time.time_ns()
        await asyncio.wait(watching)
        await self.site.start()
        self.started = time.time_ns()
        self.alarms["restarted"] = (await self.site.client.alarms("capper/jam", all=True))[0]
        await until(self.site.all_up, 30)
        self.alarms["cleared"] = await self._jam(AlarmState.NORMAL, 30)

    async def _jam(self, state: AlarmState, within: float = 60) -> Event:
        async def reached() -> Event | None:
            jams = [a for a in await self.site.client.alarms(all=True) if "/jam" in a.source]
            return next((a for a in jams if a.alarm and a.alarm.state is state), None)

        found: Event = await until(reached, within)
        return found

    def _saw_acknowledged(self) -> bool:
        live = [event for update in self.live for event in update.events]
        both = (live, self.watched)
        done = AlarmState.ACKNOWLEDGED
        return all(any(e.alarm and e.alarm.state is done for e in events) for events in both)

    async def _watch(self) -> None:
        async with self.site.client.subscribe("**", events=True) as updates:
            async for update in updates:
                self.live.append(update)

    async def _watch_alarms(self) -> None:
        async for event in self.site.client.watch_alarms("**/jam"):
            self.watched.append(event)


@contextlib.asynccontextmanager
async def told(folder: Path) -> AsyncIterator[dict[str, Story]]:
    """All platforms after their story, by placement, still running."""
    begun = time.time_ns() - round(BEGUN * 1e9)
    with Simulator("both", "--shift", f"{SHIFT}s", "--start-ns", str(begun)) as line:
        text = deployment(await asyncio.to_thread(line.ready))
        stories = {p: Story(Site(folder / p, text, placement=p)) for p in EVERYWHERE}
        try:
            await asyncio.gather(*(story.tell() for story in stories.values()))
            yield stories
        finally:
            await asyncio.gather(*(story.site.stop() for story in stories.values()))
