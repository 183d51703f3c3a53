"""What the deployment wants of the tags of one component, as columns, and the same for the samples of a batch.

Sources send the same tags again and again. What was picked for the last few columns of tags is kept, so that a batch
like one before costs a comparison of bytes instead of a look-up for each sample and rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bedplate.model import DataType
from bedplate.model.column import spread

KEPT = 4  # columns of tags; a component with several scan classes sends several


@dataclass(frozen=True, slots=True)
class Rule:
    """What the deployment wants of one tag. scale: value = raw * gain + offset."""

    path: str
    data_type: DataType = DataType.UNSPECIFIED
    scale: tuple[float, float] | None = None
    range: tuple[float, float] | None = None
    deadband: float = 0.0


class Rules:
    """Columns by local handle, 1 … n; entry 0 is nobody's."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        n = len(rules) + 1
        self.size = n
        self.declared = np.array([0, *(r.data_type for r in rules)], np.uint8)
        self.gain, self.offset = np.ones(n), np.zeros(n)
        self.scaled = np.zeros(n, bool)
        self.low, self.high = np.full(n, -np.inf), np.full(n, np.inf)
        self.deadband = np.array([0.0, *(r.deadband for r in rules)])
        for index, rule in enumerate(rules, 1):
            if rule.scale:
                self.gain[index], self.offset[index] = rule.scale
                self.scaled[index] = True
                self.declared[index] = DataType.FLOAT64
            if rule.range:
                self.low[index], self.high[index] = rule.range
        self.any_scaled = bool(self.scaled.any())
        self.any_range = bool(np.isfinite(self.low).any() or np.isfinite(self.high).any())
        self.any_deadband = bool(self.deadband.any())
        self._recent: list[Picked] = []

    def rescaled(self, other: Rules) -> NDArray[np.intp]:
        """Tags that other rules for the same tags scale otherwise."""
        same = (self.scaled == other.scaled) & (self.gain == other.gain)
        return np.flatnonzero(~(same & (self.offset == other.offset)))

    def pick(self, tag: NDArray[np.uint32], n: int) -> Picked:
        """For n samples of these tags; a single tag stands for all. Raises IndexError for one that is none of these."""
        key = tag.tobytes()
        for one in self._recent:
            if one.key == key and len(one.index) == n:
                return one
        if int(tag.max()) >= self.size or not int(tag.min()):
            raise IndexError("no such local handle")
        picked = Picked(self, key, spread(tag, n).astype(np.intp))
        self._recent = [picked, *self._recent[: KEPT - 1]]
        return picked


class Picked:
    """The rules of each sample of one column of tags. index: their local handles, (n,).

    handles, kind, version: the journal handles, valid for samples of this type as long as the owner of the handles is
    at this version.
    """

    __slots__ = (
        "gain",
        "handles",
        "high",
        "index",
        "key",
        "kind",
        "low",
        "offset",
        "scaled",
        "some_scaled",
        "version",
    )

    def __init__(self, rules: Rules, key: bytes, index: NDArray[np.intp]) -> None:
        self.key = key
        self.index = index
        self.scaled = rules.scaled[index] if rules.any_scaled else np.zeros(0, bool)
        self.some_scaled = bool(self.scaled.any())
        self.gain: Any = rules.gain[index] if self.some_scaled else None
        self.offset: Any = rules.offset[index] if self.some_scaled else None
        self.low: Any = rules.low[index] if rules.any_range else None
        self.high: Any = rules.high[index] if rules.any_range else None
        self.handles: Any = None
        self.kind = DataType.UNSPECIFIED
        self.version = -1
