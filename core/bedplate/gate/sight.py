"""What a stream may show: decided when it begins and again whenever that may have changed, for as long as it lasts.

Rule: nothing is shown by a decision older than HOLDS, or than its module lets it be remembered where that is longer;
and nothing after a module said `forget`, or its session ended, before it was asked again.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from bedplate.contracts import Subject
from bedplate.gate.memory import Memory

PLATFORM = ("",)
LEAST = 0.25  # s that any decision stands
HOLDS = 4.0  # s that a decision stands which may not be remembered: a stream can't ask each time


class Decides(Protocol):
    """What it needs of the gate."""

    memory: Memory

    async def check(
        self, subject: Subject, action: str, *resources: str, told: str = ""
    ) -> None: ...
    async def look(
        self, subject: Subject, action: str, paths: Collection[str], *, keep: bool = True
    ) -> tuple[Collection[str], float]: ...


class Sight:
    """Of one subject by one action. The call as such was allowed a moment ago."""

    def __init__(self, gate: Decides, subject: Subject, action: str) -> None:
        self._gate, self._subject, self._action = gate, subject, action
        self._generation, self._until = gate.memory.generation, float("inf")

    @property
    def fresh(self) -> bool:
        """Whether what was decided still stands."""
        memory = self._gate.memory
        return self._generation == memory.generation and memory.now() < self._until

    async def among(self, paths: Collection[str]) -> Collection[str]:
        """Those that may be shown now, the same object when all may. Raises Denied, also when the call as such is
        allowed no longer; NotReady."""
        if not self.fresh:
            self._generation, self._until = self._gate.memory.generation, float("inf")
        allowed = await self._look(PLATFORM)
        if not allowed:
            await self._gate.check(self._subject, self._action)  # raises, and is written down
        return await self._look(paths)

    async def _look(self, paths: Collection[str]) -> Collection[str]:
        seen, until = await self._gate.look(self._subject, self._action, paths, keep=False)
        now = self._gate.memory.now()
        lasts = max(until, now + LEAST) if until > now else now + HOLDS
        self._until = min(self._until, lasts)
        return seen
