"""The write guard: takes wishes, checks them, and sees each command through to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bedplate.calendar import Calendar
from bedplate.clock import Clock
from bedplate.command.command import Command, State, Wish
from bedplate.command.plant import AuditLog, Permit, Plant
from bedplate.config.deployment import WriteSettings
from bedplate.contracts import Subject


@dataclass(frozen=True, slots=True)
class Rules:
    """What the deployment in force says. kill_switches: files that stop all writing while they are there."""

    writes: WriteSettings = field(default_factory=WriteSettings)
    calendars: Mapping[str, Calendar] = field(default_factory=dict)
    kill_switches: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class World:
    """What the guard works with. rules: as they are now, asked at each check · alarm: hears of each command that ends
    MISMATCH or UNKNOWN; must not block."""

    plant: Plant
    permit: Permit
    audit: AuditLog
    clock: Clock
    rules: Callable[[], Rules]
    alarm: Callable[[Command], None] = lambda command: None
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class Guard:
    """One for the kernel, on its loop. file: where commands are kept (`commands.sqlite` in the journal's folder); None:
    in memory, for tests."""

    def __init__(self, world: World, file: Path | None) -> None:
        self._world = world

    async def open(self) -> None:
        """Reads what was there before. What was on its way when the kernel ended becomes UNKNOWN and is audited; what
        waited for a second person EXPIRED. Does not raise: a file that can't be had refuses commands."""

    async def close(self) -> None:
        """Takes nothing more, lets what is SENT finish its read-back, expires what waits."""

    async def submit(self, wish: Wish, subject: Subject) -> Command:
        """The command once it has ended or waits for a second person; of a dry run its verdicts.

        A repeat (same subject.id, command_id and content) gets the result of the first, also after a restart. What the
        guard refuses comes back REJECTED or EXPIRED and is not raised. Raises Invalid when command_id, reason or within
        can't be (pointer says which), Denied and NotReady never. When the call is cancelled before ARMED the command is
        CANCELLED; afterwards that changes nothing.
        """
        raise NotImplementedError

    async def approve(self, command_id: str, intent: str, subject: Subject) -> Command:
        """A second person's word. The command once it has ended: REJECTED when the intent is another one. Raises
        NoSuchCommand when none of this id waits, Denied when this subject can't be its second person; it goes on
        waiting then."""
        raise NotImplementedError

    async def cancel(self, command_id: str, subject: Subject) -> Command:
        """Takes one back that is not ARMED yet; as it stands otherwise. Raises NoSuchCommand, Denied."""
        raise NotImplementedError

    def commands(
        self,
        wanted: Callable[[str], bool] = lambda tag: True,
        *,
        waiting: bool = False,
        last: int = 100,
    ) -> Sequence[Command]:
        """The newest first, of tags that are wanted. waiting: only those that wait for a second person."""
        return ()

    def in_flight(self, device: str) -> Command | None:
        """The command that holds this device now."""
        return None


__all__ = ["Guard", "Rules", "State", "World"]
