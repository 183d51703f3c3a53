"""The states of a machine, as numbers on the wire and as the words people use.

Owns: that one list. Does not say when a machine is in which; that is `machine.py`.
"""

from __future__ import annotations

from enum import IntEnum


class State(IntEnum):
    """What a machine of the line reports; idle means starved or blocked by its neighbours."""

    STOPPED = 0
    RUNNING = 1
    IDLE = 2
    FAULT = 3
    SETUP = 4
