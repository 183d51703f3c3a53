"""kill -9 at random moments, opening included: what was acknowledged is there, byte by byte, and it always starts."""

from __future__ import annotations

import os
import random
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.counts import count
from tests.journal.records import same

from bedplate.clock import SystemClock
from bedplate.journal.embedded import EmbeddedEngine

KILLS = count(20, 200)
ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def seed() -> int:
    seed = int(os.environ.get("SEED", random.randrange(1_000_000)))
    print(f"replay with SEED={seed}")
    return seed


@pytest.mark.counted
async def test_what_was_acknowledged_survives_kill_9(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    epoch = acknowledged = 0
    for kill in range(KILLS):
        moment = chance.choice([0.005, 0.05, 0.2]) * chance.random()
        acknowledged = max(
            acknowledged, append_until_killed(tmp_path / "journal", seed + kill, moment)
        )
        last, new_epoch = await verify(tmp_path / "journal", acknowledged)
        assert new_epoch > epoch
        epoch, acknowledged = new_epoch, last
    assert acknowledged > 100


async def test_a_first_start_that_is_killed_does_not_hinder_the_next(
    tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    for kill in range(8):
        folder = tmp_path / str(kill)
        acknowledged = append_until_killed(folder, seed + kill, 0.008 * chance.random())
        await verify(folder, acknowledged)


def append_until_killed(folder: Path, seed: int, moment: float) -> int:
    """The newest position acknowledged before the kill, so many seconds after the journal began to open."""
    command = [sys.executable, "-m", "tests.journal.appending_program", str(folder), str(seed)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as program:
        try:
            assert program.stdout is not None
            assert program.stdout.readline() == b"opening\n"
            said = listen(program.stdout.fileno(), moment)
        finally:
            program.kill()
        said += program.stdout.read()
    return max(map(int, said.split()), default=0)


def listen(file: int, seconds: float) -> bytes:
    """What is said within this time."""
    said, end = b"", time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if select.select([file], [], [], left)[0]:
            said += os.read(file, 65536)
    return said


async def verify(folder: Path, acknowledged: int) -> tuple[int, int]:
    """Newest position and epoch. Everything from the oldest record on is what the program appended."""
    engine = EmbeddedEngine(folder, clock=SystemClock())
    await engine.open()
    try:
        state = engine.state()
        assert state.synced >= acknowledged
        found, position = [], 0
        while records := await engine.read(position):
            found += records
            position = records[-1].position
        assert state.damaged == 0
        if state.synced:
            assert same(found, range(state.first - 1, state.synced))
            assert state.first == 1 or state.synced - state.first >= 299
            cursor, states = await engine.cursor("reader")
            assert (cursor, states) == (state.synced, {"last": str(state.synced).encode()})
        return state.synced, engine.epoch
    finally:
        await engine.close()
