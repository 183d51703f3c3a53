"""The plant keeps its promises: plausible at every moment, and the same every time."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bedplate_simline.machine import SETPOINT_RANGE
from bedplate_simline.plant import CONVEYOR_CAPACITY, LEFT_OVER, Plant
from bedplate_simline.shift import Duty, Phase, Shift
from bedplate_simline.tags import ALL_TAGS, MACHINES, Kind, Value

SEEDS = st.integers(0, 2**32)
SHIFTS = st.sampled_from([10.0, 60.0, 600.0, 3600.0])
SETPOINTS = st.floats(*SETPOINT_RANGE)
MOVES = st.lists(
    st.tuples(st.floats(0.0, 40.0), st.sampled_from(MACHINES), SETPOINTS), min_size=1, max_size=12
)
PYTHON = {
    Kind.BOOLEAN: bool,
    Kind.INT32: int,
    Kind.UINT32: int,
    Kind.UINT64: int,
    Kind.DOUBLE: float,
    Kind.STRING: str,
}


def number(values: Mapping[str, Value], name: str) -> float:
    return float(values[name])


@settings(max_examples=60, deadline=None)
@given(SEEDS, SHIFTS, MOVES)
def test_whatever_is_done_the_line_stays_plausible(
    seed: int, shift: float, moves: list[tuple[float, str, float]]
) -> None:
    plant = Plant(seed, shift)
    seen = [plant.values()]
    for seconds, machine, setpoint in moves:
        plant.write(f"{machine}.speed_setpoint", setpoint)
        plant.advance(seconds)
        seen.append(plant.values())
    for values in seen:
        assert_plausible(values)
    for before, after in pairwise(seen):
        assert_nothing_is_uncounted(before, after)


def assert_plausible(values: Mapping[str, Value]) -> None:
    for machine in MACHINES:
        assert values[f"{machine}.state"] in {0, 1, 2, 3, 4}
        assert (values[f"{machine}.fault_code"] != 0) == (values[f"{machine}.state"] == 3)
        assert (values[f"{machine}.fault_text"] != "") == (values[f"{machine}.state"] == 3)
        good, total = (number(values, f"{machine}.parts_{kind}") for kind in ("good", "total"))
        assert 0 <= good <= total
        assert number(values, f"{machine}.power") >= 0
        assert 0 < number(values, f"{machine}.power_factor") <= 1
        assert 0 <= number(values, f"{machine}.speed") < 150
    for belt in ("capper", "labeller"):
        assert 0 <= number(values, f"line.bottles_before_{belt}") <= CONVEYOR_CAPACITY
    assert number(values, "labeller.labels_left") >= 0
    # no bottle appears or vanishes between two machines
    for up, down in pairwise(MACHINES):
        waiting = number(values, f"line.bottles_before_{down}") - LEFT_OVER
        taken = number(values, f"{down}.parts_total")
        assert number(values, f"{up}.parts_good") == taken + waiting


def assert_nothing_is_uncounted(before: Mapping[str, Value], after: Mapping[str, Value]) -> None:
    for machine in MACHINES:
        for counter in ("parts_total", "parts_good", "energy"):
            assert number(after, f"{machine}.{counter}") >= number(before, f"{machine}.{counter}")


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.lists(st.integers(0, 20_000), max_size=30))
def test_the_same_seed_gives_the_same_trajectory_however_time_is_cut(
    seed: int, milliseconds: list[int]
) -> None:
    whole, cut = Plant(seed), Plant(seed)
    for step in milliseconds:
        cut.advance(step / 1000)
    whole.advance(sum(milliseconds) / 1000)
    assert cut.values() == whole.values()


def test_another_seed_gives_another_trajectory() -> None:
    one, other = Plant(1), Plant(2)
    one.advance(300)
    other.advance(300)
    assert one.values() != other.values()


def test_every_tag_has_a_value_of_its_type() -> None:
    plant = Plant()
    plant.advance(30)
    values = plant.values()
    assert values.keys() == ALL_TAGS.keys()
    for name, spec in ALL_TAGS.items():
        assert type(values[name]) is PYTHON[spec.kind], name
        assert plant.read(name) == values[name]


@pytest.mark.parametrize("seed", range(20))
def test_ten_minutes_show_everything(seed: int) -> None:
    plant = Plant(seed)
    states: dict[str, Counter[Value]] = {machine: Counter() for machine in MACHINES}
    phases, faults = set(), Counter[Value]()
    codes = dict.fromkeys(MACHINES, 0)
    for _ in range(6000):
        plant.advance(0.1)
        phases.add(plant.read("line.phase"))
        for machine in MACHINES:
            states[machine][plant.read(f"{machine}.state")] += 1
            code = int(plant.read(f"{machine}.fault_code"))
            faults[code] += code != codes[machine]
            codes[machine] = code
    assert phases == {phase.value for phase in Phase}
    assert faults[11] >= 2
    assert faults[21] >= 3
    assert faults[31] >= 2
    for machine in MACHINES:
        assert states[machine].keys() == {0, 1, 2, 3, 4}
        assert states[machine][1] > 3000, "most of the time the line runs"
        assert 550 <= int(plant.read(f"{machine}.parts_total")) <= 1180


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("shift", [600.0, 28_800.0])
def test_the_first_minute_is_interesting_already(seed: int, shift: float) -> None:
    plant = Plant(seed, shift)
    plant.advance(10)
    assert all(plant.read(f"{machine}.state") == 1 for machine in MACHINES)
    assert int(plant.read("filler.parts_total")) > 5
    jammed = warm = False
    for _ in range(500):
        plant.advance(0.1)
        jammed |= plant.read("capper.fault_code") == 21
        warm |= float(plant.read("filler.temperature")) > 10.0
    assert jammed
    assert warm


def test_power_follows_the_machine() -> None:
    plant = Plant()
    plant.advance(20)
    assert plant.read("filler.state") == 1
    assert 10.0 < float(plant.read("filler.power")) < 14.0
    while plant.read("capper.state") != 3:
        plant.advance(0.1)
    plant.advance(5)
    assert float(plant.read("capper.power")) < 1.3


def test_a_lower_setpoint_slows_the_machine_down() -> None:
    plant = Plant()
    plant.advance(15)
    plant.write("filler.speed_setpoint", 60.0)
    plant.advance(5)
    assert float(plant.read("filler.speed")) == pytest.approx(60.0, abs=2.0)
    assert plant.read("filler.speed_setpoint") == 60.0


@pytest.mark.parametrize("value", [39.9, 140.1, -1.0, math.nan, math.inf])
def test_a_setpoint_outside_its_range_is_refused(value: float) -> None:
    plant = Plant()
    with pytest.raises(ValueError, match="outside 40 to 140"):
        plant.write("capper.speed_setpoint", value)
    assert plant.read("capper.speed_setpoint") == 124.0


def test_what_cannot_be_written_says_so() -> None:
    plant = Plant()
    with pytest.raises(PermissionError, match="read-only"):
        plant.write("filler.parts_total", 0)
    with pytest.raises(KeyError):
        plant.write("palletiser.speed_setpoint", 60)


def test_a_short_shift_has_all_phases_too() -> None:
    shift = Shift(10.0)
    assert {shift.phase(tenth / 10) for tenth in range(100)} == set(Phase)


def test_a_changeover_begins_the_next_order_and_a_new_shift_keeps_it() -> None:
    shift = Shift(600.0)
    orders = [shift.order(now) for now in (0.0, 400.0, 410.0, 599.0, 601.0)]
    assert orders == ["PO-4711", "PO-4711", "PO-4712", "PO-4712", "PO-4712"]


def test_machines_stop_one_after_the_other() -> None:
    shift = Shift(600.0)
    assert [shift.duty(position, 254.0) for position in range(3)] == [
        Duty.STOP,
        Duty.PRODUCE,
        Duty.PRODUCE,
    ]


@pytest.mark.parametrize("length", [0.0, 9.9, -600.0, 1e9, math.nan])
def test_a_shift_of_no_sensible_length_is_refused(length: float) -> None:
    with pytest.raises(ValueError, match="between 10 s and 7 days"):
        Plant(shift=length)


@pytest.mark.parametrize("seconds", [-0.1, math.nan, math.inf])
def test_time_only_goes_forward(seconds: float) -> None:
    with pytest.raises(ValueError, match="goes forward"):
        Plant().advance(seconds)
