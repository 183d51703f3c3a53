"""Asks a component to close, and says what is wrong with one that does not: bounded, whatever its session came to."""

from __future__ import annotations

from bedplate.remote.arrivals import resumes
from bedplate.remote.attachment import MARGIN, Attachment, Silence
from bedplate.runtime.requests import Close
from bedplate.runtime.role import Role

CLOSE_WITHIN = 6.0  # s
STOP_WITHIN, STOP_MARGIN = 1.25, 0.25  # s: the kernel stops, and has no time to wait


async def close(role: Role, attachment: Attachment, *, stopping: bool) -> str:
    """Returns the breach of one that stays silent, in words; empty when it closed, or its process is gone."""
    if stopping and role.keeps_on and resumes(attachment):
        return ""  # the next kernel takes it up where this one left it
    within, margin = (STOP_WITHIN, STOP_MARGIN) if stopping else (CLOSE_WITHIN, MARGIN)
    try:
        await attachment.ask(role.component.id, within, margin=margin, close=Close())
    except ConnectionError:
        pass  # what is gone is closed
    except Silence:
        return "" if stopping else f"did not answer close within {within + margin:.1f} s"
    return ""
