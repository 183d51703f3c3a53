"""Nothing is written to a machine outside the shifts of a calendar.

It denies or abstains: who may write at all is said by the kernel's own rules. It reads the clock of its machine and
nothing else; night shifts, closed days and changes of the clock are known to the calendar that the kernel hands over.
"""

import re
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from bedplate import Check, Decision, SecurityModule, Subject, Verdict
from bedplate.settings import CalendarName

# What changes something. Taking a command back (command.cancel) is no business of a lock. `bedplate check` refuses
# any other word: a lock on a misspelt action would stand open.
Action = Literal[
    "command.submit", "command.approve", "alarms.acknowledge", "admin.maintenance", "admin.apply"
]
Role = Literal["viewer", "operator", "engineer", "admin", "auditor", "plugin"]
Path = Annotated[str, Field(pattern="^[^/]+(/[^/]+)*$")]

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
AHEAD = (8, 60, 400)  # days in which the next shift is sought: a week, company holidays, a year
LATE = 0.5  # an answer may be so long on its way, and the kernel counts from its arrival
MINUTE = 60.0  # a clock that is set right counts as soon as this
FOREVER = 3_600.0  # as long as the contract permits


class Shiftlock(SecurityModule):
    """Denies outside shifts; anything else is none of its business: ABSTAIN."""

    class Config(BaseModel):
        """What the operator sets."""

        model_config = ConfigDict(extra="forbid")

        calendar: CalendarName = Field(description="Its shifts are open; breaks count as work.")
        actions: list[Action] = Field(
            ["command.submit", "command.approve"],
            min_length=1,
            description="What is denied outside shifts.",
        )
        roles: list[Role] = Field([], description="Roles that may at any time.")
        only: list[Path] = Field(
            ["**"],
            min_length=1,
            description="Selectors of full paths that are locked; * one level, ** any.",
        )

    now = staticmethod(time.time_ns)

    def open(self) -> None:
        self.locked = re.compile("|".join(map(pattern, self.config.only)))

    def authorize(self, subject: Subject, checks: Sequence[Check]) -> list[Decision]:
        exempt = bool(set(subject.roles) & set(self.config.roles))
        concerned = [not exempt and self.concerns(check) for check in checks]
        decision = self.at(self.now()) if any(concerned) else None
        free = Decision(Verdict.ABSTAIN, remember=FOREVER)
        return [decision if decision and mine else free for mine in concerned]

    def concerns(self, check: Check) -> bool:
        path = f"/{check.resource}" if check.resource else ""
        return check.action in self.config.actions and bool(self.locked.fullmatch(path))

    def at(self, now: int) -> Decision:
        """The decision at a moment, ns since 1970 UTC. It is not remembered beyond the boundary that comes next."""
        calendar = self.config.calendar
        if shift := calendar.shift_at(now):
            reason = f"{shift.name} ends {self.local(shift.end_ns)}"
            return Decision(Verdict.ABSTAIN, reason, until(shift.end_ns - now))
        reason = f"outside the shifts of {calendar.name}"
        for days in AHEAD:
            if coming := calendar.shifts_between(now, now + days * DAY):
                start = coming[0].start_ns
                reason += f"; {coming[0].name} starts {self.local(start)}"
                return Decision(Verdict.DENY, reason, until(start - now))
        return Decision(Verdict.DENY, f"{reason}; none starts within {AHEAD[-1]} days", MINUTE)

    def local(self, at: int) -> str:
        zone = ZoneInfo(self.config.calendar.timezone)
        return f"{datetime.fromtimestamp(at // SECOND, zone):%a %Y-%m-%d %H:%M %Z}"


def until(boundary_ns: int) -> float:
    """Seconds for which a decision may be remembered that changes in so many ns."""
    return min(max(boundary_ns / SECOND - LATE, 0.0), MINUTE)


def pattern(selector: str) -> str:
    """A selector as a regular expression over paths that begin with a slash."""
    levels = [
        "(?:/[^/]+)*" if level == "**" else "/" + "[^/]*".join(map(re.escape, level.split("*")))
        for level in selector.split("/")
    ]
    return "".join(levels)
