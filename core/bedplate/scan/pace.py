"""When to read what. Scan classes of all components, spread over their period, due together in ticks of the linger.

A scan that is due while the one before is still under way is skipped, never overlapped.
"""

from __future__ import annotations

import asyncio
import heapq
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

Scan = Callable[[], bool]  # starts a scan; False: the one before is still under way


def phase(name: str, period: float) -> float:
    """When within its period a scan is due: spread by name, so that many devices do not all speak at once."""
    return zlib.crc32(name.encode()) / 2**32 * period


@dataclass(order=True)
class _Due:
    at: float
    number: int
    period: float = field(compare=False)
    scan: Scan = field(compare=False)
    skipped: Callable[[], None] = field(compare=False)
    live: bool = field(default=True, compare=False)


class Pacer:
    """One for the kernel. Runs on its loop."""

    def __init__(self, tick: float, monotonic: Callable[[], float]) -> None:
        self._tick = tick
        self._now = monotonic
        self._heap: list[_Due] = []
        self._count = 0
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])

    def add(
        self, name: str, period: float, scan: Scan, skipped: Callable[[], None]
    ) -> Callable[[], None]:
        """Scans every `period` seconds from now on, first at once, then at a phase given by its name, so that many
        devices do not all speak at the full second. Returns a function that ends it."""
        now = self._now()
        first = _Due(now, self._count, period, scan, skipped)
        self._count += 1
        scan()
        first.at = (now // period) * period + phase(name, period)
        while first.at <= now:
            first.at += period
        heapq.heappush(self._heap, first)
        self._wake.set()

        def end() -> None:
            first.live = False

        return end

    async def _run(self) -> None:
        while True:
            if not self._heap:
                self._wake.clear()
                await self._wake.wait()
                continue
            wait = self._heap[0].at - self._now()
            if wait > 0:
                # to the next tick at or after it, so that what is due within one tick leaves as one message
                await self._sleep(max(wait, self._tick - self._now() % self._tick))
            self._run_due(self._now())

    async def _sleep(self, seconds: float) -> None:
        self._wake.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return

    def _run_due(self, now: float) -> None:
        while self._heap and self._heap[0].at <= now:
            due = heapq.heappop(self._heap)
            if not due.live:
                continue
            if not due.scan():
                due.skipped()
            due.at += due.period
            if due.at <= now:  # we were late by more than a period: go on from now
                due.at += due.period * ((now - due.at) // due.period)
            heapq.heappush(self._heap, due)
