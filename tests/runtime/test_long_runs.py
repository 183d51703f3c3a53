"""What only days show, in seconds: the loop's time is a fake clock that jumps to whatever is due next."""

from __future__ import annotations

import asyncio
import random
import selectors
from pathlib import Path
from typing import Any

import pytest
from tests.remote.wired import wired

from bedplate import Connector
from bedplate.config.deployment import Component, TagSpec
from bedplate.errors import Refused
from bedplate.journal.memory import MemoryEngine
from bedplate.runtime.launch import Launch
from bedplate.runtime.lifecycle import HALF_OPEN, Backoff, FaultCount, State
from bedplate.runtime.pinging import Pings
from bedplate.runtime.placement import Place
from bedplate.runtime.source import Source
from bedplate.runtime.spine import Spine
from bedplate.runtime.supervisor import Supervisor
from bedplate.scan.pace import Pacer
from bedplate.testing import FakeClock

HOUR = 3600.0


class Jumping(selectors.SelectSelector):
    """Nothing ever comes from outside, so time goes on to whatever is due."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self.clock = clock

    def select(self, timeout: float | None = None) -> Any:
        found = super().select(0)
        if not found and timeout:
            self.clock.advance(timeout)
        return found


class JumpingLoop(asyncio.SelectorEventLoop):
    def __init__(self, clock: FakeClock) -> None:
        super().__init__(Jumping(clock))
        self.time = clock.monotonic  # type: ignore[method-assign]


class Device:
    """A device that is away most of the time, in every way a device can be."""

    dice = random.Random(5)
    opens = reads = 0

    @classmethod
    async def trouble(cls) -> None:
        match cls.dice.randrange(6):
            case 0:
                raise ConnectionRefusedError(111, "Connection refused")
            case 1:
                raise TimeoutError
            case 2:
                raise EOFError("the device hung up")
            case 3:
                await asyncio.sleep(cls.dice.uniform(0, 60))
            case 4:
                raise Refused("too many sessions")
            case 5:
                raise OSError(113, "No route to host")


class Away(Connector):
    async def open(self) -> None:
        Device.opens += 1
        await Device.trouble()

    async def read(self, tags: list[Any]) -> list[Any]:
        Device.reads += 1
        if Device.dice.random() < 0.5:
            await Device.trouble()
        return [1.0 for _ in tags]

    async def close(self) -> None:
        if Device.dice.random() < 0.3:
            await Device.trouble()


class Buggy(Away):
    async def open(self) -> None:
        Device.opens += 1

    async def read(self, tags: list[Any]) -> list[Any]:
        raise ZeroDivisionError


class Within:
    """A run of a plugin within this loop."""

    hopeless, pid, output, level = False, 0, (), ""
    level_notes = ()
    pings = Pings()

    def __init__(self, cls: type) -> None:
        self._cls = cls
        self.attachment: Any = None

    async def start(self) -> Any:
        self.attachment = wired("connector", use=self._cls)
        return self.attachment

    async def kill(self) -> None:
        self.attachment.end("killed")

    async def stop(self, grace: float, within: float = 8.0) -> None:
        await self.kill()


async def lived(cls: type, clock: FakeClock, seconds: float) -> tuple[Supervisor, set[State]]:
    """One component of this class for so long. Returns its supervisor, and every state that it was ever in."""
    engine = MemoryEngine(clock=clock, keep=1 << 20)
    await engine.open()
    spine = Spine(engine, clock)
    tag = TagSpec("n", "box/n", "a", scan_ns=10_000_000_000)
    component = Component("box", "connector", "use", path="box", tags=(tag,))
    place = Place(Launch("p", "connector", "p", "1", {}), "process", None, Path())  # type: ignore[arg-type]
    place._make = lambda: Within(cls)  # type: ignore[assignment,return-value]
    pacer = Pacer(0.05, clock.monotonic)
    pacer.start()
    seen: set[State] = set()
    role = Source(component, spine, ("read",), lambda: ({}, {}), pacer, 0.05)
    supervisor = Supervisor(role, place, spine, lambda component, moved: seen.add(moved.state))
    supervisor.start()
    await asyncio.sleep(seconds)
    await supervisor.stop()
    await pacer.stop()
    return supervisor, seen


def run(cls: type, seconds: float) -> tuple[Supervisor, set[State]]:
    clock = FakeClock()
    Device.opens = Device.reads = 0
    with asyncio.Runner(loop_factory=lambda: JumpingLoop(clock)) as runner:
        return runner.run(lived(cls, clock, seconds))


def test_a_device_that_is_away_for_a_day_is_never_faulted_and_never_given_up() -> None:
    supervisor, seen = run(Away, 24 * HOUR)

    assert State.FAULTED not in seen
    assert {State.UP, State.UNREACHABLE} <= seen
    assert Device.opens > 24 * 60  # at least once a minute
    assert supervisor.place.restarts == 0
    assert supervisor.place.breaches == 0
    assert not supervisor.spine.alarms.standing()
    assert len(supervisor.place.run.attachment._forgotten) < 100
    print(f"{Device.opens:,} opens, {Device.reads:,} reads")


def test_a_bug_that_stays_is_tried_again_about_once_a_minute_and_is_one_alarm() -> None:
    supervisor, seen = run(Buggy, 6 * HOUR)

    assert State.FAULTED in seen
    assert 6 * HOUR / HALF_OPEN <= Device.opens <= 6 * HOUR / (HALF_OPEN * 0.7) + 10
    (alarm,) = supervisor.spine.alarms.standing()
    assert alarm.source == "box/faulted"


def test_one_fault_is_enough_while_half_open_and_six_in_a_minute_otherwise() -> None:
    clock = FakeClock()
    faults = FaultCount(clock.monotonic)
    for _ in range(20):  # never more than five in 60 s
        clock.advance(12.5)
        assert not faults.add()
    clock.advance(100)
    assert [faults.add() for _ in range(6)] == [False] * 5 + [True]
    clock.advance(HOUR)
    assert faults.add()  # half open: it has not proved itself since
    faults.proved()
    assert not faults.add()


@pytest.mark.parametrize(("first", "last"), [(1.0, 10.0), (0.25, 2.0), (60.0, 60.0)])
def test_no_two_of_a_thousand_come_back_at_the_same_moment(first: float, last: float) -> None:
    waits = [
        [backoff.next() for _ in range(8)]
        for backoff in (Backoff(first, last) for _ in range(1000))
    ]

    assert all(first * 0.7 <= one[0] <= first * 1.25 for one in waits)
    assert all(max(one) <= last for one in waits)
    assert len({round(one[0], 9) for one in waits}) > 990
