"""One simulated plant: a kernel, its plugins, a program elsewhere, a disk, a network, a clock, and a seed for it all.

A run is `STEPS` steps of a twentieth of a second. In some of them something goes wrong. Then all is put right,
and ten seconds later the plant must be up, caught up and accepting, and the books must balance (`books.py`).
"""

from __future__ import annotations

import asyncio
import random
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from tests.remote.certificates import Authority
from tests.runtime.plant import RigOffer
from tests.simulation import books
from tests.simulation.disk import VirtualDisk
from tests.simulation.engine import SimulatedEngine
from tests.simulation.loop import Process, VirtualLoop, bury
from tests.simulation.network import Network
from tests.simulation.plugins import Archive, Device, Inbox, offers_of
from tests.simulation.programs import Child, Elsewhere, SimulatedHost, SimulatedKernel
from tests.simulation.trouble import Trouble

from bedplate.config import parse
from bedplate.errors import JournalError
from bedplate.journal import embedded
from bedplate.runtime import kernel, source
from bedplate.runtime.remote import door
from bedplate.testing import FakeClock

STEPS = 200
BOUNDS = [name for name in ("PENDING_MOST", "LEFT_OUT_FROM", "MOST") if hasattr(embedded, name)]
SMALLER = 8192  # times: the bounds of a small plant
STOPPED = 60.0  # s; the kernel's own bound is 10 s, and a slow disk comes on top of it at each step
SETTLE = 10.0  # s after the last fault
TEXT = """
bedplate: 1
name: simulated
plugins: {listen: '127.0.0.1:0', tls: 'TLS'}
types:
  box: {use: pusher, tags: {number: {address: a}, bulk: {address: b}}}
connectors:
  push: {type: box, each: {one: {}}}
  away: {use: away, placement: remote, tags: {number: {address: a}}}
  poll: {use: poller, scan_classes: {fast: 500ms}, tags: {number: {address: a, scan: fast}}}
  history: {use: keeper, deliver: ["**"]}
  sink: {use: sink, deliver: ["one/number"], buffer: {size: 20kB}}
analytics:
  sums: {use: sums, for: box, of: number}
"""


def _rig(use: str, kind: str, *capabilities: str, inputs: tuple[str, ...] = ()) -> RigOffer:
    return RigOffer(use, kind, capabilities, f"x:{use}", plugin=use, file=None, inputs=inputs)


OFFERS = {
    one.use: one
    for one in (
        _rig("pusher", "connector", "subscribe"),
        _rig("away", "connector", "subscribe"),
        _rig("poller", "connector", "read"),
        _rig("keeper", "connector", "deliver", "query"),
        _rig("sink", "connector", "deliver"),
        _rig("sums", "analytic", inputs=("of",)),
    )
}


@cache
def deployment() -> Any:
    """Parsed once: nothing in it changes."""
    folder = Path(tempfile.mkdtemp(prefix="bp-sim-"))
    tls = Authority().kernel(folder / "tls")
    text = TEXT.replace("TLS", str(tls))
    return parse(text.encode(), "plant.yaml", folder, lambda use: OFFERS[use].schema)


