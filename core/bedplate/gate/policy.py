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
INSPECT = frozenset({"auditor", "admin"})
ANYBODY: frozenset[str] = frozenset()  # whom we know, whatever their roles


@dataclass(frozen=True, slots=True)
class Action:
    """roles: any one of them is enough; none: whom we know · changes: it changes something, so it needs a written audit
    log."""

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
    "admin.audit": Action(INSPECT),
    "command.submit": Action(OPERATE, changes=True),
    "command.approve": Action(OPERATE, changes=True),
    "command.cancel": Action(OPERATE, changes=True),
    "command.list": Action(SEE | INSPECT),
    "access.login": Action(ANYBODY),
    "access.whoami": Action(ANYBODY),
    "access.check": Action(ANYBODY),
    "access.sessions": Action(INSPECT),
}


def objection(subject: Subject, action: str) -> str:
    """The rule by which the kernel denies; empty when it does not."""
    known = ACTIONS.get(action)
    if known is None:
        return "kernel: no such action"
    if known.roles and not known.roles.intersection(subject.roles):
        return f"kernel: needs one of {', '.join(sorted(known.roles))}"
    return ""


def granted(subject: Subject, action: str) -> str:
    """The rule by which the kernel allows."""
    roles = sorted(ACTIONS[action].roles.intersection(subject.roles))
    return f"role {', '.join(roles)}" if roles else "everybody who is known"


def by_kernel_alone(subject: Subject, action: str) -> bool:
    """Whether security modules have no say: not in who somebody is, and not over the local socket in what keeps a
    platform going."""
    if action == "access.whoami":
        return True
    return subject.method == "socket" and action.startswith(("admin.", "access."))
