"""The course of one command, from its checks to its end: select, say what will be done, do it once, look.

Rule: on record before it is said, said (synced) before it is done, done once. Whatever goes wrong before it is sent
ends it; whatever goes wrong afterwards is UNKNOWN. Nothing here is tried again, and nothing is sent when a connection
comes or goes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from inspect import isawaitable
from typing import TypeVar

from bedplate.command import trail
from bedplate.command.approval import WAITS
from bedplate.command.book import Book
from bedplate.command.case import LEASE, Case
from bedplate.command.checks import CHECKS, Against, Check
from bedplate.command.command import State, Verdict
from bedplate.command.intent import content, intent
from bedplate.command.permission import matching
from bedplate.command.plant import Point, ReadBack, Sending, Sent
from bedplate.command.raw import exact, same, served
from bedplate.command.world import World
from bedplate.command.written import Written
from bedplate.errors import BedplateError

GRACE = 5.0  # s beyond its time after which a call of the plant is given up
LOOK = 0.1  # s between two tries to read back
FAILED = (OSError, EOFError, TimeoutError, BedplateError)
Look = Callable[[Case], str | Awaitable[str]]
T = TypeVar("T")


class Course:
    """One for the guard. in_flight: device → the command that holds it."""

    def __init__(
        self, world: World, book: Book, written: Written, checks: Sequence[Check] = CHECKS
    ) -> None:
        self._world, self._book, self._written = world, book, written
        self._checks = checks
        self.in_flight: dict[str, Case] = {}

    async def run(self, case: Case) -> None:
        """To its end, or until it waits for a second person; from there on again with an approver."""
        try:
            await self._check(case)
            if not case.arms:
                await self._wait(case)
                return
            await self._arm(case)
            await self._say(case)
            await self._send(case)
        except Against as against:
            case.move(against.state, str(against))
        await self.finish(case)

    async def dry(self, case: Case) -> None:
        """Every verdict; for one who may not write this tag none beyond that."""
        for check in self._checks:
            try:
                case.found(Verdict(check.name, True, await _now(check.look(case))))
            except Against as against:
                case.found(Verdict(check.name, False, str(against)))
                if check.name == "identity":
                    break
        self._note_intent(case)
        failed = next((one.text for one in case.command.checks if not one.passed), "")
        case.move(State.DRY_RUN, failed or "it would be sent")
        self._world.audit.add(trail.ended(case.command))

    async def finish(self, case: Case) -> None:
        """Keeps and tells the end of a command that has one."""
        command = case.command
        sent = command.state in (State.VERIFIED, State.MISMATCH, State.UNKNOWN)
        if not sent:
            for key, at in case.taken:
                case.rates.give_back(key, at)
        case.taken.clear()
        if command.state in (State.MISMATCH, State.UNKNOWN):
            self._world.alarm(command)
        if not sent:
            self._world.audit.add(trail.ended(command), urgent=True)
            await self._keep(case)
            return
        await self._keep(case, told=False)
        if await self._world.audit.write(trail.ended(command)):
            self._book.note(command, content(case.wish), told=True)

    # --- before ---

    async def _check(self, case: Case) -> None:
        """All of them in order, up to the first that stands against it. Raises Against."""
        case.command = replace(case.command, checks=())
        for check in self._checks:
            await self._judge(case, check.name, check.look)
        if case.withdrawn:
            raise Against(case.withdrawn, State.CANCELLED)
        self._note_intent(case)
        if case.command.state is State.PROPOSED:
            case.move(State.CHECKED)

    async def _judge(self, case: Case, name: str, look: Look) -> None:
        try:
            case.found(Verdict(name, True, await _now(look(case))))
        except Against as against:
            case.found(Verdict(name, False, str(against)))
            raise

    def _note_intent(self, case: Case) -> None:
        point = case.point
        if point is None or case.rule is None:
            return
        old, _ = case.good(point)
        _, where = matching(case, case.by)
        case.command = replace(
            case.command,
            value=case.wanted.value if case.wanted else case.wish.value,
            old=old,
            unit=point.unit,
            rule=where,
            approved_by=case.approver,
            intent=intent(case),
        )

    async def _wait(self, case: Case) -> None:
        case.waits_until = case.now() + WAITS
        case.move(State.AWAIT_APPROVAL, "a second person must approve it")
        await self._recorded(case)
        if case.withdrawn:  # meanwhile
            raise Against(case.withdrawn, State.CANCELLED)
        self._world.audit.add(trail.ended(case.command), urgent=True)

    async def _arm(self, case: Case) -> None:
        case.lease = case.now() + LEASE
        case.move(State.ARMED)
        await self._recorded(case)

    async def _recorded(self, case: Case) -> None:
        if not await self._keep(case):
            raise Against(self._book.trouble)

    async def _say(self, case: Case) -> None:
        """Check 11."""
        await self._judge(case, "audit", self._synced)
        case.move(State.INTENT_AUDITED)

    async def _synced(self, case: Case) -> str:
        if not await self._world.audit.write(trail.intended(case.command)):
            raise Against(f"the audit log can't be written: {self._world.audit.failed}")
        return "the audit log holds what will be done"

    # --- the effect ---

    async def _send(self, case: Case) -> None:
        """Check 12, a last look, and the one place from which anything is sent."""
        point = case.point
        if point is None or case.wanted is None:
            raise Against("there is no such tag any more")
        self._reserve(case, point)
        try:
            if not await self._book.put(
                replace(case.command, state=State.SENT), content(case.wish), told=False
            ):
                raise Against(
                    f"nothing is written while nothing can be stored: {self._book.trouble}"
                )
            await self._last_look(case)
            case.move(State.SENT)
            before = self._written.note(point.path, None, case.now())
            left = min(case.deadline, case.lease) - case.now()
            plant = self._world.plant
            sent = await _bounded(
                plant.send(point, case.wanted.raw, case.wish.command_id, left), left
            )
            await self._seen_through(case, point, sent or Sent(Sending.UNKNOWN, "no answer came"))
            if case.command.state in (State.REJECTED, State.EXPIRED):
                self._written.put_back(point.path, before)
        finally:
            self.in_flight.pop(point.device, None)

    def _reserve(self, case: Case, point: Point) -> None:
        """Check 12. Raises Against."""
        device = self._world.plant.device(point.device)
        other = self.in_flight.get(point.device)
        why = ""
        if not point.may_write:
            why = f"{point.device} may not write this tag: its plugin can't, or its manifest does not let it"
        elif not device.up:
            why = f"it was not sent, and will not be: {device.why or 'the device is not up'}"
        elif other is not None:
            why = f"{point.device} is busy with command {other.wish.command_id}; try again"
        case.found(Verdict("device", not why, why or f"{point.device} is up and free"))
        if why:
            raise Against(why)
        self.in_flight[point.device] = case

    async def _last_look(self, case: Case) -> None:
        """What may have changed since; nothing comes between this and sending. Raises Against."""
        case.trouble = self._book.trouble
        for check in self._checks:
            if check.again:
                case.command = replace(case.command, text=await _now(check.look(case)))
        if case.point and not (device := self._world.plant.device(case.point.device)).up:
            raise Against(
                f"it was not sent, and will not be: {device.why or 'the device is not up'}"
            )
        if case.now() > case.lease:
            raise Against(f"it was armed more than {LEASE:g} s ago", State.EXPIRED)
        rule, why = matching(case, case.by)
        if rule != case.rule:
            raise Against("the rules of writing have changed" if rule else why)
        if intent(case) != case.command.intent:
            raise Against("something has changed since it was checked")

    # --- after ---

    async def _seen_through(self, case: Case, point: Point, sent: Sent) -> None:
        match sent.outcome:
            case Sending.ANSWERED:
                await self._verify(case, point)
            case Sending.REFUSED:
                case.taken.clear()  # it was asked all the same
                case.move(State.REJECTED, f"the device said no: {sent.text}")
            case Sending.NOT_SENT:
                case.move(State.REJECTED, f"it was not sent, and will not be: {sent.text}")
            case Sending.EXPIRED:
                case.move(State.EXPIRED, f"too late, and not sent: {sent.text}")
            case _:
                read = await self._read(point, _verify_timeout(point))
                value = served(point, read.raw)
                now = f"; it reads {exact(value)} now" if read.raw is not None else ""
                why = f"whether the device took it can't be said: {sent.text}{now}"
                case.move(State.UNKNOWN, why, read_back=value)

    async def _verify(self, case: Case, point: Point) -> None:
        """Check 13: reads until it is there, or the time is over."""
        wanted = case.wanted
        assert wanted is not None
        until = case.now() + _verify_timeout(point)
        while True:
            read = await self._read(point, max(0.0, until - case.now()))
            there = read.raw is not None and same(point, wanted.raw, read.raw)
            if there or case.now() + LOOK >= until:
                break
            await self._world.sleep(LOOK)
        value = served(point, read.raw)
        self._written.note(point.path, value, case.now())
        text = f"it reads back {exact(value)}"
        if there:
            case.found(Verdict("read-back", True, text))
            case.move(State.VERIFIED, text, read_back=value)
        elif read.raw is not None:
            text = f"{text}, not {exact(wanted.value)}; nothing is sent to correct it"
            case.found(Verdict("read-back", False, text))
            case.move(State.MISMATCH, text, read_back=value)
        else:
            text = f"the device took it, and can't be read: {read.text}"
            case.found(Verdict("read-back", False, text))
            case.move(State.UNKNOWN, text)

    async def _read(self, point: Point, within: float) -> ReadBack:
        read = await _bounded(self._world.plant.read_back(point, within), within)
        return read or ReadBack(None, "no answer came")

    async def _keep(self, case: Case, *, told: bool | None = None) -> bool:
        """As it stands. What was asked for too often, or under an id that is taken, is not worth a place on disk."""
        unread = case.trouble and not case.lease and not case.waits_until  # it may be a repeat
        if case.flood or case.earlier is not None or unread:
            return False
        done = case.command.state.ended if told is None else told
        return await self._book.put(case.command, content(case.wish), told=done)


def _verify_timeout(point: Point) -> float:
    return point.limits.verify_timeout_ns / 1e9 if point.limits else 3.0


async def _now(looked: str | Awaitable[str]) -> str:
    return await looked if isawaitable(looked) else str(looked)


async def _bounded(call: Awaitable[T], within: float) -> T | None:
    """None when the plant breaks its word: raises, or takes far too long."""
    try:
        async with asyncio.timeout(within + GRACE):
            return await call
    except FAILED:
        return None
