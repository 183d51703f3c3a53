"""What the guard works with: the plant, the gate, the audit log, the clock, the rules of the deployment in force."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bedplate.calendar import Calendar
from bedplate.clock import Clock
from bedplate.command.command import Command
from bedplate.command.plant import AuditLog, Permit, Plant
from bedplate.config.deployment import WriteSettings


@dataclass(frozen=True, slots=True)
class Rules:
    """What the deployment in force says. kill_switches: files that stop all writing while they are there."""

    writes: WriteSettings = field(default_factory=WriteSettings)
    calendars: Mapping[str, Calendar] = field(default_factory=dict)
    kill_switches: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class World:
    """rules: as they are now, asked at each check · alarm: hears of each command that ends MISMATCH or UNKNOWN; must
    not block · sleep: seconds, between two tries to read back · changes: how often who may do what has changed: people,
    credentials, policies."""

    plant: Plant
    permit: Permit
    audit: AuditLog
    clock: Clock
    rules: Callable[[], Rules]
    alarm: Callable[[Command], None] = lambda command: None
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    changes: Callable[[], int] = lambda: 0
