"""A kernel whose journal is damaged: it starts, says so, and declares what is gone, once."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

from tests.runtime.plant import plant, until, value

from bedplate.model import AlarmState, Body
from bedplate.record.v1 import record_pb2

TEXT = """
connectors:
  polled: {use: counter, placement: inline, scan_classes: {fast: 20ms}, tags: {n: {address: a, scan: fast}}}
"""
ALARM = "kernel/journal/broken"


async def gaps(kernel: Any) -> list[Any]:
    await kernel.engine.synced(kernel.engine.state().appended)
    found, position = [], 0
    while records := await kernel.engine.read(position):
        found += [r for r in records if r.kind is Body.GAP]
        position = records[-1].position
    return [record_pb2.Gap.FromString(record.payload) for record in found]


async def test_a_record_that_cannot_be_read_is_a_gap_of_its_stream_an_alarm_and_told_once(
    tmp_path: Path,
) -> None:
    async with plant(tmp_path, TEXT) as kernel:
        await until(lambda: (value(kernel, "polled/n") or 0) > 50)
    file = tmp_path / "journal" / "journal.sqlite3"
    with sqlite3.connect(file) as database:
        rows = database.execute("SELECT last, body FROM chunks ORDER BY last").fetchall()
        last, body = next(row for row in rows[2:] if row[1].count(b"\0") > 10)
        flipped = bytes([body[0] ^ 1]) + body[1:]
        database.execute("UPDATE chunks SET body = ? WHERE last = ?", (flipped, last))
        database.execute("DELETE FROM cursors")  # else nobody would read that far back
        database.execute("DELETE FROM states")
    database.close()
    async with plant(tmp_path, TEXT) as kernel:
        alarm = await until(lambda: kernel.spine.alarms.get(ALARM))
        assert alarm.alarm.state is AlarmState.UNACKNOWLEDGED
        assert "of the journal of polled/live can't be read" in alarm.alarm.condition
        (gap,) = await gaps(kernel)
        assert gap.stream == "polled/live"
        assert gap.first_seq == gap.last_seq > 0
        assert gap.samples == 1
        assert getattr(gap, "from") == gap.to > 0
        assert kernel.engine.state().damaged == kernel.spine.gaps == 1
    async with plant(tmp_path, TEXT) as kernel:
        await asyncio.sleep(1)  # nothing is to come
        assert len(await gaps(kernel)) == 1


async def test_a_file_that_is_ruined_is_moved_aside_and_the_kernel_goes_on(tmp_path: Path) -> None:
    async with plant(tmp_path, TEXT) as kernel:
        await until(lambda: (value(kernel, "polled/n") or 0) > 10)
    file = tmp_path / "journal" / "journal.sqlite3"
    file.write_bytes(b"ruined" * 1000)
    async with plant(tmp_path, TEXT) as kernel:
        await until(lambda: (value(kernel, "polled/n") or 0) > 10)
        alarm = await until(lambda: kernel.spine.alarms.get(ALARM))
        assert "journal.sqlite3.broken-" in alarm.alarm.condition + alarm.text
        declared = await gaps(kernel)
        assert any("was broken" in gap.reason for gap in declared)
        assert any("has lost its end" in gap.reason for gap in declared), "how much is known too"
    assert len(list(file.parent.glob("*.broken-*"))) == 1
