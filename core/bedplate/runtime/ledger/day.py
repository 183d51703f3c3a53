"""Where a day begins in a time zone, for what is counted since then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def begin_of_day(at_ns: int, where: ZoneInfo) -> int:
    """ns UTC of the local midnight at or before a moment."""
    local = (_EPOCH + timedelta(microseconds=at_ns // 1000)).astimezone(where)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    return (midnight.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1) * 1000
