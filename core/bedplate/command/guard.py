"""The write guard: takes wishes, and sees to it that each is checked, sent at most once, and has an end.

One command runs as a task of the guard, so that a caller who hangs up takes nothing along that is under way. A repeat
joins the task, or gets what is in the book.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bedplate.command import trail
from bedplate.command.approval import objection
from bedplate.command.book import AGAIN, NEWEST, Book, Key
from bedplate.command.case import Case
from bedplate.command.checks import CHECKS, Check, stopped
from bedplate.command.command import Command, NoSuchCommand, State, Wish
from bedplate.command.course import Course
from bedplate.command.intent import content
from bedplate.command.rates import Rate, Rates
from bedplate.command.world import World
from bedplate.command.written import Written
from bedplate.contracts import Subject
from bedplate.errors import Denied, Invalid

IDENTITY = Rate(50, 10.0)
EVERYBODY = Rate(200, 10.0)
LONGEST = 60.0  # s of `within`
MOST_WAITING = 1000  # commands that wait for a second person
ENDS_WITHIN = 10.0  # s that a kernel which ends gives to what is SENT
LOOK = 1.0  # s between two looks at what has waited too long
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
CUT = {
    State.SENT: (State.UNKNOWN, "the kernel ended before it knew whether the device took it"),
    State.ARMED: (State.REJECTED, "the kernel ended before it was sent; it will not be"),
    State.AWAIT_APPROVAL: (State.EXPIRED, "the kernel ended while it waited; it was not sent"),
}


@dataclass(frozen=True, slots=True, eq=False)
class _Live:
    case: Case
    task: asyncio.Task[Command]


class Guard:
    """One for the kernel, on its loop. file: where commands are kept (`commands.sqlite` in the journal's folder); None:
    in memory, for tests."""

    def __init__(self, world: World, file: Path | None, checks: Sequence[Check] = CHECKS) -> None:
        self._world = world
        self._now = world.clock.monotonic
        self._book = Book(file, self._now)
        self._written = Written()
        self._rates = Rates(self._now)
        self._course = Course(world, self._book, self._written, checks)
        self._live: dict[Key, _Live] = {}
        self._waiting: dict[Key, Case] = {}
        self._watch: asyncio.Task[None] | None = None
        self._closing = ""
        self._settling = asyncio.Lock()
        self._settled = False
        self._tried = 0.0

    async def open(self) -> None:
        """Reads what was there before. What was on its way when the kernel ended becomes UNKNOWN and is audited; what
        waited for a second person EXPIRED. Nothing is sent. Does not raise: while the file can't be had, commands are
        refused."""
        async with self._settling:
            self._tried = self._now()
            await self._settle()
        self._watch = asyncio.create_task(self._keep_watching())

    async def close(self) -> None:
        """Takes nothing more, lets what is SENT finish its read-back, expires what waits."""
        self._closing = "the kernel is ending"
        if self._watch:
            self._watch.cancel()
            await asyncio.wait([self._watch])
        for key in list(self._waiting):
            if key in self._waiting:
                await self._end_waiting(key, State.EXPIRED, "the kernel ended while it waited")
        if tasks := [live.task for live in self._live.values()]:
            await asyncio.wait(tasks, timeout=ENDS_WITHIN)
        await self._book.close()

    # --- calls ---

    async def submit(self, wish: Wish, subject: Subject) -> Command:
        """The command once it has ended or waits for a second person; of a dry run its verdicts.

        A repeat (same subject.id, command_id and content) gets the result of the first, also after a restart. What the
        guard refuses comes back REJECTED or EXPIRED and is not raised. Raises Invalid when command_id, tag, reason or
        within can't be (pointer says which); Denied and NotReady never. When the call is cancelled before ARMED the
        command is CANCELLED; afterwards that changes nothing.
        """
        _possible(wish)
        case = Case(self._world, wish, subject, self._rates, self._written)
        key = case.key
        if wish.dry_run:
            return await self._dry(case)
        live = self._live.get(key)
        if live is not None and content(live.case.wish) == content(wish):
            return await asyncio.shield(live.task)
        if live is not None:
            case.earlier = live.case.command
            return await self._run(case)
        return await self._joined(self._start(case, self._first(case)), hangs_up=True)

    async def approve(self, command_id: str, intent: str, subject: Subject) -> Command:
        """A second person's word. The command once it has ended: REJECTED when the intent is another one. Raises
        NoSuchCommand when none of this id waits, Denied when this subject can't be its second person; it goes on
        waiting then. Hanging up changes nothing."""
        case = self._waits(command_id, intent)
        if case is None:
            return await self._approved_before(command_id, intent, subject)
        await self._world.permit.check(subject, "command.approve", case.wish.tag)
        await self._expire()
        if why := objection(case, subject):
            refused = trail.about(case.command, "approve", "refused", why, subject)
            self._world.audit.add(refused, urgent=True)
            raise Denied(why)
        if self._waiting.pop(case.key, None) is None:  # somebody was quicker
            return await self._approved_before(command_id, intent, subject)
        return await self._joined(self._start(case, self._approved(case, intent, subject)))

    async def cancel(self, command_id: str, subject: Subject) -> Command:
        """Takes one back that is not ARMED yet; as it stands otherwise. Raises NoSuchCommand, Denied."""
        command = self._named(command_id, subject)
        await self._world.permit.check(subject, "command.cancel", command.tag)
        key = command.by.id, command_id
        why = f"taken back by {subject.id}"
        if key in self._waiting:
            return await self._end_waiting(key, State.CANCELLED, why)
        if live := self._live.get(key):
            live.case.withdrawn = why
            return await asyncio.shield(live.task)
        return self._named(command_id, subject)

    def commands(
        self,
        wanted: Callable[[str], bool] = lambda tag: True,
        *,
        waiting: bool = False,
        last: int = 100,
    ) -> Sequence[Command]:
        """The newest first, of tags that are wanted. waiting: only those that wait for a second person."""
        there = {(one.by.id, one.command_id): one for one in self._book.newest()}
        there |= {key: live.case.command for key, live in self._live.items()}
        there |= {key: case.command for key, case in self._waiting.items()}
        shown = (
            one for one in there.values() if one.state.public <= State.DRY_RUN and wanted(one.tag)
        )
        chosen = [one for one in shown if not waiting or one.state is State.AWAIT_APPROVAL]
        return sorted(chosen, key=lambda one: one.submitted, reverse=True)[:last]

    def stopped(self) -> str:
        """Why nothing at all can be written now; empty: it can, for those who may."""
        failed = self._world.audit.failed
        why = stopped(self._world, self._book.trouble)
        return why or (f"the audit log can't be written: {failed}" if failed else "")

    def in_flight(self, device: str) -> Command | None:
        """The command that holds this device now."""
        case = self._course.in_flight.get(device)
        return case.command if case else None

    # --- one command ---

    def _start(self, case: Case, work: Coroutine[Any, Any, Command]) -> _Live:
        live = self._live[case.key] = _Live(case, asyncio.create_task(work))
        live.task.add_done_callback(lambda _: self._over(live))
        return live

    def _over(self, live: _Live) -> None:
        if self._live.get(live.case.key) is live:
            del self._live[live.case.key]

    async def _joined(self, live: _Live, *, hangs_up: bool = False) -> Command:
        try:
            return await asyncio.shield(live.task)
        except asyncio.CancelledError:
            if hangs_up and not live.task.done():
                live.case.withdrawn = "the caller hung up"
                live.task.add_done_callback(_heard)
            raise

    async def _first(self, case: Case) -> Command:
        """Unless it is a repeat of what is in the book."""
        waiting = self._waiting.get(case.key)
        if waiting is not None:
            if content(waiting.wish) == content(case.wish):
                return waiting.command
            case.earlier = waiting.command
            return await self._run(case)
        await self._recover()
        kept = await self._book.find(case.key)
        if kept is not None and kept.content == content(case.wish):
            return kept.command
        case.earlier = kept.command if kept else None
        return await self._run(case)

    async def _run(self, case: Case) -> Command:
        case.trouble = self._closing or self._book.trouble
        case.flood = self._flood(case.by)
        await self._course.run(case)
        if case.command.state is State.AWAIT_APPROVAL:
            self._waiting[case.key] = case
        return case.command

    async def _dry(self, case: Case) -> Command:
        await self._recover()
        kept = await self._book.find(case.key)
        if kept is not None and kept.content != content(case.wish):
            case.earlier = kept.command
        case.trouble = self._closing or self._book.trouble
        await self._course.dry(case)
        return case.command

    async def _approved(self, case: Case, intent: str, subject: Subject) -> Command:
        if intent != case.command.intent:
            text = f"{subject.id} approved something else: the intent is another one"
            case.move(State.REJECTED, text)
            await self._course.finish(case)
            return case.command
        case.approver = subject
        case.deadline = self._now() + case.wish.within
        case.trouble = self._closing or self._book.trouble
        await self._course.run(case)
        return case.command

    def _flood(self, subject: Subject) -> str:
        """Why this identity, or all of them together, ask for too much."""
        rates = {f"identity {subject.id}": IDENTITY, "everybody together": EVERYBODY}
        for key, most in rates.items():
            if self._rates.wait(key, most):
                return f"{key} may submit at most {most}"
        for key, most in rates.items():
            self._rates.take(key, most)
        if len(self._waiting) >= MOST_WAITING:
            return f"{MOST_WAITING} commands wait for a second person already"
        return ""

    # --- who waits ---

    def _waits(self, command_id: str, intent: str) -> Case | None:
        """The one that is meant: ids are unique for one identity only. None: none of them waits."""
        found = [case for (_, id), case in self._waiting.items() if id == command_id]
        meant = [case for case in found if case.command.intent == intent]
        return (meant or found)[0] if len(meant or found) == 1 else None

    async def _approved_before(self, command_id: str, intent: str, subject: Subject) -> Command:
        """What became of one that was approved already: a reply was lost. Raises NoSuchCommand, Denied."""
        there = self.commands(last=len(self._live) + NEWEST)
        found = [one for one in there if (one.command_id, one.intent) == (command_id, intent)]
        if not found or not intent:
            raise NoSuchCommand(f"no command {command_id} waits for a second person")
        await self._world.permit.check(subject, "command.approve", found[0].tag)
        live = self._live.get((found[0].by.id, command_id))
        return await asyncio.shield(live.task) if live else found[0]

    def _named(self, command_id: str, subject: Subject) -> Command:
        """The caller's own first, then the only one of this id."""
        everybody = self.commands(last=len(self._waiting) + len(self._live) + NEWEST)
        there = {one.by.id: one for one in everybody if one.command_id == command_id}
        there |= {
            who: live.case.command for (who, id), live in self._live.items() if id == command_id
        }
        if subject.id in there:
            return there[subject.id]
        if len(there) != 1:
            raise NoSuchCommand(f"there is no command {command_id}")
        return next(iter(there.values()))

    async def _end_waiting(self, key: Key, state: State, text: str) -> Command:
        case = self._waiting.pop(key)
        case.move(state, text)
        await self._course.finish(case)
        return case.command

    async def _expire(self) -> None:
        now = self._now()
        for key in [key for key, case in self._waiting.items() if now > case.waits_until]:
            if key in self._waiting:
                await self._end_waiting(key, State.EXPIRED, "no second person approved it in time")

    async def _keep_watching(self) -> None:
        while True:
            await asyncio.sleep(LOOK)
            await self._expire()

    # --- what was before ---

    async def _settle(self) -> None:
        """Gives an end to what has none, and tells what may not have been told."""
        self._settled = False
        now = self._world.clock.time_ns()
        for kept in await self._book.open(now):
            command = _cut(kept.command, now)
            if command.state is State.UNKNOWN and command is not kept.command:
                self._world.alarm(command)
            told = await self._world.audit.write(trail.ended(command))
            await self._book.put(command, kept.content, told=told)
        for command in reversed(self._book.newest()):
            self._count(command, now)
        self._settled = self._book.read

    async def _recover(self) -> None:
        """A file that could not be read at the start is first settled, as the start would have."""
        async with self._settling:
            if not self._settled and self._now() - self._tried >= AGAIN:
                self._tried = self._now()
                await self._settle()
        if self._settled:
            await self._book.recover()

    def _count(self, command: Command, now: int) -> None:
        """What was sent before the restart counts against the rate of its tag."""
        ago = max(0.0, (now - command.ended) / 1e9)  # a clock that was set back
        if command.state in (State.VERIFIED, State.MISMATCH, State.UNKNOWN):
            self._rates.take(f"tag {command.tag}", EVERYBODY, ago)


def _cut(command: Command, now: int) -> Command:
    """What became of a command that the kernel did not see to its end."""
    if command.state.ended:
        return command
    state, text = CUT.get(command.state, CUT[State.SENT])
    return replace(command, state=state, text=text, ended=now)


def _possible(wish: Wish) -> None:
    """Raises Invalid."""
    if not _ID.fullmatch(wish.command_id):
        raise Invalid("a command id is 1 to 64 of A-Z a-z 0-9 . _ -", pointer="/command_id")
    if not 0 < wish.within <= LONGEST:
        raise Invalid("a command is sent within 60,000 ms or never", pointer="/within_ms")
    if not 0 < len(wish.tag) <= 2000:
        raise Invalid("a command needs a tag", pointer="/tag")
    if len(wish.reason) > 500:
        raise Invalid("a reason has at most 500 characters", pointer="/reason")


def _heard(task: asyncio.Task[Command]) -> None:
    """Nobody is left who would hear what it raises."""
    if not task.cancelled():
        task.exception()


__all__ = ["Guard"]
