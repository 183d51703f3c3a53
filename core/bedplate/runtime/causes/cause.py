"""A cause: facts that belong together, in one line, with whose it is."""

from __future__ import annotations

import enum
import shlex
from dataclasses import dataclass

from bedplate.runtime.causes.fact import Kind


class Whose(enum.IntEnum):
    """Whose a cause is; numbers as of bedplate.api.v1.Whose."""

    UNKNOWN = 0
    MACHINE_PROGRAM = 1
    DEVICE = 2
    NETWORK = 3
    PLUGIN = 4
    CONFIGURATION = 5
    STORAGE = 6
    READER = 7
    BEDPLATE = 8
    PERSON = 9


SEVERITY = {
    Kind.STORAGE: 900,
    Kind.FAULT: 700,
    Kind.SETTINGS: 500,
    Kind.AWAY: 500,
    Kind.SILENT: 500,
    Kind.SLOW: 300,
    Kind.TAGS: 200,
    Kind.BEHIND: 200,
    Kind.PLATFORM: 700,
}
MANY = 700  # of a silence that hits several devices


@dataclass(frozen=True, slots=True)
class Cause:
    """subject: what to ask `why` for · text: the line without its subject; begins with `state` where an age fits
    behind it · since: ns UTC · components: that it hits, in order of their names · tags: of these, not Good ·
    advice: what to do about it, most useful first."""

    kind: Kind
    subject: str
    state: str
    text: str
    since: int
    components: tuple[str, ...]
    tags: int
    whose: Whose
    severity: int
    advice: tuple[str, ...] = ()

    @property
    def problem(self) -> str:
        """Subject and text in one."""
        if self.kind is Kind.PLATFORM:
            return self.text
        between = " " if self.text.startswith(f"{self.state}: ") else ": "
        return f"{self.subject}{between}{self.text}"

    @property
    def hint(self) -> str:
        """The command that tells more."""
        if self.kind is Kind.PLATFORM:
            return "bedplate doctor"
        return f"bedplate why {shlex.quote(self.subject)}"
