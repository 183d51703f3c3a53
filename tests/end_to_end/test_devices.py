"""Devices that are killed, frozen and started again on their port, and their neighbours, who must not feel it.

Three lines of an OPC UA server and a Modbus server each. All of it happens at once in one platform, told by what a
subscriber and a watcher of `status` wrote down; the tests read that.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from tests.end_to_end.site import Site, running, until

from bedplate.client.status import ComponentStatus
from bedplate_simline.launch import Simulator

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]
LINES = ("killed", "frozen", "spared")
PROTOCOLS = ("opcua", "modbus")
COMPONENT = {
    "opcua": """
  LINE-opcua:
    use: opcua
    endpoint_url: opc.tcp://127.0.0.1:PORT
    security_policy: None
    address_prefix: 'nsu=urn:bedplate:simline;s=Filler.'
    tags: {speed: {address: Speed, scan: 200ms}, order: {address: OrderId}}""",
    "modbus": """
  LINE-modbus:
    use: modbus
    host: 127.0.0.1
    port: PORT
    unit_id: 1
    register_type: holding_register
    data_type: float32
    byte_order: ABCD
    tags: {power: {address: 19026, scan: 200ms}, voltage: {address: 19000}}""",
}
TAG = {"opcua": "speed", "modbus": "power"}
GOOD, UNCERTAIN, BAD = 0, 1, 2  # the two top bits of a StatusCode
AWAY, FROZEN = 12.0, 8.0  # s
BACK_WITHIN = 12.0  # s: the longest backoff, and the time it takes to connect


@dataclass
class Device:
    """One server: its process, and what became of its component. Times are seconds since the trouble began."""

    line: str
    protocol: str
    port: int = 0
    simulator: Simulator | None = None
    states: list[tuple[float, ComponentStatus]] = field(default_factory=list)
    qualities: list[tuple[float, int]] = field(default_factory=list)  # each change
    returned: float = 0.0  # when it was there again

    @property
    def component(self) -> str:
        return f"{self.line}-{self.protocol}"

    @property
    def path(self) -> str:
        return f"{self.component}/{TAG[self.protocol]}"

    def start(self) -> None:
        self.simulator = Simulator(self.protocol, "--port", str(self.port))

    def ready(self) -> None:
        assert self.simulator
        said = self.simulator.ready()
        self.port = int(said["port"] if "port" in said else said["endpoint"].rpartition(":")[2])

    def signal(self, number: signal.Signals) -> None:
        assert self.simulator
        self.simulator.process.send_signal(number)

    def end(self) -> None:
        if self.simulator:
            with contextlib.suppress(ProcessLookupError):
                self.signal(signal.SIGCONT)
            self.simulator.__exit__(None, None, None)

    def first(self, quality: int, after: float = 0.0) -> float:
        """When it first had this quality."""
        found = [at for at, one in self.qualities if one == quality and at >= after]
        assert found, f"{self.path} never was {quality}: {self.qualities}"
        return found[0]


class Trouble:
    """Kills, freezes and starts again, and writes down what is seen of it."""

    def __init__(self, site: Site, devices: dict[tuple[str, str], Device]) -> None:
        self.site = site
        self.devices = devices
        self.began = 0.0
        self.began_ns = 0

    def of(self, line: str) -> Iterator[Device]:
        return (self.devices[line, protocol] for protocol in PROTOCOLS)

    async def happen(self) -> None:
        watching = [asyncio.create_task(self._subscribe()), asyncio.create_task(self._ask_status())]
        await until(lambda: all(one.qualities for one in self.devices.values()))
        self.began, self.began_ns = time.monotonic(), time.time_ns()
        await asyncio.gather(self._kill(), self._freeze())
        await asyncio.sleep(0.5)
        for task in watching:
            task.cancel()
        await asyncio.wait(watching)

    async def _kill(self) -> None:
        for device in self.of("killed"):
            device.signal(signal.SIGKILL)
        await asyncio.sleep(AWAY)
        for device in self.of("killed"):
            device.end()
            device.start()
        for device in self.of("killed"):
            await asyncio.to_thread(device.ready)
            device.returned = self.now()
        await self._back("killed")

    async def _freeze(self) -> None:
        for device in self.of("frozen"):
            device.signal(signal.SIGSTOP)
        await asyncio.sleep(FROZEN)
        for device in self.of("frozen"):
            device.signal(signal.SIGCONT)
            device.returned = self.now()
        await self._back("frozen")

    async def _back(self, line: str) -> None:
        """Until their newest quality is Good, or it is too late for that."""
        with contextlib.suppress(TimeoutError):
            await until(lambda: all(d.qualities[-1][1] == GOOD for d in self.of(line)), 20)

    def now(self) -> float:
        return time.monotonic() - self.began

    async def _subscribe(self) -> None:
        updates = self.site.client.subscribe(*(d.path for d in self.devices.values()))
        async with updates:
            async for update in updates:
                for device in self.devices.values():
                    for code in update[device.path].quality if device.path in update else ():
                        self._note(device, int(code) >> 30)

    def _note(self, device: Device, quality: int) -> None:
        if not device.qualities or device.qualities[-1][1] != quality:
            device.qualities.append((self.now() if self.began else 0.0, quality))

    async def _ask_status(self) -> None:
        while True:
            for one in (await self.site.client.status()).components:
                line, _, protocol = one.id.partition("-")
                if (line, protocol) in self.devices and self.began:
                    self.devices[line, protocol].states.append((self.now(), one))
            await asyncio.sleep(0.25)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def trouble(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Trouble]:
    devices = {(line, p): Device(line, p) for line in LINES for p in PROTOCOLS}
    try:
        for device in devices.values():
            device.start()
        for device in devices.values():
            await asyncio.to_thread(device.ready)
        async with running(tmp_path_factory.mktemp("plant"), deployment(devices)) as site:
            await until(site.all_up, 30)
            story = Trouble(site, devices)
            await story.happen()
            yield story
    finally:
        for device in devices.values():
            device.end()


def deployment(devices: dict[tuple[str, str], Device]) -> str:
    parts = ["bedplate: 1", "name: devices", "connectors:"]
    for device in devices.values():
        text = COMPONENT[device.protocol].replace("PORT", str(device.port))
        parts.append(text.replace("LINE", device.line))
    parts.append("  history: {use: history, deliver: ['**'], folder: history}")
    return "\n".join(parts)


@pytest.fixture(params=PROTOCOLS)
def protocol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_a_killed_server_makes_its_tags_uncertain_then_bad(
    trouble: Trouble, protocol: str
) -> None:
    device = trouble.devices["killed", protocol]
    assert device.first(UNCERTAIN) < 6
    assert 9 < device.first(BAD) - device.first(UNCERTAIN) < 12


async def test_a_killed_server_is_unreachable_and_never_faulted(
    trouble: Trouble, protocol: str
) -> None:
    seen = trouble.devices["killed", protocol].states
    assert {one.state for _, one in seen} == {"up", "unreachable"}
    away = [one for at, one in seen if 8 < at < AWAY]
    assert {one.state for one in away} == {"unreachable"}
    assert all(one.tags_good == 0 for one in away)
    assert all(one.reason for one in away)


@pytest.mark.parametrize("line", ["killed", "frozen"])
async def test_a_server_that_is_back_is_found_by_itself(
    trouble: Trouble, protocol: str, line: str
) -> None:
    device = trouble.devices[line, protocol]
    back = device.first(GOOD, after=device.first(UNCERTAIN))
    assert back - device.returned < BACK_WITHIN

    async def well() -> bool:
        status = await trouble.site.component(device.component)
        return (status.state, status.tags_good) == ("up", 2)

    await until(well)


async def test_a_frozen_server_is_noticed_though_its_socket_stands(
    trouble: Trouble, protocol: str
) -> None:
    device = trouble.devices["frozen", protocol]
    assert device.first(UNCERTAIN) < FROZEN
    assert {one.state for _, one in device.states} == {"up", "unreachable"}


async def test_neighbours_feel_nothing(trouble: Trouble, protocol: str) -> None:
    device = trouble.devices["spared", protocol]
    assert [quality for _, quality in device.qualities] == [GOOD]
    assert {one.state for _, one in device.states} == {"up"}
    assert {one.restarts for _, one in device.states} == {0}
    kept = (await trouble.site.client.history(device.path, start=trouble.began_ns))[device.path]
    assert np.diff(kept.time).max() < np.timedelta64(2, "s"), "not one of its values came late"


async def test_history_holds_each_change_of_quality(trouble: Trouble, protocol: str) -> None:
    device = trouble.devices["killed", protocol]
    kept = (await trouble.site.client.history(device.path, start=1))[device.path]
    severity = (kept.quality >> 30).tolist()
    changes = [one for i, one in enumerate(severity) if i == 0 or severity[i - 1] != one]
    assert changes == [quality for _, quality in device.qualities]
    assert changes == [GOOD, UNCERTAIN, BAD, GOOD]
    uncertain = kept.value[kept.quality >> 30 == UNCERTAIN]
    assert (uncertain == kept.value[severity.index(UNCERTAIN) - 1]).all(), "the last usable value"


async def test_no_process_of_a_plugin_was_started_again(trouble: Trouble) -> None:
    status = await trouble.site.client.status()
    assert {one.restarts for one in status.processes} == {0}
    assert status.problems == ()
    assert all(Path(f"/proc/{one.pid}").exists() for one in status.processes)
    assert os.getpid() not in {one.pid for one in status.processes}


async def test_a_killed_server_is_one_gap_with_its_span_and_its_neighbour_has_none(
    trouble: Trouble, protocol: str
) -> None:
    device = trouble.devices["killed", protocol]
    told = await trouble.site.client.gaps(f"{device.component}/**")
    (gap,) = (one for one in told.gaps if one.reason == "unreachable")
    since, until = ((at - trouble.began_ns) / 1e9 for at in (gap.since, gap.until))
    assert (gap.path, gap.tags) == (device.component, 2)
    assert -2 < since < 6
    assert AWAY < until < device.first(GOOD, after=AWAY) + 1.5
    lasted = until - since
    assert abs(gap.missing - (lasted / 0.2 + lasted / 1.0)) < 8, "a scan of 200 ms, and one of 1 s"

    spared = await trouble.site.client.gaps(f"{trouble.devices['spared', protocol].component}/**")
    assert "unreachable" not in {one.reason for one in spared.gaps}
    assert min(one.ratio for one in spared.completeness) > 0.9
