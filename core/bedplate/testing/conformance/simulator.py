"""The author's simulator: a command with {port} in it, started, frozen, killed and started again by the kit."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
import socket
import sys
import tempfile
import time
from pathlib import Path

from bedplate.errors import BedplateError

READY_WITHIN = 30.0  # s
STOPPED_WITHIN = 5.0  # s


class Simulator:
    """command: with {port}; {python} and a leading `python` are this interpreter. port: free, the same for ever."""

    def __init__(self, command: str, folder: Path) -> None:
        self.port = free_port()
        filled = command.replace("{port}", str(self.port)).replace("{python}", sys.executable)
        self._words = shlex.split(filled)
        if self._words and self._words[0] in ("python", "python3"):
            self._words[0] = sys.executable
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  closed by `close`

    async def start(self) -> None:
        """Starts it and waits until it accepts connections. Raises BedplateError with its last words."""
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._words,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=self._said,
                start_new_session=True,
                cwd=str(self._folder),
            )
        except OSError as error:
            raise BedplateError(f"simulator {self._words[0]}: {error.strerror}") from None
        if not await self._ready():
            words = self._last_words()
            await self.stop()
            raise BedplateError(f"the simulator does not listen on port {self.port}{words}")

    async def _ready(self) -> bool:
        assert self._process
        until = asyncio.get_running_loop().time() + READY_WITHIN
        while asyncio.get_running_loop().time() < until and self._process.returncode is None:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.close()
                return True
            await asyncio.sleep(0.05)
        return False

    def _last_words(self) -> str:
        self._said.seek(0)
        lines = self._said.read().decode("utf-8", "replace").split("\n")
        return next((f": {line}" for line in reversed(lines) if line.strip()), "")

    def signal(self, number: signal.Signals) -> None:
        if self._process and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    async def freeze(self) -> None:
        """SIGSTOP; returns once its threads have stopped, which takes a moment on a busy machine."""
        self.signal(signal.SIGSTOP)
        threads = Path(f"/proc/{self._process.pid if self._process else 0}/task")
        await asyncio.to_thread(_await_stopped, threads)

    async def stop(self) -> None:
        """SIGKILL: connections are reset."""
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGKILL)
        if self._process:
            await self._process.wait()
        self._process = None

    async def close(self) -> None:
        await self.stop()
        self._said.close()


def _await_stopped(threads: Path) -> None:
    until = time.monotonic() + STOPPED_WITHIN
    while time.monotonic() < until and not _stopped(threads):
        time.sleep(0.005)


def _stopped(threads: Path) -> bool:
    """Whether all threads of a process are stopped; also where there is no telling."""
    with contextlib.suppress(OSError):
        return all(") T " in (one / "stat").read_text() for one in threads.iterdir())
    return True


def free_port() -> int:
    """A TCP port of loopback that nobody uses now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
