"""The one supervisor: a component from its start to its stop, over as many sessions as it takes.

A session is Open, service, Close. The author fails, the kernel retries: unreachable is retried for ever, 1 s to 10 s;
a bug is retried at once and counted; more than five in a minute are faulted, tried again half open every minute;
refused settings wait for a new deployment. With remote/session.py and the loading of plugins this is the only place
that catches everything.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from bedplate.config.deployment import Component
from bedplate.config.secrets import SecretError
from bedplate.errors import BedplateError, JournalError, ProtocolError
from bedplate.model import Event, EventKind
from bedplate.plugin.v1 import plugin_pb2
from bedplate.remote.attachment import Attachment
from bedplate.runtime.lifecycle import (
    HALF_OPEN,
    Backoff,
    Cause,
    FaultCount,
    Life,
    State,
    Transition,
)
from bedplate.runtime.placement import Place
from bedplate.runtime.requests import Close
from bedplate.runtime.spine import Spine

OPEN_WITHIN = 30.0  # s; a plugin bounds its own connect much tighter
CLOSE_WITHIN, STOP_WITHIN = 6.0, 1.5  # s


class Unreachable(BedplateError):
    """The session is over: connection lost."""


class Bug(BedplateError):
    """The session is over: the plugin's mistake. trace: for its author."""

    def __init__(self, text: str, trace: str = "") -> None:
        super().__init__(text)
        self.trace = trace


class SettingsRefused(BedplateError):
    """The plugin refuses its settings."""


@dataclass
class Figures:
    """Plain counters, read by observable instruments and by status."""

    restarts: int = 0
    dropped: int = 0
    skipped: int = 0
    consumed: int = 0
    produced: int = 0
    problems: dict[int, str] = field(default_factory=dict)


class Role:
    """What a component does while it is open; one subclass per way of working."""

    def __init__(self, component: Component, spine: Spine) -> None:
        self.component = component
        self.spine = spine
        self.figures = Figures()
        self.attachment: Attachment | None = None

    async def open_message(self) -> Any:
        raise NotImplementedError

    async def serve(self, attachment: Attachment, reply: Any) -> None:
        """Works until the session ends. Raises Unreachable, Bug, ConnectionError, TimeoutError; cancelled to stop."""
        raise NotImplementedError

    def on_lost(self) -> None:
        """The session ended without being asked to, or did not begin. May be told more than once."""

    def publication(self, publication: Any) -> None:
        raise ProtocolError("publishes without having been asked to")


def ok(reply: Any) -> Any:
    """The reply when it says OK. Raises what its code means."""
    answer = reply.answer
    match answer.code:
        case plugin_pb2.CODE_OK:
            return reply
        case plugin_pb2.CODE_UNREACHABLE | plugin_pb2.CODE_EXPIRED:
            raise Unreachable(answer.text or "no answer in time")
        case plugin_pb2.CODE_INVALID:
            texts = [f"{p.pointer}: {p.text}" if p.pointer else p.text for p in answer.problems]
            raise SettingsRefused("; ".join(texts) or answer.text)
        case plugin_pb2.CODE_REFUSED:
            raise Unreachable(f"refused: {answer.text}")
        case plugin_pb2.CODE_UNSUPPORTED:
            raise Bug("does not support what its manifest declares")
    raise Bug(answer.text or f"answered code {answer.code}", answer.trace)


