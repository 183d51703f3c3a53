"""Stands before a server and writes down what it is asked: OPC UA services by number, Modbus functions by number."""

from __future__ import annotations

import asyncio
import struct
import threading
from typing import Self

OPCUA_READ = 631
OPCUA_CHANGES = {  # requests that may change a server: OPC 10000-6, NodeIds.csv, …_Encoding_DefaultBinary
    673: "Write",
    712: "Call",
    700: "HistoryUpdate",
    488: "AddNodes",
    494: "AddReferences",
    500: "DeleteNodes",
    506: "DeleteReferences",
}


class Listening:
    """A proxy on a free port, on a thread of its own. asked: what passed, in order. talk: opcua or modbus."""

    def __init__(self, port: int, talk: str) -> None:
        self._there = port
        self._frame = self._opcua if talk == "opcua" else self._modbus
        self.asked: list[int] = []
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(5)
        return self

    def __exit__(self, *error: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        self._server.close()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, there = await asyncio.open_connection("127.0.0.1", self._there)
        try:
            await asyncio.gather(self._forward(reader, there), self._answers(back, writer))
        except (OSError, EOFError):
            pass
        finally:
            there.close()
            writer.close()

    async def _forward(self, reader: asyncio.StreamReader, there: asyncio.StreamWriter) -> None:
        while True:
            frame = await self._frame(reader)
            there.write(frame)
            await there.drain()

    async def _answers(self, back: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while content := await back.read(1 << 16):
            writer.write(content)
            await writer.drain()

    async def _modbus(self, reader: asyncio.StreamReader) -> bytes:
        head = await reader.readexactly(6)
        rest = await reader.readexactly(struct.unpack(">H", head[4:])[0])
        self.asked.append(rest[1])
        return head + rest

    async def _opcua(self, reader: asyncio.StreamReader) -> bytes:
        """OPC 10000-6 §6.7.2: without security the NodeId of the request follows 24 bytes of heads."""
        head = await reader.readexactly(8)
        rest = await reader.readexactly(struct.unpack("<I", head[4:])[0] - 8)
        if head[:3] == b"MSG" and rest[16] == 1:
            self.asked.append(struct.unpack("<H", rest[18:20])[0])
        return head + rest
