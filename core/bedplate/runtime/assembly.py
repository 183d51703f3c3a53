"""Builds components and the places they run in, one by one, also while the others run, and takes them away again.

Rule: a place that runs is never touched for the sake of a newcomer. Who does not fit into it, since it was started from
another program or confined to less, gets a place of its own beside it. Starts and stops nothing by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import chain, count
from pathlib import Path
from typing import Any

from bedplate.config.deployment import Component, Deployment, TagSpec
from bedplate.errors import BedplateError
from bedplate.isolation import Confinement, Grant, Level, together
from bedplate.remote.host import PluginHost
from bedplate.runtime.analytics import AnalyticReader
from bedplate.runtime.applied_files import AppliedFiles
from bedplate.runtime.census import Census
from bedplate.runtime.confining import Confiner, grant_of
from bedplate.runtime.guards import Guard
from bedplate.runtime.lanes import TwoLanes
from bedplate.runtime.launch import Launch, home_of
from bedplate.runtime.lifecycle import Cause, State, Transition
from bedplate.runtime.offer import Offer
from bedplate.runtime.placement import Place
from bedplate.runtime.process import PluginProcess
from bedplate.runtime.reader import Reader
from bedplate.runtime.role import Role
from bedplate.runtime.secret_book import Held, SecretBook
from bedplate.runtime.settings import Settings
from bedplate.runtime.source import Source
from bedplate.runtime.spine import Spine
from bedplate.runtime.starts import Starts
from bedplate.runtime.supervisor import Supervisor
from bedplate.scan.pace import Pacer

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ground:
    """What all components of a kernel stand on. sockets: the kernel's folder for plugins."""

    spine: Spine
    pacer: Pacer
    linger: float
    host: PluginHost
    census: Census
    sockets: Path
    starts: Starts
    process_type: type[PluginProcess]
    secrets: SecretBook


@dataclass(frozen=True, slots=True)
class Hearers:
    """Who hears of what becomes of components and places."""

    heard: Callable[[Component, Transition], None]
    lost: Callable[[str, str], None]
    launched: Callable[[Place], None]


@dataclass
class _Standing:
    """A place with those that it serves. wanted: what it was made for · granted: what its run may have, None: it has
    not run, or may have anything."""

    place: Place
    wanted: Launch
    members: list[tuple[Component, Offer]]
    granted: Grant | None = None


