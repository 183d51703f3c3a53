"""Who may write a tag: the gate with its security modules, and the first rule of writes.allow that fits."""

from __future__ import annotations

from bedplate.command.case import Case
from bedplate.config.deployment import WriteRule
from bedplate.contracts import Subject
from bedplate.errors import Denied
from bedplate.model.selector import Selector


async def permitted(case: Case) -> str:
    """What stands against the one who submits; empty: nothing."""
    if why := ended(case, case.by):
        return why
    try:
        await case.world.permit.check(case.by, "command.submit", case.wish.tag)
    except Denied as error:
        return str(error)
    return ""


def ended(case: Case, subject: Subject) -> str:
    """Whether what somebody logged in with has run out."""
    over = subject.until and case.world.clock.time_ns() >= subject.until
    return f"the login of {subject.id} has ended" if over else ""


def matching(case: Case, subject: Subject) -> tuple[WriteRule | None, str]:
    """The first rule of the file whose role the subject has, whose selectors match the tag and whose calendar holds
    now, with its name; or None and why. A login that has ended has no rule any more."""
    if why := ended(case, subject):
        return None, why
    rules, now = case.world.rules(), case.world.clock.time_ns()
    closed = ""
    for number, rule in enumerate(rules.writes.allow, 1):
        if rule.role not in subject.roles or not Selector(rule.tags).matches(case.wish.tag):
            continue
        calendar = rules.calendars.get(rule.during)
        if not rule.during or (calendar is not None and calendar.shift_at(now)):
            return rule, f"rule {number} of writes.allow ({rule.role})"
        closed = closed or f" now: rule {number} holds during {rule.during}"
    return None, f"no rule of writes.allow lets {subject.id} write this tag{closed}"
