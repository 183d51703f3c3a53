"""Calls of strangers begin by turns; who has said who he is waits no more."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.door.rig import plant, until

import bedplate
from bedplate.listening.turns import Turns
from bedplate.testing.clock import FakeClock

RATE, BURST = 10.0, 20.0


async def test_many_calls_of_one_connection_do_not_keep_out_a_newcomer_with_his_first() -> None:
    clock = FakeClock()
    turns = Turns(clock.monotonic, (RATE, BURST))
    served: list[str] = []

    def again() -> None:
        served.append("flood")
        turns.take(again)

    assert [turns.take(again) for _ in range(int(BURST) + 3)].count(True) == BURST
    assert not turns.take(lambda: served.append("newcomer"))
    await asyncio.sleep(0.05)
    assert served == [], "there is nothing to spend"
    clock.advance(2 / RATE)
    await until(lambda: len(served) == 2, 5)
    assert served == ["flood", "newcomer"]


async def test_who_hung_up_while_it_waited_takes_nobodys_turn() -> None:
    clock = FakeClock()
    turns = Turns(clock.monotonic, (RATE, BURST))
    served: list[str] = []

    def gone() -> None:
        served.append("gone")

    while turns.take(gone):
        pass
    assert not turns.take(lambda: served.append("here"))
    turns.leave(gone)
    clock.advance(1 / RATE)
    await until(lambda: served, 5)
    assert served == ["here"]


async def test_who_is_cancelled_while_it_waits_takes_nobodys_turn() -> None:
    clock = FakeClock()
    turns = Turns(clock.monotonic, (RATE, 1.0))
    await turns.turn()
    first, second = (asyncio.create_task(turns.turn()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    clock.advance(1 / RATE)
    await asyncio.wait_for(second, 5)
    assert first.cancelled()


async def test_calls_that_waited_begin_once_their_connection_is_welcome(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thirty at once on a new connection where strangers get one call and no other for ever."""
    monkeypatch.setattr("bedplate.listening.turns.CALLS", (0.0, 1.0))
    async with plant(tmp_path) as running:
        running.know(who={"t": {"id": "tina"}})
        async with bedplate.connect_async(running.address, "t") as client:
            who = await asyncio.gather(*(client.whoami() for _ in range(30)))
        assert [one.id for one in who] == ["tina"] * 30
