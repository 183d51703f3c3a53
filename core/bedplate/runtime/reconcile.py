"""From the deployment that runs to another one, step by step as a plan says, and back when it does not stand.

Rule: what the plan calls untouched is not looked at. Steps of one kind go side by side; a step that has begun is done
to its end, so that nothing is left in between, whoever cancels. What was begun is undone by the same steps the other
way round. Nothing that is needed for the way back is forgotten before the new deployment stands: cursors and states of
what was removed wait for that.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from bedplate.config.deployment import Component, Deployment
from bedplate.errors import BedplateError, JournalError, ReconcileError
from bedplate.journal.engine import Commit
from bedplate.planning.plan import Plan, PlannedStep, Step
from bedplate.runtime.assembly import Assembly, key_of, tier_of
from bedplate.runtime.health_gate import HealthGate
from bedplate.runtime.offer import Offer
from bedplate.runtime.placement import Place
from bedplate.runtime.reader import Reader
from bedplate.runtime.reconfiguring import reconfigure
from bedplate.runtime.source import Source
from bedplate.runtime.spine import Spine
from bedplate.runtime.supervisor import Supervisor
from bedplate.runtime.withdrawal import forget, withdraw

INVERSE = {Step.CREATE: Step.REMOVE, Step.REMOVE: Step.CREATE}
BACK_WITHIN = 30.0  # s that what was before gets to come back; longer is told and not waited for
TIERS = ("security", "reader", "analytic", "source")

Told = Callable[[str, Step | None, str, str], None]
"""Hears how it goes: component ("" for the whole), step, one of begins, done, failed, healthy, rolling back, rolled
back, applied, and words. Must not block."""

Keep = Callable[[], Awaitable[None]]
"""Makes the new deployment the one that boots, once it is healthy; when it raises, all is rolled back."""


@dataclass(frozen=True, slots=True)
class Hands:
    """What a change takes of the kernel. components: those that run, by id · retained: how far readers were that are
    away for the time of the change, so that nothing is trimmed that they may still need · set_going, bring_down: with
    what is done for a component beside · stands: takes what is the truth from now on."""

    spine: Spine
    assembly: Assembly
    components: dict[str, Supervisor]
    retained: dict[str, int]
    set_going: Callable[[Supervisor], None]
    bring_down: Callable[[Supervisor], Awaitable[None]]
    stands: Callable[[Deployment, Mapping[str, Offer]], None]


class Reconcile:
    """One change. ended: why it goes no further; empty while it may."""

    def __init__(
        self,
        hands: Hands,
        deployment: Deployment,
        offers: Mapping[str, Offer],
        plan: Plan,
        told: Told,
    ) -> None:
        self._hands, self._plan, self._told = hands, plan, told
        self._new = deployment, offers
        self._old = hands.assembly.deployment, hands.assembly.offers
        self._begun: list[PlannedStep] = []
        self._gone: dict[str, Supervisor] = {}
        self._renewed: set[tuple[str, ...]] = set()
        self._ending: list[asyncio.Task[None]] = []
        before = {id_: one.life.state for id_, one in hands.components.items()}
        self._gate = HealthGate(before)
        self._kept = False
        self.ended = ""
        self.no_way_back = False

    def abandon(self, why: str, *, back: bool = True) -> bool:
        """It is not wanted any more. back: what ran before runs again. False: it stands already."""
        if self._kept:
            return False
        self.ended, self.no_way_back = why, self.no_way_back or not back
        return True

    async def run(self, health: float, keep: Keep | None) -> None:
        """Raises ReconcileError with the reason; then what ran before runs again."""
        try:
            self._check()
            await self._do(self._plan.touched, *self._new, self._continue)
            await self._gate.passed(self._touched(), health, self._healthy, lambda: self.ended)
            self._continue()
            self._kept = True
            if keep:
                await keep()
        except (BedplateError, OSError) as error:
            self._kept = False
            await self._roll_back(str(error))
            raise ReconcileError(f"{error}; what ran before runs again") from error
        await self._stand(self._plan.touched, *self._new)
        self._told("", None, "applied", f"{len(self._plan.touched)} components touched")

    def _check(self) -> None:
        """Raises ReconcileError before anything is touched."""
        wanted = {c.id for c in self._new[0].components}
        steps = {one.component: one.step for one in self._plan.steps}
        running = self._hands.components.keys()
        if self._plan.problems:
            raise ReconcileError("; ".join(self._plan.problems))
        if steps.keys() != wanted | running:
            raise ReconcileError("the plan was made for another deployment; plan again")
        if strange := [c for c, s in steps.items() if (s is Step.CREATE) == (c in running)]:
            raise ReconcileError(f"{strange[0]}: the plan does not fit what runs; plan again")

    def _continue(self) -> None:
        if self.ended:
            raise ReconcileError(self.ended)

    def _touched(self) -> dict[str, Supervisor]:
        running = self._hands.components
        return {one.component: running[one.component] for one in self._plan.touched
                if one.component in running}  # fmt: skip

    def _healthy(self, component: str) -> None:
        self._told(component, self._plan.step(component), "healthy", "")

    # --- the way there and back ---

    async def _do(
        self,
        steps: Iterable[PlannedStep],
        deployment: Deployment,
        offers: Mapping[str, Offer],
        between: Callable[[], None] = lambda: None,
    ) -> None:
        """What is removed first, then what is reconfigured, then the rest, each tier on its own. between: raises when
        it is not to go on."""
        self._hands.assembly.turn(deployment, offers)
        target = {c.id: c for c in deployment.components}
        for group in self._groups(steps, target):
            between()
            await self._part_with_what_others_want(group, target)
            tasks = [asyncio.create_task(self._one(step, target)) for step in group]
            await asyncio.wait(tasks)
            for task in tasks:
                task.result()

    def _groups(
        self, steps: Iterable[PlannedStep], target: Mapping[str, Component]
    ) -> list[list[PlannedStep]]:
        found: dict[tuple[int, int], list[PlannedStep]] = {}
        for step in steps:
            component = target.get(step.component) or self._running(step.component)
            tier = TIERS.index(self._tier(component)) if component else 0
            turn = {Step.REMOVE: 0, Step.RECONFIGURE: 1}.get(step.step, 2)
            found.setdefault((turn, -tier if turn == 0 else tier), []).append(step)
        return [found[turn] for turn in sorted(found)]

    def _running(self, component: str) -> Component | None:
        supervisor = self._hands.components.get(component)
        return supervisor.component if supervisor else None

    def _tier(self, component: Component) -> str:
        offers = (*self._new[1].items(), *self._old[1].items())
        offer = next(offer for use, offer in offers if use == component.use)
        return tier_of(component, offer)

    async def _one(self, step: PlannedStep, target: Mapping[str, Component]) -> None:
        id_ = step.component
        self._begun.append(step)
        self._told(id_, step.step, "begins", step.why)
        try:
            if step.step is Step.REMOVE:
                await self._remove(id_)
            elif step.step is Step.RECONFIGURE:
                reconfigure(self._hands.components[id_], target[id_])
            else:
                await self._put(target[id_], step)
        except (BedplateError, OSError) as error:
            self._told(id_, step.step, "failed", str(error))
            raise
        self._told(id_, step.step, "done", "")

    async def _put(self, component: Component, step: PlannedStep) -> None:
        """Creates it, or lets it begin anew with what it was."""
        await self._down(component.id)
        before = self._gone.pop(component.id, None)
        assembly = self._hands.assembly
        if step.new_process or "artefact" in step.changed:
            key = key_of(component, assembly.offers[component.use])
            if key not in self._renewed:
                self._renewed.add(key)
                assembly.renew(component)
        components = self._hands.components
        try:
            supervisor = assembly.build(component, before)
        finally:
            components.pop(component.id, None)
            if before:
                self._part(before)
        components[component.id] = supervisor
        self._gate.begins(supervisor)
        self._hands.set_going(supervisor)

    async def _remove(self, component: str) -> None:
        await self._down(component)
        self._hands.components.pop(component, None)
        if before := self._gone.pop(component, None):
            self._part(before)
        with contextlib.suppress(JournalError):
            withdraw(self._hands.spine, component)

    async def _down(self, component: str) -> None:
        """Stops it; its cursor stays where it is."""
        hands, supervisor = self._hands, self._hands.components.get(component)
        if supervisor is None:
            return
        role = supervisor.role
        role.keeps_on = False  # a program elsewhere that goes on would hold its machine
        await hands.bring_down(supervisor)
        if isinstance(role, Reader) and role.buffer and role.durable:
            with contextlib.suppress(JournalError):
                hands.spine.append((), Commit(component, role.durable))
        if hasattr(role, "durable"):
            hands.retained[component] = role.durable
        self._gone[component] = supervisor

    def _part(self, supervisor: Supervisor) -> None:
        if place := self._hands.assembly.part(supervisor):
            self._ending.append(asyncio.create_task(_end(place)))

    async def _part_with_what_others_want(
        self, group: Collection[PlannedStep], target: Mapping[str, Component]
    ) -> None:
        """A tag that goes from one component to another has to be let go first."""
        owner = self._hands.spine.registry.owner
        after = {step.component: target[step.component] for step in group
                 if step.component in target}  # fmt: skip
        wanted = {owner.get(t.path, id_) for id_, c in after.items() for t in c.tags
                  if owner.get(t.path, id_) != id_}  # fmt: skip
        for id_ in wanted & after.keys():
            await self._down(id_)
            with contextlib.suppress(JournalError):
                withdraw(self._hands.spine, id_, {tag.path for tag in after[id_].tags})

    async def _roll_back(self, why: str) -> None:
        if self.no_way_back:
            raise ReconcileError(why)
        self._told("", None, "rolling back", why)
        steps = [_inverse(step) for step in self._begun]
        self._begun, self._renewed = [], set()
        try:
            await self._do(steps, *self._old)
            back = {s.component: self._hands.components[s.component] for s in steps
                    if s.component in self._hands.components}  # fmt: skip
            await self._gate.passed(back, BACK_WITHIN, lambda component: None, self._stop_waiting)
        except (BedplateError, OSError) as error:
            self._told("", None, "failed", f"on the way back: {error}")
        await self._stand(steps, *self._old)
        self._told("", None, "rolled back", why)

    def _stop_waiting(self) -> str:
        return self.ended if self.no_way_back else ""

    async def _stand(
        self,
        steps: Sequence[PlannedStep],
        deployment: Deployment,
        offers: Mapping[str, Offer],
    ) -> None:
        """This is what runs from now on: what is not needed any more is forgotten."""
        hands = self._hands
        for step in steps:
            if supervisor := hands.components.get(step.component):
                with contextlib.suppress(JournalError):
                    withdraw(hands.spine, step.component, _brings(supervisor))
        order = [c.id for c in deployment.components if c.id in hands.components]
        ordered = {id_: hands.components[id_] for id_ in order}
        hands.components.clear()
        hands.components.update(ordered)
        hands.retained.clear()
        hands.stands(deployment, offers)
        for step in steps:
            if step.step is Step.REMOVE:
                with contextlib.suppress(JournalError):
                    await forget(hands.spine, step.component)
        if self._ending:
            await asyncio.wait(self._ending)


def _inverse(step: PlannedStep) -> PlannedStep:
    return replace(step, step=INVERSE.get(step.step, step.step), why="back to what ran before")


def _brings(supervisor: Supervisor) -> set[str]:
    """Paths of its tags."""
    if isinstance(supervisor.role, Source):
        return {tag.path for tag in supervisor.role.tags}
    return set(getattr(supervisor.role, "outputs", ()))


async def _end(place: Place) -> None:
    if place.remote:
        place.remote.leave()
    await place.stop()
