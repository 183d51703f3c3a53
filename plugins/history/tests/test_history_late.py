"""Rows that come long after their time, from a source's own history: in their place in every answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from plugins.history.tests.driving import (
    Journal,
    asked,
    deliver,
    expected,
    opened,
    same,
    sealed,
)

from bedplate.contracts import Aggregate
from bedplate.model import DataType
from bedplate.model.batch import Flag
from bedplate_history import History

KEY = ("a", DataType.FLOAT64)


def filled(folder: Path, *, hold: bool) -> tuple[History, Journal]:
    """Live 0 to 99 and 300 to 399; what lies between comes last, in two records. hold: it stays in memory."""
    history, journal = opened(folder, seal={"rows": 50, "age": "1h" if hold else "50ms"}), Journal()
    for first in (0, 300):
        journal.batch(["a"] * 100, [*range(first, first + 100)], [*map(float, range(100))])
        deliver(history, journal)
        sealed(history, journal.next - 1)
    for first, last in ((100, 200), (200, 230 if hold else 300)):
        times = [*range(first, last)]
        journal.batch(["a"] * len(times), times, [1000.0 + t for t in times], flags=Flag.HISTORICAL)
        deliver(history, journal)
    if not hold:
        sealed(history, journal.next - 1)
    return history, journal


@pytest.mark.parametrize("hold", [False, True], ids=["in segments", "in memory"])
@pytest.mark.parametrize(
    "question",
    [
        {},
        {"start": 150, "end": 320},
        {"start": 90, "end": 110, "last_before": True},
        {"start": 120, "end": 130},
        {"limit": 120},
        {"start": 0, "end": 400, "aggregate": Aggregate.AVERAGE, "every": 40},
        {"start": 0, "end": 400, "aggregate": Aggregate.FIRST, "every": 150},
        {"start": 0, "end": 400, "aggregate": Aggregate.LAST, "every": 150},
        {"start": 0, "end": 400, "aggregate": Aggregate.COUNT, "every": 100},
    ],
    ids=lambda question: ",".join(map(str, question)) or "all",
)
def test_what_came_late_stands_where_its_time_says(
    tmp_path: Path, hold: bool, question: dict[str, int]
) -> None:
    history, journal = filled(tmp_path, hold=hold)
    times = {"start": -1000, "end": 1000, **question}

    answer = asked(history, **times)  # type: ignore[arg-type]

    wanted = expected(journal.samples, lambda path: True, **times)  # type: ignore[arg-type]
    same(answer, wanted)
    history.close()


def test_it_stands_there_after_a_restart_too(tmp_path: Path) -> None:
    history, _ = filled(tmp_path, hold=False)
    history.close()
    again = opened(tmp_path)

    times = [at for at, *_ in asked(again)[KEY]]

    assert times == [*range(400)]
    assert asked(again, start=150, end=152)[KEY] == [(150, 1150.0, 0), (151, 1151.0, 0)]
    again.close()
