"""Limits, deadband, delays, and what Bad input does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from plugins.alarms.tests.driving import BAD, GOOD, UNCERTAIN, drive, series

from bedplate.model import Strings

NAN = float("nan")


def names(found: list[tuple[str, float]]) -> list[tuple[str, float]]:
    short = {"UNACKNOWLEDGED": "on", "RETURNED_UNACKNOWLEDGED": "off"}
    return [(short[state], at) for state, at in found]


@pytest.mark.parametrize(
    ("limit", "values", "expected"),
    [
        ({"high": 65.0}, [65.0, 65.1, 65.0], [("on", 2.0), ("off", 3.0)]),
        ({"high": 65.0, "deadband": 2.0}, [66.0, 64.0, 63.0], [("on", 1.0), ("off", 3.0)]),
        ({"low": 20.0, "deadband": 2.0}, [19.0, 21.0, 22.0], [("on", 1.0), ("off", 3.0)]),
        ({"equals": False}, [True, False, True], [("on", 2.0), ("off", 3.0)]),
        ({"equals": False}, [1, 0, 1], [("on", 2.0), ("off", 3.0)]),
        ({"equals": 3}, [1, 3, 4], [("on", 2.0), ("off", 3.0)]),
        ({"not_equals": 1}, [1, 3, 1], [("on", 2.0), ("off", 3.0)]),
        ({"equals": "fault"}, ["run", "fault", "run"], [("on", 2.0), ("off", 3.0)]),
        ({"not_equals": "run"}, ["run", "fault", "run"], [("on", 2.0), ("off", 3.0)]),
        (
            {"high": 65.0},
            [1e308, -float("inf"), float("inf")],
            [("on", 1.0), ("off", 2.0), ("on", 3.0)],
        ),
    ],
)
def test_a_limit_asks_one_question(limit: Any, values: Any, expected: Any) -> None:
    asset = drive(hot={"tag": "x", **limit})
    assert names(asset.states(9, x=series([1.0, 2.0, 3.0], values))) == expected


def test_a_text_may_be_the_label_of_a_state() -> None:
    asset = drive(jam={"tag": "x", "equals": "fault"}, labels={"x": {0: "run", 3: "fault"}})
    assert names(asset.states(9, x=series([1.0, 2.0, 3.0], [0, 3, 0]))) == [
        ("on", 2.0),
        ("off", 3.0),
    ]
    assert asset.notes == []


def test_a_tag_that_cannot_be_compared_is_told_once_and_raises_nothing() -> None:
    asset = drive(jam={"tag": "x", "equals": "fault"}, cold={"tag": "y", "low": 5.0})
    for i in range(3):
        found = asset.stretch(i + 1, x=series([i], [3]), y=series([i], ["cold"]))
        assert found == []
    assert len(asset.notes) == 2
    assert "y can't be compared: y < 5" in asset.notes[1]


def test_blobs_are_compared_with_nothing() -> None:
    asset = drive(jam={"tag": "x", "equals": "fault"})
    assert asset.stretch(2, x=series([1.0], Strings.of([b"fault"], text=False))) == []


def test_the_on_delay_starts_with_the_condition_not_with_the_look() -> None:
    asset = drive(hot={"tag": "x", "high": 65.0, "on_delay": "10s"})
    assert asset.stretch(2, x=series([1.0], [70.0])) == []
    assert asset.stretch(11.9) == []
    assert names(asset.states(60)) == [("on", 11.0)]


def test_the_next_sample_shows_that_a_delay_is_over_without_waiting() -> None:
    asset = drive(hot={"tag": "x", "high": 65.0, "on_delay": "10s"})
    asset.stretch(2, x=series([1.0], [70.0]))
    assert names(asset.states(11.3, x=series([11.2], [72.0]))) == [("on", 11.0)]


def test_a_condition_shorter_than_the_on_delay_is_no_alarm() -> None:
    asset = drive(hot={"tag": "x", "high": 65.0, "on_delay": "10s"})
    assert asset.stretch(60, x=series([1.0, 10.9], [70.0, 60.0])) == []


def test_a_sample_that_is_still_under_way_is_waited_for() -> None:
    asset = drive(hot={"tag": "x", "high": 65.0, "on_delay": "10s"})
    asset.stretch(2, x=series([1.0], [70.0]))
    assert asset.stretch(11.5) == []
    assert asset.stretch(12, x=series([10.9], [60.0], received=[11.6])) == []
    assert asset.stretch(60) == []


def test_the_off_delay_holds_an_alarm_that_flutters() -> None:
    asset = drive(hot={"tag": "x", "high": 65.0, "off_delay": "5s"})
    found = asset.states(60, x=series([1, 3, 6, 8, 20], [70.0, 60.0, 70.0, 60.0, 60.0]))
    assert names(found) == [("on", 1.0), ("off", 13.0)]


@pytest.mark.parametrize(("value", "quality"), [(0.0, BAD), (NAN, GOOD), (0.0, UNCERTAIN)])
def test_missing_input_never_ends_an_alarm(value: float, quality: int) -> None:
    asset = drive(hot={"tag": "x", "high": 65.0})
    assert names(asset.states(2, x=series([1.0], [70.0]))) == [("on", 1.0)]
    assert asset.stretch(600, x=series([2.0, 3.0], [value, value], [quality, quality])) == []
    assert names(asset.states(700, x=series([601.0], [60.0]))) == [("off", 601.0)]


@pytest.mark.parametrize(("value", "quality"), [(0.0, BAD), (NAN, GOOD), (0.0, UNCERTAIN)])
def test_missing_input_stops_an_off_delay(value: float, quality: int) -> None:
    asset = drive(hot={"tag": "x", "high": 65.0, "off_delay": "5s"})
    samples = series([1.0, 2.0, 4.0], [70.0, 60.0, value], [GOOD, GOOD, quality])
    assert names(asset.states(60, x=samples)) == [("on", 1.0)]
    assert names(asset.states(90, x=series([61.0], [60.0]))) == [("off", 66.0)]


@pytest.mark.parametrize(("value", "quality"), [(0.0, BAD), (NAN, GOOD), (0.0, UNCERTAIN)])
def test_missing_input_does_not_stop_an_on_delay(value: float, quality: int) -> None:
    asset = drive(hot={"tag": "x", "high": 65.0, "on_delay": "5s"})
    samples = series([1.0, 2.0], [70.0, value], [GOOD, quality])
    assert names(asset.states(60, x=samples)) == [("on", 6.0)]


def test_bad_values_raise_nothing_but_uncertain_ones_do() -> None:
    asset = drive(hot={"tag": "x", "high": 65.0})
    assert asset.stretch(2, x=series([1.0], [70.0], [BAD])) == []
    assert names(asset.states(3, x=series([2.0], [70.0], [UNCERTAIN]))) == [("on", 2.0)]


def test_a_late_sample_neither_raises_nor_ends_an_alarm() -> None:
    asset = drive(hot={"tag": "x", "high": 65.0})
    assert names(asset.states(11, x=series([10.0], [70.0]))) == [("on", 10.0)]
    assert asset.stretch(12, x=series([5.0], [60.0], received=[11.0])) == []


def test_a_device_whose_clock_was_set_back_is_heard_again() -> None:
    asset = drive(hot={"tag": "x", "high": 65.0})
    asset.stretch(11, x=series([10.0], [70.0]))
    assert names(asset.states(80, x=series([-3500.0], [60.0], received=[75.0]))) == [("off", 74.0)]


@pytest.mark.parametrize("skew", [-7200.0, 7200.0])
def test_a_device_with_a_wrong_clock_gets_its_delays_nevertheless(skew: float) -> None:
    asset = drive(hot={"tag": "x", "high": 65.0, "on_delay": "10s"})
    assert asset.stretch(2, x=series([1.0 + skew], [70.0], received=[1.0])) == []
    assert asset.stretch(9.5, x=series([9.0 + skew], [70.0], received=[9.0])) == []
    ((state, at),) = names(asset.states(60, x=series([50.0 + skew], [70.0], received=[50.0])))
    assert state == "on"
    assert 10.0 <= at <= 11.0


def test_a_million_ordinary_samples_cost_one_comparison() -> None:
    asset = drive(hot={"tag": "x", "high": 65.0, "deadband": 2.0, "on_delay": "10s"})
    n = 1_000_000
    values = np.random.default_rng(1).normal(50.0, 1.0, n)
    assert asset.stretch(2e4, x=series(np.arange(n) / 100, values)) == []
