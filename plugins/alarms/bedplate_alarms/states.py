"""The alarm state machine of ISA-18.2-2016 (state transition diagram), without latching, shelving and suppression.

A table and nothing else: what is not in it changes nothing, so a second acknowledgement does no harm.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType

from bedplate.model import AlarmState


class Trigger(enum.Enum):
    """What moves an alarm: the condition holds, it is over, or a person has seen it."""

    ACTIVE = "active"
    RETURN = "return"
    ACKNOWLEDGE = "acknowledge"


TRANSITIONS: Mapping[tuple[AlarmState, Trigger], AlarmState] = MappingProxyType(
    {
        (AlarmState.NORMAL, Trigger.ACTIVE): AlarmState.UNACKNOWLEDGED,
        (AlarmState.UNACKNOWLEDGED, Trigger.ACKNOWLEDGE): AlarmState.ACKNOWLEDGED,
        (AlarmState.UNACKNOWLEDGED, Trigger.RETURN): AlarmState.RETURNED_UNACKNOWLEDGED,
        (AlarmState.ACKNOWLEDGED, Trigger.RETURN): AlarmState.NORMAL,
        (AlarmState.RETURNED_UNACKNOWLEDGED, Trigger.ACKNOWLEDGE): AlarmState.NORMAL,
        (AlarmState.RETURNED_UNACKNOWLEDGED, Trigger.ACTIVE): AlarmState.UNACKNOWLEDGED,
    }
)


def after(state: AlarmState, trigger: Trigger) -> AlarmState | None:
    """The next state, None: this changes nothing."""
    return TRANSITIONS.get((state, trigger))
