"""Two ported drivers, s7 and ethernetip, through the whole platform: each in every placement at once, on controllers of
other makers that are killed and started again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import ExitStack
from typing import Any

import pytest
import pytest_asyncio
from plugins.ethernetip.tests.conftest import controller as logix
from plugins.s7.tests.conftest import controller as siemens
from tests.end_to_end.site import EVERYWHERE, Site, running, until

from bedplate.isolation import this_machine
from bedplate.model import quality

pytestmark = pytest.mark.asyncio(loop_scope="module")
PROTOCOLS = ("s7", "ethernetip")
COMPONENTS = [f"{protocol}-{placement}" for protocol in PROTOCOLS for placement in EVERYWHERE]
TAGS = {
    "s7": """
      level: {address: DB1.DBD0, data_type: real, scan: 200ms}
      count: {address: DB1.DBD10, data_type: dint, scan: 200ms}
      running: {address: DB1.DBX6.2, scan: 200ms}
      text: {address: DB1.DBB36, data_type: string, length: 20, scan: 200ms}
      nowhere: {address: DB9.DBW0, scan: 200ms}""",
    "ethernetip": """
      level: {address: Level, scan: 200ms}
      count: {address: "Words[17]", scan: 200ms}
      running: {address: Running, scan: 200ms}
      nowhere: {address: Nobody, scan: 200ms}""",
}
HELD = {
    "s7": {"level": 21.5, "count": -70_000, "running": True, "text": "Grün!"},
    "ethernetip": {"level": 0.0, "count": 0, "running": False},
}


class Plant:
    """One platform and its controllers, by protocol."""

    def __init__(self, site: Site, controllers: dict[str, Any]) -> None:
        self.site = site
        self.controllers = controllers

    async def codes(self) -> dict[str, set[int]]:
        """Qualities of the tags that are there, by component."""
        found: dict[str, set[int]] = {name: set() for name in COMPONENTS}
        for tag in await self.site.client.tags("**", current=True):
            component, _, name = tag.path.partition("/")
            if component in found and name != "nowhere":
                found[component].add(tag.current.quality if tag.current else quality.BAD_WAITING)
        return found

    async def all_are(self, code: int) -> bool:
        return all(one == {code} for one in (await self.codes()).values())


def deployment(controllers: dict[str, Any]) -> str:
    parts = ["bedplate: 1", "name: controllers", "connectors:"]
    for name in COMPONENTS:
        use, _, placement = name.partition("-")
        parts.append(f"  {name}:\n    use: {use}\n    placement: {placement}")
        host = "localhost" if placement == "process" else "127.0.0.1"  # names must be asked for
        parts.append(f"    host: {host}\n    port: {controllers[use].port}\n    timeout: 5s")
        parts.append(f"    tags:{TAGS[use]}")
    return "\n".join(parts)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def plant(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Plant]:
    folder = tmp_path_factory.mktemp("controllers")
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        patch.setattr("bedplate.runtime.source.BAD_AFTER", 1.5)
        controllers: dict[str, Any] = {
            "s7": stack.enter_context(siemens()),
            "ethernetip": stack.enter_context(logix()),
        }
        async with running(folder, deployment(controllers), placement="remote") as site:
            one = Plant(site, controllers)
            await until(lambda: one.all_are(quality.GOOD), 60)
            yield one


async def test_every_placement_reads_the_same(plant: Plant) -> None:
    read: dict[str, dict[str, Any]] = {name: {} for name in COMPONENTS}
    for path, series in (await plant.site.client.current()).items():
        component, _, name = path.partition("/")
        if name in HELD[component.partition("-")[0]]:
            read[component][name] = series.value.tolist()[-1]
    assert read == {name: HELD[name.partition("-")[0]] for name in COMPONENTS}


async def test_what_is_not_there_is_bad_alone(plant: Plant) -> None:
    tags = await plant.site.client.tags("*/nowhere", current=True)
    assert {tag.path.partition("/")[0] for tag in tags} == set(COMPONENTS)
    assert {tag.current.quality for tag in tags if tag.current} == {
        quality.CODES["BadNodeIdUnknown"]
    }


async def test_they_need_no_more_than_their_manifests_ask_for(plant: Plant) -> None:
    """One port, by its number, and a name: all else is closed to them where this machine can close it."""
    status = await plant.site.client.status()
    levels = {one.isolation for one in status.processes if one.placement == "process"}
    assert levels == {str(this_machine().default)}


async def test_controllers_that_are_killed_are_unreachable_and_come_back_by_themselves(
    plant: Plant,
) -> None:
    for controller in plant.controllers.values():
        controller.stop()
    await until(lambda: plant.all_are(quality.UNCERTAIN_LAST_USABLE), 20)
    await until(lambda: plant.all_are(quality.BAD_NO_COMMUNICATION), 20)
    status = await plant.site.client.status()
    assert {one.state for one in status.components if one.id in COMPONENTS} == {"unreachable"}
    for controller in plant.controllers.values():
        controller.start()
    await until(lambda: plant.all_are(quality.GOOD), 40)

    status = await plant.site.client.status()
    assert not [one for one in status.components if "faulted" in {t.state for t in one.history}]
    assert {one.restarts for one in status.processes} == {0}
