"""Durations as people write them: "250ms", "5min". Standard library only, so that the command line can afford it."""

from __future__ import annotations

import re

UNITS_NS = {
    "ns": 1,
    "us": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "min": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
    "w": 604_800_000_000_000,
}
_DURATION = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)(ns|us|ms|s|min|h|d|w)")


def parse_duration(text: object) -> int:
    """Nanoseconds of a text such as "250ms", "1s", "1.5h". Raises ValueError that says how to write one."""
    match = _DURATION.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        raise ValueError(
            f"{text!r} is no duration; write a number and a unit: 250ms, 1s, 5min, 2h, 14d"
        )
    return round(float(match[1]) * UNITS_NS[match[2]])


def format_duration(ns: int) -> str:
    """The shortest text that means it: 250ms, 1s, 5min."""
    for unit in ("w", "d", "h", "min", "s", "ms", "us"):
        if ns and ns % UNITS_NS[unit] == 0:
            return f"{ns // UNITS_NS[unit]}{unit}"
    return f"{ns}ns"
