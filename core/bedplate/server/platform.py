"""The platform: a deployment file, its plugins, kernel, gate, API and telemetry, started and stopped as one.

Everything above the kernel is put together here and nowhere else.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bedplate.admission.candidate import Admission, Candidate
from bedplate.admission.guard import MODIFIED, UNTRUSTED
from bedplate.admission.notices import notices
from bedplate.admission.reading import Written, admit, read_deployment, written_of
from bedplate.api.v1 import api_pb2
from bedplate.clock import SystemClock
from bedplate.config import Deployment
from bedplate.endpoints import home
from bedplate.errors import AdmissionError, BedplateError, ConfigError
from bedplate.gate.announcement import Announcement, admin_socket
from bedplate.gate.audit import Audit, Entry
from bedplate.gate.gate import Gate
from bedplate.gate.identities import Identities
from bedplate.gate.identity import by_socket, by_token
from bedplate.gate.listen import listen_taken
from bedplate.gate.token import local_token
from bedplate.hooks import HookCaller
from bedplate.journal.embedded import EmbeddedEngine
from bedplate.journal.engine import Loss
from bedplate.runtime.instruments import instruments
from bedplate.runtime.kernel import Kernel
from bedplate.runtime.kernel_alarms import KernelAlarms
from bedplate.runtime.lifecycle import Transition
from bedplate.runtime.maintenance import Maintenance
from bedplate.runtime.placement import Place
from bedplate.server.api import ApiServer, Guarded, Told
from bedplate.server.audit import AuditService
from bedplate.server.auditing import Auditing
from bedplate.server.commands import CommandService
from bedplate.server.deployments import DeploymentService
from bedplate.server.figures import api_instruments
from bedplate.server.installation import Installation, last_applied
from bedplate.server.reloading import Reloading
from bedplate.server.runnable import wrong_to_run
from bedplate.server.tls import api_tls
from bedplate.server.vaults import Vaults
from bedplate.server.writes import Writes
from bedplate.telemetry import Exporters

NUMBER_WITHIN = 5.0  # s that the disk of applied deployments may take at the start


@dataclass(frozen=True)
class Prepared:
    """A deployment that may run: read, checked, its plugins admitted. Nothing was contacted or imported. written: what
    it was read from · given: plugins named beside it."""

    deployment: Deployment
    admission: Admission
    written: Written
    given: tuple[Path, ...] = ()

    @cached_property
    def notices(self) -> tuple[str, ...]:
        """What the operator must not forget, one line each. Looked for once: it takes half a second."""
        return notices(self.deployment, self.admission)


def prepare(
    file: Path, plugins: Sequence[Path] = (), *, to_run: bool = True, applied: bool = False
) -> Prepared:
    """applied: what was applied last from this file, whatever it says now; the file when nothing was.

    Raises ConfigError with all that is wrong, with to_run also what nothing serves yet; AdmissionError."""
    kept = last_applied(file) if applied else None
    written = Written(kept.content, kept.tables) if kept else None
    found, deployment = read_deployment(file, plugins, written)
    if to_run and (problems := wrong_to_run(deployment, found.offers)):
        raise ConfigError(problems)
    written = written or written_of(deployment.source)
    prepared = Prepared(deployment, admit(found, deployment), written, tuple(plugins))
    _ = prepared.notices  # looked for now, while nobody waits
    return prepared


class Platform:
    """One running deployment with everything that serves it. told: hears of each change of a component's state on the
    kernel's loop, which it must not block · noted: of what comes of `reload`, in a line."""

    def __init__(
        self,
        prepared: Prepared,
        told: Callable[[str, Transition], None] = lambda component, transition: None,
        noted: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.prepared = prepared
        self._told, self._noted = told, noted
        deployment = prepared.deployment
        self.clock = SystemClock()
        self.engine = EmbeddedEngine(
            deployment.folder(deployment.journal.folder),
            sync=deployment.journal.sync_ns / 1e9,
            clock=self.clock,
            size=deployment.journal.size_bytes,
            min_free=deployment.journal.min_free_bytes,
        )
        self.hooks = HookCaller()
        self.kernel = Kernel(
            deployment, prepared.admission.offers, self.engine, clock=self.clock, told=self._tell
        )
        self.installation = Installation(
            deployment,
            prepared.admission.offers,
            prepared.written,
            self.clock.time_ns,
            self.kernel.secrets,
        )
        self.kernel.secrets.hook = Vaults(self.hooks)
        self.deployments: DeploymentService | None = None
        self.kernel.gaps_file = deployment.folder(deployment.journal.folder) / "gaps.sqlite"
        self.api: ApiServer | None = None
        self._announcement: Announcement | None = None
        self._exporters: Exporters | None = None
        self._audit: Audit | None = None
        self._auditing: Auditing | None = None
        self._reloading: Reloading | None = None
        self.writes: Writes | None = None

    def reload(self) -> None:
        """The file is read again, and applied if it can be. How that goes is told, and is an event."""
        if self._reloading:
            self.kernel.rotation.look_now()
            self._reloading.again()

    async def start(self, listen: str | None = None) -> str:
        """Starts all of it; returns the address of the API. listen: instead of what the file says.

        Raises BedplateError or OSError with one clear reason; then nothing is left running.
        """
        deployment = self.prepared.deployment
        listen = listen or deployment.api.listen
        self._tls = api_tls(deployment, listen, self.prepared.admission.offers)
        if problem := await asyncio.to_thread(listen_taken, listen):
            raise BedplateError(problem)
        try:
            return await self._start(listen)
        except BaseException:
            await self.stop()
            raise

    async def _start(self, listen: str) -> str:
        deployment = self.prepared.deployment
        self._start_telemetry()
        await asyncio.to_thread(self._load_hooks)
        self._auditing = Auditing(deployment, self.clock, self._heard)
        self._audit = self._auditing.audit
        await self._auditing.open()
        self.kernel.launched = self._launched
        self.kernel.lost = self._lost
        self.kernel.maintained = self._maintained
        self.kernel.rotated = self._rotated
        self.kernel.guard_said = self._guard_said
        token = local_token(home())
        await self.kernel.start()
        self.kernel.spine.told_gap = self._gap
        self._auditing.alarms = KernelAlarms(self.kernel.spine)
        if self._exporters and self._exporters.meter_provider:
            instruments(self.kernel, self._exporters.meter_provider.get_meter("bedplate"))
        modules = self.kernel.guarding
        ours = [by_socket, by_token(token)]
        gate = Gate(modules, self._audit)
        identities = Identities(ours, modules, self._audit, self.clock)
        self.kernel.forgotten = partial(_forget, gate, identities)
        journal = deployment.folder(deployment.journal.folder)
        book = journal / "commands.sqlite"
        self.writes = Writes(self.kernel, gate, self._audit, book, lambda: identities.generation)
        await self.writes.guard.open()
        await self._number()
        self._looking = asyncio.create_task(asyncio.to_thread(self.installation.look_around))
        given, turned = self.prepared.given, self._turned
        self.deployments = DeploymentService(
            self.kernel, self.installation, self._audit, given, turned
        )
        file = Path(deployment.source.file).absolute()
        self._reloading = Reloading(self.kernel, self.deployments, file, given, self._noted)
        plugins = map(plugin_status, self.prepared.admission.candidates)
        self.api = ApiServer(
            self.kernel,
            Guarded(gate, identities, self._audit),
            plugins,
            self.deployments,
            told=Told(self._problems, self._notices, self.writes.status, self._auditing.standing),
            more=[CommandService(self.kernel, self.writes.guard), AuditService(self._auditing)],
        )
        if self._exporters and self._exporters.meter_provider:
            meter = self._exporters.meter_provider.get_meter("bedplate")
            api_instruments(self.api.figures, meter)
        socket = admin_socket()
        address = await self.api.start(listen, socket, self._tls)
        self._announcement = Announcement(
            deployment.name, token, self.kernel.started, tls=self._tls is not None
        )
        self._announcement.publish(address, socket)
        return address

    def _load_hooks(self) -> None:
        """Of what the operator placed inside the kernel, unless it is not what was trusted."""
        sound = self._trusted()
        for offer in self.prepared.admission.offers.values():
            if offer.verify and offer.plugin in sound:
                try:
                    if offer.verify().folder != offer.folder:
                        sound.discard(offer.plugin)  # trusted anew since it was read
                except AdmissionError:
                    sound.discard(offer.plugin)  # its component says why
        self.hooks.load(sound)

    def _trusted(self) -> set[str]:
        """Distributions that may have hooks: what the operator placed inside the kernel."""
        offers = self.prepared.admission.offers
        inline = (c for c in self.prepared.deployment.components if c.placement == "inline")
        return {offers[component.use].plugin for component in inline}

    def _tell(self, component: str, transition: Transition) -> None:
        self._told(component, transition)
        if self._audit and transition.reason.startswith((MODIFIED, UNTRUSTED)):
            refused = Entry("plugin.start", "refused", resource=component, rule="plugins.policy")
            self._audit.add(replace(refused, text=transition.reason), urgent=True)
        self.hooks.tell(
            "bedplate_status_changed",
            component=component,
            state=str(transition.state),
            reason=transition.reason,
            at=transition.at,
        )

    def _launched(self, place: Place) -> None:
        """Which plugin runs, and how it is held to what it may do, is a matter of record."""
        launch, run = place.launch, place.run
        how = f"at {place.level}" if place.level else "elsewhere"
        notes = f" ({'; '.join(place.level_notes)})" if place.level_notes else ""
        text = f"{launch.plugin} {launch.version}, process {run.pid if run else 0}, {how}{notes}"
        if self._audit:
            self._audit.add(Entry("plugin.start", "noted", resource=launch.name, text=text))

    def _lost(self, reader: str, text: str) -> None:
        """So is what a sink did not get."""
        if self._audit:
            self._audit.add(Entry("reader.lost", "noted", resource=reader, text=text))

    def _gap(self, stream: str, loss: Loss, reason: str) -> None:
        """And what a stream lost."""
        if self._audit:
            seqs = f"seq {loss.first_seq} to {loss.last_seq}, " if loss.first_seq else ""
            text = f"{seqs}{loss.samples:,} samples: {reason}"
            self._audit.add(
                Entry("journal.gap", "noted", resource=loss.stream or stream, text=text)
            )

    def _maintained(self, one: Maintenance, what: str) -> None:
        """Why, beside who was allowed to; and that it ended by itself."""
        if self._audit:
            until = self.kernel.maintenance.local(one.until)
            text = f"{what}, until {until}: {one.reason}"
            noted = Entry("admin.maintenance", "noted", one.by, resource=one.component, text=text)
            self._audit.add(noted, urgent=True)

    def _rotated(self, component: str, what: str, text: str) -> None:
        """And that a secret is another one now, or can't be had."""
        if self._audit:
            self._audit.add(Entry(f"secret.{what}", "noted", resource=component, text=text))

    def _guard_said(self, module: str, text: str) -> None:
        """What a security module says of users, tokens and policies; and the operator is told at once."""
        if self._audit:
            self._audit.add(
                Entry("access.changed", "noted", resource=module, text=text), urgent=True
            )
        self._noted(f"{module}: {text}")

    def _heard(self, record: Mapping[str, Any]) -> None:
        self.hooks.tell("bedplate_audit_written", record=MappingProxyType(record))

    async def _number(self) -> None:
        """A disk that does not answer holds nobody up."""
        try:
            async with asyncio.timeout(NUMBER_WITHIN):
                await asyncio.to_thread(self.installation.begin)
        except TimeoutError:
            text = f"{self.installation.store.folder} does not answer"
            self.installation.problem = f"{text}, so what runs has no number yet"

    def _turned(self, deployment: Deployment, admission: Admission) -> None:
        """Another deployment was applied."""
        written = self.installation.written
        self.prepared = Prepared(deployment, admission, written, self.prepared.given)
        if self.api:
            self.api.admitted(map(plugin_status, admission.candidates))

    def _notices(self) -> Iterator[str]:
        yield from self.prepared.notices
        yield from self.installation.notices
        if differs := self.installation.differs():
            yield f"{differs}; bedplate plan {Path(self.prepared.deployment.source.file).name}"

    def _problems(self) -> Iterator[str]:
        """What goes wrong outside the kernel, for `status`."""
        if self._reloading and self._reloading.problem:
            yield self._reloading.problem
        if self.installation.problem:
            yield self.installation.problem
        if self._auditing:
            yield from self._auditing.problems()
        yield from self.kernel.host.arrivals.refusals()
        if self.api:
            yield from self.api.problems()
        yield from self.kernel.rotation.problems()
        if self.kernel.ledger.failed:
            yield self.kernel.ledger.failed
        for plugin in self.hooks.plugins:
            if plugin.verdict == "refused" or plugin.last_error:
                yield f"hooks of {plugin.name}: {plugin.reason or plugin.last_error}"

    def _start_telemetry(self) -> None:
        wanted = self.prepared.deployment.telemetry
        if not wanted.otlp:
            return
        try:
            self._exporters = Exporters(
                wanted.otlp,
                "bedplate",
                str(os.getpid()),
                wanted.interval_ns / 1e9,
                traces=wanted.traces,
            )
        except ImportError as error:
            raise BedplateError(
                "telemetry.otlp needs an extra: pip install 'bedplate[otlp]'"
            ) from error

    async def stop(self) -> None:
        """Legal after a failed start, and twice."""
        if self._announcement:
            self._announcement.withdraw()
        if self.api:
            await self.api.stop()
        if self.writes:
            await self.writes.guard.close()
        self.kernel.give_up()
        if self._reloading:
            await self._reloading.close()
        if self.deployments:
            await self.deployments.close()
            await asyncio.wait([self._looking])
        await self.kernel.stop()
        if self._auditing:
            await self._auditing.close()
        await asyncio.to_thread(self.hooks.close, "the kernel stops")
        if self._exporters:
            with contextlib.suppress(OSError, RuntimeError):
                self._exporters.shutdown()


def _forget(gate: Gate, identities: Identities, module: str) -> None:
    """Who somebody is and what he may has changed, or whoever said so is gone."""
    gate.memory.forget(module)
    identities.forget()


def plugin_status(candidate: Candidate) -> api_pb2.PluginStatus:
    return api_pb2.PluginStatus(
        name=candidate.name,
        distribution=candidate.distribution,
        version=candidate.version,
        verdict=candidate.verdict,
        reason=candidate.reason,
        offers=candidate.uses,
        requires_api=candidate.requires_api,
        support=candidate.support,
        permissions=candidate.permissions,
        capabilities=candidate.capabilities,
    )
