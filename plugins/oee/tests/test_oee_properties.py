"""Any split, any restart, any replay: the same results. And a plain oracle that looks at every second."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from plugins.oee.tests.driving import BAD, GOOD, MIN, UNCERTAIN, Driver, S, at, series

TAGS = ("state", "parts_total", "parts_good", "setpoint")
CALENDAR = {
    "timezone": "Europe/Berlin",
    "shifts": {
        "one": {"days": ["mon-sun"], "from": "06:00", "to": "06:05", "breaks": ["06:02-06:03"]},
        "two": {"days": ["mon-sun"], "from": "06:05", "to": "06:10"},
        "three": {"days": ["mon-sun"], "from": "06:15", "to": "06:20"},
    },
}
START = at("05:58")


@dataclass(frozen=True)
class Step:
    """A sample, ns after START, and whether a stretch ends after it."""

    tag: str
    received: int
    source: int
    value: float
    quality: int
    cut: bool


@st.composite
def histories(draw: st.DrawFn, whole_seconds: bool = False) -> list[Step]:
    """In order of reception; unless told otherwise some late, some early, some far away, some Bad."""
    lags = [0] if whole_seconds else [0, 0, 1, 4, 9, 30, -50, 700]  # tenths of a second
    gaps = [10, 20, 70, 300, 900] if whole_seconds else [0, 1, 5, 10, 13, 70, 300, 900, 3000]
    now, steps = 0, []
    for _ in range(draw(st.integers(1, 40))):
        now += draw(st.sampled_from(gaps)) * S // 10
        tag = draw(st.sampled_from(TAGS))
        if tag == "state":
            value = draw(st.sampled_from([0.0, 1.0, 1.0, 4.0, math.nan]))
        elif tag == "setpoint":
            value = draw(st.sampled_from([0.0, 30.0, 7.0, math.nan]))
        else:
            value = draw(st.sampled_from([0.0, 3.0, 10.0, 11.0, 200.0, math.nan]))
        quality = draw(st.sampled_from([GOOD] * 6 + [BAD, UNCERTAIN]))
        source = now - draw(st.sampled_from(lags)) * S // 10
        steps.append(Step(tag, now, source, value, quality, draw(st.booleans())))
    return steps


def machine() -> Driver:
    return Driver(
        ideal_rate={"tag": "setpoint"},
        planned_stops=["setup"],
        calendar=CALENDAR,
        every="7s",
        silence="4min",
    )


def play(one: Driver, steps: list[Step], until: int) -> None:
    inputs: dict[str, Any] = {}
    for tag in TAGS:
        mine = [s for s in steps if s.tag == tag]
        if mine:
            times, values = [START + s.source for s in mine], [s.value for s in mine]
            received = [START + s.received for s in mine]
            inputs[tag] = series(times, values, [s.quality for s in mine], received)
    one.stretch(START + until, **inputs)


def in_pieces(steps: list[Step], restart: bool = False) -> Any:
    one, part = machine(), []
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        part.append(step)
        if following is None or (step.cut and following.received > step.received):
            play(one, part, following.received if following else step.received + 30 * MIN)
            part = []
            if restart:
                one.restart()
    return plain(one)


def at_once(steps: list[Step]) -> Any:
    one = machine()
    play(one, steps, steps[-1].received + 30 * MIN)
    return plain(one)


def plain(one: Driver) -> Any:
    """Samples that can be compared: NaN equals NaN."""
    return {
        name: {time: (repr(value), quality) for time, (value, quality) in samples.items()}
        for name, samples in one.samples.items()
    }


@given(histories())
@settings(max_examples=200, deadline=None)
def test_any_split_of_the_same_samples_gives_the_same_results(steps: list[Step]) -> None:
    assert in_pieces(steps) == at_once(steps)


@given(histories())
@settings(max_examples=100, deadline=None)
def test_a_restart_after_every_commit_changes_nothing(steps: list[Step]) -> None:
    assert in_pieces(steps, restart=True) == in_pieces(steps)


@given(histories(), st.integers(0, 40))
@settings(max_examples=100, deadline=None)
def test_what_comes_later_changes_no_result_that_was_given(steps: list[Step], cut: int) -> None:
    """No look-ahead."""
    end = steps[min(cut, len(steps) - 1)].received
    one, whole = machine(), at_once(steps)
    play(one, [step for step in steps if step.received <= end], end)
    for name, samples in plain(one).items():
        assert samples.items() <= whole[name].items()


@given(histories(whole_seconds=True))
@settings(max_examples=100, deadline=None)
def test_times_and_counts_are_those_of_a_reader_who_looks_at_every_second(
    steps: list[Step],
) -> None:
    one = machine()
    play(one, steps, steps[-1].received + 30 * MIN)
    expected = oracle(steps, max(one.samples.get("planned_time", {0: 0})))
    for name in ("planned_time", "run_time", "unknown_time", "total_count", "good_count"):
        for time, (value, _) in one.samples.get(name, {}).items():
            if not math.isnan(value):
                assert value == expected[time][name], f"{name} {(time - START) / S} s"


def oracle(steps: list[Step], end: int) -> dict[int, dict[str, float]]:
    """Elements at every whole second, one second after the other."""
    sums = dict.fromkeys(
        ("planned_time", "run_time", "unknown_time", "total_count", "good_count"), 0.0
    )
    level: dict[str, float] = {}
    state, heard, shift, found = math.nan, math.inf, "", {}
    todo = list(steps)
    for now in range(START + todo[0].source, end + S, S):
        counting = len(level) == len(TAGS)
        while todo and START + todo[0].source <= now:
            step = todo.pop(0)
            said = step.value if step.quality == GOOD else math.nan
            if step.tag == "setpoint" and not said > 0:
                continue
            heard = now
            state = said if step.tag == "state" else state
            if math.isnan(said):
                continue
            if counting and step.tag.startswith("parts"):
                before = level[step.tag]
                name = step.tag.removeprefix("parts_") + "_count"
                sums[name] += said if said < before else said - before
            level[step.tag] = said
        found[now] = dict(sums)
        minute = (now - at("06:00")) // MIN
        if shift_in(minute) != shift:
            shift, sums = shift_in(minute), dict.fromkeys(sums, 0.0)
        if shift and minute != 2 and len(level) == len(TAGS):
            known = state if now - heard < 4 * MIN else math.nan
            sums["planned_time"] += known != 4
            sums["run_time"] += known == 1
            sums["unknown_time"] += math.isnan(known)
    return found


def shift_in(minute: int) -> str:
    return {0: "one", 1: "two", 3: "three"}.get(minute // 5, "")
