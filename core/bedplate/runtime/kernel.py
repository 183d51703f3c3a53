"""The kernel: one deployment, running. Builds the rooms in order, stops them in the other order.

Start: journal, current values, security modules, readers, analytics, sources. Stop: sources first, so that the rest can
catch up; then analytics, readers, security modules; the journal last.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from bedplate.clock import Clock, SystemClock
from bedplate.config.deployment import Component, Deployment
from bedplate.errors import JournalError, ReconcileError
from bedplate.journal.engine import Engine
from bedplate.model import Event, EventKind
from bedplate.planning.plan import Plan
from bedplate.remote.host import PluginHost
from bedplate.remote.majors import MAJORS, Major
from bedplate.runtime.analytics import AnalyticReader
from bedplate.runtime.assembly import Assembly, Ground, Hearers
from bedplate.runtime.cause_watch import CauseWatch
from bedplate.runtime.census import Census
from bedplate.runtime.fault_alarms import FaultAlarms
from bedplate.runtime.guards import Guard
from bedplate.runtime.journal_watch import JournalWatch
from bedplate.runtime.kernel_alarms import STREAM, KernelAlarms
from bedplate.runtime.ledger.ledger import Ledger
from bedplate.runtime.lifecycle import State, Transition
from bedplate.runtime.maintenance import Maintenance, MaintenanceBook
from bedplate.runtime.offer import Offer
from bedplate.runtime.placement import Place
from bedplate.runtime.process import PluginProcess
from bedplate.runtime.reader import Reader
from bedplate.runtime.reconcile import Hands, Keep, Reconcile, Told
from bedplate.runtime.remote import door
from bedplate.runtime.rotation import Rotation
from bedplate.runtime.secret_book import SecretBook
from bedplate.runtime.snapshot import Snapshot
from bedplate.runtime.source import Source
from bedplate.runtime.spine import Spine
from bedplate.runtime.starts import Starts
from bedplate.runtime.supervisor import Supervisor
from bedplate.scan.pace import Pacer

LINGER = 0.05  # s
CATCH_UP = 1.5  # s that readers get at the stop
STOP_ALL = 8.5  # s from the word to the last SIGKILL, though everything hangs
STEP_WITHIN = 3.0  # s that a step under way gets to its end at the stop
ORDER = ("security", "reader", "analytic", "source")


class Kernel:
    """A deployment, running in this process and those it starts. Runs on one loop.

    told: hears of each change of a component's state; must not block. host_type, census_type, process_type: what makes
    sockets and processes; the simulation puts its own here.
    """

    host_type, census_type, process_type = PluginHost, Census, PluginProcess

    def __init__(
        self,
        deployment: Deployment,
        offers: Mapping[str, Offer],
        engine: Engine,
        *,
        clock: Clock | None = None,
        linger: float = LINGER,
        told: Callable[[str, Transition], None] = lambda component, transition: None,
        majors: Sequence[Major] = MAJORS,
    ) -> None:
        self._majors = majors
        self.deployment = deployment
        self.offers = offers
        self.engine = engine
        self.clock = clock or SystemClock()
        self.linger = linger
        self._told = told
        self.started = 0
        self.components: dict[str, Supervisor] = {}
        self.places: dict[tuple[str, ...], Place] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._relieving: dict[Supervisor, asyncio.Task[None]] = {}
        self._retained: dict[str, int] = {}  # cursors of readers that are away while it changes
        self._change: tuple[Reconcile, asyncio.Task[None]] | None = None
        self.stopping = False
        self.launched: Callable[[Place], None] = lambda place: None  # a plugin has started
        self.guarding: dict[str, Guard] = {}  # security modules by id; those of now
        self.forgotten: Callable[[str], None] = lambda module: None  # what it said counts no more
        self.guard_said: Callable[[str, str], None] = lambda module, text: None  # a note of one
        self.lost: Callable[[str, str], None] = lambda reader, text: None  # beyond its buffer
        self.census = self.census_type()
        self.maintained: Callable[[Maintenance, str], None] = lambda one, what: None
        self.gaps_file: Path | None = None  # where the gap ledger is kept; None: in memory
        self.starts = Starts()
        self.secrets = SecretBook(os.urandom(32), self._rotated)
        self.rotated: Callable[[str, str, str], None] = lambda component, what, text: None
        self.remote_address = ""  # where remote plugins dial in
        self._stopped: set[tuple[str, ...]] = set()

    async def start(self) -> None:
        """Raises JournalError when the journal can't be taken, OSError when no socket can be made."""
        self.started = self.clock.time_ns()
        self._run_folder = Path(tempfile.mkdtemp(prefix="bp-", dir=_short_folder()))
        self.host = self.host_type(self._run_folder, self.linger, self._majors)
        await self.host.start()
        if files := door(self.deployment):
            self.remote_address = await self.host.listen(self.deployment.plugins.listen, files)
            self.host.arrivals.told = self._refused
        await self.census.start()
        await self._restore()
        self._build()
        for tier in ORDER:
            for supervisor in self.tier(tier):
                self.set_going(supervisor)
        watch = JournalWatch(self.spine, self.snapshot, self._alarms, self._cursors)
        self.rotation = Rotation(self.secrets, self.components)
        beside = (watch, self.maintenance, self.causes, self.ledger, self.rotation)
        self._tasks = [asyncio.create_task(one.run()) for one in beside]

    async def _restore(self) -> None:
        """Takes the journal, and all that stands since the run before."""
        await self.engine.open()
        self.first_position = self.engine.state().appended + 1  # of this epoch
        self.spine = Spine(self.engine, self.clock)
        self.snapshot = Snapshot(self.spine)
        await self.snapshot.restore()
        self.ledger = Ledger(self.clock, self.deployment.timezone, self.gaps_file)
        self.ledger.present = lambda component: component in self.components
        await self.ledger.open()
        self.spine.declared = self.ledger.declared
        self.maintenance = MaintenanceBook(
            self.spine,
            lambda component: self.components.get(component),  # noqa: PLW0108  it may be another
            self.deployment.timezone,
            self.maintained,
        )
        await self.maintenance.restore()

    def _build(self) -> None:
        """All components, of which none is started yet."""
        self.pacer = Pacer(self.linger, self.clock.monotonic)
        self.pacer.start()
        self.assembly = self._assembly()
        self.places = self.assembly.places
        for component in self.deployment.components:
            self.components[component.id] = self.assembly.build(component)
        self._alarms = KernelAlarms(self.spine)
        processes = {place.launch.name for place in self.places.values()}
        FaultAlarms(self.spine).forget_all_but(self.deployment.components, processes)
        self.causes = CauseWatch(self, self._alarms)

    def _assembly(self) -> Assembly:
        ground = Ground(
            self.spine,
            self.pacer,
            self.linger,
            self.host,
            self.census,
            self._run_folder,
            self.starts,
            self.process_type,
            self.secrets,
        )
        hearers = Hearers(  # the platform sets its own later
            self._heard,
            lambda reader, text: self.lost(reader, text),  # noqa: PLW0108
            lambda place: self.launched(place),  # noqa: PLW0108
        )
        return Assembly(ground, hearers, self.deployment, self.offers)

    def tier(self, name: str) -> list[Supervisor]:
        """Components of one step of the start: security, reader, analytic, source."""
        role = {"security": Guard, "reader": Reader, "analytic": AnalyticReader, "source": Source}[
            name
        ]
        return [s for s in self.components.values() if isinstance(s.role, role)]

    def set_going(self, supervisor: Supervisor) -> None:
        """Starts a component, and what is done for it beside."""
        role = supervisor.role
        if isinstance(role, Guard):
            self.guarding[supervisor.component.id] = role
            role.forget = lambda: self.forgotten(supervisor.component.id)
            role.said = lambda text: self.guard_said(supervisor.component.id, text)
        if isinstance(role, Source):
            self.ledger.adopt(supervisor.component, role.account, role.heard())
            role.backfill.filled = self.ledger.filled
        self.maintenance.takes(supervisor)
        supervisor.start()
        if isinstance(role, Reader) and role.buffer:
            self._relieving[supervisor] = asyncio.create_task(role.keep_relieved())

    async def bring_down(self, supervisor: Supervisor) -> None:
        """Stops a component, and what is done for it beside."""
        await supervisor.stop()
        if task := self._relieving.pop(supervisor, None):
            task.cancel()
            await asyncio.wait([task])

    @property
    def history(self) -> Reader | None:
        """The component that answers queries: the first reader that can."""
        for supervisor in self.tier("reader"):
            if "query" in self.offers[supervisor.component.use].capabilities and isinstance(
                supervisor.role, Reader
            ):
                return supervisor.role
        return None

    def guards(self) -> list[Guard]:
        return [s.role for s in self.tier("security") if isinstance(s.role, Guard)]

    # --- events ---

    def _heard(self, component: Component, transition: Transition) -> None:
        """Every change of a component's state is an event."""
        severity = {State.FAULTED: 800, State.INVALID: 700, State.UNREACHABLE: 500}.get(
            transition.state, 100
        )
        text = f"{transition.state}: {transition.reason}"
        event = Event(
            component.path or component.id,
            EventKind.STATUS,
            transition.at,
            text,
            severity,
            component=component.id,
        )
        with contextlib.suppress(JournalError):
            self.spine.event(STREAM, event)
        self.ledger.moved(component.id, transition.state, transition.reason)
        self._told(component.id, transition)

    def _refused(self, text: str) -> None:
        """A remote plugin that may not come in is an event too."""
        with contextlib.suppress(AttributeError):  # the first may knock before the spine is there
            self.note("plugins", text, 500)

    def note(self, source: str, text: str, severity: int) -> None:
        """Something that people should be able to read later."""
        event = Event(source, EventKind.NOTE, self.clock.time_ns(), text, severity)
        with contextlib.suppress(JournalError):
            self.spine.event(STREAM, event)

    def _rotated(self, component: str, what: str, text: str) -> None:
        """The secrets of a component have `changed`, or are `absent`."""
        self.note(component, text, 200)
        self.rotated(component, what, text)

    def acknowledge(self, source: str, by: str, comment: str = "") -> None:
        """An acknowledgement is an event that the alarm's analytic reads; of its own alarms the kernel does it itself.
        Raises JournalError."""
        if self._alarms.acknowledge(source, by, comment):
            return
        event = Event(source, EventKind.ACKNOWLEDGE, self.clock.time_ns(), comment, by=by)
        self.spine.event(STREAM, event, sync=True)

    def _cursors(self) -> Iterable[int]:
        """How far each that reads the journal is durable."""
        for supervisor in (*self.tier("reader"), *self.tier("analytic")):
            yield getattr(supervisor.role, "durable", 0)
        yield from self._retained.values()

    # --- change ---

    async def reconcile(
        self,
        deployment: Deployment,
        offers: Mapping[str, Offer],
        plan: Plan,
        told: Told,
        *,
        health: float = 60.0,
        keep: Keep | None = None,
    ) -> None:
        """Does what the plan says, and no more; told hears how it goes. keep: called once all is healthy, makes this
        the deployment that boots. health: seconds that what was touched gets to be as healthy as it was.

        Raises ReconcileError with the reason; then what ran before runs again. Cancelled, it goes back as well, or to
        the end when it is kept already, and returns only then."""
        if self.stopping or (self._change and not self._change[1].done()):
            why = "the kernel stops" if self.stopping else "another change is under way"
            raise ReconcileError(why)
        hands = Hands(
            self.spine,
            self.assembly,
            self.components,
            self._retained,
            self.set_going,
            self.bring_down,
            self._stands,
        )
        change = Reconcile(hands, deployment, offers, plan, told)
        self.offers = {**self.offers, **offers}  # both run until one of them stands
        task = asyncio.create_task(change.run(health, keep))
        self._change = change, task
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            change.abandon("it was cancelled")
            await _wait_out(task)
            raise

    def give_up(self) -> None:
        """A change under way goes neither on nor back, since the kernel is about to stop."""
        if self._change:
            self._change[0].abandon("the kernel stops", back=False)

    def _stands(self, deployment: Deployment, offers: Mapping[str, Offer]) -> None:
        self.deployment, self.offers = deployment, offers
        self.secrets.stands(deployment)
        processes = {place.launch.name for place in self.places.values()}
        FaultAlarms(self.spine).forget_all_but(deployment.components, processes)

    # --- stop ---

    async def stop(self) -> None:
        """Everything in order; bounded. Legal after a failed start, and twice."""
        if self.stopping:
            return
        self.stopping = True
        self.give_up()
        if self._change:
            await asyncio.wait([self._change[1]], timeout=STEP_WITHIN)
        for task in (*self._tasks, *self._relieving.values()):
            task.cancel()
        end = asyncio.get_running_loop().time() + STOP_ALL
        ending: list[asyncio.Task[None]] = []
        with contextlib.suppress(AttributeError):  # a start that failed early has no rooms to stop
            await _stop_all(self.tier("source"))
            ending += self._stop_idle(end)
            await self._catch_up()
            await _stop_all(s for tier in ORDER for s in self.tier(tier))
            ending += self._stop_idle(end)
            await asyncio.gather(*ending)
            await self.pacer.stop()
            with contextlib.suppress(JournalError):
                self.spine.stored_again(self.spine.unstored.streams)
                self.snapshot.save()
        if hasattr(self, "ledger"):
            await self.ledger.close()
        with contextlib.suppress(JournalError):
            await self.engine.close()
        await self.census.stop()
        if hasattr(self, "host"):
            await self.host.stop()
            shutil.rmtree(self._run_folder, ignore_errors=True)

    def _stop_idle(self, end: float) -> list[asyncio.Task[None]]:
        """Stops, side by side, the places whose components have all stopped."""
        within = max(1.0, end - asyncio.get_running_loop().time())
        idle = []
        for key, place in self.places.items():
            states = {s.life.state for c in place.components if (s := self.components.get(c))}
            if key not in self._stopped and states <= {State.STOPPED}:
                idle.append(asyncio.create_task(place.stop(1.0, within)))
                self._stopped.add(key)
        return idle

    async def _catch_up(self) -> None:
        """Readers take what is left, within bounds: what they miss is in the journal for the next start."""
        with contextlib.suppress(TimeoutError, JournalError):
            async with asyncio.timeout(CATCH_UP):
                for tier in ("analytic", "reader"):
                    await self.engine.synced(self.engine.state().appended)
                    target = self.engine.state().appended
                    while any(self._lags(s, target) for s in self.tier(tier)):  # noqa: ASYNC110  many, briefly
                        await asyncio.sleep(0.02)

    def _lags(self, supervisor: Supervisor, target: int) -> bool:
        return (
            supervisor.life.state is State.UP
            and getattr(supervisor.role, "position", target) < target
        )


async def _wait_out(task: asyncio.Task[None]) -> None:
    """Waits until it is done, however often somebody cancels."""
    while not task.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait([task])
    if not task.cancelled():
        task.exception()  # nobody else asks


async def _stop_all(supervisors: Iterable[Supervisor]) -> None:
    await asyncio.gather(*(supervisor.stop() for supervisor in supervisors))


def _short_folder() -> str | None:
    """A place for sockets whose path is short enough."""
    folder = tempfile.gettempdir()
    return folder if len(folder) <= 60 else "/tmp"
