"""Whether what a change has touched is as healthy again as it was before.

Rule: what was up must be up, what was degraded may be, what was unreachable or off may stay so; nothing may be worse.
What is new must be up, unless nobody expects it to speak now. It must be so for a moment, and a source that is polled
must have answered: a session that opened is not yet a machine that speaks. Judged is who began a session: not what was
reconfigured within one, since neither its plugin nor its machine was touched, and not what people have set aside.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from bedplate.errors import ReconcileError
from bedplate.runtime.lifecycle import State
from bedplate.runtime.source import Source
from bedplate.runtime.supervisor import Supervisor

STEADY = 1.0  # s
LOOK = 0.05  # s
S = State
NONE_EXPECTED = (S.OFF, S.SET_ASIDE)
WORSE = (S.UP, S.DEGRADED, S.OFF, S.SET_ASIDE, S.UNREACHABLE, S.STARTING, S.FAULTED, S.INVALID)


class HealthGate:
    """Of one change. before: state of each component that ran, when it began."""

    def __init__(self, before: Mapping[str, State]) -> None:
        self._before = before
        self._since: dict[str, float] = {}
        self._heard: dict[str, int] = {}

    def begins(self, supervisor: Supervisor) -> None:
        """A new session of it is to be judged."""
        self._heard[supervisor.component.id] = supervisor.role.figures.consumed

    async def passed(
        self,
        touched: Mapping[str, Supervisor],
        within: float,
        told: Callable[[str], None],
        ended: Callable[[], str],
    ) -> None:
        """Returns when all of them are healthy. told: hears of each · ended: why nobody waits any more.
        Raises ReconcileError: not within so many seconds, or never as things are."""
        loop, waiting = asyncio.get_running_loop(), dict(touched)
        end = loop.time() + within
        while True:
            short = {id_: why for id_, one in waiting.items() if (why := self._short(one))}
            for id_ in [*waiting.keys() - short.keys()]:
                del waiting[id_]
                told(id_)
            hopeless = [id_ for id_ in short if waiting[id_].life.state is S.INVALID]
            if not waiting:
                return
            if why := ended():
                raise ReconcileError(why)
            if hopeless or loop.time() >= end:
                raise ReconcileError(_words(short, hopeless, within))
            await asyncio.sleep(LOOK)

    def _short(self, supervisor: Supervisor) -> str:
        """What is missing, in words; empty when it is healthy, and has been for a moment."""
        id_, now = supervisor.component.id, asyncio.get_running_loop().time()
        if id_ not in self._heard:
            return ""
        why = self._wrong(supervisor)
        if why:
            self._since.pop(id_, None)
            return why
        if now - self._since.setdefault(id_, now) >= STEADY:
            return ""
        return "has not been so for long"

    def _wrong(self, supervisor: Supervisor) -> str:
        state, before = supervisor.life.state, self._before.get(supervisor.component.id)
        if state is S.SET_ASIDE:
            return ""
        fine = (
            state is S.UP or state in NONE_EXPECTED
            if before is None
            else WORSE.index(state) <= WORSE.index(before)
        )
        if not fine:
            was = f", was {before} before" if before else ""
            return f"is {state}{was}: {supervisor.life.reason}"
        return "" if state is not S.UP or self._spoke(supervisor) else "has not answered yet"

    def _spoke(self, supervisor: Supervisor) -> bool:
        role, since = supervisor.role, self._heard[supervisor.component.id]
        if not isinstance(role, Source) or role.credit is not None:
            return True
        return not role.tags or role.figures.consumed > since


def _words(short: Mapping[str, str], hopeless: list[str], within: float) -> str:
    """One line, with the first three."""
    chosen = [*(hopeless or short)]
    told = "; ".join(f"{id_} {short[id_]}" for id_ in chosen[:3])
    more = f" and {len(chosen) - 3} more" if len(chosen) > 3 else ""
    return told + more + ("" if hopeless else f" (after {within:g} s)")
