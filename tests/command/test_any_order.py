"""Whatever people, devices and disks do in whatever order: nothing is sent twice, unseen, unallowed or unwritten."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.command.rig import EMMA, ERIK, OLGA, SPEED, VERA, Bench
from tests.counts import count

from bedplate.command import EDGES, Command, Device, NoSuchCommand, ReadBack, Sending, Sent, State
from bedplate.command.case import Case
from bedplate.errors import Denied

PEOPLE = st.sampled_from([OLGA, OLGA, ERIK, EMMA, VERA])
MOSTLY = st.sampled_from([True, True, True, False])
IDS = st.sampled_from([*"abcdefghijkl"])
VALUES = st.sampled_from([95.0, 98.0, 100.0, 102.0, 105.0, 110.0, 130.0, 5.0])


class Plant(RuleBasedStateMachine):
    """One guard, one press, four people; restarts included."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = Path(tempfile.mkdtemp())
        self.bench = Bench(self.folder / "commands.sqlite")
        self.bench.press.limit(rate=(4, 60_000_000_000))
        self.ends: dict[tuple[str, str], Command] = {}
        self.effects: list[dict[str, Any]] = []
        self.bench.press.after_send = self._noted
        self._watch_moves()
        self.run(self.bench.guard.open())

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    def _watch_moves(self) -> None:
        """Every way that any command goes."""
        self.moves: list[tuple[State, State]] = []
        self._move, moves = Case.move, self.moves
        move = Case.move

        def noted(case: Case, state: State, text: str = "", **more: Any) -> None:
            before = case.command.state
            move(case, state, text, **more)
            moves.append((before, state))

        Case.move = noted  # type: ignore[method-assign]

    async def _noted(self) -> None:
        """What was so at the moment of an effect."""
        press = self.bench.press
        if press.answer.outcome in (Sending.NOT_SENT, Sending.EXPIRED):
            return
        command = self.bench.guard.in_flight("press-07")
        self.effects.append(
            {
                "command": command,
                "enabled": self.bench.rules.writes.enabled,
                "locked": press.state.locked,
                "guard": press.shown[f"{SPEED.rpartition('/')[0]}/guard_closed"][0],
                "said": [
                    entry.correlation
                    for entry in self.bench.audit.entries
                    if entry.action == "command.intent"
                ],
                "at": self.bench.time.mono,
            }
        )

    # --- people ---

    @rule(by=PEOPLE, id=IDS, value=VALUES, expects=st.sampled_from([None, None, None, 100.0]))
    def submits(self, by: Any, id: str, value: float, expects: Any) -> None:
        wish = self.bench.wish(value, command_id=id, if_current=expects)
        command = self.run(self.bench.guard.submit(wish, by))
        assert command.state is State.AWAIT_APPROVAL or command.state.ended

    @rule(by=PEOPLE, id=IDS, flip=st.sampled_from([False, False, True]))
    def approves(self, by: Any, id: str, flip: bool) -> None:
        found = [one for one in self.bench.guard.commands(waiting=True) if one.command_id == id]
        intent = found[0].intent if found else "0" * 64
        try:
            self.run(self.bench.guard.approve(id, intent[::-1] if flip else intent, by))
        except (NoSuchCommand, Denied):
            return

    @rule(by=PEOPLE, id=IDS)
    def takes_back(self, by: Any, id: str) -> None:
        try:
            self.run(self.bench.guard.cancel(id, by))
        except (NoSuchCommand, Denied):
            return

    @rule(by=st.sampled_from([OLGA, ERIK]), change=st.sampled_from([-5.0, 5.0]))
    def submits_what_may_be(self, by: Any, change: float) -> None:
        value = min(max(self.bench.press.raw[SPEED] + change, 10.0), 120.0)
        command = self.run(self.bench.submit(value, by=by))
        assert command.state is State.AWAIT_APPROVAL or command.state.ended

    @rule()
    def emma_approves_all(self) -> None:
        for one in self.bench.guard.commands(waiting=True):
            if one.by != EMMA:
                self.run(self.bench.guard.approve(one.command_id, one.intent, EMMA))

    # --- the world ---

    @rule(seconds=st.sampled_from([0.5, 4.0, 60.0, 301.0]))
    def time_goes_on(self, seconds: float) -> None:
        self.bench.time.goes_on(seconds)
        press = self.bench.press
        for name in ("speed_setpoint", "guard_closed", "state"):
            path = f"{SPEED.rpartition('/')[0]}/{name}"
            value = press.raw[path] if name == "speed_setpoint" else press.shown[path][0]
            press.shows(name, value)

    @rule(closed=MOSTLY)
    def guard_moves(self, closed: bool) -> None:
        self.bench.press.shows("guard_closed", closed)

    @rule(enabled=MOSTLY)
    def writing_is_switched(self, enabled: bool) -> None:
        writes = replace(self.bench.rules.writes, enabled=enabled)
        self.bench.rules = replace(self.bench.rules, writes=writes)

    @rule(
        state=st.sampled_from([*[Device(True)] * 4, Device(False, "away"), Device(True, "", "mia")])
    )
    def device_changes(self, state: Device) -> None:
        self.bench.press.state = state

    @rule(
        outcome=st.sampled_from([Sending.ANSWERED, Sending.ANSWERED, *Sending]),
        reads=st.sampled_from(["right", "right", "wrong", "not"]),
    )
    def device_answers(self, outcome: Sending, reads: str) -> None:
        press = self.bench.press
        press.answer = Sent(outcome, "so it is")
        press.reads = {
            "right": lambda path: ReadBack(press.raw[path]),
            "wrong": lambda path: ReadBack(1.0),
            "not": lambda path: ReadBack(None, "cut"),
        }[reads]

    @rule(failed=st.sampled_from(["", "", "", "", "no space left"]))
    def audit_log(self, failed: str) -> None:
        self.bench.audit.failed = failed

    @precondition(lambda self: self.moves)
    @rule()
    def restarts(self) -> None:
        self.run(self.bench.guard.close())
        self.run(self.bench.another_guard().open())

    # --- what holds ---

    @invariant()
    def nothing_is_sent_twice(self) -> None:
        sent = [(one["command"].by.id, one["command"].command_id) for one in self.effects]
        assert len(sent) == len(set(sent))

    @invariant()
    def nothing_is_sent_that_may_not_be(self) -> None:
        for one in self.effects:
            command = one["command"]
            assert one["enabled"]
            assert not one["locked"]
            assert one["guard"]
            assert command.command_id in one["said"]
            assert 10.0 <= command.value <= 120.0
            assert abs(command.value - command.old) <= 20.0
            assert command.by != VERA
            if command.by in (ERIK, EMMA):
                assert command.approved_by not in (None, command.by, VERA)

    @invariant()
    def the_machine_gets_no_more_than_it_bears(self) -> None:
        times = [one["at"] for one in self.effects]
        for first, fifth in zip(times, times[4:], strict=False):
            assert fifth - first >= 60.0

    @invariant()
    def an_end_stays_the_end(self) -> None:
        for command in self.bench.guard.commands():
            key = command.by.id, command.command_id
            if key in self.ends:
                assert (self.ends[key].state, self.ends[key].text) == (command.state, command.text)
            elif command.state.ended:
                self.ends[key] = command
        assert all(after in EDGES[before] for before, after in self.moves)

    def teardown(self) -> None:
        self.run(self.bench.guard.close())
        Case.move = self._move  # type: ignore[method-assign]
        self.loop.close()
        shutil.rmtree(self.folder)


TestPlant = pytest.mark.case("A68")(Plant.TestCase)
TestPlant.settings = settings(max_examples=count(20, 500), stateful_step_count=40, deadline=None)
