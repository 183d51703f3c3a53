"""Keeping and querying: readers of the journal, and the answers of a history."""

from __future__ import annotations

import asyncio
import math
from typing import Any

from bedplate.connector.v1 import connector_pb2
from bedplate.model import quality
from bedplate.testing.conformance.bench import Bench
from bedplate.testing.conformance.check import (
    Failed,
    NotApplicable,
    check,
    expect_code,
    require,
)
from bedplate.testing.conformance.session import Session, decoded
from bedplate.testing.runs import ProcessRun
from bedplate.testing.stretch import Journal
from bedplate.wire import twin

DELIVER: dict[str, Any] = {"kinds": ("connector",), "needs": "deliver"}
QUERY: dict[str, Any] = {"kinds": ("connector",), "needs": "query"}
Deliver, Query = twin(connector_pb2.Deliver), twin(connector_pb2.Query)
START = 1_790_000_000 * 10**9  # 2026-09-21
SECOND = 10**9
COUNT = 50


def path_of(session: Session) -> str:
    """A tag that no other check delivers."""
    return f"kit/{session.component}/value"


def filled(journal: Journal, path: str, first: int = 0, count: int = COUNT) -> list[Any]:
    """Records of one sample each, a second apart. Value n at second n; one NaN, one Bad, one Uncertain."""
    records = []
    for n in range(first, first + count):
        value = math.nan if n == 3 else float(n)
        code = {4: quality.BAD_DEVICE_FAILURE, 5: quality.UNCERTAIN}.get(n, 0)
        records.append(journal.samples(path, [START + n * SECOND], [value], [code]))
    return records


async def deliver(session: Session, journal: Journal, records: list[Any], until: int = 0) -> int:
    """The position it says is durable."""
    message = Deliver(records=records, tables=[journal.table()], until=until or journal.position)
    reply = await session.ask(20.0, deliver=message)
    expect_code(reply, f"Deliver of {len(records)} records", "OK")
    return int(reply.deliver.position)


async def asked(session: Session, path: str, **more: Any) -> list[tuple[int, float, int]]:
    """Samples of all pages: time, value, quality. Checks the form of the pages."""
    words = {"from": START, "to": START + 86_400 * SECOND, **more}
    reply = await session.ask(20.0, query=Query(selectors=[path], **words))
    expect_code(reply, "Query", "OK")
    pages = session.kernel.replies[reply.answer.id]
    for page in pages[:-1]:
        require(page.query.next_page, "a page that is not the last has no next_page")
        expect_code(page, "a page of Query", "OK")
    samples: list[tuple[int, float, int]] = []
    for page in pages:
        known = {tag.handle for tag in page.query.tags}
        for batch in decoded(page.query.batches, "an answer to Query"):
            strange = set(batch.tags().tolist()) - known
            require(not strange, f"a page uses handles {sorted(strange)} that its tags do not name")
            columns = batch.times().tolist(), batch.value.tolist(), batch.qualities().tolist()
            samples += zip(*columns, strict=True)
    return samples


@check(
    "CON-050",
    "The position it names never goes back, and never ahead of what it was given",
    "The kernel trims its journal by it. A position too high loses records for ever.",
    "§3.2 Deliver",
    **DELIVER,
)
async def position_is_honest(bench: Bench) -> str:
    session = await bench.session()
    journal = Journal()
    last = 0
    for part in range(5):
        records = filled(journal, path_of(session), part * 10, 10)
        position = await deliver(session, journal, records)
        require(position <= journal.position, f"position {position} of {journal.position} given")
        require(position >= last, f"position {position} after {last}")
        last = position
    await session.close()
    return f"{last} of {journal.position}"


@check(
    "CON-051",
    "A stretch without records is taken",
    "Most of a journal is for others; `until` alone says how far the kernel has come.",
    "§3.2 Deliver",
    **DELIVER,
)
async def empty_stretch(bench: Bench) -> str:
    session = await bench.session()
    journal = Journal()
    position = await deliver(session, journal, [], until=100)
    require(position <= 100, f"position {position} with until = 100")
    await session.close()
    return f"position {position}"


@check(
    "CON-052",
    "What comes again does not count twice",
    "After a crash the kernel repeats from the last position it heard of. A sum that grows by that is wrong.",
    "§3.2 Deliver",
    **DELIVER,
)
async def not_twice(bench: Bench) -> str:
    if "query" not in bench.subject.capabilities:
        raise NotApplicable("it declares no `query`, so that nobody can count")
    session = await bench.session()
    journal, path = Journal(), path_of(session)
    records = filled(journal, path)
    await deliver(session, journal, records)
    once = await asked(session, path)
    position = await deliver(session, journal, records)
    require(position <= journal.position, f"position {position} of {journal.position} given")
    twice = await asked(session, path)
    require(len(twice) == len(once), f"{len(once)} samples, and {len(twice)} once they came again")
    await session.close()
    return f"{len(once)} samples, given twice"


