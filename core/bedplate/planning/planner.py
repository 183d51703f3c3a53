"""Makes a plan. Pure: everything it needs is given, nothing is contacted, nothing changes.

Rule: a component whose fingerprint is equal is untouched. Whoever has to be restarted because of another is named in a
step of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from bedplate.config.deployment import Component, Deployment
from bedplate.planning.differences import Change, fingerprint
from bedplate.planning.plan import Plan, PlannedStep, Step
from bedplate.planning.standing import Figures, Home, Standing
from bedplate.planning.write_rules import rules_told

SESSION, PROCESS = 0.5, 1.5  # s that a session and a process take to start, where nothing was seen
TIERS = ("security", "reader", "analytic", "source")
SECTIONS = {
    "engine": "another engine",
    "journal": "the journal is what everything stands on",
    "api": "clients are connected to it",
    "telemetry": "it is set up once",
    "audit": "it is written all the time",
    "plugins": "plugins are found and judged once",
}
AGAIN = "start Bedplate again with this file: bedplate run FILE"


def plan(
    running: Standing | None,
    wanted: Standing,
    *,
    against: int = 0,
    figures: Figures | None = None,
    moved: Collection[tuple[str, str]] = (),
) -> Plan:
    """running: None when nothing was ever applied, so everything is created · against: its number · moved: (from, to)
    of deployments before, which are no news."""
    new = wanted.deployment
    moves = tuple(move for move in new.moved if move not in moved)
    old = running.deployment if running else None
    steps = _Steps(running, wanted, figures or Figures(), {to: was for was, to in moves})
    made = tuple(steps.all())
    return Plan(
        against,
        made,
        (*_problems(old, new), *_loaded(new, made)) if old else (),
        tuple(_notices(old, new, moves)) if old else (),
        moves,
        rules_told(old, new) if old else (),
    )


def _problems(old: Deployment, new: Deployment) -> Iterator[str]:
    """What can't be changed while it runs, with the line of the file."""
    if old.name != new.name:
        yield _at(new, "name", f"another deployment runs, {old.name}; {AGAIN}")
    for section, why in SECTIONS.items():
        if getattr(old, section) != getattr(new, section):
            yield _at(new, section, f"can't be changed while it runs: {why}; {AGAIN}")
    if old.of_kind("security") != new.of_kind("security"):
        yield _at(new, "security", f"can't be changed while it runs: who may do what; {AGAIN}")


def _loaded(new: Deployment, steps: Iterable[PlannedStep]) -> Iterator[str]:
    """Code that the kernel has imported stays what it was."""
    for step in steps:
        component = new.component(step.component)
        if component and component.placement == "inline" and "artefact" in step.changed:
            text = f"{step.why}, and is loaded inside the kernel; {AGAIN}"
            yield f"{component.file}:{component.line}  {component.id}: {text}"


def _at(deployment: Deployment, section: str, text: str) -> str:
    source = deployment.source
    line = source.lines.get(section, 0)
    return f"{source.file}{f':{line}' if line else ''}  {section}: {text}"


def _notices(old: Deployment, new: Deployment, moves: Iterable[tuple[str, str]]) -> Iterator[str]:
    paths = {path for one in new.components for path in _places(one)}
    before = {path for one in old.components for path in _places(one)}
    for was, to in moves:
        if not any(_below(path, to) for path in paths):
            yield f"moved: nothing is at {to}, so the history of {was} waits there for what comes"
        elif not any(_below(path, was) for path in before):
            yield f"moved: nothing is at {was} now; what was kept of it is shown at {to}"


def _below(path: str, place: str) -> bool:
    return path == place or path.startswith(f"{place}/")


def _places(component: Component) -> list[str]:
    """Paths that it and its tags have."""
    return [component.path, *(tag.path for tag in component.tags)]


def machines(component: Component) -> tuple[str, ...]:
    """Paths of the assets that feel it when it is away: a source's own and those its tags hang on, an analytic's."""
    if component.kind == "analytic":
        return tuple(asset.path for asset in component.assets)
    if component.kind != "connector" or component.deliver:
        return ()
    hung = (tag.path.rpartition("/")[0] for tag in component.tags)
    deep = f"{component.path}/"
    found = dict.fromkeys([component.path, *(p for p in hung if not p.startswith(deep))])
    return tuple(found)


