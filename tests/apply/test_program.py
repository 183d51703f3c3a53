"""`bedplate run` and `bedplate apply` as people use them, on an OPC UA server and two Modbus servers.

One story: applied again, changed, undone, told by SIGHUP, and killed in the middle of a change.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tests.end_to_end.program import BEDPLATE, Program, plugins_of
from tests.end_to_end.site import until

from bedplate.client import AsyncClient, connect_async
from bedplate_simline.launch import Simulator

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]
HEAD = """
bedplate: 1
name: apply
scan_classes: {normal: 200ms}
connectors:
  filler:
    use: opcua
    endpoint_url: ENDPOINT
    security_policy: None
    address_prefix: 'nsu=urn:bedplate:simline;s=Filler.'
    tags: {speed: {address: Speed, RULE}}
"""
METER = """
  NAME:
    use: modbus
    host: 127.0.0.1
    port: PORT
    unit_id: 1
    register_type: holding_register
    data_type: float32
    byte_order: ABCD
    tags: {power: {address: 19026}}
"""
CHANGED = "unit: 1/s, scale: 0.01667"


@dataclass
class Plant:
    """The program, its machines, and how to change what it runs."""

    program: Program
    endpoint: str
    ports: tuple[int, int]
    client: AsyncClient = field(init=False)

    def text(self, rule: str = "unit: 1/min", **meters: int) -> str:
        parts = [HEAD.replace("ENDPOINT", self.endpoint).replace("RULE", rule)]
        for name, port in (meters or {"meter": self.ports[0]}).items():
            parts.append(METER.replace("NAME", name).replace("PORT", str(port)))
        return "".join(parts)

    def write(self, text: str) -> Path:
        self.program.file.write_text(text)
        return self.program.file

    async def start(self, *words: str) -> None:
        await self.program.start(*words)
        self.client = await connect_async(self.program.address).__aenter__()
        await until(self.all_up)

    async def cli(self, *words: str) -> tuple[int, str]:
        """Exit code and all that a command said."""
        process = await asyncio.create_subprocess_exec(
            *(str(BEDPLATE), *words),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=os.environ | {"BEDPLATE_ENDPOINT": self.program.address},
        )
        said, _ = await asyncio.wait_for(process.communicate(), 60)
        return process.returncode or 0, said.decode()

    async def apply(self, text: str, health: str = "10s") -> tuple[int, str]:
        return await self.cli("apply", str(self.write(text)), "--yes", "--health", health)

    async def status(self) -> dict[str, Any]:
        return {one.id: one for one in (await self.client.status()).components}

    async def sessions(self) -> dict[str, int]:
        """Since when each is in its state."""
        return {id_: one.since for id_, one in (await self.status()).items()}

    async def all_up(self) -> bool:
        return all(one.state == "up" for one in (await self.status()).values())

    def pids(self) -> list[int]:
        return sorted(plugins_of(self.program.folder))


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def plant(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Plant]:
    simulators = [Simulator(kind, "--port", "0") for kind in ("opcua", "modbus", "modbus")]
    try:
        said = [await asyncio.to_thread(one.ready) for one in simulators]
        program = Program(tmp_path_factory.mktemp("plant"), "")
        found = Plant(
            program, str(said[0]["endpoint"]), (int(said[1]["port"]), int(said[2]["port"]))
        )
        found.write(found.text())
        async with program:
            await found.start()
            yield found
    finally:
        for one in simulators:
            one.__exit__(None, None, None)


async def test_an_identical_file_leaves_processes_and_sessions_as_they_are(plant: Plant) -> None:
    pids, sessions = plant.pids(), await plant.sessions()

    code, said = await plant.apply("# looked at again\n" + plant.text())

    assert code == 0, said
    assert (plant.pids(), await plant.sessions()) == (pids, sessions)


async def test_a_change_touches_what_it_names(plant: Plant) -> None:
    pids, sessions = plant.pids(), await plant.sessions()
    first, second = plant.ports

    code, said = await plant.apply(plant.text(CHANGED, meter=first, other=second))

    assert code == 0, said
    assert "reconfigure" in said
    now = await plant.sessions()
    assert {id_: now[id_] for id_ in sessions} == sessions, "nobody was asked to begin anew"
    assert set(pids) <= set(plant.pids())
    assert (await plant.status())["other"].state == "up"


async def test_a_machine_that_does_not_answer_undoes_it(plant: Plant) -> None:
    sessions, first = await plant.sessions(), plant.ports[0]

    code, said = await plant.apply(plant.text(CHANGED, meter=first, other=1), health="2s")

    assert code == 1, said
    assert "other is unreachable, was up before" in said
    await until(plant.all_up)
    now = await plant.sessions()
    assert {id_ for id_ in now if now[id_] != sessions[id_]} == {"other"}


@pytest.mark.case("A44")
async def test_sighup_takes_the_file_and_a_broken_one_changes_nothing(plant: Plant) -> None:
    assert plant.program.process
    sessions = await plant.sessions()
    plant.write("bedplate: 1\nname: apply\nconnectors: {filler: {use: nobody}}\n")
    plant.program.process.send_signal(signal.SIGHUP)
    await until(lambda: any("not taken" in one["text"] for one in plant.program.said("notice")))

    assert await plant.sessions() == sessions
    assert any("not taken" in text for text in (await plant.client.status()).problems)

    plant.write(plant.text(CHANGED, meter=plant.ports[0]))
    plant.program.process.send_signal(signal.SIGHUP)
    await until(lambda: any("read again: dep" in o["text"] for o in plant.program.said("notice")))
    assert set(await plant.status()) == {"filler", "meter"}
    assert not (await plant.client.status()).problems


async def test_killed_in_the_middle_the_deployment_before_boots(plant: Plant) -> None:
    deployment = (await plant.client.status()).deployment
    plant.program.lines.clear()
    applying = asyncio.create_task(
        plant.apply(plant.text(CHANGED, meter=1, other=plant.ports[1]), health="60s")
    )
    await until(lambda: any((o["component"], o["state"]) == ("other", "up")
                            for o in plant.program.said("state")))  # fmt: skip
    await plant.program.kill()
    code, said = await applying
    assert code, said

    await plant.start("--applied")

    status = await plant.client.status()
    assert status.deployment.number == deployment.number
    assert {one.id for one in status.components} == {"filler", "meter"}
    told = [*status.notices, *status.problems]
    assert any("ended while something was being applied" in text for text in told), told