@check(
    "CON-053",
    "The position it names survives its crash",
    "That is what the word durable means: after kill -9 it goes on there, and nothing before is missing.",
    "§3.2 Deliver",
    placements=("process",),
    **DELIVER,
)
async def survives(bench: Bench) -> str:
    run = await bench.process()
    session = await bench.session(run.kernel, "kit-survivor")
    journal, path = Journal(), path_of(session)
    position = 0
    for part in range(5):
        records = filled(journal, path, part * 10, 10)
        position = await deliver(session, journal, records)
    await run.kill()
    again: ProcessRun = await bench.process()
    session = await bench.session(again.kernel, "kit-survivor", position=position)
    kept = int(session.reply.open.position)
    told = f"it named position {position}, and after kill -9 it opens at {kept}"
    require(kept >= position or not kept, told)
    if "query" in bench.subject.capabilities and position:
        samples = await asked(session, path)
        require(len(samples) >= position, f"{told}: {len(samples)} of {position} samples are left")
    await session.close()
    return f"position {position}; after kill -9 {kept}"


@check(
    "CON-060",
    "What was delivered is what is answered",
    "Values, times and qualities as they were: NaN stays NaN, Bad stays Bad.",
    "§3.2 Query",
    **QUERY,
)
async def answers_are_true(bench: Bench) -> str:
    session, path, _ = await _kept(bench)
    found = await asked(session, path)
    require(len(found) == COUNT, f"{len(found)} samples of {COUNT} that were delivered")
    for n, (time, value, _) in enumerate(found):
        require(time == START + n * SECOND, f"sample {n} has the time {time}")
        require(math.isnan(value) if n == 3 else value == n, f"sample {n} has the value {value}")
    codes = (found[4][2] & 0xC0000000, found[5][2] & 0xC0000000)
    require(codes == (quality.BAD, quality.UNCERTAIN), "a Bad or Uncertain sample lost its quality")
    await session.close()
    return f"{len(found)} samples"


async def _kept(bench: Bench) -> tuple[Session, str, Journal]:
    """A session with COUNT samples of a path in it, and the journal they are from.

    Raises NotApplicable for a connector that is only asked."""
    if "deliver" not in bench.subject.capabilities:
        raise NotApplicable("it declares no `deliver`: what it holds is not known")
    session = await bench.session()
    path = path_of(session)
    journal = Journal()
    await deliver(session, journal, filled(journal, path))
    for _ in range(50):
        if len(await asked(session, path)) >= COUNT:
            break
        await asyncio.sleep(0.05)
    return session, path, journal


@check(
    "CON-061",
    "A range includes its start and excludes its end",
    "Two questions side by side must give each sample once.",
    "§3.2 Query",
    **QUERY,
)
async def half_open(bench: Bench) -> str:
    session, path, _ = await _kept(bench)
    middle = START + 20 * SECOND
    first = await asked(session, path, to=middle)
    second = await asked(session, path, **{"from": middle})
    counts = (len(first), len(second))
    require(counts == (20, COUNT - 20), f"{counts[0]} before second 20 and {counts[1]} from it on")
    await session.close()
    return f"{counts[0]} and {counts[1]}"


@check(
    "CON-062",
    "A question about nothing is answered with nothing",
    "No such tag, or no samples then: an answer, and no error.",
    "§3.2 Query",
    **QUERY,
)
async def nothing(bench: Bench) -> str:
    session = await bench.session()
    found = await asked(session, "kit/no/such/tag")
    require(not found, f"{len(found)} samples of a tag that nobody delivered")
    await session.close()
    return "nothing"


@check(
    "CON-063",
    "Query runs beside the others",
    "Somebody's question about a year must not hold up what is delivered meanwhile.",
    "§3 Asks and answers",
    **QUERY,
)
async def beside(bench: Bench) -> str:
    session, path, journal = await _kept(bench)
    words = {"from": START, "to": START + 86_400 * SECOND}
    kernel = session.kernel
    queries = [
        kernel.post(session.component, 20.0, query=Query(selectors=[path], **words))
        for _ in range(20)
    ]
    await deliver(session, journal, filled(journal, f"{path}2"))
    for one in queries:
        try:
            expect_code(await kernel.answer(one, 30.0), "one of 20 queries at once", "OK")
        except TimeoutError as error:
            raise Failed(f"one of 20 queries at once: {error}") from None
    await session.close()
    return "20 queries and a Deliver at once"
