"""What the components of a kernel show right now, as facts, and where each of them belongs. Reads; changes nothing.

Rule: a trouble that was interrupted for less than five seconds began when it first began, so a device that takes
connections and answers nothing is one trouble and not many.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Protocol

import numpy as np

from bedplate.config.deployment import Component, Deployment, resolve_settings
from bedplate.isolation.grants import defaults
from bedplate.model import quality
from bedplate.runtime.buffer import AGE
from bedplate.runtime.causes import BadTag, Fact, Kind, Member
from bedplate.runtime.causes.addresses import spots
from bedplate.runtime.lifecycle import Cause, Life, State, Transition
from bedplate.runtime.offer import Offer
from bedplate.runtime.overdue import both
from bedplate.runtime.source import Source
from bedplate.runtime.spine import Spine
from bedplate.runtime.supervisor import Supervisor
from bedplate.shown import age_text

BLIP = 5_000_000_000  # ns that it may have been well in between
BEHIND = 60.0  # s that a reader may lag before people are told
ROLES = {"analytic": "analytic", "security": "security"}
KINDS = {
    State.UNREACHABLE: Kind.SILENT,
    State.FAULTED: Kind.FAULT,
    State.INVALID: Kind.SETTINGS,
}
IDLE = (State.OFF, State.SET_ASIDE, State.STOPPING, State.STOPPED)
FRAMES = (str(Cause.START), str(Cause.RETRY))  # reasons that tell nothing


class Plant(Protocol):
    """What a kernel shows of itself; its deployment may become another one."""

    components: dict[str, Supervisor]
    offers: Mapping[str, Offer]
    spine: Spine
    deployment: Deployment


class Findings:
    """Of one kernel."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._spine = plant.spine
        self._fixed: dict[str, tuple[Component, Member]] = {}
        self._stored = (0, "")  # since when the journal is in trouble, and how

    def facts(self) -> list[Fact]:
        """One for each component that is in trouble, and one of the journal."""
        return [*self._journal(), *self._of_components()]

    def members(self) -> dict[str, Member]:
        here = self._plant.components
        self._fixed = {id_: kept for id_, kept in self._fixed.items() if id_ in here}
        return {id_: self._member(one) for id_, one in here.items()}

    # --- facts ---

    def _journal(self) -> Iterator[Fact]:
        state = self._spine.engine.state()
        text = state.failed or state.full
        if not text:
            self._stored = (0, "")
            return
        word = "NOT STORED" if state.failed else "full"
        if self._stored[1] != word:
            self._stored = (self._spine.clock.time_ns(), word)
        yield Fact("", Kind.STORAGE, word, self._stored[0], text)

    def _of_components(self) -> Iterator[Fact]:
        for id_, one in self._plant.components.items():
            if one.life.state not in IDLE and (fact := self._fact(id_, one)):
                yield fact

    def _fact(self, id_: str, one: Supervisor) -> Fact | None:
        life, overdue = one.life, one.overdue
        state = life.state
        if state is State.UP and not overdue:
            return self._behind(id_, one)
        began, told = onset(life)
        if state is State.STARTING and told is None:
            return self._starting(id_, one)
        told = told or life.history[-1]
        word = told.state if state is State.STARTING else state
        reason = both(told.reason, overdue)
        if state in (State.UP, State.DEGRADED):
            return self._degraded(id_, one, reason)
        kind = KINDS.get(State(word), Kind.FAULT)
        if kind is Kind.SILENT and one.place.placement == "remote" and one.place.away(None):
            kind = Kind.AWAY
        return Fact(id_, kind, str(word), began, reason, self._heard(one))

    def _starting(self, id_: str, one: Supervisor) -> Fact | None:
        """It waits for its process or its plugin; or in a queue, for a program elsewhere that others have missed."""
        since = one.life.since
        if one.overdue:
            return Fact(id_, Kind.SLOW, "starting", since, one.overdue)
        if one.place.placement != "remote" or not one.place.away(None):
            return None
        mates = (self._plant.components.get(c) for c in one.place.components)
        missed = (m for m in mates if m and m.life.state is State.UNREACHABLE)
        told = next((m.life.reason for m in missed), "")
        return Fact(id_, Kind.AWAY, str(State.UNREACHABLE), since, told) if told else None

    def _degraded(self, id_: str, one: Supervisor, reason: str) -> Fact:
        since = one.life.since
        if self._spine.held and not reason.startswith(str(Cause.PARTLY)):
            return Fact(id_, Kind.STORAGE, "degraded", since, reason)
        tags = tuple(self._bad_tags(one.role)) if isinstance(one.role, Source) else ()
        if reason.startswith(str(Cause.PARTLY)) and tags:
            return Fact(id_, Kind.TAGS, "degraded", since, reason, tags=tags)
        return Fact(id_, Kind.SLOW, str(one.life.state), since, reason)

    def _behind(self, id_: str, one: Supervisor) -> Fact | None:
        position = getattr(one.role, "position", None)
        if position is None:
            return None
        now = self._spine.clock.time_ns()
        age = self._spine.live.age(position, now)
        if age < BEHIND:
            return None
        waiting = max(0, self._spine.engine.state().appended - position)
        text = f"{waiting:,} records wait for it"
        return Fact(id_, Kind.BEHIND, "behind", now - round(age * 1e9), text)

    def _bad_tags(self, role: Source) -> Iterator[BadTag]:
        ingest, current = role.ingest, self._spine.current
        local = np.flatnonzero((ingest.seen[1:] > 0) & ~ingest.good[1:]) + 1
        for number in local.tolist():
            handle = int(ingest.handle[number])
            if not handle:
                continue
            code = int(current.quality[handle])
            if quality.is_good(code) or code == quality.BAD_OUT_OF_SERVICE:
                continue
            lapses, why = current.lapses, role.figures.problems.get(number, "")
            had = bool(lapses.good_time[handle])
            yield BadTag(role.tags[number - 1].name, code, why, int(lapses.since[handle]), had)

    def _heard(self, one: Supervisor) -> int:
        """The last that came of it before; of a source that pushes, the moment its session ended."""
        role = one.role
        if not isinstance(role, Source) or not len(role.ingest.seen):
            return 0
        last = int(role.ingest.seen.max())
        return onset(one.life)[0] if last and role.credit is not None else last

    # --- where they belong ---

    def _member(self, one: Supervisor) -> Member:
        component = one.component
        kept = self._fixed.get(component.id)
        if kept is None or kept[0] is not component:
            kept = self._fixed[component.id] = (component, self._made(one))
        fixed, role = kept[1], one.role
        tags, good = (len(role.tags), role.good()) if isinstance(role, Source) else (0, 0)
        expected = one.life.state not in IDLE
        room = self._room(one) if fixed.role == "reader" else ""
        return replace(fixed, tags=tags, bad=tags - good, expected=expected, room=room)

    def _made(self, one: Supervisor) -> Member:
        component = one.component
        offer = self._plant.offers[component.use]
        settings = defaults(offer.schema.settings) | resolve_settings(
            component, self._plant.deployment
        )
        return Member(
            component.id,
            self._role(component, offer),
            one.place.launch.name,
            offer.plugin,
            component.use,
            component.type,
            getattr(component, "entry", "") or component.id,
            component.path or component.id,
            spots(offer.permissions, settings),
            offer.support,
            _place(component.file or self._plant.deployment.source.file, component.line),
            lines=tuple((t.name, _place(t.file or component.file, t.line)) for t in component.tags),
        )

    def _role(self, component: Component, offer: Offer) -> str:
        if "query" in offer.capabilities:
            return "history"
        return ROLES.get(component.kind) or ("reader" if component.deliver else "source")

    def _room(self, one: Supervisor) -> str:
        """How long what waits for it is kept."""
        if one.life.state is State.UP or not getattr(one.role, "buffer", None):
            return ""
        limits = one.component.buffer
        age = (limits.age_ns or (0 if limits.size_bytes else AGE)) if limits else AGE
        if not age:
            return "what waits is kept up to its size"
        now = self._spine.clock.time_ns()
        behind = self._spine.live.age(getattr(one.role, "position", 0), now)
        left = max(0.0, age / 1e9 - behind)
        return f"{age_text(left)} of room"


def onset(life: Life) -> tuple[int, Transition | None]:
    """When the trouble that lasts began (ns UTC), and the newest word of it; None when there was none."""
    began, told, later = life.since, None, None
    for transition in reversed(life.history):
        well = transition.state in (State.UP, State.DEGRADED)
        if transition.state in IDLE or (
            well and later is not None and later.at - transition.at >= BLIP
        ):
            break
        if transition.state is State.STARTING and transition.reason == str(Cause.START):
            break
        if not well and transition.reason not in FRAMES:
            told, began = told or transition, transition.at
        later = transition
    return began, told


def _place(file: str, line: int) -> str:
    return f"{file}:{line}" if line else file
