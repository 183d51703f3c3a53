"""A plugin whose device says what nobody expects. A single file."""

from __future__ import annotations

import math
from typing import Any

from bedplate import Connector

SAID: dict[str, Any] = {
    "nan": math.nan,
    "inf": math.inf,
    "minus_inf": -math.inf,
    "minus_zero": -0.0,
    "subnormal": 5e-324,
    "least": -(1 << 63),
    "megabyte": "x" * (1 << 20),
    "text": "a\0b\n2026-01-01 ADMIN OK\u202e\x1b[2J",
    "path": "../../etc/x",
    "surrogate": "\ud800",
}


class Saying(Connector):
    def read(self, tags: list[Any]) -> list[Any]:
        return [SAID[tag.address] for tag in tags]
