"""A Logix controller that we did not write: cpppo's simulator, a process of its own in an environment of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.faults.frozen import freeze, thaw

PYTHON = Path(__file__).parents[3] / "tests" / "peers" / ".venv" / "bin" / "python"
TAGS = (
    "Count=DINT", "Level=REAL", "Long=LINT", "Precise=LREAL", "Small=INT", "Byte=SINT", "Wide=UDINT", "Running=BOOL",
    "Zones=REAL[10]", "Words=DINT[500]", "Name=SSTRING",
)  # fmt: skip


class Controller:
    """The simulator on a port of its own; stop and start keep the port, not the values."""

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def settings(self) -> dict[str, object]:
        return {"host": "127.0.0.1", "port": self.port, "timeout": "10s"}

    def start(self) -> None:
        listen = ["-a", f"127.0.0.1:{self.port}", "--no-udp"]
        command = [str(PYTHON), "-m", "cpppo.server.enip", *listen, *TAGS]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def freeze(self) -> None:
        assert self._process
        freeze(self._process)

    def thaw(self) -> None:
        assert self._process
        thaw(self._process)

    def stop(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()


@contextmanager
def controller() -> Iterator[Controller]:
    if not PYTHON.exists():
        if os.environ.get("CI"):
            pytest.fail("cpppo is not installed; run .make/peers", pytrace=False)
        pytest.skip("cpppo is not installed; run .make/peers")
    one = Controller()
    try:
        yield one
    finally:
        one.stop()


@pytest.fixture(scope="module")
def logix() -> Iterator[Controller]:
    """One that no test stops."""
    with controller() as one:
        yield one


@pytest.fixture
def fragile() -> Iterator[Controller]:
    """One that may be stopped."""
    with controller() as one:
        yield one
