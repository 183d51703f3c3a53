"""The example deployment against the simulated line, in every placement: what comes out of the API at the other end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from ruamel.yaml import YAML
from tests.end_to_end.account import recomputed
from tests.end_to_end.site import EVERYWHERE, until
from tests.end_to_end.story import EXAMPLE, Story, told

from bedplate.client.series import Series
from bedplate.errors import CallError
from bedplate.model import AlarmPriority, AlarmState, EventKind

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.slow,
    # duckdb, which runs in this process when it is placed inline; the plugin mutes it where pytest does not undo that
    pytest.mark.filterwarnings("ignore:Arrow output on a DB-API result:UserWarning"),
]
MACHINES = ("filler", "capper", "labeller")
STATES = {0: "stopped", 1: "running", 2: "idle", 3: "fault", 4: "setup"}
S = 1_000_000_000


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stories(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, Story]]:
    async with told(tmp_path_factory.mktemp("line")) as both:
        yield both


@pytest.fixture(params=EVERYWHERE)
def story(request: pytest.FixtureRequest, stories: dict[str, Story]) -> Story:
    return stories[request.param]


async def raw(story: Story, path: str) -> Series:
    result = await story.site.client.history(path, start=1)
    return result[path]


async def test_every_tag_of_the_file_has_a_good_value_and_its_unit(story: Story) -> None:
    wanted = {}
    types = YAML(typ="safe").load(EXAMPLE)["types"]
    for machine in MACHINES:
        for name, tag in [*types["machine"]["tags"].items(), *types["meter"]["tags"].items()]:
            wanted[f"line1/{machine}/{name}"] = tag.get("unit", "")
    tags = {tag.path: tag for tag in await story.site.client.tags("**", current=True)}
    assert wanted.keys() <= tags.keys()
    assert "line1/labeller/labels_left" in tags
    for path, unit in wanted.items():
        assert tags[path].unit == unit, path
        assert tags[path].current is not None, path
        assert tags[path].current.quality == 0, path


async def test_all_placements_tell_the_same(stories: dict[str, Story]) -> None:
    """Tags with what they mean; samples of one time of the source; the alarm, but for when it was handled."""
    tags, series, alarms = [], [], []
    for story in stories.values():
        client = story.site.client
        tags.append(
            {t.path: (t.tag.data_type, t.unit, t.tag.description) for t in await client.tags("**")}
        )
        found = await raw(story, "filler/speed")
        series.append(dict(zip(found.time.tolist(), found.value.tolist(), strict=True)))
        alarm = story.alarms["cleared"].alarm
        assert alarm is not None
        alarms.append((alarm.priority, alarm.do, alarm.value, alarm.state, alarm.comment))
    assert tags[0] == tags[1] == tags[2]
    assert alarms[0] == alarms[1] == alarms[2]
    common = series[0].keys() & series[1].keys() & series[2].keys()
    assert len(common) > 20
    assert all(series[0][t] == series[1][t] == series[2][t] for t in common)


async def test_values_carry_the_time_of_their_source(story: Story) -> None:
    tags = {tag.path: tag for tag in await story.site.client.tags(current=True)}
    for machine in MACHINES:
        plc = tags[f"line1/{machine}/speed"].current
        meter = tags[f"line1/{machine}/power"].current
        assert plc is not None
        assert meter is not None
        assert plc.time < plc.received, "the server stamps, the value takes its way"
        assert plc.time % 1000 == 0, "OPC UA counts in 100 ns, the simulator in µs"
        assert meter.time == meter.received, "Modbus has no time: the kernel stamps"
    good, total = [set((await raw(story, f"filler/parts_{n}")).time) for n in ("good", "total")]
    assert good <= total, "what changed in one update of the PLC has one time"


async def test_both_placements_tell_the_same(stories: dict[str, Story]) -> None:
    """Of one OPC UA source, while both were up without a break: the same samples to the nanosecond."""
    for tag in (
        "filler/parts_good",
        "labeller/temperature",
        "capper/fault_text",
    ):  # slower than the sampling
        told = [await raw(story, tag) for story in stories.values()]
        begin = max(one.time[0] for one in told)
        end = np.datetime64(min(story.stopped for story in stories.values()) - S, "ns")
        rows = [
            list(zip(one.time.tolist(), one.value.tolist(), strict=True))
            for one in (clip(series, begin, end) for series in told)
        ]
        assert rows[0] == rows[1], tag
        assert len(rows[0]) > 2 or tag == "capper/fault_text"


def clip(series: Series, begin: np.datetime64, end: np.datetime64) -> Series:
    """Without the first, which may have been read before its subscription began."""
    mask = (series.time > begin) & (series.time < end)
    return Series(series.tag, series.time[mask], series.value[mask], series.quality[mask])


async def test_counters_rise_and_good_parts_are_among_all_parts(story: Story) -> None:
    for machine in MACHINES:
        kept = await story.site.client.history(f"{machine}/*", start=1)
        total, good, energy = (
            kept[f"{machine}/{n}"] for n in ("parts_total", "parts_good", "energy")
        )
        assert total.tag.counter
        assert total.value[-1] >= good.value[-1] > 0
        for counter in (total, good, energy):
            assert (np.diff(counter.value.astype(float)) >= 0).all()
    filler = await raw(story, "filler/parts_total")
    minutes = (filler.time[-1] - filler.time[0]) / np.timedelta64(60, "s")
    assert 60 < (filler.value[-1] - filler.value[0]) / minutes < 140, "118 a minute at most"


async def test_an_enumeration_is_read_by_its_labels(story: Story) -> None:
    capper = await raw(story, "capper/state")
    assert dict(capper.tag.states) == STATES
    words = [STATES[value] for value in capper.value.tolist()]
    assert {"running", "fault"} <= set(words)
    current = (await story.site.client.current("capper/state"))["capper/state"]
    assert current.newest() in STATES.values()


async def test_history_gives_windows_and_points_that_agree_with_the_samples(story: Story) -> None:
    power = await raw(story, "filler/power")
    start, end = int(power.time[0].astype(np.int64)), int(power.time[-1].astype(np.int64)) + 1
    folds: dict[str, Any] = {
        "average": np.mean, "minimum": np.min, "maximum": np.max, "count": len,
        "first": lambda v: v[0], "last": lambda v: v[-1], "sum": np.sum,
    }  # fmt: skip
    client = story.site.client
    for agg, fold in folds.items():
        got = (await client.history("filler/power", start=start, end=end, every="5s", agg=agg))[
            "filler/power"
        ]
        windows = power.time.astype(np.int64) // (5 * S) * (5 * S)
        assert got.time.astype(np.int64).tolist() == sorted(set(windows.tolist()))
        wanted = [fold(power.value[windows == w]) for w in sorted(set(windows.tolist()))]
        np.testing.assert_allclose(got.value.astype(float), wanted, rtol=1e-9, err_msg=agg)
    points = (await client.history("filler/power", start=start, end=end, points=8))["filler/power"]
    assert 4 <= len(points) <= 9
    assert power.value.min() <= points.value.min() <= points.value.max() <= power.value.max()


async def test_history_gives_the_last_sample_before_the_range(story: Story) -> None:
    state = await raw(story, "capper/state")
    middle = int(state.time[-1].astype(np.int64)) + 1
    client = story.site.client
    after = await client.history("capper/state", start=middle, end=middle + S)
    both = await client.history("capper/state", start=middle, end=middle + S, last_before=True)
    assert after.samples == 0 or int(after["capper/state"].time[0].astype(np.int64)) >= middle
    assert both.samples == after.samples + 1
    assert both["capper/state"].value[0] == state.value[-1]
    assert both["capper/state"].time[0] == state.time[-1]


async def test_sealed_and_unsealed_samples_are_one(story: Story) -> None:
    files = list((story.site.folder / "data" / "history" / "samples").glob("*.parquet"))
    assert files, "the restart sealed what was there"
    series = await raw(story, "filler/power")
    before = series.time < np.datetime64(story.stopped, "ns")
    assert before.any()
    assert not before.all(), "and what came since is not sealed yet"
    assert len(np.unique(series.time)) == len(series), "nothing is there twice"
    gap = np.datetime64(story.started, "ns") - np.datetime64(story.stopped, "ns")
    assert np.diff(series.time).max() < gap + np.timedelta64(10, "s")


async def test_a_jam_is_raised_with_what_to_do(story: Story) -> None:
    event = story.alarms["raised"]
    assert event.source == "line1/capper/jam"
    assert event.alarm is not None
    assert event.alarm.priority is AlarmPriority.HIGH
    assert event.alarm.do == "Open the guard and clear the chute"
    assert event.alarm.value == 21
    codes = await raw(story, "capper/fault_code")
    due = int(codes.time[codes.value == 21][0].astype(np.int64)) + S
    assert event.alarm.active_since >= due, "on_delay: 1s, in the time of the source"
    if codes.value[0] != 21:
        assert event.alarm.active_since == due, "to the nanosecond, when we saw it come"


async def test_an_acknowledged_alarm_survives_a_restart_and_returns_to_normal(story: Story) -> None:
    acknowledged, restarted, cleared = (
        story.alarms[step].alarm for step in ("acknowledged", "restarted", "cleared")
    )
    assert acknowledged is not None
    assert restarted is not None
    assert cleared is not None
    assert acknowledged.acknowledged_by == "local-token"
    assert acknowledged.comment == "on my way"
    for later in (restarted, cleared):
        who, when = later.acknowledged_by, later.acknowledged_at
        assert (who, when) == (acknowledged.acknowledged_by, acknowledged.acknowledged_at)
        assert later.active_since == acknowledged.active_since
        assert later.comment == "on my way"
    assert restarted.state is AlarmState.ACKNOWLEDGED
    assert cleared.returned_at > acknowledged.acknowledged_at
    standing = [event.source for event in await story.site.client.alarms()]
    assert "line1/capper/jam" not in standing


async def test_an_alarm_that_is_not_there_cannot_be_acknowledged(story: Story) -> None:
    with pytest.raises(CallError, match="no alarm named pump/jam") as error:
        await story.site.client.acknowledge("pump/jam")
    assert error.value.code == "NOT_FOUND"


async def test_a_subscriber_saw_the_alarm_and_every_sample_once(story: Story) -> None:
    events = [event for update in story.live for event in update.events]
    states = [e.alarm.state for e in events if e.alarm and e.source == "line1/capper/jam"]
    assert states == [AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED]
    watched = [e.alarm.state for e in story.watched if e.alarm and e.source == "line1/capper/jam"]
    assert watched == states
    said = [e.kind for e in events if e.source == "line1/capper/jam"]
    assert said.count(EventKind.ACKNOWLEDGE) == 1, "the wish of the person is an event too"
    seen = np.concatenate(
        [u["filler/speed"].time for u in story.live if "filler/speed" in u]
    ).tolist()
    kept = np.unique(
        (await raw(story, "filler/speed")).time
    ).tolist()  # the first is read and published
    assert sorted(set(seen)) == [t for t in kept if seen[0] <= t <= seen[-1]]
    assert len(seen) - len(set(seen)) <= 1


async def test_oee_is_what_its_samples_say(story: Story) -> None:
    """Recomputed sample by sample from history; results of before and after the restart alike."""
    client = story.site.client

    async def enough() -> bool:
        result = await client.history("filler/oee/oee", start=1)
        series = result["filler/oee/oee"]
        return len(series) >= 3 and series.time[-1] > np.datetime64(story.started, "ns")

    await until(enough, 30)
    for machine in MACHINES:
        kept = await client.history(f"{machine}/**", start=1)
        results = {name: kept[f"{machine}/oee/{name}"] for name in OUTPUTS}
        begin = begun(kept, machine, results["planned_time"])
        wanted = recomputed(kept, machine, results["oee"].time, begin)
        for name, column in wanted.items():
            got = results[name].value
            np.testing.assert_allclose(
                got, column, rtol=1e-6, atol=1e-6, err_msg=f"{machine} {name}"
            )
        for name, most in {"availability": 1.0, "quality": 1.0, "oee": 1.2}.items():
            known = results[name].value[~np.isnan(results[name].value)]
            assert ((known >= 0) & (known <= most)).all(), f"{machine} {name}"
        assert kept[f"{machine}/oee/shift"].value[-1] in {"early", "late", "night"}


def begun(kept: Any, machine: str, planned: Series) -> int:
    """When the account began: with the first sample of one of the inputs, whichever came first."""
    known = np.flatnonzero(planned.good)[0]
    begin = int(planned.time[known].astype(np.int64)) - round(planned.value[known] * S)
    inputs = [kept[f"{machine}/{name}"] for name in ("state", "parts_total", "parts_good")]
    first = [int(one.time[0].astype(np.int64)) for one in inputs]
    nearest = min(first, key=lambda one: abs(one - begin))
    assert abs(nearest - begin) < 1000, "ns, lost in a float of seconds"
    return nearest


OUTPUTS = (
    "availability", "performance", "quality", "oee",
    "planned_time", "run_time", "total_count", "good_count",
)  # fmt: skip


async def test_status_says_that_all_is_well(story: Story) -> None:
    status = await story.site.client.status()
    assert {one.state for one in status.components} == {"up"}
    assert status.problems == ()
    assert status.journal.state == "synced"
    assert all(one.tags == one.tags_good for one in status.components)
    assert all(one.restarts == 0 for one in status.components)
    pids = {one.pid for one in status.processes}
    assert (pids == {0}) == (status.components[0].placement in {"inline", "remote"})
