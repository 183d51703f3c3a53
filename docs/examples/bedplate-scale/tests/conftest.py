"""A machine, and our connector opened on it and called as the kernel calls it: one call after the other."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bedplate import Tag
from bedplate_scale import Scale
from bedplate_scale.sim import Machine


@pytest.fixture
def machine() -> Iterator[Machine]:
    with Machine() as machine:
        yield machine


class Session:
    """One session. Each call returns what the connector returned, or raises what it raised."""

    def __init__(self, run: Callable[[Any], Any], port: int) -> None:
        self.run = run
        self.plugin = Scale()
        self.plugin.config = Scale.Config(host="127.0.0.1", port=port, timeout=1.5)
        self.run(self.plugin.open())

    def read(self, *addresses: str) -> Any:
        return self.run(self.plugin.read([tag(address) for address in addresses]))

    def write(self, address: str, value: float) -> None:
        self.run(self.plugin.write(tag(address), value))


def tag(address: str) -> Tag:
    return Tag(1, address, address, writable=True)


@pytest.fixture
def session(machine: Machine) -> Iterator[Session]:
    with asyncio.Runner() as runner:
        opened = Session(runner.run, machine.port)
        yield opened
        runner.run(opened.plugin.close())
