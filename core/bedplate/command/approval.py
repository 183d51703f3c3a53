"""The second person: somebody else, with another credential, who may write this tag too."""

from __future__ import annotations

from bedplate.command.case import Case
from bedplate.command.permission import ended, matching
from bedplate.contracts import Subject

WAITS = 300.0  # s for the second person, by the monotonic clock


def objection(case: Case, approver: Subject) -> str:
    """Why somebody can't be the second person of a command; empty: they can."""
    if approver.id == case.by.id:
        return "nobody approves what they have submitted themselves"
    if not approver.credential or not case.by.credential:
        return "the kernel does not know what one of the two has proved who they are by"
    if approver.credential == case.by.credential:
        return "both are proved by the same credential: a second person needs one of their own"
    if why := ended(case, approver):
        return why
    rule, why = matching(case, approver)
    return "" if rule else why
