"""The ledger over windows, restarts and corrections, with a clock that a test moves and a file on disk."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.gaps.device import SECOND
from tests.runtime.wall import ns

from bedplate.calendar import Calendar
from bedplate.config.deployment import Component, TagSpec
from bedplate.journal.engine import Loss
from bedplate.runtime.ledger.account import Account
from bedplate.runtime.ledger.ledger import BEAT, WINDOW, Ledger
from bedplate.runtime.ledger.reasons import Reason
from bedplate.runtime.ledger.store import Store
from bedplate.runtime.lifecycle import State
from bedplate.testing.clock import FakeClock

NOON = ns(datetime(2026, 11, 18, 12, tzinfo=UTC))  # a Wednesday; a window begins
TAGS = ("press/a", "press/b")
MINUTE = 60 * SECOND
WEEKDAYS = Calendar.from_dict(
    {"timezone": "UTC", "shifts": {"day": {"days": "mon-fri", "from": "06:00", "to": "22:00"}}},
    "weekdays",
)


class Plant:
    """One kernel's ledger with one device of two tags, scanned once a second."""

    def __init__(self, folder: Path, clock: FakeClock, **component: Any) -> None:
        self.clock = clock
        self.file = folder / "gaps.sqlite"
        self.ledger = Ledger(clock, "UTC", self.file)
        tags = tuple(TagSpec(path.split("/")[1], path) for path in TAGS)
        self.component = Component("press", "connector", "x", path="press", tags=tags, **component)
        self.account = Account("press", clock)

    async def start(self, heard: int = 0, tags: int = 2) -> None:
        await self.ledger.open()
        self.account.watch(self.component.tags[:tags])
        self.ledger.adopt(self.component, self.account, heard)

    async def scan(self, seconds: int, *, bad: int = 0) -> None:
        """In its session for so long; the last so many seconds its first tag is Bad."""
        beat = self.account.beats[SECOND]
        if not beat.polled:
            self.ledger.moved("press", State.UP, "opened")
            self.account.begins(SECOND)
        for second in range(seconds):
            self.clock.advance(1)
            self.account.started(SECOND)
            down = seconds - second <= bad
            self.account.answered(SECOND, None, np.array([False, down, False]), int(down))
            await self.ledger.tick()

    async def away(self, seconds: int, state: State = State.UNREACHABLE) -> None:
        self.account.ends(SECOND)
        self.ledger.moved("press", state, "why")
        for _ in range(0, seconds, 10):
            self.clock.advance(10)
            await self.ledger.tick()

    async def gaps(self, since: int = 0) -> list[tuple[Reason, float, float, int, int]]:
        """(reason, from, to, tags, missing), seconds after noon; to 0: lasts."""
        found = await self.ledger.gaps(since)
        return [
            (
                Reason(g.reason),
                after(g.since),
                after(g.until) if g.until else 0.0,
                len(g.tags),
                g.missing,
            )
            for g in found
        ]

    async def complete(self, since: int = 0, until: int = 0) -> dict[str, tuple[int, int]]:
        """tag: (expected, received)."""
        return {c.path: (c.expected, c.received) for c in await self.ledger.complete(since, until)}


def after(at: int) -> float:
    return round((at - NOON) / 1e9, 1)


@asynccontextmanager
async def plant(
    folder: Path, clock: FakeClock, heard: int = 0, **component: Any
) -> AsyncIterator[Plant]:
    """Stops in order; to leave it like a killed one, forget to."""
    made = Plant(folder, clock, **component)
    await made.start(heard)
    try:
        yield made
    finally:
        await made.ledger.close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON + 3 * SECOND // 10)


async def test_windows_are_closed_on_the_quarter_and_add_up(
    tmp_path: Path, clock: FakeClock
) -> None:
    async with plant(tmp_path, clock) as press:
        await press.scan(3000)
        assert await press.complete() == dict.fromkeys(TAGS, (3000, 3000))
        first = await press.complete(NOON, NOON + WINDOW)
        assert first == dict.fromkeys(TAGS, (899, 899)) or first == dict.fromkeys(TAGS, (900, 900))
        with sqlite3.connect(press.file) as db:
            starts = [row[0] for row in db.execute("SELECT start FROM windows")]
        assert starts == [NOON + n * WINDOW for n in range(4)]


