"""Ingest of what is fetched afterwards: the same rules for values, and nothing of what is now is touched.

Handles of its own, in a stream of its own, that are never in force for their path: what is live and current goes by
the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bedplate.journal.engine import Entry
from bedplate.model import Batch, DataType
from bedplate.model.batch import Flag
from bedplate.scan.ingest import Ingest


class PastIngest(Ingest):
    """One per source with a history of its own."""

    def take(self, batches: Iterable[Batch], received: int) -> Iterator[tuple[Entry, Batch | None]]:
        past = (replace(batch, flags=batch.flags | Flag.HISTORICAL) for batch in batches)
        yield from super().take(past, received)

    def _introduce(self, local: NDArray[np.intp], kind: DataType, received: int) -> Entry:
        paths = [(self._paths[i], kind) for i in local.tolist()]
        handles, entry = self._registry.handles(self.stream, paths, received, in_force=False)
        self.handle[local], self._type[local] = handles, int(kind)
        self._version += 1
        return entry
