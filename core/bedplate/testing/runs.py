"""Running plugins for a test: a class on a thread of its own, or any program as a process. Both end at a FakeKernel.

What differs from the kernel's own placements: stdin, the stream and the process are in the test's hands.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from bedplate.plugin.v1 import plugin_pb2
from bedplate.remote.kinds import KINDS
from bedplate.remote.side import PluginSide
from bedplate.testing.door import Door
from bedplate.testing.fake_kernel import FakeKernel
from bedplate.wire import twin

ATTACH_WITHIN = 30.0  # s
LINES = 400
SILENT = "the plugin did not attach"
Ping, Shutdown = twin(plugin_pb2.Ping), twin(plugin_pb2.Shutdown)


class Run(Protocol):
    """One life of a plugin."""

    kernel: FakeKernel
    output: deque[str]

    @property
    def pid(self) -> int: ...
    async def start(self) -> FakeKernel: ...
    async def stop(self) -> None: ...


class InlineRun:
    """Classes of a plugin on a thread and a loop of their own in this process. offers: use → class."""

    kernel: FakeKernel
    pid = 0

    def __init__(self, kind: str, offers: Mapping[str, type]) -> None:
        self._kind = KINDS[kind]
        self._offers = offers
        self._side: PluginSide | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self.output: deque[str] = deque(maxlen=LINES)

    async def start(self) -> FakeKernel:
        """Starts the thread."""
        mine = asyncio.get_running_loop()
        ready: asyncio.Future[None] = mine.create_future()
        self.kernel = kernel = FakeKernel(self._kind, self._to_plugin)

        def to_kernel(message: Any) -> None:
            mine.call_soon_threadsafe(kernel.receive, message)

        async def run() -> None:
            self._loop = asyncio.get_running_loop()
            self._side = PluginSide(self._kind, self._offers, to_kernel)
            mine.call_soon_threadsafe(ready.set_result, None)
            await self._side.done.wait()

        self._thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
        self._thread.start()
        await ready
        return kernel

    def _to_plugin(self, message: Any) -> None:
        if self._loop and self._side and not self._loop.is_closed():
            copy = type(message).FromString(message.SerializeToString())  # as a wire would
            self._loop.call_soon_threadsafe(self._side.receive, copy)

    async def stop(self) -> None:
        """Asks it to close everything; a thread that hangs is left behind."""
        if self._thread and self._thread.is_alive():
            with contextlib.suppress(ConnectionError):
                self.kernel.post("", shutdown=Shutdown(grace_ms=1000))
            await asyncio.to_thread(self._thread.join, 5.0)
        self.kernel.end("stopped")


@dataclass(frozen=True, slots=True)
class Program:
    """What it takes to start a plugin as a process. words: what the kernel tells on stdin beside host and token."""

    command: Sequence[str]
    kind: str
    words: Mapping[str, Any] = field(default_factory=dict)


class ProcessRun:
    """A plugin's process. folder: its working directory; home: what it is told is HOME. output: its last lines."""

    kernel: FakeKernel

    def __init__(self, program: Program, door: Door, folder: Path, home: Path) -> None:
        self._program = program
        self._door = door
        self._folder = folder
        self._home = home
        self._tasks: list[asyncio.Task[Any]] = []
        self.token = ""
        self.process: asyncio.subprocess.Process | None = None
        self.output: deque[str] = deque(maxlen=LINES)

    @property
    def pid(self) -> int:
        return self.process.pid if self.process else 0

    async def start(self) -> FakeKernel:
        """Starts it and waits until it has attached. Raises ConnectionError with its last words."""
        self.token, expected = self._door.expect(KINDS[self._program.kind])
        return await self._attached(expected, {"token": self.token})

    async def _attached(
        self, expected: asyncio.Future[FakeKernel], words: Mapping[str, Any]
    ) -> FakeKernel:
        await self.spawn(words)
        ended = asyncio.create_task(self._process.wait())
        self._tasks.append(ended)
        both: list[asyncio.Future[Any]] = [expected, ended]
        await asyncio.wait(both, timeout=ATTACH_WITHIN, return_when=asyncio.FIRST_COMPLETED)
        if not expected.done():
            await self.kill()
            raise ConnectionError(self.last_words())
        self.kernel = expected.result()
        return self.kernel

    async def spawn(self, words: Mapping[str, Any]) -> None:
        """Starts the process and tells it where to attach, whether it comes or not."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._home.mkdir(parents=True, exist_ok=True)
        self.process = await asyncio.create_subprocess_exec(
            *self._program.command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            env=self._environment(),
            cwd=str(self._folder),
            limit=1 << 16,
        )
        self._tasks.append(asyncio.create_task(self._listen()))
        line = json.dumps({**self._program.words, "host": self._door.address, **words})
        assert self.process.stdin
        with contextlib.suppress(ConnectionError, BrokenPipeError):
            self.process.stdin.write(line.encode() + b"\n")
            await self.process.stdin.drain()

    def _environment(self) -> dict[str, str]:
        kept = ("PATH", "LANG", "LC_ALL", "TZ", "VIRTUAL_ENV", "NODE_OPTIONS")
        found = {name: os.environ[name] for name in kept if name in os.environ}
        quiet = {"PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1", "GRPC_VERBOSITY": "NONE"}
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        return found | quiet | threads | {"HOME": str(self._home), "TMPDIR": str(self._folder)}

    @property
    def _process(self) -> asyncio.subprocess.Process:
        assert self.process
        return self.process

    async def _listen(self) -> None:
        assert self._process.stdout
        while line := await self._process.stdout.read(1 << 16):
            text = line[-(1 << 15) :].decode("utf-8", "replace")
            self.output.extend(text.splitlines()[-LINES:])

    def last_words(self) -> str:
        code = self.process.returncode if self.process else None
        how = f"exit code {code}" if code is not None else f"silent for {ATTACH_WITHIN:.0f} s"
        said = [line for line in reversed(self.output) if line.strip()]
        tail = next((line for line in said if "rror" in line), said[0] if said else "")
        return f"{SILENT} ({how})" + (f": {tail}" if tail else "")

    def close_stdin(self) -> None:
        """As when the kernel is gone."""
        if self._process.stdin:
            self._process.stdin.close()

    def hang_up(self) -> None:
        """Ends the stream from the kernel's side."""
        self.kernel.end("the kernel ended the stream")

    async def exit_code(self, within: float) -> int | None:
        """How it ended; None when it still runs after so many seconds."""
        try:
            async with asyncio.timeout(within):
                return await self._process.wait()
        except TimeoutError:
            return None

    def signal(self, number: signal.Signals) -> None:
        """To its whole process group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    async def stop(self) -> None:
        """Ends it, the hard way when need be."""
        if self.process is None:
            return
        if self._process.returncode is None:
            self.close_stdin()
            await self.exit_code(0.5)
        await self.kill()

    async def kill(self) -> None:
        """SIGKILL to the process group, also when only grandchildren are left in it."""
        self.signal(signal.SIGKILL)
        await self.exit_code(5.0)
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=2)
        if hasattr(self, "kernel"):
            self.kernel.end("the process was killed")


class RemoteRun(ProcessRun):
    """The same program, told to dial over mutual TLS as `bedplate attach` tells it. tls: the place's own files."""

    def __init__(self, program: Program, door: Door, folder: Path, home: Path, tls: Path) -> None:
        super().__init__(program, door, folder, home)
        self._tls = tls

    async def start(self) -> FakeKernel:
        """As for a process. Pings each second from then on: a plugin takes silence for a cut."""
        files = {name: str(self._tls / f"{name}.pem") for name in ("ca", "cert", "key")}
        expected = self._door.await_remote(KINDS[self._program.kind])
        kernel = await self._attached(expected, {"host": self._door.remote, "tls": files})
        self._tasks.append(asyncio.create_task(_keep_pinging(kernel)))
        return kernel


async def _keep_pinging(kernel: FakeKernel) -> None:
    with contextlib.suppress(ConnectionError):
        while True:
            kernel.post("", ping=Ping())
            await asyncio.sleep(1.0)
