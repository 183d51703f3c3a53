"""(a) and (b): a burst from the plugin's process through the kernel and its journal to a subscriber, and into history.

The clock runs from the first `send` in the plugin until the subscriber has the last sample and the plugin has heard
that all of it is on disk. Publications are what the plugin hands over; its side merges what is due within one linger
into publications of at most 10,000 samples, so that small ones do not stay small.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tests.benchmarks import machine
from tests.benchmarks.bare import SIGNALS, ThreeStages
from tests.benchmarks.figures import Figure, Target
from tests.benchmarks.plan import Plan
from tests.benchmarks.plant import Plant, plant, subscriber

SIZES = (1_000, 10_000)
TAGS = "\n".join(
    f"      t{i}: {{address: a, scale: {{raw: [0, 2], to: [1, 2]}}, range: [-1000000, 1000000]}}"
    for i in range(SIGNALS)
)
BURST = f"""
connectors:
  burst:
    use: burst
    folder: FOLDER
    tags:
{TAGS}
      began: {{address: a}}
      synced: {{address: a}}
"""
SEGMENTS = 4  # in a round; the last is not waited for: it may be a few samples short
HISTORY = """
  history: {use: history, deliver: ["**"], folder: history, seal: {rows: SEAL}}
"""


@dataclass
class Pipe:
    """A plant with a subscriber, and how to send a burst through it."""

    plant: Plant
    listener: int
    says: Iterator[dict[str, Any]]

    def burst(self, batch: int, total: int) -> dict[str, float]:
        """Samples a second, and ns of CPU per sample by process."""
        before = self._cpu()
        go = self.plant.folder / "go"
        part = go.with_suffix(".part")
        part.write_text(json.dumps({"batch": batch, "total": total}))
        part.rename(go)
        said = next(self.says)
        if said["samples"] != total:
            raise AssertionError(f"{said['samples']} of {total} samples arrived")
        seconds = max(said["here"], said["synced"]) - said["began"]
        spent = self._cpu()
        cpu = {f"{name} ns": (spent[name] - before[name]) / total * 1e9 for name in spent}
        return {"rate": total / seconds, "began": said["began"], "cuts": said["cuts"], **cpu}

    def _cpu(self) -> dict[str, float]:
        pids = {**self.plant.pids(), "subscriber": self.listener}
        return {name.removesuffix(".py"): machine.cpu(pid) for name, pid in pids.items()}


def piped(stack: ExitStack, folder: Path, text: str = BURST, **settings: Any) -> Pipe:
    running = stack.enter_context(plant(folder, text, **settings))
    return Pipe(running, *stack.enter_context(subscriber(running, "burst")))


def bare(batch: int, total: int) -> dict[str, float]:
    """The three stages alone, in this process."""
    signal = np.resize(np.arange(SIGNALS, dtype=np.uint32), batch)
    value = np.random.default_rng(1).random(batch)
    quality = np.zeros(batch, np.uint32)
    stages, stamps = ThreeStages(), time.time_ns() + np.arange(batch) * 1000
    began = time.perf_counter()
    for start in range(0, total, batch):
        stages.take(signal, stamps + start * 1000, value, quality)
    return {"rate": total / (time.perf_counter() - began)}


def to_subscriber(plan: Plan) -> Iterator[Figure]:
    total = plan.scaled(16_000_000)
    found: defaultdict[tuple[str, int], list[dict[str, float]]] = defaultdict(list)
    with machine.foreign() as foreign, ExitStack() as stack:
        pipes = {
            "journal": piped(stack, plan.folder / "journal"),
            "memory": piped(stack, plan.folder / "memory", memory=True),
        }
        ways = {**{name: pipe.burst for name, pipe in pipes.items()}, "bare": bare}
        for turn in range(plan.rounds + 1):
            for size in SIZES:
                for name in plan.rotated(list(ways), turn):
                    found[name, size].append(ways[name](size, total))
    for size in SIZES:
        rounds = {name: found[name, size][1:] for name in ways}  # the first warms up
        yield from _figures(size, rounds, foreign.cores)


def _figures(
    size: int, rounds: dict[str, list[dict[str, float]]], foreign: float
) -> Iterator[Figure]:
    rate = {name: [one["rate"] for one in found] for name, found in rounds.items()}
    over = lambda other: [a / b for a, b in zip(rate["journal"], rate[other], strict=True)]  # noqa: E731
    where = f"publications of {size:,}"
    million = [r / 1e6 for r in rate["journal"]]
    yield Figure(
        "a", f"plugin → journal synced → subscriber, {where}", million, "M/s", None, foreign
    )
    what = f"ratio to the same without journal, {where}"
    yield Figure("a", what, over("memory"), "x", Target("≥", 0.5), foreign)
    yield Figure(
        "a", f"ratio to three stages in bare numpy, {where}", over("bare"), "x", None, foreign
    )
    cuts = max(one["cuts"] for one in rounds["journal"])
    if cuts:
        yield Figure(
            "a", "the subscriber was too slow, cut, and went on by its token", [cuts], "times"
        )
    for name in rounds["journal"][0]:
        if name.endswith(" ns"):
            values = [one[name] for one in rounds["journal"]]
            yield Figure(
                "a",
                f"CPU per sample, {name.removesuffix(' ns')}, {where}",
                values,
                "ns",
                None,
                foreign,
            )


def to_history(plan: Plan) -> Iterator[Figure]:
    """Until the samples are in sealed segments, as the catalogue of the history tells."""
    seal = plan.scaled(2_000_000)
    rates = []
    with machine.foreign() as foreign, ExitStack() as stack:
        pipe = piped(stack, plan.folder / "sealed", BURST + HISTORY.replace("SEAL", str(seal)))
        catalogue = pipe.plant.folder / "history" / "catalogue.sqlite"
        for _ in range(plan.rounds + 1):
            before = _sealed(catalogue)
            began = pipe.burst(10_000, SEGMENTS * seal)["began"]
            while (rows := _sealed(catalogue) - before) < (SEGMENTS - 1) * seal:
                time.sleep(0.005)
            rates.append(rows / (time.monotonic() - began) / 1e6)
            time.sleep(1)  # merges what is to be merged
    what = "plugin → journal → history sealed, publications of 10,000"
    yield Figure("b", what, rates[1:], "M/s", Target("≥", 1), foreign.cores)


def _sealed(catalogue: Path) -> int:
    """Samples in sealed segments."""
    with closing(sqlite3.connect(f"file:{catalogue}?mode=ro", uri=True)) as database:
        (rows,) = database.execute("SELECT coalesce(sum(rows), 0) FROM segments").fetchone()
    return int(rows)
