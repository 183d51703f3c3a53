"""A plugin host on a socket, and what attaches to it: the plugin in JavaScript, one in Python, and a bare client."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from bedplate.connector.v1 import connector_pb2
from bedplate.plugin.v1 import plugin_pb2
from bedplate.record.v1 import record_pb2
from bedplate.remote.attachment import Attachment
from bedplate.remote.host import PluginHost
from bedplate.remote.kinds import KINDS
from bedplate.wire import twin

HERE = Path(__file__).parent
MODULES = HERE.parent / "peers/node_modules"
CONNECTOR = KINDS["connector"]
WITHIN = 20.0  # s; a busy machine takes its time to start a process

IN_PYTHON = """
from bedplate import Bad, Connector, Invalid
from pydantic import BaseModel

class Values(Connector):
    class Config(BaseModel):
        how: str = ""

    def open(self):
        if self.config.how == "wrong":
            raise Invalid("must not be wrong", pointer="/how")

    def read(self, tags):
        missing = Bad("no such register", 0x803E0000)
        return [missing if tag.address == "missing" else float(tag.address) for tag in tags]
"""


def node_command() -> list[str]:
    """The plugin in JavaScript; what it needs is missing at a desk, and a fault in CI."""
    node = shutil.which("node")
    if not node or not all((MODULES / name).exists() for name in ("@grpc/grpc-js", "protobufjs")):
        if os.environ.get("CI"):
            pytest.fail("grpc-js or protobufjs is not installed; run .make/peers", pytrace=False)
        pytest.skip("grpc-js or protobufjs is not installed; run .make/peers")
    return [node, str(HERE / "plugin.js"), str(HERE.parents[1] / "protos"), str(MODULES)]


def node_as_python(folder: Path) -> str:
    """A program that a kernel starts in place of Python and that is the plugin in JavaScript."""
    program = folder / "stranger"
    program.write_text("#!/bin/sh\nexec " + " ".join(map(_quoted, node_command())) + "\n")
    program.chmod(0o755)
    return str(program)


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"


@dataclass
class Stranger:
    """A running plugin and the kernel's end of its stream."""

    process: asyncio.subprocess.Process
    attachment: Attachment

    async def ask(self, component: str = "c", within: float = WITHIN, **what: Any) -> Any:
        return await self.attachment.ask(component, within, **what)

    async def open(self, how: str = "", **tags: str) -> Any:
        """Opens a component whose tags have these addresses; handles are 1 … n in this order."""
        message = twin(plugin_pb2.Open)(
            use="values", config_json=json.dumps({"how": how}).encode(), epoch=7
        )
        for handle, (name, address) in enumerate(tags.items(), 1):
            message.tags.add(handle=handle, name=name, address=address)
        return await self.ask(open=message)

    async def read(self, *handles: int) -> Any:
        return await self.ask(read=twin(connector_pb2.Read)(tags=handles))

    async def unknown(self, component: str = "c") -> Any:
        """What a later minor may ask: a field of Ask that is not known."""
        ask = CONNECTOR.ask.FromString(b"\xfa\x01\x00")  # field 31, an empty message
        ask.component = component
        return await asyncio.wait_for(self.attachment.ask_template(ask, WITHIN), WITHIN)

    async def exit_code(self) -> int:
        return await asyncio.wait_for(self.process.wait(), WITHIN)


@asynccontextmanager
async def plugin_host() -> AsyncIterator[PluginHost]:
    folder = tempfile.mkdtemp(prefix="bp")  # a socket's path must be short
    host = PluginHost(Path(folder), linger=0.01)
    await host.start()
    try:
        yield host
    finally:
        await host.stop()
        shutil.rmtree(folder)


@asynccontextmanager
async def started(
    host: PluginHost, language: str, folder: Path, token: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A plugin's process that was told where to attach."""
    words: dict[str, Any] = {"host": host.address, "token": token, "a later key": [1]}
    if language == "python":
        (folder / "values.py").write_text(IN_PYTHON)
        words |= {"kind": "connector", "plugin": "stranger", "version": "1"}
        words |= {"file": str(folder / "values.py"), "offers": {"values": "values:Values"}}
    command = {
        "python": lambda: [sys.executable, "-P", "-m", "bedplate.remote.plugin"],
        "node": node_command,
    }[language]()
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdin
        process.stdin.write(json.dumps(words).encode() + b"\n")
        await process.stdin.drain()
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@asynccontextmanager
async def stranger(language: str, folder: Path) -> AsyncIterator[Stranger]:
    """A plugin that has attached."""
    async with plugin_host() as host:
        token, expected = host.expect(CONNECTOR)
        async with started(host, language, folder, token) as process:
            yield Stranger(process, await asyncio.wait_for(expected, WITHIN))


@asynccontextmanager
async def bare(host: PluginHost, kind: str = "connector") -> AsyncIterator[Any]:
    """An Attach stream that sends and receives bytes."""
    async with grpc.aio.insecure_channel(host.address) as channel:
        yield channel.stream_stream(KINDS[kind].method)()


def hello(token: str) -> bytes:
    said = plugin_pb2.Hello(token=token, plugin="bare")
    return connector_pb2.FromConnector(hello=said).SerializeToString()


def reply_to(ask: int) -> connector_pb2.Reply:
    return connector_pb2.Reply(answer=plugin_pb2.Answer(id=ask, code=plugin_pb2.CODE_OK))


def publication(component: str) -> connector_pb2.Publication:
    batch = record_pb2.Batch(count=1, tag=[1], data_type=1, float64=[1.0])
    return connector_pb2.Publication(component=component, producer_seq=1, batch=batch)
