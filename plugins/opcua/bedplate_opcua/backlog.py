"""What came and is not yet handed over, within bounds.

Rule: a kernel that is slow never makes the plugin grow. Beyond the limit the oldest samples are dropped, and the next
one of every tag that lost some carries the overflow bits (OPC 10000-4 §7.39.1), as a full queue in a server would.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from bedplate import Batch
from bedplate.model import quality


class Backlog:
    """Batches waiting for credit. limit: samples at most; dropped: samples lost so far."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.dropped = 0
        self._batches: deque[Batch] = deque()
        self._samples = 0
        self._lossy: set[int] = set()
        self._some = asyncio.Event()

    def __len__(self) -> int:
        return self._samples

    def put(self, batches: Iterable[Batch]) -> int:
        """Takes batches. Returns how many old samples had to go for them."""
        before = self.dropped
        for batch in batches:
            self._batches.append(batch)
            self._samples += len(batch)
        while self._samples > self.limit and len(self._batches) > 1:
            self._drop(self._batches.popleft())
        if self._batches:
            self._some.set()
        return self.dropped - before

    async def take(self) -> Batch:
        """The oldest batch; waits for one."""
        await self._some.wait()
        batch = self._batches.popleft()
        self._samples -= len(batch)
        if not self._batches:
            self._some.clear()
        return self._marked(batch) if self._lossy else batch

    def _drop(self, batch: Batch) -> None:
        self._samples -= len(batch)
        self.dropped += len(batch)
        self._lossy.update(batch.tag.tolist())

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
