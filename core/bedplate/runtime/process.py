"""A plugin's process: started with a token on stdin, pinged, and killed with everything it started.

Isolation is promised for processes only. stdout is no protocol and goes to the log beside stderr, bounded.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bedplate.config.veil import Veil
from bedplate.errors import BedplateError
from bedplate.isolation import Confinement, Level
from bedplate.plugin.v1 import plugin_pb2
from bedplate.remote.attachment import Attachment
from bedplate.remote.host import PluginHost
from bedplate.remote.kinds import DO_NOT_RETRY, KINDS
from bedplate.runtime import warden
from bedplate.runtime.census import Census
from bedplate.runtime.ending import sentence
from bedplate.runtime.launch import Launch
from bedplate.runtime.output import Output
from bedplate.runtime.pinging import Pings
from bedplate.wire import twin

ATTACH_WITHIN = 20.0  # s: importing a heavy library on a small machine takes its time
TERM_WITHIN = 5.0  # s between SIGTERM and SIGKILL, where whoever stops has the time
Shutdown = twin(plugin_pb2.Shutdown)
Confine = Callable[[Launch], Confinement]


def unconfined(launch: Launch) -> Confinement:
    """For trying things: a process, and nothing else."""
    return Confinement(Level.L0, tuple(launch.argv()))


class PluginProcess:
    """One run of a plugin's process. output: what it printed."""

    def __init__(
        self,
        launch: Launch,
        host: PluginHost,
        folder: Path,
        census: Census | None = None,
        confine: Confine | None = None,
    ) -> None:
        self.launch = launch
        self._host = host
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None
        self._tasks: list[asyncio.Task[Any]] = []
        self.attachment: Attachment | None = None
        self._census = census or Census()
        self._confine = confine or unconfined
        self._refused = False
        self.level, self.level_notes = "", tuple[str, ...]()
        self._outdated: Callable[[], bool] = lambda: False
        self._mark = self._census.new_mark()
        self._printed = Output(time.monotonic)
        self.output = self._printed.lines
        self.pings = Pings()

    def hides(self, veil: Callable[[], Veil]) -> None:
        """What it prints is seen through this."""
        self._printed.veil = veil

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    async def start(self) -> Attachment:
        """Starts the process and waits until it has attached.

        Raises ConnectionError with the last words of a process that ended first, TimeoutError when it stays silent.
        """
        command = self._command()
        token, expected = self._host.expect(KINDS[self.launch.kind])
        try:
            self._process = await self._spawn(command)
        except OSError as error:
            expected.cancel()
            raise ConnectionError(
                f"{self.launch.plugin} can't be started: {command[0]}: {error.strerror}"
            ) from error
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._wait())]
        await self._tell(self._process, token)
        await asyncio.wait(
            [expected, self._tasks[1]], timeout=ATTACH_WITHIN, return_when=asyncio.FIRST_COMPLETED
        )
        if not expected.done():
            expected.cancel()
            text = self._last_words()
            await self.kill()
            raise ConnectionError(text)
        self.attachment = expected.result()
        self._tasks.append(asyncio.create_task(self._keep_pinging(self.attachment)))
        return self.attachment

    async def _spawn(self, command: Sequence[str]) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            env=environment() | {warden.VARIABLE: self._mark},
            cwd=str(self._folder),
            limit=1 << 18,
        )

    async def _tell(self, process: asyncio.subprocess.Process, token: str) -> None:
        """Says where to attach. stdin stays open: its end is the end of the kernel."""
        assert process.stdin
        words = json.dumps(self.launch.words(self._host.address, token))
        with contextlib.suppress(ConnectionError, BrokenPipeError):
            process.stdin.write(words.encode() + b"\n")
            await process.stdin.drain()

    def _command(self) -> Sequence[str]:
        """Raises ConnectionError when it can't be confined as it must be."""
        try:
            found = self._confine(self.launch)
        except (BedplateError, OSError) as error:
            self._refused = isinstance(error, BedplateError)
            raise ConnectionError(f"{self.launch.name} is not started: {error}") from error
        self.level, self.level_notes = str(found.level), found.notes
        self._outdated = found.outdated
        return found.command

    async def _wait(self) -> None:
        assert self._process
        await self._process.wait()
        await asyncio.wait(
            [self._tasks[0]], timeout=0.5
        )  # its last output, before anybody asks for it
        if self.attachment:
            self.attachment.end(self._last_words())

    def _last_words(self) -> str:
        code = self._process.returncode if self._process else None
        if code is None:
            return f"process of {self.launch.plugin} did not attach within {ATTACH_WITHIN:.0f} s"
        return sentence(self.launch.plugin, code, self.output, attached=self.attachment is not None)

    @property
    def outdated(self) -> bool:
        """What it may use is not there any more as it was when it started; another run may use it."""
        return self._outdated()

    @property
    def hopeless(self) -> bool:
        """It said by its exit code that another try is of no use as things are."""
        ended = self._process.returncode if self._process else None
        return self._refused or ended == DO_NOT_RETRY

    async def _listen(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        await self._printed.read(self._process.stdout)

    async def _keep_pinging(self, attachment: Attachment) -> None:
        if why := await self.pings.failure(attachment, self._beyond):
            attachment.end(f"process of {self.launch.plugin} {why}")
            self._signal(signal.SIGKILL)

    async def _beyond(self) -> str:
        """In words, how it takes more than it may; empty when it does not."""
        taken = await self._census.taken(self.pid, self._mark)
        if taken.processes > self.launch.processes:
            return f"started {taken.processes} processes; it may have {self.launch.processes}"
        if taken.memory > self.launch.memory:
            memory = await asyncio.to_thread(self._census.proportional, taken)
            if memory > self.launch.memory:
                mine, most = memory >> 20, self.launch.memory >> 20
                return (
                    f"took {mine:,} MiB of memory; it may have {most:,} (`memory` in its manifest)"
                )
        return ""

    async def stop(self, grace: float, within: float = TERM_WITHIN + 3) -> None:
        """Shutdown, after `grace` SIGTERM and the end of stdin, then SIGKILL; to the whole process group. SIGKILL comes
        after `within` seconds in all at the latest. Legal at any time and twice."""
        if self._process is None:
            return
        end = asyncio.get_running_loop().time() + within
        if self._process.returncode is None and self.attachment and not self.attachment.gone.done():
            asking = asyncio.ensure_future(self._ask_to_shut_down(self.attachment, grace))
            await self._ended(grace)
            asking.cancel()
        if self._process.returncode is None and self._process.stdin:
            self._process.stdin.close()  # stdin ends: the kernel is gone as far as the plugin can tell
            self._signal(signal.SIGTERM)
            await self._ended(min(TERM_WITHIN, end - asyncio.get_running_loop().time()))
        await self.kill(sweep=not self._census.guarded)

    async def _ask_to_shut_down(self, attachment: Attachment, grace: float) -> None:
        with contextlib.suppress(TimeoutError, ConnectionError):
            await attachment.ask("", within=grace, shutdown=Shutdown(grace_ms=int(grace * 1000)))

    async def kill(self, *, sweep: bool = True) -> None:
        """SIGKILL to the process group, and with sweep to all that it started elsewhere."""
        if self._process is None:
            return
        if sweep:
            await asyncio.to_thread(self._census.end, self._process.pid, self._mark)
        self._signal(signal.SIGKILL)
        await self._ended(5.0)
        if sweep:
            await asyncio.to_thread(warden.sweep, self._mark, 1.0, 0.02)
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        if self.attachment:
            self.attachment.end(f"process of {self.launch.plugin} was stopped")

    async def _ended(self, within: float) -> None:
        assert self._process
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        if self._process:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)


def environment() -> dict[str, str]:
    """What a plugin inherits: no secrets of others, no token, nothing that changes what Python imports."""
    allowed = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE")
    kept = {name: os.environ[name] for name in allowed if name in os.environ}
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    return kept | threads | {"PYTHONUNBUFFERED": "1", "GRPC_VERBOSITY": "NONE"}
