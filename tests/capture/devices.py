"""Devices that answer lines, and plugins for them as single files."""

from __future__ import annotations

import asyncio
import json
import os
import socketserver
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BEDPLATE = [sys.executable, "-P", "-c", "from bedplate.cli import main; main()"]

ASKING = """import asyncio
{imports}
from bedplate import Connector
from pydantic import BaseModel, SecretStr


class Device(Connector):
    class Config(BaseModel):
        host: str
        port: int
        factor: float = 1.0
        password: SecretStr = SecretStr("")

    async def open(self):
        self.reader, self.writer = await asyncio.open_connection(self.config.host, self.config.port)

    async def close(self):
        self.writer.close()

    async def read(self, tags):
        return [self.config.factor * await self.ask(tag.address) for tag in tags]

    async def ask(self, name):
        self.writer.write({request})
        return float(await self.reader.readuntil())
"""
PLAIN = ASKING.format(imports="", request='f"{name}\\n".encode()')
DICE = ASKING.format(imports="import random", request='f"{name} {random.random()}\\n".encode()')
PUSHING = """import asyncio

from bedplate import Connector
from pydantic import BaseModel


class Device(Connector):
    class Config(BaseModel):
        host: str
        port: int

    async def open(self):
        self.reader, self.writer = await asyncio.open_connection(self.config.host, self.config.port)

    async def close(self):
        self.writer.close()

    async def subscribe(self, tags, send):
        self.writer.write(b"go\\n")
        while True:
            await send(tags[0], float(await self.reader.readuntil()))
"""


@contextmanager
def device(answer: Callable[[str, int], str]) -> Iterator[int]:
    """Answers each line with one. answer: (line, how many came before) → text; the port."""
    count = 0

    class Talk(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            nonlocal count
            for line in self.rfile:
                reply = answer(line.decode().strip(), count)
                count += 1
                self.wfile.write(reply.encode())

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            pass

    with Server(("127.0.0.1", 0), Talk) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def counting(line: str, before: int) -> str:
    return f"{before}.5\n"


@dataclass
class Shell:
    folder: Path

    def __call__(self, *words: object, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*BEDPLATE, *map(str, words)],
            cwd=self.folder,
            env=os.environ | {"BEDPLATE_HOME": str(self.folder / "home")} | environ,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    def plugin(self, text: str, name: str = "device.py") -> Path:
        (self.folder / name).write_text(text)
        return self.folder / name

    def capture(self, port: int, *more: object, plugin: str = "device.py") -> Any:
        """The facts of a short recording, a.capture."""
        at = ["--plugin", plugin, "device", "host=127.0.0.1", f"port={port}", *more]
        brief = ["--for", "1s", "--every", "200ms", "-o", "a.capture", "--json"]
        done = self("capture", *at, *brief)
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    def replay(self, plugin: str = "device.py", *settings: object) -> tuple[int, Any]:
        """Exit code and facts."""
        done = self("replay", "a.capture", plugin, *settings, "--json")
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)


async def talk(port: int, *parts: bytes, pause: float = 0.0) -> bytes:
    """Sends these parts and returns all that comes until the other side ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in parts:
        writer.write(part)
        await writer.drain()
        await asyncio.sleep(pause)
    async with asyncio.timeout(20):
        try:
            return await reader.read()
        finally:
            writer.close()
