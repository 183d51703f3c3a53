"""(e): CPU per value of our connectors to that of their protocol library alone, by the plugins' own benchmarks."""

from __future__ import annotations

import asyncio
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from plugins.modbus.tests import bench_modbus
from plugins.opcua.tests import bench_opcua
from tests.benchmarks import machine
from tests.benchmarks.figures import Figure, Target
from tests.benchmarks.plan import Plan

MONITORED = ((1_000, 0.1), (5_000, 0.5))
"""Monitored items, and seconds between two changes of each: 10,000 values/s both."""


def modbus(plan: Plan) -> Iterator[Figure]:
    bench_modbus.ROUNDS = plan.rounds  # type: ignore[misc]
    with bench_modbus.server() as (port, pid):
        for case in bench_modbus.CASES:
            figures = asyncio.run(bench_modbus.measure(case, port, pid))
            pairs = zip(figures.cpu["bedplate"], figures.cpu["pymodbus"], strict=True)
            ratios = [ours / alone for ours, alone in pairs]
            what = f"Modbus, {case.name} a request: CPU per register, to pymodbus alone"
            yield Figure("e", what, ratios, "x", Target("≤", 1.3), figures.foreign)


def opcua(plan: Plan) -> Iterator[Figure]:
    for items, period in MONITORED:
        micro: defaultdict[str, list[float]] = defaultdict(list)
        with machine.foreign() as foreign, tempfile.TemporaryDirectory() as folder:
            bulk = {"count": items, "period": round(period * 1000)}
            server = bench_opcua.Server(Path(folder), bulk=bulk)
            try:
                for turn in range(plan.rounds):
                    for name in plan.rotated(["asyncua", "ours"], turn):
                        way = bench_opcua.WAYS[name]
                        window = asyncio.run(way(server, items, plan.seconds / 2))
                        micro[name].append(window.micro)
            finally:
                server.kill()
        ratios = [ours / alone for ours, alone in zip(micro["ours"], micro["asyncua"], strict=True)]
        what = f"OPC UA, {items:,} monitored items, {items / period:,.0f} values/s: CPU per value"
        yield Figure("e", f"{what}, to asyncua alone", ratios, "x", Target("≤", 1.3), foreign.cores)
        yield Figure("e", what, micro["ours"], "µs", None, foreign.cores)
