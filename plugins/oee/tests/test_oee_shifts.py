"""Shifts that end, begin, cross a change of the clock, or are not there."""

from __future__ import annotations

import numpy as np
import pytest
from plugins.oee.tests.driving import MIN, Driver, S, at, series

NIGHT = {
    "timezone": "Europe/Berlin",
    "shifts": {
        "night": {"days": ["mon-sun"], "from": "22:00", "to": "06:00", "breaks": ["03:00-03:30"]}
    },
}


def test_the_shift_that_ends_holds_its_result_and_the_next_starts_at_nothing() -> None:
    press = Driver()
    counts = series(["13:00", "13:59", "14:00:05"], [0, 100, 110])
    press.stretch("14:30:02", state=series(["13:00"], [1]), parts_total=counts, parts_good=counts)
    assert press.value("total_count", "14:00") == 100
    assert press.value("total_count", "14:00:10") == 10
    assert press.value("planned_time", "14:00:10") == 10


def test_after_the_last_shift_nothing_is_written_until_the_next() -> None:
    press = Driver()
    state = series(["21:00", "23:00"], [1, 0])
    total = series(["21:00", "21:59", "23:00"], [0, 59, 159])
    press.stretch("23:30", state=state, parts_total=total, parts_good=series(["21:00"], [0]))
    assert max(press.samples["oee"]) == at("22:00")
    assert press.value("total_count", "22:00") == 59
    press.stretch(
        at("06:30:02", "2026-03-03"), parts_total=series([at("06:10", "2026-03-03")], [160])
    )
    last = at("06:30", "2026-03-03")
    assert press.value("total_count", last) == 1, "parts made between shifts belong to none"
    assert press.value("run_time", last) == 0
    assert press.samples["shift"][at("06:10", "2026-03-03")][0] == "early"


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-28", 6.5), ("2026-03-27", 7.5), ("2026-10-24", 8.5)]
)
def test_a_night_shift_across_a_change_of_the_clock_is_as_long_as_it_is(
    day: str, hours: float
) -> None:
    """Europe/Berlin: 2026-03-29 loses 02:00 to 03:00, 2026-10-25 has it twice."""
    press = Driver(calendar=NIGHT)
    start = at("22:00", day)
    beat = start + np.arange(0, 10 * 60, 10) * MIN
    counts = series(beat, np.arange(len(beat)))
    press.stretch(
        start + 12 * 60 * MIN, state=series([start], [1]), parts_total=counts, parts_good=counts
    )
    end = start + round((hours + 0.5) * 60) * MIN
    assert press.value("planned_time", end) == hours * 3600
    assert press.value("availability", end) == 1.0
    assert max(press.samples["oee"]) == end


def test_who_starts_in_the_middle_of_a_shift_counts_from_there() -> None:
    press = Driver()
    counts = series(["17:00", "17:30"], [5000, 5900])
    press.stretch("17:30:02", state=series(["17:00"], [1]), parts_total=counts, parts_good=counts)
    assert press.value("planned_time", "17:30") == 30 * 60
    assert press.value("availability", "17:30") == 1.0
    assert press.value("total_count", "17:30") == 900


def test_until_every_input_is_known_results_say_that_they_wait() -> None:
    press = Driver()
    total = series(["17:00:05", "17:01:30"], [0, 90])
    press.stretch("17:01:02", state=series(["17:00:05"], [1]), parts_total=total)
    assert press.quality("oee", "17:01") == 0x80320000
    assert np.isnan(press.value("availability", "17:01"))
    press.stretch("17:02:02", parts_good=series(["17:01:20"], [0]))
    assert press.value("planned_time", "17:02") == 40
    assert press.value("total_count", "17:02") == 90


def test_a_deployment_that_changes_goes_on_with_the_shift_it_has() -> None:
    press = Driver()
    counts = series(["14:00", "14:10"], [0, 600])
    press.stretch("14:10:30", state=series(["14:00"], [1]), parts_total=counts, parts_good=counts)
    press.restart(ideal_rate=120.0, every="1s")
    press.stretch(
        "14:20:30", parts_total=series(["14:20"], [1200]), parts_good=series(["14:20"], [1200])
    )
    assert press.value("planned_time", "14:20") == 20 * 60
    assert press.value("performance", "14:20") == 0.75


def test_an_input_that_is_another_tag_now_is_not_compared_with_the_old_one() -> None:
    press = Driver()
    counts = series(["14:00", "14:10"], [0, 600])
    press.stretch("14:10:30", state=series(["14:00"], [1]), parts_total=counts, parts_good=counts)
    press.restart(total="packs_total")
    press.stretch("14:20:30", packs_total=series(["14:11", "14:20"], [9_000_000, 9_000_010]))
    assert press.value("total_count", "14:20") == 610


def test_a_month_without_the_platform_does_not_become_a_million_results() -> None:
    press = Driver(every="1s")
    counts = series(["14:00", "14:10"], [0, 600])
    press.stretch("14:10:30", state=series(["14:00"], [1]), parts_total=counts, parts_good=counts)
    before = len(press.samples["oee"])
    press.stretch(at("14:00", "2026-04-02"))
    assert len(press.samples["oee"]) - before < 4000
    end = at("22:00")
    assert press.value("unknown_time", end) == (22 - 15) * 3600 - 600
    assert press.value("run_time", end) == 70 * 60
    assert press.quality("availability", end) == 0x40950000
    assert at("14:00", "2026-04-01") in press.samples["oee"]


def test_it_writes_no_more_often_than_it_was_told() -> None:
    press = Driver(every="1s")
    counts = series(["14:00"], [0])
    for i in range(1, 41):
        press.stretch(at("14:00") + i * S // 4, state=series([at("14:00") + i * S // 4 - S // 4], [1]),
                      parts_total=counts, parts_good=counts)  # fmt: skip
    assert list(press.samples["oee"]) == [at("14:00") + i * S for i in range(1, 9)]
