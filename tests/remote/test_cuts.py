"""What networks do between the kernel and a plugin elsewhere: nothing that was handed over is lost, nothing comes twice."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest
from tests.remote.elsewhere import Elsewhere
from tests.remote.proxy import Proxy, network
from tests.runtime.plant import OFFERS, RIGS, RigOffer, plant, state, until, value

from bedplate.model import Body
from bedplate.wire import decode_batch

PUSHER = """
connectors: {p: {use: counting, placement: remote, pause: 0.002, tags: {number: {address: a}}}}
"""
COUNTING = OFFERS | {"counting": RigOffer("counting", "connector", ("subscribe",), "rigs:Counting")}


async def numbers(kernel: Any) -> list[int]:
    """Every sample of p/number in the journal, Good or not, in order of their positions."""
    await kernel.engine.synced(kernel.engine.state().appended)
    handles: dict[int, set[int]] = {}
    found: list[int] = []
    position = 0
    while records := await kernel.engine.read(position, records=5000):
        position = records[-1].position
        for record in records:
            if record.kind is Body.BATCH and record.stream == "p/live":
                found += decode_batch(record.payload).value.tolist()
    assert not handles
    return found


class Cutter:
    """Cuts a network at random moments, in every way it has."""

    def __init__(self, proxy: Proxy, seed: int) -> None:
        self._proxy = proxy
        self._random = random.Random(seed)

    async def cut(self, how: str) -> None:
        await asyncio.sleep(self._random.uniform(0.02, 0.4))
        getattr(self._proxy, how)()


@pytest.mark.slow
async def test_a_counting_source_arrives_whole_and_in_order_through_many_cuts(
    tmp_path: Path,
) -> None:
    elsewhere = Elsewhere(tmp_path)
    text = PUSHER + elsewhere.section()
    async with (
        plant(tmp_path, text, offers=COUNTING) as kernel,
        network(kernel.remote_address) as proxy,
    ):
        elsewhere.run(kernel.places.values(), proxy.address)
        try:
            await until(lambda: value(kernel, "p/number"), within=30)
            cutter = Cutter(proxy, seed=7)
            for turn in range(24):
                taken, seen = proxy.taken, value(kernel, "p/number")
                await cutter.cut("reset" if turn % 3 else "hang_up")
                await until(lambda: proxy.taken > taken, within=20)
                if turn % 4 == 0:
                    await until(lambda: value(kernel, "p/number") > seen, within=20)
            seen = value(kernel, "p/number")
            await until(lambda: value(kernel, "p/number") > seen + 100, within=20)
            found = await numbers(kernel)
        finally:
            await elsewhere.stop()

        assert found == list(range(1, len(found) + 1))
        assert state(kernel, "p") == "up"
        assert kernel.components["p"].role.figures.restarts == 0
