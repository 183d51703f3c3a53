"""Shift calendars: across midnight, across changes of the clock, on closed days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bedplate.calendar import Calendar, Shift

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = 3_600_000_000_000
MINUTE = HOUR // 60

THREE_SHIFT: dict[str, Any] = {
    "name": "three-shift",
    "timezone": "Europe/Berlin",
    "shifts": {
        "early": {
            "days": "mon-fri",
            "from": "06:00",
            "to": "14:00",
            "breaks": ["09:00-09:15", "12:00-12:30"],
        },
        "late": {
            "days": "mon-fri",
            "from": "14:00",
            "to": "22:00",
            "breaks": ["17:00-17:15", "20:00-20:30"],
        },
        "night": {"days": "sun-thu", "from": "22:00", "to": "06:00", "breaks": ["01:00-01:30"]},
    },
    "closed": ["2026-12-24/2027-01-03", "2027-05-01"],
}
PLANT = Calendar.from_dict(THREE_SHIFT)
NONSTOP = Calendar.from_dict(
    {
        "timezone": "Europe/Berlin",
        "shifts": {
            "a": {"days": "mon-sun", "from": "00:00", "to": "02:30"},
            "b": {"days": "mon-sun", "from": "02:30", "to": "15:00"},
            "c": {"days": "mon-sun", "from": "15:00", "to": "24:00"},
        },
    }
)


def ns(text: str, zone: ZoneInfo = BERLIN) -> int:
    """ns UTC of a local time "2026-03-29 03:00"."""
    moment = datetime.fromisoformat(text).replace(tzinfo=zone)
    return int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * 1_000_000_000


def name_at(calendar: Calendar, text: str) -> str | None:
    shift = calendar.shift_at(ns(text))
    return shift and shift.name


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-11-16 05:59", "night"),  # a Monday; its night began on Sunday
        ("2026-11-16 06:00", "early"),
        ("2026-11-16 14:00", "late"),
        ("2026-11-16 22:00", "night"),
        ("2026-11-17 05:59", "night"),
        ("2026-11-20 21:59", "late"),
        ("2026-11-20 22:00", None),  # Friday night is free
        ("2026-11-21 12:00", None),
        ("2026-11-22 21:59", None),
        ("2026-11-22 22:00", "night"),
        ("2026-12-24 05:59", "night"),  # the shift of the 23rd runs into the closed day
        ("2026-12-24 06:00", None),
        ("2027-01-03 23:00", None),
        ("2027-01-04 06:00", "early"),
    ],
)
def test_who_is_at_work(at: str, expected: str | None) -> None:
    assert name_at(PLANT, at) == expected


def test_a_shift_has_its_start_end_and_breaks_in_utc() -> None:
    [shift] = PLANT.shifts_between(ns("2026-11-17 00:30"), ns("2026-11-17 00:31"))

    assert shift == Shift(
        "night",
        ns("2026-11-16 22:00"),
        ns("2026-11-17 06:00"),
        ((ns("2026-11-17 01:00"), ns("2026-11-17 01:30")),),
    )


def test_the_night_of_the_clock_change_is_seven_or_nine_hours_long() -> None:
    night = {
        "timezone": "Europe/Berlin",
        "shifts": {"night": {"days": "sat", "from": "22:00", "to": "06:00"}},
    }
    calendar = Calendar.from_dict(night)
    spring, autumn, plain = (
        calendar.shift_at(ns(f"{day} 01:00")) for day in ("2026-03-29", "2026-10-25", "2026-11-01")
    )

    assert spring is not None
    assert autumn is not None
    assert plain is not None
    assert (spring.end_ns - spring.start_ns) // HOUR == 7
    assert (autumn.end_ns - autumn.start_ns) // HOUR == 9
    assert (plain.end_ns - plain.start_ns) // HOUR == 8


def test_a_time_that_is_skipped_is_the_moment_of_the_change() -> None:
    """On 2026-03-29 there is no 02:30 in Berlin: after 01:59:59 comes 03:00."""
    a, b = NONSTOP.shifts_between(ns("2026-03-29 00:00"), ns("2026-03-29 15:00"))

    assert a.end_ns == b.start_ns == ns("2026-03-29 03:00")


def test_a_time_that_comes_twice_is_the_first() -> None:
    a, b = NONSTOP.shifts_between(ns("2026-10-25 00:00"), ns("2026-10-25 15:00"))

    assert a.end_ns == b.start_ns == ns("2026-10-25 02:30")
    assert (b.end_ns - b.start_ns) // (HOUR // 2) == 27


def test_a_break_that_the_change_swallows_is_none() -> None:
    calendar = Calendar.from_dict(
        {
            "timezone": "Europe/Berlin",
            "shifts": {
                "n": {"days": "sat", "from": "22:00", "to": "06:00", "breaks": ["02:10-02:50"]}
            },
        }
    )

    spring = calendar.shift_at(ns("2026-03-29 01:00"))
    assert spring is not None
    assert spring.breaks == ()


def test_planned_time_is_shifts_without_breaks_clipped_and_joined() -> None:
    found = PLANT.planned(ns("2026-11-16 08:00"), ns("2026-11-16 18:00"))

    assert found == [
        (ns("2026-11-16 08:00"), ns("2026-11-16 09:00")),
        (ns("2026-11-16 09:15"), ns("2026-11-16 12:00")),
        (ns("2026-11-16 12:30"), ns("2026-11-16 17:00")),
        (ns("2026-11-16 17:15"), ns("2026-11-16 18:00")),
    ]


def test_a_day_may_be_skipped_altogether() -> None:
    """Samoa went from 2011-12-29 to 2011-12-31."""
    apia = ZoneInfo("Pacific/Apia")
    calendar = Calendar.from_dict(
        {
            "timezone": "Pacific/Apia",
            "shifts": {"d": {"days": "mon-sun", "from": "08:00", "to": "16:00"}},
        }
    )

    found = calendar.shifts_between(ns("2011-12-29 00:00", apia), ns("2012-01-01 00:00", apia))

    assert [shift.start_ns for shift in found] == [
        ns("2011-12-29 08:00", apia),
        ns("2011-12-31 08:00", apia),
    ]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"days": "mon", "from": "06:00", "to": "14:60"}, "'14:60' is no time of day"),
    ({"days": "mon", "from": "24:00", "to": "14:00"}, "'24:00' is no time of day"),
    ({"days": "mon", "from": "6:00", "to": "14:00"}, "'6:00' is no time of day"),
    ({"days": "mon", "from": 360, "to": "14:00"}, "'360' is no time of day"),
    ({"days": "monday", "from": "06:00", "to": "14:00"}, "'monday' is no day of the week"),
    ({"days": [], "from": "06:00", "to": "14:00"}, "names no day"),
    ({"days": 1, "from": "06:00", "to": "14:00"}, "'1' is no day of the week"),
    ({"days": "mon", "from": "06:00"}, "missing: to"),
    ({"days": "mon", "from": "06:00", "to": "14:00", "brakes": []}, "unknown: brakes"),
    (
        {"days": "mon", "from": "06:00", "to": "14:00", "breaks": ["13:50-14:10"]},
        "a break lies outside the shift",
    ),
    (
        {"days": "mon", "from": "06:00", "to": "14:00", "breaks": ["05:00-05:10"]},
        "a break lies outside the shift",
    ),
    (
        {"days": "mon", "from": "06:00", "to": "14:00", "breaks": ["09:00-09:00"]},
        "a break lies outside the shift",
    ),
    (
        {"days": "mon", "from": "06:00", "to": "14:00", "breaks": ["09:00-10:00", "09:30-11:00"]},
        "two breaks overlap",
    ),
]


@pytest.mark.parametrize(("shift", "text"), WRONG)
def test_a_shift_that_cannot_be_is_refused(shift: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        Calendar.from_dict({"shifts": {"s": shift}})


@pytest.mark.parametrize(
    "name", ["Europe/Belin", "", "../etc/passwd", "/etc/passwd", "Europe", "x" * 5000, "a\0b"]
)
def test_an_unknown_time_zone_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is no time zone"):
        Calendar("c", name)


@pytest.mark.parametrize("text", ["2026-13-01", "tomorrow", "2026-01-02/2026-01-01", "2026-01-01/"])
def test_a_closed_day_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no day|ends before"):
        Calendar.from_dict({"closed": [text]})


def test_shifts_that_overlap_are_refused_over_the_end_of_the_week_too() -> None:
    night = {"days": "sun", "from": "22:00", "to": "06:00"}
    with pytest.raises(ValueError, match="shifts night and early overlap"):
        Calendar.from_dict(
            {"shifts": {"early": {"days": "mon", "from": "05:00", "to": "13:00"}, "night": night}}
        )


def test_it_is_plain_json_and_back() -> None:
    written = PLANT.to_dict()

    assert Calendar.from_dict(written) == PLANT
    assert written["shifts"]["late"]["breaks"] == ["17:00-17:15", "20:00-20:30"]
    assert written["closed"] == ["2026-12-24/2027-01-03", "2027-05-01"]


def test_the_ends_of_time_are_no_error() -> None:
    for at in (-(2**63), 0, 2**63 - 2):
        PLANT.shift_at(at)
        PLANT.shifts_between(at, at + 1)


ZONES = st.sampled_from(
    [
        "Europe/Berlin",
        "America/New_York",
        "America/St_Johns",
        "Australia/Lord_Howe",
        "Pacific/Apia",
        "UTC",
        "Asia/Kolkata",
    ]
)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    """Calendars whose shifts fill some of a day, in quarters of an hour, and do not overlap."""
    cuts = sorted(draw(st.sets(st.integers(0, 95), min_size=2, max_size=6)))
    edges = [*cuts, cuts[0] + 96]
    days = draw(
        st.sets(st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]), min_size=1)
    )
    shifts = {}
    for n, (a, b) in enumerate(pairwise(edges)):
        clock = [f"{q % 96 // 4:02}:{q % 4 * 15:02}" for q in (a, a + 1, b)]
        shifts[f"s{n}"] = {"days": sorted(days), "from": clock[0], "to": clock[2]}
        if b - a > 1 and draw(st.booleans()):
            shifts[f"s{n}"]["breaks"] = [f"{clock[0]}-{clock[1]}"]
    closed = draw(st.lists(st.dates(date(2020, 1, 1), date(2030, 1, 1)).map(str), max_size=2))
    return Calendar.from_dict({"timezone": draw(ZONES), "shifts": shifts, "closed": closed})


# Moments around changes of the clock in Berlin, and anywhere.
CHANGES = [ns("2026-03-29 03:00"), ns("2026-10-25 02:00"), ns("2027-03-28 03:00")]
MOMENTS = st.one_of(
    st.builds(
        lambda change, minutes: change + minutes * MINUTE,
        st.sampled_from(CHANGES),
        st.integers(-3000, 3000),
    ),
    st.integers(ns("2011-12-01 00:00"), ns("2030-01-01 00:00")),
)
LENGTHS = st.integers(1, 8 * 24 * 60).map(lambda minutes: minutes * MINUTE)


@given(calendars(), MOMENTS, LENGTHS)
@example(NONSTOP, CHANGES[0] - 24 * HOUR, 48 * HOUR)
@example(NONSTOP, CHANGES[1] - 24 * HOUR, 48 * HOUR)
def test_shifts_come_in_order_overlap_nobody_and_touch_the_range(
    calendar: Calendar, start: int, length: int
) -> None:
    shifts = calendar.shifts_between(start, start + length)

    for shift in shifts:
        assert shift.start_ns < start + length
        assert shift.end_ns > start
        edges = [shift.start_ns, *(edge for pause in shift.breaks for edge in pause), shift.end_ns]
        assert edges == sorted(edges)
    for one, following in pairwise(shifts):
        assert one.end_ns <= following.start_ns


@given(calendars(), MOMENTS)
def test_the_shift_of_a_moment_is_the_one_of_its_range(calendar: Calendar, at: int) -> None:
    shift = calendar.shift_at(at)

    assert [shift] == (calendar.shifts_between(at, at + 1) or [None])
    if shift:
        assert shift.start_ns <= at < shift.end_ns
        assert calendar.shift_at(shift.start_ns) == shift
        assert calendar.shift_at(shift.end_ns - 1) == shift


@given(calendars(), MOMENTS, LENGTHS, st.floats(0, 1))
def test_planned_time_adds_up_wherever_it_is_cut(
    calendar: Calendar, start: int, length: int, where: float
) -> None:
    def total(a: int, b: int) -> int:
        return sum(end - begin for begin, end in calendar.planned(a, b))

    middle, end = start + int(length * where), start + length

    assert total(start, middle) + total(middle, end) == total(start, end)
    shifts = calendar.shifts_between(start - 3 * 24 * HOUR, end + 3 * 24 * HOUR)
    inside = sum(max(0, min(s.end_ns, end) - max(s.start_ns, start)) for s in shifts)
    paused = sum(max(0, min(b, end) - max(a, start)) for s in shifts for a, b in s.breaks)
    assert total(start, end) == inside - paused


@given(MOMENTS)
def test_a_calendar_without_gaps_has_none_on_any_day(at: int) -> None:
    """Also over changes of the clock: every moment has one shift, the day's shifts are as long as the day."""
    day = datetime.fromtimestamp(at // 1_000_000_000, BERLIN).date()
    start, end = (ns(f"{when} 00:00") for when in (day, day + timedelta(days=1)))

    assert NONSTOP.planned(start, end) == [(start, end)]
    assert NONSTOP.shift_at(at) is not None


@given(calendars())
def test_any_calendar_is_the_same_after_a_round_trip(calendar: Calendar) -> None:
    assert Calendar.from_dict(calendar.to_dict()) == calendar
