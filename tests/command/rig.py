"""A guard with a press of its own: a clock moved by hand, a device that counts what reaches it, an audit log that
fails when told to, and the order in which it all happened."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bedplate.audit.entry import Entry
from bedplate.calendar import Calendar
from bedplate.command import (
    Command,
    Device,
    Guard,
    Point,
    ReadBack,
    Reading,
    Rules,
    Sending,
    Sent,
    Wish,
    World,
)
from bedplate.command.checks import CHECKS, Check
from bedplate.config.deployment import WriteLimits, WriteRule, WriteSettings
from bedplate.contracts import Subject
from bedplate.errors import Denied
from bedplate.model import DataType, quality

PRESS = "acme/press-07"
SPEED = f"{PRESS}/speed_setpoint"
OLGA = Subject("olga", ("operator",), "ipv4:10.0.0.5:1", "token", (), "sha256:olga")
ERIK = Subject("erik", ("engineer",), "ipv4:10.0.0.6:1", "certificate", (), "sha256:erik")
EMMA = Subject("emma", ("engineer",), "ipv4:10.0.0.7:1", "certificate", (), "sha256:emma")
VERA = Subject("vera", ("viewer",), "ipv4:10.0.0.8:1", "token", (), "sha256:vera")
MIDNIGHT = 1_795_392_000_000_000_000  # ns: Mon 2026-11-23T00:00Z
LIMITS = WriteLimits(
    range=(10.0, 120.0),
    step=20.0,
    rate=(6, 60_000_000_000),
    interlock="guard_closed and state != fault",
    verify_timeout_ns=3_000_000_000,
)
ALLOW = (
    WriteRule("operator", (f"{PRESS}/*",)),
    WriteRule("engineer", (f"{PRESS}/*",), second_person=True),
)
ENABLED = WriteSettings(True, ALLOW)
DAY_SHIFT = Calendar.from_dict(
    {
        "name": "day",
        "timezone": "UTC",
        "shifts": {"day": {"days": "mon-sun", "from": "06:00", "to": "18:00"}},
    }
)


class Time:
    """Moved by hand; both clocks, or the wall clock alone."""

    def __init__(self) -> None:
        self.wall = MIDNIGHT + 8 * 3_600_000_000_000
        self.mono = 1000.0

    def time_ns(self) -> int:
        return self.wall

    def monotonic(self) -> float:
        return self.mono

    def goes_on(self, seconds: float) -> None:
        self.mono += seconds
        self.wall += int(seconds * 1e9)

    async def sleep(self, seconds: float) -> None:
        self.goes_on(seconds)
        await asyncio.sleep(0)


class Press:
    """A device and its tags. raw: what it holds · effects: what reached it · shown: value, quality, when."""

    def __init__(self, time: Time, happened: list[str]) -> None:
        self._time, self._happened = time, happened
        self.points: dict[str, Point] = {}
        self.raw: dict[str, Any] = {}
        self.shown: dict[str, tuple[Any, int, float]] = {}
        self.effects: list[tuple[str, Any]] = []
        self.state = Device(True)
        self.stored = ""
        self.answer = Sent(Sending.ANSWERED)
        self.takes: Callable[[Any], Any] = lambda raw: raw
        self.reads: Callable[[str], ReadBack] = lambda path: ReadBack(self.raw[path])
        self.before_send: Callable[[], Awaitable[None]] | None = None
        self.after_send: Callable[[], Awaitable[None]] | None = None
        self.has("speed_setpoint", 100.0, limits=LIMITS, unit="1/min", data_type=DataType.FLOAT64)
        self.has("guard_closed", True, data_type=DataType.BOOL)
        labels = {0: "stopped", 1: "running", 3: "fault"}
        self.has("state", 1, data_type=DataType.INT64, states=labels)

    def has(self, name: str, value: Any, **more: Any) -> str:
        path = f"{PRESS}/{name}"
        self.points[path] = Point(path, "press-07", PRESS, **more)
        self.raw[path] = value
        self.shows(name, value)
        return path

    def shows(self, name: str, value: Any, code: int = quality.GOOD) -> None:
        self.shown[f"{PRESS}/{name}"] = value, code, self._time.mono

    def alter(self, path: str = SPEED, **more: Any) -> None:
        self.points[path] = replace(self.points[path], **more)

    def limit(self, **more: Any) -> None:
        limits = self.points[SPEED].limits
        assert limits is not None
        self.alter(limits=replace(limits, **more))

    # --- Plant ---

    def point(self, path: str) -> Point | None:
        return self.points.get(path)

    def neighbours(self, asset: str) -> Mapping[str, str]:
        return {
            path.rpartition("/")[2]: path for path, one in self.points.items() if one.asset == asset
        }

    def reading(self, path: str) -> Reading | None:
        if path not in self.shown:
            return None
        value, code, at = self.shown[path]
        return Reading(value, code, self._time.mono - at)

    def device(self, device: str) -> Device:
        return self.state

    def not_stored(self) -> str:
        return self.stored

    async def send(self, point: Point, raw: Any, command_id: str, within: float) -> Sent:
        if self.before_send:
            await self.before_send()
        if self.answer.outcome in (Sending.ANSWERED, Sending.UNKNOWN):
            self.effects.append((point.path, raw))
            self._happened.append("effect")
            self.raw[point.path] = self.takes(raw)
        if self.after_send:
            await self.after_send()
        return self.answer

    async def read_back(self, point: Point, within: float) -> ReadBack:
        return self.reads(point.path)


class Audit:
    """Entries as they were given; `failed` refuses them."""

    def __init__(self, happened: list[str]) -> None:
        self.failed = ""
        self.entries: list[Entry] = []
        self._happened = happened

    def add(self, entry: Entry, *, urgent: bool = False) -> None:
        self.entries.append(entry)
        self._happened.append(entry.action)

    async def write(self, entry: Entry) -> bool:
        await asyncio.sleep(0)
        if not self.failed:
            self.add(entry)
        return not self.failed

    def actions(self) -> list[str]:
        return [entry.action for entry in self.entries]


class Permit:
    """Lets everybody through whom nobody has put on the list."""

    def __init__(self) -> None:
        self.denied: set[tuple[str, str]] = set()
        self.asked: list[tuple[str, str]] = []

    async def check(self, subject: Subject, action: str, *resources: str) -> None:
        self.asked.append((subject.id, action))
        await asyncio.sleep(0)
        if (subject.id, action) in self.denied:
            raise Denied(f"{subject.id} may not do {action}")


class Bench:
    """Everything that a command meets. file: None: in memory."""

    def __init__(self, file: Path | None = None, checks: Sequence[Check] = CHECKS) -> None:
        self.time = Time()
        self.happened: list[str] = []
        self.press = Press(self.time, self.happened)
        self.audit = Audit(self.happened)
        self.permit = Permit()
        self.rules = Rules(ENABLED, {"day": DAY_SHIFT})
        self.access = 0  # how often who may do what has changed
        self.alarms: list[Command] = []
        self.file = file
        self.checks = checks
        self.guard = self.another_guard()
        self._ids = 0

    def another_guard(self) -> Guard:
        """As after a restart: nothing but the file is left."""
        world = World(
            self.press,
            self.permit,
            self.audit,
            self.time,
            lambda: self.rules,
            self.alarms.append,
            self.time.sleep,
            lambda: self.access,
        )
        self.guard = Guard(world, self.file, self.checks)
        return self.guard

    def allow(self, *rules: WriteRule) -> None:
        self.rules = replace(self.rules, writes=replace(self.rules.writes, allow=rules))

    def wish(self, value: Any = 110.0, tag: str = SPEED, **more: Any) -> Wish:
        self._ids += 1
        return Wish(**{"command_id": f"c-{self._ids}", "tag": tag, "value": value} | more)

    async def submit(self, value: Any = 110.0, by: Subject = OLGA, **more: Any) -> Command:
        return await self.guard.submit(self.wish(value, **more), by)

    @property
    def effects(self) -> list[tuple[str, Any]]:
        return self.press.effects


async def settle(turns: int = 30) -> None:
    """Lets what can go on go on; threads of the book included."""
    for _ in range(turns):
        await asyncio.sleep(0.001)
