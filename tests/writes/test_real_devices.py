"""Commands to servers that we did not write, through the whole platform: what arrives, in which type and byte order; a
no of the device; a device that does something else; one that dies between request and answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from plugins.ethernetip.tests.conftest import controller as logix
from plugins.modbus.tests.driving import Peer, node, peer
from plugins.opcua.tests.peer import Server
from plugins.opcua.tests.peer import node as address
from plugins.s7.tests.conftest import controller as siemens
from tests.end_to_end.site import Site
from tests.faults.frozen import freeze

from bedplate.client import AsyncClient, CommandStatus

HEAD = "bedplate: 1\nname: x\n"
ALLOW = "\nwrites: {enabled: true, allow: [{role: admin, tags: ['**']}]}\n"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEDPLATE_HOME", str(tmp_path / "home"))


@asynccontextmanager
async def plant(folder: Path, connectors: str, *seen: str) -> AsyncIterator[AsyncClient]:
    """Up, with a value of each tag that is to be seen."""
    site = Site(folder, HEAD + connectors + ALLOW, placement="inline")
    try:
        client = await site.start()
        async with asyncio.timeout(20):
            while not {tag.path for tag in await client.tags(current=True) if _good(tag)} >= {
                *seen
            }:
                await asyncio.sleep(0.05)
        yield client
    finally:
        await site.stop()


def _good(tag: Any) -> bool:
    return tag.current is not None and not tag.current.quality & 0xC0000000


async def told(client: AsyncClient, tag: str, value: Any, **more: Any) -> tuple[str, Any]:
    one: CommandStatus = await client.write(tag, value, **more)
    return one.state, one.read_back if one.read_back is not None else one.text


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    one = Server(tmp_path_factory.mktemp("opcua"))
    yield one
    one.kill()


OPCUA = """
connectors:
  plc:
    use: opcua
    placement: PLACE
    endpoint_url: URL
    security_policy: None
    request_timeout: 1s
    publishing_interval: 50ms
    tags:
      setpoint: {address: "SETPOINT", write: {range: [0, 100], verify_timeout: 1s}}
      small: {address: "SMALL", write: {}}
      ratio: {address: "RATIO", write: {}}
      word: {address: "WORD", write: {}}
      flag: {address: "FLAG", write: {}}
      fixed: {address: "FIXED", write: {}}
      clamped: {address: "CLAMPED", scan: 100ms, write: {verify_timeout: 500ms}}
"""
NODES = ("Setpoint", "Small", "Ratio", "Word", "Flag", "Fixed", "Clamped")
SEEN = [f"plc/{name.lower()}" for name in NODES]


def opcua(server: Server) -> str:
    text = OPCUA.replace("URL", server.url)
    for name in NODES:
        text = text.replace(f'"{name.upper()}"', f'"{address(name)}"')
    return text


async def test_opcua_takes_each_value_in_the_type_of_its_node_and_says_no(
    tmp_path: Path, server: Server
) -> None:
    async with plant(tmp_path, opcua(server), *SEEN) as client:
        written = {"Setpoint": 95, "Small": -12, "Ratio": 0.3, "Word": "neu", "Flag": True}
        for name, value in written.items():
            state, back = await told(client, f"plc/{name.lower()}", value)
            assert (state, back) == ("verified", pytest.approx(value)), name
        found = {name: server.do("get", node=name)["type"] for name in written}
        values = [server.do("get", node=name)["value"] for name in ("Setpoint", "Small", "Word")]
        refused = await told(client, "plc/fixed", 4.0)
        too_much = await told(client, "plc/small", 40_000)
        clamped = await told(client, "plc/clamped", 95)

    assert found == {
        "Setpoint": "Double", "Small": "Int16", "Ratio": "Float", "Word": "String", "Flag": "Boolean",
    }  # fmt: skip
    assert values == [95, -12, "neu"]
    assert refused[0] == "rejected"
    assert "Bad" in refused[1]
    assert too_much == (
        "rejected",
        "the device said no: BadOutOfRange: 40000 does not fit into Int16",
    )
    assert clamped == ("mismatch", 80.0)


async def test_opcua_that_dies_between_request_and_answer_leaves_it_unknown(
    tmp_path: Path, server: Server
) -> None:
    async with plant(tmp_path, opcua(server), *SEEN) as client:
        freeze(server.process)
        writing = asyncio.create_task(client.write("plc/setpoint", 50))
        await asyncio.sleep(0.3)
        server.kill()  # nobody needs it any more
        one = await writing
        [listed] = await client.commands()

    assert one.state == "unknown", one.text
    assert "can't be said" in one.text
    assert listed == one


MODBUS = """
connectors:
  unit:
    use: modbus
    placement: PLACE
    host: 127.0.0.1
    port: PORT
    unit_id: 1
    register_type: holding_register
    request_timeout: 1s
    scan: 100ms
    tags:
      count: {address: 7, data_type: uint16, write: {verify_timeout: 1s}}
      swapped: {address: 8, data_type: float32, byte_order: CDAB, write: {verify_timeout: 1s}}
      first: {address: 8, data_type: uint16}
      second: {address: 9, data_type: uint16}
      tenth: {address: 12, data_type: int16, scale: 0.1, write: {range: [-100, 100], verify_timeout: 1s}}
      raw: {address: 12, data_type: int16}
      coil: {address: 1, register_type: coil, write: {verify_timeout: 1s}}
      beyond: {address: 99, data_type: uint32, write: {verify_timeout: 1s}}
