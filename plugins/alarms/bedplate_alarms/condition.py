"""What a limit asks of a column of values: is it beyond, is it back. Masks, no memory.

Between the two lies the deadband (IEC 62682, ISA-18.2: hysteresis on the return only). Bad samples and NaN are neither
beyond nor back. Uncertain samples may be beyond, but never back: a value that may be wrong must not end an alarm.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bedplate.event_time import Arrived
from bedplate.model import Strings
from bedplate.model.quality import BAD, BAD_OUT_OF_SERVICE, good_mask

CODE = np.uint32(0xFFFF0000)  # without the info bits
type_Mask = NDArray[np.bool_]


@dataclass(slots=True, eq=False)
class Readings:
    """Samples of one tag, looked at by all limits on it. good, usable: masks, None: all of them · idle: mask of those
    out of service, None: none."""

    arrived: Arrived
    good: type_Mask | None = field(init=False)
    usable: type_Mask | None = field(init=False)
    idle: type_Mask | None = field(init=False)

    def __post_init__(self) -> None:
        quality = self.arrived.series.quality
        spotless = not quality.any()
        self.good = None if spotless else good_mask(quality)
        self.usable = None if spotless else (quality & np.uint32(BAD)) == 0
        self.idle = None if spotless else (quality & CODE) == np.uint32(BAD_OUT_OF_SERVICE)

    def __len__(self) -> int:
        return len(self.arrived.event)

    @property
    def values(self) -> Any:
        return self.arrived.series.value

    def value(self, index: int) -> Any:
        """One value as a plain Python number, bool or text."""
        one = self.values[index]
        return one.item() if isinstance(one, np.generic) else one


@dataclass(frozen=True, slots=True)
class Condition:
    """question: high, low, equals or not_equals · target: what it is asked about · deadband: of high and low ·
    labels: names of the tag's states, for a text target."""

    question: str
    target: Any
    deadband: float = 0.0
    labels: Mapping[int, str] = field(default_factory=dict)

    def fits(self, values: Any) -> bool:
        """Whether values of this type can be compared with the target."""
        if isinstance(values, Strings):
            return values.text and isinstance(self.target, str)
        return not isinstance(self.target, str) or bool(self._codes())

    def beyond(self, readings: Readings) -> type_Mask:
        """(n,) where it holds."""
        found = self._where(readings.values, self.question)
        return found if readings.usable is None else found & readings.usable

    def back(self, readings: Readings) -> type_Mask:
        """(n,) where it surely does not hold, deadband included."""
        found = self._where(readings.values, _BACK[self.question])
        return found if readings.good is None else found & readings.good

    def dropped(self, readings: Readings) -> type_Mask:
        """(n,) where it does not hold, or nobody cares: off, or in maintenance. Ends an on delay, not an alarm."""
        back = self.back(readings)
        return back if readings.idle is None else back | readings.idle

    def unknown(self, readings: Readings) -> type_Mask:
        """(n,) where nothing can be said: Bad, NaN, of another type, or Uncertain and not beyond."""
        values = readings.values
        if not self.fits(values):
            return np.ones(len(readings), np.bool_)
        found = np.isnan(values) if _may_be_nan(values) else np.zeros(len(readings), np.bool_)
        return found if readings.good is None else found | ~(readings.good | self.beyond(readings))

    def _where(self, values: Any, question: str) -> type_Mask:
        if not self.fits(values):
            return np.zeros(len(values), np.bool_)
        if question in _ORDERED:
            compare, sign = _ORDERED[question]
            found: type_Mask = compare(values, self.target + sign * self.deadband)
            return found
        if isinstance(values, Strings):
            same = np.array([text == self.target for text in values.tolist()], np.bool_)
        else:
            same = _is_any(values, self._codes() if isinstance(self.target, str) else [self.target])
        if question == "equals":
            return same
        return ~same & ~np.isnan(values) if _may_be_nan(values) else ~same

    def _codes(self) -> list[int]:
        return [code for code, label in self.labels.items() if label == self.target]


_ORDERED: dict[str, tuple[Any, int]] = {
    "high": (np.greater, 0),
    "low": (np.less, 0),
    "not high": (np.less_equal, -1),
    "not low": (np.greater_equal, 1),
}
_BACK = {"high": "not high", "low": "not low", "equals": "not_equals", "not_equals": "equals"}


def _may_be_nan(values: Any) -> bool:
    return isinstance(values, np.ndarray) and values.dtype.kind == "f"


def _is_any(values: NDArray[Any], targets: list[Any]) -> type_Mask:
    found: type_Mask = values == targets[0]
    for target in targets[1:]:
        found = found | (values == target)
    return found
