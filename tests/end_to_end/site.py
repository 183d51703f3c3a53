"""A plant in a folder: its deployment file, and the whole platform on it, stopped and started again as a test wants.

The platform runs in this process, so that a test may shorten its limits; `program.py` runs it as a user does.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.remote.elsewhere import Elsewhere
from tests.remote.proxy import Proxy

from bedplate.client import AsyncClient, connect_async
from bedplate.server.platform import Platform, prepare

RIGS = Path(__file__).parents[1] / "runtime" / "rigs.py"
PLACEMENTS = ("process", "inline")
EVERYWHERE = (*PLACEMENTS, "remote")
HISTORY = "history: {use: history, placement: PLACE, deliver: ['**'], folder: history}"


class Site:
    """PLACE and FOLDER in the text are filled in; for `remote` the programs that dial in are there too, from start to
    stop. $BEDPLATE_HOME must be set to a folder of the test."""

    def __init__(
        self, folder: Path, text: str, *, placement: str = "process", plugins: Sequence[Path] = ()
    ) -> None:
        self.folder = folder
        self.file = folder / "plant.yaml"
        folder.mkdir(parents=True, exist_ok=True)
        filled = text.replace("PLACE", placement).replace("FOLDER", str(folder))
        self._elsewhere = Elsewhere(folder)
        self.through: Proxy | None = None  # the network to what is elsewhere
        if placement == "remote":
            filled += self._elsewhere.section()
        self.file.write_text(filled, encoding="utf-8")
        self._plugins = plugins
        self.platform: Platform | None = None
        self.client: AsyncClient = connect_async("127.0.0.1:1")
        self.address = ""

    async def start(self) -> AsyncClient:
        """Returns once the API serves. The address is new each time."""
        self.platform = Platform(prepare(self.file, self._plugins))
        self.address = await self.platform.start("127.0.0.1:0")
        kernel = self.platform.kernel
        host = kernel.remote_address
        if self.through:
            self.through.target, host = host, self.through.address
        self._elsewhere.run(kernel.places.values(), host)
        self.client = connect_async(self.address)
        return self.client

    async def stop(self) -> None:
        """Legal at any time and twice."""
        await self.client.close()
        if self.platform:
            await self.platform.stop()
        self.platform = None
        await self._elsewhere.stop()

    async def restart(self) -> AsyncClient:
        await self.stop()
        return await self.start()

    async def state(self, component: str) -> str:
        return str((await self.component(component)).state)

    async def component(self, name: str) -> Any:
        """What `status` says of it."""
        status = await self.client.status()
        return next(one for one in status.components if one.id == name)

    async def all_up(self) -> bool:
        """Degraded is up too: a tag of it is Bad."""
        status = await self.client.status()
        return all(one.state in {"up", "degraded"} for one in status.components)


@asynccontextmanager
async def running(folder: Path, text: str, **more: Any) -> AsyncIterator[Site]:
    """A site from start to stop."""
    site = Site(folder, text, **more)
    try:
        await site.start()
        yield site
    finally:
        await site.stop()


async def until(what: Callable[[], Awaitable[Any] | Any], within: float = 60.0) -> Any:
    """Asks until the answer is true, and returns it. Fails when it never is."""
    async with asyncio.timeout(within):
        while True:
            answer = what()
            if isinstance(answer, Awaitable):
                answer = await answer
            if answer:
                return answer
            await asyncio.sleep(0.05)
