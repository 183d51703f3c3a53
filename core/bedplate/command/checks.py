"""The checks before anything is sent, in their fixed order. All of them are the kernel's own; plugins only add denials.

Each returns one sentence for what it found, or raises Against. The last two, and the read-back, are in `course`.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bedplate.command.approval import objection
from bedplate.command.case import Case
from bedplate.command.command import State
from bedplate.command.intent import intent
from bedplate.command.kill_switch import thrown
from bedplate.command.permission import matching, permitted
from bedplate.command.plant import Point
from bedplate.command.rates import Rate
from bedplate.command.raw import Unfit, alike, exact, typed, wanted
from bedplate.command.world import World
from bedplate.interlock import BadInterlock, Fact, judge, parse
from bedplate.model import DataType

TAG = Rate(60, 60.0)  # where `rate` says nothing
DEVICE = Rate(100, 10.0)
CLOSE = 1e-9  # of a number: what floats make of the same decimal


class Against(Exception):
    """What one check has against a command. state: how it ends."""

    def __init__(self, text: str, state: State = State.REJECTED) -> None:
        super().__init__(text)
        self.state = state


def kill_switch(case: Case) -> str:
    """1 · files, `writes.enabled`, what can't be stored, maintenance of the device."""
    if why := stopped(case.world, case.trouble):
        raise Against(why)
    point = case.point
    if point and (locked := case.world.plant.device(point.device).locked):
        raise Against(f"{point.device} is set aside: {locked}")
    return "nothing stops writing"


def stopped(world: World, trouble: str) -> str:
    """Why nothing at all is written now; empty: it may. trouble: why commands can't be taken."""
    rules = world.rules()
    if why := thrown(rules.kill_switches):
        return why
    if not rules.writes.enabled:
        return "writing is off: the deployment file says no `writes: {enabled: true}`"
    if why := world.plant.not_stored():
        return f"nothing is written while nothing can be stored: {why}"
    return trouble


async def identity(case: Case) -> str:
    """2 · who it is, the gate with its modules, and a rule of writes.allow whose calendar holds now."""
    if why := await permitted(case):
        raise Against(why)
    case.rule, where = matching(case, case.by)
    if case.rule is None:
        raise Against(where)
    return f"{case.by.id} may, by {where}"


def limits(case: Case) -> str:
    """3 · a tag with `write:`; type, finite, states, range; what the device can hold."""
    point = case.point
    if point is None:
        raise Against("there is no such tag")
    if point.limits is None:
        raise Against("the tag is read-only: the deployment file says no `write:` for it")
    try:
        case.wanted = wanted(point, case.wish.value)
        asked = typed(point, case.wish.value)
    except Unfit as error:
        raise Against(str(error)) from None
    for bounds in (point.limits.range, point.range):
        for value in (asked, case.wanted.value):
            _within(value, bounds)
    return case.wanted.text or "type, range and states are right"


def _within(value: object, bounds: tuple[float, float] | None) -> None:
    if bounds is None or isinstance(value, bool) or not isinstance(value, int | float):
        return
    low, high = bounds
    inside = low <= value <= high  # of whole numbers nothing is rounded
    if isinstance(value, float):
        inside = _at_most(low, value) and _at_most(value, high)
    if not inside:
        raise Against(f"{exact(value)} is outside {low:.15g} to {high:.15g}")


def _at_most(low: float, high: float) -> bool:
    return low <= high or math.isclose(low, high, rel_tol=CLOSE)


def step(case: Case) -> str:
    """4 · how far from the last value, which must be Good and fresh: nobody moves what nobody sees."""
    point = _point(case)
    old, why = case.good(point)
    if why:
        raise Against(f"what it is now is not known: {why}")
    new, most = _new(case), point.limits.step if point.limits else None
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in (old, new))
    if most is None or not numbers:
        return f"it is {exact(old)} now"
    far = abs(new - old)
    if not (far <= most if isinstance(far, int) else _at_most(far, most)):
        raise Against(f"{exact(old)} → {exact(new)} is further than {most:.15g} at once")
    return f"{exact(old)} → {exact(new)} is at most {most:.15g}"


