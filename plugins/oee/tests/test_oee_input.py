"""Counters that reset, input that is Bad, labels that are wrong."""

from __future__ import annotations

from typing import Any

import jsonschema
import numpy as np
import pytest
from plugins.oee.tests.driving import BAD, CONFIG, GOOD, UNCERTAIN, Driver, S, at, series
from pydantic import ValidationError

from bedplate import DataType, Invalid
from bedplate_oee import Oee

NAN = float("nan")
RUNS = series(["14:00"], [1])


@pytest.mark.parametrize(
    ("values", "made"),
    [
        ([100, 150, 20, 60], 110),  # reset: 50 + 20 + 40
        ([100, 150, 0, 60], 110),
        ([65_530, 65_535, 4, 10], 15),  # a roll-over is a reset: the five up to it, then 4 and 6
        ([100, 150, 150, 150], 50),
        ([100.0, NAN, NAN, 160.0], 60),
        ([100, -1, 101, 102], 2),  # no count is negative
        ([7], 0),
    ],
)
def test_a_counter_counts_through_resets_and_gaps(values: list[Any], made: float) -> None:
    press = Driver()
    times = ["14:00", "14:01", "14:02", "14:03"][: len(values)]
    counts = series(times, values)
    press.stretch("14:10:02", state=RUNS, parts_total=counts, parts_good=counts)
    assert press.value("total_count", "14:10") == press.value("good_count", "14:10") == made


@pytest.mark.parametrize("quality", [BAD, UNCERTAIN])
def test_a_bad_count_counts_nothing_and_marks_what_rests_on_it(quality: int) -> None:
    press = Driver()
    total = series(["14:00", "14:01", "14:02"], [0, 60, 0], [GOOD, GOOD, quality])
    press.stretch(
        "14:03:02", state=RUNS, parts_total=total, parts_good=series(["14:00", "14:01"], [0, 60])
    )
    assert press.value("total_count", "14:03") == 60
    found = {
        kpi: press.quality(kpi, "14:03") >> 30
        for kpi in ("availability", "performance", "quality", "oee")
    }
    assert found == {"availability": 0, "performance": 1, "quality": 1, "oee": 1}
    press.stretch("14:04:02", parts_total=series(["14:03:30"], [210]))
    assert press.value("total_count", "14:04") == 210
    assert press.quality("performance", "14:04") == 0


@pytest.mark.parametrize("quality", [BAD, UNCERTAIN])
def test_time_with_an_unknown_state_is_planned_but_not_run_and_says_so(quality: int) -> None:
    press = Driver()
    state = series(["14:00", "14:10", "14:20"], [1, 1, 1], [GOOD, quality, GOOD])
    counts = series(["14:00", "14:25"], [0, 1500])
    press.stretch("14:30:02", state=state, parts_total=counts, parts_good=counts)
    assert press.value("unknown_time", "14:30") == 600
    assert press.value("availability", "14:30") == pytest.approx(2 / 3)
    assert press.quality("availability", "14:30") == 0x40950000
    assert press.value("oee", "14:30") == pytest.approx(1500 / 1800), (
        "the counter knows what was made"
    )


def test_a_blink_of_unknown_state_does_not_mark_a_whole_shift() -> None:
    press = Driver()
    state = series(["14:00", "14:10", "14:10:01"], [1, 1, 1], [GOOD, BAD, GOOD])
    counts = series(["14:00"], [0])
    press.stretch("14:30:02", state=state, parts_total=counts, parts_good=counts)
    assert press.value("unknown_time", "14:30") == 1
    assert press.quality("availability", "14:30") == 0


def test_more_good_parts_than_parts_is_shown_and_marked() -> None:
    press = Driver()
    total, good = series(["14:00", "14:01"], [0, 10]), series(["14:00", "14:01"], [0, 12])
    press.stretch("14:02:02", state=RUNS, parts_total=total, parts_good=good)
    assert press.value("quality", "14:02") == 1.2
    assert press.quality("quality", "14:02") == press.quality("oee", "14:02") == 0x40940000


