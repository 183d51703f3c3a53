"""Examples: who, what and where, and what should come of it. They are tried on policies without a kernel.

A file is a list, in YAML or JSON:

    - {principal: {id: vera, roles: [viewer]}, action: live.subscribe, resource: acme/line1/press/speed, expect: allow}
    - principal: {id: otto, roles: [operator], groups: [contractors]}
      action: command.submit
      resource: acme/line1/press/speed_setpoint
      context: {time: "22:30", weekday: sat}
      expect: deny
      by: night
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from bedplate import Check, Subject
from bedplate_access.policy.actions import known
from bedplate_access.policy.decider import Decider, Found
from bedplate_access.policy.moment import WEEKDAYS, caller
from bedplate_access.settings import ROLES

PEER = "ipv4:192.0.2.1:1"  # of an example that names no address (RFC 5737)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Principal(_Strict):
    """Who."""

    id: str = Field("somebody", description="of a person or program", min_length=1)
    roles: list[str] = Field(
        [], description="of viewer, operator, engineer, admin, auditor, plugin"
    )
    groups: list[str] = Field([], description="of a directory or an issuer")

    @field_validator("roles")
    @classmethod
    def _known(cls, roles: list[str]) -> list[str]:
        for role in roles:
            if role not in ROLES:
                raise ValueError(f"there is no role {role}; there are {', '.join(ROLES)}")
        return roles


class Context(_Strict):
    """When, and from where. time: "14:30"."""

    time: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "12:00"
    weekday: Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"] = "wed"
    shift: str = ""
    method: str = "token"
    credential: str = ""
    ip: str = ""
    local: bool = False


class Example(_Strict):
    """One line of a file. by: the @id of a rule that must have decided."""

    principal: Principal = Principal()
    action: str
    resource: str = ""
    context: Context = Context()
    expect: Literal["allow", "deny"]
    by: str = ""

    @field_validator("action")
    @classmethod
    def _known(cls, action: str) -> str:
        if action not in known():
            raise ValueError(f"there is no action {action}")
        return action

    @property
    def words(self) -> str:
        roles = ", ".join(self.principal.roles) or "no role"
        where = f" to {self.resource}" if self.resource else ""
        return f"{self.principal.id} ({roles}) {self.action}{where}"


def told(example: Example, decider: Decider) -> Found:
    """What the policies say to it."""
    who, when = example.principal, example.context
    peer = "unix:" if when.local else f"ipv4:{when.ip}:1" if when.ip else PEER
    if ":" in when.ip:
        peer = f"ipv6:[{when.ip}]:1"
    subject = Subject(
        who.id, tuple(who.roles), peer, when.method, tuple(who.groups), when.credential
    )
    (found,) = decider.found(
        subject, [Check(example.action, example.resource)], {**_moment(when), **caller(subject)}
    )
    return found


def _moment(when: Context) -> Mapping[str, Any]:
    hour, minute = map(int, when.time.split(":"))
    assert when.weekday in WEEKDAYS
    return {
        "hour": hour,
        "minute": hour * 60 + minute,
        "weekday": when.weekday,
        "shift": when.shift,
    }


def wrong(example: Example, found: Found) -> str:
    """What is otherwise than it should be; empty when nothing is."""
    said = "allow" if found.allowed else "deny"
    if said != example.expect:
        return f"is {said}, not {example.expect}: {found.words}"
    if example.by and example.by not in found.rules:
        return f"is {said}, but not by {example.by}: {found.words}"
    return ""
