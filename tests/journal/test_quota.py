"""The journal's limits: what counts, what is kept in reserve, when it is full and when it has room again."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from bedplate.clock import SystemClock
from bedplate.journal.embedded import EmbeddedEngine
from bedplate.journal.engine import Commit, Entry
from bedplate.journal.quota import Quota
from bedplate.model import Body

MB = 1_000_000


def test_a_tenth_of_the_size_is_kept_for_others_than_connectors() -> None:
    quota = Quota(Path(), size=100 * MB, min_free=0, free=lambda folder: (10**12, 10**12))
    for used, full, spent, room in [
        (0, False, False, 90),
        (89, False, False, 1),
        (90, True, False, 0),
        (99, True, False, 0),
        (100, True, True, 0),
        (86, True, False, 4),  # not enough has come back yet
        (84, False, False, 6),
    ]:
        quota.look(used * MB, 0)
        assert (bool(quota.full), quota.spent, quota.room) == (full, spent, room * MB), used
    quota.look(95 * MB, 0)
    assert quota.full == "the journal is full (journal.size 100 MB): readers must catch up"


def test_what_is_free_within_the_file_counts_as_free_on_the_disk() -> None:
    free = [1000 * MB]
    quota = Quota(Path(), min_free=100 * MB, free=lambda folder: (free[0], 10**12))
    for left, reusable, full in [
        (1000, 0, False), (99, 0, True), (99, 50, False), (50, 40, True), (120, 0, False),
    ]:  # fmt: skip
        free[0] = left * MB
        quota.look(0, reusable * MB)
        assert bool(quota.full) is full, (left, reusable)
    free[0] = 0
    quota.look(0, 0)
    assert quota.spent
    assert quota.full == "the journal's disk has less than 100 MB free (journal.min_free)"


def test_without_a_word_a_twentieth_of_the_disk_stays_free() -> None:
    for whole, floor in [(1000 * MB, 50 * MB), (10**12, 256 << 20)]:
        quota = Quota(Path(), free=lambda folder, whole=whole: (10**9, whole))
        quota.look(0, 0)
        assert quota.room == 10**9 - floor


def test_a_floor_of_nothing_is_none_and_a_full_disk_says_so_itself() -> None:
    quota = Quota(Path(), min_free=0, free=lambda folder: (0, 1000 * MB))
    quota.look(500 * MB, 0)

    assert not quota.full
    assert not quota.spent
    assert quota.room == 0


async def test_when_it_is_full_appends_are_taken_and_trimming_makes_room(tmp_path: Path) -> None:
    engine = EmbeddedEngine(tmp_path, sync=0.01, clock=SystemClock(), size=2 * MB)
    await engine.open()
    last = 0
    while not engine.held:
        last = engine.append([Entry("a/live", Body.BATCH, os.urandom(50_000), 0)])[-1].position
        await engine.synced(last)
    state = engine.state()
    assert state.limit == 2 * MB
    assert state.room == 0
    assert engine.held == state.full
    engine.append([Entry("a/event", Body.EVENT, b"x", 0)], Commit("oee", last))
    await engine.synced(last + 1)  # readers go on
    await engine.trim(last)
    assert not engine.held
    assert engine.state().room > MB
    await engine.close()


async def test_it_is_seen_that_others_take_the_disk_and_give_it_back(tmp_path: Path) -> None:
    engine = EmbeddedEngine(tmp_path, clock=SystemClock(), min_free=1 << 62)
    await engine.open()
    assert "journal.min_free" in engine.held
    engine._quota._min_free = 0  # what the disk has can't be changed here
    async with asyncio.timeout(5):
        while engine.held:
            await asyncio.sleep(0.05)
    await engine.close()
