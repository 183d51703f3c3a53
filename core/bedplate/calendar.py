"""Shift calendars: when work is planned, in local time, across midnight and changes of the clock.

Owns the arithmetic only. Times go in and out as int64 ns since 1970 UTC, intervals are [start, end). A shift belongs
to the local day on which it starts (the production day), so a closed day removes the shifts that start on it and leaves
alone the night shift that runs into it. Local times that a change of the clock skips mean the moment of the change;
times that occur twice mean the first. It reads no clock and no file but the time zone database.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = 24 * 60
WEEK = 7 * DAY
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = date(1, 1, 8), date(9999, 12, 24)


@dataclass(frozen=True, slots=True)
class Shift:
    """One shift of one day, [start_ns, end_ns) in ns since 1970 UTC. breaks: the same, within it and in order."""

    name: str
    start_ns: int
    end_ns: int
    breaks: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class ShiftPattern:
    """A shift as it is written down. days: 0 is Monday, the local day on which it starts · start: minutes after local
    midnight · length: minutes on the wall clock, at most a day · breaks: minutes after the start.

    Raises ValueError when a break lies outside the shift or two of them overlap.
    """

    name: str
    days: tuple[int, ...]
    start: int
    length: int
    breaks: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        before = 0
        for begin, end in sorted(self.breaks):
            if begin >= end or end > self.length:
                raise ValueError("a break lies outside the shift")
            if begin < before:
                raise ValueError("two breaks overlap")
            before = end

    @classmethod
    def parse(cls, name: str, written: Mapping[str, Any]) -> ShiftPattern:
        """{days: mon-fri | [mon, wed], from: 22:00, to: 06:00, breaks: [01:00-01:30]}; `to` may be 24:00, and equal
        to `from` it means a whole day. Raises ValueError in words for people."""
        if unknown := set(written) - {"days", "from", "to", "breaks"}:
            raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
        if missing := {"days", "from", "to"} - set(written):
            raise ValueError(f"missing: {', '.join(sorted(missing))}")
        start = _minutes(written["from"])
        length = (_minutes(written["to"], last=True) - start) % DAY or DAY
        breaks = []
        for text in written.get("breaks", ()):
            begin, _, end = str(text).partition("-")
            offset = (_minutes(begin) - start) % DAY
            breaks.append((offset, offset + (_minutes(end, last=True) - _minutes(begin)) % DAY))
        return cls(name, _days(written["days"]), start, length, tuple(sorted(breaks)))

    def to_dict(self) -> dict[str, Any]:
        """What `parse` reads."""
        whole = {
            "days": [WEEKDAYS[day] for day in self.days],
            "from": _clock(self.start),
            "to": _clock(self.start + self.length),
        }
        pauses = [f"{_clock(self.start + a)}-{_clock(self.start + b)}" for a, b in self.breaks]
        return whole | ({"breaks": pauses} if pauses else {})

    def week(self) -> Iterator[tuple[int, int]]:
        """Its intervals of a week, in minutes after Monday 00:00; the last may run beyond the week."""
        for day in self.days:
            yield day * DAY + self.start, day * DAY + self.start + self.length


@dataclass(frozen=True, slots=True)
class Calendar:
    """Shifts that repeat every week, and the days without them.

    timezone: IANA name ("Europe/Berlin") · closed: first and last day, both included. Raises ValueError when two shifts
    overlap or the time zone is unknown.
    """

    name: str
    timezone: str
    shifts: tuple[ShiftPattern, ...] = ()
    closed: tuple[tuple[date, date], ...] = ()

    def __post_init__(self) -> None:
        zone(self.timezone)
        week = sorted((a, b, shift.name) for shift in self.shifts for a, b in shift.week())
        again = [(a + WEEK, b + WEEK, name) for a, b, name in week[:1]]
        for (_, end, name), (start, _, following) in zip(week, week[1:] + again, strict=True):
            if start < end:
                raise ValueError(f"shifts {name} and {following} overlap")

    @classmethod
    def from_dict(cls, written: Mapping[str, Any], name: str = "") -> Calendar:
        """{timezone: …, shifts: {early: {…}}, closed: [2026-12-24/2027-01-03]}. Raises ValueError."""
        shifts = written.get("shifts", {})
        return cls(
            str(written.get("name", name)),
            str(written.get("timezone", "UTC")),
            tuple(ShiftPattern.parse(shift, shifts[shift]) for shift in shifts),
            tuple(parse_closed(text) for text in written.get("closed", ())),
        )

    def to_dict(self) -> dict[str, Any]:
        """What `from_dict` reads: plain JSON."""
        return {
            "name": self.name,
            "timezone": self.timezone,
            "shifts": {shift.name: shift.to_dict() for shift in self.shifts},
            "closed": [f"{a}" if a == b else f"{a}/{b}" for a, b in self.closed],
        }

    def shifts_between(self, start_ns: int, end_ns: int) -> list[Shift]:
        """Every shift that has some of [start_ns, end_ns), whole, by start. Work grows with the number of days."""
        if end_ns <= start_ns:
            return []
        where = zone(self.timezone)
        day, last = _local_day(start_ns, where), _local_day(end_ns - 1, where)
        day = max(_FIRST, day - timedelta(days=2))
        found: list[Shift] = []
        while day <= min(last, _LAST):
            found += self._of_day(day, where)
            day += timedelta(days=1)
        inside = [shift for shift in found if shift.end_ns > start_ns and shift.start_ns < end_ns]
        return sorted(inside, key=lambda shift: shift.start_ns)

    def shift_at(self, at_ns: int) -> Shift | None:
        """The shift at work at a moment (its breaks count), or None."""
        return next(iter(self.shifts_between(at_ns, at_ns + 1)), None)

    def planned(self, start_ns: int, end_ns: int) -> list[tuple[int, int]]:
        """Planned working time within [start_ns, end_ns), by start: shifts without breaks, adjacent ones joined."""
        whole: list[tuple[int, int]] = []
        for shift in self.shifts_between(start_ns, end_ns):
            edges = [
                shift.start_ns,
                *(edge for pause in shift.breaks for edge in pause),
                shift.end_ns,
            ]
            for a, b in zip(edges[::2], edges[1::2], strict=True):
                begin, end = max(a, start_ns), min(b, end_ns)
                if begin >= end:
                    continue
                if whole and whole[-1][1] == begin:
                    begin = whole.pop()[0]
                whole.append((begin, end))
        return whole

    def _of_day(self, day: date, where: ZoneInfo) -> Iterator[Shift]:
        if any(first <= day <= last for first, last in self.closed):
            return
        for shift in self.shifts:
            if day.weekday() not in shift.days:
                continue
            start, end = (
                _instant(day, at, where) for at in (shift.start, shift.start + shift.length)
            )
            pauses = [
                (_instant(day, shift.start + a, where), _instant(day, shift.start + b, where))
                for a, b in shift.breaks
            ]
            if start < end:
                yield Shift(shift.name, start, end, tuple((a, b) for a, b in pauses if a < b))


def zone(name: str) -> ZoneInfo:
    """The time zone of that name. Raises ValueError when there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"{name[:60]!r} is no time zone, such as Europe/Berlin") from error


