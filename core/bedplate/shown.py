"""Values, names and durations as people read them. Never for machines: those get every digit.

Rule: no character that could steer a terminal gets through.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

NONE = "–"
LONGEST = 60
FEW = 3  # names


def value_text(value: Any, states: Mapping[int, str] | None = None) -> str:
    """118, 47.3, true, running, "–" for none. Four digits that count, or one after the point from 1000 on."""
    value = value.item() if hasattr(value, "item") else value
    match value:
        case None:
            return NONE
        case bool():
            return "true" if value else "false"
        case int():
            return (states or {}).get(value, str(value))
        case float():
            return _real(value, states)
        case bytes():
            return f"{value[:16].hex(' ')}{' …' if len(value) > 16 else ''} ({len(value)} bytes)"
    return plain(str(value))


def _real(value: float, states: Mapping[int, str] | None) -> str:
    if states and value.is_integer() and int(value) in states:
        return states[int(value)]
    size = abs(value)
    if 1000 <= size < 1e15:
        return f"{value:.1f}".removesuffix(".0")
    return f"{value:.4g}"


def unit_text(unit: str) -> str:
    """1/min is read /min, as on a machine's panel."""
    return unit.removeprefix("1") if unit.startswith("1/") else unit


def with_unit(text: str, unit: str) -> str:
    return f"{text} {unit_text(unit)}" if unit else text


def plain(text: str, longest: int = LONGEST) -> str:
    """Text of a machine on one line: control characters become ·, the rest is cut when it is long."""
    safe = "".join("·" if unicodedata.category(c)[0] == "C" else c for c in text[: longest + 1])
    return safe if len(safe) <= longest else f"{safe[: longest - 1]}…"


def cells(text: str) -> int:
    """Columns of a terminal that a text takes: 2 for each wide character, 0 for a combining one."""
    marks = sum(unicodedata.combining(c) > 0 for c in text)
    return len(text) - marks + sum(unicodedata.east_asian_width(c) in "WF" for c in text)


def padded(text: str, width: int) -> str:
    return text + " " * (width - cells(text))


def some(names: Sequence[str], most: int = FEW) -> str:
    """The first few, and how many more."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def age_text(seconds: float, *, precise: bool = False) -> str:
    """0.2 s, 38 s, 2 min, 4 h 37 min, 41 d 6 h; precise: seconds beside minutes too."""
    if seconds < 9.95:
        return f"{max(0.0, seconds):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if minutes < 60:
        return _two(minutes, "min", whole % 60 if precise else 0, "s")
    if hours < 24:
        return _two(hours, "h", minutes % 60, "min")
    return _two(days, "d", hours % 24, "h")


def _two(large: int, unit: str, small: int, smaller: str) -> str:
    return f"{large} {unit} {small} {smaller}" if small else f"{large} {unit}"


def size_text(count: float) -> str:
    """512 B, 40 kB, 0.3 MB, 55.7 GB: decimal, as disks are sold."""
    if count < 1000:
        return f"{count:.0f} B"
    if count < 100_000:
        return f"{count / 1e3:.0f} kB"
    for unit, size in (("MB", 1e6), ("GB", 1e9), ("TB", 1e12)):
        if count < 1000 * size or unit == "TB":
            return (
                f"{count / size:.1f} {unit}" if count < 100 * size else f"{count / size:.0f} {unit}"
            )
    raise AssertionError
