"""The good plugin and its mutants under the kit: one subject for each kind, and verdicts on many at once."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from bedplate.admission.permissions import Permissions
from bedplate.testing.conformance.examination import Wish, examine
from bedplate.testing.conformance.profile import Profile
from bedplate.testing.conformance.subject import Subject
from bedplate.testing.conformance.verdict import Report
from bedplate.testing.runs import Program

HERE = Path(__file__).parent
GOOD = HERE / "good.py"
AT_ONCE = 5

SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "port": {"type": "integer", "description": "TCP port of the device."},
        "limit": {"type": "number", "description": "Some limit."},
        "folder": {"type": "string", "description": "Where a history keeps things."},
        "password": {"type": "string", "writeOnly": True, "description": "A secret."},
    },
}
ADDRESS = {"type": "string", "pattern": "^[ -~]*$"}
DEVICE: dict[str, Any] = {
    "settings": {"port": "{port}", "limit": 5},
    "invalid": [
        {"settings": {"port": "no number"}, "pointer": "/port"},
        {"settings": {"limit": "no number"}, "pointer": "/limit"},
    ],
    "tags": {
        "a": {"address": "1", "value": 1.5, "write": 4.5},
        "b": {"address": "2", "value": -2.0},
        "fixed": {"address": "fixed", "value": 9.0, "read_only": True},
        "none": {"address": "none", "missing": True},
    },
}
PROFILES: dict[str, dict[str, Any]] = {
    "connector": {"sim": "python device.py {port}", "allow_writes": True, **DEVICE},
    "history": {
        "settings": {"folder": "{folder}/history"},
        "network": False,
        "every_address": True,
    },
    "analytic": {"settings": {"limit": 5}, "inputs": {"x": {"values": [1.0, 2.5, 7.0]}}},
    "security": {
        "settings": {"limit": 5},
        "decisions": [
            {"action": "live.current", "verdict": "allow"},
            {"action": "admin.status", "verdict": "deny"},
            {"action": "admin.status", "roles": ["admin"], "verdict": "allow"},
        ],
    },
}
CAPABILITIES = {
    "connector": ("read", "subscribe", "write", "browse", "read_history"),
    "history": ("deliver", "query"),
}


def subject(role: str, program: Path = GOOD) -> Subject:
    """role: connector, history, analytic or security."""
    kind = "connector" if role == "history" else role
    can = CAPABILITIES.get(role, ())
    return Subject(
        use="good",
        kind=kind,
        program=Program((sys.executable, str(program), kind, ",".join(can)), kind),
        capabilities=can,
        replay="session" if role == "connector" else "none",
        plugin="good",
        version="1",
        path=program,
        settings=SCHEMA,
        address=ADDRESS,
        permissions=Permissions.model_validate(
            {
                "network": ["tcp:127.0.0.1:$port"] if role == "connector" else [],
                "files": ["$folder"] if role == "history" else [],
            }
        ),
        support="nobody@example.com",
        manifest=HERE / "bedplate-plugin.toml",
    )


def profile(role: str, **more: Any) -> Profile:
    small = {"failed_connects": 100, "cycles": 10}
    return Profile.model_validate({**small, **PROFILES[role], **more})


async def judged(
    role: str, program: Path, *only: str, change: dict[str, Any] | None = None, **more: Any
) -> Report:
    """The report on a program. change: fields of the subject; more: of the profile."""
    wish = Wish(only=only, beside=HERE)
    examined = replace(subject(role, program), **(change or {}))
    return await examine(examined, profile(role, **more), wish, lambda verdict: None)


async def all_judged(jobs: list[Any]) -> list[Any]:
    """Results of functions that return coroutines, a few at a time; an exception is a result."""
    few = asyncio.Semaphore(AT_ONCE)

    async def one(job: Any) -> Any:
        async with few:
            return await job()

    return await asyncio.gather(*map(one, jobs), return_exceptions=True)
