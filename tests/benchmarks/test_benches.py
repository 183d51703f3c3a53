"""The benchmarks still run. Nothing is timed here: one tiny round, and figures come out."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks import kept, kernel_part, ledger
from tests.benchmarks.figures import Figure, Target, table
from tests.benchmarks.plan import Plan


def tiny(folder: Path) -> Plan:
    return Plan(folder, rounds=1, scale=0.001, seconds=0.2)


def test_what_needs_no_process_is_measured(tmp_path: Path) -> None:
    figures = [*kernel_part.inside(tiny(tmp_path)), *kept.sealed(tiny(tmp_path))]
    assert len(figures) == 7
    assert all(figure.middle > 0 for figure in figures)


def test_what_the_ledger_costs_is_measured(tmp_path: Path) -> None:
    assert [figure.unit for figure in ledger.counted(tiny(tmp_path))] == ["µs"] * 4


def test_a_running_plant_is_measured(tmp_path: Path) -> None:
    figures = list(kept.current(tiny(tmp_path)))
    assert [figure.unit for figure in figures] == ["ms", "ms"]


def test_the_table_tells_medians_spread_targets_and_what_was_missed() -> None:
    shown = table(
        [
            Figure("a", "quick", [1.0, 2.0, 3.0], "x", Target("≥", 1.5), 0.25),
            Figure("b", "slow", [4.0], "ms", Target("<", 3)),
            Figure("c", "told", [0.0042], "µs"),
        ]
    )
    assert "| 2.00 x ±50% (3)" in shown
    assert "| ≥ 1.50 | yes | 0.25" in shown
    assert "NO" in shown
    assert "0.0042 µs" in shown
    assert len({len(line) for line in shown.splitlines()}) == 1
