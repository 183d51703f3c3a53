"""Tags that the answers of a polled source leave out. The contract has every tag in its answer; who breaks it must not
make an old value look as if it were still what it was.

Rule: three scans of its class without it, and a tag is stale: Uncertain. Ten, and it is gone: Bad, so that no alarm
limit goes on watching it. Scans are counted, not seconds: a clock that is set makes nothing stale.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bedplate.model import Batch

SCANS = 3
GONE = 10


class LeftOut:
    """Of one source. size: how many tags it has."""

    def __init__(self, size: int) -> None:
        self._missed = np.zeros(size + 1, np.int64)
        self._any = False

    def after(
        self, asked: NDArray[np.intp], batches: Sequence[Batch]
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The tags, by local handle, that are stale since this answer, and those that are gone."""
        if not self._any and sum(map(len, batches)) >= len(asked):  # nearly always
            return asked[:0], asked[:0]
        answered = np.zeros(len(self._missed), bool)
        for batch in batches:
            answered[batch.tag.astype(np.intp)] = True
        self._missed[answered] = 0
        absent = asked[~answered[asked]]
        self._missed[absent] += 1
        self._any = bool(self._missed.any())
        missed = self._missed[absent]
        return absent[missed == SCANS], absent[missed == GONE]