async def test_sources_that_are_written_again_and_again_are_counted_once(
    tmp_path: Path, clock: FakeClock
) -> None:
    async with plant(tmp_path, clock) as press:
        other = Account("other", clock)
        other.watch([TagSpec("c", "other/c")])
        press.ledger.adopt(Component("other", "connector", "x"), other)
        await press.ledger.tick()
        for _ in range(5):
            await press.scan(20)
            await press.complete()
        assert await press.complete() == dict.fromkeys(TAGS, (100, 100)) | {"other/c": (0, 0)}


async def test_a_gap_over_several_windows_is_one_and_each_window_has_its_part(
    tmp_path: Path, clock: FakeClock
) -> None:
    async with plant(tmp_path, clock) as press:
        await press.scan(600)
        await press.away(1800)
        await press.scan(100)
        gaps = await press.gaps()
        assert [(g[0], g[1], g[3]) for g in gaps] == [(Reason.UNREACHABLE, 600.3, 2)]
        assert gaps[0][4] == 3600
        assert await press.complete() == dict.fromkeys(TAGS, (2500, 700))
        middle = await press.complete(NOON + WINDOW, NOON + 2 * WINDOW)
        assert middle == dict.fromkeys(TAGS, (900, 0))


async def test_the_day_begins_at_midnight_in_the_time_zone_of_the_deployment(
    tmp_path: Path, clock: FakeClock
) -> None:
    press = Plant(tmp_path, clock)
    press.ledger = Ledger(clock, "Asia/Kathmandu", press.file)  # 17:45 at noon UTC
    await press.start()
    await press.scan(60)
    before = press.ledger.completeness("press")
    assert before
    assert before.expected == 120
    clock.jump(6 * 3600 + 12 * 60)  # two minutes before midnight there
    await press.scan(30)
    after_midnight = press.ledger.completeness("press")
    clock.jump(120)  # the next second is the last of its window
    await press.scan(10)
    last = press.ledger.completeness("press")
    assert after_midnight
    assert last
    assert (after_midnight.expected, last.expected) == (180, 18)
    await press.ledger.close()


async def test_a_kernel_that_stopped_was_expected_to_run_until_it_starts_again(
    tmp_path: Path, clock: FakeClock
) -> None:
    async with plant(tmp_path, clock) as press:
        await press.scan(600)
    clock.advance(3000)
    async with plant(tmp_path, clock) as press:
        clock.advance(2)
        await press.scan(60)
        assert await press.gaps() == [(Reason.RESTART, 600.3, 3603.3, 2, 6004)]
        assert await press.complete() == dict.fromkeys(TAGS, (3662, 660))
        whole = press.ledger.completeness("press")
        assert whole
        assert (whole.expected, whole.received) == (7324, 1320)


async def test_a_killed_kernel_loses_nothing_that_it_counted_before_its_last_beat(
    tmp_path: Path, clock: FakeClock
) -> None:
    press = Plant(tmp_path, clock)
    await press.start()
    await press.scan(int(10 * BEAT) + 20)  # killed 20 s after a beat; nothing is closed
    last = clock.time_ns()
    clock.advance(100)
    async with plant(tmp_path, clock, heard=last) as again:
        await again.scan(10)
        # what the journal has of those 20 s came; after it the kernel did not run
        assert await again.gaps() == [(Reason.RESTART, 320.3, 421.3, 2, 200)]
        assert await again.complete() == dict.fromkeys(TAGS, (430, 330))
    async with plant(tmp_path, clock) as again:
        await again.scan(1)
    await press.ledger.close()


async def test_time_without_a_kernel_counts_only_when_somebody_expected_the_device(
    tmp_path: Path, clock: FakeClock
) -> None:
    calendar = {"expected": "weekdays", "calendars": {"weekdays": WEEKDAYS}}
    async with plant(tmp_path, clock, **calendar) as press:
        await press.scan(60)
    clock.advance(24 * 3600)  # a night, of which eight hours are free
    async with plant(tmp_path, clock, **calendar) as press:
        await press.scan(60)
        (gap,) = await press.gaps(NOON - SECOND)
        assert gap[0] is Reason.RESTART
        assert gap[4] == 2 * 16 * 3600
    clock.advance(3600)
    async with plant(tmp_path, clock, expected="never") as press:
        await press.scan(60)
        assert (await press.gaps())[-1][0] is Reason.OFF
        assert (await press.gaps())[-1][4] == 0


