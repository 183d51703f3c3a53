"""A running `bedplate run` for a benchmark: one deployment text, its processes, its API."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bedplate.client import Client
from bedplate.endpoints import Endpoint, find

ROOT = Path(__file__).parents[2]
SOURCES = Path(__file__).with_name("sources.py")
WITHIN = 60.0  # s for everything to come up
HEAD = """
bedplate: 1
name: bench
path: p
journal: {folder: journal}
api: {listen: "127.0.0.1:0"}
"""


class Plant:
    """kernel: process id · others: process ids by name of the process."""

    def __init__(
        self,
        process: subprocess.Popen[str],
        folder: Path,
        endpoint: Endpoint,
        environ: Mapping[str, str],
    ) -> None:
        self.process = process
        self.kernel = process.pid
        self.folder = folder
        self.endpoint = endpoint
        self.environ = environ
        self.client = Client(endpoint.address, endpoint.token)
        self.others = self._settled()

    def _settled(self) -> Mapping[str, int]:
        """Waits until every component is up."""
        deadline = time.monotonic() + WITHIN
        while True:
            status = self.client.status()
            down = [c for c in status.components if c.state != "up"]
            if not down:
                return {p.name: p.pid for p in status.processes}
            if time.monotonic() > deadline:
                raise RuntimeError(f"{down[0].id} is {down[0].state}: {down[0].reason}")
            time.sleep(0.1)

    def pids(self) -> dict[str, int]:
        return {"kernel": self.kernel, **self.others}


@contextmanager
def plant(
    folder: Path, text: str, *, linger: float | None = None, memory: bool = False
) -> Iterator[Plant]:
    """Runs until the end of the `with`. FOLDER in the text is filled in. Raises RuntimeError with what the kernel said
    when it does not come up."""
    folder.mkdir(parents=True)
    file = folder / "plant.yaml"
    file.write_text(HEAD + text.replace("FOLDER", str(folder)))
    environ = os.environ | {"BEDPLATE_HOME": str(folder / "home")}
    settings = ["-" if linger is None else str(linger), "memory" if memory else "-"]
    arguments = [*settings, str(file), "--plugin", str(SOURCES), "--json"]
    with _process("tests.benchmarks.host", *arguments, environ=environ) as process:
        address = _address(process)
        one = Plant(process, folder, find(address, environ), environ)
        with one.client:
            yield one


@contextmanager
def _process(module: str, *arguments: str, environ: Mapping[str, str]) -> Iterator[Any]:
    """Ends it in order at the end of the `with`, within 20 s."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT, env=environ,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def _address(process: subprocess.Popen[str]) -> str:
    """Where the API is; what the kernel says after that is read and forgotten."""
    assert process.stdout
    said = []
    for line in process.stdout:
        said.append(line)
        if '"running"' in line:
            threading.Thread(target=_drain, args=(process.stdout,), daemon=True).start()
            return str(json.loads(line)["api"])
    raise RuntimeError("the kernel did not start:\n" + "".join(said[:10]))


def _drain(stream: Any) -> None:
    for _ in stream:
        pass


def devices(count: int, tags: int, use: str = "free") -> str:
    """Connectors in YAML: so many devices of so many tags, each read once a second."""
    each = "\n".join(f"      d{i}: {{}}" for i in range(count))
    names = "\n".join(f"      t{i}: {{address: a}}" for i in range(tags))
    return f"""
types:
  device:
    use: {use}
    path: $name
    tags:
{names}
connectors:
  devices:
    type: device
    each:
{each}
"""


@contextmanager
def subscriber(plant: Plant, *mode: str) -> Iterator[tuple[int, Iterator[dict[str, Any]]]]:
    """Process id, and what it says; it listens when the `with` begins."""
    arguments = plant.endpoint.address, *mode
    with _process("tests.benchmarks.subscriber", *arguments, environ=plant.environ) as process:
        says = map(_said, process.stdout)
        next(says)
        yield process.pid, says


def _said(line: str) -> dict[str, Any]:
    """Raises RuntimeError with what it said when it is no JSON: the reason of its end."""
    try:
        fact: dict[str, Any] = json.loads(line)
        return fact
    except ValueError:
        raise RuntimeError(f"the subscriber said: {line.strip()}") from None
