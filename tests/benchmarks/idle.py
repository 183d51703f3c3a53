"""(c) at rest: a plant with one tag that is read every ten seconds, a history and an alarm."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tests.benchmarks import machine
from tests.benchmarks.figures import Figure, Target
from tests.benchmarks.plan import Plan
from tests.benchmarks.plant import plant
from tests.benchmarks.steady import SETTLE, window

TEXT = """
connectors:
  one: {use: free, tags: {a: {address: a, scan: 10s}}}
  history: {use: history, deliver: ["**"], folder: history}
analytics:
  alarms: {use: alarms, for: one, limits: {hot: {tag: a, high: 1000000000, do: look}}}
"""
NAMES = {"sources.py": "connector"}


def idle(plan: Plan) -> Iterator[Figure]:
    with machine.foreign() as foreign, plant(plan.folder / "idle", TEXT) as running:
        time.sleep(SETTLE)
        windows = [window(running, plan.seconds * 2) for _ in range(max(1, plan.rounds // 3))]
        memory = {name: machine.resident(pid) for name, pid in running.pids().items()}
    for name in memory:
        values = [w.cpu[name] for w in windows]
        what = f"at rest, {NAMES.get(name, name)}"
        yield Figure("c", f"{what}: CPU", values, "% of a core", Target("≤", 0.5), foreign.cores)
    for name, megabytes in memory.items():
        what = f"memory at rest, {NAMES.get(name, name)}"
        yield Figure("c", what, [megabytes], "MB", None, foreign.cores)
