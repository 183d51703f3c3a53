"""Whether the tests here would notice: each takes one thing out of the guard, and then a test of its must fail.

That each check would be missed is shown in test_checks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
from tests.command import (
    test_checks,
    test_crash_points,
    test_in_flight,
    test_interlocks,
    test_once,
    test_rates,
    test_two_people,
    test_values,
)
from tests.command.rig import Bench

from bedplate.command import State
from bedplate.command.book import Book
from bedplate.command.case import Case
from bedplate.command.command import EDGES
from bedplate.command.course import Course
from bedplate.command.plant import Sending
from bedplate.command.rates import Rates
from bedplate.command.written import Written


@dataclass(frozen=True)
class Bug:
    """name: what is wrong · put: of what is replaced, what, by what · seen: the test that must fail, with `more`."""

    name: str
    put: tuple[Any, str, Any]
    seen: Callable[..., Any]
    more: Mapping[str, Any] = field(default_factory=dict)


async def no_audit(self: Course, case: Case) -> None:
    case.move(State.INTENT_AUDITED)


async def nothing(self: Any, *arguments: Any, **more: Any) -> None:
    return None


async def sends_again(self: Course, case: Case, point: Any, sent: Any) -> None:
    """Once more when nobody knows."""
    if sent.outcome is Sending.UNKNOWN:
        sent = await self._world.plant.send(point, case.wanted.raw, "again", 1.0)  # type: ignore[union-attr]
    await seen_through(self, case, point, sent)


async def not_marked(self: Book, command: Any, content: str, *, told: bool) -> bool:
    """What may have been sent is not on disk before it is."""
    return command.state is State.SENT or await put(self, command, content, told=told)


def believes(self: Case, point: Any) -> tuple[Any, str]:
    """Whatever its quality and age."""
    reading = self.reading(point.path)
    return (reading.value, "") if reading else (None, "no value")


def reserves_nothing(self: Course, case: Case, point: Any) -> None:
    return None


seen_through, put = Course._seen_through, Book.put
COURSE = "bedplate.command.course."
GUARD = "bedplate.command.guard."
checks, flight, once, rates = test_checks, test_in_flight, test_once, test_rates
crash, locks, people, values = test_crash_points, test_interlocks, test_two_people, test_values
deaf = property(lambda self: "", lambda self, why: None)
BUGS = [
    Bug(
        "no intent is audited",
        (Course, "_say", no_audit),
        checks.test_without_an_audit_log_nothing_is_sent,
    ),
    Bug(
        "no last look",
        (Course, "_last_look", nothing),
        flight.test_a_kill_switch_stops_what_is_armed,
    ),
    Bug("no lease", (COURSE + "LEASE", "", 1e9), flight.test_what_is_armed_has_ten_seconds),
    Bug(
        "two at a time",
        (Course, "_reserve", reserves_nothing),
        checks.test_a_device_has_one_write_at_a_time,
    ),
    Bug(
        "sent again",
        (Course, "_seen_through", sends_again),
        flight.test_after_a_cut_nothing_more_is_sent,
        {"case": "told"},
    ),
    Bug(
        "all is verified",
        (COURSE + "same", "", lambda *a: True),
        values.test_a_device_that_rounds_is_a_mismatch,
    ),
    Bug("no alarm", (Course, "finish", nothing), flight.test_one_that_cannot_be_read_is_unknown),
    Bug(
        "an old value",
        (Written, "newer", lambda s, p, r, n: r),
        rates.test_of_two_that_race_on_one_tag_the_second_finds_it_changed,
    ),
    Bug(
        "no rates",
        (Rates, "wait", lambda *a: 0.0),
        rates.test_a_hundred_commands_in_a_second_from_one_identity,
    ),
    Bug(
        "no giving back",
        (Rates, "give_back", lambda *a: None),
        rates.test_what_was_not_sent_costs_the_tag_nothing,
    ),
    Bug(
        "no quality",
        (Case, "good", believes),
        locks.test_a_tag_that_is_not_known_lets_nothing_through,
        {"case": "stale", "text": "guard_closed"},
    ),
    Bug(
        "anybody approves",
        (GUARD + "objection", "", lambda *a: ""),
        people.test_not_everybody_is_a_second_person,
        {"case": "the one who submitted"},
    ),
    Bug(
        "the wall clock",
        (Case, "now", lambda self: self.world.clock.time_ns() / 1e9),
        people.test_a_clock_that_is_set_forward_expires_nothing,
    ),
    Bug(
        "approvals for ever",
        (COURSE + "WAITS", "", 1e9),
        people.test_an_approval_after_five_minutes_comes_too_late,
        {"set_back": 0},
    ),
    Bug(
        "one intent",
        (COURSE + "intent", "", lambda case: "0"),
        people.test_every_part_of_a_wish_is_in_the_intent,
    ),
    Bug(
        "the book is not read",
        (Book, "find", nothing),
        once.test_a_repeat_gets_the_result_of_the_first,
    ),
    Bug(
        "deaf",
        (Case, "withdrawn", deaf),
        flight.test_who_hangs_up_while_it_is_checked_takes_it_back,
    ),
    Bug(
        "not marked",
        (Book, "put", not_marked),
        crash.test_what_was_sent_when_the_kernel_died_is_unknown_and_is_told,
    ),
    Bug(
        "a way back",
        (EDGES, State.SENT, EDGES[State.SENT] | {State.ARMED}),
        flight.test_no_way_leads_back,
    ),
]


async def tried(bug: Bug, bench: Bench, tmp_path: Path) -> None:
    there = {"bench": bench, "tmp_path": tmp_path} | bug.more
    result = bug.seen(**{name: there[name] for name in signature(bug.seen).parameters})
    if result is not None:
        await result


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
async def test_it_would_be_seen(bug: Bug, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    where, name, what = bug.put
    if isinstance(where, str):
        monkeypatch.setattr(where, what)
    elif isinstance(where, dict):
        monkeypatch.setitem(where, name, what)
    else:
        monkeypatch.setattr(where, name, what, raising=False)
    bench = Bench()
    await bench.guard.open()
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        await tried(bug, bench, tmp_path)
    monkeypatch.undo()
    await bench.guard.close()
