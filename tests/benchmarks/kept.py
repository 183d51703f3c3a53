"""(b) and (d): the history alone, beside DuckDB on the same data and the same files; current values through the API.

The plant of 1,000 tags, the deliveries and the statements of bare DuckDB are those of the history's own benchmark.
"""

from __future__ import annotations

import shutil
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import grpc
import numpy as np
from plugins.history.tests import bench_history as bench
from tests.benchmarks import machine
from tests.benchmarks.figures import Figure, Target
from tests.benchmarks.plan import Plan
from tests.benchmarks.plant import Plant, devices, plant
from tests.benchmarks.steady import SETTLE

from bedplate.api.v1 import api_pb2
from bedplate.contracts import Aggregate, Query

WIDTH, EVERY = 600_000_000_000, 6_000_000_000  # ns: ten minutes in a hundred windows
CALLS = 20


def sealed(plan: Plan) -> Iterator[Figure]:
    """Deliveries of the journal to sealed files, against INSERT of the same rows in commits of 10,000."""
    rows = plan.scaled(3_000_000, bench.ROWS)
    records = [bench.record(second, False) for second in range(rows // bench.ROWS)]
    tables = [bench.arrow(one, False) for one in records]
    ours, ratios, sizes = [], [], []
    with machine.foreign() as foreign:
        for turn in range(plan.rounds + 1):
            folder, file = plan.folder / "ours", plan.folder / "theirs.db"
            calls = {
                "ours": lambda f=folder: bench.ours(f, records),
                "theirs": lambda f=file: bench.theirs(f, tables),
            }
            seconds = {
                name: bench.timed(calls[name])[0] for name in plan.rotated(list(calls), turn)
            }
            if turn:  # the first warms up
                ours.append(rows / seconds["ours"] / 1e6)
                ratios.append(seconds["theirs"] / seconds["ours"])
                sizes.append(bench.size(folder) / file.stat().st_size)
            _clear(plan.folder)
    yield Figure("b", "journal → sealed alone", ours, "M/s", None, foreign.cores)
    what = "journal → sealed alone, to DuckDB INSERT in commits of 10,000"
    yield Figure("b", what, ratios, "x", Target("≥", 2), foreign.cores)
    yield Figure(
        "b", "bytes kept, to those of a DuckDB file", sizes, "x", Target("≤", 0.65), foreign.cores
    )


def _clear(place: Path) -> None:
    shutil.rmtree(place / "ours")
    for left in place.glob("theirs.db*"):
        left.unlink()


def asked(plan: Plan) -> Iterator[Figure]:
    """One tag over ten minutes in a hundred windows, out of 50 million samples of 1,000 tags."""
    rows = plan.scaled(50_000_000, bench.ROWS)
    folder = plan.folder / "asked"
    bench.build(folder, rows)
    history = bench.opened(folder, seal={"age": "1h"})
    with machine.foreign() as foreign:
        spent = _asked(plan, history, folder, rows // bench.ROWS)
    history.close()
    for name, times in spent.items():
        millis = [t * 1000 for t in times["ours"]]
        ratios = [a / b for a, b in zip(times["ours"], times["bare"], strict=True)]
        what = f"{rows / 1e6:.0f} M samples, one tag, ten minutes, 100 windows, {name}"
        yield Figure("d", what, millis, "ms", None, foreign.cores)
        yield Figure(
            "d", "… to bare DuckDB on the same files", ratios, "x", Target("≤", 2), foreign.cores
        )


def _asked(plan: Plan, history: Any, folder: Path, last: int) -> dict[str, dict[str, list[float]]]:
    files = sorted(map(str, (folder / "samples").glob("*.parquet")))
    bare = duckdb.connect(config={"threads": 2})
    bare.execute("SET parquet_metadata_cache = true")
    rng = np.random.default_rng(11)
    found: dict[str, dict[str, list[float]]] = {}
    for aggregate in (Aggregate.AVERAGE, Aggregate.MAXIMUM, Aggregate.LAST):
        spent: defaultdict[str, list[float]] = defaultdict(list)
        sql = bench.BARE.format(what=bench.WHATS[aggregate])
        for turn in range(plan.rounds + 2):  # two warm up
            path = bench.PATHS[int(rng.integers(bench.TAGS))]
            start = bench.BEGIN + int(rng.integers(max(1, last - 600))) * 1_000_000_000
            start -= start % EVERY
            query = Query((path,), start, start + WIDTH, EVERY, aggregate)
            words = {
                "path": path,
                "start": start,
                "end": start + WIDTH,
                "every": EVERY,
                "files": files,
            }
            calls = {
                "ours": lambda q=query: list(history.query(q)),
                "bare": lambda s=sql, w=words: bare.execute(s, w).fetchnumpy(),
            }
            for name in plan.rotated(list(calls), turn):
                spent[name].append(bench.timed(calls[name])[0])
        found[aggregate.name.lower()] = {name: times[2:] for name, times in spent.items()}
    return found


def current(plan: Plan) -> Iterator[Figure]:
    """The newest value of each of 1,000 tags, by Live.Current."""
    count = plan.scaled(20, 10)
    walls, cpus = [], []
    with (
        machine.foreign() as foreign,
        plant(plan.folder / "current", devices(count, 50)) as running,
    ):
        time.sleep(min(SETTLE, plan.seconds))
        for _ in range(plan.rounds + 1):
            wall, cpu = _current(running)
            walls.append(wall)
            cpus.append(cpu)
    what = f"current values of {count * 50:,} tags by the API"
    yield Figure("d", f"{what}: CPU of the kernel", cpus[1:], "ms", Target("<", 5), foreign.cores)
    yield Figure("d", f"{what}: round trip", walls[1:], "ms", None, foreign.cores)


def _current(running: Plant) -> tuple[float, float]:
    """Wall (median) and CPU of the kernel (mean) of a call, ms. The answer is not decoded."""
    metadata = (("authorization", f"Bearer {running.endpoint.token}"),)
    spent = []
    with grpc.insecure_channel(running.endpoint.address) as channel:
        call = channel.unary_stream(
            "/bedplate.api.v1.Live/Current",
            request_serializer=api_pb2.CurrentRequest.SerializeToString,
            response_deserializer=lambda encoded: encoded,
        )
        list(call(api_pb2.CurrentRequest(), metadata=metadata))
        cpu = machine.cpu(running.kernel)
        for _ in range(CALLS):
            began = time.perf_counter()
            list(call(api_pb2.CurrentRequest(), metadata=metadata))
            spent.append(time.perf_counter() - began)
        cpu = machine.cpu(running.kernel) - cpu
    return statistics.median(spent) * 1000, cpu / CALLS * 1000