"""


@pytest.fixture
def jsmodbus() -> Iterator[Peer]:
    with peer(*node("jsmodbus_server.js", "jsmodbus")) as server:
        yield server


def modbus(server: Peer) -> str:
    return MODBUS.replace("PORT", str(server.port))


MODBUS_SEEN = [f"unit/{name}" for name in ("count", "swapped", "first", "tenth", "coil")]


@pytest.mark.case("A65")
async def test_modbus_takes_each_value_in_its_type_scale_and_byte_order(
    tmp_path: Path, jsmodbus: Peer
) -> None:
    async with plant(tmp_path, modbus(jsmodbus), *MODBUS_SEEN) as client:
        assert await told(client, "unit/count", 65_535) == ("verified", 65_535)
        assert await told(client, "unit/swapped", 12418.0) == ("verified", 12418.0)
        assert await told(client, "unit/tenth", -12.34) == ("verified", pytest.approx(-12.3))
        assert await told(client, "unit/coil", True) == ("verified", True)
        too_much = await client.write("unit/count", 70_000)
        await asyncio.sleep(0.3)
        now = {
            tag.path: tag.current.value for tag in await client.tags(current=True) if tag.current
        }

    assert (now["unit/first"], now["unit/second"]) == (0x0800, 0x4642), "CDAB on the wire"
    assert now["unit/raw"] == -123
    assert now["unit/count"] == 65_535
    assert too_much.state == "rejected"
    assert "70000 does not fit into uint16" in too_much.text
    assert [check.name for check in too_much.checks][-1] == "limits", "before the wire"


async def test_modbus_that_dies_between_request_and_answer_leaves_it_unknown(
    tmp_path: Path, jsmodbus: Peer
) -> None:
    async with plant(tmp_path, modbus(jsmodbus), *MODBUS_SEEN) as client:
        jsmodbus.freeze()
        writing = asyncio.create_task(client.write("unit/count", 50, within="5s"))
        await asyncio.sleep(0.2)
        jsmodbus.kill()
        one = await writing

    assert one.state == "unknown", one.text


S7 = """
connectors:
  press:
    use: s7
    placement: PLACE
    host: 127.0.0.1
    port: PORT
    scan: 100ms
    tags:
      speed: {address: DB1.DBD100, data_type: real, write: {range: [0, 100], verify_timeout: 2s}}
      count: {address: DB1.DBW104, data_type: int, write: {verify_timeout: 2s}}
      bit: {address: DB1.DBX110.3, write: {verify_timeout: 2s}}
"""


async def test_s7_takes_what_another_client_then_reads(tmp_path: Path) -> None:
    with siemens() as plc:
        text = S7.replace("PORT", str(plc.port))
        seen = ("press/speed", "press/count", "press/bit")
        async with plant(tmp_path, text, *seen) as client:
            assert await told(client, "press/speed", 12.5) == ("verified", 12.5)
            assert await told(client, "press/count", -300) == ("verified", -300)
            assert await told(client, "press/bit", True) == ("verified", True)
            beyond = await client.write("press/count", 70_000)
        other = await asyncio.to_thread(plc.other, "DB1,REAL100", "DB1,INT104", "DB1,X110.3")

    assert other == {"DB1,REAL100": 12.5, "DB1,INT104": -300, "DB1,X110.3": True}
    assert beyond.state == "rejected"


LOGIX = """
connectors:
  cell:
    use: ethernetip
    placement: PLACE
    host: 127.0.0.1
    port: PORT
    scan: 100ms
    tags:
      level: {address: Level, write: {range: [0, 100], verify_timeout: 2s}}
      small: {address: Small, write: {verify_timeout: 2s}}
"""


async def test_ethernetip_reads_back_what_was_written(tmp_path: Path) -> None:
    with logix() as cell:
        text = LOGIX.replace("PORT", str(cell.port))
        async with plant(tmp_path, text, "cell/level", "cell/small") as client:
            assert await told(client, "cell/level", 12.5) == ("verified", 12.5)
            assert await told(client, "cell/small", -300) == ("verified", -300)
            beyond = await client.write("cell/small", 70_000)

    assert beyond.state == "rejected", beyond.text
