"""What a source kept itself: within the times asked for, in order, and the same when it is asked again."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from bedplate.connector.v1 import connector_pb2
from bedplate.testing.conformance.bench import Bench
from bedplate.testing.conformance.check import Failed, check, code_of, expect_code, require
from bedplate.testing.conformance.session import Session, decoded
from bedplate.wire import twin

READ_HISTORY: dict[str, Any] = {"kinds": ("connector",), "needs": "read_history"}
ReadHistory = twin(connector_pb2.ReadHistory)
HOUR = 3600 * 10**9
MOST = 10_000  # samples in a page
PAGES = 500
Samples = dict[int, list[tuple[int, float]]]


async def page_of(session: Session, start: int, end: int, page: bytes = b"") -> Any:
    """One page, whatever the code of its answer."""
    ask = ReadHistory(tags=session.handles, to=end, page=page)
    setattr(ask, "from", start)
    return await session.ask(30.0, read_history=ask)


async def recorded(session: Session, start: int, end: int) -> Samples:
    """(time, value) by handle, of all pages, which are sound. Raises Failed."""
    found: Samples = {}
    page = b""
    for _ in range(PAGES):
        reply = await page_of(session, start, end, page)
        expect_code(reply, "ReadHistory", "OK")
        batches = decoded(reply.read_history.batches, "an answer to ReadHistory")
        require(sum(map(len, batches)) <= MOST, f"a page has more than {MOST:,} samples")
        for batch in batches:
            _sound(session, batch, start, end)
            values = batch.value.tolist()
            for handle, at, value in zip(batch.tags(), batch.times(), values, strict=True):
                found.setdefault(int(handle), []).append((int(at), value))
        page = reply.read_history.next_page
        if not page:
            return found
    raise Failed(f"ReadHistory did not end after {PAGES} pages")


def _sound(session: Session, batch: Any, start: int, end: int) -> None:
    strange = set(batch.tags().tolist()) - set(session.handles)
    require(not strange, f"it has samples of handles {sorted(strange)}, which were not asked for")
    require(len(batch.time) or not len(batch), "its samples have no time of the source")
    outside = np.count_nonzero((batch.times() < start) | (batch.times() >= end))
    require(not outside, f"{outside} of its samples lie outside the times that were asked for")


@check(
    "CON-090",
    "ReadHistory gives what lies within the times asked for, each tag in order, and ends",
    "What was missed goes into a history in this order, and how far it came is known by its newest time.",
    "§3.2 ReadHistory",
    **READ_HISTORY,
)
async def in_order(bench: Bench) -> str:
    session = await bench.session()
    end = time.time_ns()
    found = await recorded(session, end - HOUR, end)
    for handle, samples in found.items():
        times = [at for at, _ in samples]
        require(times == sorted(times), f"the samples of handle {handle} are not in order of time")
    await session.close()
    return f"{sum(map(len, found.values()))} samples of {len(found)} tags"


@check(
    "CON-091",
    "The same question has the same answer, also after one that nobody read to its end",
    "After a cut it is asked again for what did not come; with another answer something would be lost or come twice.",
    "§3.2 ReadHistory",
    **READ_HISTORY,
)
async def again(bench: Bench) -> str:
    session = await bench.session()
    end = time.time_ns() - 60 * 10**9
    first = await recorded(session, end - HOUR, end)
    begun = await page_of(session, end - HOUR, end)
    expect_code(begun, "ReadHistory", "OK")
    second = await recorded(session, end - HOUR, end)
    require(first == second, "the second answer is another one than the first")
    if page := begun.read_history.next_page:
        old = await page_of(session, end - HOUR, end, page)
        require(code_of(old) in ("OK", "REFUSED"), f"an old page is {code_of(old)}, not REFUSED")
    await session.close()
    return f"{sum(map(len, first.values()))} samples, twice the same"
