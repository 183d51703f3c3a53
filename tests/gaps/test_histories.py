"""Whatever a device goes through: expected = received + the sum of missing by reason, sample by sample."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.gaps.device import SECOND, Device

from bedplate.runtime.ledger.columns import expected
from bedplate.runtime.ledger.reasons import LOST, NOT_EXPECTED, OF_STATE, Reason
from bedplate.runtime.lifecycle import State

TAGS = 4
DOWN = (State.UNREACHABLE, State.OFF, State.STARTING, State.FAULTED, State.STOPPING)
BEFORE = st.one_of(
    st.tuples(st.just("ends"), st.sampled_from(DOWN)),
    st.tuples(st.sampled_from(("up", "aside", "back", "window", "nothing", "nothing")), st.none()),
)
MARKS = st.lists(st.sampled_from(("good", "good", "bad", "absent")), min_size=TAGS, max_size=TAGS)
SECONDS = st.lists(
    st.tuples(BEFORE, st.sampled_from(("answer", "answer", "answer", "begin", "held")), MARKS),
    max_size=80,
)


class Told:
    """What a person with a pencil would write down of the same history."""

    def __init__(self) -> None:
        self.device = Device(TAGS)
        self.sums = np.zeros_like(self.device.account.counts)
        self.missing: list[Counter[Reason]] = [Counter() for _ in range(TAGS + 1)]
        self.up, self.aside, self.down = False, False, Reason.NOT_YET
        self.open = 0  # moments whose end is not known
        self.away: Reason | None = None  # why nothing comes, until the next answer

    def write(self, reason: Reason, tags: int = 0, times: int = 1) -> None:
        if reason not in NOT_EXPECTED and not self.aside:
            for tag in [tags] if tags else range(1, TAGS + 1):
                self.missing[tag][reason] += times

    def before(self, what: str, state: State | None) -> None:
        device = self.device
        if what == "up" and not self.up:
            self.up = True
            device.up() if not self.aside else device.account.begins(SECOND)
        elif what == "ends" and self.up and state:
            self.up, self.down = False, OF_STATE[state]
            if self.aside:  # told to nobody
                device.account.ends(SECOND)
            else:
                self.write(self.down, times=self.open)
                device.ends(state)
                self.away = self.down
            self.open = 0
        elif what == "aside" and not self.aside:
            self.aside, self.open, self.away = True, 0, Reason.MAINTENANCE
            device.account.moved(State.SET_ASIDE, "people")
        elif what == "back" and self.aside:
            self.aside = False
            back = {r: s for s, r in OF_STATE.items() if s in DOWN}.get(self.down, State.STARTING)
            device.account.moved(State.UP if self.up else back, "back")
            self.down = OF_STATE[back]
            self.away = self.away if self.up else self.down
        elif what == "window":
            self.sums += device.account.close()

    def second(self, what: str, marks: list[str]) -> None:
        device, account = self.device, self.device.account
        device.wait(1)
        if not self.up:
            self.write(self.down)
        elif self.open and what != "answer":
            account.skipped(SECOND)
            self.open += 1
        elif what == "held":
            account.held(SECOND, "full")
            self.write(Reason.THROTTLED)
            self.away = self.away if self.aside else None
        else:
            account.skipped(SECOND) if self.open else account.started(SECOND)
            self.open += 1
            if what == "answer":
                self.left_out(self.open - 1)
                self.answer(marks)

    def left_out(self, times: int) -> None:
        """While an answer was awaited: of a gap that only ends with it, or since the device is slow."""
        self.write(self.away or Reason.THROTTLED, times=times)

    def answer(self, marks: list[str]) -> None:
        bad, absent = (
            [n for n, mark in enumerate(marks, 1) if mark == what] for what in ("bad", "absent")
        )
        self.device.answer(absent=absent, bad=bad)
        meaning = {"good": Reason.RECEIVED, "bad": Reason.BAD_QUALITY, "absent": Reason.MISSING}
        for tag, mark in enumerate(marks, 1):
            self.write(meaning[mark], tag)
        self.open = 0
        self.away = self.away if self.aside else None


@given(SECONDS)
def test_expected_is_received_and_the_sum_of_what_is_missing_by_reason(history: list) -> None:
    told = Told()
    told.before("up", None)
    for before, what, marks in history:
        told.before(*before)
        told.second(what, marks)

    counts = told.sums + told.device.account.columns()
    for tag in range(1, TAGS + 1):
        mine = {Reason(r): int(counts[r, tag]) for r in (0, *LOST) if counts[r, tag]}
        assert mine == +told.missing[tag]
        assert expected(counts)[tag] == sum(told.missing[tag].values())

    ended, lasting = told.device.account.spans()
    in_gaps: Counter[int] = Counter()
    for span in (*ended, *lasting):
        in_gaps[span.reason] += span.missing
        assert span.since <= (span.until or told.device.clock.time_ns())
    assert +in_gaps == {r: int(counts[r].sum()) for r in LOST if counts[r].any()}
