"""A kernel as somebody sees it who may see only a part: what is hidden is as if it were not there.

Rule: words about a component name its tags, so a component is there for those who see each of them (of an analytic,
what it reads too); what has no tags goes by its path, or its id without one. Of the others only tags that may be seen
are left. Counts of the journal and of the machine are of the whole plant.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, cast

from bedplate.api.v1 import api_pb2
from bedplate.errors import Denied
from bedplate.model import quality
from bedplate.runtime.causes import Cause, Fact, Kind, Member, causes
from bedplate.runtime.kernel import Kernel
from bedplate.runtime.lifecycle import State
from bedplate.runtime.maintenance import Maintenance
from bedplate.runtime.supervisor import Supervisor
from bedplate.runtime.watching import code_of
from bedplate.server.concerned import Concerned
from bedplate.server.door import Caller
from bedplate.server.known import KnownTags


class Parts:
    """Of one kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel, self._known, self._concerned = kernel, KnownTags(kernel), Concerned(kernel)

    async def of(self, caller: Caller, action: str) -> Kernel:
        """What this action may show of it; the kernel itself when that is all. Raises Denied, NotReady."""
        kernel = self._kernel
        tags = self._known.tags()
        if caller.sees_all(action):
            return kernel
        places = dict.fromkeys(place for s in kernel.components.values() for place in _places(s))
        for one in kernel.maintenance.standing():
            places.setdefault(one.path)
        seen, seen_places = await caller.seen(action, tags), await caller.seen(action, places)
        if seen is tags and seen_places is places:
            return kernel
        allowed = {*seen, *seen_places}
        alarms = kernel.spine.alarms.standing(all_=True)
        shown = await self._concerned.shown(alarms, lambda paths: caller.seen(action, paths))
        return cast(Kernel, Part(kernel, allowed, {event.source for event in shown}))

    async def whole(self, caller: Caller, action: str) -> None:
        """Raises Denied for who may see only a part: this tells of, or changes, all of the plant."""
        if await self.of(caller, action) is not self._kernel:
            caller.write_down(action, "kernel: sees only a part of the plant")
            raise Denied(f"{action} is about the whole plant, of which you may see only a part")


def glimpses(kernel: Kernel) -> list[api_pb2.ComponentStatus]:
    """What is told of components of which only some tags may be seen."""
    return list(getattr(kernel, "glimpses", ()))


class _View:
    """An object, with some of its attributes in another way."""

    def __init__(self, inner: Any, **own: Any) -> None:
        self.__dict__.update(own, _inner=inner)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class Part(_View):
    """allowed: paths of tags and of what has none · alarms: their sources · glimpses: of components of which only
    some tags may be seen."""

    def __init__(self, kernel: Kernel, allowed: Collection[str], alarms: Collection[str]) -> None:
        whole = {
            id_: one
            for id_, one in kernel.components.items()
            if all(path in allowed for path in _places(one))
        }
        self.places: dict[Any, Any] = {}
        self.components: dict[str, Any] = {}
        for key, place in kernel.places.items():
            mine = [id_ for id_ in place.components if id_ in whole]
            view = _View(place, components=mine, partly=len(mine) < len(place.components))
            if mine:
                self.places[key] = view
            self.components |= {id_: _View(whole[id_], place=view) for id_ in mine}
        self.components = {id_: self.components.get(id_, one) for id_, one in whole.items()}
        glimpses = [
            _glimpse(one, tags, kernel)
            for id_, one in kernel.components.items()
            if id_ not in whole and (tags := [tag for tag in _tags(one) if tag in allowed])
        ]
        super().__init__(
            kernel,
            components=self.components,
            places=self.places,
            glimpses=glimpses,
            spine=_spine(kernel, allowed, alarms),
            causes=_Causes(kernel, self.components),
            maintenance=_View(kernel.maintenance, standing=lambda: _standing(kernel, allowed)),
        )

    @property
    def history(self) -> Any:
        """None, as if there were none, for who may not see it."""
        history = self._inner.history
        return history if history and history.component.id in self.components else None

    def tier(self, name: str) -> list[Supervisor]:
        """As of the kernel."""
        return [
            self.components[s.component.id]
            for s in self._inner.tier(name)
            if s.component.id in self.components
        ]


def _glimpse(one: Supervisor, tags: Sequence[str], kernel: Kernel) -> api_pb2.ComponentStatus:
    """Whether it is there, and how those of its tags stand."""
    component, state = one.component, one.life.state
    kinds = {"connector": api_pb2.KIND_CONNECTOR, "analytic": api_pb2.KIND_ANALYTIC}
    return api_pb2.ComponentStatus(
        id=component.id,
        kind=kinds.get(component.kind, api_pb2.KIND_UNSPECIFIED),
        use=component.use,
        type=component.type,
        path=component.path,
        state=str(State.UP if state is State.DEGRADED else state),
        tags=len(tags),
        tags_good=sum(quality.is_good(code_of(tag, kernel.spine)) for tag in tags),
    )


class _Causes(_View):
    """As if the other components were none."""

    def __init__(self, kernel: Kernel, components: Collection[str]) -> None:
        watch = kernel.causes
        members = lambda: _members(kernel, components)  # noqa: E731
        super().__init__(watch, findings=_View(watch.findings, members=members))
        self._components = components

    def now(self, more: Iterable[str] = ()) -> list[Cause]:
        """more: is of the whole plant, so it is not told."""
        facts: list[Fact] = [
            fact
            for fact in self._inner.findings.facts()
            if fact.component in self._components or fact.kind is Kind.STORAGE
        ]
        return causes(facts, self.findings.members(), self._inner.clock) if facts else []


def _members(kernel: Kernel, components: Collection[str]) -> dict[str, Member]:
    every = kernel.causes.findings.members()
    return {id_: member for id_, member in every.items() if id_ in components}


def _spine(kernel: Kernel, allowed: Collection[str], alarms: Collection[str]) -> _View:
    spine, registry = kernel.spine, kernel.spine.registry
    table = _View(
        registry.table,
        paths=lambda: (path for path in registry.table.paths() if path in allowed),
        newest=lambda path: registry.table.newest(path) if path in allowed else None,
    )
    book = _View(
        spine.alarms,
        sources=lambda: [source for source in spine.alarms.sources() if source in alarms],
        get=lambda source: spine.alarms.get(source) if source in alarms else None,
    )
    own = {
        "declared": _only(registry.declared, allowed),
        "owner": _only(registry.owner, allowed),
        "table": table,
    }
    return _View(spine, registry=_View(registry, **own), alarms=book)


def _only(found: Mapping[str, Any], allowed: Collection[str]) -> dict[str, Any]:
    return {path: one for path, one in found.items() if path in allowed}


def _standing(kernel: Kernel, allowed: Collection[str]) -> list[Maintenance]:
    """Devices that are set aside, of which all may be seen."""
    found = []
    for one in kernel.maintenance.standing():
        supervisor = kernel.components.get(one.component)
        places = _places(supervisor) if supervisor else [one.path]
        found += [one] if all(path in allowed for path in places) else []
    return found


def _tags(one: Supervisor) -> list[str]:
    """Full paths of the tags that it brings or reads."""
    tags = getattr(one.role, "tags", None) or one.component.tags
    watched = getattr(one.role, "watched", ())
    return [
        *(tag.path for tag in tags),
        *(w.path for w in watched),
        *getattr(one.role, "outputs", ()),
    ]


def _places(one: Supervisor) -> list[str]:
    """What of it has to be seen."""
    return _tags(one) or [one.component.path or one.component.id]