async def test_weeks_without_a_kernel_are_counted_by_the_hour(
    tmp_path: Path, clock: FakeClock
) -> None:
    async with plant(tmp_path, clock) as press:
        await press.scan(60)
    clock.advance(21 * 86400)
    async with plant(tmp_path, clock) as press:
        await press.scan(60)
        (gap,) = await press.gaps(NOON)
        assert gap[4] == 2 * 21 * 86400
        assert await press.complete(NOON) == dict.fromkeys(TAGS, (21 * 86400 + 120, 120))
        with sqlite3.connect(press.file) as db:
            assert db.execute("SELECT count(*) FROM windows").fetchone()[0] < 21 * 24 + 97


async def test_a_device_that_was_away_is_unreachable_until_the_kernel_stops_and_restart_from_then_on(
    tmp_path: Path, clock: FakeClock
) -> None:
    async with plant(tmp_path, clock) as press:
        await press.scan(60)
        await press.away(60)
    clock.advance(60)
    async with plant(tmp_path, clock) as press:
        await press.scan(60)
        gaps = await press.gaps()
    assert gaps == [
        (Reason.UNREACHABLE, 60.3, 120.3, 2, 120),
        (Reason.RESTART, 120.3, 181.3, 2, 120),
    ]


async def test_a_device_that_is_new_or_was_not_there_before_has_no_past(
    tmp_path: Path, clock: FakeClock
) -> None:
    async with plant(tmp_path, clock) as press:
        await press.scan(60)
    clock.advance(3600)
    press = Plant(tmp_path, clock)
    press.component = replace(press.component, id="other")
    press.account = Account("other", clock)
    await press.start()
    assert await press.gaps(NOON) == []
    await press.ledger.close()


async def test_a_device_that_leaves_the_deployment_is_no_longer_expected(
    tmp_path: Path, clock: FakeClock
) -> None:
    async with plant(tmp_path, clock) as press:
        await press.scan(60)
        await press.away(60)
        press.ledger.present = lambda component: False
        await press.away(1800)
        expected = (await press.complete())[TAGS[0]][0]
        assert expected == 120
        assert (await press.gaps())[0][2] != 0


async def test_other_settings_of_a_device_go_on_with_its_gap(
    tmp_path: Path, clock: FakeClock
) -> None:
    async with plant(tmp_path, clock) as press:
        await press.scan(60)
        await press.away(10, State.STOPPED)
        press.account = Account("press", clock)
        press.account.watch(press.component.tags)
        press.ledger.adopt(press.component, press.account)
        clock.advance(5)
        await press.scan(60)
        assert await press.gaps() == [(Reason.RESTART, 60.3, 76.3, 2, 30)]
        press.account = Account("press", clock)
        press.account.watch(press.component.tags[:1])
        press.ledger.adopt(press.component, press.account)
        await press.scan(60)
        assert await press.complete() == {TAGS[0]: (195, 180), TAGS[1]: (135, 120)}


async def test_what_is_fetched_afterwards_fills_its_gap_and_its_windows(
    tmp_path: Path, clock: FakeClock
) -> None:
    async with plant(tmp_path, clock) as press:
        await press.scan(600)
        await press.away(1800)
        await press.scan(600)
        (gap,) = await press.ledger.gaps()
        # by the times that the source gave them
        times = gap.since - SECOND, gap.until - SECOND
        await press.ledger.filled("press", TAGS, *times, 3000)
        (gap,) = await press.ledger.gaps()
        assert (gap.missing, gap.filled) == (3600, 3000)
        assert await press.complete() == dict.fromkeys(TAGS, (3000, 3000))
        whole = press.ledger.completeness("press")
        assert whole
        assert whole.ratio == 1.0
        await press.scan(60)
        assert await press.complete() == dict.fromkeys(TAGS, (3060, 3060))


async def test_half_of_a_gap_and_one_of_its_tags_fill_so_much(
    tmp_path: Path, clock: FakeClock
) -> None:
    async with plant(tmp_path, clock) as press:
        await press.scan(300)
        await press.away(200)
        await press.scan(100)
        (gap,) = await press.ledger.gaps()
        middle = (gap.since + gap.until) // 2
        await press.ledger.filled("press", TAGS[:1], gap.since, middle, 100)
        assert await press.complete() == {TAGS[0]: (600, 500), TAGS[1]: (600, 400)}
        await press.ledger.filled("press", TAGS, NOON, gap.since, 100)  # nothing is missing there
        assert await press.complete() == {TAGS[0]: (600, 500), TAGS[1]: (600, 400)}


