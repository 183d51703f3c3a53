"""(h): what a placement costs: reads of n samples, asked and answered, inline, in a process, and over mutual TLS.

Sixteen reads of as many components are under way at a time, as in a plant; and one at a time, with the shortest linger.
Beside it grpc.aio alone with messages of the same size, and, where a Go toolchain is present, an echo on hashicorp's
go-plugin. The plugin is a Python connector whose read costs nothing; a read is decoded to columns on the kernel's side.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks import machine
from tests.benchmarks.bare_grpc import echo
from tests.benchmarks.figures import Figure, Target
from tests.benchmarks.plan import Plan
from tests.benchmarks.plant import SOURCES
from tests.remote.elsewhere import Elsewhere

from bedplate.connector.v1 import connector_pb2
from bedplate.plugin.v1 import plugin_pb2
from bedplate.remote.credentials import credentials
from bedplate.remote.host import PluginHost
from bedplate.runtime.launch import Launch
from bedplate.runtime.placement import Place
from bedplate.wire import decode_batch, twin

SIZES = (1, 100, 1_000, 10_000)
PLACEMENTS = ("inline", "process", "remote")
BARE, GO = "grpc.aio alone", "go-plugin"
LAUNCH = Launch(
    "bench",
    "connector",
    "bench",
    "1",
    {"free": "sources.py:Free"},
    file=str(SOURCES),
    place="bench",
)
Open, Tag = twin(plugin_pb2.Open), twin(plugin_pb2.Tag)
Read = twin(connector_pb2.Read)
UNDER_WAY = 16
LINGER_MS = 1  # the shortest there is
Ask = Callable[[int, int], Awaitable[None]]  # size, number of the component
Took = dict[tuple[str, int], list[float]]  # (what, size) → µs in each round


@dataclass
class Round:
    """Of one size. each: µs of every read that was alone · together: µs a read with sixteen under way."""

    each: list[float]
    together: float

    def figures(self) -> dict[str, float]:
        return {
            "round trip, one at a time, p50": statistics.median(self.each),
            "round trip, one at a time, p99": sorted(self.each)[len(self.each) * 99 // 100],
            "each read, sixteen under way": self.together,
        }


def placements(plan: Plan) -> Iterator[Figure]:
    took: defaultdict[str, Took] = defaultdict(dict)
    with machine.foreign() as foreign:
        for turn in range(plan.rounds):
            for name in plan.rotated([*PLACEMENTS, BARE], turn):
                _note(took[name], asyncio.run(_round(name, plan.seconds / 20)))
            if turn == 0 or GO in took:
                _note(took[GO], _go(plan))
    took = {name: found for name, found in took.items() if found}  # type: ignore[assignment]
    for size in SIZES:
        for name, found in took.items():
            yield from _figures(name, found, size, took, foreign.cores)


def _note(took: Took, rounds: dict[int, Round]) -> None:
    for size, one in rounds.items():
        for what, microseconds in one.figures().items():
            took.setdefault((what, size), []).append(microseconds)


def _figures(
    name: str, found: Took, size: int, all_: dict[str, Took], foreign: float
) -> Iterator[Figure]:
    label = f"{name}, {size:,} sample{'s' if size > 1 else ''} a read"
    for (what, of), values in found.items():
        if of == size:
            yield Figure("h", f"{label}: {what}", values, "µs", None, foreign)
    together = found["each read, sixteen under way", size]
    yield Figure("h", f"{label}: samples/s", [size / one for one in together], "M/s", None, foreign)
    others = {BARE} | ({GO} if size == 1_000 else set())
    for other in others if name in PLACEMENTS else ():
        if other in all_:
            theirs = all_[other]["each read, sixteen under way", size]
            ratio = [their / our for their, our in zip(theirs, together, strict=True)]
            wanted = (name, size, other) == ("process", 1_000, BARE)
            target = Target("≥", 0.7) if wanted else None
            yield Figure("h", f"{label}: rate, to {other}", ratio, "x", target, foreign)


async def _round(name: str, window: float) -> dict[int, Round]:
    with tempfile.TemporaryDirectory(prefix="bp") as folder:
        at = _bare(Path(folder)) if name == BARE else _placed(Path(folder), name)
        found = {}
        async with at as ask:
            for size in SIZES:
                await ask(size, 0)
                found[size] = Round(
                    await _alone(ask, size, window), await _together(ask, size, window)
                )
    return found


async def _alone(ask: Ask, size: int, window: float) -> list[float]:
    took = []
    ends = time.perf_counter() + window
    while (began := time.perf_counter()) < ends:
        await ask(size, 0)
        took.append((time.perf_counter() - began) * 1e6)
    return took


async def _together(ask: Ask, size: int, window: float) -> float:
    began, count = time.perf_counter(), 0

    async def one(number: int) -> None:
        nonlocal count
        while time.perf_counter() < began + window:
            await ask(size, number)
            count += 1

    await asyncio.gather(*map(one, range(UNDER_WAY)))
    return (time.perf_counter() - began) / count * 1e6


@asynccontextmanager
async def _bare(folder: Path) -> AsyncIterator[Ask]:
    async with echo(folder) as one:

        async def ask(size: int, number: int) -> None:
            await one.read(size)

        yield ask


@asynccontextmanager
async def _placed(folder: Path, placement: str) -> AsyncIterator[Ask]:
    async with place(folder, placement) as one:
        attachment = await one.attached()
        tags = [Tag(handle=i, name=f"t{i}", address="a") for i in range(1, SIZES[-1] + 1)]
        for size in SIZES:
            message = Open(
                use="free", config_json=b"{}", tags=tags[:size], credit=8, linger_ms=LINGER_MS
            )
            for number in range(UNDER_WAY):
                await attachment.ask(f"c{size}-{number}", 20.0, open=message)

        async def ask(size: int, number: int) -> None:
            reply = await attachment.ask(f"c{size}-{number}", 10.0, read=Read())
            assert len(decode_batch(reply.read.batches[0]).value) == size

        yield ask


@asynccontextmanager
async def place(folder: Path, placement: str) -> AsyncIterator[Place]:
    """A started place with the free connector."""
    host = PluginHost(folder)
    elsewhere = Elsewhere(folder)
    await host.start()
    one = Place(LAUNCH, placement, host, folder)
    try:
        if placement == "remote":
            files = credentials(elsewhere.authority.kernel(folder / "tls" / "kernel"), server=True)
            elsewhere.run([one], await host.listen("127.0.0.1:0", files))
        await one.attached()
        yield one
    finally:
        await one.stop()
        await elsewhere.stop()
        await host.stop()


def started(plan: Plan) -> Iterator[Figure]:
    """From the start of a plugin until it is attached, and what its process then holds."""
    seconds: defaultdict[str, list[float]] = defaultdict(list)
    memory: list[float] = []
    with machine.foreign() as foreign:
        for turn in range(plan.rounds):
            for name in plan.rotated(["inline", "process"], turn):
                took, megabytes = asyncio.run(_start(name))
                seconds[name].append(took * 1e3)
                memory += [megabytes] if megabytes else []
    for name, took in seconds.items():
        yield Figure(
            "h", f"{name}: start of a plugin until attached", took, "ms", None, foreign.cores
        )
    yield Figure("h", "process: memory of a plugin", memory, "MB", None, foreign.cores)


async def _start(placement: str) -> tuple[float, float]:
    with tempfile.TemporaryDirectory(prefix="bp") as folder:
        began = time.perf_counter()
        async with place(Path(folder), placement) as one:
            took = time.perf_counter() - began
            pid = getattr(one.run, "pid", 0)
            return took, machine.resident(pid) if pid else 0.0


def _go(plan: Plan) -> dict[int, Round]:
    """The same with go-plugin; nothing without a Go toolchain or its modules."""
    program = _built(plan.folder)
    if not program:
        return {}
    command = [program, str(plan.seconds / 20), str(UNDER_WAY), *map(str, SIZES)]
    done = subprocess.run(command, check=True, capture_output=True, timeout=120)
    found = json.loads(done.stdout)
    return {size: Round(found[str(size)]["each"], found[str(size)]["together"]) for size in SIZES}


def _built(folder: Path) -> str:
    go, program = shutil.which("go"), folder / "goplugin"
    if program.exists() or not go:
        return str(program) if go else ""
    done = subprocess.run(
        [go, "build", "-o", str(program), "."],
        cwd=Path(__file__).with_name("goplugin"), env=os.environ, capture_output=True, check=False, timeout=300,
    )  # fmt: skip
    return str(program) if done.returncode == 0 else ""
