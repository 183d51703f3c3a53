"""What came and is not yet handed over, within bounds.

Rule: a kernel that is slow never makes the plugin grow. Beyond the limit the oldest samples are dropped, and the next
one of every tag that lost some carries the overflow bits (OPC 10000-4 §7.39.1), as a full queue in a server would.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from bedplate import Batch
from bedplate.model import quality
from bedplate_opcua.acknowledging import Message


class Backlog:
    """Batches waiting for credit, with the message each is of. limit: samples at most; dropped: samples lost so far ·
    gone: told the message of a batch that was dropped."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.dropped = 0
        self.gone: Callable[[Message | None], None] = lambda message: None
        self._batches: deque[tuple[Batch, Message | None]] = deque()
        self._samples = 0
        self._lossy: set[int] = set()
        self._some = asyncio.Event()

    def __len__(self) -> int:
        return self._samples

    def put(self, batches: Iterable[Batch], message: Message | None = None) -> int:
        """Takes batches. Returns how many old samples had to go for them."""
        before = self.dropped
        for batch in batches:
            self._batches.append((batch, message))
            self._samples += len(batch)
        while self._samples > self.limit and len(self._batches) > 1:
            self._drop(*self._batches.popleft())
        if self._batches:
            self._some.set()
        return self.dropped - before

    async def take(self) -> tuple[Batch, Message | None]:
        """The oldest batch and its message; waits for one."""
        await self._some.wait()
        batch, message = self._batches.popleft()
        self._samples -= len(batch)
        if not self._batches:
            self._some.clear()
        return (self._marked(batch) if self._lossy else batch), message

    def back(self, batch: Batch, message: Message | None) -> None:
        """It could not be handed over: it is the oldest again."""
        self._batches.appendleft((batch, message))
        self._samples += len(batch)
        self._some.set()

    def _drop(self, batch: Batch, message: Message | None) -> None:
        self._samples -= len(batch)
        self.dropped += len(batch)
        self._lossy.update(batch.tag.tolist())
        self.gone(message)

    def _marked(self, batch: Batch) -> Batch:
        """The batch with the overflow bits on the first sample of each tag that lost some."""
        handles, first = np.unique(batch.tags(), return_index=True)
        hit = np.isin(handles, np.fromiter(self._lossy, np.uint32, len(self._lossy)))
        if not hit.any():
            return batch
        codes = batch.qualities().copy()
        codes[first[hit]] |= np.uint32(quality.OVERFLOW)
        self._lossy.difference_update(handles[hit].tolist())
        return replace(batch, quality=codes)
