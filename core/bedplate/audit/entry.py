"""What is written down: an entry, and the record that becomes a line of it. When, by both clocks and whether the wall
clock was kept in time (IEC 62443-4-2 CR 2.8, 2.11)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

from bedplate.clock import Clock

MAX_TEXT = 1000  # characters of one field
LOOKED = 10.0  # s that an answer about the clock holds


@dataclass(frozen=True, slots=True)
class Entry:
    """who: id of the subject, empty when nobody we know · verdict: allowed, refused or noted · rule: what decided ·
    text: more, for people · credential: fingerprint of what who was proved by · correlation: id of the command or
    deployment it belongs to. No secrets."""

    action: str
    verdict: str
    who: str = ""
    method: str = ""
    peer: str = ""
    resource: str = ""
    rule: str = ""
    text: str = ""
    credential: str = ""
    correlation: str = ""


class Stamps:
    """Makes records. state: whether the wall clock is kept in time: synced, unsynced or unknown."""

    def __init__(self, clock: Clock, state: Callable[[], str] = lambda: "unknown") -> None:
        self._clock = clock
        self._state = state
        self._looked: tuple[float, str] | None = None

    def time_ns(self) -> int:
        return self._clock.time_ns()

    def record(self, entry: Entry, **more: Any) -> dict[str, Any]:
        """As it will stand in the log, but for its place in the chain. more: further fields, for `verify`."""
        mono = self._clock.monotonic()
        if self._looked is None or mono - self._looked[0] > LOOKED:
            self._looked = mono, self._state()
        told = {part.name: _legible(getattr(entry, part.name)) for part in fields(entry)}
        stamp = {
            "time": rfc3339(self._clock.time_ns()),
            "mono": f"{mono:.6f}",
            "clock": self._looked[1],
        }
        return stamp | told | more


def _legible(text: str) -> str:
    """Half a surrogate pair is no text, and no strict reader takes it."""
    return text[:MAX_TEXT].encode("utf-8", "backslashreplace").decode()


def rfc3339(time_ns: int) -> str:
    """2026-11-22T22:31:00.123456Z"""
    at = datetime.fromtimestamp(time_ns / 1e9, UTC)
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def time_ns_of(text: str) -> int:
    """ns since 1970 UTC of what `rfc3339` wrote. Raises ValueError."""
    at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    past = at - datetime(1970, 1, 1, tzinfo=UTC)
    return ((past.days * 86_400 + past.seconds) * 1_000_000 + past.microseconds) * 1000
