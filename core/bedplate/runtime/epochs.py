"""Records by the epoch they belong to."""

from __future__ import annotations

from collections.abc import Sequence

from bedplate.model import Record


def by_epoch(records: Sequence[Record]) -> list[list[Record]]:
    """Runs of one epoch: handles mean nothing across them."""
    runs: list[list[Record]] = []
    for record in records:
        if not runs or runs[-1][-1].epoch != record.epoch:
            runs.append([])
        runs[-1].append(record)
    return runs
