"""Analytics over the journal: outputs, state and cursor in one commit, so that no crash changes the result."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.plant import OFFERS, PLACEMENTS, plant, until, value

from bedplate.model import Body
from bedplate.wire import decode_batch

TEXT = """
types:
  box:
    use: pusher
    placement: PLACE
    folder: FOLDER
    most: MOST
    pause: 0.002
    tags: {number: {address: a}}
connectors: {push: {type: box, each: {one: {}}}}
analytics: {sums: {use: sums, for: box, of: number, placement: PLACE}}
"""


async def written(kernel: Any) -> dict[str, list[Any]]:
    """Everything the journal holds, by path, in order; pushed numbers by their time."""
    await kernel.engine.synced(kernel.engine.state().appended)
    found: dict[str, list[Any]] = {}
    position = 0
    tables: dict[int, dict[int, str]] = {}
    while records := await kernel.engine.read(position):
        for record in records:
            if record.kind is Body.TAGS:
                from bedplate.record.v1 import record_pb2

                for tag in record_pb2.TagTable.FromString(record.payload).tags:
                    tables.setdefault(record.epoch, {})[tag.handle] = tag.path
            elif record.kind is Body.BATCH:
                batch = decode_batch(record.payload)
                for handle, item in zip(batch.tags().tolist(), batch.value.tolist(), strict=True):
                    found.setdefault(tables[record.epoch][handle], []).append(item)
        position = records[-1].position
    return found


@pytest.mark.parametrize("placement", PLACEMENTS)
async def test_outputs_follow_the_inputs_exactly(tmp_path: Path, placement: str) -> None:
    async with plant(tmp_path, TEXT.replace("MOST", "300"), placement=placement) as kernel:
        await until(lambda: value(kernel, "one/sums/count") == 300)
        found = await written(kernel)

        assert found["one/number"] == list(range(1, 301))
        assert found["one/sums/sum"] == [n * (n + 1) // 2 for n in range(1, 301)]


async def test_an_analytic_killed_at_any_moment_gives_the_uninterrupted_result(
    tmp_path: Path,
) -> None:
    async with plant(tmp_path, TEXT.replace("MOST", "5000")) as kernel:
        for wanted in (500, 1500, 2500, 3500):
            await until(lambda wanted=wanted: (value(kernel, "one/sums/count") or 0) > wanted)
            os.kill(kernel.components["sums"].place.run.pid, signal.SIGKILL)
        await until(lambda: value(kernel, "one/sums/count") == 5000, within=60)
        found = await written(kernel)

    assert found["one/sums/count"] == list(range(1, 5001))
    assert found["one/sums/sum"][-1] == 5000 * 5001 // 2


async def test_a_restart_of_the_kernel_goes_on_where_it_was(tmp_path: Path) -> None:
    text = TEXT.replace("MOST", "2000")
    async with plant(tmp_path, text) as kernel:
        await until(lambda: (value(kernel, "one/sums/count") or 0) > 500)
    async with plant(tmp_path, text) as kernel:
        assert value(kernel, "one/number")  # the newest value, before anything new has come
        await until(lambda: value(kernel, "one/number") == 2000, within=60)
        numbers = (await written(kernel))["one/number"]
        await until(lambda: value(kernel, "one/sums/count") == len(numbers))
        found = await written(kernel)

    assert sorted(set(numbers)) == numbers  # what was on its way at the stop is not sent again
    assert found["one/sums/count"] == list(range(1, len(numbers) + 1))
    assert found["one/sums/sum"][-1] == sum(numbers)


async def test_a_reader_behind_by_an_epoch_reads_each_record_with_the_handles_of_its_own(
    tmp_path: Path,
) -> None:
    """After a restart with other tags a handle means another path; what is left of before must not be mixed up."""
    text = TEXT.replace("tags: {number: {address: a}}", "tags: {NAME: {address: a}}")
    sums = "analytics: {sums: {use: sums, for: box, of: number, placement: PLACE}}\n"
    first = text.replace("MOST", "200").replace("NAME", "other").replace(sums, "")
    async with plant(tmp_path, first) as kernel:
        await until(lambda: value(kernel, "one/other") == 200)
    second = text.replace("MOST", "400").replace("NAME", "number")
    async with plant(tmp_path, second) as kernel:
        await until(lambda: value(kernel, "one/number") == 400)
        numbers = (await written(kernel))["one/number"]
        await until(lambda: value(kernel, "one/sums/count") == len(numbers))

        assert value(kernel, "one/sums/sum") == sum(numbers)


FORGER = """
from bedplate import Analytic, Output, Written
from bedplate.model import DataType, Event, EventKind
from pydantic import BaseModel

class Sums(Analytic):
    class Config(BaseModel):
        of: str = ""

    def open(self):
        return [Output(NAME, DataType.INT64)]

    def process(self, stretch):
        yield EVENT
"""


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ("Event('two/x', EventKind.NOTE, stretch.until)", "which is below none of its assets"),
        ("Event('one/x', EventKind.STATUS, stretch.until)", "of kind STATUS, which is not its"),
        ("Event('one/x', EventKind.ACKNOWLEDGE, stretch.until)", "of kind ACKNOWLEDGE"),
        ("Event('one/x', EventKind.NOTE, stretch.until, component='box')", "in the name of 'box'"),
    ],
)
async def test_an_analytic_speaks_for_its_own_assets_and_in_its_own_name(
    tmp_path: Path, event: str, words: str
) -> None:
    assert words in await refused(tmp_path, "'n'", event)


@pytest.mark.parametrize("name", ["''", "'a//b'", "'**'", "'\\x1b[2J'", "'x' * 500"])
@pytest.mark.case("A40")
async def test_an_output_needs_a_name_that_a_tag_can_have(tmp_path: Path, name: str) -> None:
    assert "no name of a tag" in await refused(tmp_path, name, "Written('n', 0, 1)")


async def refused(folder: Path, name: str, event: str) -> str:
    """What is said of an analytic that writes this; nothing of it is in the journal."""
    (folder / "forger.py").write_text(FORGER.replace("NAME", name).replace("EVENT", event))
    sums = replace(OFFERS["sums"], plugin="forger", file=folder / "forger.py", target="forger:Sums")
    text = """
types: {box: {use: counter, placement: inline, tags: {n: {address: a}}}}
connectors: {box: {type: box, each: {one: {}}}}
analytics: {sums: {use: sums, for: box, of: n, placement: inline}}
"""
    async with plant(folder, text, offers=OFFERS | {"sums": sums}) as kernel:
        life = kernel.components["sums"].life
        await until(
            lambda: any(t.state == "starting" and t.reason != "start" for t in life.history)
        )
        await kernel.engine.synced(kernel.engine.state().appended)
        streams = {r.stream for r in await kernel.engine.read(0)}
        assert "sums/event" not in streams
        return life.reason
