"""Plugins' processes and programs elsewhere, and the kernel's side of starting them, without an operating system.

The kernel's `PluginProcess`, `PluginHost`, `RemotePlugin` and the plugin's `PluginSide`, `Dial` are the real ones: what
is replaced is fork, pipes and signals (`Child`), the gRPC server (`SimulatedHost`), and the look at /proc.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.simulation.loop import Process
from tests.simulation.network import Call, Network

from bedplate.remote.credentials import PLACE
from bedplate.remote.dial import Dial, _ending
from bedplate.remote.host import PluginHost
from bedplate.remote.kinds import KINDS
from bedplate.remote.plugin import _read, _until_done, _write
from bedplate.remote.side import PluginSide
from bedplate.remote.tls_listener import Peer
from bedplate.runtime.census import Census, Taken
from bedplate.runtime.kernel import Kernel
from bedplate.runtime.process import PluginProcess

if TYPE_CHECKING:
    from tests.simulation.world import World

REMOTE = "kernel:7444"


class Stdin:
    """The kernel's end of a plugin's stdin. Its first line starts the program, its end ends it."""

    def __init__(self, child: Child) -> None:
        self._child = child

    def write(self, line: bytes) -> None:
        self._child.begin(json.loads(line))

    async def drain(self) -> None:
        """There is always room."""

    def close(self) -> None:
        self._child.end(0)


class Child:
    """As asyncio.subprocess.Process."""

    def __init__(self, world: World, name: str, pid: int) -> None:
        self._world = world
        self.process = Process(name, world.loop)
        world.processes.append(self.process)
        self.pid = pid
        self.returncode: int | None = None
        self.stdin, self.stdout = Stdin(self), self
        self._ended = asyncio.Event()

    async def read(self, count: int) -> bytes:
        """It prints nothing."""
        await self._ended.wait()
        return b""

    async def wait(self) -> int:
        await self._ended.wait()
        assert self.returncode is not None
        return self.returncode

    def begin(self, words: dict[str, Any]) -> None:
        self.process.start(self._serve(words))

    async def _serve(self, words: dict[str, Any]) -> None:
        world = self._world
        await asyncio.sleep(world.dice.uniform(0.01, 0.2))  # imports
        kind = KINDS[words["kind"]]
        hello = kind.come()
        hello.hello.plugin, hello.hello.token = words["plugin"], words["token"]
        outgoing: asyncio.Queue[Any] = asyncio.Queue()
        outgoing.put_nowait(hello)
        side = PluginSide(kind, world.offers, outgoing.put_nowait)
        stream = await world.network.dial(words["host"], kind, self.process)
        if stream is not None:
            call = Call(stream)
            tasks = [
                asyncio.create_task(_write(call, outgoing)),
                asyncio.create_task(_read(call, side)),
                asyncio.create_task(_until_done(side, outgoing)),
            ]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(2):
                    await side.shutdown()
            call.cancel()
        self.end(0)

    def end(self, code: int) -> None:
        if self.returncode is None:
            self.returncode = code
            self.process.kill()
            self._world.network.died(self.process)
            self._ended.set()


class SimulatedProcess(PluginProcess):
    """A plugin's process whose operating system is the world."""

    async def _spawn(self, command: Sequence[str]) -> Any:
        return world_of(self._host).child(self.launch.plugin)

    def _command(self) -> Sequence[str]:
        self.level = "L0"
        return ("simulated",)

    def _signal(self, number: signal.Signals) -> None:
        child: Any = self._process
        if child and (number == signal.SIGKILL or not child.process.frozen):
            child.end(-number)

    async def kill(self, *, sweep: bool = True) -> None:
        await super().kill(sweep=False)


class NoCensus(Census):
    """Nobody takes anything."""

    guarded = True

    async def start(self) -> None:
        """There is no /proc."""

    async def stop(self) -> None:
        """Nothing was started."""

    async def taken(self, root: int, mark: str) -> Taken:
        return Taken()


class Listener:
    """Where programs elsewhere dial in."""

    def peer(self, name: str) -> Peer | None:
        if not name.startswith(REMOTE):
            return None
        return Peer(name, shown={"subjectAltName": (("URI", f"{PLACE}away"),)})

    async def stop(self) -> None:
        """Its streams end with the kernel."""


class SimulatedHost(PluginHost):
    """The kernel's host without a gRPC server."""

    world: World

    async def start(self) -> None:
        self.world.network.hosts[self.address] = (self, self.world.kernel_process)

    async def listen(self, address: str, files: Any) -> str:
        self._listener: Any = Listener()
        self.world.network.hosts[REMOTE] = (self, self.world.kernel_process)
        return REMOTE

    async def stop(self) -> None:
        self.world.network.died(self.world.kernel_process)


def world_of(host: PluginHost) -> World:
    assert isinstance(host, SimulatedHost)
    return host.world


class SimulatedKernel(Kernel):
    """The kernel, in a world."""

    census_type = NoCensus
    process_type = SimulatedProcess


class Elsewhere(Dial):
    """A program far away, with its own process. instance: who it is."""

    def __init__(self, network: Network, process: Process, offers: Any, instance: str) -> None:
        self._network, self._process = network, process
        kind = KINDS["connector"]
        hello = kind.come()
        hello.hello.plugin = "away"
        tls = dict.fromkeys(("ca", "cert", "key"), str(Path("virtual")))
        super().__init__(REMOTE, tls, hello, kind, offers, lambda text: None)
        self._hello.hello.instance = instance

    async def _one_stream(self, alone: asyncio.TimerHandle) -> tuple[str, str]:
        stream = await self._network.dial(self._host, self._kind, self._process)
        if stream is None:
            return "UNAVAILABLE", "nobody answers"
        call = Call(stream)
        try:
            why = await self._serve_stream(call, alone)
        finally:
            call.cancel()
        return await _ending(call, why)
