"""The same on real protocols: an OPC UA server that is killed, frozen, loses a node and refuses a password, and a
Modbus gateway with units that die one after the other. One platform for all; each test puts right what it broke."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from plugins.modbus.tests.raw import Asked, Device, device, honest
from plugins.opcua.tests.peer import NAMESPACE, Server
from tests.end_to_end.site import Site, running, until

from bedplate.runtime import cause_watch
from bedplate.runtime.cause_alarms import SETTLES

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]
TEXT = """
bedplate: 1
name: peers
path: acme
types:
  press:
    parameters: {port: required}
    use: opcua
    endpoint_url: opc.tcp://127.0.0.1:$port/test
    security_policy: None
    address_prefix: 'nsu=NAMESPACE;s='
    path: press-shop/$name
    request_timeout: 2s
    tags: {temperature: {address: Oil.Temp, unit: °C}, vanishing: {address: Vanishing}}
  meter:
    parameters: {unit: required}
    use: modbus
    host: 127.0.0.1
    port: GATEWAY
    unit_id: $unit
    register_type: holding_register
    data_type: uint16
    byte_order: ABCD
    path: energy/$name
    request_timeout: 500ms
    scan_classes: {fast: 200ms}
    tags: {power: {address: 7, scan: fast}, energy: {address: 9, scan: fast}}
connectors:
  presses: {type: press, each: {press-07: {port: STEADY}, press-08: {port: MORTAL}}}
  login:
    {use: opcua, endpoint_url: "opc.tcp://127.0.0.1:STEADY/test", security_policy: None, username: operator,
     password: {secret: "env:PRESS_PASSWORD"}, tags: {t: {address: "nsu=NAMESPACE;s=Oil.Temp"}}}
  meters: {type: meter, each: {meter-1: {unit: 1}, meter-2: {unit: 2}, meter-3: {unit: 3}, meter-4: {unit: 4}}}