class Assembly:
    """One for a kernel. places: all that stand, by what they are for."""

    def __init__(
        self, ground: Ground, hearers: Hearers, deployment: Deployment, offers: Mapping[str, Offer]
    ) -> None:
        self._ground, self._hearers = ground, hearers
        self._standing: dict[Key, _Standing] = {}
        self._newest: dict[Key, Key] = {}
        self.places: dict[Key, Place] = {}
        self._files = AppliedFiles()
        self.turn(deployment, offers)

    def turn(self, deployment: Deployment, offers: Mapping[str, Offer]) -> None:
        """Builds for this deployment from now on."""
        self.deployment, self.offers = deployment, offers
        self._specs: dict[str, TagSpec] = {t.path: t for c in deployment.components for t in c.tags}
        self._confiner = Confiner(deployment, self._ground.sockets)

    def build(self, component: Component, before: Supervisor | None = None) -> Supervisor:
        """A component in its place, not started. before: whose counters and history go on.
        Raises ConfigError for a tag that another component owns, BedplateError when it can't be placed."""
        offer = self.offers[component.use]
        place = self._place(component, offer)
        held = self._ground.secrets.hold(component, self.deployment)
        role = self._role(component, offer, held)
        role.may_publish = offer.permissions.may_publish
        if before:
            role.figures = replace(before.role.figures, problems={})
            role.figures.restarts += 1
        supervisor = Supervisor(role, place, self._ground.spine, self._hearers.heard, offer.support)
        supervisor.holds(held)
        if before:
            supervisor.life.history.extend(before.life.history)
        if isinstance(role, Source):
            role.health = _health(supervisor)
        return supervisor

    def _role(self, component: Component, offer: Offer, held: Held) -> Role:
        ground = self._ground
        settings = Settings(component, self.deployment, held, offer.schema.settings)
        if tier_of(component, offer) == "reader":
            lanes = component.buffer and component.buffer.backlog == "live_first"
            kind = TwoLanes if lanes else Reader
            reader = kind(component, ground.spine, offer.capabilities, settings, ground.linger)
            reader.letters.declared = lambda text: self._hearers.lost(component.id, text)
            if reader.buffer:
                reader.buffer.declared = lambda text: self._hearers.lost(component.id, text)
            return reader
        if offer.kind == "connector":
            source = Source(
                component,
                ground.spine,
                offer.capabilities,
                settings,
                ground.pacer,
                ground.linger,
                replays=offer.replay == "cursor",
            )
            source.clock.tolerance = self.deployment.clock_tolerance_ns
            return source
        if offer.kind == "analytic":
            moved = self.deployment.moved
            return AnalyticReader(component, ground.spine, settings, self._specs, moved)
        authenticates = "authenticate" in offer.capabilities
        guard = Guard(component, ground.spine, settings, authenticates=authenticates)
        guard.files = self._files.of(component, self.deployment)
        return guard

    # --- places ---

    def _place(self, component: Component, offer: Offer) -> Place:
        """One process per plugin and kind, or per name the operator gave."""
        base = key_of(component, offer)
        telemetry = self.deployment.telemetry
        otlp = telemetry.otlp if telemetry.traces else ""
        launch = Launch.of(offer, self.offers.values(), component.process, otlp)
        known = self._newest.get(base)
        if known is None or not self._fits(self._standing[known], component, offer, launch):
            known = self._raise(base, component, launch)
        standing = self._standing[known]
        standing.members.append((component, offer))
        return standing.place

    def _fits(
        self, standing: _Standing, component: Component, offer: Offer, launch: Launch
    ) -> bool:
        """Whether what runs, or will, can serve this one too."""
        if component.placement == "remote":
            return True
        same = replace(standing.wanted, **_AS_BUILT) == replace(launch, **_AS_BUILT)
        if not same or standing.wanted.offers.get(offer.use) != offer.target:
            if component.placement == "inline" and launch.version != standing.wanted.version:
                text = f"{offer.plugin} {standing.wanted.version} is loaded inside the kernel"
                raise BedplateError(f"{text}; start Bedplate again for {offer.version}")
            return False
        if standing.granted is None or component.placement == "inline":
            return True
        more = grant_of(component, offer, self.deployment)
        return together([standing.granted, more]) == standing.granted

    def _raise(self, base: Key, component: Component, launch: Launch) -> Key:
        names = chain([base], ((*base, str(number)) for number in count(2)))
        key = next(name for name in names if name not in self._standing)
        launch = replace(launch, name=self._own_name(launch))
        ground = self._ground
        place = Place(
            launch,
            component.placement,
            ground.host,
            self.deployment.source.folder,
            ground.census,
            lambda launch: self._confine(key, launch),
            starts=ground.starts,
        )
        place.process_type = ground.process_type
        place.launched = self._hearers.launched
        self._standing[key] = _Standing(place, launch, [])
        self.places[key] = place
        self._newest[base] = key
        return key

    def _own_name(self, launch: Launch) -> str:
        """Connectors and analytics of one plugin, or inline and not, may be given one name; people, alarms and metrics
        must tell them apart."""
        taken = {place.launch.name for place in self.places.values()}
        first = (launch.name, f"{launch.name} ({launch.kind})")
        names = chain(first, (f"{launch.name} {number}" for number in count(2)))
        return next(name for name in names if name not in taken)

    def _confine(self, key: Key, launch: Launch) -> Confinement:
        standing = self._standing[key]
        found = self._confiner.confine(launch, standing.members)
        grants = [grant_of(c, offer, self.deployment) for c, offer in standing.members]
        standing.granted = together(grants) if found.level > Level.L1 else None
        return found

    def renew(self, component: Component) -> None:
        """Whoever is built for this one's place from now on gets a new one."""
        self._newest.pop(key_of(component, self.offers[component.use]), None)

    def part(self, supervisor: Supervisor) -> Place | None:
        """Takes a component that has stopped out of its place. Returns the place when nobody is left there; it stands
        no longer, and somebody has to stop it."""
        supervisor.place.leave(supervisor, supervisor.component.id)
        key = next(k for k, one in self._standing.items() if one.place is supervisor.place)
        standing = self._standing[key]
        ids = [component.id for component, _ in standing.members]
        del standing.members[ids.index(supervisor.component.id)]  # one built in its stead is later
        if standing.place.components:
            return None
        del self._standing[key], self.places[key]
        self._newest = {base: one for base, one in self._newest.items() if one != key}
        return standing.place


_AS_BUILT: dict[str, Any] = {"name": "", "offers": {}, "verify": None}


def key_of(component: Component, offer: Offer) -> Key:
    """Components of one such key share a place."""
    return (component.placement, *home_of(offer), component.process)


def tier_of(component: Component, offer: Offer) -> str:
    """Its step of the start: security, reader, analytic, source."""
    if offer.kind != "connector":
        return offer.kind
    return "reader" if component.deliver or "query" in offer.capabilities else "source"


def _health(supervisor: Supervisor) -> Callable[[bool], None]:
    def heard(whole: bool) -> None:
        if not whole:
            supervisor.life.move(Cause.PARTLY, _partly(supervisor.role))
        elif supervisor.life.beneath is State.DEGRADED:
            supervisor.life.move(Cause.WHOLE)

    return heard


def _partly(role: Any) -> str:
    """Why some tags are Bad, with what was said of the first that anything was said of; empty: nothing was."""
    problems = getattr(role.figures, "problems", None)
    if not problems:
        return ""
    handle, why = min(problems.items())
    return f"{Cause.PARTLY}; {role.tags[handle - 1].name}: {why}"
