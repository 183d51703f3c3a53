"""Whether something keeps the wall clock of this machine in time, as Linux knows it (adjtimex)."""

from __future__ import annotations

import ctypes

TIME_ERROR = 5  # "the system clock is not synchronised", adjtimex(2)


def discipline() -> str:
    """synced, unsynced, or unknown where the system does not say."""
    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return "unknown"
    room = ctypes.create_string_buffer(512)  # struct timex, modes 0: reads only
    answer = adjtimex(room)
    if answer < 0:
        return "unknown"
    return "unsynced" if answer == TIME_ERROR else "synced"