def parse_closed(text: object) -> tuple[date, date]:
    """ "2026-12-24" or "2026-12-24/2027-01-03", both days included. Raises ValueError."""
    first, slash, last = str(text).partition("/")
    try:
        days = date.fromisoformat(first), date.fromisoformat(last if slash else first)
    except ValueError:
        raise ValueError(
            f"{str(text)[:40]!r} is no day, such as 2026-12-24 or 2026-12-24/2027-01-03"
        ) from None
    if days[0] > days[1]:
        raise ValueError(f"{text} ends before it begins")
    return days


def _days(written: object) -> tuple[int, ...]:
    """ "mon-fri", "sun-thu", "sat", or a list of such; sorted, each once."""
    days: set[int] = set()
    for part in written if isinstance(written, list | tuple) else [written]:
        first, dash, last = str(part).partition("-")
        if first not in WEEKDAYS or (dash and last not in WEEKDAYS):
            raise ValueError(
                f"{str(part)[:40]!r} is no day of the week, such as mon, mon-fri or [mon, wed]"
            )
        a = WEEKDAYS.index(first)
        b = WEEKDAYS.index(last) if dash else a
        days |= {(a + n) % 7 for n in range((b - a) % 7 + 1)}
    if not days:
        raise ValueError("names no day")
    return tuple(sorted(days))


def _minutes(written: object, *, last: bool = False) -> int:
    """Minutes after midnight of "06:00"; 24:00 only where something ends."""
    match = re.fullmatch(r"([01][0-9]|2[0-4]):([0-5][0-9])", str(written), re.ASCII)
    minutes = int(match[1]) * 60 + int(match[2]) if match else DAY + 1
    if minutes > DAY or (minutes == DAY and not last):
        raise ValueError(f"{str(written)[:40]!r} is no time of day, such as 06:00")
    return minutes


def _clock(minutes: int) -> str:
    return f"{minutes % DAY // 60:02}:{minutes % 60:02}"


def local(at_ns: int, where: tzinfo) -> datetime:
    """A moment (ns since 1970 UTC) as clocks there show it. Raises OverflowError beyond the years 1 to 9999."""
    return (_EPOCH + timedelta(microseconds=at_ns // 1000)).astimezone(where)


def _local_day(at_ns: int, where: ZoneInfo) -> date:
    """The local day of a moment; the first or last there is when it is further away."""
    try:
        return local(at_ns, where).date()
    except OverflowError:
        return _FIRST if at_ns < 0 else _LAST


def _instant(day: date, minutes: int, where: ZoneInfo) -> int:
    """ns since 1970 UTC of a local time. One that is skipped is the moment of the change, one that comes twice the
    first; so it never decreases as the wall clock goes on."""
    naive = datetime(day.year, day.month, day.day) + timedelta(minutes=minutes)
    local = naive.replace(tzinfo=where)
    moment = local.astimezone(UTC)
    if moment.astimezone(where).replace(tzinfo=None) != naive:
        moment = _change(local.replace(fold=1).astimezone(UTC), moment, where)
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000


def _change(before: datetime, after: datetime, where: ZoneInfo) -> datetime:
    """The moment between two others at which the clock changes, to the second."""
    offset = before.astimezone(where).utcoffset()
    seconds = int((after - before).total_seconds())
    low, high = 0, seconds
    while high - low > 1:
        middle = (low + high) // 2
        same = (before + timedelta(seconds=middle)).astimezone(where).utcoffset() == offset
        low, high = (middle, high) if same else (low, middle)
    return before + timedelta(seconds=high)
