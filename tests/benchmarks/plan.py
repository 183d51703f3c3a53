"""How much is measured: rounds, a folder for plants, a size for quick runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
ENOUGH = 9  # rounds from which a ratio may be quoted


@dataclass(frozen=True)
class Plan:
    """scale: part of the full amount of data, for quick runs; seconds: of a window of CPU."""

    folder: Path
    rounds: int = ENOUGH
    scale: float = 1.0
    seconds: float = 5.0

    def scaled(self, amount: int, step: int = 10_000) -> int:
        return max(step, round(amount * self.scale) // step * step)

    def within(self, name: str) -> Plan:
        """The same in a folder of its own."""
        return replace(self, folder=self.folder / name)

    def rotated(self, names: Sequence[T], turn: int) -> list[T]:
        """Another one goes first in each round, so that none always follows the same."""
        start = turn % len(names)
        return [*names[start:], *names[:start]]
