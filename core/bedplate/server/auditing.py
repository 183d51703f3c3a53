"""The audit log of a running platform: what collects, what writes, who takes checkpoints, where lines are sent on, and
what may go. None of it can be changed, turned off or emptied by a call: `audit:` is read at the start and never again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from bedplate.audit import retention
from bedplate.audit.anchoring import Anchoring
from bedplate.audit.checkpoint import Signer, signer
from bedplate.audit.discipline import discipline
from bedplate.audit.entry import Entry, Stamps
from bedplate.audit.forwarding import Forwarder, Sender
from bedplate.audit.key_file import KeyFile
from bedplate.audit.log import ChainLog
from bedplate.audit.outside import notes
from bedplate.audit.syslog import Syslog
from bedplate.audit.verify import Report, verify
from bedplate.clock import AgeClock, Clock
from bedplate.config import Deployment
from bedplate.durable import sync_folder
from bedplate.errors import BedplateError
from bedplate.gate.audit import Audit
from bedplate.runtime.kernel_alarms import KernelAlarms
from bedplate.server.audit_alarms import ANCHOR, WHOLE, WRITTEN, tell
from bedplate.shown import age_text, size_text

LOOK = 1.0  # s
JUMP = 1.0  # s by which the two clocks may part between two looks
RARELY = 3600.0  # s between looks at what may go and at the room there is
FULL = 0.8  # of the size that is set aside


class Auditing:
    """told: hears of each record that is on disk. Its `audit` is what everybody writes to."""

    def __init__(
        self,
        deployment: Deployment,
        clock: Clock,
        told: Callable[[Mapping[str, Any]], None] = lambda record: None,
    ) -> None:
        self.folder = deployment.folder(deployment.audit.folder)
        self._settings, self._deployment, self._clock, self._told = (
            deployment.audit, deployment, clock, told,
        )  # fmt: skip
        stamps = Stamps(clock, discipline)
        self._log = ChainLog(self.folder, stamps)
        self.audit = Audit(self._log, clock, self._heard, stamps)
        place = deployment.folder(self._settings.anchor) if self._settings.anchor else None
        self.anchoring = Anchoring(partial(signer, self.folder), clock, place)
        self.forwarders: list[Forwarder] = []
        self.checked: Report | None = None
        self._age = AgeClock(clock)
        self._used = 0
        self._unsigned = ""  # why there is no signing key
        self._looked = clock.monotonic() - RARELY
        self._offset = clock.time_ns() / 1e9 - clock.monotonic()
        self._noting: asyncio.Task[None] | None = None
        self.alarms: KernelAlarms | None = None
        self._task: asyncio.Task[None] | None = None
        self._rare: asyncio.Task[None] | None = None
        self._closely = asyncio.Lock()

    async def open(self) -> None:
        """Raises BedplateError when a forwarder can't be had at all; a disk that fails is told, not raised."""
        self._refuse_near()
        senders = dict(self._senders())
        await self.audit.open()
        try:
            await self.anchoring.open()
        except (OSError, BedplateError) as error:
            self._unsigned = str(error)
        for name, sender in senders.items():
            place = self.anchoring.add(name)
            forwarder = Forwarder(self.folder, sender, self._clock, place, lambda: self._log.found)
            self.forwarders.append(forwarder)
            forwarder.start()
        self._task = asyncio.create_task(self._keep_looking())

    def _refuse_near(self) -> None:
        place, folder = (
            self._deployment.folder(self._settings.anchor).resolve(),
            self.folder.resolve(),
        )
        if self._settings.anchor and (place == folder or folder in place.parents):
            text = "within the log it proves nothing; name a folder of another disk or a share"
            raise BedplateError(f"audit.anchor: {text}")

    def _senders(self) -> Iterator[tuple[str, Sender]]:
        settings, deployment = self._settings, self._deployment
        if settings.syslog:
            tls = deployment.folder(settings.tls) if settings.tls else None
            yield "syslog", Syslog(settings.syslog, tls, self._clock.monotonic)
        if settings.otlp:
            from bedplate.audit.otlp import OtlpLogs

            if not deployment.telemetry.otlp:
                raise BedplateError("audit.otlp needs a collector: write telemetry.otlp")
            try:
                yield "otlp", OtlpLogs(deployment.telemetry.otlp, deployment.name)
            except ImportError:
                raise BedplateError(
                    "audit.otlp needs an extra: pip install 'bedplate[otlp]'"
                ) from None

    async def close(self) -> None:
        for task in (self._task, self._rare, self._noting):
            if task:
                task.cancel()
                await asyncio.wait([task])
        await self.audit.close()
        await self.anchoring.close()
        await asyncio.gather(*(forwarder.close() for forwarder in self.forwarders))

    def _heard(self, record: Mapping[str, Any]) -> None:
        if "index" in record:
            self.anchoring.heard(int(record["index"]), str(record["hash"]))
        for forwarder in self.forwarders:
            forwarder.more()
        self._told(record)

    async def _keep_looking(self) -> None:
        while True:
            self.look()
            await asyncio.sleep(LOOK)

    def look(self) -> None:
        """What is to be done from time to time."""
        self.anchoring.look()
        self._look_at_clock()
        if self.alarms:
            tell(self.alarms, self._wrong())
        now = self._clock.monotonic()
        if self._noting is None or self._noting.done():
            self._noting = asyncio.create_task(self._take_notes())
        if now - self._looked >= RARELY and (self._rare is None or self._rare.done()):
            self._looked = now
            self._rare = asyncio.create_task(self.look_closely())

    def _look_at_clock(self) -> None:
        """Who sets the clock changes what the times of lines mean."""
        offset = self._clock.time_ns() / 1e9 - self._clock.monotonic()
        by, self._offset = offset - self._offset, offset
        if abs(by) > JUMP:
            text = f"the wall clock was set by {by:+.1f} s"
            self.audit.add(Entry("clock.set", "noted", text=text), urgent=True)

    async def _take_notes(self) -> None:
        """Of what happened beside the kernel."""
        with contextlib.suppress(OSError):
            for path, entry in await asyncio.to_thread(lambda: list(notes(self.folder))):
                if await self.audit.write(entry):
                    await asyncio.to_thread(path.unlink)

    async def look_closely(self) -> None:
        """Is the newest part whole, how much room does it take, and what may go? One look at a time: two would say of
        one file twice that it goes."""
        async with self._closely:
            with contextlib.suppress(OSError):
                await self._look_closer()

    async def _look_closer(self) -> None:
        self.checked = await self.verify(newest=True)
        self._used = await asyncio.to_thread(retention.used, self.folder)
        if self._settings.keep_ns:
            await self._let_go()

    async def verify(self, *, newest: bool = False) -> Report:
        """The log as it stands. newest: only the last files. A file that is put aside meanwhile is looked at again."""

        def look() -> Report:
            stands = KeyFile(self.folder).load()
            return verify(self.folder, stands=stands, live=True, most=2 if newest else 0)

        found = await asyncio.to_thread(look)
        return found if found.whole else await asyncio.to_thread(look)

    async def _let_go(self) -> None:
        """Lines older than `keep`, said before they go."""
        now = self._age.time_ns()
        if now is None or not self.anchoring.places:
            return  # nobody knows what time it is, or nobody else has seen the log
        settled = min([self.anchoring.settled(), *(f.settled for f in self.forwarders)])
        before = now - self._settings.keep_ns
        listed = await asyncio.to_thread(
            lambda: list(retention.going(self.folder, before, settled))
        )
        for one in listed:
            names = ", ".join(path.name for path in one.paths)
            text = f"{names}: lines up to {one.index}, older than audit.keep, head {one.head}"
            entry = Entry("audit.removed", "noted", resource=names, text=text)
            through = {"index": one.index, "head": one.head}
            if not await self.audit.write(entry, through=through):
                return
            await asyncio.to_thread(_remove, one.paths, self.folder)

    @property
    def signer(self) -> Signer | None:
        return self.anchoring.signer

    def standing(self) -> str:
        """In a few words."""
        if self.audit.failed:
            return "can't be written"
        if self.checked and self.checked.problem:
            return "chain broken"
        at = self.anchoring.newest_ns()
        if not self.anchoring.places:
            return "chain whole, anchored nowhere"
        if not at:
            return "chain whole, anchored nowhere yet"
        return f"chain whole, anchored {age_text((self._clock.time_ns() - at) / 1e9)} ago"

    def _wrong(self) -> dict[str, str]:
        """What is an alarm."""
        broken = self.checked.problem if self.checked else None
        failed = f"the audit log can't be written: {self.audit.failed}" if self.audit.failed else ""
        whole = f"the audit log is not whole: {broken}" if broken else ""
        return {WRITTEN: failed, WHOLE: whole, ANCHOR: "; ".join(self.anchoring.problems())}

    def problems(self) -> Iterator[str]:
        """What a person should look at."""
        if self.audit.failed:
            yield f"the audit log can't be written, so nothing can be changed: {self.audit.failed}"
        if self._unsigned:
            yield f"there are no checkpoints of the audit log: {self._unsigned}"
        if self.checked and self.checked.problem:
            yield f"the audit log is not whole: {self.checked.problem}"
        yield from self.anchoring.problems()
        for forwarder in self.forwarders:
            if forwarder.problem:
                yield f"the audit log is not forwarded to {forwarder.name}: {forwarder.problem}"
        if self._used > FULL * self._settings.size_bytes:
            used, size = size_text(self._used), size_text(self._settings.size_bytes)
            yield f"the audit log takes {used} of the {size} set aside for it (audit.size)"
        if self._settings.keep_ns and not self.anchoring.places:
            yield "audit.keep removes nothing while nobody else has seen the log: write audit.anchor"


def _remove(paths: tuple[Path, ...], folder: Path) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
    sync_folder(folder)
