"""Back-pressure at each hop: who is slow holds back whoever is before him; nothing is lost or piled up."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.plant import OFFERS, RigOffer, plant, state, until, value
from tests.runtime.pressure import AT_ONCE

from bedplate.clock import SystemClock
from bedplate.errors import CallError
from bedplate.journal.embedded import EmbeddedEngine
from bedplate.model import Body
from bedplate.plugin.v1 import plugin_pb2
from bedplate.remote.pages import AHEAD
from bedplate.runtime import requests
from bedplate.runtime.reader import RECORDS
from bedplate.runtime.source import CREDIT
from bedplate.wire import decode_batch

FILE = Path(__file__).with_name("pressure.py")
IN_HAND = 3  # batches that a source may have handed over and that wait within it


def rig(use: str, kind: str, capabilities: tuple[str, ...], name: str, plugin: str) -> RigOffer:
    inputs = ("of",) if kind == "analytic" else ()
    return RigOffer(
        use, kind, capabilities, f"pressure:{name}", plugin=plugin, file=FILE, inputs=inputs
    )


RIGS = OFFERS | {
    "torrent": rig("torrent", "connector", ("subscribe",), "Torrent", "pressure"),
    "brook": rig("brook", "connector", ("read",), "Brook", "pressure"),
    "slow-sink": rig("slow-sink", "connector", ("deliver",), "SlowSink", "sink"),
    "slow-sums": rig("slow-sums", "analytic", (), "SlowSums", "sums"),
    "library": rig("library", "connector", ("deliver", "query"), "Library", "library"),
    "async-library": rig(
        "async-library", "connector", ("deliver", "query"), "AsyncLibrary", "library"
    ),
}
TORRENT = "torrent: {use: torrent, folder: FOLDER, most: MOST, tags: {number: {address: a}}}"
BROOK = "brook: {use: brook, scan_classes: {fast: 50ms}, tags: {n: {address: a, scan: fast}}}"


def said(folder: Path, what: str) -> int:
    with contextlib.suppress(FileNotFoundError, ValueError):
        return int((folder / what).read_text())
    return 0


async def numbers(kernel: Any, stream: str) -> list[int]:
    """What a stream of the journal holds, in order."""
    await kernel.engine.synced(kernel.engine.state().appended)
    found: list[int] = []
    position = 0
    while records := await kernel.engine.read(position):
        for record in records:
            if record.kind is Body.BATCH and record.stream == stream:
                found += decode_batch(record.payload).value.tolist()
        position = records[-1].position
    return found


class SlowEngine(EmbeddedEngine):
    """A journal whose disk takes half a second for each sync while `slow`. waiting: most bytes that ever
    waited for it."""

    slow, waiting = True, 0

    async def open(self) -> None:
        await super().open()
        write = self._commits._write

        def slowly(turn: Any) -> None:
            self.waiting = max(self.waiting, self.pending_bytes)
            if self.slow:
                time.sleep(0.5)
            write(turn)

        self._commits._write = slowly


async def test_a_slow_disk_holds_back_who_pushes_not_who_is_polled_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = 200_000
    monkeypatch.setattr("bedplate.journal.embedded.PENDING_MOST", limit)
    engine = SlowEngine(tmp_path / "journal", clock=SystemClock(), sync=0.05)
    most = 2_000_000
    text = f"connectors:\n  {TORRENT}\n  {BROOK}\n".replace("MOST", str(most))
    async with plant(tmp_path, text, engine=engine, offers=RIGS) as kernel:
        source = kernel.components["torrent"].role
        lead = pinged = 0.0
        credit = CREDIT
        await until(lambda: value(kernel, "torrent/number"))
        async with asyncio.timeout(40):
            while kernel.engine.state().syncs < 6:
                lead = max(lead, said(tmp_path, "handed") - source.figures.consumed)
                pinged = max(pinged, kernel.components["brook"].place.run.pings.seconds)
                credit = min(credit, source.credit)
                await asyncio.sleep(0.01)
        polled = kernel.components["brook"].role.figures
        before = polled.consumed
        await until(lambda: polled.consumed > before)  # it can't send again, so it goes on
        kernel.components["brook"].lose(plugin_pb2.CODE_UNREACHABLE, "closed and opened meanwhile")
        await until(lambda: state(kernel, "brook") == "unreachable")
        await until(lambda: state(kernel, "brook") in ("up", "degraded"))
        assert engine.slow
        assert lead <= (CREDIT + IN_HAND) * AT_ONCE
        assert credit >= 0
        assert engine.waiting <= limit + (CREDIT + 1) * AT_ONCE * 24  # what was on its way
        assert kernel.spine.unstored.samples == 0
        engine.slow = False
        await until(lambda: value(kernel, "torrent/number") == most, within=60)
        seen = value(kernel, "brook/n")
        await until(lambda: value(kernel, "brook/n") > seen)

        assert state(kernel, "torrent") == "up"
        assert kernel.components["torrent"].place.restarts == 0
        assert kernel.components["torrent"].role.figures.dropped == 0
        assert await numbers(kernel, "torrent/live") == list(range(1, most + 1))
        print(
            f"lead {lead:,.0f} samples, ping {pinged * 1000:.0f} ms, {engine.waiting:,} bytes waited"
        )


async def test_a_slow_reader_and_a_slow_analytic_get_one_stretch_at_a_time_and_hold_nobody_back(
    tmp_path: Path,
) -> None:
    most = 200_000
    text = f"""
