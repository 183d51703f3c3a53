"""Live.Subscribe: records from now on or after a token, within the credit of the client."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Collection, Sequence
from typing import Any

import grpc.aio
import numpy as np

from bedplate.api.v1 import api_pb2
from bedplate.errors import CallError, ProtocolError
from bedplate.model import Batch, Body, Record
from bedplate.record.v1 import record_pb2
from bedplate.runtime.epochs import by_epoch
from bedplate.runtime.kernel import Kernel
from bedplate.runtime.live import Listener
from bedplate.runtime.subscription import Subscription
from bedplate.server.concerned import Concerned
from bedplate.server.door import Caller, Method
from bedplate.server.known import KnownTags
from bedplate.server.selection import selection
from bedplate.server.shown import Shown
from bedplate.wire import encode_batch, record_message, twin

ACTION = "live.subscribe"
STALL = 30.0  # s without credit, then the client is cut with a token to resume by
FIRST_CREDIT = 8
RESPONSE_BYTES = 1 << 20
TOKEN = struct.Struct("<QQ")
Response = twin(api_pb2.SubscribeResponse)


def resume_token(epoch: int, position: int) -> bytes:
    return TOKEN.pack(epoch, position)


def read_token(token: bytes) -> tuple[int, int]:
    """Epoch and position. Raises ProtocolError when it is no token of ours."""
    if len(token) != TOKEN.size:
        raise ProtocolError("that is no resume token of Bedplate")
    epoch, position = TOKEN.unpack(token)
    return epoch, position


def records_lost(record: Record) -> int:
    """How many records a gap declares lost; 1 where their number is not known."""
    gap = record_pb2.Gap.FromString(record.payload)
    return max(1, gap.last_seq - gap.first_seq + 1 if gap.first_seq else 1)


class LiveService:
    """Serves subscribers."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel, self._known, self._concerned = kernel, KnownTags(kernel), Concerned(kernel)

    def methods(self) -> list[Method]:
        service = "bedplate.api.v1.Live"
        return [
            Method(
                service,
                "Subscribe",
                "both",
                api_pb2.SubscribeRequest,
                ACTION,
                self.subscribe,
            )
        ]

    async def subscribe(self, caller: Caller) -> None:
        first = await caller.read()
        if first is grpc.aio.EOF or first.WhichOneof("what") != "open":
            raise ProtocolError("the first request must be open")
        await caller.check(ACTION, told=", ".join(first.open.selectors))
        seen = await caller.seen(ACTION, self._known.tags())
        shown = Shown(
            selection(list(first.open.selectors), seen),
            self._concerned,
            tags=caller.sight(ACTION),
            events=caller.sight(ACTION),
        )
        await Subscriber(self._kernel, caller, first.open, shown).run()


