"""What networks do between the kernel and a plugin elsewhere: nothing handed over is lost, nothing comes twice."""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tests.remote.elsewhere import Elsewhere
from tests.remote.proxy import Proxy, network
from tests.runtime.plant import OFFERS, RigOffer, plant, state, until, value

from bedplate.clock import SystemClock
from bedplate.journal.embedded import EmbeddedEngine
from bedplate.model import Body
from bedplate.wire import decode_batch

PUSHER = """
connectors: {p: {use: counting, placement: remote, pause: 0.002, tags: {number: {address: a}}}}
"""
COUNTING = OFFERS | {"counting": RigOffer("counting", "connector", ("subscribe",), "rigs:Counting")}


async def numbers(engine: Any, *, good: bool = False) -> list[int]:
    """Every sample of p/number in the journal in order of their positions; good: not those by which the kernel says
    that it is Uncertain."""
    await engine.synced(engine.state().appended)
    found: list[int] = []
    position = 0
    while records := await engine.read(position, records=5000):
        position = records[-1].position
        for record in records:
            if record.kind is Body.BATCH and record.stream == "p/live":
                batch = decode_batch(record.payload)
                value = batch.value[batch.qualities() == 0] if good else batch.value
                found += value.tolist()
    return found


def whole(found: list[int]) -> bool:
    """Whether they are 1, 2, 3 …; what is wrong is printed."""
    wrong = [(n, was, found[n - 2 : n + 2]) for n, was in enumerate(found, 1) if n != was]
    print(*wrong[:3])
    return not wrong


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine that does much else a redial may take its time."""
    for module in ("cut", "remote"):
        monkeypatch.setattr(f"bedplate.runtime.{module}.ARRIVES_WITHIN", 20.0)


@asynccontextmanager
async def line(
    folder: Path, text: str = PUSHER, delay: float = 0.0
) -> AsyncIterator[tuple[Any, Proxy, Elsewhere]]:
    """A kernel, a network, and a program behind it that has delivered something."""
    elsewhere = Elsewhere(folder)
    async with (
        plant(folder, text + elsewhere.section(), offers=COUNTING) as kernel,
        network(kernel.remote_address, delay) as proxy,
    ):
        elsewhere.run(kernel.places.values(), proxy.address)
        try:
            await until(lambda: value(kernel, "p/number"))
            yield kernel, proxy, elsewhere
        finally:
            await elsewhere.stop()


async def more(kernel: Any, count: int = 100) -> None:
    """Returns when so many more have come."""
    seen = value(kernel, "p/number") or 0
    await until(lambda: (value(kernel, "p/number") or 0) > seen + count)


async def redialled(proxy: Proxy, taken: int) -> None:
    await until(lambda: proxy.taken > taken)


@pytest.mark.slow
@pytest.mark.case("A55")
async def test_a_counting_source_arrives_whole_and_in_order_through_many_cuts(
    tmp_path: Path,
) -> None:
    chance = random.Random(7)
    async with line(tmp_path) as (kernel, proxy, _):
        for turn in range(24):
            taken = proxy.taken
            await asyncio.sleep(chance.uniform(0.02, 0.4))
            (proxy.reset if turn % 3 else proxy.hang_up)()
            await redialled(proxy, taken)
            if turn % 4 == 0:
                await more(kernel, 1)
        await more(kernel)

        assert whole(await numbers(kernel.engine))
        assert state(kernel, "p") == "up"
        assert kernel.components["p"].role.figures.restarts == 0


@pytest.mark.slow
async def test_a_connection_that_is_dead_though_open_is_noticed_from_both_sides(
    tmp_path: Path,
) -> None:
    async with line(tmp_path) as (kernel, proxy, elsewhere):
        gone = kernel.components["p"].place.run.attachment.gone
        proxy.lose()
        await until(lambda: any("says nothing" in said for said in elsewhere.said))
        await until(gone.done)
        await more(kernel)

        assert whole(await numbers(kernel.engine))
        assert state(kernel, "p") == "up"


async def test_what_waits_in_a_network_that_stands_still_comes_when_it_moves(
    tmp_path: Path,
) -> None:
    async with line(tmp_path) as (kernel, proxy, _):
        proxy.freeze()
        await asyncio.sleep(1.5)
        taken = proxy.taken
        proxy.thaw()
        await more(kernel)

        assert proxy.taken == taken
        assert whole(await numbers(kernel.engine))


@pytest.mark.slow
async def test_a_cut_that_lasts_is_told_and_what_was_handed_over_comes_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bedplate.runtime.cut.ARRIVES_WITHIN", 0.5)
    monkeypatch.setattr("bedplate.runtime.remote.ARRIVES_WITHIN", 0.5)
    async with line(tmp_path) as (kernel, proxy, _):
        there, proxy.target = proxy.target, "127.0.0.1:9"
        proxy.reset()
        await until(lambda: state(kernel, "p") == "unreachable")
        reason = kernel.components["p"].life.reason
        proxy.target = there
        await until(lambda: state(kernel, "p") == "up")
        await more(kernel)
        found = await numbers(kernel.engine)

        assert "no program has dialled in for place rigs" in reason
        assert kernel.components["p"].life.state != "faulted"
        marked = {n for n, after in pairwise(found) if n == after}
        assert len(marked) == 1, "only the mark that the tag is Uncertain repeats a value"
        assert whole(sorted(set(found)))


@pytest.mark.slow
@pytest.mark.case("A55", "A56")
async def test_a_killed_kernel_gets_what_it_had_not_on_disk_when_it_comes_back(
    tmp_path: Path,
) -> None:
    """Three kernels on one journal, each killed in the middle of it; one program, which lives through all of them."""
    elsewhere = Elsewhere(tmp_path)
    section = elsewhere.section()
    async with network("127.0.0.1:9") as proxy:
        async with plant(tmp_path / "none", PUSHER + section, offers=COUNTING) as kernel:
            launch = next(iter(kernel.places.values())).launch
        elsewhere.start(launch, "rigs", proxy.address)
        try:
            last = 0
            for _ in range(3):
                last = await _one_life(tmp_path, PUSHER + section, proxy, last)
        finally:
            await elsewhere.stop()
    engine = EmbeddedEngine(tmp_path / "journal", clock=SystemClock())
    await engine.open()
    found = await numbers(engine)
    await engine.close()

    assert len(set(found)) > 600
    assert whole([n for n, after in zip(found, [*found[1:], 0], strict=True) if n != after])


async def _one_life(folder: Path, text: str, proxy: Proxy, least: int) -> int:
    """A kernel in a process of its own, killed without warning once it has seen so many. Returns how many."""
    program = f"""
