"""A small press shop on a kernel in this process; and what `status`, `why` and the alarms say of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.policy.callers import anybody
from tests.runtime.plant import OFFERS, RigOffer, plant

from bedplate.config import PluginSchema
from bedplate.model import AlarmState
from bedplate.runtime import cause_watch
from bedplate.runtime.cause_alarms import SETTLES
from bedplate.runtime.causes import Cause
from bedplate.server.explain import ExplainService

FILE = Path(__file__).with_name("press.py")
PRESSURE = FILE.parents[1] / "runtime" / "pressure.py"
TEXT = {"type": "string"}
PROPERTIES = dict.fromkeys(("host", "folder", "password", "broker_url"), TEXT)


class PressOffer(RigOffer):
    @property
    def schema(self) -> PluginSchema:
        settings = {
            "type": "object",
            "properties": PROPERTIES | {"port": {"type": "integer", "default": 9100}},
        }
        return PluginSchema(self.use, self.kind, self.capabilities, settings=settings)


def offer(use: str, target: str, *capabilities: str) -> PressOffer:
    return PressOffer(
        use, "connector", capabilities, target, plugin="press.py", file=FILE, support="shop@example"
    )


PRESSES = OFFERS | {
    "press": offer("press", "press:Press", "read"),
    "broker": offer("broker", "press:Broker", "deliver"),
    "torrent": RigOffer(
        "torrent", "connector", ("subscribe",), "pressure:Torrent", plugin="pressure", file=PRESSURE,
        replay="cursor",
    ),
}  # fmt: skip
HEAD = """
path: acme/berlin
types:
  press:
    parameters: {host: required, line: required, password: right}
    use: press
    host: $host
    folder: FOLDER
    password: $password
    path: press-shop/$line/$name
    scan_classes: {fast: 50ms}
    scan: fast
    tags: {parts: {address: parts}, temperature: {address: temp, unit: °C}}
"""
ROW = "      press-{n}: {{host: 127.0.1.{n}, line: line{line}}}\n"


def shop(lines: int = 2, each: int = 3, more: str = "", how: str = "placement: inline") -> str:
    """press-11, press-12 … on line 1, press-21 … on line 2; at 127.0.1.11 …"""
    rows = "".join(
        ROW.format(n=10 * line + n, line=line)
        for line in range(1, lines + 1)
        for n in range(1, each + 1)
    )
    connectors = f"connectors:\n  presses:\n    type: press\n    {how}\n    each:\n{rows}"
    return HEAD + connectors + more


@asynccontextmanager
async def running(folder: Path, text: str, monkeypatch: Any, **more: Any) -> AsyncIterator[Any]:
    """A kernel that looks at causes every 50 ms and lets them settle for 0.3 s."""
    monkeypatch.setattr(cause_watch, "LOOK", 0.05)
    monkeypatch.setattr("bedplate.runtime.cause_alarms.OVER", 0.3)
    for kind in list(SETTLES):
        monkeypatch.setitem(SETTLES, kind, 0.3)
    async with plant(folder, text, offers=PRESSES, **more) as kernel:
        yield kernel


def causes(kernel: Any) -> list[Cause]:
    found: list[Cause] = kernel.causes.now()
    return found


def problems(kernel: Any) -> list[str]:
    return [one.problem for one in causes(kernel)]


def alarms(kernel: Any) -> list[str]:
    """Sources of those that stand."""
    due = (AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED)
    return [e.source for e in kernel.spine.alarms.standing() if e.alarm.state in due]


async def why(kernel: Any, subject: str) -> Any:
    return await ExplainService(kernel).explain(_Asked(subject), anybody())  # type: ignore[arg-type]


class _Asked:
    def __init__(self, subject: str) -> None:
        self.subject = subject


def link(answer: Any, name: str) -> Any:
    return next(one for one in answer.chain if one.name == name)
