"""R21: one kernel, as a program of its own, with a seeded fault every five seconds. Nothing confirmed is missing or
doubled, and what it takes of the machine stays flat."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.counts import count
from tests.end_to_end.program import Program, plugins_of
from tests.end_to_end.site import RIGS, until
from tests.end_to_end.test_devices import Device

from bedplate.client import AsyncClient, connect_async
from bedplate.errors import CallError
from bedplate.model import quality

SEED = int(os.environ.get("BEDPLATE_SEED", random.randrange(2**32)))
FAULTS = count(8, 120)
EVERY = 5.0  # s
WARM = 240.0  # s until what is kept in memory has its bounds: 20,000 records for live, 16 MiB for readers
MIB = 1 << 20
SLOPE = 1.0  # MiB a minute
MOST = 40  # MiB more than after the start, where there is no time for a slope
PLANT = """
bedplate: 1
name: soak
path: plant
scan_classes: {normal: 200ms}
connectors:
  push: {use: pusher, folder: FOLDER, pause: 0.02, tags: {number: {address: a}}}
  count: {use: counter, placement: inline, tags: {one: {address: r1}}}
  fast-1: {use: counter, placement: inline, tags: {one: {address: r1, scan: 20ms}}}
  fast-2: {use: counter, placement: inline, tags: {one: {address: r1, scan: 20ms}}}
  fast-3: {use: counter, placement: inline, tags: {one: {address: r1, scan: 20ms}}}
  fast-4: {use: counter, placement: inline, tags: {one: {address: r1, scan: 20ms}}}
  line-opcua:
    use: opcua
    endpoint_url: opc.tcp://127.0.0.1:OPCUA
    security_policy: None
    address_prefix: 'nsu=urn:bedplate:simline;s=Filler.'
    tags: {speed: {address: Speed, scan: 200ms}, order: {address: OrderId}}
  line-modbus:
    use: modbus
    host: 127.0.0.1
    port: MODBUS
    unit_id: 1
    register_type: holding_register
    data_type: float32
    byte_order: ABCD
    tags: {power: {address: 19026, scan: 200ms}}
  history: {use: history, deliver: ["**"], folder: history, seal: {rows: 3000, age: 1s}}
analytics:
  stops: {use: alarms, for: count, limits: {counts: {tag: one, high: 0, do: Let it}}}
