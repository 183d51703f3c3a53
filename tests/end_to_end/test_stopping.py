"""The end: sources first, then those who read, so that what was sent is in history; all of it in five seconds."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from tests.end_to_end.program import Program, plugins_of
from tests.end_to_end.site import HISTORY, PLACEMENTS, RIGS, Site, running, until
from tests.end_to_end.story import deployment

from bedplate.client import connect_async
from bedplate.errors import CallError
from bedplate_simline.launch import Simulator

LAST = '''import asyncio
import time
from pathlib import Path

from bedplate import Connector
from pydantic import BaseModel


class Last(Connector):
    """Pushes until it is closed, and writes down the last number that the kernel took. In its next life it is mute."""

    class Config(BaseModel):
        file: str

    async def open(self):
        self.number = 0

    async def subscribe(self, tags, send):
        while not Path(self.config.file).exists():
            await send(tags[0], self.number + 1, time=time.time_ns())
            self.number += 1
            if self.number % 50 == 0:
                await asyncio.sleep(0.01)
        await asyncio.Future()

    async def close(self):
        if self.number:
            Path(self.config.file).write_text(str(self.number))
'''
PLANT = f"""
bedplate: 1
name: end
path: plant
connectors:
  last: {{use: last, placement: PLACE, file: FOLDER/last, tags: {{number: {{address: a}}}}}}
  {HISTORY}
analytics:
  sums: {{use: sums, placement: PLACE, for: last, of: number}}
journal: {{folder: journal}}
"""


@pytest.mark.parametrize("placement", PLACEMENTS)
async def test_what_a_source_sent_before_a_clean_stop_is_in_history(
    tmp_path: Path, placement: str
) -> None:
    (tmp_path / "last.py").write_text(LAST)
    plugins = [RIGS, tmp_path / "last.py"]
    site = Site(tmp_path, PLANT, placement=placement, plugins=plugins)
    try:
        client = await site.start()
        await until(site.all_up)
        await until(lambda: many(client))
        await site.stop()
        sent = int((tmp_path / "last").read_text())
        client = await site.start()
        await until(lambda: stored(client, sent))  # the rest of it from the journal, if need be
        numbers = await values(client, "last/number")
        assert numbers == list(range(1, sent + 1)), "in order, once, without a hole"
        await until(lambda: summed(client, sent))
    finally:
        await site.stop()


async def many(client: Any) -> bool:
    result = await client.current("last/number")
    return bool(result.samples) and int(result["last/number"].value[0]) > 2000


async def values(client: Any, tail: str) -> list[int]:
    """All of a tag in history; none while that is not up."""
    try:
        found: list[int] = (await client.history(tail, start=1))[tail].value.tolist()
    except CallError as error:
        if error.code == "UNAVAILABLE":
            return []
        raise
    return found


async def stored(client: Any, count: int) -> bool:
    return len(await values(client, "last/number")) >= count


async def summed(client: Any, count: int) -> bool:
    """The analytic has read all of it too, once."""
    result = await client.current("sums/count")
    return bool(result["sums/count"].value.tolist() == [count])


async def test_everything_connected_stops_within_5_s_and_leaves_nothing(tmp_path: Path) -> None:
    """The bottling line as a program; history, alarms and OEE have what the machines said until then."""
    with Simulator("both", "--shift", "300s") as line:
        text = deployment(await asyncio.to_thread(line.ready)).replace("PLACE", "process")
        async with Program(tmp_path, text) as program:
            await program.start()
            async with connect_async(program.address) as client:
                await until(lambda: connected(client), 30)
            began = time.monotonic()
            assert await program.stop() == 0
            assert time.monotonic() - began < 5
            assert plugins_of(tmp_path) == []
            assert "Traceback" not in "".join(program.lines)


async def connected(client: Any) -> bool:
    status = await client.status()
    return all(one.state == "up" and one.tags == one.tags_good for one in status.components)


@pytest.mark.parametrize("placement", PLACEMENTS)
async def test_a_plugin_that_does_not_want_to_end_holds_nobody_up(
    tmp_path: Path, placement: str
) -> None:
    text = """
bedplate: 1
name: stubborn
connectors:
  hangs: {use: troubled, how: hang in close, placement: PLACE, tags: {a: {address: r}}}
  fine: {use: counter, placement: PLACE, tags: {a: {address: r}}}
"""
    async with running(tmp_path, text, placement=placement, plugins=[RIGS]) as site:
        await until(site.all_up)
        began = time.monotonic()
        await site.stop()
        assert time.monotonic() - began < 5
    assert plugins_of(tmp_path) == []
