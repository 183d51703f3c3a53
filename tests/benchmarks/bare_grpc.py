"""grpc.aio and nothing else: one bidirectional stream on a unix socket to another process, which answers each message
with n handles and n float64. `python -m tests.benchmarks.bare_grpc SOCKET` is that process; it ends with its stdin."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import numpy as np

OPTIONS = (
    ("grpc.max_receive_message_length", 16 << 20),
    ("grpc.max_send_message_length", 16 << 20),
)
METHOD = "/bench.Echo/Attach"


def answer(request: bytes) -> bytes:
    """n samples, made anew."""
    n = int.from_bytes(request, "little")
    return np.arange(1, n + 1, dtype=np.uint32).tobytes() + np.full(n, 1.0).tobytes()


async def serve(socket: str) -> None:
    async def attach(requests: AsyncIterator[bytes], context: Any) -> None:
        async for request in requests:
            await context.write(answer(request))

    server = grpc.aio.server(options=OPTIONS)
    handler = grpc.stream_stream_rpc_method_handler(attach)
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler("bench.Echo", {"Attach": handler})]
    )
    server.add_insecure_port(f"unix:{socket}")
    await server.start()
    print("ready", flush=True)
    await server.wait_for_termination()


class Echo:
    """The stream of one server. Answers come in the order of the questions."""

    def __init__(self, call: Any) -> None:
        self._call = call
        self._writing, self._reading = asyncio.Lock(), asyncio.Lock()

    async def read(self, n: int) -> None:
        async with self._writing:
            await self._call.write(n.to_bytes(4, "little"))
        async with self._reading:
            got = await self._call.read()
        assert len(got) == 12 * n


@asynccontextmanager
async def echo(folder: Path) -> AsyncIterator[Echo]:
    socket = folder / "b.sock"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.benchmarks.bare_grpc", str(socket),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout
        await process.stdout.readline()
        async with grpc.aio.insecure_channel(f"unix:{socket}", options=OPTIONS) as channel:
            call = channel.stream_stream(METHOD)()
            yield Echo(call)
            call.cancel()
    finally:
        process.kill()
        await process.wait()


if __name__ == "__main__":
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    asyncio.run(serve(sys.argv[1]))
