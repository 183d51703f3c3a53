"""What goes in: one fact of each component that is in trouble, and where every component belongs."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Kind(enum.StrEnum):
    """What is the matter. The order is that of suppression: a component is in the cause of the first that it has."""

    STORAGE = "storage"  # the journal takes nothing, or nothing from connectors
    FAULT = "fault"  # its process ended, or its plugin has a bug
    SETTINGS = "settings"  # its plugin refuses its settings
    AWAY = "away"  # the program elsewhere that it runs in does not dial in
    SILENT = "silent"  # what it talks to does not answer
    SLOW = "slow"  # an answer is overdue
    TAGS = "tags"  # it answers, and some tags are not Good
    BEHIND = "behind"  # a reader that lags
    PLATFORM = "platform"  # of none of the components


@dataclass(frozen=True, slots=True, order=True)
class Spot:
    """Where a device is reached. host: an address, a name, or the path of a serial port, then port is 0."""

    host: str
    port: int = 0

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}" if self.port else self.host


@dataclass(frozen=True, slots=True, order=True)
class BadTag:
    """name: below its component · why: in the plugin's words, or empty · since: ns UTC, not Good since then, 0: not
    known · had: it had a Good value before."""

    name: str
    code: int
    why: str = ""
    since: int = 0
    had: bool = True


@dataclass(frozen=True, slots=True, order=True)
class Fact:
    """What is the matter with one component. component: empty for the journal and the platform · state: as people see
    it · since: noticed, ns UTC · heard: the last that was heard of it before, ns UTC, 0: nothing was."""

    component: str
    kind: Kind
    state: str
    since: int
    reason: str = ""
    heard: int = 0
    tags: tuple[BadTag, ...] = ()


@dataclass(frozen=True, slots=True)
class Member:
    """Where a component belongs, whether or not it is in trouble.

    role: source, reader, history, analytic, security · spots: the addresses that its own settings name · expected: it
    should speak now · place: file:line where it is configured · lines: of its tags, name → file:line · tags: how many ·
    bad: of these, not Good · room: in words, how long a reader that is away can be waited for.
    """

    id: str
    role: str = "source"
    process: str = ""
    plugin: str = ""
    use: str = ""
    type: str = ""
    entry: str = ""
    path: str = ""
    spots: tuple[Spot, ...] = ()
    support: str = ""
    place: str = ""
    expected: bool = True
    tags: int = 0
    bad: int = 0
    room: str = ""
    lines: tuple[tuple[str, str], ...] = ()

    @property
    def spot(self) -> Spot | None:
        return self.spots[0] if self.spots else None
