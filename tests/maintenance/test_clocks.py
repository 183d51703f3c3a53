"""A sample is kept whatever its time says; what is off is flagged, and told once."""

from __future__ import annotations

import numpy as np
import pytest

from bedplate.model import Batch
from bedplate.model.batch import Flag
from bedplate.runtime.clock_notes import ahead, problems
from bedplate.scan.source_clock import SourceClock

S = 1_000_000_000
NOW = 1_763_516_830 * S
H, D = 3600 * S, 86_400 * S
OFF = Flag.FUTURE | Flag.CLOCK_UNSYNCHRONISED


def batch(times: list[int], tags: list[int] | None = None, **more: object) -> Batch:
    tags = tags or list(range(1, len(times) + 1))
    return Batch.of(np.array(tags, np.uint32), times, np.arange(float(len(times))), **more)


def flags(clock: SourceClock, one: Batch, received: int = NOW) -> list[tuple[list[float], Flag]]:
    return [(part.value.tolist(), part.flags) for part in clock.flagged(one, received)]


def test_what_is_in_time_is_left_as_it_is() -> None:
    one = batch([NOW - 59 * S, NOW + 59 * S])
    (same,) = SourceClock().flagged(one, NOW)
    assert same is one


def test_neighbours_keep_their_flags_and_each_tag_its_order() -> None:
    poll = batch([NOW, NOW + H, NOW - H, NOW])
    assert flags(SourceClock(), poll) == [
        ([0.0, 3.0], Flag(0)),
        ([2.0], Flag.LATE),
        ([1.0], OFF),
    ]
    changes = batch([NOW, NOW + H, NOW], tags=[1, 1, 1])
    assert flags(SourceClock(), changes) == [([0.0], Flag(0)), ([1.0], OFF), ([2.0], Flag(0))]
    fluttering = batch([NOW, NOW + H] * 20, tags=[1] * 40)
    assert flags(SourceClock(), fluttering) == [([*map(float, range(40))], OFF)]


def test_a_value_that_did_not_change_for_hours_is_not_late_when_its_server_says_so() -> None:
    clock = SourceClock()
    one = batch([NOW - 5 * H], server_time=np.array([NOW], np.int64))
    assert flags(clock, one) == [([0.0], Flag(0))]
    assert clock.off == 0
    slow = batch([NOW - 5 * H], server_time=np.array([NOW - H], np.int64))
    assert flags(clock, slow) == [([0.0], Flag.LATE | Flag.CLOCK_UNSYNCHRONISED)]
    assert clock.off == -H


@pytest.mark.case("A57")
def test_a_clock_that_was_never_set_is_known_at_once() -> None:
    clock = SourceClock()
    assert flags(clock, batch([5 * S])) == [([0.0], Flag.LATE | Flag.CLOCK_UNSYNCHRONISED)]
    assert clock.off == 5 * S - NOW


@pytest.mark.case("A57")
def test_old_values_are_late_and_only_times_that_go_on_behind_ours_are_a_clock() -> None:
    clock = SourceClock()
    for second in range(120):  # one value, read again and again
        flags(clock, batch([NOW - H]), NOW + second * S)
    assert clock.off == 0
    assert flags(clock, batch([NOW - H]), NOW + 120 * S) == [([0.0], Flag.LATE)]
    for second in range(120, 240):
        flags(clock, batch([NOW - D + second * S]), NOW + second * S)
    assert clock.off == -D
    flags(clock, batch([NOW + 240 * S]), NOW + 240 * S)
    assert clock.off == 0


def test_what_is_fetched_from_the_past_is_not_late_and_says_nothing_of_a_clock() -> None:
    clock, then = SourceClock(), np.array([NOW - D], np.int64)
    one = batch([NOW - D], flags=Flag.HISTORICAL, server_time=then)
    assert flags(clock, one) == [([0.0], Flag.HISTORICAL)]
    assert clock.off == 0


def test_devices_that_are_off_alike_are_one_line() -> None:
    found = list(problems([("press-1", -H - S), ("press-2", -H - 20 * S), ("meter", 0)]))
    assert found == [
        "press-1, press-2: clocks are about 1 h behind; set them, or let them ask a time server (NTP); "
        "their samples are kept, and flagged"
    ]
    assert list(problems([(f"press-{n}", 10 * 366 * D) for n in range(4)])) == [
        "the clocks of all 4 devices are about 10 a ahead: look at this machine's first"
    ]
    assert ahead(3 * H + 60 * S) == "3 h 1 min ahead"
