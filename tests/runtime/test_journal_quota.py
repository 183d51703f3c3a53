"""A journal that is full: sources that can send again wait, the others go on unstored and declared, readers drain it,
and it all ends by itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.runtime.plant import OFFERS, RigOffer, plant, state, until, value
from tests.runtime.test_backpressure import FILE

from bedplate.clock import SystemClock
from bedplate.journal.embedded import EmbeddedEngine
from bedplate.model import AlarmState, Body, Record
from bedplate.record.v1 import record_pb2
from bedplate.wire import decode_batch

RIGS = OFFERS | {
    "torrent": RigOffer(
        "torrent", "connector", ("subscribe",), "pressure:Torrent", plugin="pressure", file=FILE,
        replay="cursor",
    ),
    "slow-sums": RigOffer(
        "slow-sums", "analytic", (), "pressure:SlowSums", plugin="sums", file=FILE, inputs=("of",)
    ),
    "hoarder": RigOffer(
        "hoarder", "connector", ("deliver", "query"), "hoarding:Hoarder", plugin="hoarder",
        file=Path(__file__).with_name("hoarding.py"),
    ),
}  # fmt: skip
MOST = 3_000_000
TEXT = f"""
types: {{box: {{use: torrent, folder: FOLDER, most: {MOST}, tags: {{number: {{address: a}}}}}}}}
connectors:
  torrent: {{type: box, each: {{one: {{}}}}}}
  polled: {{use: counter, scan_classes: {{fast: 50ms}}, tags: {{n: {{address: a, scan: fast}}}}}}
  sink: {{use: hoarder, folder: FOLDER, deliver: ["one/number"]}}
analytics: {{sums: {{use: slow-sums, for: box, of: number, folder: FOLDER}}}}
"""
SIZE = 16 << 20


@pytest.mark.case("A64")
async def test_a_full_journal_holds_those_who_can_wait_and_goes_on_live_for_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bedplate.runtime.journal_watch.WHEN_FULL", 0.5)
    monkeypatch.setattr("bedplate.runtime.reader.LOOK_EVERY", 0.5)
    engine = EmbeddedEngine(tmp_path / "journal", clock=SystemClock(), sync=0.05, size=SIZE)
    async with plant(tmp_path, TEXT, engine=engine, offers=RIGS) as kernel:
        listener, _ = kernel.spine.live.listen()
        await until(lambda: engine.state().full)
        await until(lambda: state(kernel, "one") == "degraded")
        assert "journal is full (journal.size 17 MB)" in kernel.components["one"].life.reason
        alarm = await until(lambda: kernel.spine.alarms.get("kernel/journal/full"))
        assert alarm.alarm.state is AlarmState.UNACKNOWLEDGED
        stopped = await until(lambda: value(kernel, "one/sums/last") == value(kernel, "one/number"))
        assert stopped, "what was taken in was worked off though its source waits"
        assert value(kernel, "one/number") < MOST
        assert len(kernel.components["one"].life.history) < 20, "told once"

        await until(lambda: kernel.spine.unstored.why)
        seen, stored = value(kernel, "polled/n"), await numbers(engine, after=0)
        await until(lambda: value(kernel, "polled/n") > seen + 10)
        assert state(kernel, "polled") == "up", "its values are current"
        assert "journal is full" in kernel.spine.not_stored
        if engine.state().full and kernel.spine.unstored.why:
            now = await numbers(engine, after=0)  # the oldest may have been trimmed meanwhile
            assert {*now} <= {*stored}, "and not one of them is stored"

        (tmp_path / "may").touch()
        await until(lambda: value(kernel, "one/number") == MOST, within=60)
        await until(lambda: value(kernel, "one/sums/sum") == MOST * (MOST + 1) // 2, within=60)
        await until(lambda: (tmp_path / "got").read_text() == str(MOST), within=60)
        await until(lambda: not engine.state().full)
        await until(lambda: kernel.spine.alarms.get("kernel/journal/full").alarm.state
                    is AlarmState.RETURNED_UNACKNOWLEDGED)  # fmt: skip
        await until(lambda: not kernel.spine.not_stored)
        assert kernel.components["sink"].role.figures.restarts == 0
        assert state(kernel, "polled") == state(kernel, "one") == "up"

        fresh = [one.record for one in listener.take()]
        accounted(fresh)
        assert kernel.spine.gaps >= 2


async def numbers(engine: EmbeddedEngine, after: int) -> list[int]:
    """What is stored of the polled counter."""
    found: list[int] = []
    while records := await engine.read(after):
        after = records[-1].position
        found += (n for r in records if _polled(r) for n in decode_batch(r.payload).value.tolist())
    return found


def accounted(fresh: list[Record]) -> None:
    """Each sample that was live is stored or in a gap, to the sample: none in both, none in neither."""
    batches = [record for record in fresh if _polled(record)]
    gaps = [record_pb2.Gap.FromString(r.payload) for r in fresh if r.kind is Body.GAP]
    assert {gap.stream for gap in gaps} <= {"polled/live", "sums/live"}, "none of who waited"
    gaps = [gap for gap in gaps if gap.stream == "polled/live"]
    begun, over = gaps[:2]
    assert not begun.samples
    assert "nothing is stored from now on: the journal is full" in begun.reason
    assert getattr(over, "from") == getattr(begun, "from") < over.to
    lost = {seq for gap in gaps if gap.last_seq for seq in range(gap.first_seq, gap.last_seq + 1)}
    assert {record.seq for record in batches if not record.position} == lost
    assert sum(gap.samples for gap in gaps) == sum(r.samples for r in batches if not r.position)
    values = [n for record in batches for n in decode_batch(record.payload).value.tolist()]
    assert values == list(range(values[0], values[0] + len(values))), "live has all, in order"


def _polled(record: Record) -> bool:
    return record.stream == "polled/live" and record.kind is Body.BATCH
