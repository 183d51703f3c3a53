"""A wish to write one tag, and the command that it becomes: a value for each moment, and the edges between its states.

Rule: no edge leads back, and none but to an end leaves SENT, so nothing is ever sent twice (select before operate, as
in IEC 61850-7-2, control with enhanced security). Knows no clock, no device and no file.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bedplate.contracts import Subject
from bedplate.errors import BedplateError


class State(enum.IntEnum):
    """Up to DRY_RUN the numbers of bedplate.api.v1.CommandState; beyond, what only the kernel sees."""

    AWAIT_APPROVAL = 1
    SENT = 2
    VERIFIED = 3
    MISMATCH = 4
    UNKNOWN = 5
    REJECTED = 6
    EXPIRED = 7
    CANCELLED = 8
    DRY_RUN = 9
    PROPOSED = 101  # being checked
    CHECKED = 102  # passed checks 1 to 10
    ARMED = 103  # on record; sent within the lease or not at all
    INTENT_AUDITED = 104  # the audit log holds, synced, what will be sent

    @property
    def ended(self) -> bool:
        return not EDGES[self]

    @property
    def public(self) -> State:
        """As the API says it: from ARMED on it counts as on its way."""
        return State.SENT if self in (State.ARMED, State.INTENT_AUDITED) else self


NOT_SENT = frozenset({State.REJECTED, State.EXPIRED})
EDGES: Mapping[State, frozenset[State]] = {
    State.PROPOSED: NOT_SENT | {State.CHECKED, State.CANCELLED, State.DRY_RUN},
    State.CHECKED: NOT_SENT | {State.AWAIT_APPROVAL, State.ARMED, State.CANCELLED},
    State.AWAIT_APPROVAL: NOT_SENT | {State.ARMED, State.CANCELLED},
    State.ARMED: NOT_SENT | {State.INTENT_AUDITED},
    State.INTENT_AUDITED: NOT_SENT | {State.SENT},
    # The device said no, or the connector proved that it sent nothing: an end too.
    State.SENT: NOT_SENT | {State.VERIFIED, State.MISMATCH, State.UNKNOWN},
    **{end: frozenset() for end in (*NOT_SENT, State.CANCELLED, State.DRY_RUN)},
    **{end: frozenset() for end in (State.VERIFIED, State.MISMATCH, State.UNKNOWN)},
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What a client asks for.

    command_id: chosen by the client, unique for ever: 1 to 64 of A-Z a-z 0-9 . _ - · tag: full path · value: bool, int,
    float, str or bytes in the unit of the tag; a label of its `states` stands for its number · if_current: only if the
    tag has this value, None: whatever it has · within: s after arrival beyond which it is never sent, at most 60; of a
    command that needs a second person after the approval · reason: why, for the audit log.
    """

    command_id: str
    tag: str
    value: Any
    if_current: Any = None
    within: float = 10.0
    dry_run: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one check found. name: "kill-switch" · passed: False: it stands against the command · text: one sentence."""

    name: str
    passed: bool
    text: str


@dataclass(frozen=True, slots=True)
class Command:
    """A command as it stands; never changed, replaced by a later one.

    value: wanted, as it will read when it is there: where a raw step is too coarse, the nearest that the device holds ·
    old: as last read, None: not known · read_back: None: not read · text: why, one sentence · checks: up to the first
    that stood against it; of a dry run 1 to 10 · rule: of writes.allow that allows it · intent: SHA-256 in hex, what a
    second person approves · submitted, ended: ns since 1970 UTC, 0: not yet.
    """

    command_id: str
    tag: str
    value: Any
    state: State
    by: Subject
    old: Any = None
    read_back: Any = None
    text: str = ""
    checks: tuple[Verdict, ...] = ()
    approved_by: Subject | None = None
    rule: str = ""
    intent: str = ""
    reason: str = ""
    submitted: int = 0
    ended: int = 0
    unit: str = ""


class NoSuchCommand(BedplateError):
    """There is none of this id, or none that the caller may see."""
