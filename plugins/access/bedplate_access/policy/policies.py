"""The policies of one module: read when it is opened, looked after while it runs.

Rule: what is in force is what was applied. A file that somebody writes into meanwhile is noted once for each change,
and counts from the next `bedplate apply` or SIGHUP on.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from bedplate import Check, Decision, Invalid, Subject, Verdict
from bedplate.calendar import Calendar
from bedplate_access.policy.decider import Decider
from bedplate_access.policy.rules import Rules
from bedplate_access.policy.texts import Broken, PolicyFile, of_bytes, read, ready_made

LOOK = 2.0  # s between two looks at the files
STAYS = "the rules that were applied stay in force until `bedplate apply`"
REMEMBER = 3600.0  # s: without policies nothing changes


class Wanted(Protocol):
    """The settings that are about policies."""

    policies: list[str]
    ready_made: bool
    calendar: Calendar | None


class Policies:
    """files: what was applied, path → content; a file that is not among them is read from the disk. Raises Invalid for
    policies that can't be used, with file, line and reason."""

    def __init__(
        self,
        wanted: Wanted,
        files: Mapping[str, bytes],
        note: Callable[[str], None],
        time_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._note = note
        try:
            read_ = [_applied(path, files) or read(Path(path)) for path in wanted.policies]
            rules = Rules([*([ready_made()] if wanted.ready_made else []), *read_])
        except Broken as error:
            raise Invalid(str(error), pointer="/policies") from None
        self._told = {file.name: file.digest for file in read_}
        self._in_force = dict(self._told)
        self._states: dict[str, tuple[int, ...]] = {}
        self._decider = Decider(rules, wanted.calendar, time_ns) if rules.files else None
        self._task: asyncio.Task[None] | None = None

    @property
    def words(self) -> str:
        """What is in force, for the journal."""
        told = [f"{Path(name).name} ({digest[:12]})" for name, digest in self._in_force.items()]
        return f"policies in force: {', '.join(told)}" if told else ""

    def decide(self, subject: Subject, checks: Sequence[Check]) -> list[Decision]:
        """One for each, in order; without any policy nothing is said against anything."""
        if self._decider is None:
            return [Decision(Verdict.ABSTAIN, remember=REMEMBER)] * len(checks)
        return self._decider.decide(subject, checks)

    def watch(self) -> None:
        """Begins to look after the files."""
        if self._told:
            self._task = asyncio.create_task(self._watch())

    async def close(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _watch(self) -> None:
        while True:
            for text in await asyncio.to_thread(self.look):
                self._note(text)
            await asyncio.sleep(LOOK)

    def look(self) -> list[str]:
        """What was changed on disk since the last look, a line each. Blocking."""
        found = []
        for name, told in self._told.items():
            state = _state(Path(name))
            if state == self._states.get(name):
                continue
            self._states[name] = state
            digest = _digest(Path(name))
            if digest == told:
                continue
            self._told[name] = digest
            if digest == self._in_force[name]:
                found.append(f"policy file {name} is again as it was applied")
            else:
                what = "was changed on disk" if digest else "can't be read any more"
                found.append(f"policy file {name} {what}; {STAYS}")
        return found


def _applied(path: str, files: Mapping[str, bytes]) -> PolicyFile | None:
    content = files.get(path)
    return None if content is None else of_bytes(path, content)


def _state(file: Path) -> tuple[int, ...]:
    try:
        found = file.stat()
    except OSError:
        return ()
    return found.st_ino, found.st_size, found.st_mtime_ns


def _digest(file: Path) -> str:
    """Empty: it can't be read; where the plugin is confined also when another file was put in its place."""
    try:
        return sha256(file.read_bytes()).hexdigest()
    except OSError:
        return ""
