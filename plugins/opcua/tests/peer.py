"""The independent peer of these tests (node-opcua, `server.js`) and a small driver in place of the kernel."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from bedplate import Batch, DataType, Tag
from bedplate_opcua import OpcUa

ROOT = Path(__file__).resolve().parents[3]
MODULES = ROOT / "tests" / "peers" / "node_modules"
NAMESPACE = "urn:bedplate:test:server"


def need_node() -> None:
    """Skips at a desk, fails in CI, where node-opcua is not installed."""
    if shutil.which("node") and (MODULES / "node-opcua").is_dir():
        return
    reason = "node-opcua is not installed; run .make/peers"
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Server:
    """A server process. Options as in server.js."""

    def __init__(self, folder: Path, **options: Any) -> None:
        need_node()
        self.folder = folder
        self.options = {"port": free_port(), "pki": str(folder / "server-pki"), **options}
        self.start()

    @property
    def port(self) -> int:
        return int(self.options["port"])

    @property
    def url(self) -> str:
        return f"opc.tcp://127.0.0.1:{self.port}/test"

    def start(self) -> None:
        self.process = subprocess.Popen(
            ["node", str(Path(__file__).with_name("server.js")), json.dumps(self.options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"NODE_PATH": str(MODULES), "HOME": str(self.folder)},
            text=True,
        )
        while "ready" not in (answer := self._line()):
            assert answer, "the server did not start"

    def do(self, what: str, **arguments: Any) -> dict[str, Any]:
        """One command of server.js."""
        assert self.process.stdin
        self.process.stdin.write(json.dumps({"do": what, **arguments}) + "\n")
        self.process.stdin.flush()
        answer = self._line()
        assert "error" not in answer, answer
        return answer

    def _line(self) -> dict[str, Any]:
        assert self.process.stdout
        for line in self.process.stdout:
            if line.startswith("{"):
                return dict(json.loads(line))
        return {}

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                with suppress(BrokenPipeError):
                    pipe.close()


class Received:
    """A `send` that takes everything, or nothing while `closed`."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.open = asyncio.Event()
        self.open.set()

    async def batch(self, batch: Batch) -> Awaitable[None]:
        await self.open.wait()
        self.batches.append(batch)
        return done()

    def samples(self, handle: int) -> list[tuple[Any, int, int]]:
        """(value, quality, source time) of a tag, in order of arrival."""
        found = []
        for batch in self.batches:
            tags, times, codes = batch.tags(), batch.times(), batch.qualities()
            values = batch.value.tolist()
            found += [
                (values[i], int(codes[i]), int(times[i]))
                for i in range(len(batch))
                if tags[i] == handle
            ]
        return found

    def values(self, handle: int) -> list[Any]:
        return [value for value, _, _ in self.samples(handle)]

    def type_of(self, handle: int) -> DataType:
        return next(b.data_type for b in self.batches if handle in b.tags())


def done() -> Awaitable[None]:
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    done.set_result(None)
    return done


def tags_for(*addresses: str, **more: Any) -> list[Tag]:
    """Tags 1, 2, 3 … with these addresses, checked as the kernel does."""
    check = TypeAdapter(OpcUa.Address)
    return [
        Tag(handle, address, check.validate_python(address), **{"scan": 0.1, **more})
        for handle, address in enumerate(addresses, 1)
    ]


def node(name: str) -> str:
    return f"nsu={NAMESPACE};s={name}"


def built(url: str, tags: Sequence[Tag] = (), **settings: Any) -> OpcUa:
    """A connector as the kernel builds it. Without a word about security it has none here."""
    connector = OpcUa()
    if not {"security_policy", "security_mode"} & settings.keys():
        settings["security_policy"] = "None"
    connector.config = OpcUa.Config.model_validate({"endpoint_url": url, **settings})
    connector.tags, connector.component = list(tags), "test"
    connector.path, connector.epoch = "test", 1
    connector.notes = []  # type: ignore[attr-defined]
    connector.note = connector.notes.append  # type: ignore[attr-defined]
    return connector


@asynccontextmanager
async def opened(url: str, tags: Sequence[Tag] = (), **settings: Any) -> AsyncIterator[OpcUa]:
    connector = built(url, tags, **settings)
    await connector.open()
    try:
        yield connector
    finally:
        await connector.close()


@asynccontextmanager
async def subscribed(
    url: str, tags: Sequence[Tag], **settings: Any
) -> AsyncIterator[tuple[OpcUa, Received, asyncio.Task[None]]]:
    """An open connector with a running subscribe."""
    async with opened(url, tags, **settings) as connector:
        received = Received()
        task = asyncio.create_task(connector.subscribe(list(tags), received))  # type: ignore[arg-type]
        try:
            yield connector, received, task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[[], Any], seconds: float = 60.0) -> float:
    """Waits until the condition holds. Returns how long it took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, "did not come true in time"
        await asyncio.sleep(0.02)
    return time.monotonic() - began
