"""(g): bytes that reach the disk at 1,500 samples/s, for journal and history, as Linux counts them per process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

from tests.benchmarks import machine
from tests.benchmarks.figures import Figure
from tests.benchmarks.plan import Plan
from tests.benchmarks.plant import devices, plant
from tests.benchmarks.steady import SETTLE, TAGS, taken
from tests.benchmarks.test_journal_engine import SHAPES, measure

from bedplate.clock import SystemClock
from bedplate.journal.embedded import EmbeddedEngine

DEVICES = 30
SAMPLE = 20  # bytes: a tag (4), a time (8) and a value (8), as numbers
SECONDS = 120.0
HISTORY = """
  history: {use: history, deliver: ["**"], folder: history, seal: {age: 30s}}
"""


def disk(plan: Plan) -> Iterator[Figure]:
    """Seals every 30 s, so that several fall into the two minutes; the usual five minutes write fewer, larger files."""
    text = devices(DEVICES, TAGS) + HISTORY
    with machine.foreign() as foreign, plant(plan.folder / "disk", text) as running:
        time.sleep(SETTLE)
        pids = {"journal": running.kernel, "history": running.others["history"]}
        before, samples = {n: machine.written(p) for n, p in pids.items()}, taken(running)
        time.sleep(max(2.0, SECONDS * plan.scale))
        samples = taken(running) - samples
        bytes_ = {
            name: (machine.written(pid) - before[name]) / samples for name, pid in pids.items()
        }
    what = f"{DEVICES * TAGS:,} samples/s: bytes to the disk for each of the {SAMPLE} of a sample"
    yield Figure("g", what, [sum(bytes_.values()) / SAMPLE], "x", None, foreign.cores)
    for name, found in bytes_.items():
        yield Figure("g", f"… of it {name}", [found / SAMPLE], "x", None, foreign.cores)


def journal(plan: Plan) -> Iterator[Figure]:
    """The engine alone: a turn is what one sync writes."""
    for name in ("1,500/s at 250 ms", "10 of 1,000"):
        records, samples, turns = SHAPES[name]
        found = []
        with machine.foreign() as foreign:
            for number in range(plan.rounds):
                folder = plan.folder / f"engine{number}"
                engine = EmbeddedEngine(folder, sync=3600, clock=SystemClock())
                count = plan.scaled(turns, 50)
                found.append(asyncio.run(measure(engine, records, samples, count)))
        values = [one["CPU ns/sample"] for one in found]
        yield Figure(
            "g", f"journal alone, {name}: CPU per sample", values, "ns", None, foreign.cores
        )
        values = [one["written/payload"] for one in found]
        what = f"journal alone, {name}: bytes to the disk for each of payload"
        yield Figure("g", what, values, "x", None, foreign.cores)
