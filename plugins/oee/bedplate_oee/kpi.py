"""Key performance indicators of ISO 22400-2:2014 from their elements. Pure functions of columns.

    availability      APT / PBT              actual production time, planned busy time
    effectiveness     PRU * PQ / APT         planned run time per unit, produced quantity; called performance here
    quality ratio     GQ / PQ                good quantity
    OEE index         availability * effectiveness * quality ratio

Nothing is clipped: an effectiveness above 1 says that the ideal rate is not the ideal one. What has no denominator is
NaN with BadNoData. The OEE index is taken in its reduced form PRU * PQ / PBT * GQ / PQ, so that a machine that has not
produced anything has the index 0, not none.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bedplate.model.quality import CODES, UNCERTAIN_LAST_USABLE

type_Column = NDArray[np.float64]
NO_DATA = CODES["BadNoData"]
SUB_NORMAL = CODES["UncertainSubNormal"]
OUT_OF_UNITS = CODES["UncertainEngineeringUnitsExceeded"]
UNKNOWN_SHARE = (
    0.01  # of planned busy time with an unknown state, above which results are Uncertain
)


class Elements(NamedTuple):
    """Elements of one shift so far, columns of (n,) points in time. pbt, apt, unknown: s · ideal: PRU * PQ, s ·
    total, good: parts · stale: whether a counter is not Good at that time."""

    pbt: type_Column
    apt: type_Column
    unknown: type_Column
    ideal: type_Column
    total: type_Column
    good: type_Column
    stale: NDArray[np.bool_]


class Indicator(NamedTuple):
    """value: (n,) ratio, NaN: none · quality: (n,) StatusCodes."""

    value: type_Column
    quality: NDArray[np.uint32]


def indicators(e: Elements) -> dict[str, Indicator]:
    """availability, performance, quality and oee."""
    with np.errstate(divide="ignore", invalid="ignore"):
        availability, performance = e.apt / e.pbt, e.ideal / e.apt
        quality, load = e.good / e.total, e.ideal / e.pbt
        oee = np.where((e.total == 0) & (e.pbt > 0), 0.0, load * quality)
    unsure = _where(e.unknown > UNKNOWN_SHARE * e.pbt, SUB_NORMAL)
    counts = _where(e.stale, UNCERTAIN_LAST_USABLE)
    ratio = np.maximum(counts, _where(e.good > e.total, OUT_OF_UNITS))
    return {
        "availability": _judged(availability, unsure),
        "performance": _judged(performance, np.maximum(unsure, counts)),
        "quality": _judged(quality, ratio),
        "oee": _judged(oee, np.maximum(unsure, ratio)),
    }


def _where(mask: NDArray[np.bool_], code: int) -> NDArray[np.uint32]:
    return np.asarray(mask * np.uint32(code))


def _judged(value: type_Column, quality: NDArray[np.uint32]) -> Indicator:
    finite = np.isfinite(value)
    if finite.all():
        return Indicator(value, quality)
    none = np.where(finite, quality, np.uint32(NO_DATA))
    return Indicator(np.where(finite, value, np.nan), none)
