"""What the Modbus tests share: peers as processes, and the connector driven as the kernel drives it."""

from __future__ import annotations

import asyncio
import json
import os
import queue
import shutil
import subprocess
import threading
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter
from tests.faults.frozen import freeze, thaw

from bedplate import Bad, Batch, Tag
from bedplate_modbus import Modbus

HERE = Path(__file__).parent / "peers"
NODE_MODULES = Path(__file__).parents[3] / "tests" / "peers" / "node_modules"
QUICK = {"request_timeout": "300ms", "connect_timeout": "2s"}


def missing(reason: str) -> None:
    """A missing peer is a gap at a desk and a fault in CI."""
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


class Peer:
    """A server in a process of its own. hello: the first line it said; port: where it listens on 127.0.0.1."""

    def __init__(self, *command: str | Path, port: int = 0) -> None:
        self._process = subprocess.Popen(
            [*map(str, command), str(port)],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"NODE_PATH": str(NODE_MODULES)},
        )
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()
        self.hello = self.next(within=20)
        self.port: int = self.hello["port"]

    def _listen(self) -> None:
        assert self._process.stdout
        with self._process.stdout as lines:
            for line in lines:
                self._lines.put(line)

    def next(self, within: float = 60.0) -> dict[str, Any]:
        """The next thing it says."""
        found: dict[str, Any] = json.loads(self._lines.get(timeout=within))
        return found

    def heard(self, what: str) -> list[dict[str, Any]]:
        """What it said so far with this key; all of that counts as heard then."""
        said = []
        with suppress(queue.Empty):
            while True:  # what it said before it answered lies in the pipe already
                said.append(json.loads(self._lines.get(timeout=0.1)))
        return [line for line in said if what in line]

    def asked(self, last: tuple[int, int]) -> list[tuple[int, int]]:
        """Address and length of the requests it saw, up to this one."""
        found: list[tuple[int, int]] = []
        while not found or found[-1] != last:
            line = self.next()
            if "request" in line:
                found.append((line["address"], line["length"]))
        return found

    def freeze(self) -> None:
        freeze(self._process)

    def thaw(self) -> None:
        thaw(self._process)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


@contextmanager
def peer(*command: str | Path, port: int = 0) -> Iterator[Peer]:
    found = Peer(*command, port=port)
    try:
        yield found
    finally:
        found.kill()


def node(script: str, package: str) -> tuple[str | Path, ...]:
    """The command of a Node peer. Skips or fails when it is not installed."""
    if shutil.which("node") is None or not (NODE_MODULES / package).is_dir():
        missing(f"node with {package} is not installed; run .make/peers")
    return ("node", HERE / script)


def compiled(folder: Path) -> Path:
    """The libmodbus server, compiled. Skips or fails without compiler or library."""
    program = folder / "libmodbus_server"
    if shutil.which("gcc") is None or not Path("/usr/include/modbus/modbus.h").exists():
        missing("gcc and libmodbus are not installed; run .make/peers")
    source = HERE / "libmodbus_server.c"
    subprocess.run(["gcc", "-O1", "-o", program, source, "-lmodbus"], check=True)
    return program


ADDRESSES = TypeAdapter(Modbus.Address)


def tags_of(described: Mapping[str, Mapping[str, Any]]) -> list[Tag]:
    """Tags by name, from what a deployment file would say: address, writable and the plugin's own settings."""
    tags = []
    for handle, (name, entry) in enumerate(described.items(), 1):
        own = {k: v for k, v in entry.items() if k not in ("address", "writable")}
        tags.append(
            Tag(
                handle,
                name,
                ADDRESSES.validate_python(entry["address"]),
                writable=entry.get("writable", False),
                settings=Modbus.TagSettings.model_validate(own),
            )
        )
    return tags


def built(port: int, described: Mapping[str, Mapping[str, Any]], **config: Any) -> Modbus:
    """A connector with everything it is promised before `open`. clock, among the settings: its monotonic clock."""
    modbus = Modbus()
    modbus.clock = config.pop("clock", Modbus.clock)
    modbus.config = Modbus.Config.model_validate(
        {"host": "127.0.0.1", "port": port} | QUICK | config
    )
    modbus.tags = tags_of(described)
    modbus.component = modbus.path = "device"
    modbus.epoch = 1
    modbus.note = lambda text: None
    return modbus


@asynccontextmanager
async def opened(
    port: int, described: Mapping[str, Mapping[str, Any]], **config: Any
) -> AsyncIterator[Modbus]:
    modbus = built(port, described, **config)
    await modbus.open()
    try:
        yield modbus
    finally:
        await modbus.close()


def by_name(modbus: Modbus, answer: list[Any], tags: Iterable[Tag] | None = None) -> dict[str, Any]:
    """What a read gave, by tag name: values, or Bad."""
    asked = list(modbus.tags if tags is None else tags)
    if not all(isinstance(part, Batch) for part in answer):
        plain = (v.item() if isinstance(v, np.generic) else v for v in answer)
        return dict(zip((tag.name for tag in asked), plain, strict=True))
    names = {tag.handle: tag.name for tag in asked}
    found = {}
    for batch in answer:
        assert len(batch.time) == 0
        found.update(zip(map(names.get, batch.tags().tolist()), batch.value.tolist(), strict=True))
    assert len(found) == len(asked) == sum(map(len, answer))
    return found


async def values(modbus: Modbus) -> dict[str, Any]:
    return by_name(modbus, await modbus.read(modbus.tags))


def good(found: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if not isinstance(value, Bad)}


def bad(found: Mapping[str, Any]) -> dict[str, str]:
    return {name: value.why for name, value in found.items() if isinstance(value, Bad)}


async def until_open(modbus: Modbus, within: float = 60.0) -> Modbus:
    """As the kernel does after a loss: a new object, tried until it opens."""
    async with asyncio.timeout(within):
        while True:
            again = built(modbus.config.port, {})
            again.config, again.tags = modbus.config, modbus.tags
            try:
                await again.open()
            except OSError:
                await asyncio.sleep(0.05)
            else:
                return again
