"""The one supervisor: a component from its start to its stop, over as many sessions as it takes.

A session is Open, service, Close. The author fails, the kernel retries: unreachable is retried for ever, 1 s to 10 s;
a bug is retried after 0.25 s to 2 s and counted; more than five in a minute are faulted, with an alarm, and tried again
half open; refused settings wait for a new deployment. What is lost is told before anything is waited for. With
remote/session.py and the loading of plugins this is the only place that catches everything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from bedplate.config.deployment import Component
from bedplate.config.secrets import SecretError
from bedplate.errors import JournalError, ProtocolError
from bedplate.plugin.v1 import plugin_pb2
from bedplate.remote.attachment import Attachment, Silence
from bedplate.runtime import lifecycle
from bedplate.runtime.closing import close
from bedplate.runtime.cut import Cut
from bedplate.runtime.ending import LINES, evidence
from bedplate.runtime.expectation import AGAIN, Expectation
from bedplate.runtime.fault_alarms import FaultAlarms
from bedplate.runtime.lifecycle import Backoff, Cause, FaultCount, Life, State, Transition
from bedplate.runtime.notes import Notes
from bedplate.runtime.output import legible
from bedplate.runtime.overdue import Overdue
from bedplate.runtime.placement import Ended, Place
from bedplate.runtime.role import Bug, Role, SettingsRefused, Unreachable, ok
from bedplate.runtime.secret_book import Held
from bedplate.runtime.spine import Spine

OPEN_WITHIN = 30.0  # s; a plugin bounds its own connect much tighter
REASON = 1000  # characters of a reason
STRAYS = 200  # publications and words of the end that should not have been: more than was under way


class Supervisor:
    """Runs one component. hear: told of each change of state; support: whom its plugin names."""

    def __init__(
        self,
        role: Role,
        place: Place,
        spine: Spine,
        hear: Callable[[Component, Transition], None] | None = None,
        support: str = "",
    ) -> None:
        self.role = role
        role.slow, role.well = self._slow, self._well
        role.state = lambda: self.life.state
        self.component = role.component
        self.place = place
        self.spine = spine
        self.life = Life(spine.clock.time_ns, self._moved)
        role.off = lambda: self.life.beneath is State.OFF
        self._expectation = Expectation(self.component, spine.clock)
        self.alarms = FaultAlarms(spine)
        self._support = support
        self._hear = hear
        self._backoff = Backoff()
        self._again = Backoff(lifecycle.FIRST_AGAIN, lifecycle.LAST_AGAIN)
        self._half_open = Backoff(lifecycle.HALF_OPEN, lifecycle.HALF_OPEN)
        self._faults = FaultCount(spine.clock.monotonic)
        self._ends = 0  # of its place, that it has counted
        self._notes = Notes(role.component, spine, role.figures)
        self._notes.said = lambda text: role.said(text)  # noqa: PLW0108  the kernel sets it later
        self._task: asyncio.Task[None] | None = None
        self._pausing: asyncio.Future[None] | None = None
        self._held: Held | None = None
        self._lost: asyncio.Future[tuple[int, str]] | None = None
        self._cut = Cut(place)
        self._overdue = Overdue(self._slow_to_open)
        self.code = plugin_pb2.CODE_UNSPECIFIED  # of the last Open
        self._strays = 0
        self._broke = ""
        self.trace = ""
        self._evidence: tuple[str, ...] = ()
        place.components.append(self.component.id)
        place.late.append(self._slow)
        place.publications[self.component.id] = self._publication
        place.notes[self.component.id] = self._note

    def start(self) -> None:
        self._ends = self.place.ends
        self.life.move(Cause.START)
        self._task = asyncio.create_task(self._run(), name=self.component.id)

    async def stop(self) -> None:
        """Ends the session in order. Legal at any time and twice."""
        if self._task is None or self._task.done():
            return
        self.life.move(Cause.STOP)
        self._task.cancel()
        await asyncio.wait([self._task])
        self.life.move(Cause.CLOSED)

    def adopt(self, component: Component) -> None:
        """Takes what of it changes within a session."""
        self.component = component
        self._expectation.adopt(component)

    def set_aside(self, words: str) -> None:
        """People work on its device, in words; empty: no longer. Its session goes on, so that they can test it."""
        self.life.set_aside(words)
        self.role.set_aside(bool(words))

    def holds(self, held: Held) -> None:
        """These are its secrets: they are fetched before each Open, and seen in nothing that its plugin says."""
        self._held = held
        self.place.veil(self.component.id, lambda: held.values)
        held.veiled = self.place.veiled

    def renew(self, why: str) -> None:
        """What it opened with has changed: its session ends in order and another one begins at once."""
        if self._pausing:
            self._pausing.cancel()
        elif self.life.beneath is not State.STOPPING:
            self.lose(plugin_pb2.CODE_OK, why)

    async def _run(self) -> None:
        while self.life.state is not State.STOPPING:
            wait = await self._one_life()
            if self._cut.bridged:
                continue  # as far as anybody can tell nothing has happened
            self.role.on_lost()
            await self._pause(wait)
            self.role.figures.restarts += 1
            if self.life.beneath is not State.STARTING:
                self._ends = self.place.ends  # it stood aside while these happened
            self.life.move(Cause.RETRY)

    async def _pause(self, wait: float | None) -> None:
        """Until the next try, or until it is renewed."""
        if wait == 0.0:
            return await asyncio.sleep(0)
        self._pausing = asyncio.ensure_future(self._rest(wait))
        try:
            await asyncio.wait([self._pausing])
        finally:
            self._pausing.cancel()
            self._pausing = None

    async def _rest(self, wait: float | None) -> None:
        if wait is None:
            await self.place.renewed()  # nothing to do until then, or until somebody stops it
        off = wait and self.life.beneath is State.OFF
        await (self._expectation.rest() if off else asyncio.sleep(wait or 0))

    async def _one_life(self) -> float | None:
        """One session. Returns how long to wait before the next one, None: for ever."""
        self._broke = ""
        try:
            wait = await self._outcome()
        finally:
            await self._close()
        return self._fault(self._broke) if self._broke and wait is not None else wait

    def _end_place(self, text: str) -> None:
        """For a breach that costs the process. One while closing counts too."""
        self.place.end(f"{self.component.id} {text}")
        if self.role.attachment is None:
            self._broke = f"broke the contract: {text}"

    async def _outcome(self) -> float | None:
        try:
            await self._session()
        except Silence as error:
            return self._silent(error)
        except (Unreachable, ConnectionError, TimeoutError, OSError) as error:
            return self._unreachable(error)
        except SettingsRefused as error:
            self._move(Cause.REFUSED, str(error))
            return None
        except (JournalError, SecretError) as error:  # not the plugin's; it may work the next time
            self._move(Cause.LOST, str(error))
            return self._backoff.next()
        except asyncio.CancelledError:
            raise
        except Exception as error:
            self.trace = getattr(error, "trace", "")
            self._evidence = tuple(legible(line) for line in self.trace.splitlines()[-LINES:])
            return self._fault(str(error) or type(error).__name__)
        return 0.0

    def _silent(self, error: Exception) -> float | None:
        """A connector that answers its pings has a device which does not answer. Who has no device, or none of whose
        pings we see, is broken, not slow. What is elsewhere may be cut off instead."""
        if self._place_ended() or self.place.placement == "remote":
            return self._unreachable(error)
        if self.component.kind == "connector" and self.place.answers_pings:
            return self._unreachable(
                TimeoutError(f"{error}; its process answers, so its device does not")
            )
        return self._fault(f"broke the contract: {error}")

    def _unreachable(self, error: Exception) -> float | None:
        if self._cut.away:
            if not self._cut.bridged:
                self._unanswered(str(error))
            return 0.0
        if self._place_ended() or isinstance(error, Ended):
            return self._process_ended(str(error))
        return self._unanswered(str(error))

    def _unanswered(self, text: str) -> float:
        """Its device is silent: unreachable, or off when nobody expects it to speak."""
        if self._expectation.now:
            self._move(Cause.LOST, text)
            return self._backoff.next()
        self._move(Cause.UNEXPECTED, self._expectation.words)
        self._backoff.reset()
        return AGAIN

    def _place_ended(self) -> bool:
        run = self.place.run
        return run is None or run.attachment is None or run.attachment.gone.done()

    def _process_ended(self, text: str) -> float | None:
        if not self._place_ended():  # and another run goes on already
            return self._fault(text)
        printed = getattr(self.place.run, "output", ())
        self._evidence = evidence(self.place.launch.plugin, self.place.level, printed)
        if self.place.barred:  # until its files are as trusted again, or trusted anew
            self._faulted(text)
            return self._half_open.next()
        if self.place.hopeless:
            self._faulted(text)
            return None
        return self._fault(text)

    def _fault(self, text: str) -> float:
        ends, self._ends = self.place.ends - self._ends, self.place.ends
        if self._faults.add(max(1, ends)):
            self._faulted(text)
            return self._half_open.next()
        self._move(Cause.BUG, text)
        return self._again.next()

    def _faulted(self, text: str) -> None:
        self._move(Cause.FAULTS, text)
        whole = self.place.launch.name if self._place_ended() else ""
        self.alarms.raised(self.component, legible(text, REASON), self._support, whole)

    def _move(self, cause: Cause, text: str) -> None:
        self.life.move(cause, legible(text, REASON), self._evidence)
        self._evidence = ()

    def _slow(self, text: str) -> None:
        if self._expectation.now:
            self._move(Cause.SLOW, text)

    def _slow_to_open(self, text: str) -> None:
        """Whatever the end of it: nobody hears of its device now."""
        starting = self.life.beneath is State.STARTING and self._expectation.now
        if starting and self.component.kind == "connector":
            self._move(Cause.LOST, text)
        else:
            self._slow(text)
        self.role.on_lost()

    @property
    def overdue(self) -> str:
        """What it waits for too long, in words; empty when there is no such thing."""
        return self._overdue.text or self.place.overdue.text

    def _well(self) -> None:
        self.life.move(Cause.WHOLE)

    async def _session(self) -> None:
        self._cut.waits()
        attachment = await self.place.attached(self._ends)
        if self._cut.arrived(attachment):
            self.role.on_lost()
        self._lost = asyncio.get_running_loop().create_future()
        self._strays = 0
        self.role.attachment = attachment
        opened = False
        try:
            reply = await self._open(attachment)
            opened = True
            self._cut.opened(attachment)
            self.life.move(Cause.OPENED)
            self._backoff.reset()
            self._again.reset()
            self.place.healthy()
            await self._serve(attachment, reply)
        finally:
            if opened and self.life.state is not State.STOPPING and not self._cut.began():
                self.role.on_lost()

    async def _open(self, attachment: Attachment) -> Any:
        if self._held:
            await self._held.fetch()
        message = await self.role.open_message()
        try:
            with self._overdue.waits("open has not answered"):
                reply = await attachment.ask(self.component.id, OPEN_WITHIN, open=message)
        except ConnectionError as error:
            raise ConnectionError(f"in open: {error}") from error
        self.code = min(reply.answer.code, plugin_pb2.CODE_FAULT)  # of a later minor: a fault
        return ok(reply)

    async def _serve(self, attachment: Attachment, reply: Any) -> None:
        """Serves until the role, the plugin or the process says that it is over."""
        assert self._lost
        serving = asyncio.ensure_future(self.role.serve(attachment, reply))
        proving = asyncio.get_running_loop().call_later(lifecycle.PROVED, self._proved)
        over: list[asyncio.Future[Any]] = [serving, self._lost, attachment.gone]
        try:
            await asyncio.wait(over, return_when=asyncio.FIRST_COMPLETED)
        finally:
            proving.cancel()
            serving.cancel()
            await asyncio.wait([serving])
        if self._lost.done():
            code, text = self._lost.result()
            if code == plugin_pb2.CODE_OK:
                self._move(Cause.RENEWED, text)
                return
            raise Bug(text) if code == plugin_pb2.CODE_FAULT else Unreachable(text)
        if attachment.gone.done():
            raise ConnectionError(attachment.gone.result())
        serving.result()

    def _proved(self) -> None:
        """It has served for a while: it is back."""
        self._faults.proved()
        self.alarms.returned(self.component, self.place.launch.name)

    async def _close(self) -> None:
        """Asks Close, whatever the session came to. Who does not answer even that ends."""
        attachment, self.role.attachment = self.role.attachment, None
        if attachment and not attachment.gone.done():
            stopping = self.life.state is State.STOPPING
            if breach := await close(self.role, attachment, stopping=stopping):
                self._end_place(breach)
        self.role.closed()

    def lose(self, code: int, text: str) -> None:
        """Ends the session from outside its task."""
        if self._lost and not self._lost.done():
            self._lost.set_result((code, text))

    def _publication(self, publication: Any) -> None:
        try:
            self.role.publication(publication)
        except ProtocolError as error:
            self.lose(plugin_pb2.CODE_FAULT, str(error))
            self._stray(str(error))
        except JournalError as error:
            self.lose(plugin_pb2.CODE_UNREACHABLE, str(error))

    def _stray(self, text: str) -> None:
        self._strays += 1
        if self._strays > STRAYS:
            self._end_place(f"went on: {text}")

    def _note(self, note: Any) -> None:
        if note.lost:
            if self._lost and self._lost.done():
                self._stray("told again that its session is lost")
            self.lose(note.code, note.text)
            return
        if note.forget:
            self.role.forget()
            return
        if breach := self._notes.heard(note.text):
            self._end_place(breach)

    @property
    def detail(self) -> str:
        """How it stands, in its own words."""
        return self._notes.newest

    def _moved(self, transition: Transition) -> None:
        if self._hear:
            self._hear(self.component, transition)
