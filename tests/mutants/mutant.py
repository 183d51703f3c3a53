"""A mutant: one line of good.py, or one fact about it, and what a careless author writes instead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.mutants.bench import SCHEMA

CONNECTOR, HISTORY, ANALYTIC, SECURITY = "connector", "history", "analytic", "security"


@dataclass(frozen=True)
class Mutant:
    """caught_by: id of its check · what: in words · old, new: text of good.py · change: of the subject instead."""

    caught_by: str
    role: str
    what: str
    old: str = ""
    new: str = ""
    change: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.caught_by}-{self.what.replace(' ', '-')}"

    def of(self, good: str) -> str:
        """Its program. The line must be there, once."""
        if self.old and good.count(self.old) != 1:
            raise ValueError(f"{self.caught_by}: {good.count(self.old)} × {self.old!r}")
        return good.replace(self.old, self.new) if self.old else good


def schema(**properties: Any) -> dict[str, Any]:
    """The schema of good.py with other properties."""
    return {**SCHEMA, "properties": {**SCHEMA["properties"], **properties}}
