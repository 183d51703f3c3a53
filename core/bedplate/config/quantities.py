"""Durations and sizes as they are written: "250ms", "14d", "40GB". Never a bare number: nobody can tell ms from s.

`duration` reads what `bedplate.settings.parse_duration` reads; a test holds the two together. Here the words go on from
the value, which the caller shows in his own way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from bedplate.settings import UNITS_NS

_BYTES = {
    **{unit: 1000**n for n, unit in enumerate(("B", "kB", "MB", "GB", "TB"))},
    **{unit: 1024**n for n, unit in enumerate(("KiB", "MiB", "GiB", "TiB"), start=1)},
}
_QUANTITY = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)([A-Za-z]{1,3})", re.ASCII)


def duration(written: object) -> int:
    """ns of "250ms", "1.5s", "5min", "2h", "14d". Raises ValueError; its text goes on from the value."""
    return _parse(written, UNITS_NS, "duration, such as 250ms, 1s, 5min, 2h or 14d", "s", "ms")


def size(written: object) -> int:
    """Bytes of "40GB", "512MiB". Raises ValueError; its text goes on from the value."""
    return _parse(written, _BYTES, "size, such as 500MB or 40GB", "GB", "MB")


def rate(written: object) -> tuple[int, int]:
    """How often in how many ns: "6/min" is (6, 60 s). Raises ValueError; its text goes on from the value."""
    match = re.fullmatch(r"([1-9][0-9]{0,8})/(s|min|h|d)", str(written), re.ASCII)
    if not match:
        raise ValueError("is no rate, such as 6/min or 20/h")
    return int(match[1]), UNITS_NS[match[2]]


def _parse(written: object, units: dict[str, int], what: str, *hints: str) -> int:
    if isinstance(written, int | float) and not isinstance(written, bool):
        raise ValueError(f"has no unit: write {' or '.join(f'{written}{unit}' for unit in hints)}")
    match = _QUANTITY.fullmatch(written) if isinstance(written, str) else None
    if not match or match[2] not in units:
        raise ValueError(f"is no {what}")
    whole = int(Decimal(match[1]) * units[match[2]])
    if whole >= 1 << 63:
        raise ValueError("is too large")
    return whole


def fields(written: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping that fits its schema as the fields of a dataclass: durations as `word_ns`, sizes as `word_bytes`, rates
    parsed, lists as tuples."""
    found: dict[str, Any] = {}
    for word, value in written.items():
        marks = schema["properties"][word]
        if "x-bedplate-duration" in marks:
            found[f"{word}_ns"] = duration(value)
        elif "x-bedplate-size" in marks:
            found[f"{word}_bytes"] = size(value)
        elif "x-bedplate-rate" in marks:
            found[word] = rate(value)
        else:
            found[word] = tuple(value) if isinstance(value, list) else value
    return found