journal: {folder: journal, sync: 50ms}
"""


class Plant:
    """The kernel, its devices, and the ways to hurt them."""

    def __init__(self, program: Program, devices: dict[str, Device]) -> None:
        self.program, self.devices = program, devices
        self.looks: list[tuple[float, float]] = []  # when (s), resident MiB of the kernel
        self.most_fds = self.most_threads = 0

    @property
    def pid(self) -> int:
        assert self.program.process
        return self.program.process.pid

    def client(self) -> AsyncClient:
        return connect_async(self.program.address)

    async def all_up(self) -> bool:
        async with self.client() as client:
            return all(c.state in {"up", "degraded"} for c in (await client.status()).components)

    async def process_of(self, component: str) -> int:
        async with self.client() as client:
            status = await client.status()
        return next((p.pid for p in status.processes if component in p.components), 0)

    # --- what happens ---

    async def kill_source(self, dice: random.Random) -> None:
        await self._signal("push", signal.SIGKILL)

    async def kill_history(self, dice: random.Random) -> None:
        await self._signal("history", signal.SIGKILL)

    async def stop_source(self, dice: random.Random) -> None:
        await self._signal("push", signal.SIGSTOP)

    async def kill_device(self, dice: random.Random) -> None:
        device = self.devices[dice.choice(["opcua", "modbus"])]
        device.end()
        await asyncio.sleep(dice.uniform(0, 2))
        device.start()
        await asyncio.to_thread(device.ready)

    async def freeze_device(self, dice: random.Random) -> None:
        device = self.devices[dice.choice(["opcua", "modbus"])]
        device.signal(signal.SIGSTOP)
        await asyncio.sleep(dice.uniform(0, 4))
        device.signal(signal.SIGCONT)

    async def garbage(self, dice: random.Random) -> None:
        host, _, port = self.program.address.rpartition(":")
        for _ in range(50):
            with (
                contextlib.suppress(OSError),
                socket.create_connection((host, int(port)), 2) as one,
            ):
                one.sendall(dice.randbytes(dice.randrange(2000)))

    async def stalled(self, dice: random.Random) -> None:
        async with self.client() as client, client.subscribe("**") as updates:
            await anext(aiter(updates))
            await asyncio.sleep(dice.uniform(0, 3))

    async def many_questions(self, dice: random.Random) -> None:
        async with self.client() as client:
            asked = [client.history("**", last="10s") for _ in range(20)]
            await asyncio.gather(*asked, return_exceptions=True)

    async def hang_up(self, dice: random.Random) -> None:
        assert self.program.process
        self.program.process.send_signal(signal.SIGHUP)

    async def maintenance(self, dice: random.Random) -> None:
        async with self.client() as client:
            until_ns = time.time_ns() + 3_600_000_000_000
            await client.set_maintenance("plant/line-modbus", until_ns, "soak")
            await asyncio.sleep(dice.uniform(0, 2))
            await client.end_maintenance("plant/line-modbus")

    async def _signal(self, component: str, number: signal.Signals) -> None:
        if pid := await self.process_of(component):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    @property
    def faults(self) -> list[Callable[[random.Random], Awaitable[None]]]:
        return [
            *(self.kill_source, self.kill_history, self.stop_source, self.kill_device),
            *(self.freeze_device, self.garbage, self.stalled, self.many_questions),
            *(self.hang_up, self.maintenance),
        ]

    # --- what it takes ---

    def look(self) -> tuple[int, int]:
        """File descriptors and threads of the kernel."""
        here = Path(f"/proc/{self.pid}")
        status = dict(line.split(":", 1) for line in (here / "status").read_text().splitlines())
        self.looks.append((time.monotonic(), int(status["VmRSS"].split()[0]) / 1024))
        return len(list((here / "fd").iterdir())), int(status["Threads"])

    def slope(self) -> float:
        """MiB a minute, after what grows once has grown."""
        begin = self.looks[0][0] + WARM
        found = np.array([look for look in self.looks if look[0] >= begin])
        return float(np.polyfit(found[:, 0] / 60, found[:, 1], 1)[0])

    def confirmed(self) -> set[int]:
        text = (self.program.folder / "confirmed").read_text()
        pairs = [line.split() for line in text.splitlines()]
        return {n for a, b in pairs for n in range(int(a), int(b) + 1)}

    async def stored(self) -> list[int]:
        async with self.client() as client:
            result = await client.history("push/number", start=1)
        series = result["plant/push/number"]
        codes = zip(series.value, series.quality, strict=True)
        return [int(value) for value, code in codes if quality.is_good(int(code))]


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Plant]:
    devices = {protocol: Device("line", protocol) for protocol in ("opcua", "modbus")}
    try:
        for device in devices.values():
            device.start()
        for device in devices.values():
            await asyncio.to_thread(device.ready)
        text = PLANT.replace("OPCUA", str(devices["opcua"].port))
        text = text.replace("MODBUS", str(devices["modbus"].port))
        async with Program(folder, text, plugins=[RIGS]) as program:
            await program.start()
            plant = Plant(program, devices)
            await until(plant.all_up, 60)
            yield plant
    finally:
        for device in devices.values():
            device.end()


@pytest.mark.counted
@pytest.mark.slow
@pytest.mark.timeout(1800)
async def test_a_fault_every_five_seconds_loses_nothing_confirmed_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BEDPLATE_HOME", str(tmp_path / "home"))
    print(f"replay: BEDPLATE_SEED={SEED} make test ARGS=tests/soak")
    dice = random.Random(SEED)
    async with running(tmp_path) as plant:
        fds, threads = plant.look()
        deck: list[Any] = []
        for _ in range(FAULTS):
            deck = deck or dice.sample(plant.faults, len(plant.faults))
            fault, begun = deck.pop(), time.monotonic()
            print(f"{fault.__name__}")
            with contextlib.suppress(CallError):
                await fault(dice)
            plant.look()
            await asyncio.sleep(max(0.0, begun + EVERY - time.monotonic()))
        await until(plant.all_up, 120)
        confirmed, stored = plant.confirmed(), list[int]()
        await until(lambda: holds(plant, confirmed, stored), 60)
        assert len(set(stored)) == len(stored), "a sample is in history twice"
        await until(lambda: plant.look() <= (fds + 8, threads + 4), 60)
        grown = plant.looks[-1][1] - plant.looks[0][1]
        slope = plant.slope() if FAULTS * EVERY > 2 * WARM else 0.0
        with capsys.disabled():
            print(
                f" [{FAULTS} faults, {len(confirmed)} confirmed, +{grown:.1f} MiB,"
                f" {slope:.2f} MiB/min] ", end=""
            )  # fmt: skip
        assert grown < MOST if not slope else slope < SLOPE
        assert await plant.program.stop() == 0
        assert "Traceback" not in "".join(plant.program.lines)
        assert plugins_of(tmp_path) == []


async def holds(plant: Plant, confirmed: set[int], stored: list[int]) -> bool:
    stored[:] = await plant.stored()
    return confirmed <= set(stored)
