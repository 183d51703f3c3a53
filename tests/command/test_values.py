"""Values: what has no raw value never gets to the wire, and what has one is what was meant."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.command.rig import PRESS, Bench

from bedplate.command import Point, ReadBack, State
from bedplate.command.raw import Unfit, integer_bounds, same, served, wanted
from bedplate.config.deployment import WriteLimits
from bedplate.model import DataType

FLOAT, INT, UINT = DataType.FLOAT64, DataType.INT64, DataType.UINT64
STATES = {0: "stopped", 1: "running", 4: "stopped"}


def point(data_type: DataType = FLOAT, raw_type: str = "", **more: Any) -> Point:
    return Point(f"{PRESS}/x", "press-07", PRESS, data_type, raw_type, limits=WriteLimits(), **more)


REFUSED: dict[str, tuple[Point, Any, str]] = {
    "NaN": (point(), math.nan, "nan is no number"),
    "infinity": (point(), -math.inf, "-inf is no number"),
    "text for a number": (point(), "100", "is a text; the tag holds a number"),
    "bool for a number": (point(), True, "is a bool; the tag holds a number"),
    "number for a bool": (point(DataType.BOOL), 1, "is a whole number; the tag holds a bool"),
    "float for a whole number": (point(INT), 5.0, "is a number; the tag holds a whole number"),
    "bool for a whole number": (point(INT), False, "is a bool; the tag holds a whole number"),
    "number for a text": (point(DataType.TEXT), 5, "the tag holds a text"),
    "text for a blob": (point(DataType.BLOB), "x", "the tag holds a blob"),
    "a long text": (point(DataType.TEXT), "x" * 5000, "longer than 4096 bytes"),
    "half a surrogate": (point(DataType.TEXT), "\ud800", "not Unicode"),
    "70000 into uint16": (point(INT, "uint16"), 70_000, "70000 does not fit into uint16, which holds 0 to 65535"),
    "-1 into uint16": (point(INT, "uint16"), -1, "-1 does not fit into uint16"),
    "32768 into int16": (point(INT, "int16"), 32_768, "32768 does not fit into int16"),
    "-1 into uint64": (point(UINT), -1, "-1 does not fit into uint64"),
    "2**63 into int64": (point(INT), 2**63, "does not fit into int64"),
    "scaled beyond uint16": (point(raw_type="uint16", scale=(0.1, 0.0)), 7000.0, "70000 does not fit into uint16"),
    "scaled below uint16": (point(raw_type="uint16", scale=(0.1, 10.0)), 9.0, "-10 does not fit into uint16"),
    "unscaled fraction into int32": (point(raw_type="int32"), 12.5, "12.5 is no whole number; the device holds int32"),
    "too large for float32": (point(raw_type="float32"), 1e39, "1e+39 does not fit into float32"),
    "too small for float32": (point(raw_type="float32"), 1e-50, "too small for float32"),
    "scaled too large for float32": (point(raw_type="float32", scale=(1e-30, 0.0)), 1e20, "does not fit into float32"),
    "beyond what the scale holds": (point(scale=(1e-300, 0.0)), 1e300, "beyond what the scale can turn back"),
    "a scale of nothing": (point(scale=(0.0, 0.0)), 1.0, "beyond what the scale can turn back"),
    "2**53 + 1 for a number": (point(), 2**53 + 1, "more digits than"),
    "an unknown state": (point(INT, states=STATES), 2, "2 is none of its states: 0 stopped, 1 running, 4 stopped"),
    "an unknown label": (point(INT, states=STATES), "idle", '"idle" is none of its states'),
    "a label of two numbers": (point(INT, states=STATES), "stopped", "stands for several numbers"),
    "a type nobody knows": (point(DataType.UNSPECIFIED), 1.0, "its type is not known yet"),
    "nothing at all": (point(), None, "the tag holds a number"),
}  # fmt: skip


@pytest.mark.case("A65")
@pytest.mark.parametrize("case", REFUSED)
async def test_what_does_not_fit_is_rejected_before_the_wire(bench: Bench, case: str) -> None:
    one, value, said = REFUSED[case]
    bench.press.points[one.path] = one
    bench.press.shows("x", 1.0)
    command = await bench.submit(value, tag=one.path)
    assert command.state is State.REJECTED
    assert command.checks[-1].name == "limits"
    assert said in command.text
    assert not bench.effects


TAKEN: dict[str, tuple[Point, Any, Any, Any]] = {  # point, asked, raw, value as it will read
    "a number": (point(), 5, 5.0, 5.0),
    "a whole number": (point(INT), 5, 5, 5),
    "the largest uint64": (point(UINT), 2**64 - 1, 2**64 - 1, 2**64 - 1),
    "the largest uint16": (point(INT, "uint16"), 65_535, 65_535, 65_535),
    "a bool": (point(DataType.BOOL), False, False, False),
    "a text": (point(DataType.TEXT), "Räder", "Räder", "Räder"),
    "a blob": (point(DataType.BLOB), b"\0", b"\0", b"\0"),
    "a label": (point(INT, states=STATES), "running", 1, 1),
    "a state": (point(INT, states=STATES), 4, 4, 4),
    "a whole number in a register of its own": (point(raw_type="int32"), 12.0, 12, 12.0),
    "on a raw step": (point(raw_type="int16", scale=(0.1, 0.0)), 12.3, 123, 12.3),
    "between raw steps": (point(raw_type="uint16", scale=(1600 / 27648, 0.0)), 801.0, 13841, 13841 * 1600 / 27648),
    "an offset": (point(raw_type="int16", scale=(0.5, -40.0)), -40.5, -1, -40.5),
    "a falling scale": (point(raw_type="int16", scale=(-0.5, 0.0)), 3.0, -6, 3.0),
    "a real behind a scale": (point(raw_type="float32", scale=(0.001, 0.0)), 1.5, 1500.0, 1.5),
    "a scale to nobody knows what": (point(scale=(0.1, 0.0)), 12.34, pytest.approx(123.4), 12.34),
}  # fmt: skip


@pytest.mark.parametrize("case", TAKEN)
async def test_what_fits_is_sent_as_the_device_holds_it(bench: Bench, case: str) -> None:
    one, asked, raw, value = TAKEN[case]
    bench.press.points[one.path] = one
    bench.press.raw[one.path] = None
    bench.press.shows("x", value)
    command = await bench.submit(asked, tag=one.path)
    assert command.state is State.VERIFIED, command.text
    assert bench.effects == [(one.path, raw)]
    assert type(bench.effects[0][1]) is type(wanted(one, asked).raw)
    assert command.value == command.read_back or math.isclose(command.value, command.read_back)
    assert command.value == (pytest.approx(value) if isinstance(value, float) else value)


async def test_a_rounded_value_is_told(bench: Bench) -> None:
    one = point(raw_type="uint16", scale=(0.5, 0.0))
    bench.press.points[one.path] = one
    bench.press.shows("x", 10.0)
    command = await bench.submit(10.8, tag=one.path, dry_run=True)
    assert command.value == 11.0
    assert "10.8 becomes 11, the nearest step of the device" in [
        check.text for check in command.checks
    ]


async def test_what_it_becomes_must_be_within_the_range_too(bench: Bench) -> None:
    one = Point(
        f"{PRESS}/x",
        "press-07",
        PRESS,
        FLOAT,
        "uint16",
        scale=(1.0, 0.0),
        limits=WriteLimits(range=(0.4, 5.0)),
    )
    bench.press.points[one.path] = one
    bench.press.shows("x", 1.0)
    command = await bench.submit(0.45, tag=one.path)
    assert command.text == "0.0 is outside 0.4 to 5"


@pytest.mark.parametrize("value", [9.99, 120.5])
async def test_the_range_of_the_limits_holds(bench: Bench, value: float) -> None:
    bench.press.limit(step=None)
    command = await bench.submit(value)
    assert command.text == f"{value} is outside 10 to 120"


async def test_the_range_of_the_tag_holds_too(bench: Bench) -> None:
    bench.press.alter(range=(0.0, 105.0))
    assert (await bench.submit(106.0)).text == "106.0 is outside 0 to 105"


async def test_a_tag_without_limits_is_read_only(bench: Bench) -> None:
    bench.press.alter(limits=None)
    assert (await bench.submit()).text.startswith("the tag is read-only")
    assert (await bench.submit(tag=f"{PRESS}/nowhere")).text == "there is no such tag"


async def test_a_step_of_exactly_what_is_allowed_is_taken(bench: Bench) -> None:
    bench.press.limit(step=0.1)
    bench.press.shows("speed_setpoint", 100.2)
    assert (await bench.submit(100.3)).state is State.VERIFIED  # 0.1 is no binary fraction
    assert (await bench.submit(100.41)).text == "100.3 → 100.41 is further than 0.1 at once"


INTEGERS = ["int8", "uint8", "int16", "uint16", "int32", "uint32"]


@given(
    st.sampled_from(INTEGERS),
    st.floats(-1e4, 1e4).filter(lambda gain: abs(gain) > 1e-4),
    st.floats(-1e4, 1e4),
    st.floats(-1e9, 1e9),
)
def test_a_raw_value_is_half_a_step_away_at_most(
    raw_type: str, gain: float, offset: float, value: float
) -> None:
    one = point(raw_type=raw_type, scale=(gain, offset))
    low, high = integer_bounds(raw_type) or (0, 0)
    try:
        found = wanted(one, value)
    except Unfit:
        assert not low + 1 <= (value - offset) / gain <= high - 1
        return
    assert low <= found.raw <= high
    step = abs(gain) / 2 * (1 + 1e-6) + 1e-6
    assert abs(served(one, found.raw) - value) <= step
    assert abs(found.value - value) <= step


@given(
    st.floats(allow_nan=True, allow_infinity=True, width=32)
    | st.integers(-(2**31), 2**31 - 1)
    | st.booleans()
)
def test_only_what_was_sent_reads_back(value: Any) -> None:
    one = point(raw_type="float32")
    if isinstance(value, float) and not math.isnan(value):
        assert same(one, value, float(np.float32(value)))
        assert not same(
            one, value, float(np.nextafter(np.float32(value), np.float32(1e30)))
        ) or math.isinf(value)
    elif not isinstance(value, float):
        assert same(one, value, value)
        assert not same(one, value, "x")


async def test_a_device_that_holds_float32_is_believed(bench: Bench) -> None:
    bench.press.takes = lambda raw: float(np.float32(raw))
    command = await bench.submit(100.1)
    assert command.state is State.VERIFIED
    assert command.read_back != 100.1


async def test_a_device_that_rounds_is_a_mismatch(bench: Bench) -> None:
    bench.press.reads = lambda path: ReadBack(100.0)
    command = await bench.submit(100.4)
    assert command.state is State.MISMATCH
    assert command.text == "it reads back 100.0, not 100.4; nothing is sent to correct it"
    assert len(bench.effects) == 1
    assert bench.alarms == [command]


@pytest.mark.case("A65")
@pytest.mark.parametrize("value", [4_000_000_001, 4_000_000_003, 9])
async def test_a_whole_number_beyond_its_range_is_not_let_through_by_rounding(
    bench: Bench, value: int
) -> None:
    limits = WriteLimits(range=(10.0, 4_000_000_000.0))
    path = bench.press.has("count", 20, data_type=UINT, raw_type="uint64", limits=limits)
    command = await bench.submit(value, tag=path)
    assert (command.state, command.checks[-1].name) == (State.REJECTED, "limits"), command.text


async def test_a_step_of_whole_numbers_is_exact(bench: Bench) -> None:
    limits = WriteLimits(step=4_000_000_000.0)
    path = bench.press.has("count", 0, data_type=UINT, raw_type="uint64", limits=limits)
    command = await bench.submit(4_000_000_003, tag=path)
    assert (command.state, command.checks[-1].name) == (State.REJECTED, "step"), command.text
