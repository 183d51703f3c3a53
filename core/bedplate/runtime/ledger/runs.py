"""How each tag of a source stands at this moment, and since when: columns by local handle, entry 0 unused.

A run is a stretch in which a tag does not come for one reason. Tags whose runs began with one event are one gap; when
they return within seconds of each other they have ended together, too. Gaps that ended are kept one by one up to a
number for each window; beyond it they are one scattered loss.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bedplate.runtime.ledger.reasons import NOT_EXPECTED, WORDS, Reason
from bedplate.runtime.ledger.scattered import Scattered
from bedplate.runtime.ledger.span import Span

KEPT = 16  # gaps of one source that end in a window and are kept one by one
TOGETHER = 5_000_000_000  # ns within which the tags of a gap return together
Tags = NDArray[np.intp]


class Runs:
    """size: local handles with the unused 0. any: whether some tag does not come."""

    def __init__(self, size: int) -> None:
        self.reason = np.full(size, int(Reason.NOT_YET), np.uint8)
        self.reason[0] = Reason.RECEIVED
        self._since, self._event = np.zeros(size, np.int64), np.zeros(size, np.int64)
        self._missing = np.zeros(size, np.int64)
        self.any = size > 1
        self._ended: list[Span] = []
        self._kept = 0
        self._scattered: dict[int, Scattered] = {}
        self._returning: dict[tuple[int, int], Span] = {}  # ended in part, by event and reason
        self._texts: dict[tuple[int, int], str] = {}

    def adopt(self, other: Runs, size: int) -> None:
        """The first tags, by local handle, are those of another one: how they stand goes on."""
        for name in ("reason", "_since", "_event", "_missing"):
            getattr(self, name)[:size] = getattr(other, name)[:size]
        self._texts, self._kept = other._texts, other._kept
        other.end()
        self._ended = other.ended(0)
        self.any = bool(self.reason.any())

    def turn(self, tags: Tags, reason: Any, at: int, text: str = "", event: int = 0) -> None:
        """From now on these tags come (RECEIVED), or do not for this reason: one, or a column of them. at: ns UTC ·
        event: the same for all that turns for one cause, a moment too."""
        new = np.broadcast_to(np.asarray(reason, np.uint8), tags.shape)
        changed = self.reason[tags] != new
        if not changed.any():
            return
        tags, new = tags[changed], new[changed]
        for key, span in self._spans(tags, at):
            self._returns(key, span)
        self.reason[tags], self._since[tags], self._missing[tags] = new, at, 0
        self._event[tags] = event or at
        self.any = bool(self.reason.any())
        if text:
            self._texts[event or at, int(new[0])] = text

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
        scattered = (one.span() for one in self._scattered.values())
        return [*(span for _, span in runs), *self._returning.values(), *scattered]

    def ended(self, now: int) -> list[Span]:
        """Gaps that ended since the last call. now: ns UTC."""
        lasting = self._events() if self._returning else ()
        for key, span in list(self._returning.items()):
            if key not in lasting or not 0 <= now - span.until <= TOGETHER:
                self._keep(self._returning.pop(key))
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
        lasting = self._events()
        self._texts = {key: text for key, text in self._texts.items() if key in lasting}

    def _events(self) -> set[tuple[int, int]]:
        return set(zip(self._event.tolist(), self.reason.tolist(), strict=True))

    def end(self) -> None:
        """No more of it: scattered losses end with their last one, and nobody returns later."""
        for key in [*self._returning]:
            self._keep(self._returning.pop(key))
        self._ended += [one.span() for one in self._scattered.values()]
        self._scattered = {}

    def _returns(self, key: tuple[int, int], span: Span) -> None:
        before = self._returning.pop(key, None)
        if before is not None and 0 <= span.until - before.until <= TOGETHER:
            span = self._joined(before, span)
        elif before is not None:
            self._keep(before)
        self._returning[key] = span

    def _joined(self, one: Span, other: Span) -> Span:
        """Two parts of one gap."""
        every = len(self.reason) - 1
        tags = [np.arange(1, every + 1) if s.tags is None else s.tags for s in (one, other)]
        both = np.union1d(*tags)
        return replace(
            other,
            since=min(one.since, other.since),
            tags=None if len(both) == every else both,
            missing=one.missing + other.missing,
        )

    def _keep(self, span: Span) -> None:
        self._kept += 1
        if self._kept <= KEPT or span.reason in NOT_EXPECTED:
            self._ended.append(span)
        else:
            self.scatter(span.reason, span.tags, span.since, span.until, span.missing)

    def _spans(self, tags: Tags, until: int) -> Iterator[tuple[tuple[int, int], Span]]:
        """What these tags miss, those of one event and reason as one."""
        reason = self.reason[tags]
        told = (reason != Reason.RECEIVED) & (reason != Reason.NOT_YET)
        told &= (self._missing[tags] > 0) | (reason >= Reason.OFF)
        tags, reason = tags[told], reason[told]
        if not len(tags):
            return
        event = self._event[tags]
        for key in sorted(set(zip(event.tolist(), reason.tolist(), strict=True))):
            mine = tags[(event == key[0]) & (reason == key[1])]
            since = int(self._since[mine].min())
            every = len(mine) == len(self.reason) - 1
            text = self._texts.get(key) or WORDS[Reason(key[1])]
            missing = int(self._missing[mine].sum())
            yield key, Span(key[1], since, until, None if every else mine, missing, 0, text)