types: {{box: {{use: torrent, folder: FOLDER, most: {most}, tags: {{number: {{address: a}}}}}}}}
connectors:
  torrent: {{type: box, each: {{one: {{}}}}}}
  {BROOK}
  sink: {{use: slow-sink, folder: FOLDER, pause: 0.2, deliver: ["one/number"]}}
analytics: {{sums: {{use: slow-sums, for: box, of: number, pause: 0.2, folder: FOLDER}}}}
"""
    async with plant(tmp_path, text, offers=RIGS) as kernel:
        await until(lambda: value(kernel, "one/number") == most, within=60)  # not held back
        behind = most - said(tmp_path, "delivered")
        seen = value(kernel, "brook/n")
        await until(lambda: value(kernel, "brook/n") > seen)
        await until(lambda: said(tmp_path, "delivered") == most, within=60)
        await until(lambda: value(kernel, "one/sums/last") == most, within=60)

        print(f"the reader was {behind:,} samples behind, in the journal")
        assert value(kernel, "one/sums/sum") == most * (most + 1) // 2
        assert said(tmp_path, "largest") <= RECORDS
        for name in ("sink", "sums"):
            assert kernel.components[name].role.figures.restarts == 0
            assert kernel.components[name].place.run.pings.seconds < 1


@pytest.mark.parametrize("use", ["library", "async-library"])
async def test_a_history_makes_no_more_pages_than_its_reader_has_room_for(
    tmp_path: Path, use: str
) -> None:
    text = f"connectors: {{lib: {{use: {use}, folder: FOLDER, most: 60, deliver: ['**']}}}}"
    async with plant(tmp_path, text, offers=RIGS) as kernel:
        await until(lambda: state(kernel, "lib") == "up")
        taken = lead = 0
        async for _ in kernel.history.query(requests.Query(selectors=["**"])):
            taken += 1
            await asyncio.sleep(0.01 if taken % 10 else 0.1)
            lead = max(lead, said(tmp_path, "made") - taken)

        assert taken == 60 + 1  # the last says that it is over
        assert lead <= AHEAD + 1
        assert kernel.components["lib"].place.run.pings.seconds < 1


async def test_a_reader_that_goes_away_ends_the_making_of_pages(tmp_path: Path) -> None:
    text = "connectors: {lib: {use: library, folder: FOLDER, most: 1000, deliver: ['**']}}"
    async with plant(tmp_path, text, offers=RIGS) as kernel:
        await until(lambda: state(kernel, "lib") == "up")
        pages = kernel.history.query(requests.Query(selectors=["**"]))
        await anext(pages)
        await asyncio.sleep(0.2)
        assert not said(tmp_path, "over")
        await pages.aclose()
        await until(lambda: said(tmp_path, "over"))

        assert said(tmp_path, "made") <= AHEAD + 3
        (attachment,) = [p.run.attachment for p in kernel.places.values()]
        await until(lambda: not attachment._forgotten)  # it has answered
        assert state(kernel, "lib") == "up"


async def test_a_slow_reader_of_the_api_holds_back_the_history_not_the_kernels_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bedplate.client import connect_async
    from bedplate.server.platform import Platform, prepare

    monkeypatch.setenv("BEDPLATE_HOME", str(tmp_path / "home"))
    file = tmp_path / "plant.yaml"
    file.write_text(f"""
bedplate: 1
name: slow
connectors: {{lib: {{use: library, folder: {tmp_path}, most: 300, deliver: ["**"]}}}}
api: {{listen: "127.0.0.1:0"}}
""")
    plugin = tmp_path / "own.py"
    plugin.write_text(FILE.read_text())
    platform = Platform(prepare(file, [plugin]))
    address = await platform.start()
    try:
        async with connect_async(address) as client:
            await until(lambda: str(platform.kernel.components["lib"].life.state) == "up", 30)
            pages = client.history_pages("**")
            await anext(pages)
            for _ in range(20):  # nobody reads
                await asyncio.sleep(0.05)
            ahead = said(tmp_path, "made")
            status = await client.status()
            taken = 1
            async for _ in pages:
                taken += 1
            (tmp_path / "over").unlink()
            monkeypatch.setattr("bedplate.server.door.STALL", 0.3)
            stalled = client.history_pages("**")
            await anext(stalled)
            await until(lambda: said(tmp_path, "over"))
            with pytest.raises(CallError, match="nothing was read for"):
                async for _ in stalled:
                    pass
    finally:
        await platform.stop()

    print(f"{ahead} of 300 pages were made while nobody read")
    assert ahead <= 60  # what the connection itself holds, and the window
    assert taken == 301
    assert status.components
    assert os.environ["BEDPLATE_HOME"]
