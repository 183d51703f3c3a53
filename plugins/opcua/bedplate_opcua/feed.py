"""From a server's subscription to the kernel: what `subscribe` does.

Owns: first values, monitored items, nodes that are not there, the hand-over within the kernel's credit.
Rule: everything runs until the connection is lost. A tag whose node is missing harms only itself and is tried again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from bedplate import Batch, Refused, Send, Tag
from bedplate_opcua.backlog import Backlog
from bedplate_opcua.limits import Limits
from bedplate_opcua.nodes import BAD_NODE_ID_UNKNOWN, Nodes
from bedplate_opcua.publishing import Publisher
from bedplate_opcua.reading import Reader
from bedplate_opcua.session import Session
from bedplate_opcua.stack import code_name
from bedplate_opcua.subscription import Subscriptions
from bedplate_opcua.together import until_one_ends
from bedplate_opcua.values import Values
from bedplate_opcua.watching import Watch

MOST_WAITING: Final = 100_000
TRY_AGAIN: Final = 60.0
GONE: Final = (0x8033_0000, BAD_NODE_ID_UNKNOWN)
"""BadNodeIdInvalid, BadNodeIdUnknown: the node is not there (any more)."""


class Feed:
    """One subscribe. values: makes a gatherer."""

    def __init__(
        self,
        session: Session,
        limits: Limits,
        nodes: Nodes,
        values: Callable[[], Values],
        note: Callable[[str], None],
    ) -> None:
        self._session = session
        self._limits = limits
        self._nodes = nodes
        self._values = values
        self._note = note
        self._missing: dict[int, int] = {}  # handle → StatusCode of the refusal, 0: vanished
        self._refused: dict[int, int] = {}  # the last time
        self.backlog = Backlog(MOST_WAITING)
        self._told_dropped = 0
        self.subscriptions = Subscriptions(session, limits, nodes, note)
        self.publisher = Publisher(session, values, self._receive, note, time.monotonic)

    async def run(self, tags: Sequence[Tag], send: Send) -> None:
        """Sends until the connection is lost. Raises ConnectionError or TimeoutError."""
        watch = Watch(self._session, self.publisher, self.subscriptions, self._note, time.monotonic)
        await until_one_ends(
            self._session.lost(),
            self._publish(),
            watch.run(),
            self._monitor(tags),
            self._hand_over(send),
        )

    # what comes ----------------------------------------------------------------------------------------------------

    async def _publish(self) -> None:
        await self.subscriptions.born.wait()
        await self.publisher.run()

    async def _monitor(self, tags: Sequence[Tag]) -> None:
        """First values, then monitored items for all tags; then, for ever, those that were missing."""
        handles = [tag.handle for tag in tags]
        self._receive(
            await Reader(self._session, self._limits, self._nodes, self._values).read(handles)
        )
        self._missing = {}
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

    async def _add(self, tags: Sequence[Tag]) -> None:
        for tag in tags:
            self._missing.pop(tag.handle, None)
        refused = await self.subscriptions.add(tags)
        self._missing |= refused
        self._tell_refused({h: c for h, c in refused.items() if self._refused.get(h) != c})
        self._refused = refused

    def _receive(self, batches: Sequence[Batch]) -> None:
        dropped = self.backlog.put(batches)
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
        refused = 0
        while True:
            batch = await self.backlog.take()
            try:
                await send.batch(batch)
            except Refused as error:
                refused += 1
                if refused == 1:
                    self._note(f"the kernel does not take some values: {error}")
