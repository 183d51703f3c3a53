"""Independent Modbus servers, started once for a test that asks for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from plugins.modbus.tests.driving import Peer, compiled, node, peer


@pytest.fixture(scope="session")
def libmodbus_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(tmp_path_factory.mktemp("libmodbus"))


@pytest.fixture
def libmodbus(libmodbus_program: Path) -> Iterator[Peer]:
    with peer(libmodbus_program) as server:
        yield server


@pytest.fixture
def modbus_serial() -> Iterator[Peer]:
    with peer(*node("modbus_serial_server.js", "modbus-serial")) as server:
        yield server


@pytest.fixture
def jsmodbus() -> Iterator[Peer]:
    with peer(*node("jsmodbus_server.js", "jsmodbus")) as server:
        yield server
