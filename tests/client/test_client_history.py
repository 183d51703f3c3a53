"""Questions about the past: what goes out, what comes back, as which tables."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from tests.client.plant import CURRENT, NOW, TAGS, Plant, S, history_page, message, samples

from bedplate.api.v1 import api_pb2
from bedplate.client import Client
from bedplate.connector.v1 import connector_pb2
from bedplate.wire import tag_message

POWER, STATE, ORDER = TAGS[0], TAGS[1], TAGS[2]


def library(name: str) -> Any:
    """A library that users may have: missing it is a gap at a desk and a fault in CI."""
    if os.environ.get("CI"):
        return __import__(name)
    return pytest.importorskip(name)


def asked(plant: Plant) -> tuple[int, int]:
    request = plant.requests[-1]
    return getattr(request, "from"), request.to


def page(*batches: Any) -> api_pb2.QueryResponse:
    return api_pb2.QueryResponse(
        tags=map(tag_message, TAGS), batches=map(message, batches), progress=1.0
    )


def test_a_question_without_a_range_is_about_the_last_ten_minutes(
    client: Client, plant: Plant
) -> None:
    client.history("filler/power")
    assert asked(plant) == (NOW - 600 * S, 0)


@pytest.mark.parametrize("last", ["5min", "5m", "300s", timedelta(minutes=5)])
def test_a_duration_may_be_written_in_several_ways(
    client: Client, plant: Plant, last: str | timedelta
) -> None:
    client.history("**", last=last)
    assert asked(plant) == (NOW - 300 * S, 0)


@pytest.mark.parametrize(
    "start",
    [
        "2025-11-19T01:00:00Z",
        "2025-11-19T02:00+01:00",
        datetime(2025, 11, 19, 1, tzinfo=UTC),
        np.datetime64("2025-11-19T01:00"),
        NOW - (47 * 60 + 10) * S,
    ],
)
def test_a_moment_may_be_written_in_several_ways(client: Client, plant: Plant, start: Any) -> None:
    client.history("**", start=start, last="10min")
    begin = NOW - (47 * 60 + 10) * S
    assert asked(plant) == (begin, begin + 600 * S)


def test_a_time_of_day_is_of_today_on_this_machine(client: Client, plant: Plant) -> None:
    client.history("**", start="00:00", end="00:01")
    begin, end = asked(plant)
    midnight = datetime.fromtimestamp(NOW / 1e9).astimezone().replace(hour=0, minute=0, second=0)
    assert (begin, end - begin) == (round(midnight.timestamp()) * S, 60 * S)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"last": "5"}, "a number and a unit"),
        ({"last": 5}, "write 5s or 5min"),
        ({"every": "0s"}, "no time at all"),
        ({"start": "tomorrow"}, "is no time"),
        ({"start": "06:00", "end": "05:00"}, "the range is empty"),
        ({"last": "1h", "start": "06:00", "end": "07:00"}, "say too much"),
        ({"agg": "median"}, "there are average, minimum"),
        ({"every": "1s", "points": 5}, "leave one of them out"),
        ({"limit": 0}, "limit must be at least 1"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_is_sent(
    client: Client, plant: Plant, arguments: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        client.history("**", **arguments)
    assert not plant.requests


def test_a_list_of_selectors_must_be_unpacked(client: Client) -> None:
    with pytest.raises(TypeError, match="unpacks a list"):
        client.history(["a", "b"])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, connector_pb2.AGGREGATE_UNSPECIFIED),
        ({"every": "10s"}, connector_pb2.AGGREGATE_AVERAGE),
        ({"points": 100}, connector_pb2.AGGREGATE_AVERAGE),
        ({"agg": "max"}, connector_pb2.AGGREGATE_MAXIMUM),
        ({"agg": "Count", "every": "1h"}, connector_pb2.AGGREGATE_COUNT),
    ],
)
def test_windows_mean_averages_unless_something_else_is_said(
    client: Client, plant: Plant, arguments: dict[str, Any], expected: int
) -> None:
    client.history("**", **arguments)
    assert plant.requests[-1].aggregate == expected


def test_pages_of_one_answer_become_one_series_per_tag(client: Client, plant: Plant) -> None:
    plant.pages = [
        page(samples([1, 1, 4], [NOW, NOW + S, NOW], [1.0, 2.0, 9.0])),
        page(samples([1], [NOW + 2 * S], [3.0])),
    ]
    power = client.history("**")["line1/filler/power"]
    assert power.value.tolist() == [1.0, 2.0, 3.0]
    assert power.time.tolist() == [NOW, NOW + S, NOW + 2 * S]
    assert power.time.dtype == "datetime64[ns]"
    assert (power.unit, len(power), power.good.all()) == ("kW", 3, True)


def test_a_result_is_a_mapping_that_knows_unique_tails(client: Client) -> None:
    result = client.history()
    assert list(result) == sorted(tag.path for tag in TAGS)
    assert result["filler/power"] is result["line1/filler/power"]
    assert "filler/power" in result
    assert "power" not in result
    with pytest.raises(TypeError, match="asked for by path"):
        result[0]  # type: ignore[index]
    with pytest.raises(KeyError, match="power names 2 of the 6 tags"):
        result["power"]


def test_a_tag_without_samples_is_there_and_empty(client: Client, plant: Plant) -> None:
    plant.pages = [page()]
    result = client.history()
    assert (len(result), result.samples) == (6, 0)
    assert result["filler/power"].value.dtype == np.float64
    assert len(result.to_numpy()) == 0


def test_a_tag_that_changed_its_type_keeps_every_value(client: Client, plant: Plant) -> None:
    changed = api_pb2.QueryResponse(
        tags=[tag_message(POWER), record_tag(8)],
        batches=[
            message(samples([1], [NOW], [1.5])),
            message(samples([8], [NOW + S], np.array([7]))),
        ],
    )
    plant.pages = [changed]
    assert client.history()["filler/power"].value.tolist() == [1.5, 7.0]


def record_tag(handle: int) -> Any:
    tag = tag_message(POWER)
    tag.handle, tag.data_type = handle, 2
    return tag


def test_numpy_gets_one_record_array_by_path_then_time(client: Client, plant: Plant) -> None:
    plant.pages = [history_page([POWER, TAGS[3]], 3)]
    table = client.history("**/power").to_numpy()
    assert table.dtype.names == ("path", "time", "value", "quality")
    assert table.dtype["value"] == np.float64
    assert table.path.tolist() == ["line1/capper/power"] * 3 + ["line1/filler/power"] * 3
    assert table[table.path == "line1/filler/power"].value.mean() == pytest.approx(12.4)
    assert str(table).count("\n") == 5


def test_whole_numbers_stay_whole_when_nothing_else_is_among_them(
    client: Client, plant: Plant
) -> None:
    plant.pages = [page(samples([2], [NOW], np.array([2**62 + 1])))]
    assert client.history("filler/state").to_numpy().value.tolist() == [2**62 + 1]


def test_arrow_keeps_numbers_and_texts_apart(client: Client, plant: Plant) -> None:
    pyarrow = library("pyarrow")
    plant.pages = [history_page([POWER, ORDER], 2)]
    table = client.history().to_arrow()
    assert table.schema.field("time").type == pyarrow.timestamp("ns", "UTC")
    assert table["path"].to_pylist() == ["line1/filler/order_id"] * 2 + ["line1/filler/power"] * 2
    assert table["value"].to_pylist() == [None, None, 12.4, 12.4]
    assert table["text"].to_pylist() == ["A-17", "A-17", None, None]


def test_pandas_gets_a_long_or_a_wide_frame(client: Client, plant: Plant) -> None:
    library("pandas")
    plant.pages = [history_page([POWER, TAGS[3]], 2)]
    long = client.history().to_pandas()
    assert list(long.columns) == ["path", "time", "value", "quality"]
    assert str(long["time"].dtype) == "datetime64[ns, UTC]"
    wide = client.history().to_pandas(wide=True)
    assert list(wide.columns) == ["line1/capper/power", "line1/filler/power"]
    assert wide["line1/filler/power"].tolist() == [12.4, 12.4]


@pytest.mark.parametrize(("method", "extra"), [("to_pandas", "pandas"), ("to_arrow", "arrow")])
def test_a_library_that_is_missing_is_named_with_its_extra(
    client: Client, monkeypatch: pytest.MonkeyPatch, method: str, extra: str
) -> None:
    for name in ("pandas", "pyarrow"):
        monkeypatch.setitem(__import__("sys").modules, name, None)
    with pytest.raises(ImportError, match=rf"pip install bedplate\[{extra}\]"):
        getattr(client.history(), method)()


def test_a_result_shows_itself_as_a_small_table(client: Client, plant: Plant) -> None:
    plant.pages = [history_page([STATE, TAGS[5]], 3)]
    assert repr(client.history()).splitlines() == [
        "2 tags, 6 samples, 2025-11-19 01:37:10 to 2025-11-19 01:37:12 UTC",
        "  line1/Abfüller/温度        3  47.3 °C",
        "  line1/filler/state         3  running",
    ]


def test_progress_is_told_as_the_answer_comes(client: Client, plant: Plant) -> None:
    plant.pages = [history_page([POWER], 1, progress) for progress in (0.25, 0.5, 1.0)]
    told: list[float] = []
    client.history("**", progress=told.append)
    assert told == [0.25, 0.5, 1.0]


def test_a_long_answer_may_be_taken_page_by_page(client: Client, plant: Plant) -> None:
    plant.pages = [history_page([POWER], 2, progress) for progress in (0.5, 1.0)]
    pages = list(client.history_pages("**", last="1h"))
    assert [(page.progress, page.samples) for page in pages] == [(0.5, 2), (1.0, 2)]


def test_current_values_come_as_a_result_with_one_sample_each(client: Client) -> None:
    result = client.current("filler")
    values = {path.rpartition("/")[2]: s.value.tolist() for path, s in result.items()}
    assert values == {"power": [12.4], "state": [1], "order_id": ["A-17"]}
    assert CURRENT[1] == 12.4
