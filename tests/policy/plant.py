"""A small plant behind a doorman: a security module that hides what a file says, and notices when the file changes."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc.aio

from bedplate.endpoints import Endpoint, find
from bedplate.model import Alarm, AlarmPriority, AlarmState, Event, EventKind
from bedplate.server.platform import Platform, prepare

PLUGIN = '''import asyncio
import json
from pathlib import Path

from bedplate import Bad, Connector, Decision, SecurityModule, Verdict

ORDERS = Path("ORDERS")


class Wave(Connector):
    """Contacts nothing; a tag named broken is Bad."""

    async def open(self):
        self.count = 0

    async def read(self, tags):
        self.count += 1
        return [Bad("no such register") if t.name == "broken" else float(self.count) for t in tags]

    async def write(self, tag, value):
        pass


class Doorman(SecurityModule):
    """Denies by words in paths, and by actions; may be told to fail or hang."""

    async def open(self):
        self.orders = ORDERS.read_text()
        self.task = asyncio.create_task(self.watch())

    async def close(self):
        self.task.cancel()

    async def watch(self):
        while True:
            await asyncio.sleep(0.05)
            if (now := ORDERS.read_text()) and now != self.orders:
                self.orders = now
                if not json.loads(now).get("quiet"):
                    self.forget()

    async def authorize(self, subject, checks):
        orders = json.loads(self.orders)
        if orders.get("how") == "raise":
            raise RuntimeError("a bug in the doorman")
        if orders.get("how") == "none":
            return None
        if orders.get("how") == "hang":
            await asyncio.sleep(60)
        return [self.decided(orders, check) for check in checks]

    def decided(self, orders, check):
        denied = any(word in check.resource for word in orders.get("hidden", []))
        denied = denied or check.action in orders.get("actions", [])
        verdict = Verdict.DENY if denied else Verdict.ALLOW
        return Decision(verdict, "orders", orders.get("remember", 60))
'''

LINE = """bedplate: 1
name: plant
path: acme
scan_classes: {{normal: 100ms}}
security: {{door: {{use: doorman, placement: inline}}}}
writes: {{enabled: true, allow: [{{role: admin, tags: ["**/setpoint"]}}]}}
connectors:
  filler:
    use: wave
    path: hall/filler
    placement: inline
    tags: {{speed: {{}}, setpoint: {{write: {{range: [0, 9]}}}}, broken: {{}}}}
{more}  files: {{use: history, placement: inline, deliver: ["**"], folder: history}}
"""
OVEN = """  oven:
    use: wave
    path: hall/oven
    placement: inline
    tags: {recipe: {}, setpoint: {write: {range: [0, 9]}}, broken: {}}
"""


class Plant:
    """One that runs."""

    def __init__(self, folder: Path, platform: Platform) -> None:
        self.folder, self.platform = folder, platform

    @property
    def endpoint(self) -> Endpoint:
        return find()

    def order(self, **orders: Any) -> None:
        """What the doorman goes by from now on."""
        fresh = self.folder / "orders.new"
        fresh.write_text(json.dumps(orders))
        fresh.rename(self.folder / "orders.json")

    def alarm(self, device: str) -> None:
        """One that stands on a tag of a device."""
        state, now = AlarmState.UNACKNOWLEDGED, time.time_ns()
        tag = f"acme/hall/{device}/setpoint"
        alarm = Alarm(state, AlarmPriority.HIGH, tag, f"{device} > 1", active_since=now)
        source = f"acme/hall/{device}/hot"
        event = Event(source, EventKind.ALARM, now, f"{device} is hot", 700, alarm)
        self.platform.kernel.spine.event("filler/event", event)

    @asynccontextmanager
    async def channel(self) -> AsyncIterator[Any]:
        async with grpc.aio.insecure_channel(self.endpoint.address) as channel:
            yield channel

    @property
    def metadata(self) -> list[tuple[str, str]]:
        return [("authorization", f"Bearer {self.endpoint.token}")]


@asynccontextmanager
async def running(folder: Path, *, oven: bool = True, **orders: Any) -> AsyncIterator[Plant]:
    """With all of its tags alive."""
    (folder / "orders.json").write_text(json.dumps(orders))
    text = PLUGIN.replace('ORDERS")', f'{folder / "orders.json"}")')
    (folder / "wave.py").write_text(text)
    file = folder / "plant.yaml"
    file.write_text(LINE.format(more=OVEN if oven else ""))
    platform = Platform(prepare(file, [folder / "wave.py"]))
    await platform.start("127.0.0.1:0")
    try:
        await until(lambda: _alive(platform, 6 if oven else 3))
        yield Plant(folder, platform)
    finally:
        await platform.stop()


def _alive(platform: Platform, tags: int) -> bool:
    kernel = platform.kernel
    table = kernel.spine.registry.table
    up = all(one.life.state in ("up", "degraded") for one in kernel.components.values())
    return up and len(list(table.paths())) == tags


async def until(condition: Callable[[], Any], within: float = 15.0) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
