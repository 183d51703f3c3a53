"""Plugins start a few at a time, and one that hangs on its way up holds up nobody for long."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.runtime.plant import plant, state, until

from bedplate.runtime.starts import AT_ONCE, Starts


async def test_no_more_than_a_few_start_at_once_and_all_have_their_turn() -> None:
    starts = Starts(at_once=3, patience=60)
    busy, most, order = 0, 0, []

    async def start(number: int) -> None:
        nonlocal busy, most
        async with starts.turn():
            busy += 1
            most = max(most, busy)
            order.append(number)
            await asyncio.sleep(0)
            busy -= 1

    await asyncio.gather(*map(start, range(200)))
    assert most == 3
    assert order == list(range(200))


async def test_a_start_that_hangs_gives_its_turn_away_and_goes_on() -> None:
    starts = Starts(at_once=1, patience=0.05)
    hung, goes_on = asyncio.Event(), asyncio.Event()

    async def hang() -> None:
        async with starts.turn():
            hung.set()
            await goes_on.wait()

    hanging = asyncio.create_task(hang())
    await hung.wait()
    for _ in range(3):  # the turn it gave away comes back each time, and only once
        async with asyncio.timeout(20), starts.turn():
            pass
    goes_on.set()
    await hanging
    async with starts.turn():
        second = asyncio.create_task(starts.turn().__aenter__())
        await asyncio.sleep(0)
        assert not second.done()
        second.cancel()


async def test_who_is_stopped_while_it_waits_takes_nobodys_turn() -> None:
    starts = Starts(at_once=1, patience=60)
    async with starts.turn():
        waiting = asyncio.create_task(starts.turn().__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
    async with asyncio.timeout(20), starts.turn():
        pass


async def test_a_plant_of_many_processes_comes_up_a_few_at_a_time(tmp_path: Path) -> None:
    many = [f"c{n}" for n in range(10)]
    lines = "".join(
        f"  {one}: {{use: counter, process: {one}, tags: {{n: {{}}}}}}\n" for one in many
    )
    async with plant(tmp_path, f"connectors:\n{lines}") as kernel:
        most = 0

        def all_up() -> bool:
            nonlocal most
            runs = [place.run for place in kernel.places.values() if place.run]
            most = max(most, sum(1 for run in runs if run.pid and not run.attachment))
            return all(state(kernel, one) == "up" for one in many)

        await until(all_up, within=60)
        assert 1 <= most <= AT_ONCE
