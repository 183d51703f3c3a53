"""`send`: whatever is handed over, granted and confirmed, in whatever order, behaves as a plain list would."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.model.columns import same

from bedplate.contracts import Bad, Tag
from bedplate.errors import Refused
from bedplate.model import Batch
from bedplate.remote import sender as sender_module
from bedplate.remote.kinds import KINDS
from bedplate.remote.outbox import MESSAGE_BYTES, Outbox
from bedplate.remote.sender import BlockingSend, Sender, parts
from bedplate.wire import decode_batch

ROOM = 8  # in place of MOST_SAMPLES
VALUES = st.one_of(
    st.integers(-5, 5), st.floats(), st.text(max_size=40), st.booleans(), st.none(), st.builds(Bad)
)


class Outgoing:
    """An outbox that flushes when it is told to."""

    def __init__(self) -> None:
        self.is_dirty = False

    def dirty(self, source: Any, *, urgent: bool = False) -> None:
        self.is_dirty = True


@dataclass
class Handed:
    """Something handed over. last: number of its last sample; numbers are source times, so that they travel along."""

    tag: int
    last: int
    task: asyncio.Task[Awaitable[None]]
    synced: asyncio.Task[None] | None = None


class Sending(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.room, sender_module.MOST_SAMPLES = sender_module.MOST_SAMPLES, ROOM
        self.loop = asyncio.new_event_loop()
        self.outgoing = Outgoing()
        self.granted = 2
        self.sender = self.run(self._make())
        self.number = 0
        self.handed: list[Handed] = []
        self.sent: dict[int, int] = {}  # number of a sample → producer_seq
        self.order: dict[int, list[int]] = {}  # tag → numbers as they left
        self.seq = 0
        self.synced = 0
        self.refused: set[int] = set()
        self.resolved: list[Handed] = []
        self.ended = False

    async def _make(self) -> Sender:
        return Sender("c", self.outgoing, self.granted)  # type: ignore[arg-type]

    def run(self, call: Any) -> Any:
        return self.loop.run_until_complete(call)

    def turn(self) -> None:
        """Everything that can happen without anybody's doing has happened."""
        for _ in range(10):
            self.run(asyncio.sleep(0))
            for one in self.handed:
                if one.synced is None and one.task.done() and not one.task.exception():
                    one.synced = self.loop.create_task(self._watch(one, one.task.result()))

    async def _watch(self, one: Handed, synced: Awaitable[None]) -> None:
        await synced
        self.resolved.append(one)

    def free(self, tag: int) -> bool:
        return all(one.task.done() for one in self.handed if one.tag == tag)

    def hand(self, tag: int, call: Any) -> None:
        self.handed.append(Handed(tag, self.number, self.loop.create_task(call)))
        self.turn()
        assert not self.ended or isinstance(self.handed[-1].task.exception(), ConnectionError)

    @rule(tag=st.integers(1, 3), value=VALUES)
    def a_sample(self, tag: int, value: Any) -> None:
        if self.free(tag):
            self.number += 1
            self.hand(tag, self.sender(Tag(tag, "t"), value, time=self.number))

    @rule(tag=st.integers(4, 5), count=st.integers(1, 20), text=st.booleans())
    def a_batch(self, tag: int, count: int, text: bool) -> None:
        if self.free(tag):
            times = list(range(self.number + 1, self.number + count + 1))
            self.number += count
            batch = Batch.of([tag], times, ["x"] * count if text else [1.0] * count)
            self.hand(tag, self.sender.batch(batch))

    @rule()
    def a_flush(self) -> None:
        self.outgoing.is_dirty = False
        for publication in self.sender.take():
            assert not self.ended
            assert publication.component == "c"
            assert publication.producer_seq == self.seq + 1
            self.seq += 1
            batch = decode_batch(publication.batch)
            assert 0 < len(batch) <= ROOM
            for tag, number in zip(batch.tags().tolist(), batch.times().tolist(), strict=True):
                assert number not in self.sent
                self.sent[number] = self.seq
                self.order.setdefault(tag, []).append(number)
        self.turn()

    @rule(credit=st.integers(0, 4), ahead=st.integers(0, 5))
    def a_receipt(self, credit: int, ahead: int) -> None:
        self.granted += credit
        self.synced = min(self.seq, self.synced + ahead)
        self.sender.receipt(credit, self.synced, 0, "")
        self.turn()

    @precondition(lambda self: self.seq > self.synced)
    @rule(back=st.integers(0, 3))
    def a_refusal(self, back: int) -> None:
        seq = max(self.synced + 1, self.seq - back)
        self.refused.add(seq)
        self.sender.receipt(0, 0, seq, "no")
        self.turn()

    @rule()
    def the_session_ends(self) -> None:
        self.sender.end()
        self.ended = True
        self.turn()

    @invariant()
    def credit_is_never_exceeded(self) -> None:
        assert self.seq <= self.granted

    @invariant()
    def each_tag_leaves_in_order(self) -> None:
        assert all(numbers == sorted(numbers) for numbers in self.order.values())

    @invariant()
    def what_resolved_is_on_disk_and_in_order(self) -> None:
        assert all(self.sent[one.last] <= self.synced for one in self.resolved)
        for tag in range(1, 6):
            numbers = [one.last for one in self.resolved if one.tag == tag]
            assert numbers == sorted(numbers)

    @invariant()
    def whoever_failed_was_refused_or_outlived_the_session(self) -> None:
        for one in self.handed:
            error = one.synced and one.synced.done() and one.synced.exception()
            if isinstance(error, Refused):
                assert self.refused
            elif error:
                assert isinstance(error, ConnectionError)
                assert self.ended

    def accepted(self) -> list[Handed]:
        return [one for one in self.handed if one.task.done() and not one.task.exception()]

    @invariant()
    def nobody_waits_for_what_will_not_come(self) -> None:
        all_left = all(one.task.done() for one in self.handed) and all(
            one.last in self.sent for one in self.accepted()
        )
        for one in self.handed:
            if self.ended:
                assert one.task.done()
                assert one.synced is None or one.synced.done()
            elif one in self.accepted() and all_left and self.synced == self.seq:
                assert one.synced is not None
                assert one.synced.done()

    @invariant()
    def what_waits_to_leave_is_known_to_the_outbox(self) -> None:
        if any(one.last not in self.sent for one in self.accepted()) and self.seq < self.granted:
            assert self.outgoing.is_dirty or self.ended

    def teardown(self) -> None:
        try:
            if not self.ended:
                self._drain()
                assert sorted(self.sent) == list(range(1, self.number + 1))
            self.sender.end()
            self.turn()
            assert all(one.task.done() for one in self.handed)
            assert all(one.synced is None or one.synced.done() for one in self.handed)
            self.ended = True
            self.whoever_failed_was_refused_or_outlived_the_session()
        finally:
            sender_module.MOST_SAMPLES = self.room
            self.loop.close()

    def _drain(self) -> None:
        for _ in range(self.number + 2):
            self.a_receipt(4, 4)
            self.a_flush()
            self.nobody_waits_for_what_will_not_come()


