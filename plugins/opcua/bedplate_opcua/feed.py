"""From a server's subscription to the kernel: what `subscribe` does.

Owns: first values, monitored items, nodes that are not there, the hand-over within the kernel's credit, and what the
kernel says of it.
Rule: everything runs until the connection is lost. A tag whose node is missing harms only itself and is tried again.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final

import numpy as np

from bedplate import Batch, Refused, Send, Tag
from bedplate_opcua.acknowledging import Message
from bedplate_opcua.lease import Lease
from bedplate_opcua.limits import Limits
from bedplate_opcua.nodes import BAD_NODE_ID_UNKNOWN, Nodes
from bedplate_opcua.publishing import Publisher
from bedplate_opcua.reading import Reader
from bedplate_opcua.session import Session
from bedplate_opcua.stack import code_name
from bedplate_opcua.subscription import Subscriptions
from bedplate_opcua.takeover import Takeover
from bedplate_opcua.together import until_one_ends
from bedplate_opcua.values import Values
from bedplate_opcua.watching import Watch

TRY_AGAIN: Final = 60.0
LAST_WORD: Final = 0.5
"""Seconds; twice the usual journal.sync."""
MOST_RECEIPTS: Final = 10_000
LISTEN: Final = 1.0
"""Seconds after a takeover in which a tag that changed has come; the others are read."""
GONE: Final = (0x8033_0000, BAD_NODE_ID_UNKNOWN)
"""BadNodeIdInvalid, BadNodeIdUnknown: the node is not there (any more)."""


class Feed:
    """One subscribe. values: makes a gatherer · lease: what the last session left, and what this one will leave."""

    def __init__(
        self,
        session: Session,
        limits: Limits,
        nodes: Nodes,
        values: Callable[[], Values],
        note: Callable[[str], None],
        lease: Lease,
    ) -> None:
        self._session = session
        self._limits = limits
        self._nodes = nodes
        self._values = values
        self._note = note
        self._lease = lease
        self._missing = lease.missing  # handle → StatusCode of the refusal, 0: vanished
        self._refused: dict[int, int] = {}  # the last time
        self.backlog = lease.backlog
        self._acknowledgements = lease.acknowledgements
        self._acknowledgements.note = note
        self.backlog.gone = self._acknowledgements.settled
        self._told_dropped = 0
        self._told_refusal = False
        self._receipts: deque[tuple[Awaitable[None], Message | None]] = deque(maxlen=MOST_RECEIPTS)
        self._handed_over = asyncio.Event()
        self.subscriptions = Subscriptions(session, limits, nodes, note, lease.subscriptions)
        self.publisher = Publisher(session, values, self._published, note, time.monotonic, lease)

    async def run(self, tags: Sequence[Tag], send: Send) -> None:
        """Sends until the connection is lost. Raises ConnectionError or TimeoutError."""
        watch = Watch(self._session, self.publisher, self.subscriptions, self._note, time.monotonic)
        try:
            await until_one_ends(
                self._session.lost(),
                self._publish(),
                watch.run(),
                self._monitor(tags),
                self._hand_over(send),
                self._settle(),
            )
        except OSError:
            await self._last_word()
            raise

    # what comes ----------------------------------------------------------------------------------------------------

    async def _publish(self) -> None:
        await self.subscriptions.born.wait()
        await self.publisher.run()

    async def _monitor(self, tags: Sequence[Tag]) -> None:
        """The subscription of the session before, or first values and monitored items for all tags; then, for ever,
        those that were missing."""
        handles = [tag.handle for tag in tags]
        wanted = await self._taken_over(tags)
        if wanted is None:
            self._receive(await self._read(handles))
            wanted = list(tags)
        while True:
            await self._add(wanted)
            await asyncio.sleep(TRY_AGAIN)
            gone = [h for h, code in self._missing.items() if code == 0]
            await self.subscriptions.remove(gone)
            if any(handle not in self._nodes.ids for handle in self._missing):
                self._nodes.resolve(await self._limits.learn(self._session))
            await self._nodes.learn_types(self._session, self._limits, self._missing)
            wanted = [tag for tag in tags if tag.handle in self._missing]

    async def _read(self, handles: Sequence[int]) -> list[Batch]:
        return await Reader(self._session, self._limits, self._nodes, self._values).read(handles)

    async def _taken_over(self, tags: Sequence[Tag]) -> list[Tag] | None:
        """Tags that are still without a monitored item, once what the server had for us goes on; None: nothing does."""
        takeover = Takeover(self._session, self.publisher, self._lease, self._note)
        if not await takeover.run():
            return None
        handles = [tag.handle for tag in tags]
        silent = self._unchanged(await self._read(handles))
        self._lease.came[:] = False
        self._receive(silent)
        self._lease.saw(silent)
        self.subscriptions.born.set()
        intervals = [one.interval for one in self._lease.subscriptions.values()]
        await asyncio.sleep(max(LISTEN, 2 * max(intervals)))
        silent_still = [handle for handle in handles if not self._lease.came[handle]]
        if silent_still:
            self._receive(await self._read(silent_still))
        return [tag for tag in tags if tag.handle in self._missing]

    def _unchanged(self, batches: Sequence[Batch]) -> list[Batch]:
        """Of the present values those that came before the session was lost: they say that nothing happened. The
        others the subscription brings, with what was before them."""
        parts = []
        for batch in batches:
            same = self._lease.newest[batch.tags()] == batch.times()
            if same.any():
                parts.append(batch.take(same))
        return parts

    async def _add(self, tags: Sequence[Tag]) -> None:
        for tag in tags:
            self._missing.pop(tag.handle, None)
        if tags:
            self._lease.whole = False
        refused = await self.subscriptions.add(tags)
        self._lease.whole = True
        self._missing |= refused
        self._tell_refused({h: c for h, c in refused.items() if self._refused.get(h) != c})
        self._refused = refused

    def _published(self, batches: Sequence[Batch], message: Message | None) -> None:
        self._lease.saw(batches)
        self._receive(batches, message)

    def _receive(self, batches: Sequence[Batch], message: Message | None = None) -> None:
        dropped = self.backlog.put(batches, message)
        if dropped and not self._told_dropped:
            self._note(
                f"the kernel is slow: more than {self.backlog.limit} values wait, the oldest are dropped"
            )
        self._told_dropped += dropped
        for batch in batches:
            if batch.quality is not None:
                self._look_for_vanished(batch)

    def _look_for_vanished(self, batch: Batch) -> None:
        """A node that vanished says so once; its item is made anew when the node is back."""
        codes = batch.qualities() & np.uint32(0xFFFF_0000)
        hit = np.isin(codes, np.array(GONE, np.uint32))
        if hit.any():
            for handle in batch.tags()[hit].tolist():
                self._missing.setdefault(handle, 0)

    def _tell_refused(self, refused: dict[int, int]) -> None:
        """Bad samples for what will not come, and one sentence per reason; not again while it stays so."""
        values = self._values()
        reasons: dict[int, list[str]] = {}
        for handle, code in refused.items():
            values.put(handle, code)
            reasons.setdefault(code, []).append(self._nodes.tags[handle].name)
        self.backlog.put(values.batches())
        for code, names in reasons.items():
            some = ", ".join(names[:5]) + (" …" if len(names) > 5 else "")
            self._note(
                f"{code_name(code)} for {len(names)} tags ({some}); asked again every {TRY_AGAIN:.0f} s"
            )

    # what goes on --------------------------------------------------------------------------------------------------

    async def _hand_over(self, send: Send) -> None:
        while True:
            batch, message = await self.backlog.take()
            try:
                receipt = await send.batch(batch)
            except BaseException:
                self.backlog.back(batch, message)
                raise
            self._receipts.append((receipt, message))
            self._handed_over.set()

    async def _settle(self) -> None:
        """What the kernel has on disk the server may forget; what it refused is not acknowledged."""
        while True:
            await self._handed_over.wait()
            while self._receipts:
                await self._settle_one()
            self._handed_over.clear()

    async def _settle_one(self) -> None:
        first = self._receipts[0]
        try:
            await first[0]
        except Refused as error:
            if not self._told_refusal:
                self._told_refusal = True
                self._note(f"the kernel does not take some values: {error}")
        else:
            for message in (*self._lease.doubtful, first[1]):  # all that came before is on disk too
                self._acknowledgements.settled(message)
            self._lease.doubtful.clear()
        if self._receipts and self._receipts[0] is first:
            self._receipts.popleft()

    async def _last_word(self) -> None:
        """Of what was handed over the kernel may say for a moment that it is on disk."""
        with suppress(TimeoutError, OSError):
            async with asyncio.timeout(LAST_WORD):
                while self._receipts:
                    await self._settle_one()
        self._lease.doubtful += [message for _, message in self._receipts if message is not None]
