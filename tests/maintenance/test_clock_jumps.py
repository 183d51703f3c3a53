"""R13: our clock and the device's are set, stopped and turned back at random. Everything is kept, in the order in which
it came; what is far from our time is flagged; nothing waits in a tight loop.

A failing sequence prints its seed: REPLAY=417 python -m pytest tests/maintenance/test_clock_jumps.py
"""

from __future__ import annotations

import asyncio
import os
import random
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from tests.runtime.plant import plant, state, until, value
from tests.runtime.wall import Wall

from bedplate.clock import AgeClock
from bedplate.journal.memory import MemoryEngine
from bedplate.model import Batch, Body
from bedplate.model.batch import Flag
from bedplate.runtime.maintenance import MaintenanceBook
from bedplate.runtime.spine import Spine
from bedplate.scan.ingest import Ingest
from bedplate.scan.rules import Rule
from bedplate.scan.source_clock import NEVER_SET_NS, TOLERANCE_NS
from bedplate.testing.clock import START, FakeClock
from bedplate.wire import decode_batch

S = 1_000_000_000
SEEDS = [int(os.environ["REPLAY"])] if "REPLAY" in os.environ else range(1000)
STEPS = 12
END = 2**63 - 1  # 2262-04-11, the last ns that there is
TAGS = 4
ABSOLUTE = {"1970": 1, "2262": END - 3600 * S}
RELATIVE = {"+1s": 1, "-1s": -1, "+1h": 3600, "-1h": -3600, "-1d": -86_400, "+10y": 315_576_000}


@dataclass
class Jumping:
    """A clock that somebody plays with. now: ns."""

    random: random.Random
    now: int = START
    stopped: bool = False

    def step(self) -> None:
        what = self.random.choice(["goes on"] * 8 + ["stops", *ABSOLUTE, *RELATIVE])
        self.stopped = what == "stops" or (self.stopped and what == "goes on")
        if what in ABSOLUTE:
            self.now = ABSOLUTE[what]
        elif what in RELATIVE:
            self.now += RELATIVE[what] * S
        elif not self.stopped:
            self.now += self.random.randrange(S)
        self.now = max(1, min(self.now, END - S))


