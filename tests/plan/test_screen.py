"""A plan as people read it."""

from __future__ import annotations

from io import StringIO

from bedplate.cli.planned import planned
from bedplate.cli.screen import Screen
from bedplate.client.deployments import Plan, PlannedStep

HALL = "acme/berlin/hall"


def shown(*steps: PlannedStep, **more: tuple[str, ...]) -> list[str]:
    stream = StringIO()
    screen = Screen(stream)
    for thing in planned(Plan(37, steps, **more), "plant.yaml against deployment 37"):
        screen.show(thing)
    return [line.strip() for line in stream.getvalue().splitlines()]


def press(number: int, step: str, why: str, gap: float = 0.0) -> PlannedStep:
    return PlannedStep(f"press-{number:02}", step, why, gap, (f"{HALL}/press-{number:02}",))


def test_forty_presses_with_one_reason_are_one_line() -> None:
    lines = shown(*(press(n, "reconfigure", "deadband of heat 0.2 → 0.5") for n in range(40)))

    assert (
        "reconfigure  40 × press-…  deadband of heat 0.2 → 0.5    –  40 below acme/berlin/hall"
        in lines
    )
    assert "No value is missed." in lines


def test_forty_that_differ_in_values_alone_are_one_line_too() -> None:
    steps = [press(n, "restart", f"host 10.0.0.{n} → 10.0.1.{n}", 1 + n / 40) for n in range(40)]
    lines = shown(*steps)

    assert "restart  40 × press-…  host differs  ≤ 2.0 s  40 below acme/berlin/hall" in lines
    assert "40 machines are not heard for about 2.0 s, side by side." in lines


def test_few_are_named_with_their_machines() -> None:
    lines = shown(press(7, "restart", "address of force f → g", 1.5))

    assert "restart  press-07   address of force f → g  1.5 s  acme/berlin/hall/press-07" in lines
    assert "acme/berlin/hall/press-07 is not heard for about 1.5 s." in lines


def test_untouched_is_only_counted_and_problems_and_notices_are_told() -> None:
    steps = [PlannedStep(f"c{n}", "untouched") for n in range(12)]
    lines = shown(*steps, problems=("p.yaml:3  api: no",), notices=("mind this",))

    assert "12 untouched" in lines
    assert "✖  p.yaml:3  api: no" in lines
    assert "▲  mind this" in lines
    assert not [line for line in lines if "c1" in line]
