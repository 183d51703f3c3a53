"""What exactly will be done, as one hash: what a second person approves, and what a repeat must be equal to."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import Any

from bedplate.command.case import Case
from bedplate.command.command import Wish
from bedplate.command.raw import exact


def intent(case: Case) -> str:
    """SHA-256, hex: who, which command, tag, value, raw value, where to, what was before, limits, rule, reason."""
    point, wanted = case.point, case.wanted
    return _digest(
        {
            "who": [case.by.id, case.by.credential],
            "command_id": case.wish.command_id,
            "wish": _asked(case.wish),
            "value": _typed(wanted.value) if wanted else "",
            "raw": _typed(wanted.raw) if wanted else "",
            "unit": point.unit if point else "",
            "to": repr((point.device, point.address, dict(point.states))) if point else "",
            "scale": list(point.scale or ()) if point else [],
            "limits": asdict(point.limits) if point and point.limits else {},
            "rule": asdict(case.rule) if case.rule else {},
        }
    )


def content(wish: Wish) -> str:
    """SHA-256, hex, of what a repeat must say again. Not within: a client that tries again has less time."""
    return _digest(_asked(wish))


def _asked(wish: Wish) -> dict[str, str]:
    return {
        "tag": wish.tag,
        "value": _typed(wish.value),
        "if_current": _typed(wish.if_current),
        "reason": wish.reason,
    }


def _typed(value: Any) -> str:
    if isinstance(value, str | bytes):
        whole = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
        return f"{type(value).__name__} {whole.hex()}"
    return f"{type(value).__name__} {exact(value)}"


def _digest(what: Any) -> str:
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()
