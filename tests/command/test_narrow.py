"""What a device of fewer digits makes of a number behind a scale."""

from __future__ import annotations

import math

import pytest
from tests.command.rig import Bench

from bedplate.command import Point, State
from bedplate.command.raw import alike, as_float32, same
from bedplate.config.deployment import WriteLimits
from bedplate.model import DataType

OFFSET = 1e9  # where a float32 goes on in steps of 64


async def test_what_float32_makes_of_it_must_be_within_the_range_too(bench: Bench) -> None:
    path = bench.press.has(
        "level",
        40.0,
        data_type=DataType.FLOAT64,
        raw_type="float32",
        scale=(1.0, OFFSET),
        limits=WriteLimits(range=(10.0, 60.0)),
    )
    command = await bench.submit(20.0, tag=path)  # would be 0
    assert (command.state, command.checks[-1].name) == (State.REJECTED, "limits"), command.text
    assert not bench.effects


async def test_what_float32_makes_of_it_is_told(bench: Bench) -> None:
    path = bench.press.has(
        "level",
        40.0,
        data_type=DataType.FLOAT64,
        raw_type="float32",
        scale=(1.0, OFFSET),
        limits=WriteLimits(range=(10.0, 100.0)),
    )
    bench.press.takes = as_float32
    command = await bench.submit(50.0, tag=path)
    assert command.state is State.VERIFIED, command.text
    assert command.value == pytest.approx(64.0)
    assert command.read_back == pytest.approx(64.0)


@pytest.mark.parametrize(
    ("sent", "read"), [(1e39, 1e40), (1e39, math.inf), (-1e39, -2e39), (1e-50, 0.0)]
)
def test_what_float32_does_not_hold_is_not_taken_for_the_same(sent: float, read: float) -> None:
    point = Point("a/b", "b", "a", DataType.FLOAT64)
    assert not same(point, sent, read)
    assert not alike(sent, read)
    assert same(point, sent, sent)
    assert alike(read, read)
