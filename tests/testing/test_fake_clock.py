"""The clock that tests hold in their hands."""

from __future__ import annotations

import pytest

from bedplate.testing import FakeClock


def test_time_passes_on_both_clocks_when_told_and_only_then() -> None:
    clock = FakeClock(1_000)
    clock.advance(1.5)
    assert (clock.time_ns(), clock.monotonic()) == (1_500_001_000, 1.5)
    assert (clock.time_ns(), clock.monotonic()) == (1_500_001_000, 1.5)


def test_setting_the_wall_clock_leaves_the_monotonic_one() -> None:
    clock = FakeClock(10**10)
    clock.advance(1)
    clock.jump(-3)
    assert (clock.time_ns(), clock.monotonic()) == (8 * 10**9, 1.0)


def test_time_does_not_pass_backwards() -> None:
    with pytest.raises(ValueError, match="jump"):
        FakeClock().advance(-1)
