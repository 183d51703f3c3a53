"""Snap7's server in a Node process, and nodes7 as another client: neither shares code with python-snap7."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.faults.frozen import freeze, thaw

HERE = Path(__file__).parent / "peers"
MODULES = Path(__file__).parents[3] / "tests" / "peers" / "node_modules"
BUILT = MODULES / "node-snap7" / "build" / "Release"


def _missing(reason: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


class Controller:
    """The server on a port of its own; stop and start keep the port, not the values."""

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.process: subprocess.Popen[str]
        self.start()

    @property
    def settings(self) -> dict[str, Any]:
        return {"host": "127.0.0.1", "port": self.port, "timeout": "10s"}

    def start(self) -> None:
        self.process = subprocess.Popen(
            ["node", str(HERE / "s7_server.js"), str(self.port)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=_environ(),
        )  # fmt: skip
        assert self.process.stdout
        assert json.loads(self.process.stdout.readline())["port"] == self.port

    def bytes(self) -> bytes:
        """DB1 as the server has it."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write("read\n")
        self.process.stdin.flush()
        return bytes.fromhex(json.loads(self.process.stdout.readline())["db"])

    def other(self, *addresses: str) -> dict[str, Any]:
        """What nodes7 reads there."""
        command = ["node", str(HERE / "nodes7_read.js"), str(self.port), *addresses]
        done = subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=30, env=_environ()
        )
        values: dict[str, Any] = json.loads(done.stdout)
        return values

    def freeze(self) -> None:
        freeze(self.process)

    def thaw(self) -> None:
        thaw(self.process)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream:
                stream.close()


def _environ() -> dict[str, str]:
    return os.environ | {"NODE_PATH": str(MODULES)}


@contextmanager
def controller() -> Iterator[Controller]:
    if not shutil.which("node") or not BUILT.exists() or not (MODULES / "nodes7").exists():
        _missing("node-snap7 or nodes7 is not installed; run .make/peers")
    one = Controller()
    try:
        yield one
    finally:
        one.stop()


@pytest.fixture(scope="module")
def plc() -> Iterator[Controller]:
    """One that no test stops."""
    with controller() as one:
        yield one


@pytest.fixture
def fragile() -> Iterator[Controller]:
    """One that may be stopped."""
    with controller() as one:
        yield one