class _Steps:
    def __init__(
        self, old: Standing | None, new: Standing, figures: Figures, moves: dict[str, str]
    ) -> None:
        self._old, self._new, self._figures, self._moves = old, new, figures, moves
        self._before = {one.id: one for one in old.deployment.components} if old else {}
        self._after = {one.id: one for one in new.deployment.components}

    def all(self) -> Iterator[PlannedStep]:
        """In the order they are done."""
        steps = [self._own(component) for component in self._after.values()]
        steps = [*self._placed(steps)]
        gone = [one for id_, one in self._before.items() if id_ not in self._after]
        for tier in reversed(TIERS):
            yield from (self._removal(one) for one in gone if self._tier(one) == tier)
        by_tier = sorted(steps, key=lambda s: TIERS.index(self._tier(self._after[s.component])))
        yield from (s for s in by_tier if s.step is Step.RECONFIGURE)
        yield from (s for s in by_tier if s.step not in (Step.RECONFIGURE, Step.UNTOUCHED))
        yield from (s for s in steps if s.step is Step.UNTOUCHED)

    def _tier(self, component: Component) -> str:
        if component.kind != "connector":
            return component.kind if component.kind in TIERS else "source"
        standing = self._new if component.id in self._after or not self._old else self._old
        reads = component.deliver or "query" in standing.plugin(component.use).capabilities
        return "reader" if reads else "source"

    def _own(self, component: Component) -> PlannedStep:
        """What its own words ask for."""
        before, home = self._before.get(component.id), self._new.home(component.id)
        if before is None or self._old is None:
            was = self._was(component)
            why = f"moved from {was}" if was else "new"
            return PlannedStep(
                component.id,
                Step.CREATE,
                why,
                machines=machines(component),
                process=home.name,
                was=was,
            )
        if fingerprint(before, self._old) == fingerprint(
            component, self._new
        ) and not self._rehomed(component):
            return PlannedStep(component.id, Step.UNTOUCHED, process=home.name)
        change = Change(before, self._old, component, self._new)
        step = change.step()
        if step is Step.UNTOUCHED:
            return PlannedStep(component.id, step, process=home.name)
        was = self._was(component) if before.path != component.path else ""
        feel = tuple(dict.fromkeys([*machines(before), *machines(component)]))
        planned = PlannedStep(
            component.id, step, change.why(), change.words, 0.0, feel, home.name, was=was
        )
        return replace(planned, gap_seconds=self._gap(planned, component))

    def _rehomed(self, component: Component) -> bool:
        if not self._old or not self._old.homes:
            return False
        return self._old.home(component.id).key != self._new.home(component.id).key

    def _was(self, component: Component) -> str:
        """Path it had, where `moved` says so."""
        for to, was in self._moves.items():
            if _below(component.path, to):
                return was + component.path[len(to) :]
        return ""

    def _removal(self, component: Component) -> PlannedStep:
        home = self._old.home(component.id) if self._old else Home("", "")
        to = next((to for to, was in self._moves.items() if _below(component.path, was)), "")
        why = f"moved to {to}" if to else "no longer in the file"
        return PlannedStep(
            component.id, Step.REMOVE, why, machines=machines(component), process=home.name
        )

    def _gap(self, planned: PlannedStep, component: Component) -> float:
        """Seconds that a source is not heard: until its next session is open, and until its next scan. What is read of
        the journal is only late."""
        if self._tier(component) != "source" or planned.step not in (Step.RESTART, Step.REWIRE):
            return 0.0
        seen = self._figures.opens.get(component.id)
        wait = SESSION if seen is None else seen
        if planned.new_process:
            wait += self._figures.starts.get(planned.process, PROCESS)
        if "subscribe" not in self._new.plugin(component.use).capabilities and component.tags:
            wait += min(tag.scan_ns for tag in component.tags) / 1e9
        return round(wait, 1)

    # --- processes ---

    def _placed(self, steps: Iterable[PlannedStep]) -> Iterator[PlannedStep]:
        """The same, with what is known of processes. One that runs is never touched for a newcomer's sake: who needs
        another plugin, or more than the process may do, gets one of its own beside it."""
        known = _environments(self._old) if self._old else {}
        for step in steps:
            home, component = self._new.home(step.component), self._after[step.component]
            anew = (
                home.key not in known
                or "artefact" in step.changed
                or not home.environment <= known[home.key]
            )
            planned = replace(step, new_process=bool(home.key) and anew)
            yield replace(planned, gap_seconds=self._gap(planned, component))


def _environments(standing: Standing) -> dict[str, frozenset[str]]:
    found: defaultdict[str, frozenset[str]] = defaultdict(frozenset)
    for home in standing.homes.values():
        found[home.key] |= home.environment
    return dict(found)
