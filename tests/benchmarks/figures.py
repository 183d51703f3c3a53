"""Figures: what a benchmark found, beside what was wanted, and the table of all of them."""

from __future__ import annotations

import operator
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

WANTED = {"≥": operator.ge, "≤": operator.le, "<": operator.lt}


@dataclass(frozen=True)
class Target:
    """sign: ≥, ≤ or <."""

    sign: str
    value: float

    def met(self, found: float) -> bool:
        return bool(WANTED[self.sign](found, self.value))


@dataclass(frozen=True)
class Figure:
    """One row. values: one entry for each round · foreign: cores that others took meanwhile."""

    name: str
    what: str
    values: Sequence[float]
    unit: str = ""
    target: Target | None = None
    foreign: float = 0.0

    @property
    def middle(self) -> float:
        return statistics.median(self.values)

    @property
    def spread(self) -> float:
        """Half of what lies between the smallest and the largest, as a part of the median."""
        half = (max(self.values) - min(self.values)) / 2
        return half / abs(self.middle) if self.middle else 0.0

    @property
    def verdict(self) -> str:
        if self.target is None:
            return ""
        return "yes" if self.target.met(self.middle) else "NO"

    def cells(self) -> tuple[str, ...]:
        measured = number(self.middle) + f" {self.unit}".rstrip()
        if len(self.values) > 1:
            measured += f" ±{self.spread:.0%} ({len(self.values)})"
        wanted = f"{self.target.sign} {number(self.target.value)}" if self.target else ""
        return self.name, self.what, measured, wanted, self.verdict, f"{self.foreign:.2f}"


HEAD = ("", "what", "median ± half-spread (rounds)", "target", "met", "foreign")


def number(value: float) -> str:
    """Three figures that matter."""
    if value and abs(value) < 0.01:
        return f"{value:.2g}"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"


def table(figures: Iterable[Figure]) -> str:
    """Markdown, in columns that line up, so that a terminal shows it too."""
    rows = [HEAD, *(figure.cells() for figure in figures)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEAD))]
    rows.insert(1, tuple("-" * width for width in widths))
    padded = ([cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in padded)
