"""A plugin program for a kernel that is elsewhere: started here, and started again with backoff, until it is stopped.

The program dials by itself and outlives cuts; what is started again is one that ended. Nothing listens here.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

from bedplate.errors import BedplateError
from bedplate.isolation import Confinement
from bedplate.remote.credentials import Credentials
from bedplate.remote.kinds import DO_NOT_RETRY
from bedplate.runtime.launch import Launch
from bedplate.runtime.lifecycle import Backoff
from bedplate.runtime.output import legible
from bedplate.runtime.process import Confine, environment, unconfined

FIRST_WAIT, LAST_WAIT = 0.5, 30.0  # s before the next start
PROVED = 60.0  # s of life after which the next wait is the first again
ENDS_WITHIN = 8.0  # s after the end of stdin


class RemoteProgram:
    """One program over all its runs. tell: hears in a line what it says and what becomes of it."""

    def __init__(
        self,
        launch: Launch,
        host: str,
        files: Credentials,
        folder: Path,
        tell: Callable[[str], None],
        confine: Confine = unconfined,
    ) -> None:
        self.launch = launch
        self._host = host
        self._files = files
        self._folder = folder
        self._tell = tell
        self._confine = confine
        self._told: Confinement | None = None
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    async def run(self) -> None:
        """Until it is cancelled, or the program says that another try is of no use."""
        backoff, loop = Backoff(FIRST_WAIT, LAST_WAIT), asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                if self.launch.verify:
                    self.launch = self.launch.moved(await asyncio.to_thread(self.launch.verify))
                code = await self._one_run()
            except (BedplateError, OSError) as error:
                self._tell(f"can't be started: {error}")
                code = DO_NOT_RETRY
            if code == DO_NOT_RETRY:
                self._tell("is not started again: another try is of no use as things are")
                return
            if loop.time() - began > PROVED:
                backoff.reset()
            wait = backoff.next()
            how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            self._tell(f"ended with {how}; starting again in {wait:.1f} s")
            await asyncio.sleep(wait)

    def _confined(self) -> Confinement:
        """How it is started; told once, and again when that changes."""
        found = self._confine(self.launch)
        if (self._told is None or self._told.level != found.level) and self._confine != unconfined:
            self._tell(f"runs at {found.level}: {found.level.words}")
            for note in found.notes:
                self._tell(f"{note}")
        self._told = found
        return found

    async def _one_run(self) -> int:
        command = self._confined().command
        self._process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            env=environment(),
            cwd=str(self._folder),
            limit=1 << 16,
        )
        listening = asyncio.create_task(self._listen(self._process))
        try:
            await self._say_words(self._process)
            code = await self._process.wait()
            await asyncio.wait([listening], timeout=0.5)
            return code
        finally:
            await self._end(self._process)
            listening.cancel()

    async def _say_words(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin
        tls = {name: str(getattr(self._files, name).absolute()) for name in ("ca", "cert", "key")}
        words = self.launch.words(self._host, "") | {"tls": tls}
        del words["token"]
        with contextlib.suppress(ConnectionError):
            process.stdin.write(json.dumps(words).encode() + b"\n")
            await process.stdin.drain()

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout
        while True:
            try:
                line = await process.stdout.readline()
            except ValueError:  # longer than anybody reads
                continue
            if not line:
                return
            if text := legible(line.rstrip()):
                self._tell(text)

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        """stdin ends, so that it closes its devices in order; then SIGKILL to all that it started."""
        if process.returncode is None and process.stdin:
            process.stdin.close()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(ENDS_WITHIN):
                    await process.wait()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
