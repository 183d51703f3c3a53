"""Where an account is told of a source: a scan class as the pacer calls it, an answer, a batch that was pushed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from bedplate.model import Batch, Flag, quality
from bedplate.runtime.ledger.account import Account
from bedplate.runtime.ledger.reasons import Reason
from bedplate.runtime.polling import Poll
from bedplate.scan.ingest import Ingest

OVERFLOW = np.uint32(quality.OVERFLOW)


class CountedScan:
    """The scans of one class of tags. held: why nothing is read now, in words."""

    def __init__(self, account: Account, ns: int, poll: Poll, held: Callable[[], str]) -> None:
        self._account, self._ns, self._poll, self._held = account, ns, poll, held
        self.unpace: Callable[[], None] = lambda: None  # ends its calls
        account.begins(ns)

    def __call__(self) -> bool:
        busy = self._poll.under_way is not None and not self._poll.under_way.done()
        if self._poll():
            self._account.started(self._ns)
            return True
        if busy:
            self._account.skipped(self._ns)
        else:
            self._account.held(self._ns, self._held())
        return False

    def end(self) -> None:
        """The session is over, or the class has another pace."""
        self.unpace()
        self._account.ends(self._ns)


def absent(asked: NDArray[np.intp], batches: Sequence[Batch]) -> NDArray[np.intp] | None:
    """Which of the tags that were asked for an answer leaves out; None: none, which is nearly always so."""
    if sum(map(len, batches)) >= len(asked):
        return None
    there = [batch.tag for batch in batches]
    missing = asked if not there else asked[~np.isin(asked, np.concatenate(there))]
    return missing if len(missing) else None


def pushed(account: Account, batch: Batch, ingest: Ingest) -> None:
    """A source pushed a batch, in its local handles; ingest has taken it. Only the ends of a batch are looked at for
    whether it is late."""
    n = len(batch.time)
    if batch.flags and batch.flags & Flag.HISTORICAL:
        return
    if n and account.late_before and min(batch.time[0], batch.time[n - 1]) < account.late_before:
        _late(account, batch)
    account.spoke(batch.tag, ingest.bad, ingest.bad_version)
    if batch.quality is not None or batch.flags:
        _overflow(account, batch)


def _overflow(account: Account, batch: Batch) -> None:
    if batch.flags & Flag.OVERFLOW:
        account.overflowed(batch.tag.astype(np.intp))
    elif batch.quality is not None and np.bitwise_or.reduce(batch.quality) & OVERFLOW == OVERFLOW:
        ran_over = (batch.quality & OVERFLOW) == OVERFLOW
        account.overflowed(batch.tags()[ran_over].astype(np.intp))


def _late(account: Account, batch: Batch) -> None:
    """The first value of a tag in a session is its present one, however old."""
    tags, times = batch.tags().astype(np.intp), batch.times()
    late = (times < account.late_before) & (account.runs.reason[tags] == Reason.RECEIVED)
    if late.any():
        account.came_late(tags[late], int(times[late].min()), int(times[late].max()))
