"""Verdicts on a plugin, and the grade they add up to. Values only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from bedplate.testing.conformance.check import MUST, Check

PASSED, FAILED, SKIPPED, NOT_RUN = "passed", "failed", "skipped", "not run"
FULL, BASIC, NONE = "Full", "Basic", "none"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one check ended in one placement. evidence: what was seen, or why it was not run."""

    check: Check
    group: str
    placement: str
    outcome: str
    seconds: float
    evidence: str

    def to_dict(self) -> dict[str, Any]:
        return {
            "id": self.check.id,
            "title": self.check.title,
            "level": self.check.level,
            "anchor": self.check.anchor,
            "placement": self.placement,
            "outcome": self.outcome,
            "seconds": round(self.seconds, 3),
            "evidence": self.evidence,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """All verdicts on one offer. placements: those that were tried · applicable: those that it could run in."""

    use: str
    kind: str
    plugin: str
    version: str
    bedplate: str
    placements: tuple[str, ...]
    applicable: tuple[str, ...]
    whole: bool
    verdicts: list[Verdict] = field(default_factory=list)

    def of(self, *outcomes: str) -> list[Verdict]:
        return [v for v in self.verdicts if v.outcome in outcomes]

    @property
    def grade(self) -> str:
        """Basic: every MUST passed or does not apply, in a process at least. Full: every SHOULD too, in all placements
        that apply. Nothing is graded when only some checks were wanted."""
        whole = self.whole and "process" in self.placements
        if not whole or _open(self.verdicts, MUST):
            return NONE
        everywhere = set(self.applicable) <= set(self.placements)
        return FULL if everywhere and not _open(self.verdicts) else BASIC

    def to_dict(self) -> dict[str, Any]:
        return {
            "report": 1,
            "bedplate": self.bedplate,
            "plugin": self.plugin,
            "version": self.version,
            "use": self.use,
            "kind": self.kind,
            "grade": self.grade.lower(),
            "placements": list(self.placements),
            "checks": [verdict.to_dict() for verdict in self.verdicts],
        }


def _open(verdicts: Iterable[Verdict], level: str = "") -> list[Verdict]:
    """Those that stand between a plugin and a grade."""
    return [
        v
        for v in verdicts
        if v.outcome in (FAILED, NOT_RUN) and (not level or v.check.level == level)
    ]
