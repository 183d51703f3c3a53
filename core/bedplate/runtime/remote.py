"""A place whose program runs elsewhere: it dials in, and dials again after a cut.

Rule: a place without a program is away, not faulty; only a breach of the contract counts as the program's mistake, and
then this run of it is not let in again. Starts and ends no process: `bedplate attach` does that, over there.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque

from bedplate.config.deployment import Deployment
from bedplate.errors import AdmissionError
from bedplate.remote.attachment import Attachment
from bedplate.remote.credentials import Credentials, credentials
from bedplate.remote.host import PluginHost
from bedplate.runtime.launch import Launch
from bedplate.runtime.pinging import Pings

ARRIVES_WITHIN = (
    5.0  # s that a start waits for the program, and a component stays as it is after a cut
)
NO_LISTEN = (
    "is placed remote, but nobody can dial in: write plugins.listen (host:port) and plugins.tls"
)
NO_TLS = "plugins.listen needs plugins.tls: a folder with ca.pem, cert.pem and key.pem"


def door(deployment: Deployment) -> Credentials | None:
    """The kernel's certificate for remote plugins; None when it wants none. Raises AdmissionError in one sentence."""
    remote = [c.id for c in deployment.components if c.placement == "remote"]
    if remote and not deployment.plugins.listen:
        raise AdmissionError(f"{remote[0]} {NO_LISTEN}")
    if not deployment.plugins.listen:
        return None
    if not deployment.plugins.tls:
        raise AdmissionError(NO_TLS)
    return credentials(deployment.folder(deployment.plugins.tls), server=True)


class RemotePlugin:
    """The same surface as PluginProcess, for all runs of the program. runs: programs that came; cuts: streams that
    the present one lost."""

    hopeless = False
    pid = 0

    def __init__(self, launch: Launch, host: PluginHost) -> None:
        self.launch = launch
        self.attachment: Attachment | None = None
        self.output: deque[str] = deque(maxlen=20)
        self.pings = Pings()
        self.runs = self.cuts = 0
        self.started = 0
        self._instance = ""
        self._breached: Attachment | None = None
        self._fresh: Attachment | None = None
        self._came = asyncio.Event()
        self._pinging: asyncio.Task[None] | None = None
        self._arrivals = host.arrivals
        self._awaited = host.arrivals.wait_for(
            launch.place, launch.kind, launch.plugin, self._arrived
        )

    def _arrived(self, attachment: Attachment) -> None:
        self._fresh = attachment
        self._came.set()

    async def start(self) -> Attachment:
        """Waits for the program. Raises ConnectionError when none comes for a while."""
        try:
            async with asyncio.timeout(ARRIVES_WITHIN):
                while self._fresh is None or self._fresh.gone.done():
                    self._came.clear()
                    await self._came.wait()
        except TimeoutError:
            raise ConnectionError(
                f"no program has dialled in for place {self.launch.place}; "
                "`bedplate attach` starts it where it belongs"
            ) from None
        self.attachment, self._fresh = self._fresh, None
        self._count(self.attachment.hello.instance)
        self._pinging = asyncio.create_task(self._keep_pinging(self.attachment))
        return self.attachment

    def _count(self, instance: str) -> None:
        if instance and instance == self._instance:
            self.cuts += 1
        else:
            self._instance, self.cuts = instance, 0
            self.runs += 1
            self.started = time.time_ns()

    @property
    def peer(self) -> str:
        """Where its program dialled from; empty while there is none."""
        there = self.attachment is not None and not self.attachment.gone.done()
        return self.attachment.origin if self.attachment and there else ""

    async def renewed(self) -> None:
        """Returns when another run of the program has come."""
        before = self._instance
        while self._instance == before and (
            self._fresh is None or self._fresh.hello.instance == before
        ):
            self._came.clear()
            await self._came.wait()

    def away(self, attachment: Attachment | None) -> bool:
        """Whether this stream, or any, is missing by no fault of the program's."""
        return attachment is None or (attachment.gone.done() and attachment is not self._breached)

    def breached(self) -> None:
        """This run of the program broke the contract: what it says next can't be trusted either."""
        self._breached = self.attachment
        if self._instance:
            self._awaited.banned.add(self._instance)

    async def _keep_pinging(self, attachment: Attachment) -> None:
        if why := await self.pings.failure(attachment):
            attachment.end(f"place {self.launch.place} {why}")

    async def stop(self, grace: float, within: float = 8.0) -> None:
        """Ends the stream. The program lives on, and waits for the kernel to come back."""
        if self.attachment:
            self.attachment.end("the kernel stops")
        if self._pinging:
            self._pinging.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._pinging

    def leave(self) -> None:
        """No program is let in for this place any more."""
        self._arrivals.wait_no_more(self._awaited)

    async def kill(self) -> None:
        await self.stop(0.0)
