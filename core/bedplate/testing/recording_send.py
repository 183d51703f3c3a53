"""A `Send` for tests that call `subscribe` of a connector themselves: it keeps what it is given."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

from bedplate.contracts import Sample, Tag
from bedplate.model import Batch


class RecordingSend:
    """samples: (tag, Sample) in order · batches: as they came. credit: how many calls pass before they wait for
    `grant`; None: all. What is sent counts as on disk at once, unless `hold` is set: then `sync` says so."""

    def __init__(self, credit: int | None = None, *, hold: bool = False) -> None:
        self.samples: list[tuple[Tag, Sample]] = []
        self.batches: list[Batch] = []
        self._credit = credit
        self._hold = hold
        self._granted = asyncio.Event()
        self._synced = asyncio.Event()

    async def __call__(
        self,
        tag: Tag,
        value: Any,
        *,
        time: int | None = None,
        quality: int = 0,
        server_time: int | None = None,
    ) -> Awaitable[None]:
        await self._take()
        self.samples.append((tag, Sample(value, time, quality, server_time)))
        return self._on_disk()

    async def batch(self, batch: Batch) -> Awaitable[None]:
        await self._take()
        self.batches.append(batch)
        return self._on_disk()

    async def _take(self) -> None:
        while self._credit == 0:
            self._granted.clear()
            await self._granted.wait()
        if self._credit is not None:
            self._credit -= 1

    def _on_disk(self) -> Awaitable[None]:
        async def wait() -> None:
            if self._hold:
                await self._synced.wait()

        return asyncio.ensure_future(wait())

    def grant(self, credit: int) -> None:
        """So many more calls pass."""
        self._credit = (self._credit or 0) + credit
        self._granted.set()

    def sync(self) -> None:
        """Everything sent so far, and from now on, is on disk."""
        self._hold = False
        self._synced.set()
