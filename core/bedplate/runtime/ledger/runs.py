"""How each tag of a source stands at this moment, and since when: columns by local handle, entry 0 unused.

A run is a stretch in which a tag does not come for one reason. Tags whose runs began together for one reason are one
gap. Runs that end are kept one by one up to a number for each window; beyond it they are one scattered loss.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bedplate.runtime.ledger.reasons import NOT_EXPECTED, WORDS, Reason
from bedplate.runtime.ledger.scattered import Scattered
from bedplate.runtime.ledger.span import Span

KEPT = 16  # ended runs of one source and window that are kept one by one
Tags = NDArray[np.intp]


class Runs:
    """size: local handles with the unused 0. any: whether some tag does not come."""

    def __init__(self, size: int) -> None:
        self.reason = np.full(size, int(Reason.NOT_YET), np.uint8)
        self.reason[0] = Reason.RECEIVED
        self._since = np.zeros(size, np.int64)
        self._missing = np.zeros(size, np.int64)
        self.any = size > 1
        self._ended: list[Span] = []
        self._kept = 0
        self._scattered: dict[int, Scattered] = {}
        self._texts: dict[tuple[int, int], str] = {}

    def adopt(self, other: Runs, size: int) -> None:
        """The first tags, by local handle, are those of another one: how they stand goes on."""
        for name in ("reason", "_since", "_missing"):
            getattr(self, name)[:size] = getattr(other, name)[:size]
        self._texts, self._kept = other._texts, other._kept
        other.end()
        self._ended = other.ended()
        self.any = bool(self.reason.any())

    def turn(self, tags: Tags, reason: Any, at: int, text: str = "") -> None:
        """From now on these tags come (RECEIVED), or do not for this reason: one, or a column of them. at: ns UTC."""
        new = np.broadcast_to(np.asarray(reason, np.uint8), tags.shape)
        changed = self.reason[tags] != new
        if not changed.any():
            return
        tags, new = tags[changed], new[changed]
        for span in self._spans(tags, at):
            self._keep(span)
        self.reason[tags], self._since[tags], self._missing[tags] = new, at, 0
        self.any = bool(self.reason.any())
        if text:
            self._texts[at, int(new[0])] = text

    def miss(self, tags: Tags, count: Any) -> None:
        """So many samples of each, or as many as a column says, did not come."""
        self._missing[tags] += count

    def scatter(
        self,
        reason: int,
        tags: Tags | None,
        since: int,
        until: int,
        missing: int,
        *,
        filled: int = 0,
        text: str = "",
    ) -> None:
        """A loss that is no run. since, until: ns UTC."""
        if reason not in self._scattered:
            self._scattered[reason] = Scattered(
                reason, len(self.reason), text or WORDS[Reason(reason)]
            )
        self._scattered[reason].add(tags, since, until, missing, filled=filled)

    def lasting(self) -> list[Span]:
        """Gaps that are open."""
        runs = self._spans(np.arange(1, len(self.reason)), 0)
        return [*runs, *(one.span() for one in self._scattered.values())]

    def ended(self) -> list[Span]:
        """Gaps that ended since the last call."""
        ended, self._ended = self._ended, []
        return ended

    def window(self) -> None:
        """A window is over: scattered losses of which it had none have ended with the one before."""
        self._kept = 0
        for reason, one in list(self._scattered.items()):
            if not one.fresh:
                self._ended.append(one.span())
                del self._scattered[reason]
            one.fresh = False
        lasting = set(zip(self._since.tolist(), self.reason.tolist(), strict=True))
        self._texts = {key: text for key, text in self._texts.items() if key in lasting}

    def end(self) -> None:
        """No more of it: scattered losses end with their last one."""
        self._ended += [one.span() for one in self._scattered.values()]
        self._scattered = {}

    def _keep(self, span: Span) -> None:
        self._kept += 1
        if self._kept <= KEPT or span.reason in NOT_EXPECTED:
            self._ended.append(span)
        else:
            self.scatter(span.reason, span.tags, span.since, span.until, span.missing)

    def _spans(self, tags: Tags, until: int) -> Iterator[Span]:
        """What these tags miss, those of one begin and reason as one."""
        reason = self.reason[tags]
        told = (reason != Reason.RECEIVED) & (reason != Reason.NOT_YET)
        told &= (self._missing[tags] > 0) | (reason >= Reason.OFF)
        tags, reason = tags[told], reason[told]
        if not len(tags):
            return
        since = self._since[tags]
        for key in sorted(set(zip(since.tolist(), reason.tolist(), strict=True))):
            mine = tags[(since == key[0]) & (reason == key[1])]
            every = len(mine) == len(self.reason) - 1
            text = self._texts.get(key) or WORDS[Reason(key[1])]
            missing = int(self._missing[mine].sum())
            yield Span(key[1], key[0], until, None if every else mine, missing, 0, text)
