"""The state machine of ISA-18.2 as an operator meets it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plugins.alarms.tests.driving import GOOD, START, S, acknowledge, drive, series

from bedplate.model import SEVERITY, AlarmPriority, AlarmState, EventKind
from bedplate_alarms.states import TRANSITIONS, Trigger, after

HOT = {"tag": "temperature", "high": 65.0}


def test_an_alarm_is_raised_seen_and_over() -> None:
    press = drive(hot=HOT)
    assert press.states(2, temperature=series([1.0], [70.0])) == [("UNACKNOWLEDGED", 1.0)]
    assert press.states(4, acknowledge(3)) == [("ACKNOWLEDGED", 3.0)]
    assert press.states(6, temperature=series([5.0], [60.0])) == [("NORMAL", 5.0)]


def test_an_alarm_that_is_over_waits_for_the_operator() -> None:
    press = drive(hot=HOT)
    times = series([1.0, 2.0], [70.0, 60.0])
    assert press.states(3, temperature=times) == [
        ("UNACKNOWLEDGED", 1.0),
        ("RETURNED_UNACKNOWLEDGED", 2.0),
    ]
    assert press.states(9, acknowledge(8)) == [("NORMAL", 8.0)]


def test_an_unseen_alarm_that_comes_again_is_unacknowledged_again() -> None:
    press = drive(hot=HOT)
    found = press.stretch(4, temperature=series([1.0, 2.0, 3.0], [70.0, 60.0, 71.0]))
    assert [e.alarm.state.name for e in found if e.alarm][-1] == "UNACKNOWLEDGED"
    last = found[-1].alarm
    assert last is not None
    assert (last.active_since, last.returned_at, last.value) == (START + 3 * S, 0, 71.0)


def test_the_event_says_all_an_operator_needs() -> None:
    press = drive(hot=HOT | {"priority": "high", "do": "Stop the press", "text": "oil too hot"})
    (event,) = press.stretch(2, temperature=series([1.0], [70.5]))
    assert (event.source, event.kind) == ("acme/line1/press/hot", EventKind.ALARM)
    assert (event.text, event.severity) == ("oil too hot", SEVERITY[AlarmPriority.HIGH])
    alarm = event.alarm
    assert alarm is not None
    assert (alarm.tag, alarm.condition) == ("acme/line1/press/temperature", "temperature > 65")
    assert (alarm.do, alarm.value, alarm.priority) == ("Stop the press", 70.5, AlarmPriority.HIGH)
    assert event.component == "press-alarms"


def test_an_acknowledgement_is_written_down_with_who_and_why() -> None:
    press = drive(hot=HOT)
    press.stretch(2, temperature=series([1.0], [70.0]))
    (event,) = press.stretch(4, acknowledge(3, by="maria", text="on my way"))
    assert event.alarm is not None
    seen = event.alarm.acknowledged_by, event.alarm.acknowledged_at, event.alarm.comment
    assert seen == ("maria", START + 3 * S, "on my way")
    assert event.by == "maria"
    assert event.alarm.active_since == START + S


def test_a_second_acknowledgement_changes_nothing() -> None:
    press = drive(hot=HOT)
    press.stretch(2, temperature=series([1.0], [70.0]))
    assert len(press.stretch(4, acknowledge(3), acknowledge(3.5, by="otto"))) == 1
    assert press.stretch(5, acknowledge(4, by="otto")) == []


@pytest.mark.parametrize("limit", ["hot", "unknown", "hot/deeper"])
def test_an_acknowledgement_of_nothing_is_ignored(limit: str) -> None:
    assert drive(hot=HOT).stretch(4, acknowledge(3, limit)) == []


def test_a_person_acknowledges_what_was_on_the_screen_not_what_came_later() -> None:
    press = drive(hot=HOT)
    samples = series([1.0, 2.0, 4.0], [70.0, 60.0, 70.0])
    assert press.states(5, acknowledge(3), temperature=samples) == [
        ("UNACKNOWLEDGED", 1.0),
        ("RETURNED_UNACKNOWLEDGED", 2.0),
        ("NORMAL", 3.0),
        ("UNACKNOWLEDGED", 4.0),
    ]


def test_only_its_own_limit_is_acknowledged() -> None:
    press = drive(hot=HOT, hotter={"tag": "temperature", "high": 68.0})
    found = press.stretch(2, temperature=series([1.0], [70.0]))
    assert [e.source.rsplit("/")[-1] for e in found] == ["hot", "hotter"]
    (event,) = press.stretch(4, acknowledge(3, "hotter"))
    assert event.source.endswith("/hotter")


def test_the_table_has_no_dead_end_and_knows_four_states() -> None:
    states = {state for state, _ in TRANSITIONS} | set(TRANSITIONS.values())
    of_the_kernel = {AlarmState.UNSPECIFIED, AlarmState.OUT_OF_SERVICE}
    assert states == set(AlarmState) - of_the_kernel
    for state in states:
        assert any(after(state, trigger) for trigger in Trigger)


@given(st.lists(st.sampled_from(list(Trigger))))
def test_any_alarm_that_is_over_and_seen_is_normal(triggers: list[Trigger]) -> None:
    state = AlarmState.NORMAL
    for trigger in [*triggers, Trigger.RETURN, Trigger.ACKNOWLEDGE]:
        state = after(state, trigger) or state
    assert state is AlarmState.NORMAL


def test_out_of_service_drops_an_on_delay_and_ends_no_alarm() -> None:
    one = drive(hot={"tag": "t", "high": 65, "on_delay": "10s"})
    idle = 0x808D0000
    assert one.states(5, t=series([1, 4], [70, 70], [GOOD, idle])) == []
    assert one.states(60, t=series([30], [71], [idle])) == []
    assert one.states(90, t=series([61], [71])) == [("UNACKNOWLEDGED", 71)]
    assert one.states(200, t=series([100, 130], [20, 20], [idle, idle])) == []
    assert one.states(300, t=series([210], [20])) == [("RETURNED_UNACKNOWLEDGED", 210)]
