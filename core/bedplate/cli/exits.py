"""Exit codes: one table for every command. docs/reference/exit-codes.md says the same; a test compares the two."""

from __future__ import annotations

import enum


class Exit(enum.IntEnum):
    """What a script may rely on."""

    DONE = 0
    PROBLEMS = 1
    NOT_DONE = 2
    FAULT = 3
    STOPPED = 130


MEANING = {
    Exit.DONE: "done, and nothing wrong found",
    Exit.PROBLEMS: "done, and problems found: `status` shows some, `check` found errors in the file",
    Exit.NOT_DONE: "not done: wrong usage, an unknown or ambiguous name, no Bedplate runs there, not allowed, failed",
    Exit.FAULT: "a fault in Bedplate itself; the line on stderr says where its details are",
    Exit.STOPPED: "ended by Ctrl-C",
}
