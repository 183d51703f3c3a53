"""(a) the part inside the kernel, without I/O: from the bytes of a publication to a record in the journal's memory.

Ours: decode, `Ingest.take` (handles, types, scale, range), `Spine.append` (position, checksum, newest values, live).
Bare: the same calls of numpy, zlib and `bytes`, one after the other (`bare.KernelWork`).
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from tests.benchmarks import machine
from tests.benchmarks.bare import HIGH, LOW, SIGNALS, KernelWork
from tests.benchmarks.figures import Figure, Target
from tests.benchmarks.plan import Plan

from bedplate.clock import SystemClock
from bedplate.journal.memory import MemoryEngine
from bedplate.model import Batch
from bedplate.runtime.spine import Spine
from bedplate.scan.ingest import Ingest
from bedplate.scan.registry import Declared
from bedplate.scan.rules import Rule
from bedplate.wire import decode_batch, encode_batch

SIZES = (1_000, 10_000)


def publication(size: int) -> Batch:
    tag = np.resize(np.arange(1, SIGNALS + 1, dtype=np.uint32), size)
    return Batch.of(tag, time.time_ns() + np.arange(size), np.random.default_rng(1).random(size))


async def kernel() -> Callable[[bytes], None]:
    engine = MemoryEngine(clock=SystemClock(), keep=4 << 20)
    await engine.open()
    spine = Spine(engine, SystemClock())
    rules = [Rule(f"p/s/t{i}", scale=(0.5, 1.0), range=(LOW, HIGH)) for i in range(SIGNALS)]
    spine.registry.declare(Declared(rule.path, "s") for rule in rules)
    ingest = Ingest("s/live", rules, spine.registry, spine.current)

    def take(encoded: bytes) -> None:
        spine.append(list(ingest.take([decode_batch(encoded)], spine.clock.time_ns())))

    return take


def inside(plan: Plan) -> Iterator[Figure]:
    total = plan.scaled(4_000_000)
    take, work = asyncio.run(kernel()), KernelWork()
    spent: defaultdict[tuple[str, int], list[float]] = defaultdict(list)
    with machine.foreign() as foreign:
        for turn in range(plan.rounds + 1):
            for size in SIZES:
                batch = publication(size)
                encoded = encode_batch(batch)
                columns = batch.tag.tobytes(), batch.time.tobytes(), batch.value.tobytes()
                ways: dict[str, Callable[[], Any]] = {
                    "ours": lambda e=encoded: take(e),
                    "bare": lambda c=columns: work.take(*c, time.time_ns()),
                }
                for name in plan.rotated(list(ways), turn):
                    spent[name, size].append(_cpu(ways[name], total // size) / total * 1e9)
    for size in SIZES:
        ours, bare = spent["ours", size][1:], spent["bare", size][1:]
        ratio = [b / o for o, b in zip(ours, bare, strict=True)]
        what = (
            f"inside the kernel, no I/O, to the same calls of bare numpy, publications of {size:,}"
        )
        yield Figure("a", what, ratio, "x", Target("≥", 0.8), foreign.cores)
        yield Figure(
            "a",
            f"CPU per sample, inside the kernel, publications of {size:,}",
            ours,
            "ns",
            None,
            foreign.cores,
        )


def _cpu(call: Callable[[], Any], times: int) -> float:
    began = time.process_time()
    for _ in range(times):
        call()
    return time.process_time() - began
