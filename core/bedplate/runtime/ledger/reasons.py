"""Why a sample did not come, in the words of bedplate.api.v1.GapReason, and what of it was expected at all."""

from __future__ import annotations

import enum

from bedplate.runtime.lifecycle import State


class Reason(enum.IntEnum):
    """Rows of the counts. 1 to 10 are GapReason; the others never leave the ledger."""

    RECEIVED = 0
    UNREACHABLE = 1
    BAD_QUALITY = 2
    MISSING = 3
    THROTTLED = 4
    OVERFLOW = 5
    RESTART = 6
    LOST = 7
    LATE = 8
    OFF = 9
    MAINTENANCE = 10
    NOT_YET = 11  # nobody has ever heard of it, and nothing was tried yet
    FILLED = 12  # of what did not come: fetched afterwards


ROWS = len(Reason)
NOT_EXPECTED = (Reason.OFF, Reason.MAINTENANCE, Reason.NOT_YET)
EXPECTED = [int(r) for r in Reason if r not in (*NOT_EXPECTED, Reason.FILLED)]
LOST = EXPECTED[1:]

WORDS = {
    Reason.UNREACHABLE: "the device did not answer",
    Reason.BAD_QUALITY: "the device answered with Bad",
    Reason.MISSING: "the device answered without it",
    Reason.THROTTLED: "scans were left out",
    Reason.OVERFLOW: "a queue at the source ran over; at least so many values were lost",
    Reason.RESTART: "Bedplate did not run",
    Reason.LOST: "was kept, and is damaged",
    Reason.LATE: "came later than its window: it waited at the source, or the source's clock is behind",
    Reason.OFF: "silent, and not expected",
    Reason.MAINTENANCE: "set aside",
}

OF_STATE = {
    State.UNREACHABLE: Reason.UNREACHABLE,
    State.OFF: Reason.OFF,
    State.SET_ASIDE: Reason.MAINTENANCE,
    State.STARTING: Reason.RESTART,
    State.FAULTED: Reason.RESTART,
    State.INVALID: Reason.RESTART,
    State.STOPPING: Reason.RESTART,
    State.STOPPED: Reason.RESTART,
}
"""What it means for the tags of a source that it is in this state. Up and degraded: its samples say it themselves."""
