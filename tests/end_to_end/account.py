"""OEE after ISO 22400-2, once more: sample by sample, without column, state or stretch. Work is always planned."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

RUNNING = 1


def recomputed(kept: Any, machine: str, moments: Any, begin: int) -> dict[str, list[float]]:
    """kept: a Result with the inputs of a machine · moments: (n,) datetime64 at which results are wanted · begin: of
    the account, ns."""
    state, total, good, rate = (
        samples(kept[f"{machine}/{name}"])
        for name in ("state", "parts_total", "parts_good", "speed_setpoint")
    )
    columns: dict[str, list[float]] = {}
    for moment in moments.astype(np.int64).tolist():
        planned = (moment - begin) / 1e9
        run = time_in(RUNNING, state, begin, moment)
        parts, ideal = produced(total, moment, rate)
        of_them, _ = produced(good, moment, rate)
        row = {
            "planned_time": planned,
            "run_time": run,
            "total_count": parts,
            "good_count": of_them,
            "availability": run / planned,
            "performance": ideal / run if run else np.nan,
            "quality": of_them / parts if parts else np.nan,
            "oee": ideal / planned * of_them / parts if parts else 0.0,
        }
        for name, value in row.items():
            columns.setdefault(name, []).append(value)
    return columns


def samples(series: Any) -> list[tuple[int, float]]:
    return list(zip(series.time.astype(np.int64).tolist(), series.value.tolist(), strict=True))


def time_in(wanted: float, state: list[tuple[int, float]], begin: int, until: int) -> float:
    """Seconds."""
    ends = [time for time, _ in state[1:]] + [until]
    spells = zip(state, ends, strict=True)
    lengths = [min(e, until) - max(t, begin) for (t, value), e in spells if value == wanted]
    return sum(length for length in lengths if length > 0) / 1e9


def produced(
    counter: list[tuple[int, float]], until: int, rate: list[tuple[int, float]]
) -> tuple[float, float]:
    """Parts up to a moment, and the seconds that they would take at the rate (1/min) of their time."""
    parts = seconds = 0.0
    for (_, before), (time, value) in pairwise(counter):
        if time <= until and value > before:
            parts += value - before
            seconds += (value - before) * 60 / [r for t, r in rate if t <= time][-1]
    return parts, seconds
