"""A first-party plugin all the way: bundled, installed without a network, run from its own environment."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.bundle.conftest import Operator
from tests.end_to_end.machines import Machine

from bedplate.bundle.minisign import SecretKey
from bedplate.server.platform import Platform, prepare

ROOT = Path(__file__).parents[2]
PLANT = """\
bedplate: 1
name: plant
plugins: {policy: trusted}
connectors:
  press:
    use: modbus
    host: 127.0.0.1
    port: PORT
    path: press
    tags: {level: {address: 5, data_type: uint16, scan: fast}}
"""


class Device(Machine):
    """A Modbus server whose holding registers are all 21."""

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            transaction, _, size, unit = struct.unpack(">HHHB", await reader.readexactly(7))
            function, _, count = struct.unpack(">BHH", await reader.readexactly(size - 1))
            body = struct.pack(">BBB", unit, function, 2 * count) + b"\0\x15" * count
            writer.write(struct.pack(">HHH", transaction, 0, len(body)) + body)


@pytest.mark.timeout(240)
async def test_modbus_bundled_installed_offline_and_run_from_its_own_environment(
    operator: Operator, key: SecretKey, wheels: Callable[[str], Path]
) -> None:
    """pip has --require-hashes --no-index --only-binary, and no network where this machine has namespaces."""
    folder = await asyncio.to_thread(wheels, "bedplate-modbus")
    words = ["bundle", str(ROOT / "plugins" / "modbus"), "--wheels", str(folder)]
    await asyncio.to_thread(operator.done, *words, "--key", "acme.key", "-o", "modbus.bedplate")
    operator.done("plugins", "publishers", "add", "acme.pub", "--yes")
    said = await asyncio.to_thread(
        lambda: operator.done("install", "modbus.bedplate", "--trust", "--yes", offline=True)
    )
    assert "connect to tcp:$host:$port" in said
    assert "inline" not in said  # with an environment of its own it can't be placed there
    place = operator.home / "plugins" / "bedplate-modbus" / "0.1.0"
    assert (place / "env/bin/python").is_symlink()
    assert not list(place.rglob("pip"))
    sbom = json.loads((place / "sbom.cdx.json").read_bytes())
    named = {part["name"] for part in sbom["components"]}
    assert {"pymodbus", "grpcio", "bedplate", "numpy"} <= named
    device = Device()
    await device.on()
    try:
        file = operator.folder / "plant.yaml"
        file.write_text(PLANT.replace("PORT", str(device.port)))
        await _reads(file, operator, place)
        await _is_not_started_when_changed(file, place)
    finally:
        await device.off()


async def _reads(file: Path, operator: Operator, place: Path) -> None:
    platform = Platform(prepare(file))
    await platform.start("127.0.0.1:0")
    try:
        async with asyncio.timeout(60):
            while platform.kernel.components["press"].life.state != "up":
                reason = platform.kernel.components["press"].life.reason
                assert platform.kernel.components["press"].life.state != "faulted", reason
                await asyncio.sleep(0.05)
        (run,) = (p.run for p in platform.kernel.places.values())
        assert run is not None
        loaded = Path(f"/proc/{run.pid}/maps").read_text()
        store = operator.home / "plugins" / ".store"
        assert f"{store}/" in loaded
        assert str(ROOT / ".venv") not in loaded
        assert str(place) not in loaded  # but of the copy that was measured
    finally:
        await platform.stop()


async def _is_not_started_when_changed(file: Path, place: Path) -> None:
    """A19 of an environment: a library that it depends on."""
    (library,) = place.glob("env/lib/python3*/site-packages/pymodbus/client/tcp.py")
    content = library.read_bytes()
    library.chmod(0o644)
    library.write_bytes(content + b"\n")
    platform = Platform(prepare(file))
    await platform.start("127.0.0.1:0")
    try:
        async with asyncio.timeout(60):
            while platform.kernel.components["press"].life.state != "faulted":
                await asyncio.sleep(0.05)
        assert (
            "pymodbus/client/tcp.py was changed" in platform.kernel.components["press"].life.reason
        )
    finally:
        await platform.stop()