class Supervisor:
    """Runs one component. hear: told of each change of state."""

    def __init__(
        self,
        role: Role,
        place: Place,
        spine: Spine,
        hear: Callable[[Component, Transition], None] | None = None,
    ) -> None:
        self.role = role
        self.component = role.component
        self.place = place
        self.spine = spine
        self.life = Life(spine.clock.time_ns, self._moved)
        self._hear = hear
        self._backoff = Backoff()
        self._faults = FaultCount(spine.clock.monotonic)
        self._task: asyncio.Task[None] | None = None
        self._lost: asyncio.Future[tuple[int, str]] | None = None
        self.detail = ""
        self.trace = ""
        place.components.append(self.component.id)
        place.publications[self.component.id] = self._publication
        place.notes[self.component.id] = self._note

    def start(self) -> None:
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

    async def _run(self) -> None:
        while self.life.state is not State.STOPPING:
            wait = await self._one_life()
            self.role.on_lost()
            if wait is None:
                await asyncio.Future()  # nothing to do until somebody stops it
            await asyncio.sleep(wait or 0)
            self.role.figures.restarts += 1
            self.life.move(Cause.RETRY)

    async def _one_life(self) -> float | None:
        """One session. Returns how long to wait before the next one, None: for ever."""
        try:
            await self._session()
        except (Unreachable, ConnectionError, TimeoutError, OSError) as error:
            return self._unreachable(error)
        except SettingsRefused as error:
            self.life.move(Cause.REFUSED, str(error))
            return None
        except (
            JournalError,
            SecretError,
        ) as error:  # not the plugin's mistake; it may be there the next time
            self.life.move(Cause.LOST, str(error))
            return self._backoff.next()
        except asyncio.CancelledError:
            raise
        except Exception as error:
            self.trace = getattr(error, "trace", "")
            return self._fault(str(error) or type(error).__name__)
        return 0.0

    def _unreachable(self, error: Exception) -> float | None:
        if self._place_ended():
            return self._process_ended(str(error))
        self.life.move(Cause.LOST, str(error))
        return self._backoff.next()

    def _place_ended(self) -> bool:
        run = self.place.run
        return run is None or run.attachment is None or run.attachment.gone.done()

    def _process_ended(self, text: str) -> float | None:
        if self.place.hopeless:
            self.life.move(Cause.FAULTS, text)
            return None
        return self._fault(text)

    def _fault(self, text: str) -> float:
        if self._faults.add():
            self.life.move(Cause.FAULTS, text)
            return HALF_OPEN
        self.life.move(Cause.BUG, text)
        return 0.25

    async def _session(self) -> None:
        attachment = await self.place.attached()
        self._lost = asyncio.get_running_loop().create_future()
        self.role.attachment = attachment
        opened = False
        try:
            message = await self.role.open_message()
            reply = ok(await attachment.ask(self.component.id, OPEN_WITHIN, open=message))
            opened = True
            self.life.move(Cause.OPENED)
            self._backoff.reset()
            self.place.healthy()
            await self._serve(attachment, reply)
        finally:
            if opened and self.life.state is not State.STOPPING:
                self.role.on_lost()
            await self._close(attachment)

    async def _serve(self, attachment: Attachment, reply: Any) -> None:
        """Serves until the role, the plugin or the process says that it is over."""
        assert self._lost
        serving = asyncio.ensure_future(self.role.serve(attachment, reply))
        over: list[asyncio.Future[Any]] = [serving, self._lost, attachment.gone]
        try:
            await asyncio.wait(over, return_when=asyncio.FIRST_COMPLETED)
        finally:
            serving.cancel()
            with contextlib.suppress(
                asyncio.CancelledError, Unreachable, Bug, ConnectionError, TimeoutError
            ):
                await asyncio.wait([serving])
        if self._lost.done():
            code, text = self._lost.result()
            raise Bug(text) if code == plugin_pb2.CODE_FAULT else Unreachable(text)
        if attachment.gone.done():
            raise ConnectionError(attachment.gone.result())
        serving.result()

    async def _close(self, attachment: Attachment) -> None:
        self.role.attachment = None
        if not attachment.gone.done():
            with contextlib.suppress(TimeoutError, ConnectionError):
                within = STOP_WITHIN if self.life.state is State.STOPPING else CLOSE_WITHIN
                await attachment.ask(self.component.id, within, close=Close())

    def lose(self, code: int, text: str) -> None:
        """Ends the session from outside its task."""
        if self._lost and not self._lost.done():
            self._lost.set_result((code, text))

    def _publication(self, publication: Any) -> None:
        try:
            self.role.publication(publication)
        except ProtocolError as error:
            self.lose(plugin_pb2.CODE_FAULT, str(error))
        except JournalError as error:
            self.lose(plugin_pb2.CODE_UNREACHABLE, str(error))

    def _note(self, note: Any) -> None:
        if note.lost:
            self.lose(note.code, note.text)
            return
        self.detail = note.text
        event = Event(
            self.component.path or self.component.id,
            EventKind.NOTE,
            self.spine.clock.time_ns(),
            note.text,
        )
        with contextlib.suppress(JournalError):
            self.spine.event(f"{self.component.id}/event", event)

    def _moved(self, transition: Transition) -> None:
        if self._hear:
            self._hear(self.component, transition)


Serve = Callable[[Attachment, Any], Awaitable[None]]
