"""Whatever is delivered, sealed, merged and restarted, in whatever order: answers are those of a list of samples."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from plugins.history.tests.driving import (
    Journal,
    asked,
    crash,
    deliver,
    expected,
    opened,
    same,
)

from bedplate.contracts import Aggregate
from bedplate.model import DataType, Flag, Selector, TagInfo
from bedplate.model import quality as codes
from bedplate_history.sorting import in_order

QUICK = "/dev/shm" if Path("/dev/shm").is_dir() else None  # this is not about syncing
PATHS = ["a/x", "a/y", "b/x", "Ä/ü", "a/x/deep"]
SELECTORS = ["**", "a/*", "*/x", "a/x", "b/**", "Ä/ü", "nobody/here"]
QUALITIES = [codes.GOOD, codes.GOOD, codes.GOOD, codes.UNCERTAIN, codes.BAD, 0x480, 0x80740000]
TIMES = st.integers(-50, 200) | st.sampled_from([-(10**18), 10**18, 0, 10**15])
AGAIN, LEFT = st.integers(0, 20), st.integers(0, 5)
VALUES: dict[DataType, Any] = {
    DataType.FLOAT64: st.floats(-1e6, 1e6) | st.sampled_from([float("nan"), float("inf"), -0.0]),
    DataType.INT64: st.integers(-(2**63), 2**63 - 1),
    DataType.UINT64: st.integers(0, 2**64 - 1),
    DataType.BOOL: st.booleans(),
    DataType.TEXT: st.text(max_size=5),
    DataType.BLOB: st.binary(max_size=5),
}


@st.composite
def batches(draw: Any) -> dict[str, Any]:
    kind = draw(st.sampled_from(list(VALUES)))
    n = draw(st.integers(1, 8))
    column = lambda values: draw(st.lists(values, min_size=n, max_size=n))  # noqa: E731
    shared = draw(st.booleans())
    return {
        "paths": column(st.sampled_from(PATHS))
        if draw(st.booleans())
        else [draw(st.sampled_from(PATHS))],
        "times": [draw(TIMES)] if shared else column(TIMES),
        "values": column(VALUES[kind]),
        "quality": draw(st.none() | st.lists(st.sampled_from(QUALITIES), min_size=n, max_size=n)),
        "data_type": kind,
        "server_time": draw(
            st.none() | st.just([draw(TIMES)]) | st.lists(TIMES, min_size=n, max_size=n)
        ),
        "flags": draw(
            st.sampled_from([Flag(0), Flag(0), Flag.LATE, Flag.HISTORICAL | Flag.OVERFLOW])
        ),
    }


QUESTIONS = st.fixed_dictionaries(
    {
        "selector": st.sampled_from(SELECTORS),
        "start": TIMES,
        "width": st.integers(0, 300) | st.just(2 * 10**18),
        "aggregate": st.sampled_from([Aggregate.RAW, *Aggregate]),
        "every": st.sampled_from([0, 1, 7, 50, 10**17]),
        "limit": st.sampled_from([0, 0, 1, 3, 1000]),
        "last_before": st.booleans(),
    }
)


class Machine(RuleBasedStateMachine):
    @initialize(rows=st.integers(1, 40))
    def open(self, rows: int) -> None:
        self.folder = Path(tempfile.mkdtemp(dir=QUICK))
        self.notes: list[str] = []
        self.rows = rows
        self.journal = Journal()
        self.given = 0  # position up to which the model counts
        self.history = self._opened()

    def _opened(self) -> Any:
        return opened(self.folder, self.notes, seal={"rows": self.rows, "age": "1h"}, threads=1)

    def teardown(self) -> None:
        if hasattr(self, "history"):
            self.history.close()
            shutil.rmtree(self.folder)

    @rule(some=st.lists(batches(), min_size=1, max_size=6), again=AGAIN, left=LEFT)
    def take(self, some: list[dict[str, Any]], again: int, left: int) -> None:
        for batch in some:
            self.journal.batch(**batch)
        self._deliver(again, left)

    @rule(count=st.integers(1, 30), step=st.integers(1, 10), at=TIMES, again=AGAIN, left=LEFT)
    def take_many(self, count: int, step: int, at: int, again: int, left: int) -> None:
        for i in range(count):
            self.journal.batch(["a/x", "b/x"], [at + i * step], [float(i), -float(i)])
        self.journal.event("a/alarm", at)
        self._deliver(again, left)

    def _deliver(self, again: int, left: int) -> None:
        """From the cursor or some records before it, and not always to the end."""
        first = max(0, min(self.history.cursor(), self.given) - again)
        records = self.journal.after(first)
        records = records[: len(records) - left]
        if records and records[-1].position >= self.given:
            durable = deliver(self.history, self.journal, records)
            assert durable <= records[-1].position
            self.given = records[-1].position

    @precondition(lambda self: self.given)
    @rule(killed=st.booleans())
    def restart(self, killed: bool) -> None:
        if killed:
            crash(self.history)
        else:
            self.history.close()
        self.history = self._opened()
        assert self.history.cursor() <= self.given
        self._catch_up()

    def _catch_up(self) -> None:
        after = self.journal.after(self.history.cursor())
        if missing := [record for record in after if record.position <= self.given]:
            deliver(self.history, self.journal, missing)

    @precondition(lambda self: self.given)
    @rule(questions=st.lists(QUESTIONS, min_size=2, max_size=6))
    def ask(self, questions: list[dict[str, Any]]) -> None:
        for question in questions:
            self._ask(**question)

    def _ask(
        self,
        selector: str,
        start: int,
        width: int,
        aggregate: Aggregate,
        last_before: bool,
        **more: int,
    ) -> None:
        try:
            got = asked(
                self.history, selector, start=start, end=start + width, aggregate=aggregate,
                last_before=last_before, **more,
            )  # fmt: skip
        except Exception as error:
            if "which has no" not in str(error):
                raise
            got = {}
        samples = [s for s in self.journal.samples if s.position <= self.given]
        matches = Selector([selector]).matches
        model = expected(
            samples, matches, start, start + width, aggregate, last_before=last_before, **more
        )
        same(got, model)

    @invariant()
    def nothing_was_odd(self) -> None:
        assert getattr(self, "notes", []) == []


Machine.TestCase.settings = settings(
    max_examples=30,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestAnswersAreThoseOfAListOfSamples = pytest.mark.timeout(400)(Machine.TestCase)


def test_a_sort_with_ties_and_disorder_is_that_of_numpy() -> None:
    rng = np.random.default_rng(5)
    for n in (0, 1, 2, 1000):
        rank = rng.integers(0, 70_000, n).astype(np.uint32)
        rank[: n // 2] = rng.integers(0, 3, n // 2)
        time = rng.integers(0, 20, n)
        position = np.sort(rng.integers(0, 50, n)).astype(np.uint64)
        wanted = np.lexsort((np.arange(n), position, time, rank))
        order, *columns = in_order(rank, time, position)
        assert order.tolist() == wanted.tolist()
        for column, whole in zip(columns, (rank, time, position), strict=True):
            assert column.tolist() == whole[wanted].tolist()


def test_what_is_known_of_a_tag_is_told_in_answers(tmp_path: Path) -> None:
    from bedplate.contracts import Query

    history, journal = opened(tmp_path), Journal()
    about = {"unit": "Cel", "description": "oil", "states": {0: "off", 1: "on"}, "counter": True}
    journal.handle("press/state", DataType.INT64, **about)
    journal.batch(["press/state"], [5], [1], data_type=DataType.INT64)
    deliver(history, journal)
    history.close()
    history = opened(tmp_path)
    (page,) = history.query(Query(("**",), 0, 10))
    assert list(page.tags) == [TagInfo(1, "press/state", DataType.INT64, **about)]
    history.close()
