"""Which time a question is about: from the words of a person to nanoseconds UTC.

Moments without an offset mean the local time of this machine. Numbers alone are nanoseconds since 1970 UTC for a
moment, and refused for a duration: nobody can tell ms from s.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

import numpy as np

from bedplate.duration import parse_duration

Moment = datetime | np.datetime64 | str | int
Length = timedelta | str

DEFAULT_LAST = "10min"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTES = re.compile(r"\s*([\d.]+)m\s*$")  # 10m; the field's word is 10min


@dataclass(frozen=True, slots=True)
class Span:
    """start (inclusive), end (exclusive): ns UTC; 0: the beginning, or now."""

    start: int
    end: int


def span(now: int, last: Length | None, start: Moment | None, end: Moment | None) -> Span:
    """The range that last, start and end name; without any of them the last 10 minutes before now.

    last with start goes on from it, last with end reaches back from it. Raises ValueError when all three are given, or
    one can't be read.
    """
    if last is not None and start is not None and end is not None:
        raise ValueError("last, start and end say too much; leave one of them out")
    if last is None and start is None and end is None:
        last = DEFAULT_LAST
    begin = 0 if start is None else moment(start, now)
    finish = 0 if end is None else moment(end, now)
    if last is not None:
        width = length(last)
        begin, finish = (
            (begin, begin + width) if start is not None else (_before(finish or now, width), finish)
        )
    if finish and begin >= finish:
        raise ValueError("the range is empty: its start must be before its end")
    return Span(begin, finish)


def _before(end: int, width: int) -> int:
    return max(1, end - width)


def length(value: Length) -> int:
    """Nanoseconds of a timedelta, "10s", "5min", or "5m". Raises ValueError."""
    if isinstance(value, timedelta):
        ns = value // timedelta(microseconds=1) * 1000
    elif isinstance(value, str):
        ns = parse_duration(_MINUTES.sub(r"\1min", value))
    else:
        raise ValueError(f"{value!r} has no unit; write {value}s or {value}min")
    if ns <= 0:
        raise ValueError(f"{value!r} is no time at all")
    return ns


def moment(value: Moment, now: int) -> int:
    """Nanoseconds since 1970 UTC of a datetime, a datetime64 (UTC), ISO text, "06:00" (today), or ns.

    Raises ValueError for anything else.
    """
    match value:
        case str():
            return _ns(_read(value, now))
        case datetime():
            return _ns(value)
        case np.datetime64():
            return int(value.astype("datetime64[ns]").astype(np.int64))
        case int():
            return value
    raise ValueError(f"{value!r} is no time; write 2026-11-19T06:00 or 06:00")


def deadline(value: Moment | Length, now: int) -> int:
    """Nanoseconds since 1970 UTC of what lies ahead: a duration from now, "06:00" the next time that it is so, a date
    its beginning, or any moment. Raises ValueError for what is neither, or over."""
    if isinstance(value, timedelta):
        return now + length(value)
    try:
        at = moment(value, now)
    except ValueError:
        return now + _ahead(value)
    if at <= now and isinstance(value, str) and _is_clock(value):
        today = datetime.fromtimestamp(now / 1e9).date()
        at = _ns(datetime.combine(today + timedelta(days=1), time.fromisoformat(value.strip())))
    if at <= now:
        raise ValueError(f"{value!r} is over; write 06:00, 8h or 2026-11-20T06:00")
    return at


def _ahead(value: Moment) -> int:
    try:
        return length(str(value))
    except ValueError:
        raise ValueError(
            f"{value!r} is no time ahead; write 06:00, 8h or 2026-11-20T06:00"
        ) from None


def _is_clock(text: str) -> bool:
    try:
        time.fromisoformat(text.strip())
    except ValueError:
        return False
    return True


def _read(text: str, now: int) -> datetime:
    text = text.strip()
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    try:
        clock = time.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is no time; write 2026-11-19T06:00, 2026-11-19 or 06:00"
        ) from None
    today = datetime.fromtimestamp(now / 1e9, clock.tzinfo).date()
    return datetime.combine(today, clock)


def _ns(value: datetime) -> int:
    aware = value if value.tzinfo else value.astimezone()
    whole = (aware - _EPOCH) // timedelta(microseconds=1) * 1000
    return whole + int(getattr(value, "nanosecond", 0))  # a pandas Timestamp has them
