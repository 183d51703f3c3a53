"""Exit codes: one table for every command. docs/reference/exit-codes.md says the same; a test compares the two."""

from __future__ import annotations

import enum


class Exit(enum.IntEnum):
    """What a script may rely on."""

    DONE = 0
    PROBLEMS = 1
    NOT_DONE = 2
    FAULT = 3
    CHANGES = 4
    MISMATCH = 5
    UNKNOWN = 6
    WAITS = 7
    REJECTED = 8
    EXPIRED = 9
    CANCELLED = 10
    STOPPED = 130


MEANING = {
    Exit.DONE: "done, and nothing wrong found",
    Exit.PROBLEMS: "done, and problems found, as by `status` and `check`",
    Exit.NOT_DONE: "not done: usage, name unknown or ambiguous, no Bedplate runs, refused",
    Exit.FAULT: "a fault in Bedplate itself; stderr says where its details are",
    Exit.CHANGES: "done by `plan`: applying would touch something",
    Exit.MISMATCH: "written by `write`, and it reads back something else",
    Exit.UNKNOWN: "written by `write` or not: nobody can say; it is not sent again",
    Exit.WAITS: "not sent by `write` yet: a second person is needed",
    Exit.REJECTED: "not written by `write`: a check stands against it, or the device said no",
    Exit.EXPIRED: "not sent by `write`: it was too late",
    Exit.CANCELLED: "not sent by `write`: it was taken back",
    Exit.STOPPED: "ended by Ctrl-C",
}
