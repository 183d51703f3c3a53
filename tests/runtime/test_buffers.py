"""Sinks that lag: each loses for itself alone, and says so. The history and the analytics never wait for one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.policy.callers import anybody
from tests.runtime.plant import plant, until, value
from tests.runtime.wall import Wall

from bedplate.model import Body
from bedplate.runtime.buffer import Loss, duration, size
from bedplate.server.admin import Admin
from bedplate.wire import decode_event

TEXT = """
connectors:
  box:
    use: counter
    scan_classes: {fast: 50ms}
    tags: {number: {address: a, scan: fast}}
  history: {use: keeper, deliver: [box/number], folder: FOLDER}
  cloud: {use: sink, deliver: [box/number], folder: FOLDER, process: cloud, BUFFER}
analytics:
  sums: {use: sums, for: box, of: number}
"""
DAY = 86_400


def filled(buffer: str) -> str:
    return TEXT.replace(", BUFFER", f", {buffer}" if buffer else "")


def got(folder: Path, sink: str) -> list[int]:
    file = folder / f"{sink}.got"
    return [int(float(line)) for line in file.read_text().split()] if file.exists() else []


async def events(kernel: Any, stream: str) -> list[Any]:
    await kernel.engine.synced(kernel.engine.state().appended)
    records = await kernel.engine.read(0, records=100_000, size=1 << 30)
    return [decode_event(r.payload) for r in records if r.stream == stream and r.kind is Body.EVENT]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bedplate.runtime.reader.DELIVER_WITHIN", 0.3)
    monkeypatch.setattr("bedplate.runtime.reader.RELIEVE_EVERY", 0.1)


@pytest.mark.parametrize(("buffer", "days"), [("buffer: {age: 14d}", 14), ("", 7)])
@pytest.mark.case("A64")
async def test_a_sink_that_hangs_for_too_long_loses_for_itself_alone_and_says_so(
    tmp_path: Path, buffer: str, days: int
) -> None:
    clock, told = Wall(), []
    async with plant(tmp_path, filled(buffer), clock=clock) as kernel:
        kernel.lost = lambda *what: told.append(what)
        role = kernel.components["cloud"].role
        await until(lambda: len(got(tmp_path, "cloud")) > 3)
        (tmp_path / "cloud.hangs").touch()
        before = len(got(tmp_path, "history"))
        await until(lambda: len(got(tmp_path, "history")) > before + 10)
        assert role.figures.dropped == 0
        clock.passes(days * DAY)
        await until(lambda: role.figures.dropped)
        counted = (value(kernel, "box/sums/count") or 0) + 3
        await until(lambda: value(kernel, "box/sums/count") > counted)
        (tmp_path / "cloud.hangs").unlink()
        reached = len(got(tmp_path, "cloud"))
        await until(lambda: len(got(tmp_path, "cloud")) > reached + 5)

        [event] = await events(kernel, "cloud/event")
        [(sink, text)] = told
        status = await Admin(kernel, ()).status(_Asked(), anybody())  # type: ignore[arg-type]
        dropped = role.figures.dropped
    whole, taken = got(tmp_path, "history"), got(tmp_path, "cloud")
    assert whole == list(range(1, whole[-1] + 1))
    missing = sorted(set(range(1, taken[-1] + 1)) - set(taken))
    assert len(taken) == len(set(taken))
    assert missing == list(range(missing[0], missing[-1] + 1))
    assert len(missing) == dropped
    assert (sink, text) == ("cloud", event.text)
    assert event.text.endswith(f": older than {days} d")
    assert json.loads(event.detail)["lost"]["samples"] <= dropped
    [cloud] = [one for one in status.components if one.id == "cloud"]
    assert cloud.dropped == dropped
    assert cloud.detail.startswith(f"lost {dropped:,} samples of what came from ")


@pytest.mark.case("A64")
async def test_a_sink_keeps_no_more_of_the_journal_than_its_size_and_its_loss_outlives_a_restart(
    tmp_path: Path,
) -> None:
    (tmp_path / "cloud.hangs").touch()
    text = filled("buffer: {size: 20kB}")
    async with plant(tmp_path, text) as kernel:
        role = kernel.components["cloud"].role
        await until(lambda: role.figures.dropped > 5)
        lost = role.buffer.lost
        assert role.buffer.why == "more than 20 kB"
        assert role.durable >= lost.last
    assert got(tmp_path, "cloud") == []
    async with plant(tmp_path, text) as kernel:
        role = kernel.components["cloud"].role
        await until(lambda: role.buffer.lost.samples > lost.samples)
        assert role.buffer.lost.first == lost.first
        assert role.durable >= lost.last
        (tmp_path / "cloud.hangs").unlink()
        await until(lambda: got(tmp_path, "cloud"))


async def test_what_a_sink_did_not_ask_for_is_no_loss(tmp_path: Path) -> None:
    clock = Wall()
    text = filled("").replace(
        "cloud: {use: sink, deliver: [box/number]", "cloud: {use: sink, deliver: [x/y]"
    )
    async with plant(tmp_path, text, clock=clock) as kernel:
        role = kernel.components["cloud"].role
        await until(lambda: len(got(tmp_path, "history")) > 5)
        clock.passes(8 * DAY)
        reached = kernel.engine.state().appended
        await until(lambda: role.durable >= reached)
        assert role.figures.dropped == 0
        assert not await events(kernel, "cloud/event")


def test_a_loss_that_goes_on_is_one() -> None:
    first, later = Loss(2, 20, 5, 9, 100, 200), Loss(1, 3, 12, 12, 300, 300)
    assert first + later == Loss(3, 23, 5, 12, 100, 300)
    assert Loss() + first == first == first + Loss()


def test_limits_read_as_they_are_written() -> None:
    assert [duration(n * 10**9) for n in (7 * DAY, 36 * 3600, 90, 2)] == [
        "7 d",
        "36 h",
        "90 s",
        "2 s",
    ]
    assert [size(n) for n in (30 * 10**9, 500 * 10**6, 20_000, 7)] == [
        "30 GB",
        "500 MB",
        "20 kB",
        "7 B",
    ]


class _Asked:
    with_output = False
