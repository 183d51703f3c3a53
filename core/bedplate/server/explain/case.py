"""One question: its subject, what stands now, and the words for moments and lengths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bedplate.model import TagInfo, quality
from bedplate.runtime.causes import Cause, Kind, Member
from bedplate.runtime.kernel import Kernel
from bedplate.runtime.lifecycle import State
from bedplate.runtime.supervisor import Supervisor
from bedplate.server.explain.subject import Subject

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
        return code_of(self.kernel, self.subject.tag)

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


def code_of(kernel: Kernel, path: str) -> int:
    """Quality of a tag now; BadWaitingForInitialData before its first value."""
    tag = kernel.spine.registry.table.newest(path)
    if tag is None or not kernel.spine.current.has(tag.handle):
        return quality.BAD_WAITING
    return int(kernel.spine.current.quality[tag.handle])


def length(seconds: float) -> str:
    """0.4 s, 38 s, 15 min 26 s, 4 h 37 min, 41 d 6 h."""
    if seconds < 9.95:
        return f"{max(0.0, seconds):.1f} s"
    whole = round(seconds)
    for each, unit, lower, small in (
        (86400, "d", 3600, "h"),
        (3600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if whole >= each:
            rest = whole % each // lower
            return f"{whole // each} {unit}" + (f" {rest} {small}" if rest else "")
    return f"{whole} s"


def some(names: Sequence[str], most: int = 3) -> str:
    """The first few, and how many more."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def value_text(value: Any, tag: TagInfo) -> str:
    """A value with its label or unit, on one line."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float) and int(value) == value and int(value) in tag.states:
        return tag.states[int(value)]
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    text = "".join(c if c.isprintable() else "·" for c in text[:60])
    return f"{text} {tag.unit}" if tag.unit else text
