"""(c) and (f): a plant at its usual pace, 200 devices of 50 tags that are read once a second, and how long values take.

The devices cost nothing to read (sources.Free), so what the kernel and the plugin's process use is what the platform
takes beyond the protocol. Each start of a plant gives a third of the windows; the lingers take turns.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from tests.benchmarks import machine
from tests.benchmarks.figures import Figure, Target
from tests.benchmarks.plan import Plan
from tests.benchmarks.plant import Plant, devices, plant, subscriber

DEVICES, TAGS = 200, 50
LINGERS = (0.1, 0.05, 0.02)  # s; the second is the default
DEFAULT = 0.05
WINDOWS = 3  # for each start
SETTLE = 3.0  # s
NOTIFIED = """
  notified: {use: notified, folder: FOLDER, tags: {a: {address: a}, b: {address: b}, c: {address: c}}}
"""
HISTORY = """
  history: {use: history, deliver: ["**"], folder: history}
"""


@dataclass
class Window:
    """Per cent of a core by process, and samples taken, while it lasted."""

    cpu: dict[str, float]
    samples: float

    @property
    def total(self) -> float:
        return sum(self.cpu.values())


def window(running: Plant, seconds: float) -> Window:
    count = taken(running)  # asking costs the kernel CPU, so it is done outside
    began, before = time.monotonic(), _cpu(running)
    time.sleep(seconds)
    wall, after = time.monotonic() - began, _cpu(running)
    cpu = {name: (after[name] - before[name]) / wall * 100 for name in after}
    return Window(cpu, (taken(running) - count) / wall)


def taken(running: Plant) -> int:
    """Samples that came in since the start."""
    components = running.client.status().components
    return sum(c.samples for c in components if c.kind == "connector" and not c.reader)


def _cpu(running: Plant) -> dict[str, float]:
    return {name: machine.cpu(pid) for name, pid in running.pids().items()}


@dataclass
class Found:
    """By linger: windows without and with a subscriber, and what that one said of ages."""

    alone: defaultdict[float, list[Window]] = field(default_factory=lambda: defaultdict(list))
    ages: defaultdict[float, list[dict[str, Any]]] = field(
        default_factory=lambda: defaultdict(list)
    )


def steady(plan: Plan) -> Iterator[Figure]:
    found = Found()
    count = plan.scaled(DEVICES, 10)
    with machine.foreign() as foreign:
        for turn in range(max(1, plan.rounds // WINDOWS)):
            for linger in plan.rotated(LINGERS, turn):
                folder = plan.folder / f"steady{turn}-{linger}"
                with plant(folder, devices(count, TAGS) + NOTIFIED, linger=linger) as running:
                    _measure(running, linger, plan.seconds, found)
    yield from _costs(found, count, foreign.cores)
    yield from _ages(found, foreign.cores)


def _measure(running: Plant, linger: float, seconds: float, found: Found) -> None:
    time.sleep(SETTLE)
    found.alone[linger] += [window(running, seconds) for _ in range(WINDOWS)]
    (running.folder / "notify").touch()
    with subscriber(running, "latency", str(seconds)) as (_, says):
        next(says)  # the subscriber's own start
        found.ages[linger] += [next(says) for _ in range(WINDOWS)]


def _costs(found: Found, count: int, foreign: float) -> Iterator[Figure]:
    for linger in LINGERS:
        windows = found.alone[linger]
        what = f"{count * TAGS:,} samples/s, {count} devices, linger {linger * 1000:.0f} ms: kernel + plugin"
        target = Target("≤", 5) if linger == 0.1 else None
        yield Figure("c", what, [w.total for w in windows], "% of a core", target, foreign)
        for name in windows[0].cpu:
            values = [w.cpu[name] for w in windows]
            yield Figure("c", f"… of it {_known(name)}", values, "% of a core", None, foreign)
    micro = [w.total / 100 / w.samples * 1e6 for w in found.alone[DEFAULT]]
    yield Figure("c", "CPU per sample at the default linger", micro, "µs", None, foreign)


def _ages(found: Found, foreign: float) -> Iterator[Figure]:
    for linger in LINGERS[1:]:
        for share in ("p50", "p99"):
            values = [said["notified"][share] * 1000 for said in found.ages[linger]]
            what = (
                f"notification in the plugin → subscriber, {share}, linger {linger * 1000:.0f} ms"
            )
            target = Target("≤", 150) if (linger, share) == (DEFAULT, "p99") else None
            yield Figure("f", what, values, "ms", target, foreign)
    values = [said["read"]["p99"] * 1000 for said in found.ages[DEFAULT]]
    yield Figure(
        "f",
        "value read in the plugin → subscriber, p99, default linger",
        values,
        "ms",
        None,
        foreign,
    )
    pairs = zip(found.alone[0.02], found.alone[DEFAULT], strict=True)
    ratio = [quick.total / usual.total for quick, usual in pairs]
    yield Figure(
        "f", "CPU at linger 20 ms, to that at the default 50 ms", ratio, "x", None, foreign
    )


def _known(name: str) -> str:
    return {"sources.py": "plugin"}.get(name, name)


def with_history(plan: Plan) -> Iterator[Figure]:
    """The same with a history beside it."""
    count = plan.scaled(DEVICES, 10)
    text = devices(count, TAGS) + HISTORY
    with machine.foreign() as foreign, plant(plan.folder / "kept", text) as running:
        time.sleep(SETTLE)
        windows = [window(running, plan.seconds) for _ in range(WINDOWS)]
    what = f"{count * TAGS:,} samples/s, default linger, kept in history: all processes"
    yield Figure("c", what, [w.total for w in windows], "% of a core", None, foreign.cores)
    yield Figure(
        "c",
        "… of it history",
        [w.cpu["history"] for w in windows],
        "% of a core",
        None,
        foreign.cores,
    )


def growth(plan: Plan) -> Iterator[Figure]:
    """Memory and CPU per sample with 1,000 and with 20,000 tags, read once a second, kept in history; both at once."""
    small, large = plan.scaled(20, 10), plan.scaled(400, 20)
    with machine.foreign() as foreign, ExitStack() as stack:
        running = {
            count * TAGS: stack.enter_context(
                plant(plan.folder / f"tags{count}", devices(count, TAGS) + HISTORY)
            )
            for count in (small, large)
        }
        time.sleep(SETTLE)
        windows: defaultdict[int, list[Window]] = defaultdict(list)
        for turn in range(plan.rounds):
            for tags in plan.rotated(list(running), turn):
                windows[tags].append(window(running[tags], plan.seconds / 2))
        memory = {
            tags: {n: machine.resident(p) for n, p in r.pids().items()}
            for tags, r in running.items()
        }
    for tags, found in memory.items():
        for name, megabytes in found.items():
            yield Figure(
                "c",
                f"memory, {_known(name)}, {tags:,} tags",
                [megabytes],
                "MB",
                None,
                foreign.cores,
            )
    per_sample = {
        tags: [w.total / 100 / w.samples * 1e6 for w in found] for tags, found in windows.items()
    }
    for tags, micro in per_sample.items():
        yield Figure(
            "c", f"CPU per sample, all processes, {tags:,} tags", micro, "µs", None, foreign.cores
        )
    few, many = per_sample.values()
    ratio = [b / a for a, b in zip(few, many, strict=True)]
    what = "CPU per sample with 20 times the tags"
    yield Figure("c", what, ratio, "x", Target("≤", 1.3), foreign.cores)
