"""Admin: how the platform stands, and which plugins there are."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from bedplate.api.v1 import api_pb2, command_pb2, why_pb2
from bedplate.config.deployment import Component
from bedplate.plugin.v1 import plugin_pb2
from bedplate.runtime.causes import Cause
from bedplate.runtime.clock_notes import problems as clock_problems
from bedplate.runtime.kernel import Kernel
from bedplate.runtime.overdue import both
from bedplate.runtime.placement import Place
from bedplate.runtime.source import Source
from bedplate.runtime.supervisor import Supervisor
from bedplate.runtime.watching import words
from bedplate.server.deployments import DeploymentService
from bedplate.server.door import Caller, Method
from bedplate.server.gaps import completeness
from bedplate.server.maintenance import standing
from bedplate.server.part import Parts, glimpses
from bedplate.version import __version__

KINDS = {"connector": 1, "analytic": 2, "security": 3, "app": 4}
C = plugin_pb2
GRAVITY = (
    *(C.CODE_UNSPECIFIED, C.CODE_OK, C.CODE_EXPIRED, C.CODE_UNREACHABLE, C.CODE_REFUSED),
    *(C.CODE_UNSUPPORTED, C.CODE_INVALID, C.CODE_FAULT),
)
HISTORY = 10  # transitions told
PACE_AFTER = 10.0  # s after which a pace says something
YEAR = 365.25 * 86400  # s


class Admin:
    """Reads the kernel's counters; touches nothing. more: problems of what the kernel does not know of · notices:
    choices that nobody should forget."""

    def __init__(
        self,
        kernel: Kernel,
        plugins: Iterable[api_pb2.PluginStatus],
        more: Callable[[], Iterable[str]] = tuple,
        notices: Callable[[], Iterable[str]] = tuple,
        deployments: DeploymentService | None = None,
        writes: Callable[[], command_pb2.WritesStatus | None] = lambda: None,
    ) -> None:
        self._kernel = kernel
        self._writes = writes
        self.audit: Callable[[], str] = str  # how the audit log stands
        self._parts = Parts(kernel)
        self._plugins = list(plugins)
        self._more = more
        self._notices = notices
        self._deployments = deployments
        self._rates: dict[str, tuple[float, int, float]] = {}

    def methods(self) -> list[Method]:
        service = "bedplate.api.v1.Admin"
        return [
            Method(
                service, "GetStatus", "unary", api_pb2.GetStatusRequest, "admin.status", self.status
            ),
            Method(
                service,
                "ListPlugins",
                "unary",
                api_pb2.ListPluginsRequest,
                "admin.plugins",
                self.plugins,
            ),
        ]

    def admitted(self, plugins: Iterable[api_pb2.PluginStatus]) -> None:
        """What became of all plugins with another deployment."""
        self._plugins = list(plugins)

    async def plugins(self, request: Any, caller: Caller) -> Any:
        kernel = await self._parts.of(caller, "admin.plugins")
        found = api_pb2.ListPluginsResponse(plugins=self._plugins)
        for plugin in found.plugins:
            plugin.code = _code(kernel, plugin.offers)
        return found

    async def status(self, request: Any, caller: Caller) -> Any:
        kernel = await self._parts.of(caller, "admin.status")
        whole = kernel is self._kernel  # the words of the platform are about all of it
        usage = resource.getrusage(resource.RUSAGE_SELF)
        components = [self._component(s) for s in kernel.components.values()]
        clocks = [
            (id_, one.role.clock.off)
            for id_, one in kernel.components.items()
            if isinstance(one.role, Source)
        ]
        causes = kernel.causes.now([*(self._more() if whole else ()), *clock_problems(clocks)])
        return api_pb2.GetStatusResponse(
            name=kernel.deployment.name,
            version=__version__,
            started=kernel.started,
            now=kernel.clock.time_ns(),
            epoch=kernel.engine.epoch,
            components=[*components, *glimpses(kernel)],
            journal=self._journal(),
            processes=[_process(p, request.with_output) for p in kernel.places.values() if p.run],
            problems=[cause.problem for cause in causes],
            causes=map(cause_message, causes),
            notices=self._notices() if whole else (),
            deployment=self._deployments.status() if self._deployments else None,
            cpu_seconds=usage.ru_utime + usage.ru_stime,
            memory_bytes=_memory(os.getpid()),
            deployment_file=kernel.deployment.source.file,
            path=kernel.deployment.path,
            maintenance=standing(kernel),
            writes=self._writes() if whole else _uncounted(self._writes()),
            audit=self.audit(),
        )

    def _component(self, supervisor: Supervisor) -> api_pb2.ComponentStatus:
        component, life, figures = supervisor.component, supervisor.life, supervisor.role.figures
        status = api_pb2.ComponentStatus(
            id=component.id,
            kind=KINDS[component.kind],  # type: ignore[arg-type]
            use=component.use,
            type=component.type,
            path=component.path,
            state=str(life.state),
            reason=both(life.reason, supervisor.overdue),
            since=life.since,
            process=supervisor.place.launch.name,
            placement=supervisor.place.placement,
            samples=figures.produced,
            samples_per_second=self._rate(component.id, figures.produced),
            restarts=figures.restarts,
            dropped=figures.dropped,
            support=self._kernel.offers[component.use].support,
            group=_group(component),
            detail=supervisor.detail,
        )
        for transition in list(life.history)[-HISTORY:]:
            status.history.add(
                at=transition.at, state=str(transition.state), reason=transition.reason
            )
        self._add_role(status, supervisor)
        return status

    def _add_role(self, status: api_pb2.ComponentStatus, supervisor: Supervisor) -> None:
        role = supervisor.role
        if isinstance(role, Source):
            status.tags, status.tags_good = len(role.tags), role.good()
            status.quietest_seconds = role.quietest()
            if (one := self._kernel.ledger.completeness(status.id)) is not None:
                status.completeness.CopyFrom(completeness(one))
        elif hasattr(role, "position"):
            watching = words(
                getattr(role, "watched", []), self._kernel.spine, self._kernel.maintenance.of_tag
            )
            status.detail = " · ".join(filter(None, (status.detail, _lost(role), watching)))
            state = self._kernel.engine.state()
            status.reader.position = role.position
            status.reader.behind_records = max(0, state.appended - role.position)
            status.reader.behind_seconds = self._behind(role.position)

    def _behind(self, position: int) -> float:
        """Age of the first record that a reader has not got."""
        return self._kernel.spine.live.age(position, self._kernel.clock.time_ns())

    def _rate(self, component: str, count: int) -> float:
        """Samples a second since about ten seconds ago."""
        now = self._kernel.clock.monotonic()
        began, before, rate = self._rates.get(component, (self._kernel_began(), 0, 0.0))
        if now - began >= 0.5:
            rate = (count - before) / (now - began)
        if now - began >= 10 or component not in self._rates:
            self._rates[component] = (now, count, rate)
        return rate

    def _kernel_began(self) -> float:
        return (
            self._kernel.clock.monotonic()
            - (self._kernel.clock.time_ns() - self._kernel.started) / 1e9
        )

    def _journal(self) -> api_pb2.JournalStatus:
        state = self._kernel.engine.state()
        up = self._kernel.clock.monotonic() - self._kernel_began()
        pace = state.taken / up if up >= PACE_AFTER else 0.0
        oldest = (self._kernel.clock.time_ns() - state.oldest) / 1e9 if state.oldest else 0.0
        return api_pb2.JournalStatus(
            engine=self._kernel.deployment.engine,
            bytes=state.bytes,
            first=state.first,
            appended=state.appended,
            synced=state.synced,
            oldest_seconds=oldest,
            state=self._kernel.spine.not_stored or state.failed or "synced",
            unstored_samples=self._kernel.spine.unstored.samples,
            syncs=state.syncs,
            bytes_written=state.bytes_written,
            limit_bytes=state.limit,
            room_bytes=state.room,
            room_seconds=state.room / pace if pace else 0.0,
            bytes_written_yearly=state.bytes_written / up * YEAR if up >= PACE_AFTER else 0.0,
            full=state.full,
            gaps=self._kernel.spine.gaps,
            damaged=state.damaged,
        )


def _code(kernel: Kernel, offers: Iterable[str]) -> plugin_pb2.Code:
    """What its components answered to their last Open: the worst of it, as INVALID before UNREACHABLE before OK."""
    told = [s.code for s in kernel.components.values() if s.component.use in offers]
    return max(told, key=GRAVITY.index, default=plugin_pb2.CODE_UNSPECIFIED)


def _uncounted(writes: Any) -> Any:
    """Whether they are on; counts are of commands to all of the plant."""
    return (
        type(writes)(enabled=writes.enabled, off=writes.off, since=writes.since)
        if writes
        else writes
    )


def _lost(role: Any) -> str:
    """What a reader that lagged too far behind did not get, since it was first there; what it refused."""
    buffer, letters, found = getattr(role, "buffer", None), getattr(role, "letters", None), []
    if buffer and buffer.lost.records:
        found.append(f"lost {buffer.lost.samples:,} samples of {buffer.lost.words}: {buffer.why}")
    if letters and letters.count:
        found.append(f"refused {letters.count:,} records for ever, kept in {letters.path}")
    return " · ".join(found)


def _group(component: Component) -> str:
    """The entry of the deployment file that the component came from."""
    return getattr(component, "entry", "") or component.id


def cause_message(cause: Cause) -> why_pb2.Cause:
    return why_pb2.Cause(
        subject=cause.subject,
        state=cause.state,
        text=cause.text,
        since=cause.since,
        components=cause.components,
        tags=cause.tags,
        whose=int(cause.whose),  # type: ignore[arg-type]
        hint=cause.hint,
        severity=cause.severity,
    )


def _process(place: Place, with_output: bool) -> api_pb2.ProcessStatus:
    assert place.run
    pid = innermost(place.run.pid) if place.level == "L3" else place.run.pid
    cpu, memory = _cpu(pid) if pid else 0.0, _memory(pid) if pid else 0
    pid = pid if memory else 0  # one that has ended has none
    return api_pb2.ProcessStatus(
        name=place.launch.name,
        pid=pid,
        started=place.started,
        restarts=max(0, place.restarts),  # it may still wait for its turn to start
        cpu_seconds=cpu,
        memory_bytes=memory,
        components=place.components,
        plugin=place.launch.plugin,
        ping_seconds=place.run.pings.seconds,
        isolation=place.level,
        isolation_notes=place.level_notes,
        output=list(place.run.output) if with_output and not getattr(place, "partly", 0) else (),
        placement=place.placement,
        peer=place.remote.peer if place.remote else "",
    )


def innermost(pid: int) -> int:
    """The plugin's own process, where bubblewrap stands around it."""
    try:
        inside = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return pid
    return innermost(int(inside[0])) if inside else pid


def _memory(pid: int) -> int:
    """Resident bytes; 0 when the process is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def _cpu(pid: int) -> float:
    """Seconds of CPU; 0 when the process is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, IndexError):
        return 0.0