TestSending = Sending.TestCase
TestSending.settings = settings(deadline=None, max_examples=120, stateful_step_count=40)


# single cases ---------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def sender_and_messages(credit: int = 8) -> Iterator[tuple[Sender, list[Any]]]:
    messages: list[Any] = []
    outbox = Outbox(KINDS["connector"], messages.append, 0.001)
    yield Sender("c", outbox, credit), messages


async def test_a_wrong_sample_fails_in_the_call_and_nothing_after_it() -> None:
    with sender_and_messages() as (sender, messages):
        for wrong in (1.5, "now", 2**63):
            with pytest.raises(ValueError, match=r"must be an int|does not fit"):
                await sender(Tag(1, "t"), 1.0, time=wrong)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="takes a Batch, not list"):
            await sender.batch([1.0])  # type: ignore[arg-type]
        await sender(Tag(1, "t"), object())
        await sender(Tag(2, "t"), 2.0)
        async with asyncio.timeout(5):
            while not messages:
                await asyncio.sleep(0.001)

    (publication,) = messages[0].publications
    batch = decode_batch(publication.batch)
    assert batch.tag.tolist() == [1, 2]
    assert batch.qualities().tolist()[1] == 0
    assert batch.qualities().tolist()[0] != 0


async def test_an_empty_batch_has_nothing_to_wait_for() -> None:
    with sender_and_messages() as (sender, _):
        async with asyncio.timeout(1):
            await (await sender.batch(Batch.of([], [], [])))


async def test_texts_leave_in_publications_of_bounded_size() -> None:
    with sender_and_messages() as (sender, messages):
        await sender.batch(Batch.of([1], [1], ["x" * 400_000] * 7))
        sent: list[Batch] = []
        async with asyncio.timeout(10):
            while sum(map(len, sent)) < 7:
                await asyncio.sleep(0.001)
                sent = [decode_batch(p.batch) for m in messages for p in m.publications]

    assert all(len(batch.value.joined) <= 1 << 20 for batch in sent)


async def test_a_message_stays_far_below_what_the_contract_allows() -> None:
    messages: list[Any] = []
    outbox = Outbox(KINDS["connector"], messages.append, 0.001)
    senders = [Sender(f"c{i}", outbox, 64) for i in range(8)]
    numbers = Batch.of([1], np.arange(100_000), np.zeros(100_000), np.zeros(100_000))
    tasks = [asyncio.create_task(sender.batch(numbers)) for sender in senders]
    async with asyncio.timeout(20):
        await asyncio.gather(*tasks)
        while sum(len(p.batch) for m in messages for p in m.publications) < 8 * 100_000 * 20:
            await asyncio.sleep(0.001)

    assert max(message.ByteSize() for message in messages) < MESSAGE_BYTES + (1 << 20)


async def test_a_blocking_source_is_freed_when_the_session_ends() -> None:
    loop = asyncio.get_running_loop()
    with sender_and_messages(credit=0) as (sender, _), ThreadPoolExecutor(1) as threads:
        send = BlockingSend(sender, loop)

        def source() -> str:
            first = send(Tag(1, "t"), 1.0)
            try:
                send(Tag(1, "t"), 2.0)  # no credit: waits
            except ConnectionError as error:
                assert isinstance(first.exception(timeout=5), ConnectionError)
                return str(error)
            return "took it"

        running = loop.run_in_executor(threads, source)
        async with asyncio.timeout(10):
            while not sender._waiting:
                await asyncio.sleep(0.001)
            sender.end()
            assert "session ended" in await running


def test_parts_are_the_batch() -> None:
    batch = Batch.of([1], np.arange(25_000), np.arange(25_000))
    pieces = list(parts(batch))

    assert [len(piece) for piece in pieces] == [10_000, 10_000, 5_000]
    assert np.concatenate([piece.value for piece in pieces]).tolist() == batch.value.tolist()
    (whole,) = parts(Batch.of([1], [1], ["x" * (3 << 20)]))
    assert same(whole, Batch.of([1], [1], ["x" * (3 << 20)]))
