"""What the embedded engine costs, next to the engine in memory: CPU per sample, time to a sync, bytes to the disk.

A turn is what one sync writes. CPU is that of the whole process: numbering, checksums, SQLite and the kernel's I/O.
Foreign CPU is what other processes took of the machine meanwhile; figures above a tenth of a core are not quiet.
"""

from __future__ import annotations

import os
import shutil
import time
from collections import defaultdict
from pathlib import Path
from statistics import median

import numpy as np
import pytest

from bedplate.clock import SystemClock
from bedplate.journal.embedded import EmbeddedEngine
from bedplate.journal.engine import Commit, Engine, Entry
from bedplate.journal.memory import MemoryEngine
from bedplate.model import Batch, Body
from bedplate.wire import encode_batch

pytestmark = [pytest.mark.bench, pytest.mark.timeout(900)]

ROUNDS = 9
SHAPES = {  # records a turn, samples a record, turns a round: enough to fill the log more than once
    "10,000 a record": (1, 10_000, 250),
    "5 of 10,000": (5, 10_000, 50),
    "1,000 a record": (1, 1_000, 1500),
    "10 of 1,000": (10, 1_000, 250),
    "200 of 50": (200, 50, 250),
    "1,500/s at 250 ms": (10, 37, 3000),
}


def entries(records: int, samples: int) -> list[Entry]:
    source = np.random.default_rng(samples)
    batch = Batch.of(
        source.integers(0, 1000, samples), np.arange(samples) * 1_000_000, source.random(samples)
    )
    payload = encode_batch(batch)
    return [
        Entry(f"press-{number}/live", Body.BATCH, payload, time.time_ns(), samples=samples)
        for number in range(records)
    ]


async def measure(engine: Engine, records: int, samples: int, turns: int) -> dict[str, float]:
    """One round: append, commit a cursor, wait until synced, again. Trims to the last 240 turns, every 40."""
    some = entries(records, samples)
    await engine.open()
    written, foreign, taken = engine.state().bytes_written, foreign_cpu(), []
    start, cpu = time.perf_counter(), time.process_time()
    for turn in range(turns):
        before = time.perf_counter()
        last = engine.append(some, Commit("history", turn * records))[-1].position
        await engine.synced(last)
        taken.append(time.perf_counter() - before)
        if turn % 40 == 39:
            await engine.trim(last - 240 * records)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - start
    written = engine.state().bytes_written - written
    await engine.close()
    total = records * samples * turns
    return {
        "CPU ns/sample": cpu / total * 1e9,
        "p50 ms": float(np.percentile(taken, 50)) * 1e3,
        "p99 ms": float(np.percentile(taken, 99)) * 1e3,
        "written/payload": written / (turns * sum(len(entry.payload) for entry in some)),
        "foreign cores": (foreign_cpu() - foreign - cpu) / wall,
    }


def foreign_cpu() -> float:
    """CPU seconds of all processes since boot."""
    user, nice, system, *_ = Path("/proc/stat").read_text().split("\n")[0].split()[1:]
    return sum(map(int, (user, nice, system))) / os.sysconf("SC_CLK_TCK")


async def test_cost_of_the_embedded_engine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rounds: defaultdict[tuple[str, str], list[dict[str, float]]] = defaultdict(list)
    for _ in range(ROUNDS):
        for shape, (records, samples, turns) in SHAPES.items():
            folder = tmp_path / "journal"
            embedded = EmbeddedEngine(folder, sync=3600, clock=SystemClock())
            rounds[shape, "embedded"].append(await measure(embedded, records, samples, turns))
            shutil.rmtree(folder)
            memory = MemoryEngine(clock=SystemClock(), keep=16 << 20)
            rounds[shape, "memory"].append(await measure(memory, records, samples, turns))
    with capsys.disabled():
        show(rounds)


def show(rounds: dict[tuple[str, str], list[dict[str, float]]]) -> None:
    columns = list(next(iter(rounds.values()))[0])
    print(f"\n{'':19}{'engine':10}" + "".join(f"{name:>24}" for name in columns))
    for (shape, engine), found in rounds.items():
        cells = []
        for name in columns:
            values = [one[name] for one in found]
            cells.append(f"{median(values):10.3f} ({min(values):.2f}–{max(values):.2f})")
        print(f"{shape:19}{engine:10}" + "".join(f"{cell:>24}" for cell in cells))
