"""What the kernel itself allows: a table from action to roles. What is not in it is denied.

Admin actions over the local socket are decided by this table alone, so that a security module that is dead, wrong or
hostile can't lock the operator of the machine out.
"""

from __future__ import annotations

from dataclasses import dataclass

from bedplate.contracts import Subject

OPERATE = frozenset({"operator", "engineer", "admin"})
ENGINEER = frozenset({"engineer", "admin"})
SEE = OPERATE | {"viewer"}


@dataclass(frozen=True, slots=True)
class Action:
    """roles: any one of them is enough · changes: it changes something, so it needs a written audit log."""

    roles: frozenset[str]
    changes: bool = False


ACTIONS = {
    "catalog.tags": Action(SEE),
    "catalog.assets": Action(SEE),
    "live.current": Action(SEE),
    "live.subscribe": Action(SEE),
    "history.query": Action(SEE),
    "history.gaps": Action(SEE),
    "alarms.list": Action(SEE),
    "alarms.watch": Action(SEE),
    "alarms.acknowledge": Action(OPERATE, changes=True),
    "admin.status": Action(SEE),
    "admin.plugins": Action(SEE),
    "admin.explain": Action(SEE),
    "admin.maintenance": Action(OPERATE, changes=True),
    "admin.plan": Action(SEE),
    "admin.apply": Action(ENGINEER, changes=True),
    "admin.deployments": Action(SEE),
}


def objection(subject: Subject, action: str) -> str:
    """The rule by which the kernel denies; empty when it does not."""
    known = ACTIONS.get(action)
    if known is None:
        return "kernel: no such action"
    if not known.roles.intersection(subject.roles):
        return f"kernel: needs one of {', '.join(sorted(known.roles))}"
    return ""


def by_kernel_alone(subject: Subject, action: str) -> bool:
    """Whether security modules have no say."""
    return subject.method == "socket" and action.startswith("admin.")