@dataclass
class Sequence:
    """One device with one history. sent: (tag, value, flags that are due) in order."""

    seed: int
    sent: list[tuple[int, float, Flag]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.ours, self.theirs = Jumping(self.random), Jumping(self.random)
        self.clock = FakeClock(self.ours.now)
        self.count = 0

    def batch(self) -> Batch:
        n = self.random.randint(1, 6)
        shared = self.random.random() < 0.3
        times = []
        for _ in range(1 if shared else n):
            self.theirs.step()
            times.append(self.theirs.now)
        tags = [self.random.randint(1, TAGS) for _ in range(n)]
        values = [float(self.count + i) for i in range(n)]
        self.count += n
        for tag, one, at in zip(tags, values, times * n if shared else times, strict=False):
            self.sent.append((tag, one, self.due(at)))
        return Batch.of(np.array(tags, np.uint32), times, values)

    def due(self, at: int) -> Flag:
        """Python's integers have no end, so this can't be wrong in the way that columns can."""
        now = self.clock.time_ns()
        flags = Flag(0)
        if at > now + TOLERANCE_NS:
            flags |= Flag.FUTURE | Flag.CLOCK_UNSYNCHRONISED
        if at < now - TOLERANCE_NS:
            flags |= Flag.LATE
        if at < NEVER_SET_NS:
            flags |= Flag.CLOCK_UNSYNCHRONISED
        return flags

    def turn(self) -> None:
        self.ours.step()
        self.clock.jump((self.ours.now - self.clock.time_ns()) / 1e9)


@pytest.mark.case("A57")
async def test_a_thousand_clock_sequences_keep_everything_in_order_with_the_right_flags() -> None:
    for seed in SEEDS:
        one = Sequence(seed)
        spine = await opened(one.clock)
        ingest = Ingest(
            "press/live", [Rule(f"press/{n}") for n in range(TAGS)], spine.registry, spine.current
        )
        for _ in range(STEPS):
            one.turn()
            spine.append(list(ingest.take([one.batch()], one.clock.time_ns())))
        await check(one, spine)


async def check(one: Sequence, spine: Spine) -> None:
    replay = f"REPLAY={one.seed}"
    records = [r for r in await spine.engine.read(0, records=10**6) if r.kind is Body.BATCH]
    positions = [r.position for r in records]
    assert positions == sorted(set(positions)), replay
    assert spine.engine.state().first == 1, replay  # nothing was purged
    kept: list[tuple[str, float, Flag]] = []
    for record in records:
        batch = decode_batch(record.payload)
        names = [spine.registry.table[h].path.split("/")[1] for h in batch.tags().tolist()]
        kept += [(n, v, batch.flags) for n, v in zip(names, batch.value.tolist(), strict=True)]
    assert sorted(v for _, v, _ in kept) == [v for _, v, _ in one.sent], replay
    for tag in range(TAGS):
        mine = [(v, flags) for name, v, flags in kept if name == str(tag)]
        sent = [(v, flags) for number, v, flags in one.sent if number == tag + 1]
        assert [v for v, _ in mine] == [v for v, _ in sent], (
            replay
        )  # by position, whatever the time
        for (_, flags), (_, due) in zip(mine, sent, strict=True):
            # a clock known to be behind adds its word to what is late
            assert flags | Flag.CLOCK_UNSYNCHRONISED == due | Flag.CLOCK_UNSYNCHRONISED, replay
            assert flags & due == due, replay
        if sent:
            handle = spine.registry.table.newest(f"press/{tag}").handle  # type: ignore[union-attr]
            assert spine.current.value(handle) == sent[-1][0], replay


async def opened(clock: FakeClock) -> Spine:
    engine = MemoryEngine(clock=clock)
    await engine.open()
    return Spine(engine, clock)


async def test_no_clock_makes_maintenance_look_more_often_than_twenty_times_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for seed in range(200):
        dice = random.Random(seed)
        clock, ours = FakeClock(), Jumping(dice)
        looks = 0

        async def sleep(seconds: float) -> None:
            nonlocal looks
            looks += 1
            clock.advance(seconds)  # noqa: B023
            ours.step()  # noqa: B023
            clock.jump((ours.now - clock.time_ns()) / 1e9)  # noqa: B023
            if clock.monotonic() > 60:  # noqa: B023
                raise asyncio.CancelledError

        spine = await opened(clock)
        book = MaintenanceBook(spine, lambda component: None)
        book._standing["press"] = _standing(clock.time_ns() + dice.randrange(1, 10 * S))
        with monkeypatch.context() as patch:
            patch.setattr(asyncio, "sleep", sleep)
            with pytest.raises(asyncio.CancelledError):
                await book.run()
        assert looks <= 20 * 61, f"seed {seed}"


def _standing(end: int) -> object:
    from bedplate.runtime.maintenance import Maintenance

    return Maintenance("press", "acme/press", 0, end, "operator-1", "new ram seal")


PRESS = """
connectors:
  press:
    use: counter
    placement: inline
    scan_classes: {fast: 50ms}
    tags: {number: {address: a, scan: fast}}
"""


async def test_a_whole_kernel_goes_on_while_its_clock_is_set(tmp_path: Path) -> None:
    clock = Wall()
    async with plant(tmp_path, PRESS, clock=clock) as kernel:
        await until(lambda: value(kernel, "press/number"))
        for seconds in (3600, -86_400, 315_576_000, -clock.time_ns() / 1e9, 50 * 31_557_600):
            clock.jump(seconds)
            before = value(kernel, "press/number")
            await until(lambda: value(kernel, "press/number") > before + 2, within=5)  # noqa: B023
        assert state(kernel, "press") == "up"
        assert kernel.components["press"].role.figures.restarts == 0
        assert kernel.engine.state().first == 1


@pytest.mark.case("A57")
async def test_a_clock_set_ten_years_ahead_takes_nothing_from_a_sink_that_is_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bedplate.runtime.reader.DELIVER_WITHIN", 0.1)
    monkeypatch.setattr("bedplate.runtime.reader.RELIEVE_EVERY", 0.05)
    clock = Wall()
    text = PRESS + "  cloud: {use: sink, deliver: ['**'], placement: inline, folder: FOLDER}\n"
    (tmp_path / "cloud.hangs").touch()
    async with plant(tmp_path, text, clock=clock) as kernel:
        role = kernel.components["cloud"].role
        await until(lambda: value(kernel, "press/number"))
        await asyncio.sleep(0.2)  # it has looked once
        clock.jump(315_576_000)
        before = value(kernel, "press/number")
        await until(lambda: value(kernel, "press/number") > before + 10)
        assert not role.buffer.lost.records  # type: ignore[attr-defined]
        clock.passes(15 * 86_400)  # now it is too old, by any clock
        await until(lambda: role.buffer.lost.records)  # type: ignore[attr-defined]


def test_a_wall_clock_that_was_set_is_believed_after_a_day() -> None:
    clock = FakeClock()
    ages = AgeClock(clock)
    for _ in range(100):  # it drifts, and is put right
        clock.advance(3600)
        clock.jump(600)
        assert ages.time_ns() == clock.time_ns()
    clock.jump(7 * 86_400)
    assert ages.time_ns() is None
    clock.advance(80_000)
    assert ages.time_ns() is None
    clock.jump(-86_400)  # once more
    clock.advance(80_000)
    assert ages.time_ns() is None
    clock.advance(80_000)
    assert ages.time_ns() is None
    clock.advance(80_000)
    assert ages.time_ns() == clock.time_ns()
