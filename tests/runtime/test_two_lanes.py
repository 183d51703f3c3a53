"""A WAN cut: history and alarms go on untouched; the sink gets what its buffer kept, in order or the newest first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.runtime.plant import OFFERS, RigOffer, plant, state, until, value
from tests.runtime.wall import Wall

RIGS = OFFERS | {
    "laned": RigOffer(
        "laned", "connector", ("deliver",), "ticking:Laned", plugin="ticking",
        file=Path(__file__).with_name("ticking.py"),
    ),
}  # fmt: skip
TEXT = """
connectors:
  box: {use: counter, scan_classes: {fast: 20ms}, tags: {number: {address: a, scan: fast}}}
  history: {use: keeper, deliver: [box/number], folder: FOLDER}
  cloud: {use: laned, deliver: [box/number], folder: FOLDER, process: cloud, buffer: {BUFFER}}
analytics: {sums: {use: sums, for: box, of: number}}
"""
DAY = 86_400
Taken = list[tuple[str, bool, int]]


def got(folder: Path) -> Taken:
    file = folder / "cloud.got"
    lines = [line.split() for line in file.read_text().splitlines()] if file.exists() else []
    return [(line[0], line[1] == "1", int(line[2])) for line in lines if len(line) == 3]


def lane(taken: Taken, name: str) -> list[int]:
    return [number for one, _, number in taken if one == name]


async def cut(kernel: Any, folder: Path, *, records: int = 60) -> int:
    """The network is cut while so many numbers come. Returns the last one before."""
    (folder / "cloud.away").touch()
    await until(lambda: state(kernel, "cloud") == "unreachable")
    before = got(folder)[-1][2]
    await until(lambda: value(kernel, "box/sums/count") > before + records)
    return before


async def test_a_cut_of_three_weeks_costs_history_and_alarms_nothing_and_the_sink_what_is_too_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bedplate.runtime.reader.RELIEVE_EVERY", 0.1)
    clock, told = Wall(), []
    async with plant(
        tmp_path, TEXT.replace("BUFFER", "age: 14d"), clock=clock, offers=RIGS
    ) as kernel:
        kernel.lost = lambda *what: told.append(what)
        role = kernel.components["cloud"].role
        await until(lambda: len(got(tmp_path)) > 5)
        before = await cut(kernel, tmp_path)
        clock.passes(7 * DAY)
        week = value(kernel, "box/number")
        await until(lambda: value(kernel, "box/sums/count") > week + 30)
        assert role.figures.dropped == 0, "a week is within its buffer"
        clock.passes(14 * DAY)
        await until(lambda: role.figures.dropped > 50)
        kept = value(kernel, "box/number")
        await until(lambda: value(kernel, "box/sums/count") > kept + 20)
        (tmp_path / "cloud.away").unlink()
        clock.passes(60)  # its next try
        await until(lambda: got(tmp_path)[-1][2] > kept)
        count = value(kernel, "box/sums/count")
        assert value(kernel, "box/sums/sum") == count * (count + 1) // 2, "nothing was missed"
        assert kernel.components["history"].role.figures.dropped == 0
        dropped = role.figures.dropped
    history = [int(float(n)) for n in (tmp_path / "history.got").read_text().split()]
    assert history == list(range(1, history[-1] + 1)), "whole"
    taken = lane(got(tmp_path), "live")
    missing = sorted(set(range(1, taken[-1] + 1)) - set(taken))
    assert len(missing) == dropped
    assert missing == list(range(missing[0], missing[-1] + 1)), "one hole, of what was too old"
    assert missing[0] > before - 5
    [(sink, text)] = told
    assert sink == "cloud"
    assert "older than 14 d" in text


async def test_live_first_brings_the_newest_at_once_and_the_rest_beside_flagged_and_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient(monkeypatch)
    async with plant(
        tmp_path, TEXT.replace("BUFFER", "backlog: live_first"), offers=RIGS
    ) as kernel:
        await until(lambda: len(got(tmp_path)) > 5)
        before = await cut(kernel, tmp_path, records=200)

        def late(one: tuple[str, bool, int]) -> bool:
            """Of the cut; a sink that is slow to start has a small backlog then."""
            return one[0] == "past" and one[2] > before

        (tmp_path / "cloud.away").unlink()
        await until(lambda: state(kernel, "cloud") == "up")
        await until(lambda: any(map(late, got(tmp_path))))
        role = kernel.components["cloud"].role
        await until(lambda: not role.ranges)
        await until(lambda: got(tmp_path)[-1][0] == "live")
    taken = got(tmp_path)
    past, live = lane(taken, "past"), lane(taken, "live")
    assert past == sorted(past), "order within each lane"
    assert live == sorted(live)
    assert all(flagged == (name == "past") for name, flagged, _ in taken)
    assert sorted({*past, *live}) == list(range(1, max(live) + 1)), "and nothing is missing"
    first = next(n for n, one in enumerate(taken) if late(one))
    newer = [n for name, _, n in taken[first:] if name == "live"]
    assert newer, "live went on while the backlog came"
    assert min(newer) > past[-1] - 5
    assert past[0] > before - 60


async def test_a_restart_amid_two_lanes_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient(monkeypatch)
    monkeypatch.setattr("bedplate.runtime.reader.COMMIT_EVERY", 0.05)
    monkeypatch.setattr("bedplate.runtime.lanes.RECORDS", 10)
    text = TEXT.replace("BUFFER", "backlog: live_first")
    async with plant(tmp_path, text, offers=RIGS) as kernel:
        await until(lambda: len(got(tmp_path)) > 5)
        await cut(kernel, tmp_path, records=200)
        (tmp_path / "cloud.away").unlink()
        await until(lambda: len(lane(got(tmp_path), "past")) > 30)
        assert kernel.components["cloud"].role.ranges, "in the midst of it"
        last = value(kernel, "box/number")
    reached = lane(got(tmp_path), "past")[-1]
    async with plant(tmp_path, text, offers=RIGS) as kernel:
        role = kernel.components["cloud"].role
        await until(lambda: lane(got(tmp_path), "past")[-1] > reached)
        await until(lambda: state(kernel, "cloud") == "up" and not role.ranges)
        await until(lambda: got(tmp_path)[-1][0] == "live")
    taken = got(tmp_path)
    assert set(range(1, last)) <= {number for _, _, number in taken}


def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits for half a second is backlog."""
    monkeypatch.setattr("bedplate.runtime.lanes.BEHIND", 0.5)
    monkeypatch.setattr("bedplate.runtime.lanes.PAUSE", 0.1)
    monkeypatch.setattr("bedplate.runtime.lanes.RECORDS", 25)
