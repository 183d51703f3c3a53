"""(a) what the gap ledger costs: from the bytes of an answer, or a publication, to a record in memory, counted or not.

The same tags again and again, one of them Bad throughout, as plants are. Interleaved, compared pair by pair.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from tests.benchmarks import machine
from tests.benchmarks.figures import Figure
from tests.benchmarks.plan import Plan

from bedplate.clock import SystemClock
from bedplate.config.deployment import TagSpec
from bedplate.journal.memory import MemoryEngine
from bedplate.model import Batch, quality
from bedplate.runtime.ledger.account import Account
from bedplate.runtime.ledger.counting import absent, pushed
from bedplate.runtime.lifecycle import State
from bedplate.runtime.spine import Spine
from bedplate.scan.ingest import Ingest
from bedplate.scan.registry import Declared
from bedplate.scan.rules import Rule
from bedplate.wire import decode_batch, encode_batch

TAGS = (20, 1_000)
SECOND = 1_000_000_000


def answer(tags: int) -> bytes:
    codes = np.zeros(tags, np.uint32)
    codes[0] = quality.BAD
    times = np.full(1, time.time_ns())
    values = np.random.default_rng(1).random(tags)
    return encode_batch(Batch.of(np.arange(1, tags + 1, dtype=np.uint32), times, values, codes))


async def ways(tags: int) -> dict[str, Callable[[], Any]]:
    clock = SystemClock()
    engine = MemoryEngine(clock=clock, keep=4 << 20)
    await engine.open()
    spine = Spine(engine, clock)
    rules = [Rule(f"p/t{n}", scale=(0.5, 1.0), range=(-1e9, 1e9)) for n in range(tags)]
    spine.registry.declare(Declared(rule.path, "s") for rule in rules)
    ingest = Ingest("s/live", rules, spine.registry, spine.current)
    polled, pushing = (accounted(tags, clock, pushes=pushes) for pushes in (False, True))
    encoded, asked = answer(tags), np.arange(1, tags + 1)

    def take() -> Batch:
        batch = decode_batch(encoded)
        spine.append(list(ingest.take([batch], clock.time_ns())))
        return batch

    def scan() -> None:
        polled.started(SECOND)
        missing = absent(asked, [take()])
        polled.answered(SECOND, missing, ingest.bad, ingest.bad_version)

    return {
        "not counted": take,
        "a scan": scan,
        "a publication": lambda: pushed(pushing, take(), ingest),
    }


def accounted(tags: int, clock: SystemClock, *, pushes: bool) -> Account:
    account = Account("s", clock, pushes=pushes)
    account.watch([TagSpec(f"t{n}", f"p/t{n}", scan_ns=SECOND) for n in range(tags)])
    account.moved(State.UP, "opened")
    if pushes:
        account.subscribed()
        account.late_before = 1
    else:
        account.begins(SECOND)
    return account


def counted(plan: Plan) -> Iterator[Figure]:
    times = plan.scaled(2_000, 100)
    spent: defaultdict[tuple[str, int], list[float]] = defaultdict(list)
    with machine.foreign() as foreign:
        made = {tags: asyncio.run(ways(tags)) for tags in TAGS}
        for turn in range(plan.rounds + 1):
            for tags in TAGS:
                for name in plan.rotated(list(made[tags]), turn):
                    spent[name, tags].append(_cpu(made[tags][name], times))
    for tags in TAGS:
        plain = spent["not counted", tags][1:]
        for name in ("a scan", "a publication"):
            more = [
                (one - base) * 1e6 for one, base in zip(spent[name, tags][1:], plain, strict=True)
            ]
            what = f"gap ledger: CPU more for {name} of {tags:,} tags"
            yield Figure("a", what, more, "µs", None, foreign.cores)


def _cpu(take: Callable[[], Any], times: int) -> float:
    began = time.process_time()
    for _ in range(times):
        take()
    return (time.process_time() - began) / times