async def test_samples_that_were_lost_had_come_and_are_missing(
    tmp_path: Path, clock: FakeClock
) -> None:
    async with plant(tmp_path, clock) as press:
        await press.scan(1200)
        lost = Loss(
            0, 0, "records were not stored", "press/live", 1, 9, 301, NOON, NOON + 1000 * SECOND
        )
        press.ledger.declared(lost)
        press.ledger.declared(replace(lost, stream="oee/live"))
        assert await press.gaps() == [(Reason.LOST, 0.0, 1000.0, 2, 301)]
        complete = await press.complete()
        assert {expected for expected, _ in complete.values()} == {1200}
        assert sum(received for _, received in complete.values()) == 2400 - 301
        await press.scan(10)
        assert sum(received for _, received in (await press.complete()).values()) == 2420 - 301


async def test_a_clock_that_is_set_back_or_on_counts_what_was_due(
    tmp_path: Path, clock: FakeClock
) -> None:
    async with plant(tmp_path, clock) as press:
        await press.scan(1000)
        clock.jump(-600)
        await press.scan(1000)
        clock.jump(-7200)
        await press.scan(1000)
        clock.jump(7200)
        await press.scan(1000)
        assert await press.complete(NOON - 5 * 3600 * SECOND) == dict.fromkeys(TAGS, (4000, 4000))


async def test_old_windows_are_kept_by_the_hour_and_the_oldest_forgotten(
    tmp_path: Path, clock: FakeClock
) -> None:
    async with plant(tmp_path, clock) as press:
        await press.scan(3700, bad=100)
        await press.scan(1)
        counted = await press.complete(NOON)
        clock.advance(15 * 86400)
        await press.ledger.tick()
        assert await press.complete(NOON, NOON + 2 * 3600 * SECOND) == counted
        with sqlite3.connect(press.file) as db:
            old = db.execute(
                "SELECT width FROM windows WHERE start < ?", (NOON + 2 * 3600 * SECOND,)
            )
            assert {row[0] for row in old} == {3600 * SECOND}
        clock.advance(400 * 86400)
        await press.ledger.tick()
        clock.advance(3600)
        await press.ledger.tick()
        assert await press.complete(NOON, NOON + 2 * 3600 * SECOND) == {}
        assert await press.gaps(NOON) == []


async def test_a_file_that_is_broken_is_set_aside_and_a_new_one_begun(
    tmp_path: Path, clock: FakeClock
) -> None:
    (tmp_path / "gaps.sqlite").write_bytes(b"this is no database, and long enough to be none" * 100)
    async with plant(tmp_path, clock) as press:
        await press.scan(10)
        assert await press.complete() == dict.fromkeys(TAGS, (10, 10))
        assert not press.ledger.failed
    assert (tmp_path / "gaps.sqlite.broken").exists()


async def test_a_folder_that_takes_nothing_is_told_and_the_ledger_goes_on_in_memory(
    tmp_path: Path, clock: FakeClock
) -> None:
    (tmp_path / "gaps.sqlite").mkdir()
    async with plant(tmp_path, clock) as press:
        await press.scan(10)
        assert "gaps are kept in memory only" in press.ledger.failed
        assert await press.complete() == dict.fromkeys(TAGS, (10, 10))


async def test_what_the_disk_refuses_is_written_when_it_takes_it_again(
    tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with plant(tmp_path, clock) as press:
        await press.scan(600)
        full = sqlite3.OperationalError("database or disk is full")
        with monkeypatch.context() as patch:
            patch.setattr(Store, "write", lambda *_, **__: (_ for _ in ()).throw(full))
            await press.away(1800)
            await press.scan(600)
            assert "disk is full" in press.ledger.failed
        await press.scan(60)
        assert not press.ledger.failed
        assert await press.complete() == dict.fromkeys(TAGS, (3060, 1260))
        assert [gap[0] for gap in await press.gaps()] == [Reason.UNREACHABLE]


async def test_a_ledger_that_never_began_can_be_closed(tmp_path: Path, clock: FakeClock) -> None:
    ledger = Ledger(clock, "UTC", tmp_path / "gaps.sqlite")
    await ledger.close()
    await ledger.open()
    await ledger.close()
    await ledger.close()
