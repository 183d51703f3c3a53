"""The matrix: what happens → how many lines, which words, whose it is, how many alarms."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from tests.causes.acme import AT, plant, presses, silent, without
from tests.causes.situations import SITUATIONS, Situation

from bedplate.journal.embedded import EmbeddedEngine
from bedplate.model import AlarmState, Event
from bedplate.runtime.cause_alarms import CauseAlarms
from bedplate.runtime.causes import Cause, Fact, Member, Spot, Whose, causes
from bedplate.runtime.kernel_alarms import KernelAlarms
from bedplate.runtime.spine import Spine
from bedplate.testing.clock import FakeClock

EACH = pytest.mark.parametrize("one", SITUATIONS, ids=lambda one: one.name)


class Night:
    """A clock, an alarm book, and facts that come and go."""

    def __init__(
        self, engine: EmbeddedEngine, clock: FakeClock, members: dict[str, Member]
    ) -> None:
        self.clock, self.members = clock, members
        self.facts: Sequence[Fact] = ()
        self.spine = Spine(engine, clock)
        self.restart()

    def restart(self) -> None:
        """Of the one who raises alarms; the book stands."""
        self.alarms = CauseAlarms(
            KernelAlarms(self.spine), self.clock, self._well, lambda c: self.members[c].path
        )

    def _well(self, component: str) -> bool:
        return all(fact.component != component for fact in self.facts)

    def goes_on(self, seconds: float, facts: Sequence[Fact]) -> None:
        self.facts = facts
        for _ in range(round(seconds)):
            self.clock.advance(1)
            self.alarms.look(self.causes())

    def causes(self) -> list[Cause]:
        return causes(self.facts, self.members)

    def standing(self) -> list[Event]:
        return [
            e
            for e in self.spine.alarms.standing()
            if e.alarm and e.alarm.state is AlarmState.UNACKNOWLEDGED
        ]


@pytest.fixture
async def night(tmp_path: Path):  # type: ignore[no-untyped-def]
    clock = FakeClock(AT)
    engine = EmbeddedEngine(tmp_path, clock=clock)
    await engine.open()
    yield Night(engine, clock, plant())
    await engine.close()


@EACH
def test_each_situation_is_told_in_its_words(one: Situation) -> None:
    found = causes(one.facts, without(plant(), *one.off))

    assert len(found) == one.causes, [cause.problem for cause in found]
    assert (found[0].subject, found[0].text) == (one.subject, one.line)
    assert found[0].whose is one.whose
    assert all(cause.advice and all(cause.advice) for cause in found), (
        "something can always be done"
    )
    assert not any("{" in line for cause in found for line in cause.advice)


@EACH
async def test_each_situation_raises_its_alarms_once_and_they_return(
    one: Situation, night: Night
) -> None:
    night.members = without(plant(), *one.off)
    night.goes_on(9, one.facts)
    assert night.standing() == [], "nothing is raised before it has settled"
    night.goes_on(56, one.facts)
    raised = night.standing()

    assert len(raised) == one.alarms, [e.source for e in raised]
    assert not raised or raised[0].alarm.priority.name.lower() == one.priority  # type: ignore[union-attr]
    assert all("bedplate why" in e.alarm.do for e in raised if e.alarm)
    night.goes_on(60, one.facts)
    assert night.standing() == raised, "it is raised once"
    night.goes_on(6, [])
    assert night.standing() == []


@EACH
def test_the_order_of_facts_does_not_matter(one: Situation) -> None:
    members = without(plant(), *one.off)
    expected, facts = causes(one.facts, members), list(one.facts)
    for seed in range(5):
        random.Random(seed).shuffle(facts)
        assert causes(facts, members) == expected


def test_a_machine_with_several_servers_is_named_by_its_address() -> None:
    members = plant()
    for number, id_ in enumerate(("press-03", "packer-1")):
        members[id_] = replace(members[id_], spots=(Spot("10.20.7.1", 4840 + number),))
    (cause,) = causes([silent("press-03"), silent("packer-1", 1.5)], members)
    assert (cause.subject, cause.whose) == ("10.20.7.1", Whose.DEVICE)
    assert cause.text.startswith("2 of 2 devices silent within 1.5 s at 02:14:07 UTC, at 10.20.7.1")


async def test_nine_that_fall_silent_one_after_the_other_are_one_alarm(night: Night) -> None:
    every = presses(11, 19)
    for count in range(1, 10):
        night.goes_on(1, every[:count])
    night.goes_on(20, every)
    assert len(night.standing()) == 1
    night.goes_on(60, every[:4])  # five are back
    assert len(night.standing()) == 1
    night.goes_on(6, [])
    assert night.standing() == []


async def test_another_device_later_is_another_alarm_and_the_first_stays_one(night: Night) -> None:
    night.goes_on(20, presses(11, 19))
    later = silent("press-31", 3600)
    night.goes_on(20, [*presses(11, 19), later])
    assert sorted(e.source for e in night.standing()) == [
        "acme/berlin/press-shop/line4/press-31/unreachable",
        "cause/10.20.1.21-29/unreachable",
    ]


async def test_a_moment_of_health_is_no_end_and_a_moment_of_silence_no_alarm(night: Night) -> None:
    night.goes_on(8, presses(11, 19))
    night.goes_on(60, [])
    assert night.standing() == []
    night.goes_on(20, presses(11, 19))
    night.goes_on(3, [])
    night.goes_on(3, presses(11, 19))
    assert len(night.standing()) == 1
    assert len({e.alarm.active_since for e in night.standing() if e.alarm}) == 1


async def test_an_alarm_of_a_cause_survives_a_restart_and_its_acknowledgement(night: Night) -> None:
    night.goes_on(20, presses(11, 19))
    (raised,) = night.standing()
    night.restart()
    night.goes_on(20, presses(11, 19))
    assert night.standing() == [raised]
    assert KernelAlarms(night.spine).acknowledge(raised.source, "operator-1", "")
    night.restart()
    night.goes_on(120, presses(11, 19))
    assert night.standing() == [], "acknowledged, and not raised anew"
    night.goes_on(6, [])
    event = night.spine.alarms.get(raised.source)
    assert event is not None
    assert event.alarm is not None
    assert event.alarm.state is AlarmState.NORMAL
