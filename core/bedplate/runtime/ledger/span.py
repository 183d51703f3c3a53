"""A gap, as the ledger keeps it: some tags of one source, from when to when, and why."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Span:
    """tags: local handles, (k,); None: all of the source · since (inclusive), until (exclusive): ns UTC, until 0: it
    lasts · missing: samples that were expected and did not come · filled: of these, came afterwards."""

    reason: int
    since: int
    until: int
    tags: NDArray[np.intp] | None
    missing: int
    filled: int = 0
    text: str = ""
