"""Event time: bounded by reception, the same for any split, blind to late samples and wrong clocks."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bedplate.contracts import Series
from bedplate.event_time import EventTime
from bedplate.model import Strings

S = 1_000_000_000
GOOD, BAD, UNCERTAIN = 0, 0x80310000, 0x40900000
NOW = 1_700_000_000 * S


def series(times: Any, received: Any = None, quality: Any = None, values: Any = None) -> Series:
    """Seconds after NOW."""
    column = np.arange(len(times), dtype=np.float64) if values is None else values
    codes = np.zeros(len(times), np.uint32) if quality is None else np.array(quality, np.uint32)
    stamps = NOW + (np.array(times, np.float64) * S).astype(np.int64)
    taken = (
        None if received is None else NOW + (np.array(received, np.float64) * S).astype(np.int64)
    )
    return Series(stamps, column, codes, taken)


def seconds(times: Any) -> list[float]:
    return [(int(time) - NOW) / S for time in times]


def test_a_source_time_counts_when_it_is_plausible() -> None:
    arrived = EventTime(S).take(series([1.0, 2.0, 3.0], [1.5, 2.0, 3.9]))
    assert seconds(arrived.event) == [1.0, 2.0, 3.0]


def test_a_clock_that_is_ahead_or_behind_is_held_to_reception() -> None:
    assert seconds(EventTime(S).take(series([7200.0, 7201.0], [1.0, 2.0])).event) == [1.0, 2.0]
    assert seconds(EventTime(S).take(series([-7200.0, -7199.0], [1.0, 2.0])).event) == [0.0, 1.0]


def test_a_late_good_sample_is_left_out_with_its_value_and_quality() -> None:
    for times in ([10.0, 4.0, 11.0], [10.0, 10.0, 4.0, 11.0]):
        texts = Strings.of([str(t) for t in times])
        arrived = EventTime(S).take(
            series(times, [10.0 + i for i in range(len(times))], values=texts)
        )
        assert "4.0" not in arrived.series.value.tolist()
        assert len(arrived.event) == len(arrived.series) == len(arrived.received) == len(times) - 1
    line = EventTime(S)
    line.take(series([10.0]))
    assert len(line.take(series([4.0], [11.0])).event) == 0


def test_a_bad_sample_with_the_kernels_time_makes_the_next_good_one_not_late() -> None:
    """After a connection is back, a server repeats the value it had, with the time of its last change."""
    line = EventTime(S)
    line.take(series([10.0, 200.0], [10.0, 200.0], [GOOD, BAD]))
    assert seconds(line.take(series([10.0], [250.0])).event) == [249.0]


def test_a_clock_that_was_set_back_is_believed_after_a_minute() -> None:
    line = EventTime(S)
    line.take(series([100.0]))
    beat = [101.0 + i for i in range(120)]
    arrived = line.take(series([b - 3600 for b in beat], beat))
    assert seconds(arrived.received)[0] == 161.0
    assert len(arrived.event) == 60


moments = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.1, 1.0, 5.0, 90.0]),
        st.sampled_from([0.0, 0.1, 0.9, 3.0, 80.0, -7.0]),
        st.sampled_from([GOOD, GOOD, BAD, UNCERTAIN]),
        st.booleans(),
    ),
    min_size=1,
)


@given(moments)
def test_any_split_gives_the_same_times_and_none_is_before_the_watermark(steps: list[Any]) -> None:
    received = np.cumsum([step[0] for step in steps])
    whole, line = EventTime(S), EventTime(S)
    lags, codes = [step[1] for step in steps], [step[2] for step in steps]
    at_once = whole.take(series(received - lags, received, codes))
    parts: list[int] = []
    start = 0
    for i, step in enumerate(steps):
        if step[3] or i == len(steps) - 1:
            cut = slice(start, i + 1)
            arrived = line.take(series((received - lags)[cut], received[cut], codes[cut]))
            watermark = line.watermark(NOW + int(received[start] * S))
            assert all(arrived.event >= watermark)
            parts += arrived.event.tolist()
            start = i + 1
    assert parts == at_once.event.tolist() == sorted(parts)
    assert (whole.newest, whole.last) == (line.newest, line.last)
    assert all(at_once.event <= np.maximum.accumulate(at_once.received))
