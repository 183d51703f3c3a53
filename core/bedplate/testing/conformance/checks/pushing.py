"""Pushing: publications within the credit, numbered, and nothing forgotten before it is on disk."""

from __future__ import annotations

import asyncio
from typing import Any

from bedplate.testing.conformance.bench import Bench
from bedplate.testing.conformance.check import Failed, NotApplicable, check, expect_code, require
from bedplate.testing.conformance.session import Session, decoded

SUBSCRIBE: dict[str, Any] = {"kinds": ("connector",), "needs": "subscribe"}
QUIET = 1.0  # s without anything that count as nothing


@check(
    "CON-020",
    "Nothing is published before Subscribe",
    "Subscribe is how the kernel says that it is ready to take what comes.",
    "§3.2 Subscribe",
    **SUBSCRIBE,
)
async def nothing_before(bench: Bench) -> str:
    session = await bench.session()
    await asyncio.sleep(0.5)
    require(not session.published, f"{len(session.published)} publications before Subscribe")
    await session.close()
    return "none"


@check(
    "CON-021",
    "Without credit nothing is published",
    "Credit is the only thing between a fast source and the memory of the kernel.",
    "§3.2 Credit",
    **SUBSCRIBE,
)
async def no_credit(bench: Bench) -> str:
    session = await bench.session(credit=0)
    await session.subscribe()
    await asyncio.sleep(QUIET)
    require(not session.published, f"{len(session.published)} publications without any credit")
    session.kernel.receipt(session.component, credit=1)
    await session.publications(1)
    await session.close()
    return "none until credit was granted"


@check(
    "CON-022",
    "It is never ahead by more than the credit",
    "A window of eight means eight records under way, however long the kernel takes for a receipt.",
    "§3.2 Credit",
    **SUBSCRIBE,
)
async def within_the_window(bench: Bench) -> str:
    session = await bench.session(credit=2)
    await session.subscribe()
    await session.publications(1)
    await asyncio.sleep(QUIET)
    granted = 2
    require(
        len(session.published) <= granted,
        f"{len(session.published)} publications with a credit of 2",
    )
    for _ in range(3):
        session.kernel.receipt(session.component, credit=1)
        granted += 1
        await session.publications(min(granted - 1, len(session.published) + 1))
        await asyncio.sleep(0.1)
        require(
            len(session.published) <= granted,
            f"{len(session.published)} publications with {granted} granted",
        )
    await session.close()
    return f"{len(session.published)} of {granted}"


@check(
    "CON-023",
    "Credit that is granted is used",
    "A source that stops for ever once its first credit is used up looks like a device without news.",
    "§3.2 Credit",
    **SUBSCRIBE,
)
async def credit_is_used(bench: Bench) -> str:
    session = await bench.session(credit=1)
    await session.subscribe()
    for count in range(1, 4):
        await session.publications(count)
        session.kernel.receipt(session.component, credit=1)
    await session.close()
    return f"{len(session.published)} publications, one credit at a time"


@check(
    "CON-024",
    "Publications are numbered 1, 2, 3 … in each session",
    "The number is how the kernel finds a hole, and how it says what is on disk.",
    "§3.2 Connectors",
    **SUBSCRIBE,
)
async def numbered(bench: Bench) -> str:
    for _ in range(2):
        session = await bench.session(credit=100)
        await session.subscribe()
        published = await session.publications(3)
        numbers = [p.producer_seq for p in published]
        require(numbers == list(range(1, len(numbers) + 1)), f"producer_seq {numbers[:10]}")
        await session.close()
    return "from 1 in both sessions"


@check(
    "CON-025",
    "Publications hold handles of Open.tags, in sound batches",
    "A handle that nobody gave out means nothing, and the batch is a fault.",
    "§3.2 Connectors",
    **SUBSCRIBE,
)
async def own_handles(bench: Bench) -> str:
    session = await bench.session()
    await session.subscribe()
    batches = decoded([p.batch for p in await session.publications(1)], "a publication")
    await session.close()
    require(all(len(batch) for batch in batches), "a publication without a sample")
    seen = {h for batch in batches for h in batch.tags().tolist()}
    strange = seen - set(session.handles)
    require(not strange, f"handles {sorted(strange)[:5]} are none of Open.tags")
    return f"{sum(map(len, batches))} samples of {len(seen)} tags"


@check(
    "CON-026",
    "After Close nothing comes",
    "The session is over; what still came would belong to nobody, or to the next session.",
    "§3.1 Close",
    **SUBSCRIBE,
)
async def nothing_after(bench: Bench) -> str:
    session = await bench.session(credit=1000)
    await session.subscribe()
    await session.publications(1)
    expect_code(await session.close(), "Close", "OK")
    before = len(session.published)
    await asyncio.sleep(QUIET)
    more = len(session.published) - before
    require(not more, f"{more} publications after the answer to Close")
    return f"{before} before, none after"


@check(
    "CON-027",
    "A source that is lost is told",
    "A Note with `lost` is how the kernel learns of it; silence looks like a device without news.",
    "§3.1 Asks of every kind",
    **SUBSCRIBE,
)
async def lost_is_told(bench: Bench) -> str:
    proxy = bench.device()
    session = await bench.session()
    await session.subscribe()
    await session.publications(1)
    await proxy.refuse()

    def told() -> list[Any]:
        notes = session.kernel.notes
        return [n for n in notes if n.component == session.component and n.lost]

    try:
        note = (await session.kernel.until(told, 30, "note"))[0]
    except (TimeoutError, ConnectionError) as error:
        raise Failed(f"the connection was cut, and no Note with `lost` came: {error}") from None
    require(note.code in (0, 3), "a connection that is lost is UNREACHABLE, and it says FAULT")
    await session.close()
    return str(note.text)[:100]


@check(
    "CON-028",
    "What is not yet on disk comes again",
    "A source that can replay must not be told to forget before the kernel has said that it is on disk.",
    "§3.2 Credit",
    **SUBSCRIBE,
)
async def replays(bench: Bench) -> str:
    if bench.subject.replay == "none":
        raise NotApplicable("it declares replay = none")
    first = await _seen(bench, synced=False)
    second = await _seen(bench, synced=False)
    require(first[0] in second, f"{first[0]} was never synced, and it did not come again")
    return f"{len(first)} samples, not synced: they came again"


async def _seen(bench: Bench, *, synced: bool) -> list[tuple[int, Any]]:
    """Times and values of the first publications of a new life."""
    run = await bench.fresh()
    session: Session = await bench.session(run.kernel, "kit-replay", credit=2)
    await session.subscribe()
    batches = decoded([p.batch for p in await session.publications(1)], "a publication")
    if synced:
        session.kernel.receipt(session.component, synced=1)
    await run.stop()
    return [
        pair
        for batch in batches
        for pair in zip(batch.times().tolist(), batch.value.tolist(), strict=True)
    ]
