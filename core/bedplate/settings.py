"""Types for the settings of plugins, so that the deployment file, the editor and the plugin mean the same.

A plugin's `Config` is a pydantic model; these types carry what JSON Schema alone can't say: a duration is a text such
as "250ms" in the file and seconds in Python, a calendar is a name in the file and a Calendar in Python, a tag name is
one of the asset's tags. Secrets are pydantic's SecretStr: in the file a reference, never a value.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

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


def parse_duration(text: str) -> int:
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


def _seconds(value: Any) -> Any:
    return parse_duration(value) / 1e9 if isinstance(value, str) else value


def _calendar(value: Any) -> Any:
    from bedplate.calendar import Calendar

    return Calendar.from_dict(value) if isinstance(value, dict) else value


Duration = Annotated[
    float,
    BeforeValidator(_seconds),
    PlainSerializer(lambda seconds: format_duration(round(seconds * 1e9)), when_used="json"),
    WithJsonSchema(
        {"type": "string", "x-bedplate-duration": True, "examples": ["250ms", "1s", "5min"]}
    ),
]
"""Seconds in Python, "250ms" in the file."""

TagName = Annotated[str, WithJsonSchema({"type": "string", "x-bedplate-tag": True})]
"""Name of a tag of the asset; the kernel checks that it exists and tells the analytic its full path as an input."""

CalendarName = Annotated[
    Any, BeforeValidator(_calendar), WithJsonSchema({"type": "string", "x-bedplate-calendar": True})
]
"""Name of a calendar in the file, a `bedplate.calendar.Calendar` in Python."""
