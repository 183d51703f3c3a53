"""Shifts worked out by hand, after the formulas of ISO 22400-2:2014.

The first is the well-known example of oee.com: a shift of 8 h with 60 min of breaks and 47 min of stops, an ideal cycle
of 1.0 s, 19,271 parts, 423 of them rejected: availability 373 / 420, performance 19271 / 22380, quality 18848 / 19271.
"""

from __future__ import annotations

import numpy as np
import pytest
from plugins.oee.tests.driving import MIN, Driver, at, series

from bedplate.model.quality import name
from bedplate_oee.kpi import Elements, indicators


def test_the_published_example_comes_out_of_states_and_counters() -> None:
    press = Driver(silence="8h")
    state = series(["06:00", "10:00", "10:47"], [1, 3, 1])
    total = series(["06:00", "09:30", "13:59"], [1000, 11_000, 20_271])
    good = series(["06:00", "09:30", "13:59"], [500, 10_400, 19_348])
    press.stretch("14:00:30", state=state, parts_total=total, parts_good=good)
    end = "14:00"
    assert press.value("planned_time", end) == 420 * 60
    assert press.value("run_time", end) == 373 * 60
    assert press.value("total_count", end) == 19_271
    assert press.value("good_count", end) == 18_848
    assert press.value("availability", end) == pytest.approx(0.88810, abs=5e-6)
    assert press.value("performance", end) == pytest.approx(0.86108, abs=5e-6)
    assert press.value("quality", end) == pytest.approx(0.97805, abs=5e-6)
    assert press.value("oee", end) == pytest.approx(0.74794, abs=5e-6)
    assert {
        press.quality(kpi, end) for kpi in ("availability", "performance", "quality", "oee")
    } == {0}
    assert press.value("shift", "06:00:10") == "early"


def test_half_an_hour_by_hand() -> None:
    """30 min planned, 20 of them running, 10 parts a minute at best, 150 made, 120 good: 2/3, 3/4, 4/5, 2/5."""
    press = Driver(ideal_rate=10)
    state = series(["14:00", "14:05", "14:15"], [1, 2, 1])
    total = series(["14:00", "14:30"], [0, 150])
    press.stretch(
        "14:30:02", state=state, parts_total=total, parts_good=series(["14:00", "14:30"], [0, 120])
    )
    found = [press.value(kpi, "14:30") for kpi in ("availability", "performance", "quality", "oee")]
    assert found == pytest.approx([2 / 3, 3 / 4, 4 / 5, 2 / 5], abs=1e-15)


def test_each_part_is_valued_at_the_ideal_rate_in_force_when_it_was_made() -> None:
    """40 parts at 10/min take 4 min, 100 at 50/min take 2: PRU * PQ = 6 min in 10 min of running."""
    press = Driver(ideal_rate={"tag": "setpoint"})
    total = series(["14:00", "14:04", "14:10"], [0, 40, 140])
    rate = series(["14:00", "14:05", "14:06", "14:07"], [10.0, 50.0, 0.0, float("nan")])
    good = series(["14:00", "14:10"], [0, 140])
    press.stretch(
        "14:10:02", state=series(["14:00"], [1]), parts_total=total, parts_good=good, setpoint=rate
    )
    assert press.value("performance", "14:10") == pytest.approx(0.6)


def test_an_ideal_that_is_none_is_reported_and_not_clipped() -> None:
    press = Driver(ideal_rate=10)
    counts = series(["14:00", "14:10"], [0, 150])
    press.stretch("14:10:02", state=series(["14:00"], [1]), parts_total=counts, parts_good=counts)
    assert press.value("performance", "14:10") == 1.5
    assert press.quality("performance", "14:10") == 0
    assert press.value("oee", "14:10") == 1.5


def test_planned_stops_are_not_planned_busy_time() -> None:
    press = Driver(planned_stops=["setup"])
    state = series(["14:00", "14:10", "14:20"], [1, 4, 0])
    counts = series(["14:00", "14:01"], [0, 1])
    press.stretch("14:30:02", state=state, parts_total=counts, parts_good=counts)
    assert press.value("planned_time", "14:30") == 20 * 60
    assert press.value("availability", "14:30") == 0.5


def test_a_machine_that_has_produced_nothing_has_an_oee_of_0_and_no_quality() -> None:
    press = Driver()
    counts = series(["14:00"], [7])
    press.stretch("14:10:02", state=series(["14:00"], [0]), parts_total=counts, parts_good=counts)
    assert press.value("availability", "14:10") == press.value("oee", "14:10") == 0
    for kpi in ("performance", "quality"):
        assert np.isnan(press.value(kpi, "14:10"))
        assert name(press.quality(kpi, "14:10")) == "BadNoData"


def test_the_oee_index_is_the_product_of_its_three_factors() -> None:
    """ISO 22400-2: OEE index = availability * effectiveness * quality ratio."""
    rng = np.random.default_rng(22400)
    pbt = rng.uniform(1, 1e5, 1000)
    apt, total, zeros = (
        pbt * rng.uniform(0.01, 1, 1000),
        rng.integers(1, 1e6, 1000).astype(float),
        np.zeros(1000),
    )
    good, ideal = np.floor(total * rng.uniform(0, 1, 1000)), rng.uniform(1, 1e5, 1000)
    found = indicators(Elements(pbt, apt, zeros, ideal, total, good, zeros.astype(bool)))
    product = found["availability"].value * found["performance"].value * found["quality"].value
    np.testing.assert_allclose(found["oee"].value, product, rtol=1e-12)


def test_a_break_is_neither_busy_time_nor_run_time_but_its_parts_are_parts_of_the_shift() -> None:
    press = Driver(ideal_rate=1)
    counts = series(["08:50", "09:05", "09:30"], [0, 15, 40])
    press.stretch("09:30:02", state=series(["08:50"], [1]), parts_total=counts, parts_good=counts)
    assert press.value("planned_time", "09:30") == press.value("run_time", "09:30") == 25 * 60
    assert press.value("total_count", "09:30") == 40
    assert press.value("performance", "09:30") == 1.6


def test_results_come_at_round_times_of_the_clock_and_at_the_end_of_the_shift() -> None:
    press = Driver(every="7s")
    counts = series(["13:59:30"], [0])
    press.stretch(
        "14:00:30", state=series(["13:59:30"], [1]), parts_total=counts, parts_good=counts
    )
    times = list(press.samples["oee"])
    assert at("14:00") in times
    assert all(time % (7 * 10**9) == 0 for time in times if time != at("14:00"))
    assert press.samples["shift"] == {
        times[0]: ("early", 0),
        times[times.index(at("14:00")) + 1]: ("late", 0),
    }
    assert times[-1] - times[0] < MIN