@contextmanager
def scaled() -> Iterator[None]:
    """Bounds as small as the plant, so that they are reached; the certificate, which never changes, is read once."""
    before = {name: getattr(embedded, name) for name in BOUNDS}
    for name, bytes_ in before.items():
        setattr(embedded, name, bytes_ // SMALLER)
    credit, source.CREDIT = source.CREDIT, books.CREDIT
    kernel.door = lambda deployment: _credentials()  # type: ignore[attr-defined]
    try:
        yield
    finally:
        for name, bytes_ in before.items():
            setattr(embedded, name, bytes_)
        source.CREDIT = credit
        kernel.door = door  # type: ignore[attr-defined]


@cache
def _credentials() -> Any:
    return door(deployment())


class World:
    """log: what happened, a line each, with the time. faults: what went wrong, by kind."""

    def __init__(self, seed: int, steps: int = STEPS) -> None:
        self.seed, self.steps = seed, steps
        self.dice = Random(seed)
        random.seed(seed)
        self.clock = FakeClock()
        self.clock.advance(1000)
        self.loop = VirtualLoop(self.dice, self.clock)
        self.network = Network(self.loop, self.dice)
        self.quota = self.dice.choice([None, None, 60_000])
        self.disk = VirtualDisk(self.dice)
        self.push, self.away, self.poll = Device(), Device(), Device()
        self.archive, self.inbox = Archive(), Inbox()
        self.sink_slow = 0.0
        self.offers = offers_of(self)
        self.processes: list[Process] = []
        self.children: list[Child] = []
        self.log: list[str] = []
        self.kernels = self.programs = 0
        self.kernel: SimulatedKernel | None = None
        self.kernel_process = Process("none", self.loop)
        self.up = self.over = False
        self.stuck = ""
        self.trouble = Trouble(self)
        self.books = books.Books(self)

    def say(self, text: str) -> None:
        if self.over:
            return
        self.log.append(f"{self.clock.monotonic() - 1000:9.4f} {text}")

    # --- life ---

    def child(self, name: str) -> Child:
        child = Child(self, name, 1000 + len(self.processes))
        self.children.append(child)
        self.say(f"{name} is started, pid {child.pid}")
        return child

    def running(self, name: str) -> Child | None:
        """The newest process of a plugin, when it lives."""
        found = [c for c in self.children if c.process.name == name and c.returncode is None]
        return found[-1] if found else None

    async def boot(self) -> None:
        """Starts a kernel on the disk."""
        self.kernels += 1
        process = self.kernel_process = Process(f"kernel {self.kernels}", self.loop)
        self.processes.append(process)
        world = self
        engine = SimulatedEngine(self.disk, clock=self.clock, sync=0.25, keep=3000, size=self.quota)
        offers: Any = OFFERS
        one = SimulatedKernel(deployment(), offers, engine, clock=self.clock, linger=0.05)
        one.host_type = type("Host", (SimulatedHost,), {"world": world})  # type: ignore[misc]
        one._told = lambda component, move: self.say(
            f"    {component}: {move.state}: {move.reason}"
        )
        self.kernel = one
        self.up = False
        await asyncio.wait([process.start(self._start(one))], timeout=5)

    async def _start(self, one: SimulatedKernel) -> None:
        try:
            await one.start()
        except JournalError as error:
            self.say(f"the kernel does not start: {error}")
        else:
            self.up = True
            self.say(f"kernel {self.kernels} has started, epoch {one.engine.epoch}")

    def kill_kernel(self) -> None:
        """kill -9, or power: the same for what is on the disk."""
        one, self.up = self.kernel, False
        self.kernel_process.kill()
        for child in self.children:
            child.end(-9)
        self.children = []
        self.network.died(self.kernel_process)
        self.disk.crash()
        if one is not None and hasattr(one, "_run_folder"):
            shutil.rmtree(one._run_folder, ignore_errors=True)

    async def stop_kernel(self) -> None:
        """In order."""
        assert self.kernel is not None
        done, _ = await asyncio.wait(
            [self.kernel_process.start(self.kernel.stop())], timeout=STOPPED
        )
        if not done:
            self.stuck = f"the kernel did not stop within {STOPPED:.0f} s"
        self.kill_kernel()

    def start_program(self) -> None:
        """Another run of the program elsewhere."""
        self.programs += 1
        process = self.program = Process(f"away {self.programs}", self.loop)
        self.processes.append(process)
        instance = f"{self.programs:032x}"
        process.start(self._elsewhere(process, instance))

    async def _elsewhere(self, process: Process, instance: str) -> None:
        self.dial = Elsewhere(self.network, process, self.offers, instance)
        await self.dial.run()
        process.kill()

    def kill_program(self) -> None:
        self.program.kill()
        self.network.died(self.program)
        self.away.failed |= self.away.open
        self.away.open = set()

    # --- a run ---

    def run(self) -> None:
        """Raises books.Broken for what does not hold."""
        asyncio.set_event_loop(self.loop)
        try:
            with scaled():
                self.loop.run_until_complete(self._run())
        finally:
            self.over = True
            asyncio.set_event_loop(None)
            self.kill_kernel()
            bury(self.processes)
            self.loop.close()

    async def _run(self) -> None:
        self.start_program()
        await self.boot()
        for step in range(self.steps):
            await asyncio.sleep(self.dice.uniform(0.01, 0.09))
            await self.trouble.step(step)
            self.books.look()
        self.say("everything is put right")
        await self.trouble.heal()
        await self._settle()
        self.books.close()

    async def _settle(self) -> None:
        """Until all is well, at most so long."""
        end = self.loop.time() + self.trouble.patience()
        while (why := self.books.unwell()) and self.loop.time() < end:
            await asyncio.sleep(0.25)
            self.books.look()
        if why:
            raise books.Broken(f"{SETTLE:.0f} s after the last fault: {why}")
        self.say("all is well")
