"""Actions of the kernel and the groups that policies speak of. An action that is new to this module is in no group, so
it is denied until somebody permits it by name."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any

GROUPS: dict[str, tuple[str, ...]] = {
    "Know": ("access.login", "access.whoami", "access.check"),
    "See": (
        "catalog.tags",
        "catalog.assets",
        "live.current",
        "live.subscribe",
        "history.query",
        "history.gaps",
        "alarms.list",
        "alarms.watch",
        "command.list",
        "admin.status",
        "admin.plugins",
        "admin.explain",
        "admin.plan",
        "admin.deployments",
    ),
    "Operate": (
        "alarms.acknowledge",
        "admin.maintenance",
        "command.submit",
        "command.approve",
        "command.cancel",
    ),
    "Change": ("admin.apply",),
    "Inspect": ("admin.audit", "access.sessions", "command.list"),
}
BY_PATH = frozenset(GROUPS["See"])  # decided for the platform first, then path by path


def known() -> list[str]:
    return sorted({action for actions in GROUPS.values() for action in actions})


def parents(action: str) -> list[str]:
    return [group for group, actions in GROUPS.items() if action in actions]


@cache
def entities() -> str:
    """As Cedar has them in JSON."""
    made: list[dict[str, Any]] = [
        {"uid": {"type": "Action", "id": group}, "attrs": {}, "parents": []} for group in GROUPS
    ]
    for action in known():
        above = [{"type": "Action", "id": group} for group in parents(action)]
        made.append({"uid": {"type": "Action", "id": action}, "attrs": {}, "parents": above})
    return json.dumps(made)


@cache
def schema() -> str:
    """What policies may speak of: the vocabulary, and these actions."""
    words = resources.files("bedplate_access.policy").joinpath("vocabulary.cedarschema")
    applies = "appliesTo { principal: [User], resource: [Asset], context: Asked }"
    lines = [f'action "{group}";' for group in GROUPS]
    for action in known():
        above = ", ".join(f'"{group}"' for group in parents(action))
        lines.append(f'action "{action}" in [{above}] {applies};')
    return "\n".join([words.read_text(encoding="utf-8"), *lines])