import asyncio, json
from pathlib import Path
from tests.remote.test_cuts import COUNTING
from tests.runtime.plant import plant, value
async def main():
    async with plant(Path({str(folder)!r}), {text!r}, offers=COUNTING) as kernel:
        print(json.dumps(kernel.remote_address), flush=True)
        while True:
            print(json.dumps(value(kernel, "p/number") or 0), flush=True)
            await asyncio.sleep(0.05)
asyncio.run(main())
"""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60):
            proxy.target = json.loads(await process.stdout.readline())
            seen = beyond = 0
            while beyond < 15:  # it sees more at once than it has on disk
                seen = json.loads(await process.stdout.readline())
                beyond += seen > least
    finally:
        process.kill()
        await process.wait()
    return seen


async def test_a_kernel_that_stops_in_order_goes_on_where_it_was(tmp_path: Path) -> None:
    elsewhere = Elsewhere(tmp_path)
    text = PUSHER + elsewhere.section()
    async with network("127.0.0.1:9") as proxy:
        try:
            for _ in range(3):
                async with plant(tmp_path, text, offers=COUNTING) as kernel:
                    proxy.target = kernel.remote_address
                    elsewhere.run(kernel.places.values(), proxy.address)
                    await until(lambda kernel=kernel: state(kernel, "p") == "up")
                    await more(kernel, 200)
                    found = await numbers(kernel.engine)
        finally:
            await elsewhere.stop()

    once = [n for n, after in zip(found, [*found[1:], 0], strict=True) if n != after]
    assert whole(once), "each once; only marks of the time without a program repeat a value"


async def just_read(kernel: Any) -> None:
    """Returns when a value has come this moment: the next read is not under way, so no answer to it can be cut off."""
    seen = value(kernel, "p/number")
    async with asyncio.timeout(30):
        while value(kernel, "p/number") == seen:
            await asyncio.sleep(0.001)


async def test_polled_components_and_readers_go_on_after_a_cut(tmp_path: Path) -> None:
    text = """
scan_classes: {fast: 50ms}
connectors:
  p: {use: counter, placement: remote, tags: {number: {address: a, scan: fast}}}
analytics:
  sums: {use: sums, placement: remote, for: p, of: number}
"""
    async with line(tmp_path, text) as (kernel, proxy, _):
        for _ in range(3):
            taken = proxy.taken
            await just_read(kernel)
            proxy.reset()
            await redialled(proxy, taken)
            await more(kernel, 3)

        assert whole(await numbers(kernel.engine)), "the session at the device went on as it was"


async def test_a_slow_link_carries_everything(tmp_path: Path) -> None:
    async with line(tmp_path, delay=0.02) as (kernel, _, _):
        await more(kernel, 500)

        assert whole(await numbers(kernel.engine))
        assert state(kernel, "p") == "up"
