"""A connector that takes records from the journal: a history, a broker, a file. At least once, in order."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

from bedplate.config.deployment import Component
from bedplate.errors import CallError, JournalError
from bedplate.journal.engine import Commit
from bedplate.model import Record, Selector
from bedplate.plugin.v1 import plugin_pb2
from bedplate.remote.attachment import Attachment
from bedplate.runtime import requests
from bedplate.runtime.buffer import SinkBuffer
from bedplate.runtime.dead_letters import DeadLetters
from bedplate.runtime.epochs import by_epoch
from bedplate.runtime.handing_over import hand_over, historical
from bedplate.runtime.role import Bug, Role, Unreachable
from bedplate.runtime.spine import Spine
from bedplate.runtime.subscription import Subscription
from bedplate.wire import record_message

DELIVER_WITHIN = 60.0  # s; a history that seals may take its time
QUERY_WITHIN = 60.0  # s between two pages
COMMIT_EVERY = 2.0  # s
RELIEVE_EVERY = 2.0  # s between two looks whether it lags too far behind
LOOK_EVERY = 5.0  # s between two looks whether the journal is full …
ROOM_EVERY = 1.0  # … and while it is
FURTHEST = 2**53  # position; a million records a second reach it in 285 years
RECORDS, SIZE = 4000, 4 << 20
Settings = Callable[[], tuple[Mapping[str, Any], Mapping[str, bytes]]]


class Reader(Role):
    """Reads the journal from its cursor on. position: delivered; durable: survives a crash of the reader."""

    def __init__(
        self,
        component: Component,
        spine: Spine,
        capabilities: Sequence[str],
        settings: Settings,
        linger: float,
    ) -> None:
        super().__init__(component, spine)
        self._settings = settings
        self._linger = linger
        self._own_cursor = "query" in capabilities
        selector = Selector(component.deliver)
        self._subscription = Subscription(
            selector.matches,
            all_=selector.all,
            events=lambda stream: selector.all,
            gaps=True,
            past=True,
        )
        self.position = 0
        self._live = 0  # durable of what was delivered
        self._kept: Mapping[str, bytes] = {}
        self._acked = {False: 0, True: 0}  # newest position that it named in this session, by lane
        self._committed = 0.0
        self._turn = asyncio.Lock()  # either something is delivered, or given up
        self.letters = DeadLetters(component, spine)
        self.buffer = None if self._own_cursor else SinkBuffer(component, spine, self._subscription)

    @property
    def durable(self) -> int:
        """Nothing up to here is needed any more."""
        return self._live

    async def open_message(self) -> Any:
        settings, secrets = self._settings()
        self.position, self._kept = await self.spine.engine.cursor(self.component.id)
        return requests.open_connector(
            self.component,
            (),
            settings,
            secrets,
            epoch=self.spine.engine.epoch,
            linger=self._linger,
            position=self.position,
        )

    async def serve(self, attachment: Attachment, reply: Any) -> None:
        self._begin(reply)
        self.spine.engine.advance(self.position)
        self._subscription = self._subscription.again()
        while True:
            await self._step(attachment)

    def _begin(self, reply: Any) -> None:
        """Where this session goes on."""
        if self._own_cursor or reply.open.position:
            self.position = plausible(reply.open.position)
        if self.buffer:
            self.position = max(self.position, self.buffer.upto)
        self._live = self.position
        self._acked = {False: 0, True: 0}

    async def _step(self, attachment: Attachment) -> None:
        if not await self._news():
            await self._deliver_nothing(attachment)
            return
        async with self._turn:
            for records in by_epoch(
                await self.spine.engine.read(self.position, records=RECORDS, size=SIZE)
            ):
                await self._deliver(attachment, records)

    async def _deliver(self, attachment: Attachment, records: Sequence[Record]) -> None:
        until = records[-1].position
        said = await self._offer(attachment, self._subscription, records)
        if said is not None:
            self._live = max(self._live, said)
        elif self._live == self.position:
            self._live = until
        self.position = until
        self._commit()

    async def _offer(
        self,
        attachment: Attachment,
        subscription: Subscription,
        records: Sequence[Record],
        *,
        backlog: bool = False,
    ) -> int | None:
        """Hands over what it wants of these. Returns the newest position that it says is durable, 0: it says nothing,
        None: it wants nothing of them."""
        epoch = records[0].epoch
        await subscription.turn(epoch, self.spine.registry.table, self.spine.engine)
        chosen = [r for r in map(subscription.choose, records) if r is not None]
        if not chosen:
            return None
        tables = subscription.tables(chosen)

        async def hand(records: Sequence[Record], until: int) -> int:
            told = [tables.pop() for _ in range(len(tables))][::-1]  # once, also when refused
            messages = map(record_message, map(historical, records) if backlog else records)
            ask = requests.Deliver(records=messages, tables=told, until=until, backlog=backlog)
            reply = await self.ask(attachment, DELIVER_WITHIN, deliver=ask)
            self.figures.produced += sum(record.samples for record in records)
            return self._acknowledged(reply.deliver.position, until, backlog=backlog)

        return await hand_over(hand, chosen, records[-1].position, self.letters)

    async def _news(self) -> bool:
        """True: there are records. False: a moment has passed, and the journal needs to know how far it is durable."""
        engine = self.spine.engine
        asks = engine.state().full and self.durable < self.position
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ROOM_EVERY if asks else LOOK_EVERY):
                await engine.wait(self.position)
                return True
        return False

    async def _deliver_nothing(self, attachment: Attachment) -> None:
        """What a reader has made durable meanwhile it says in its next answer only; without room none would come."""
        if self.spine.engine.state().full and self.durable < self.position:
            ask = requests.Deliver(until=self.position)
            reply = await self.ask(attachment, DELIVER_WITHIN, deliver=ask)
            said = self._acknowledged(reply.deliver.position, self.position)
            self._live = max(self._live, said)
            self._commit()

    async def keep_relieved(self) -> None:
        """Gives up what is beyond its buffer, whether it is there or not, and tells of what it refused. Until it is
        cancelled."""
        while True:
            with contextlib.suppress(JournalError):
                await self._relieve()
            self.letters.look()
            await asyncio.sleep(RELIEVE_EVERY)

    async def _relieve(self) -> None:
        async with self._turn:
            if self.buffer:
                loss = await self.buffer.relieve(self.durable)
                self.figures.dropped += loss.samples
                self._given_up(self.buffer.upto)

    def _given_up(self, upto: int) -> None:
        """It gets nothing any more up to here."""
        self._live, self.position = max(self._live, upto), max(self.position, upto)

    def _acknowledged(self, position: int, until: int, *, backlog: bool = False) -> int:
        """The position that it says is durable; 0 says nothing. Raises Bug for less than it said before, and for what
        it was not given: what it acknowledges may be trimmed from the journal."""
        acked = self._acked[backlog]
        if position > until:
            raise Bug(f"acknowledged position {position:,}, and was given none beyond {until:,}")
        if 0 < position < acked:
            raise Bug(f"acknowledged position {position:,} after {acked:,}")
        self._acked[backlog] = max(acked, position)
        return position

    def _commit(self) -> None:
        """Its cursor, from time to time: a lost one only means that records come again."""
        now = self.spine.clock.monotonic()
        if now - self._committed >= COMMIT_EVERY:
            self._committed = now
            self.spine.append((), Commit(self.component.id, self.durable, self._states()))

    def _states(self) -> Mapping[str, bytes]:
        """What goes with its cursor."""
        return {}

    async def query(self, query: Any) -> AsyncIterator[Any]:
        """Pages of an answer, as twin messages. Raises CallError when there is none to be had now."""
        if self.attachment is None:
            raise CallError(f"{self.component.id} is not up", code="UNAVAILABLE")
        replies = self.attachment.stream(self.component.id, QUERY_WITHIN, query=query)
        try:
            async for reply in replies:
                if reply.answer.code != plugin_pb2.CODE_OK:
                    raise CallError(
                        reply.answer.text or "the history failed", code=_grpc(reply.answer.code)
                    )
                yield reply.query
        except TimeoutError as error:
            raise CallError(f"{self.component.id}: {error}", code="DEADLINE_EXCEEDED") from error
        except (Unreachable, ConnectionError) as error:
            raise CallError(f"{self.component.id}: {error}", code="UNAVAILABLE") from error


def plausible(position: int) -> int:
    """A cursor may be ahead of a journal that was deleted, so the next record comes after it: never so far ahead that
    the numbers run out. Raises Bug."""
    if position > FURTHEST:
        raise Bug(f"its cursor is at position {position:,}, which no journal ever reaches")
    return position


def _grpc(code: int) -> str:
    names: dict[int, str] = {
        plugin_pb2.CODE_INVALID: "INVALID_ARGUMENT",
        plugin_pb2.CODE_UNREACHABLE: "UNAVAILABLE",
        plugin_pb2.CODE_REFUSED: "FAILED_PRECONDITION",
    }
    return names.get(code, "INTERNAL")
