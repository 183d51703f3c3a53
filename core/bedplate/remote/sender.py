"""`send` of a source that pushes: columns within the credit, and word when they are on disk.

What is handed over leaves in order, at most one publication per credit. Nothing that an author hands over may fail
later than in his call: the outbox sends for all components. After a cut what the kernel did not store leaves first.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import numpy as np

from bedplate.contracts import Sample, Tag
from bedplate.errors import Refused
from bedplate.model import Batch, Strings
from bedplate.remote.columns import merged, of_rows, text_bytes
from bedplate.remote.kept import Kept
from bedplate.remote.outbox import Outbox
from bedplate.remote.samples import MOST_BYTES, Row, row_of
from bedplate.wire import encode_batch

MOST_AT_ONCE = 16  # publications at a time, so that other components have their turn
MOST_SAMPLES = 10_000  # a publication holds at most so many, so that no ask waits behind more than a window of them
MOST_TEXT = 1 << 20  # bytes of texts in a publication, unless one of them is longer
SAMPLE_BYTES = 64  # so much text counts as one more sample
REMEMBERED = 1000  # refusals
LOST = "the session ended before the kernel had the samples on disk"


@dataclass(slots=True)
class Flush:
    """What leaves together. seqs: ends with its producer_seqs once all of it has left · left: publications to go."""

    seqs: asyncio.Future[range]
    left: int = 0
    first: int = 0

    def sent(self, seq: int) -> None:
        self.first = self.first or seq
        self.left -= 1
        if not self.left:
            self.seqs.set_result(range(self.first, seq + 1))


class Sender:
    """One per session. Runs on the plugin's loop. kept: of the component, where sessions outlive a stream."""

    def __init__(
        self, component: str, outbox: Outbox, credit: int, kept: Kept | None = None
    ) -> None:
        self._outbox = outbox
        self._credit = credit
        self._kept = Kept(component, keeps=False) if kept is None else kept
        self._again: deque[Any] = deque()
        self._cut = False
        self._synced = 0
        self._refused: dict[int, str] = {}
        self._rows: list[Row] = []
        self._batches: list[Batch] = []
        self._ready: deque[tuple[Batch, Flush]] = deque()
        self._waiting = 0
        self._ended = False
        self._room = asyncio.Event()
        self._room.set()
        self._flush: Flush | None = None  # of what is handed over now
        self._waiters: list[tuple[range, asyncio.Future[None]]] = []

    async def __call__(
        self,
        tag: Tag,
        value: Any,
        *,
        time: int | None = None,
        quality: int = 0,
        server_time: int | None = None,
    ) -> Awaitable[None]:
        row = row_of(tag.handle, Sample(value, time, quality, server_time))
        await self._wait_for_room()
        self._rows.append(row)
        text = len(row.value) if isinstance(row.value, (str, bytes)) else 0
        return self._queued(1 + text // SAMPLE_BYTES)

    async def batch(self, batch: Batch) -> Awaitable[None]:
        if not isinstance(batch, Batch):
            raise ValueError(f"send.batch takes a Batch, not {type(batch).__name__}")
        if isinstance(batch.value, Strings) and batch.value.longest() > MOST_BYTES:
            raise ValueError(f"a value of more than {MOST_BYTES} bytes")
        synced: Awaitable[None] = Nothing()
        for part in parts(batch):
            await self._wait_for_room()
            self._settle()
            self._batches.append(part)
            synced = self._queued(_weight(part))
        return synced

    def _queued(self, weight: int) -> Awaitable[None]:
        self._waiting += weight
        self._breathe()
        self._outbox.dirty(self, urgent=self._waiting >= MOST_SAMPLES)
        if self._flush is None:
            self._flush = Flush(asyncio.get_running_loop().create_future())
        return Synced(self, self._flush.seqs)

    async def _wait_for_room(self) -> None:
        while not self._room.is_set():
            await self._room.wait()
        if self._ended:
            raise ConnectionError(LOST)

    async def until_synced(self, flushed: asyncio.Future[range]) -> None:
        """Raises ConnectionError when the session ends first, Refused when the kernel does not take the samples."""
        seqs = await asyncio.shield(flushed)
        if not self._known(seqs):
            if self._ended:
                raise ConnectionError(LOST)
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append((seqs, waiter))
            await waiter
        if refusals := [self._refused[seq] for seq in seqs if seq in self._refused]:
            raise Refused(refusals[0])

    def _known(self, seqs: range) -> bool:
        """Whether the kernel has said what became of these."""
        return seqs[-1] <= self._synced or any(seq in self._refused for seq in seqs)

    def _settle(self) -> None:
        """Single samples as batches, in their place before what comes next."""
        rows, self._rows = self._rows, []
        self._batches += of_rows(rows)

    def cut(self) -> None:
        """The stream is gone: nothing leaves, but what may be handed over may be handed over."""
        self._cut = True

    def go_on(self, credit: int, synced: int) -> None:
        """On this stream. synced: up to there the kernel has all publications on disk, the rest leaves again."""
        self._cut, self._credit = False, credit
        self._again = deque(self._kept.after(synced))
        self.receipt(0, synced, 0, "")
        self._outbox.dirty(self, urgent=bool(self._again))

    def take(self) -> list[Any]:
        """Publications to send now, within the credit."""
        if self._ended or not self._credit or self._cut:
            return []
        publications: list[Any] = []
        most = min(self._credit, MOST_AT_ONCE)
        while self._again and len(publications) < most:
            publications.append(self._again.popleft())
        if not self._again:
            self._make_ready()
        while self._ready and not self._again and len(publications) < most:
            publications.append(self._publication(*self._ready.popleft()))
        self._credit -= len(publications)
        self._weigh()
        self._breathe()
        if (self._again or self._ready) and self._credit:
            self._outbox.dirty(self, urgent=True)
        return publications

    def _weigh(self) -> None:
        if not self._again:  # till then what was handed over has not been counted anew
            self._waiting = sum(_weight(batch) for batch, _ in self._ready)

    def _make_ready(self) -> None:
        self._settle()
        pieces = [part for batch in self._batches for part in parts(batch)]
        batches = list(merged(pieces, MOST_SAMPLES, MOST_TEXT))
        if batches and self._flush:
            self._flush.left = len(batches)
            self._ready.extend((batch, self._flush) for batch in batches)
        self._batches, self._flush = [], None

    def _publication(self, batch: Batch, flush: Flush) -> Any:
        publication = self._kept.publication(encode_batch(batch))
        flush.sent(publication.producer_seq)
        return publication

    def _breathe(self) -> None:
        if self._ended or (self._credit and self._waiting < MOST_SAMPLES):
            self._room.set()
        else:
            self._room.clear()

    def receipt(self, credit: int, synced: int, refused: int, text: str) -> None:
        """What the kernel says of earlier publications."""
        self._credit += credit
        self._synced = max(self._synced, synced)
        self._kept.forget(synced)
        if refused:
            self._kept.drop(refused)
            self._refused[refused] = text
            if len(self._refused) > REMEMBERED:
                del self._refused[next(iter(self._refused))]
        if synced or refused:
            done = [pair for pair in self._waiters if self._known(pair[0])]
            self._waiters = [pair for pair in self._waiters if not self._known(pair[0])]
            for _, waiter in sorted(done, key=lambda pair: pair[0][-1]):
                if not waiter.done():
                    waiter.set_result(None)
        self._breathe()
        if self._waiting or self._again:
            self._outbox.dirty(self)

    def end(self) -> None:
        """The session is over: nobody waits for ever, and nothing of it leaves any more."""
        self._ended = True
        flushes = [flush for _, flush in self._ready] + ([self._flush] if self._flush else [])
        waiters: list[asyncio.Future[Any]] = [waiter for _, waiter in self._waiters]
        for waiter in waiters + [flush.seqs for flush in flushes]:
            if not waiter.done():
                waiter.set_exception(ConnectionError(LOST))
                waiter.exception()  # retrieved: a source that does not care must not log
        self._waiters, self._flush = [], None
        self._ready.clear()
        self._again.clear()
        self._rows, self._batches, self._waiting = [], [], 0
        self._breathe()


class Synced:
    """Awaitable that ends when the samples are on disk. No coroutine: it may be dropped without a warning."""

    def __init__(self, sender: Sender, flushed: asyncio.Future[range]) -> None:
        self._sender = sender
        self._flushed = flushed

    def __await__(self) -> Any:
        return self._sender.until_synced(self._flushed).__await__()


class Nothing:
    """Awaitable for no samples: they are on disk."""

    def __await__(self) -> Any:
        yield from ()


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
            task.add_done_callback(lambda t: _hand_on(t, done))
            return done

        return asyncio.run_coroutine_threadsafe(both(), self._loop).result()


def _hand_on(task: asyncio.Future[None], done: Future[None]) -> None:
    error = None if task.cancelled() else task.exception()
    if task.cancelled():
        done.cancel()
    elif error:
        done.set_exception(error)
    else:
        done.set_result(None)


def _weight(batch: Batch) -> int:
    """How much it counts towards MOST_SAMPLES."""
    return len(batch) + text_bytes(batch) // SAMPLE_BYTES


def parts(batch: Batch) -> Iterator[Batch]:
    """The batch in pieces that a publication may hold; nothing of an empty one."""
    n = len(batch)
    if n > MOST_SAMPLES:
        for start in range(0, n, MOST_SAMPLES):
            yield from parts(batch.take(np.arange(start, min(start + MOST_SAMPLES, n))))
    elif n > 1 and text_bytes(batch) > MOST_TEXT:
        yield from parts(batch.take(np.arange(n // 2)))
        yield from parts(batch.take(np.arange(n // 2, n)))
    elif n:
        yield batch