"""


class Gateway:
    """dead: units that do not answer."""

    def __init__(self) -> None:
        self.dead: set[int] = set()

    async def answer(self, asked: Asked, writer: asyncio.StreamWriter) -> None:
        if asked.unit not in self.dead:
            await honest(asked, writer)


class Plant:
    def __init__(self, site: Site, steady: Server, mortal: Server, gateway: Gateway) -> None:
        self.site, self.steady, self.mortal, self.gateway = site, steady, mortal, gateway

    async def cause(self, of: str) -> Any:
        """The one that hits this component; None while there is none."""
        status = await self.site.client.status()
        return next((one for one in status.causes if of in one.components), None)

    async def alarms(self) -> list[str]:
        events = await self.site.client.alarms()
        return [e.source for e in events if e.alarm and e.alarm.state in (2, 3)]

    async def well(self, *names: str) -> bool:
        """Up, and no cause."""
        return not any([await self.cause(name) for name in names]) and all(
            [await self.site.state(name) == "up" for name in names]
        )


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def plant(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Plant]:
    folder, gateway = tmp_path_factory.mktemp("peers"), Gateway()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRESS_PASSWORD", "wrong")
        patch.setattr(cause_watch, "LOOK", 0.1)
        patch.setattr("bedplate.runtime.cause_alarms.OVER", 0.5)
        patch.setattr("bedplate.runtime.lifecycle.LAST_RETRY", 1.0)
        for kind in list(SETTLES):
            patch.setitem(SETTLES, kind, 1.0)
        servers: list[Server] = []
        try:
            for name in ("steady", "mortal"):
                (folder / name).mkdir()
                servers.append(Server(folder / name))
            steady, mortal = servers
            async with (
                device(gateway.answer) as made,
                running(folder / "site", _text(made, steady, mortal)) as site,
            ):
                yield Plant(site, steady, mortal, gateway)
        finally:
            for server in servers:
                server.kill()


def _text(made: Device, steady: Server, mortal: Server) -> str:
    text = TEXT.replace("NAMESPACE", NAMESPACE).replace("GATEWAY", str(made.port))
    return text.replace("STEADY", str(steady.port)).replace("MORTAL", str(mortal.port))


METERS = ("meter-1", "meter-2", "meter-3", "meter-4")


async def test_a_wrong_password_is_the_configurations_and_told_with_its_place(plant: Plant) -> None:
    cause = await until(lambda: plant.cause("login"))
    assert cause.state == "invalid"
    assert "operator" in cause.text
    assert cause.whose == "configuration"
    assert "plant.yaml:" in cause.text
    await until(lambda: _has(plant, "acme/login/invalid"))
    answer = await plant.site.client.why("login")
    assert answer.whose == "configuration"
    assert answer.whose_text.partition("plant.yaml:")[2].isdecimal()
    assert any("bedplate plan" in action for action in answer.actions)


async def _has(plant: Plant, source: str) -> bool:
    return source in await plant.alarms()


async def test_a_node_that_vanishes_is_the_machines_program(plant: Plant) -> None:
    await until(lambda: plant.well("press-07"))
    plant.steady.do("remove", node="Vanishing")
    cause = await until(lambda: plant.cause("press-07"), 40)
    assert cause.subject == "press-07/vanishing"
    assert "no longer has this node" in cause.text
    assert cause.whose == "machine_program"
    answer = await plant.site.client.why("press-07/vanishing")
    assert "last good 1 at " in answer.headline
    assert {link.name: link.state for link in answer.chain}["node"] == "bad"
    assert {link.name: link.state for link in answer.chain}["session"] == "good"
    fine = await plant.site.client.why("press-07/temperature")
    assert fine.cause == ""
    await until(lambda: _has(plant, "acme/press-shop/press-07/bad"))


async def test_a_killed_server_is_told_by_its_address_and_its_alarm_returns(plant: Plant) -> None:
    await until(lambda: plant.well("press-08"))
    plant.mortal.kill()
    cause = await until(lambda: plant.cause("press-08"))
    assert (cause.subject, cause.state) == ("press-08", "unreachable")
    assert cause.whose == "device"
    await until(lambda: _has(plant, "acme/press-shop/press-08/unreachable"))
    answer = await plant.site.client.why("press-08")
    links = {link.name: link for link in answer.chain}
    assert links["network"].text == f"127.0.0.1:{plant.mortal.port}: connection refused"
    assert links["process"].state == "good", "press-07 lives in the same process"
    assert answer.lost
    plant.mortal.start()
    await until(lambda: plant.well("press-08"), 40)
    await until(lambda: _gone(plant, "acme/press-shop/press-08/unreachable"))


async def _gone(plant: Plant, source: str) -> bool:
    return source not in await plant.alarms()


async def test_a_frozen_server_takes_connections_and_is_told_apart_from_its_network(
    plant: Plant,
) -> None:
    await until(lambda: plant.well("press-08"))
    plant.mortal.signal(signal.SIGSTOP)
    try:
        cause = await until(lambda: plant.cause("press-08"), 40)
        assert cause.state == "unreachable"
        answer = await plant.site.client.why("press-08")
        links = {link.name: link for link in answer.chain}
        assert links["network"].state == "good"
        assert "takes connections" in links["network"].text
        assert answer.actions[0].startswith("The address answers, so network and power are well")
    finally:
        plant.mortal.signal(signal.SIGCONT)
    await until(lambda: plant.well("press-08"), 60)


async def test_units_behind_a_gateway_are_one_cause_and_the_gateway_another(plant: Plant) -> None:
    await until(lambda: plant.well(*METERS))
    plant.gateway.dead = {2, 3}
    await until(lambda: _components(plant, "meter-2", 2), 40)
    cause = await plant.cause("meter-2")
    assert "2 of 4 devices silent within " in cause.text
    assert "look at meter-2, meter-3 and their bus, not at the gateway" in cause.text
    assert cause.whose == "device"
    plant.gateway.dead = {1, 2, 3, 4}
    await until(lambda: _components(plant, "meter-1", 4), 40)
    cause = await plant.cause("meter-1")
    assert cause.subject.startswith("127.0.0.1:")
    assert cause.hint == f"bedplate why {cause.subject}"
    assert "4 of 4 devices silent" in cause.text
    assert "not at the devices" in cause.text
    answer = await plant.site.client.why(cause.subject)
    assert answer.headline.startswith("4 of 4 in trouble")
    plant.gateway.dead = set()
    await until(lambda: plant.well(*METERS), 60)
    await until(lambda: _no_alarm(plant, "127.0.0.1"))


async def _components(plant: Plant, of: str, count: int) -> bool:
    cause = await plant.cause(of)
    return cause is not None and len(cause.components) == count


async def _no_alarm(plant: Plant, word: str) -> bool:
    return not [source for source in await plant.alarms() if word in source]
