"""One question: its subject, what stands now, and the words for moments and lengths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bedplate import shown
from bedplate.model import TagInfo, quality
from bedplate.runtime.causes import Cause, Kind, Member
from bedplate.runtime.kernel import Kernel
from bedplate.runtime.lifecycle import State
from bedplate.runtime.supervisor import Supervisor
from bedplate.runtime.watching import code_of
from bedplate.server.explain.subject import Subject
from bedplate.shown import age_text, with_unit

FINE = (State.UP, State.DEGRADED)
QUIET = (State.OFF, State.SET_ASIDE, State.STOPPED)


@dataclass(frozen=True, slots=True)
class Case:
    """causes: all that stand · cause: that of the subject, None when it has none."""

    kernel: Kernel
    subject: Subject
    causes: Sequence[Cause]
    members: dict[str, Member]
    now: int

    @property
    def cause(self) -> Cause | None:
        if self.subject.kind == "journal":
            return next((c for c in self.causes if c.kind in (Kind.STORAGE, Kind.PLATFORM)), None)
        mine = [c for c in self.causes if set(c.components) & set(self.subject.components)]
        if self.subject.tag and mine and mine[0].kind is Kind.TAGS and self.good:
            return None
        return max(
            mine, key=lambda c: len(set(c.components) & set(self.subject.components)), default=None
        )

    @property
    def first(self) -> Supervisor | None:
        """The component whose chain is looked at: one that the cause hits, before others."""
        hit = self.cause.components if self.cause else ()
        mine = self.subject.components
        ids = [
            *(c for c in mine if c in hit),
            *mine,
            *(hit if self.subject.kind == "journal" else ()),
        ]
        return next((s for i in ids if (s := self.kernel.components.get(i))), None)

    def supervisors(self) -> list[Supervisor]:
        found = map(self.kernel.components.get, self.subject.components)
        return [one for one in found if one is not None]

    # --- the tag ---

    @property
    def tag(self) -> TagInfo | None:
        """None for a subject that is no tag, and for a tag that never had a value."""
        table = self.kernel.spine.registry.table
        return table.newest(self.subject.tag) if self.subject.tag else None

    @property
    def code(self) -> int:
        """Quality of the tag now."""
        return code_of(self.subject.tag, self.kernel.spine)

    @property
    def good(self) -> bool:
        return quality.is_good(self.code)

    def last_good(self) -> tuple[int, Any] | None:
        tag = self.tag
        return self.kernel.spine.current.last_good(tag.handle) if tag else None

    def lapsed(self) -> int:
        """Since when the tag is not as it should be, ns UTC; 0: not known."""
        tag = self.tag
        current = self.kernel.spine.current
        if tag is None or not current.has(tag.handle) or self.good:
            return 0
        return int(current.lapses.since[tag.handle])

    # --- words ---

    def at(self, ns: int) -> str:
        return self.kernel.causes.clock(ns)

    def ago(self, ns: int) -> str:
        return length((self.now - ns) / 1e9)


def value_text(value: Any, tag: TagInfo) -> str:
    """A value with its label or unit, on one line."""
    return with_unit(shown.value_text(value, tag.states), tag.unit)


def length(seconds: float) -> str:
    """0.4 s, 38 s, 15 min 26 s, 4 h 37 min, 41 d 6 h."""
    return age_text(seconds, precise=True)