def rate(case: Case) -> str:
    """5 · how often: everybody, the identity, the device, the tag."""
    if case.flood:
        raise Against(case.flood)
    point = _point(case)
    kept = point.limits.rate if point.limits else None
    mine = Rate(kept[0], kept[1] / 1e9) if kept else TAG
    rates = {f"tag {point.path}": mine, f"device {point.device}": DEVICE}
    for key, most in rates.items():
        if wait := case.rates.wait(key, most):
            raise Against(f"{key} takes at most {most}; next in {math.ceil(wait)} s")
    if case.arms:
        for key, most in rates.items():
            taken = key, case.rates.take(key, most)
            case.taken.append(taken)
    return f"at most {mine}"


def interlock(case: Case) -> str:
    """6 · other tags of the same asset, each Good and fresh; what is not known counts as false."""
    point = _point(case)
    text = point.limits.interlock if point.limits else ""
    if not text:
        return "there is none"
    plant = case.world.plant
    paths = plant.neighbours(point.asset)
    points = {name: found for name, path in paths.items() if (found := plant.point(path))}
    kinds = {name: _kind(one.data_type) for name, one in points.items()}
    states = {name: one.states for name, one in points.items() if one.states}
    try:
        tree = parse(text, kinds, states)
    except BadInterlock as error:
        raise Against(f"`{text}` can't be judged: {error}") from None
    outcome = judge(tree, kinds, lambda name: _fact(case, points[name]))
    if not outcome.holds:
        raise Against(f"`{text}` does not hold: {outcome.text}")
    return f"`{text}` holds: {outcome.text}"


def _kind(data_type: DataType) -> str:
    return "" if data_type is DataType.UNSPECIFIED else data_type.name.lower()


def _fact(case: Case, point: Point) -> Fact:
    value, why = case.good(point)
    device = case.world.plant.device(point.device)
    if not device.up or device.locked:
        value, why = None, device.locked or device.why or "its device is not up"
    return Fact(value, why, point.states)


def if_current(case: Case) -> str:
    """7 · only if it still is what the caller saw."""
    if case.wish.if_current is None:
        return "not asked for"
    point = _point(case)
    try:
        expected = typed(point, case.wish.if_current)
    except Unfit as error:
        raise Against(f"if_current: {error}") from None
    old, why = case.good(point)
    if why:
        raise Against(f"what it is now is not known: {why}")
    if not alike(expected, old):
        raise Against(f"it is {exact(old)} now, not {exact(expected)}")
    return f"it is {exact(old)}"


def idempotency(case: Case) -> str:
    """8 · one id, one command."""
    if case.earlier is not None:
        raise Against("this command id was used before, for something else")
    return "the command id is new"


def in_time(case: Case) -> str:
    """9 · not later than the caller said."""
    left = case.deadline - case.now()
    if left <= 0:
        raise Against(
            f"too late: it was not to be sent {case.wish.within:g} s after it came", State.EXPIRED
        )
    return f"{left:.1f} s are left"


def second_person(case: Case) -> str:
    """10 · another identity with another credential approves the hash of exactly this."""
    if case.rule is None or not case.rule.second_person:
        return "not needed"
    if case.approver is None:
        return "a second person must approve it"
    if why := objection(case, case.approver):
        raise Against(why)
    if intent(case) != case.command.intent:
        raise Against("something has changed since it was approved")
    if case.access != case.world.changes():  # nobody can ask any more who submitted it
        raise Against("who may do what has changed since it was submitted; submit it again")
    return f"{case.approver.id} has approved it"


@dataclass(frozen=True, slots=True)
class Check:
    """again: looked at once more right before it is sent."""

    name: str
    look: Callable[[Case], str | Awaitable[str]]
    again: bool = False


CHECKS: Sequence[Check] = (
    Check("kill-switch", kill_switch, again=True),
    Check("identity", identity),
    Check("limits", limits, again=True),
    Check("step", step, again=True),
    Check("rate", rate),
    Check("interlock", interlock, again=True),
    Check("if-current", if_current, again=True),
    Check("idempotency", idempotency),
    Check("in-time", in_time, again=True),
    Check("second-person", second_person, again=True),
)


def _point(case: Case) -> Point:
    if (point := case.point) is None:
        raise Against("there is no such tag")
    return point


def _new(case: Case) -> float:
    if case.wanted is None:
        raise Against("there is no value that could be written")
    value: float = case.wanted.value
    return value
