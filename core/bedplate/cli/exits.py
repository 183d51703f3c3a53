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
    STOPPED = 130


MEANING = {
    Exit.DONE: "done, and nothing wrong found",
    Exit.PROBLEMS: "done, and problems found, as by `status` and `check`",
    Exit.NOT_DONE: "not done: usage, name unknown or ambiguous, no Bedplate runs, refused",
    Exit.FAULT: "a fault in Bedplate itself; stderr says where its details are",
    Exit.CHANGES: "done by `plan`: applying would touch something",
    Exit.STOPPED: "ended by Ctrl-C",
}
