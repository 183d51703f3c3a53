"""A journal that is full: connectors wait, readers go on, what is not read is declared, and it all ends by itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.runtime.plant import OFFERS, RigOffer, plant, state, until, value
from tests.runtime.test_backpressure import FILE

from bedplate.clock import SystemClock
from bedplate.journal.embedded import EmbeddedEngine
from bedplate.model import AlarmState, Body
from bedplate.record.v1 import record_pb2

RIGS = OFFERS | {
    "torrent": RigOffer(
        "torrent", "connector", ("subscribe",), "pressure:Torrent", plugin="pressure", file=FILE
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


async def test_a_full_journal_holds_connectors_lets_readers_drain_it_and_goes_on_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bedplate.runtime.journal_watch.WHEN_FULL", 0.5)
    monkeypatch.setattr("bedplate.runtime.reader.LOOK_EVERY", 0.5)
    engine = EmbeddedEngine(tmp_path / "journal", clock=SystemClock(), sync=0.05, size=SIZE)
    async with plant(tmp_path, TEXT, engine=engine, offers=RIGS) as kernel:
        listener, _ = kernel.spine.live.listen()
        await until(lambda: engine.state().full, within=30)
        for name in ("one", "polled"):
            await until(lambda name=name: state(kernel, name) == "degraded")
            assert "journal is full (journal.size 17 MB)" in kernel.components[name].life.reason
        alarm = await until(lambda: kernel.spine.alarms.get("kernel/journal/full"))
        assert alarm.alarm.state is AlarmState.UNACKNOWLEDGED
        stopped = await until(lambda: value(kernel, "one/sums/last") == value(kernel, "one/number"))
        assert stopped, "what was taken in was worked off though connectors wait"
        assert value(kernel, "one/number") < MOST
        seen = value(kernel, "polled/n")
        skipped = kernel.components["polled"].role.figures.skipped
        await until(lambda: kernel.components["polled"].role.figures.skipped > skipped + 10)
        came = value(kernel, "polled/n") - seen
        assert came < 10, "hardly one, in a moment when something was trimmed"
        assert len(kernel.components["polled"].life.history) < 20, "told once"

        (tmp_path / "may").touch()
        await until(lambda: value(kernel, "one/number") == MOST, within=60)
        await until(lambda: value(kernel, "one/sums/sum") == MOST * (MOST + 1) // 2, within=60)
        await until(lambda: (tmp_path / "got").read_text() == str(MOST), within=60)
        await until(lambda: value(kernel, "polled/n") > seen)
        await until(lambda: not engine.state().full)
        await until(lambda: kernel.spine.alarms.get("kernel/journal/full").alarm.state
                    is AlarmState.RETURNED_UNACKNOWLEDGED)  # fmt: skip
        assert kernel.components["sink"].role.figures.restarts == 0
        assert state(kernel, "polled") == state(kernel, "one") == "up"

        fresh = [one.record for one in listener.take() if one.record.kind is Body.GAP]
        gaps = [record_pb2.Gap.FromString(record.payload) for record in fresh]
        assert {gap.stream for gap in gaps} == {"polled/live"}
        begun, over = gaps[:2]
        assert begun.samples == 0
        assert "nothing is read from now on: the journal is full" in begun.reason
        assert over.samples >= 10
        assert getattr(over, "from") == getattr(begun, "from") < over.to
        assert kernel.spine.gaps >= 2
