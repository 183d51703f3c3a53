"""Inline placement: a plugin on a thread and a loop of its own within the kernel's process. A grant of trust.

The messages are the same as over gRPC, handed over between the loops. A blocking driver stalls its own thread; a hung
one can be reported but not killed.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from typing import Any

from bedplate.errors import AdmissionError
from bedplate.plugin.v1 import plugin_pb2
from bedplate.remote.attachment import Attachment
from bedplate.remote.kinds import KINDS
from bedplate.remote.plugin import load_offers
from bedplate.remote.side import PluginSide
from bedplate.runtime.launch import Launch
from bedplate.runtime.pinging import Pings
from bedplate.wire import twin

Shutdown = twin(plugin_pb2.Shutdown)


class InlinePlugin:
    """The same surface as PluginProcess."""

    hopeless = False
    pid = 0

    def __init__(self, launch: Launch) -> None:
        self.launch = launch
        self.attachment: Attachment | None = None
        self.output: deque[str] = deque(maxlen=20)
        self.pings = Pings()  # nobody pings a thread
        self._loop: asyncio.AbstractEventLoop | None = None
        self._side: PluginSide | None = None
        self._thread: threading.Thread | None = None

    async def start(self) -> Attachment:
        """Starts the thread and imports the plugin there. Raises ConnectionError when that fails."""
        kernel = asyncio.get_running_loop()
        ready: asyncio.Future[None] = kernel.create_future()
        kind = KINDS[self.launch.kind]
        attachment = Attachment(kind, self._to_plugin)

        def from_plugin(message: Any) -> None:
            kernel.call_soon_threadsafe(attachment.receive, message)

        def refuse(error: AdmissionError) -> None:
            self.hopeless = True
            kernel.call_soon_threadsafe(ready.set_exception, ConnectionError(str(error)))

        async def run() -> None:
            self._loop = asyncio.get_running_loop()
            try:
                offers = load_offers(self.launch.words("", ""))
            except AdmissionError as error:
                refuse(error)
                return
            self._side = PluginSide(kind, offers, from_plugin)
            kernel.call_soon_threadsafe(ready.set_result, None)
            await self._side.done.wait()

        self._thread = threading.Thread(
            target=lambda: asyncio.run(run()), name=self.launch.name, daemon=True
        )
        self._thread.start()
        await ready
        self.attachment = attachment
        return attachment

    def _to_plugin(self, message: Any) -> None:
        if self._loop and self._side:
            self._loop.call_soon_threadsafe(self._side.receive, message)

    async def stop(self, grace: float, within: float = 8.0) -> None:
        """Asks it to close everything; a thread that hangs is left behind, a daemon, and reported."""
        if self._loop and self._side and self._thread and self._thread.is_alive():
            self._to_plugin(KINDS[self.launch.kind].to(asks=[_shutdown(self.launch.kind, grace)]))
            await asyncio.to_thread(self._thread.join, grace + 1)
        if self.attachment:
            self.attachment.end(f"{self.launch.plugin} was stopped")

    async def kill(self) -> None:
        await self.stop(1.0)


def _shutdown(kind: str, grace: float) -> Any:
    return KINDS[kind].ask(id=2**63, shutdown=Shutdown(grace_ms=int(grace * 1000)))
