"""kill -9 of kernel, plugin and history at random moments: what was acknowledged is in history, once."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.counts import SOAK, count
from tests.faults.running import Running, until

KILLS = count(20, 60)
SEED = int(os.environ.get("BEDPLATE_SEED", random.randrange(2**32)))


@pytest.fixture
async def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Running]:
    monkeypatch.setenv("BEDPLATE_HOME", str(tmp_path / "home"))
    print(f"replay: BEDPLATE_SEED={SEED} make test ARGS=tests/faults/test_kill.py")
    one = Running(tmp_path)
    yield one
    await one.kill()


async def check_all(running: Running) -> None:
    """Everything that was confirmed is in history, and nothing is there twice."""
    confirmed = running.confirmed()
    stored: list[int] = []
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(60):
            while not confirmed <= set(stored):
                stored = await running.stored()
                await asyncio.sleep(0.2)

    assert confirmed
    assert not confirmed - set(stored), "acknowledged samples are missing"
    assert len(set(stored)) == len(stored), "a sample is in history twice"


async def more(running: Running, count: int = 1) -> None:
    """Waits until so many further numbers are confirmed."""
    before = len(running.confirmed())
    await until(lambda: len(running.confirmed()) >= before + count)


@pytest.mark.counted
@pytest.mark.timeout(3600 if SOAK else 300)
async def test_a_killed_kernel_starts_again_and_has_kept_what_it_acknowledged(
    running: Running,
) -> None:
    dice = random.Random(SEED)
    pids: list[int] = []
    for _ in range(KILLS):
        await running.start()
        before = len(running.confirmed())
        with contextlib.suppress(TimeoutError):
            await until(lambda before=before: len(running.confirmed()) > before, within=20)
        await asyncio.sleep(dice.uniform(0, 0.6))
        pids += [await running.pid("push"), await running.pid("history")]
        await running.kill()
    await running.start()
    await check_all(running)

    assert len(running.confirmed()) > KILLS
    assert not [pid for pid in pids if pid and _alive(pid)], "a plugin outlived its kernel"


@pytest.mark.parametrize("victim", ["push", "history"])
@pytest.mark.counted
@pytest.mark.timeout(3600 if SOAK else 300)
async def test_a_killed_plugin_or_history_comes_back_and_nothing_is_lost_or_doubled(
    running: Running, victim: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dice = random.Random(SEED)
    monkeypatch.setattr(
        "bedplate.runtime.lifecycle.FAULTS", KILLS
    )  # else six in a minute are faulted, as promised
    await running.start_here()
    for _ in range(KILLS):
        await more(running)
        await asyncio.sleep(dice.uniform(0, 0.4))
        pid = await running.pid(victim)
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    await more(running, 500)
    await check_all(running)


def _alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False
