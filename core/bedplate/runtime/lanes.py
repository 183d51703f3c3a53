"""A sink that gets the newest first after an outage, and what came meanwhile beside it, throttled and flagged.

Rule: order within each lane. The backlog takes a quarter of the time that the sink needs at most, a page at a time, so
that live waits for one page. What it has of both lanes is in its cursor and state, so that a crash changes nothing but
that some comes again. For sinks that say that they keep the lanes apart (`lanes = true` in their manifest).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Mapping
from typing import Any

from bedplate import strict_json
from bedplate.remote.attachment import Attachment
from bedplate.runtime import requests
from bedplate.runtime.epochs import by_epoch
from bedplate.runtime.reader import DELIVER_WITHIN, Reader

BEHIND = 10.0  # s that the newest must not wait
SHARE = 4  # the backlog takes one part of so many of the time
PAUSE = 0.05  # s between two pages at least
RECORDS, SIZE = 1000, 1 << 20
RANGES = 100  # of backlog; beyond it two become one, and what lies between comes again
KEY = "lanes"


class TwoLanes(Reader):
    """position and _live: of the live lane · ranges: of the backlog, each after its first position up to its last."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.ranges: list[list[int]] = []
        self._handed = 0  # of the first range: handed over, not durable yet
        self._due = 0.0

    @property
    def durable(self) -> int:
        return self.ranges[0][0] if self.ranges else self._live

    def _begin(self, reply: Any) -> None:
        super()._begin(reply)
        self.ranges, live = [], self.position
        if not reply.open.position and (kept := strict_json.loads(self._kept.get(KEY) or b"{}")):
            self.ranges = [[max(a, self.position), b] for a, b in kept["ranges"]]
            self.ranges = [one for one in self.ranges if one[0] < one[1]]
            live = max(kept["live"], self.position)
        self.position = self._live = live
        self._handed = self.durable

    def _states(self) -> Mapping[str, bytes]:
        if not self.ranges:
            return {KEY: b""}
        return {KEY: json.dumps({"ranges": self.ranges, "live": self._live}).encode()}

    def _given_up(self, upto: int) -> None:
        for one in self.ranges:
            one[0] = max(one[0], upto)
        self._end_ranges()
        if not self.ranges:
            super()._given_up(upto)

    def _split(self) -> None:
        """What has waited too long is for the backlog."""
        newest = self.spine.engine.state().synced
        now = self.spine.clock.time_ns()
        if newest <= self.position or self.spine.live.age(self.position, now) < BEHIND:
            return
        if len(self.ranges) >= RANGES:
            self.ranges[-1][1] = newest
        else:
            self.ranges.append([self._live, newest])
        self._handed = max(self._handed, self.ranges[0][0])
        self.position = self._live = newest

    async def _step(self, attachment: Attachment) -> None:
        async with self._turn:
            self._split()
        loop = asyncio.get_running_loop()
        if self.ranges and loop.time() >= self._due:
            began = loop.time()
            async with self._turn:
                await self._page(attachment)
            took = loop.time() - began
            self._due = loop.time() + max(PAUSE, took * (SHARE - 1))
        if self.ranges and self.position >= self.spine.engine.state().synced:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, self._due - loop.time())):
                    await self.spine.engine.wait(self.position)
            return
        await super()._step(attachment)

    async def _page(self, attachment: Attachment) -> None:
        """The next of the first range; nothing, with the question how far it is, when all of it was handed over."""
        if not self.ranges:
            return
        end = self.ranges[0][1]
        engine = self.spine.engine
        found = await engine.read(self._handed, records=RECORDS, size=SIZE)
        runs = by_epoch([record for record in found if record.position <= end])
        if not runs:
            ask = requests.Deliver(until=end, backlog=True)
            reply = await self.ask(attachment, DELIVER_WITHIN, deliver=ask)
            self._said(self._acknowledged(reply.deliver.position, end, backlog=True))
            return
        for run in runs:
            subscription = self._subscription.again()
            said = await self._offer(attachment, subscription, run, backlog=True)
            self._subscription = self._subscription.again()  # its tables may be of another epoch
            wanted_none = said is None and self._handed == self.ranges[0][0]
            self._handed = run[-1].position
            self._said(self._handed if wanted_none else said or 0)
            if not self.ranges:
                break

    def _said(self, position: int) -> None:
        if position > self.ranges[0][0]:
            self.ranges[0][0] = position
            self._end_ranges()
            self._commit()

    def _end_ranges(self) -> None:
        while self.ranges and self.ranges[0][0] >= self.ranges[0][1]:
            del self.ranges[0]
        self._handed = max(self._handed, self.durable)
