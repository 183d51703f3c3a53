"""`send` of a source that pushes: columns within the credit, and word when they are on disk."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from concurrent.futures import Future
from typing import Any

import numpy as np

from bedplate.connector.v1 import connector_pb2
from bedplate.contracts import Tag
from bedplate.errors import Refused
from bedplate.model import Batch
from bedplate.remote.columns import merged, of_samples
from bedplate.remote.outbox import Outbox
from bedplate.wire import encode_batch, twin

MOST_AT_ONCE = 16  # publications in one message, so that a message stays far below gRPC's limit
MOST_SAMPLES = 10_000  # a publication holds at most so many, so that no ask waits behind more than a window of them


class Sender:
    """One per session. Runs on the plugin's loop."""

    def __init__(self, component: str, outbox: Outbox, credit: int, linger: float) -> None:
        self._component = component
        self._outbox = outbox
        self._linger = linger
        self._credit = credit
        self._seq = 0
        self._synced = 0
        self._refused: dict[int, str] = {}
        self._samples: list[Any] = []
        self._batches: list[Batch] = []
        self._waiting = 0
        self._room = asyncio.Event()
        self._room.set()
        self._flushed: asyncio.Future[int] | None = None
        self._waiters: list[tuple[int, asyncio.Future[None]]] = []

    async def __call__(
        self,
        tag: Tag,
        value: Any,
        *,
        time: int | None = None,
        quality: int = 0,
        server_time: int | None = None,
    ) -> Awaitable[None]:
        await self._wait_for_room()
        self._samples.append((tag.handle, value, time, quality, server_time, ""))
        return self._queued(1)

    async def batch(self, batch: Batch) -> Awaitable[None]:
        synced: Awaitable[None] | None = None
        for start in range(0, max(1, len(batch)), MOST_SAMPLES):
            part = batch if len(batch) <= MOST_SAMPLES else _part(batch, start)
            await self._wait_for_room()
            self._batches.append(part)
            synced = self._queued(len(part))
        assert synced is not None
        return synced

    def _queued(self, samples: int) -> Awaitable[None]:
        self._waiting += samples
        if self._waiting >= MOST_SAMPLES or not self._credit:
            self._room.clear()
        self._outbox.dirty(self, urgent=self._waiting >= MOST_SAMPLES)
        if self._flushed is None:
            self._flushed = asyncio.get_running_loop().create_future()
        return _Synced(self, self._flushed)

    async def _wait_for_room(self) -> None:
        while not self._room.is_set():
            await self._room.wait()

    async def until_synced(self, flushed: asyncio.Future[int]) -> None:
        seq = await asyncio.shield(flushed)
        if seq > self._synced:
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append((seq, waiter))
            await waiter
        if seq in self._refused:
            raise Refused(self._refused[seq])

    def take(self) -> list[Any]:
        """Publications to send now, within the credit."""
        if not self._credit or not self._waiting:
            return []
        batches = [*(of_samples(self._samples) if self._samples else []), *self._batches]
        self._samples, self._batches = [], []
        batches = list(merged(batches, MOST_SAMPLES))
        most = min(self._credit, MOST_AT_ONCE)
        now, later = batches[:most], batches[most:]
        self._batches = later
        self._credit -= len(now)
        publications = [self._publication(batch) for batch in now]
        self._waiting = sum(map(len, later))
        if not later and self._flushed:
            self._flushed.set_result(self._seq)
            self._flushed = None
        self._breathe()
        if later and self._credit:
            self._outbox.dirty(self, urgent=True)
        return publications

    def _publication(self, batch: Batch) -> Any:
        self._seq += 1
        return twin(connector_pb2.Publication)(
            component=self._component, producer_seq=self._seq, batch=encode_batch(batch)
        )

    def _breathe(self) -> None:
        if self._credit and self._waiting < MOST_SAMPLES:
            self._room.set()
        else:
            self._room.clear()

    def receipt(self, credit: int, synced: int, refused: int, text: str) -> None:
        """What the kernel says of earlier publications."""
        self._credit += credit
        if refused:
            self._refused[refused] = text
        if synced > self._synced:
            self._synced = synced
            done = [waiter for seq, waiter in self._waiters if seq <= synced]
            self._waiters = [pair for pair in self._waiters if pair[0] > synced]
            for waiter in done:
                if not waiter.done():
                    waiter.set_result(None)
        self._breathe()
        if self._waiting:
            self._outbox.dirty(self)

    def end(self) -> None:
        """The session is over: nobody waits for ever."""
        lost = ConnectionError("the session ended before the kernel had the samples on disk")
        waiters: list[asyncio.Future[Any]] = [waiter for _, waiter in self._waiters]
        if self._flushed:
            waiters.append(self._flushed)
        for waiter in waiters:
            if not waiter.done():
                waiter.set_exception(lost)
                waiter.exception()  # retrieved: a source that does not care must not log
        self._waiters, self._flushed = [], None


class _Synced:
    """Awaitable that ends when the samples are on disk. No coroutine: it may be dropped without a warning."""

    def __init__(self, sender: Sender, flushed: asyncio.Future[int]) -> None:
        self._sender = sender
        self._flushed = flushed

    def __await__(self) -> Any:
        return self._sender.until_synced(self._flushed).__await__()


class BlockingSend:
    """The same for a `subscribe` that is a plain def on its own thread: calls block."""

    def __init__(self, sender: Sender, loop: asyncio.AbstractEventLoop) -> None:
        self._sender = sender
        self._loop = loop

    def __call__(self, tag: Tag, value: Any, **more: Any) -> Future[None]:
        return self._run(self._sender(tag, value, **more))

    def batch(self, batch: Batch) -> Future[None]:
        return self._run(self._sender.batch(batch))

    def _run(self, call: Any) -> Future[None]:
        async def both() -> Future[None]:
            synced = await call
            done: Future[None] = Future()
            task = asyncio.ensure_future(synced)
            task.add_done_callback(lambda t: _settle(t, done))
            return done

        return asyncio.run_coroutine_threadsafe(both(), self._loop).result()


def _settle(task: asyncio.Future[None], done: Future[None]) -> None:
    error = None if task.cancelled() else task.exception()
    if task.cancelled():
        done.cancel()
    elif error:
        done.set_exception(error)
    else:
        done.set_result(None)


def _part(batch: Batch, start: int) -> Batch:
    return batch.take(np.arange(start, min(start + MOST_SAMPLES, len(batch))))