def test_late_and_repeated_samples_change_nothing() -> None:
    press, other = Driver(), Driver()
    start = at("14:00")
    ordinary = series([start, start + 10 * S, start + 20 * S], [0, 10, 20])
    with_late = series(
        [start, start + 10 * S, start + 4 * S, start + 10 * S, start + 20 * S],
        [0, 10, 4, 10, 20],
        received=[start + i * S for i in (0, 10, 10, 11, 20)],
    )
    for one, counts in ((press, ordinary), (other, with_late)):
        one.stretch("14:01:02", state=RUNS, parts_total=counts, parts_good=counts)
    assert press.samples == other.samples


def test_states_may_be_numbers_labels_or_texts() -> None:
    results = []
    for labels, running, values in (
        ({1: "running", 0: "off"}, ["running"], [1, 0]),
        (None, [1], [1.0, 0.0]),
        (None, [1], [True, False]),
        (None, ["running"], ["running", "off"]),
    ):
        press = Driver(labels, running=running)
        counts = series(["14:00"], [0])
        press.stretch(
            "14:10:02",
            state=series(["14:00", "14:05"], values),
            parts_total=counts,
            parts_good=counts,
        )
        results.append(press.value("availability", "14:10"))
        assert press.notes == []
    assert results == [0.5] * 4


def test_a_label_for_numbers_without_labels_is_told_once() -> None:
    press = Driver(None)
    for minute in ("14:00", "14:01"):
        press.stretch(f"{minute}:30", state=series([minute], [1]))
    (note,) = press.notes
    assert "has no `states:`" in note


@pytest.mark.parametrize("setting", ["running", "planned_stops"])
def test_a_state_that_the_tag_does_not_have_is_refused_with_those_it_has(setting: str) -> None:
    with pytest.raises(
        Invalid, match="no state 'runing'; it has stopped, running, idle, fault, setup"
    ) as caught:
        Driver(**{setting: ["runing"]})
    assert caught.value.pointer == f"/{setting}"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"running": []}, "at least 1"),
        ({"ideal_rate": 0}, "greater than 0"),
        ({"ideal_rate": {"tag": "x", "unit": "1/h"}}, "unit"),
        ({"planned_stops": ["running"]}, "running can't be both"),
        ({"every": "100ms"}, "at least 1s"),
        ({"runing": [1]}, "runing"),
    ],
)
def test_wrong_settings_are_refused_in_words(change: Any, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Oee.Config.model_validate(CONFIG | change)


def test_the_schema_takes_the_file_and_marks_tags_and_calendar_for_the_kernel() -> None:
    schema = Oee.Config.model_json_schema()
    for rate in ({"tag": "speed_setpoint"}, 60):
        jsonschema.validate(CONFIG | {"calendar": "three-shift", "ideal_rate": rate}, schema)
    marked = {name for name, one in schema["properties"].items() if one.get("x-bedplate-tag")}
    assert marked == {"state", "total", "good"}
    assert schema["$defs"]["IdealRate"]["properties"]["tag"]["x-bedplate-tag"] is True
    assert schema["properties"]["calendar"]["x-bedplate-calendar"] is True


def test_a_calendar_that_was_not_resolved_is_refused() -> None:
    with pytest.raises(Invalid, match="calendar"):
        Driver(calendar="three-shift")


def test_outputs_are_named_typed_and_described() -> None:
    outputs = Driver().outputs
    assert outputs["oee"].data_type == DataType.FLOAT64
    assert outputs["shift"].data_type == DataType.TEXT
    assert outputs["run_time"].unit == "s"
    assert all(output.description for output in outputs.values())


@pytest.mark.parametrize("state", [b"", b"{", b"[]", b'{"version":9}', b'{"version":1}'])
def test_a_state_that_cannot_be_read_is_refused_in_words(state: bytes) -> None:
    with pytest.raises(Invalid, match="acme/press"):
        Driver().object.restore(state)


def test_a_day_of_samples_is_taken_at_once() -> None:
    press = Driver()
    start, n = at("06:00"), 16 * 3600
    beat = start + np.arange(n) * S
    counts = series(beat, np.arange(n))
    press.stretch(
        start + 17 * 3600 * S, state=series(beat, np.ones(n)), parts_total=counts, parts_good=counts
    )
    assert press.value("performance", "14:00") == pytest.approx(8 / 7)
