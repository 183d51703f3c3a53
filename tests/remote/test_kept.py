"""What a plugin elsewhere keeps for a cut: bounded, in order, and told in the handles of the day."""

from __future__ import annotations

import asyncio
from typing import Any

from bedplate.contracts import Tag
from bedplate.model import Batch
from bedplate.remote.kept import Kept
from bedplate.remote.kinds import KINDS
from bedplate.remote.outbox import Outbox
from bedplate.remote.sender import MOST_SAMPLES, Sender
from bedplate.wire import decode_batch, encode_batch

TAG = Tag(1, "number", "a")


async def test_what_is_kept_for_a_cut_is_bounded_by_the_credit() -> None:
    messages: list[Any] = []
    outbox = Outbox(KINDS["connector"], messages.append, 0.001, redials=True)
    kept = Kept("c", keeps=True)
    sender = Sender("c", outbox, 8, kept)

    async def push() -> None:
        for number in range(100_000):
            await sender(TAG, number)
            if number % 100 == 0:
                await asyncio.sleep(0.002)

    pushing = asyncio.create_task(push())
    await asyncio.sleep(0.2)
    sender.cut()
    await asyncio.sleep(0.3)
    handed_over = sender._waiting

    assert len(kept) == 8
    assert handed_over <= MOST_SAMPLES
    assert not pushing.done(), "the source waits"
    sent = [p.producer_seq for message in messages for p in message.publications]
    messages.clear()
    sender.go_on(8, sent[2])
    await asyncio.sleep(0.1)
    again = [p.producer_seq for message in messages for p in message.publications]
    assert again[:5] == sent[3:], "the same again, in order, before what is new"
    assert again == list(range(again[0], again[0] + len(again)))
    assert len(again) == 8
    pushing.cancel()


def test_what_is_kept_is_told_in_the_handles_of_the_next_session() -> None:
    kept = Kept("c", keeps=True)
    kept.use({1: "a", 2: "b", 3: "c"})
    kept.publication(encode_batch(Batch.of([1, 2, 3, 2], [5, 6, 7, 8], [1.0, 2.0, 3.0, 4.0])))
    kept.use({})  # of a session that only browses
    kept.use({1: "b", 2: "new", 3: "a"})
    (publication,) = kept.after(0)
    batch = decode_batch(publication.batch)

    assert publication.producer_seq == 1
    assert batch.tags().tolist() == [3, 1, 1], "c is gone"
    assert batch.times().tolist() == [5, 6, 8]
    assert batch.value.tolist() == [1.0, 2.0, 4.0]


def test_what_is_on_disk_or_refused_is_not_kept() -> None:
    kept = Kept("c", keeps=True)
    for _ in range(5):
        kept.publication(encode_batch(Batch.of([1], [1], [1.0])))
    kept.forget(2)
    kept.drop(4)

    assert [one.producer_seq for one in kept.after(2)] == [3, 5]
