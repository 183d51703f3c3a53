"""A network between two ends, in user space: it delays, stands still, and cuts, each in the ways that networks have."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bedplate.capture.listener import reset


class Proxy:
    """Forwards from `address` to wherever `target` is. delay: s, one way. taken: connections so far."""

    def __init__(self, target: str, delay: float = 0.0) -> None:
        self.target = target
        self.delay = delay
        self.address = ""
        self.taken = 0
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._server: asyncio.Server | None = None
        self._links: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._lost: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._link, "127.0.0.1", 0)
        self.address = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        assert self._server
        self._server.close()
        for link in self._links:
            link.cancel()
        for writer in self._writers | self._lost:
            writer.transport.abort()
        if self._links:
            await asyncio.wait(self._links)

    # --- what happens to it ---

    def reset(self) -> None:
        """Both ends of every connection get a RST."""
        for writer in list(self._writers):
            reset(writer)

    def hang_up(self) -> None:
        """Both ends get a FIN."""
        for writer in list(self._writers):
            writer.close()

    def freeze(self) -> None:
        """Nothing passes, and nobody is told: connections are half open for as long as that lasts."""
        self._flowing.clear()

    def thaw(self) -> None:
        self._flowing.set()

    def lose(self) -> None:
        """The present connections stay open and carry nothing any more, for ever; new ones work."""
        for link in list(self._links):
            link.cancel()
        self._lost |= self._writers
        self._writers.clear()

    # --- how it works ---

    async def _link(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.taken += 1
        task = asyncio.current_task()
        assert task
        self._links.add(task)
        self._writers.add(writer)
        ends = [writer]
        try:
            host, _, port = self.target.rpartition(":")
            far_reader, far_writer = await asyncio.open_connection(host, int(port))
            ends.append(far_writer)
            self._writers.add(far_writer)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(reader, far_writer))
                both.create_task(self._pump(far_reader, writer))
        except* (OSError, asyncio.CancelledError):
            pass
        finally:
            self._links.discard(task)
            for one in ends:
                if one not in self._lost:
                    self._writers.discard(one)
                    one.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        pending: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(4096)

        async def deliver() -> None:
            while True:
                due, chunk = await pending.get()
                if (wait := due - loop.time()) > 0:
                    await asyncio.sleep(wait)
                await self._flowing.wait()
                if not chunk:
                    raise ConnectionError("end of stream")
                writer.write(chunk)
                await writer.drain()

        async def take() -> None:
            while chunk := await reader.read(1 << 16):
                await pending.put((loop.time() + self.delay, chunk))
            await pending.put((loop.time() + self.delay, b""))

        async with asyncio.TaskGroup() as both:
            both.create_task(deliver())
            both.create_task(take())


@asynccontextmanager
async def network(target: str, delay: float = 0.0) -> AsyncIterator[Proxy]:
    proxy = Proxy(target, delay)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.stop()
