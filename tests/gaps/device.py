"""One source as its account hears of it: what the pacer and a session would tell, at a scan a second."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from bedplate.config.deployment import TagSpec
from bedplate.runtime.ledger.account import Account
from bedplate.runtime.ledger.columns import expected
from bedplate.runtime.ledger.reasons import Reason
from bedplate.runtime.ledger.span import Span
from bedplate.runtime.lifecycle import State
from bedplate.scan.pace import phase
from bedplate.testing.clock import FakeClock

SECOND = 1_000_000_000


class Device:
    """What the pacer and a session would tell an account of n tags, at a scan a second."""

    def __init__(self, tags: int = 3, *, pushes: bool = False, period: int = SECOND) -> None:
        self.clock = FakeClock()
        self.period = period
        self.bad, self.bad_version = np.zeros(tags + 1, bool), 0
        self.account = Account("press", self.clock, pushes=pushes)
        self.account.watch([TagSpec(f"t{n}", f"press/t{n}", scan_ns=period) for n in range(tags)])
        self.clock.advance(
            phase(f"press/{period}", period / 1e9) + 0.01 * period / 1e9
        )  # the pacer is a little late
        self.begin = self.clock.time_ns()

    def up(self) -> None:
        self.account.moved(State.UP, "opened")
        if self.account.pushes:
            self.account.subscribed()
        else:
            self.account.begins(self.period)

    def ends(self, state: State, text: str = "why") -> None:
        if not self.account.pushes:
            self.account.ends(self.period)
        self.account.moved(state, text)

    def scan(self, times: int = 1, **answer: Iterable[int]) -> None:
        for _ in range(times):
            self.clock.advance(self.period / 1e9)
            self.account.started(self.period)
            self.answer(**answer)

    def answer(self, absent: Iterable[int] = (), bad: Iterable[int] = ()) -> None:
        absent, marks = [*absent], np.zeros(len(self.account.counts[0]), bool)
        marks[[*bad]] = True
        missing = np.array(absent, np.intp) if absent else None
        self.account.answered(self.period, missing, marks, self.version(marks))

    def version(self, marks: NDArray[np.bool_]) -> int:
        """As the ingest counts: another one whenever another tag is Bad."""
        if (marks != self.bad).any():
            self.bad, self.bad_version = marks.copy(), self.bad_version + 1
        return self.bad_version

    def says(self, *tags: int, bad: Iterable[int] = ()) -> None:
        """A source that pushes says a value of each of these; bad: all tags that are Bad by now."""
        marks = np.zeros(len(self.account.counts[0]), bool)
        marks[[*bad]] = True
        local = np.array(tags or range(1, len(marks)), np.uint32)
        self.account.spoke(local, marks, self.version(marks))

    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def missing(self) -> dict[Reason, int]:
        """Samples by reason over all tags; expected = received + missing is checked on the way."""
        counts = self.account.columns()
        total = {r: int(counts[r, 1:].sum()) for r in Reason if counts[r, 1:].any()}
        lost = sum(n for r, n in total.items() if 0 < r < Reason.OFF)
        assert expected(counts).sum() == total.get(Reason.RECEIVED, 0) + lost
        return total

    def gaps(self) -> list[tuple[Reason, float, float, int, int]]:
        """(reason, from, to, tags, missing), seconds since the test began; to 0: lasts."""
        ended, lasting = self.account.spans()
        return [self._told(span) for span in [*ended, *lasting]]

    def _told(self, span: Span) -> tuple[Reason, float, float, int, int]:
        until = (span.until - self.begin) / 1e9 if span.until else 0.0
        tags = len(self.account.paths) if span.tags is None else len(span.tags)
        return (
            Reason(span.reason),
            round((span.since - self.begin) / 1e9, 3),
            round(until, 3),
            tags,
            span.missing,
        )
