"""Where components run: one process, or one inline thread, per plugin or per name the operator gave.

A place is started when its first component wants it, restarted when it ended and somebody wants it again, and stopped
with its last component. The end of a process counts once for each of its components, also for one that waits meanwhile.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from bedplate.config.veil import Veil
from bedplate.errors import AdmissionError
from bedplate.remote.attachment import Attachment
from bedplate.remote.host import PluginHost
from bedplate.runtime.census import Census
from bedplate.runtime.inline import InlinePlugin
from bedplate.runtime.launch import Launch
from bedplate.runtime.lifecycle import Backoff
from bedplate.runtime.overdue import Overdue
from bedplate.runtime.process import Confine, PluginProcess
from bedplate.runtime.remote import RemotePlugin
from bedplate.runtime.starts import Starts

Run = PluginProcess | InlinePlugin | RemotePlugin
PING_STANDS = 3.5  # s: three pings and what they wait
REFUSAL_STANDS = (
    20.0  # s; to measure a plugin anew for each of its components would take a processor
)


class Ended(ConnectionError):
    """A run ended, or never attached, while a component of it waited for its turn."""


class Place:
    """One process or thread over all its lives. listeners get the publications and notes of their component."""

    def __init__(
        self,
        launch: Launch,
        placement: str,
        host: PluginHost,
        folder: Path,
        census: Census | None = None,
        confine: Confine | None = None,
        *,
        starts: Starts | None = None,
    ) -> None:
        self.launch = launch
        self.placement = placement
        self.restarts = -1
        self.started = 0
        self.components: list[str] = []
        self.run: Run | None = None
        self.remote = RemotePlugin(launch, host) if placement == "remote" else None
        self.process_type = PluginProcess
        self._make: Callable[[], Run] = (
            (lambda: InlinePlugin(self.launch))
            if placement == "inline"
            else (lambda: self.remote or self._process(host, folder, census, confine))
        )
        self._starts = starts or Starts()
        self._starting = asyncio.Lock()
        self._backoff = Backoff(0.25, 10.0)
        self._not_before = 0.0
        self.late: list[Callable[[str], None]] = []  # hear that it takes long to start
        self.overdue = Overdue(self._tell_late)
        self.publications: dict[str, Callable[[object], None]] = {}
        self.notes: dict[str, Callable[[object], None]] = {}
        self.breaches = 0
        self._ends, self._last_end = 0, ""  # of runs before the present one
        self.barred = ""  # why its plugin may not be started now
        self._barred_until = 0.0
        self.launched: Callable[[Place], None] = lambda place: None
        self._values: dict[str, Callable[[], Iterable[str]]] = {}
        self._veil = Veil()

    def _process(
        self, host: PluginHost, folder: Path, census: Census | None, confine: Confine | None
    ) -> PluginProcess:
        process = self.process_type(self.launch, host, folder, census, confine)
        process.hides(self._hides)
        return process

    @property
    def ends(self) -> int:
        """How many runs have ended, or have never attached. None of a program elsewhere, which may be cut off."""
        return self._ends + (self._why_ended != "")

    @property
    def _why_ended(self) -> str:
        """Of the present run; empty when it goes on, or never attached and is counted."""
        attachment = self.run.attachment if self.run and not self.remote else None
        return attachment.gone.result() if attachment and attachment.gone.done() else ""

    async def attached(self, ends: int | None = None) -> Attachment:
        """The attachment of a running process; starts one when there is none. ends: so many are known to who asks.

        Raises ConnectionError with the reason when it can't be started, Ended when there was another end meanwhile.
        """
        async with self._starting:
            if ends is not None and self.ends > ends:
                raise Ended(self._why_ended or self._last_end)
            if self.run and self.run.attachment and not self.run.attachment.gone.done():
                if not getattr(self.run, "outdated", False):
                    return self.run.attachment
                self._ends -= 1  # this one does not end by itself
            if self.run:
                await self.run.kill()
            if self.remote:  # nothing is started, so nothing is started too often
                return await self._start()
            loop = asyncio.get_running_loop()
            await asyncio.sleep(max(0.0, self._not_before - loop.time()))
            self._not_before = loop.time() + self._backoff.next()
            return await self._start()

    async def _start(self) -> Attachment:
        await self._verify()
        if why := self._why_ended:
            self._ends, self._last_end = self._ends + 1, why
        self.run = self._make()
        if self.remote:
            attachment = await self.remote.start()
            self.restarts, self.started = self.remote.runs - 1, self.remote.started
        else:
            async with self._starts.turn():
                self.restarts += 1
                self.started = time.time_ns()
                try:
                    with self.overdue.waits(self._begins):
                        attachment = await self.run.start()
                except OSError as error:
                    self._ends, self._last_end = self._ends + 1, str(error)
                    raise
        attachment.veil = self._hides
        attachment.publication = self._publication
        attachment.note = self._note
        attachment.breach = self.end
        self.launched(self)
        return attachment

    async def _verify(self) -> None:
        """Raises ConnectionError when its plugin is not what is trusted; then nothing of it is started."""
        verify, loop = self.launch.verify, asyncio.get_running_loop()
        if verify is None or self.remote:
            return
        if self.barred and loop.time() < self._barred_until:
            raise ConnectionError(self.barred)
        try:
            self._move(self.launch.moved(await asyncio.to_thread(verify)))
        except AdmissionError as error:
            self.barred, self._barred_until = str(error), loop.time() + REFUSAL_STANDS
            raise ConnectionError(self.barred) from None
        self.barred = ""

    def _move(self, launch: Launch) -> None:
        """To where what is trusted now lies. Raises AdmissionError for code that the kernel would import twice."""
        if self.placement == "inline" and launch != self.launch:
            raise AdmissionError(
                f"PLUGIN_MODIFIED: {launch.plugin} {launch.version} was trusted anew and runs inside the kernel;"
                " start Bedplate again"
            )
        self.launch = launch

    @property
    def _begins(self) -> str:
        if self.placement == "inline":
            return f"import of {self.launch.plugin}, which can't be ended, has not come back"
        return f"process of {self.launch.plugin} has not attached"

    def _tell_late(self, text: str) -> None:
        for tell in self.late:
            tell(text)

    @property
    def answers_pings(self) -> bool:
        """Whether its process has answered one a moment ago. Nobody pings a thread."""
        pinged = self.run.pings.at if self.run else 0.0
        return pinged > asyncio.get_running_loop().time() - PING_STANDS

    @property
    def level(self) -> str:
        """How its run is confined: L0 to L3; empty when that is decided elsewhere, or it has not run."""
        return "L0" if self.placement == "inline" else getattr(self.run, "level", "")

    @property
    def level_notes(self) -> tuple[str, ...]:
        return getattr(self.run, "level_notes", ())

    def healthy(self) -> None:
        """A component of it is up: the next start need not wait long."""
        self._backoff.reset()

    @property
    def hopeless(self) -> bool:
        return self.run is not None and self.run.hopeless

    def away(self, attachment: Attachment | None) -> bool:
        """Whether its program is elsewhere and this stream of it, or any, is missing, which is nobody's fault."""
        return self.remote is not None and self.remote.away(attachment)

    async def renewed(self) -> None:
        """Returns when a program elsewhere was replaced by another run of it; otherwise never."""
        if self.remote is None:
            await asyncio.Future()
        else:
            await self.remote.renewed()

    def _publication(self, publication: object) -> None:
        name = getattr(publication, "component", "")
        listener = self.publications.get(name)
        if listener is None:
            self.end(f"published for {name!r}, which is none of its components")
        else:
            listener(publication)

    def _note(self, note: object) -> None:
        name = getattr(note, "component", "")
        if listener := self.notes.get(name):
            listener(note)
        elif name:
            self.end(f"sent a note of {name!r}, which is none of its components")

    def end(self, text: str) -> None:
        """A breach of the contract ends the process: what it says next can't be trusted either."""
        self.breaches += 1
        if self.remote:
            self.remote.breached()
        if self.run and self.run.attachment:
            self.run.attachment.end(f"{self.launch.plugin} broke the contract: {text}")

    def veil(self, component: str, known: Callable[[], Iterable[str]]) -> None:
        """What a component has of secrets: they are seen in nothing that its plugin says or prints."""
        self._values[component] = known
        self.veiled()

    def veiled(self) -> None:
        """They are others now."""
        self._veil = Veil(value for known in self._values.values() for value in known())

    def _hides(self) -> Veil:
        return self._veil

    def leave(self, whose: object, component: str) -> None:
        """A component has stopped and is not served any more. What its plugin still says of it harms nobody."""
        self.components.remove(component)
        self.late = [hear for hear in self.late if getattr(hear, "__self__", None) is not whose]
        for hearers in (self.publications, self.notes):
            if getattr(hearers[component], "__self__", None) is whose:
                hearers[component] = _unheard

    async def stop(self, grace: float = 1.0, within: float = 8.0) -> None:
        """Bounded by `within` seconds in all. Legal at any time and twice."""
        async with self._starting:
            if self.run:
                await self.run.stop(grace, within)


def _unheard(message: object) -> None:
    """Of a component that was taken away."""
