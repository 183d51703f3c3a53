"""What a source kept while it was away is fetched afterwards, once, behind what is live, whatever its plugin does."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from tests.backfill.recorder import TICK
from tests.runtime.plant import RigOffer, plant, state, until

from bedplate.model import Body
from bedplate.model.batch import Flag
from bedplate.runtime.backfill import backfill
from bedplate.runtime.kernel import Kernel
from bedplate.wire import decode_batch, decode_event

RECORDER = Path(__file__).with_name("recorder.py")
CAN = ("read", "read_history")
OFFERS = {
    name: RigOffer(name, "connector", CAN, f"recorder:{name.title()}", "recorder", RECORDER)
    for name in ("generating", "awaiting", "listing", "device")
}
ONE = """
connectors:
  box:
    use: USE
    placement: PLACE
    folder: FOLDER
    scan_classes: {fast: 50ms}
    tags: {a: {address: a, scan: fast}, none: {address: b, scan: fast}}
"""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "SETTLE", 0.2)
    monkeypatch.setattr(backfill, "FIRST_AGAIN", 0.3)


@asynccontextmanager
async def box(folder: Path, use: str, placement: str = "inline") -> AsyncIterator[Kernel]:
    text = ONE.replace("USE", use)
    async with plant(folder, text, placement=placement, offers=OFFERS) as kernel:
        supervisor = kernel.components["box"]
        supervisor._backoff._first = supervisor._backoff._last = 0.1
        yield kernel


async def away(kernel: Kernel, folder: Path, seconds: float = 1.0) -> None:
    await until(lambda: state(kernel, "box") == "up")
    await asyncio.sleep(0.2)
    (folder / "cut").touch()
    await until(lambda: state(kernel, "box") == "unreachable")
    await asyncio.sleep(seconds)
    (folder / "cut").unlink()
    await until(lambda: state(kernel, "box") == "up")


async def numbers(kernel: Kernel, tag: str, lane: str) -> list[int]:
    """Of all Good samples of a tag in one stream of the journal, in the order in which they came."""
    found: list[int] = []
    position, tables = 0, {}
    while records := await kernel.engine.read(position):
        position = records[-1].position
        for record in records:
            if record.epoch not in tables:
                tables[record.epoch] = await names(kernel, record.epoch)
            if record.kind is Body.BATCH and record.stream == f"box/{lane}":
                batch = decode_batch(record.payload)
                assert bool(batch.flags & Flag.HISTORICAL) is (lane == "backfill")
                mine = [tables[record.epoch][h].endswith(f"/{tag}") for h in batch.tags().tolist()]
                wanted = np.array(mine) & (batch.qualities() == 0)
                assert (batch.times()[wanted] == batch.value[wanted] * TICK).all()
                found += batch.value[wanted].astype(int).tolist()
    return found


async def names(kernel: Kernel, epoch: int) -> dict[int, str]:
    from bedplate.runtime.subscription import table_of

    table = table_of(await kernel.engine.tables(epoch), epoch)
    return {tag.handle: tag.path for tag in table}


async def notes(kernel: Kernel) -> list[str]:
    records = await kernel.engine.read(0, records=100_000, size=1 << 30)
    return [
        decode_event(r.payload).text
        for r in records
        if r.kind is Body.EVENT and r.stream == "box/event"
    ]


def done(kernel: Kernel, least: int = 1) -> bool:
    fetched = kernel.components["box"].role.backfill
    return fetched.samples >= least and not fetched.missed.lots


async def fetched_all(kernel: Kernel, tag: str) -> bool:
    await kernel.engine.synced(kernel.engine.state().appended)
    return bool(await numbers(kernel, tag, "backfill")) and await missing(kernel, tag) == 0


async def missing(kernel: Kernel, tag: str) -> int:
    live, fetched = await numbers(kernel, tag, "live"), await numbers(kernel, tag, "backfill")
    return sum(b - a - 1 for a, b in gaps_of(live)) - len(fetched)


def gaps_of(live: list[int]) -> list[tuple[int, int]]:
    return [(a, b) for a, b in itertools.pairwise(live) if b - a > 0.9e9 / TICK]


async def is_whole(kernel: Kernel, tag: str = "a") -> None:
    """Between two live samples that lie further apart than a second, every number is there, once and in order."""
    live, fetched = await numbers(kernel, tag, "live"), await numbers(kernel, tag, "backfill")
    assert not set(live) & set(fetched)
    assert fetched == [n for a, b in gaps_of(live) for n in range(a + 1, b)]


@pytest.mark.parametrize(
    ("use", "placement"),
    [
        ("generating", "inline"),
        ("awaiting", "inline"),
        ("listing", "inline"),
        ("awaiting", "process"),
    ],
)
async def test_what_was_missed_comes_once_and_in_order_however_the_author_wrote_it(
    tmp_path: Path, use: str, placement: str
) -> None:
    async with box(tmp_path, use, placement) as kernel:
        heard, _ = kernel.spine.live.listen()
        await away(kernel, tmp_path)
        await until(lambda: done(kernel, 4000))
        await kernel.engine.synced(kernel.engine.state().appended)

        await is_whole(kernel)
        assert not [one for one in heard.take() if one.record.stream == "box/backfill"]
        tag = kernel.spine.registry.table.newest("box/a")
        assert tag is not None
        assert tag.stream == "box/live"
        live = await numbers(kernel, "a", "live")
        assert abs(int(kernel.spine.current.time[tag.handle]) // TICK - live[-1]) < 1e9 / TICK
        assert any("that were missed" in text for text in await notes(kernel))


async def test_a_tag_without_a_history_is_not_asked_for_again(tmp_path: Path) -> None:
    async with box(tmp_path, "generating") as kernel:
        await away(kernel, tmp_path)
        await until(lambda: done(kernel))
        first = (tmp_path / "asked").read_text().splitlines()
        await away(kernel, tmp_path)
        before = kernel.components["box"].role.backfill.samples
        await until(lambda: done(kernel, before + 1))

        asked = (tmp_path / "asked").read_text().splitlines()
        assert {line.split()[0] for line in first} == {"a,none"}
        assert {line.split()[0] for line in asked[len(first) :]} == {"a"}


@pytest.mark.parametrize("trouble", ["wrong", "slow"])
async def test_a_history_in_trouble_costs_nothing_that_is_live_and_is_asked_again(
    tmp_path: Path, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backfill, "PAGE_WITHIN", 0.5)
    async with box(tmp_path, "generating") as kernel:
        (tmp_path / trouble).touch()
        await away(kernel, tmp_path)
        await until((tmp_path / "asked").exists)
        source = kernel.components["box"].role
        restarts, seen = source.figures.restarts, source.figures.consumed
        await asyncio.sleep(1.5)
        assert state(kernel, "box") == "up"
        assert source.figures.restarts == restarts
        assert source.figures.consumed - seen > 20  # of two tags, twenty scans a second
        (tmp_path / trouble).unlink()
        await until(lambda: done(kernel), 30)
        await kernel.engine.synced(kernel.engine.state().appended)

        await is_whole(kernel)


async def test_a_plugin_that_is_older_than_its_manifest_goes_on_without(tmp_path: Path) -> None:
    async with box(tmp_path, "device") as kernel:
        await away(kernel, tmp_path)
        await asyncio.sleep(1)

        assert state(kernel, "box") == "up"
        assert any("does not read it" in text for text in await notes(kernel))


async def test_what_a_stop_interrupts_is_taken_up_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backfill, "PAUSE", 1.0)
    async with box(tmp_path, "awaiting") as kernel:
        await away(kernel, tmp_path, 1.5)
        await until(lambda: kernel.components["box"].role.backfill.samples)
        left = kernel.components["box"].role.backfill.missed.lots
        assert left
    await asyncio.sleep(1)
    monkeypatch.setattr(backfill, "PAUSE", 0.05)
    async with box(tmp_path, "awaiting") as kernel:
        await until(lambda: state(kernel, "box") == "up")
        # Two stretches; that of the stop itself is known only once values come again.
        for tag in ("a", "none"):
            async with asyncio.timeout(60):
                while not await fetched_all(kernel, tag):
                    await asyncio.sleep(0.1)
            await is_whole(kernel, tag)
