"""Until when, in the words of people."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from bedplate.client.span import deadline

NIGHT = datetime(2026, 11, 19, 1, 47, tzinfo=UTC)  # 02:47 in Berlin
SUNDAY = datetime(2026, 10, 24, 20, 0, tzinfo=UTC)  # clocks go back in the night that follows


@pytest.fixture(autouse=True)
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("now", "said", "meant"),
    [
        (NIGHT, "06:00", "2026-11-19T05:00"),  # today
        (NIGHT, "02:00", "2026-11-20T01:00"),  # tomorrow
        (NIGHT, "8h", "2026-11-19T09:47"),
        (NIGHT, timedelta(minutes=90), "2026-11-19T03:17"),
        (NIGHT, "2026-11-23", "2026-11-22T23:00"),
        (NIGHT, "2026-11-23T06:00", "2026-11-23T05:00"),
        (NIGHT, "2026-11-23T06:00Z", "2026-11-23T06:00"),
        (SUNDAY, "06:00", "2026-10-25T05:00"),  # by the clock on the wall
    ],
)
def test_a_time_ahead_is_read_as_people_mean_it(now: datetime, said: str, meant: str) -> None:
    at = deadline(said, round(now.timestamp() * 1e9))
    assert f"{datetime.fromtimestamp(at / 1e9, UTC):%Y-%m-%dT%H:%M}" == meant


@pytest.mark.parametrize("said", ["", "6", "soon", "-8h", "0s", "2026-11-19T02:00", "2020-01-01"])
def test_what_is_over_or_no_time_is_refused_with_how_to_write_it(said: str) -> None:
    with pytest.raises(ValueError, match="write 06:00, 8h or 2026-11-20T06:00"):
        deadline(said, round(NIGHT.timestamp() * 1e9))
