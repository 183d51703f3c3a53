"""Any split, any restart, any replay: the same events. And a plain oracle that looks at every sample."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from plugins.alarms.tests.driving import (
    BAD,
    GOOD,
    START,
    UNCERTAIN,
    Driver,
    S,
    acknowledge,
    drive,
    series,
)

from bedplate import Event

LIMITS = {
    "hot": {"tag": "x", "high": 65.0, "deadband": 2.0, "on_delay": "2s", "off_delay": "3s"},
    "warm": {"tag": "x", "high": 60.0},
    "cold": {"tag": "x", "low": 20.0, "off_delay": "1s"},
    "off": {"tag": "y", "equals": 0, "on_delay": "1500ms"},
}
VALUES = [10.0, 20.0, 50.0, 61.0, 64.0, 66.0, 70.0, math.nan]


@dataclass(frozen=True)
class Step:
    """A sample or an acknowledgement (tag is the limit), and whether a stretch ends after it. Seconds after START."""

    kind: str
    tag: str
    received: float
    source: float
    value: float
    quality: int
    cut: bool


@st.composite
def histories(draw: st.DrawFn, skew: bool = True) -> list[Step]:
    """In order of reception, some late, some early, some far away."""
    lags = [0.0, 0.0, 0.1, 0.4, 0.9, 3.0, -5.0, 70.0] if skew else [0.0, 0.1, 0.4]
    now, steps = 100.0, []
    for _ in range(draw(st.integers(1, 30))):
        now = round(now + draw(st.sampled_from([0.0, 0.1, 0.5, 1.0, 3.0, 5.0, 90.0])), 3)
        if draw(st.integers(0, 5)) == 0:
            limit = draw(st.sampled_from(list(LIMITS)))
            now = round(now + 0.01, 3)
            steps.append(Step("ack", limit, now, now, 0.0, 0, draw(st.booleans())))
            now = round(now + 0.01, 3)
            continue
        tag = draw(st.sampled_from(["x", "x", "y"]))
        value = draw(st.sampled_from(VALUES if tag == "x" else [0.0, 1.0, math.nan]))
        quality = draw(st.sampled_from([GOOD, GOOD, GOOD, BAD, UNCERTAIN]))
        source = round(now - draw(st.sampled_from(lags)), 3)
        steps.append(Step("sample", tag, now, source, value, quality, draw(st.booleans())))
    return steps


def pieces(steps: list[Step]) -> list[list[Step]]:
    found: list[list[Step]] = [[]]
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        found[-1].append(step)
        if step.cut and following and following.received > step.received:
            found.append([])
    return found


def play(asset: Driver, steps: list[Step], until: float) -> list[Event]:
    inputs: dict[str, Any] = {}
    for tag in ("x", "y"):
        mine = [s for s in steps if s.kind == "sample" and s.tag == tag]
        if mine:
            columns = zip(*((s.source, s.value, s.quality, s.received) for s in mine), strict=True)
            inputs[tag] = series(*map(list, columns))
    said = [acknowledge(s.received, s.tag) for s in steps if s.kind == "ack"]
    return asset.stretch(until, *said, **inputs)


def in_pieces(steps: list[Step], restart: bool = False) -> list[Event]:
    asset, found = drive(**LIMITS), []
    parts = pieces(steps)
    for part, following in zip(parts, [*parts[1:], None], strict=True):
        until = following[0].received if following else part[-1].received + 60
        found += play(asset, part, until)
        if restart:
            asset.restart()
    return found


def at_once(steps: list[Step]) -> list[Event]:
    return play(drive(**LIMITS), steps, steps[-1].received + 60)


@given(histories())
@settings(max_examples=400, deadline=None)
def test_any_split_of_the_same_samples_gives_the_same_events(steps: list[Step]) -> None:
    assert in_pieces(steps) == at_once(steps)


@given(histories())
@settings(max_examples=200, deadline=None)
def test_a_restart_after_every_commit_changes_nothing(steps: list[Step]) -> None:
    assert in_pieces(steps, restart=True) == in_pieces(steps)


@given(histories(), st.integers(0, 30))
@settings(max_examples=200, deadline=None)
def test_what_comes_later_changes_no_event_that_was_given(steps: list[Step], cut: int) -> None:
    """No look-ahead: the first part alone gives a beginning of what the whole gives."""
    whole = at_once(steps)
    end = steps[min(cut, len(steps) - 1)].received
    first = [step for step in steps if step.received <= end]
    alone = play(drive(**LIMITS), first, end)
    assert whole[: len(alone)] == alone


@given(histories(skew=False))
@settings(max_examples=300, deadline=None)
def test_the_events_are_those_of_a_reader_who_looks_at_every_sample(steps: list[Step]) -> None:
    for name, limit in LIMITS.items():
        mine = [s for s in steps if s.kind == "sample" and s.tag == limit["tag"]]
        found = [
            (
                e.alarm.state.name in {"UNACKNOWLEDGED", "ACKNOWLEDGED"},
                round((e.time - START) / S, 3),
            )
            for e in at_once([s for s in steps if s.kind == "sample"] or steps)
            if e.source.endswith(f"/{name}") and e.alarm
        ]
        assert found == oracle(limit, mine, steps[-1].received + 60)


def oracle(limit: dict[str, Any], samples: list[Step], until: float) -> list[tuple[bool, float]]:
    """(active, time) of each change, one sample after the other, for sources with good clocks."""
    on, off = (
        {"2s": 2.0, "3s": 3.0, "1s": 1.0, "1500ms": 1.5}.get(limit.get(d, ""), 0.0)
        for d in ("on_delay", "off_delay")
    )
    active, since, newest, last, found = False, None, -math.inf, -math.inf, []
    for sample in [*samples, None]:
        if sample and sample.quality == GOOD:
            if sample.source < newest and sample.received - newest <= 60:
                continue
            newest = sample.source
        now = max(sample.source, last) if sample else until
        last = now
        due = None if since is None else since + (off if active else on)
        if due is not None and (now >= due - 1e-6):
            active, since = not active, None
            found.append((active, round(due, 3)))
        if sample is None:
            return found
        beyond, back, missing = judge(limit, sample)
        if since is not None and (back if not active else beyond or missing):
            since = None
        elif since is None and (back if active else beyond):
            since = now
            if not (off if active else on):
                active, since = not active, None
                found.append((active, round(now, 3)))
    return found


def judge(limit: dict[str, Any], sample: Step) -> tuple[bool, bool, bool]:
    value, band = sample.value, limit.get("deadband", 0.0)
    if sample.quality == BAD or math.isnan(value):
        return False, False, True
    if "high" in limit:
        beyond, back = value > limit["high"], value <= limit["high"] - band
    elif "low" in limit:
        beyond, back = value < limit["low"], value >= limit["low"] + band
    else:
        beyond, back = value == limit["equals"], value != limit["equals"]
    if sample.quality == UNCERTAIN:
        return beyond, False, not beyond
    return beyond, back, False
