"""What `read_history` of an author gives, cut into pages: one page per ask, the author's call open in between.

Whatever the author wrote: an async generator, a coroutine, a generator or a plain def. What is no coroutine runs on a
thread of its own, so that a device which answers slowly holds up neither the scans nor the loop.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bedplate.contracts import Bad, Tag
from bedplate.model import Batch
from bedplate.remote.columns import of_rows, text_bytes
from bedplate.remote.samples import row_of
from bedplate.remote.session import on_thread

PAGE = 5000  # samples; the contract allows twice as many
BYTES = 4 << 20  # of texts in a page; a message must stay below 16 MiB
CLOSE_WITHIN = 1.0  # s
_END = object()


@dataclass
class HistoryPage:
    """batches: at most PAGE samples · problems: by handle, why there is nothing · more: another page follows."""

    batches: list[Batch] = field(default_factory=list)
    problems: dict[int, str] = field(default_factory=dict)
    more: bool = True
    samples: int = 0
    bytes: int = 0

    @property
    def full(self) -> bool:
        return self.samples >= PAGE or self.bytes >= BYTES

    def put(self, batch: Batch) -> None:
        self.batches.append(batch)
        self.samples += len(batch)
        self.bytes += text_bytes(batch)


class HistoryAnswer:
    """One that is open. next: what the next ask must bring as its page."""

    def __init__(self, function: Callable[..., Any], tags: list[Tag], times: tuple[int, int]):
        self._function, self._tags, self._times = function, tags, times
        self._handles = {tag.handle for tag in tags}
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="read_history")
        self._given: Any = None
        self._rest: list[Batch] = []
        self._pages = 0

    @property
    def next(self) -> bytes:
        return str(self._pages).encode()

    async def page(self) -> HistoryPage:
        """The next one. Raises what the author raises, ValueError for what is no part of an answer."""
        if self._given is None:
            self._given = await self._begin()
        page = HistoryPage()
        self._fill(page)
        while not page.full:
            item = await self._item()
            if item is _END:
                page.more = False
                break
            self._rest += self._sound(item, page)
            self._fill(page)
        self._pages += 1
        return page

    async def close(self) -> None:
        """Lets the author's call release what it holds, within a second. A thread that hangs is left alone."""
        given, self._given = self._given, None
        try:
            with suppress(OSError):  # TimeoutError too
                async with asyncio.timeout(CLOSE_WITHIN):
                    if inspect.isasyncgen(given):
                        await given.aclose()
                    elif inspect.isgenerator(given):
                        await on_thread(self._threads, given.close)
        finally:
            self._threads.shutdown(wait=False, cancel_futures=True)

    # --- the author ---

    async def _begin(self) -> Any:
        arguments = self._tags, *self._times
        if inspect.isasyncgenfunction(self._function):
            return self._function(*arguments)
        if inspect.iscoroutinefunction(self._function):
            given = await self._function(*arguments)
        else:
            given = await on_thread(self._threads, self._function, *arguments)
        return given if inspect.isasyncgen(given) or inspect.isgenerator(given) else iter(given)

    async def _item(self) -> Any:
        if inspect.isasyncgen(self._given):
            return await anext(self._given, _END)
        return await on_thread(self._threads, next, self._given, _END)

    def _sound(self, item: Any, page: HistoryPage) -> Iterable[Batch]:
        """Batches of what was yielded; a reason why there is nothing goes to the page."""
        batches = [item] if isinstance(item, Batch) else item
        if isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], Tag):
            tag, values = item
            if isinstance(values, Bad):
                page.problems[tag.handle] = values.why or "the source keeps no history of it"
                return
            batches = of_rows([row_of(tag.handle, value) for value in values])
        for batch in batches:
            if not isinstance(batch, Batch):
                raise ValueError(
                    f"read_history yields Batches or (tag, samples), not {batch!r:.80}"
                )
            if len(batch) and not len(batch.time):
                raise ValueError("read_history yields samples with the time of the source")
            if not self._handles.issuperset(np.unique(batch.tag).tolist()):
                raise ValueError("read_history yields a tag that was not asked for")
            yield from _inside(batch, self._times)

    def _fill(self, page: HistoryPage) -> None:
        """As much of what is left as there is room for."""
        while self._rest and not page.full:
            first, room = self._rest[0], PAGE - page.samples
            page.put(first if len(first) <= room else first.take(np.arange(room)))
            if len(first) <= room:
                del self._rest[0]
            else:
                self._rest[0] = first.take(np.arange(room, len(first)))


def _inside(batch: Batch, times: Sequence[int]) -> Iterator[Batch]:
    """Without what lies outside the times, which bounds of a history are."""
    time = batch.times()
    inside = (time >= times[0]) & (time < times[1])
    if inside.all():
        yield batch
    elif inside.any():
        yield batch.take(inside)