class Subscriber:
    """One stream. Nothing is chosen for it but by a decision that stands."""

    def __init__(self, kernel: Kernel, caller: Caller, open_: Any, shown: Shown) -> None:
        self._kernel = kernel
        self._caller = caller
        self._open = open_
        self._shown = shown
        self._subscription = Subscription(lambda path: False, events=lambda stream: open_.events)
        self._subscription.use(kernel.spine.registry.table)
        self._credit = open_.credit or FIRST_CREDIT
        self._granted = asyncio.Event()
        self._granted.set()
        self._position = 0  # looked at
        self._told = 0  # and sent, or nothing of it was wanted

    async def run(self) -> None:
        spine = self._kernel.spine
        after = await self._after()
        await self._shown.decide(self._subscription)
        listener, start = spine.live.listen(after)
        self._credits = asyncio.create_task(self._take_credit())
        try:
            self._position = self._told = start if after is None else after
            await self._send_current()
            if after is not None and after < start:
                await self._replay(start)
            await self._follow(listener)
        finally:
            spine.live.leave(listener)
            self._credits.cancel()
            await asyncio.gather(
                self._credits, return_exceptions=True
            )  # it may have seen the end first

    async def _after(self) -> int | None:
        """The position to go on after; None: from now on."""
        if not self._open.resume_token:
            return None
        epoch, position = read_token(self._open.resume_token)
        engine = self._kernel.engine
        if epoch == engine.epoch:
            return min(position, engine.state().appended)
        return await self._survived(epoch, min(position, self._kernel.first_position - 1))

    async def _survived(self, epoch: int, position: int) -> int:
        """The newest position, up to this one, of an epoch up to this one: what a crash took was given out again since,
        for other records."""
        low, high = 0, position
        while low < high:
            middle = (low + high + 1) // 2
            found = await self._kernel.engine.read(middle - 1, records=1)
            if found and found[0].epoch <= epoch:
                low = middle
            else:
                high = middle - 1
        return low

    # --- credit ---

    async def _take_credit(self) -> None:
        try:
            while (request := await self._caller.read()) is not grpc.aio.EOF:
                self._credit += request.credit
                self._granted.set()
        finally:
            self._granted.set()

    async def _send_current(self) -> None:
        if not self._open.current_first:
            return
        while not await self._has_credit():
            pass
        await self._shown.decide(self._subscription)
        table, current = self._kernel.spine.registry.table, self._kernel.spine.current
        tags = [
            t
            for p in table.paths()
            if (t := table.newest(p)) and self._subscription.wanted(t) and current.has(t.handle)
        ]
        handles = np.array([t.handle for t in tags], np.uint32)
        now = self._kernel.clock.time_ns()
        streams = {t.stream for t in tags}
        records = [
            Record(0, "", table.epoch, 0, now, Body.BATCH, encode_batch(b), samples=len(b))
            for b in current.batches(handles)
        ]
        marks = [Record(0, s, table.epoch, 0, now, Body.BATCH, b"") for s in streams]
        tables = self._subscription.tables(marks)
        await self._send(records, tables)

    async def _replay(self, upto: int) -> None:
        """What the journal holds between the token and what memory holds. Positions have no holes: what is missing
        there was trimmed, or could not be read."""
        engine = self._kernel.engine
        while self._position < upto:
            await engine.synced(min(upto, self._position + 1))
            records = [r for r in await engine.read(self._position) if r.position <= upto]
            end = records[-1].position if records else upto
            lost = end - self._position - len(records)
            if not records:
                self._position = end
                await self.pass_on([], lost)
            for run in by_epoch(records):
                await self._subscription.turn(
                    run[0].epoch, self._kernel.spine.registry.table, engine
                )
                await self._shown.decide(self._subscription)
                await self.pass_on([(r, None) for r in run], lost)
                lost = 0
        self._subscription = self._subscription.again()
        self._subscription.use(self._kernel.spine.registry.table)
        self._shown.renew()

    async def _follow(self, listener: Listener) -> None:
        while True:
            await listener.wait()
            fresh = listener.take()
            await self._shown.decide(self._subscription)
            await self.pass_on([(f.record, f.batch) for f in fresh], 0)
            if listener.overrun:
                await self._cut("this client is too slow")
            if not listener.plenty:  # what comes within the rest leaves as one response
                await asyncio.sleep(self._kernel.linger / 2)

    async def pass_on(self, pairs: Sequence[tuple[Record, Batch | None]], lost: int) -> None:
        begin = 0
        while begin < len(pairs) or lost:
            await self._shown.decide(self._subscription)
            rest = (record for record, _ in pairs[begin:])
            hidden = await self._shown.hidden(rest) if self._open.events else set()
            chosen, end, more = self._part(pairs, begin, hidden)
            if (chosen or lost + more) and not await self._has_credit():
                continue  # it had to wait: what may be shown is looked at again
            self._position = max([self._position, *(r.position for r, _ in pairs[begin:end])])
            if chosen or lost + more:
                await self._send(chosen, self._subscription.tables(chosen), lost + more)
            begin, lost = end, 0
        self._told = self._position

    def _part(
        self, pairs: Sequence[tuple[Record, Batch | None]], begin: int, hidden: Collection[int]
    ) -> tuple[list[Record], int, int]:
        """As much as one response holds of what comes from `begin` on; where it ends; how many records are lost in
        it."""
        chosen: list[Record] = []
        size = lost = 0
        for number in range(begin, len(pairs)):
            record, batch = pairs[number]
            if self._subscription.wants_gap(record):
                lost += records_lost(record)
                chosen.append(record)
            elif (
                id(record) not in hidden
                and (one := self._subscription.choose(record, batch)) is not None
            ):
                chosen.append(one)
                size += len(one.payload)
            if size >= RESPONSE_BYTES:
                return chosen, number + 1, lost
        return chosen, len(pairs), lost

    async def _send(self, records: Sequence[Record], tables: Sequence[Any], lost: int = 0) -> None:
        token = resume_token(self._kernel.engine.epoch, self._position)
        response = Response(
            records=map(record_message, records),
            tables=tables,
            resume_token=token,
            lost=lost,
            not_stored=self._kernel.spine.not_stored,
        )
        self._credit -= 1
        await self._caller.write(response)
        self._told = self._position

    async def _has_credit(self) -> bool:
        """Waits until there is some. False: it had to, and much may have changed."""
        waited = False
        while self._credit <= 0:
            waited = True
            if self._credits.done():
                self._credits.result()
            self._granted.clear()
            try:
                async with asyncio.timeout(STALL):
                    await self._granted.wait()
            except TimeoutError:
                await self._cut(f"no credit for {STALL:.0f} s")
        return not waited

    async def _cut(self, why: str) -> None:
        token = resume_token(self._kernel.engine.epoch, self._told)
        self._caller.context.set_trailing_metadata((("bedplate-resume-token-bin", token),))
        raise CallError(f"{why}; resume with the token", code="ABORTED")
