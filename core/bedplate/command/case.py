"""One command while it is under way: the wish, who is behind it, and what the checks have found so far."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bedplate.command.command import EDGES, Command, State, Verdict, Wish
from bedplate.command.plant import Point, Reading
from bedplate.command.rates import Rates
from bedplate.command.raw import Wanted
from bedplate.command.world import World
from bedplate.command.written import Written
from bedplate.config.deployment import WriteRule
from bedplate.contracts import Subject
from bedplate.model import quality

LEASE = 10.0  # s between ARMED and SENT


class Case:
    """deadline, waits_until, lease: s of the monotonic clock · earlier: another command of the same id and identity ·
    flood: why this identity may not ask for more now · trouble: why nothing can be kept · withdrawn: why it is to
    be sent no more · access: `changes` of the world when it came · arms: it is sent if all is well · taken: what
    counts against a rate as long as it may be sent."""

    def __init__(
        self, world: World, wish: Wish, by: Subject, rates: Rates, written: Written
    ) -> None:
        self.world, self.wish, self.by = world, wish, by
        self.rates, self._written = rates, written
        self.access = world.changes()
        self.deadline = world.clock.monotonic() + wish.within
        self.waits_until = 0.0
        self.lease = 0.0
        self.earlier: Command | None = None
        self.flood = ""
        self.trouble = ""
        self.withdrawn = ""
        self.approver: Subject | None = None
        self.rule: WriteRule | None = None
        self.wanted: Wanted | None = None
        self.taken: list[tuple[str, float]] = []
        now = world.clock.time_ns()
        self.command = Command(
            wish.command_id,
            wish.tag,
            wish.value,
            State.PROPOSED,
            by,
            reason=one_line(wish.reason, 500),
            submitted=now,
        )

    @property
    def key(self) -> tuple[str, str]:
        return self.by.id, self.wish.command_id

    @property
    def point(self) -> Point | None:
        """The tag as it is declared now."""
        return self.world.plant.point(self.wish.tag)

    @property
    def arms(self) -> bool:
        waits = self.rule is not None and self.rule.second_person and self.approver is None
        return not self.wish.dry_run and not waits

    def now(self) -> float:
        return self.world.clock.monotonic()

    def reading(self, path: str) -> Reading | None:
        """What a tag is now, as far as anybody can know."""
        return self._written.newer(path, self.world.plant.reading(path), self.now())

    def good(self, point: Point) -> tuple[Any, str]:
        """(value, why it is not known); one of them is empty."""
        reading = self.reading(point.path)
        if reading is None or reading.value is None:
            return None, "no value yet" if reading is None else quality.name(reading.quality)
        if not quality.is_good(reading.quality):
            return None, quality.name(reading.quality)
        if not 0 <= reading.age <= point.max_age:
            return None, f"{reading.age:.3g} s old"
        return reading.value, ""

    def found(self, verdict: Verdict) -> None:
        verdict = replace(verdict, text=one_line(verdict.text))
        self.command = replace(self.command, checks=(*self.command.checks, verdict))

    def move(self, state: State, text: str = "", **more: Any) -> None:
        """To another state. Raises AssertionError along no edge: better no command than one sent twice."""
        if state not in EDGES[self.command.state]:
            raise AssertionError(f"{self.command.state.name} → {state.name}")
        ended = self.world.clock.time_ns() if state.ended else 0
        self.command = replace(self.command, state=state, text=one_line(text), ended=ended, **more)


def one_line(text: str, most: int = 800) -> str:
    """Words of a client, a device or a file among ours: nothing in them steers a terminal or forges a line."""
    safe = "".join(c if c.isprintable() else "·" for c in text[: most + 1])
    return safe if len(safe) <= most else f"{safe[: most - 1]}…"
