"""`bedplate probe` as it is typed, against real servers: what it says, what it leaves alone, how long it takes."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from plugins.modbus.tests.driving import compiled, peer
from tests.demo.running import free_port
from tests.end_to_end.program import BEDPLATE
from tests.probe.listening import OPCUA_CHANGES, OPCUA_READ, Listening

from bedplate_simline.launch import Simulator

MACHINES = """
bedplate: 1
name: probed
types:
  machine:
    parameters: {node: required, port: OPCUA}
    use: opcua
    endpoint_url: opc.tcp://127.0.0.1:$port
    security_policy: None
    address_prefix: 'nsu=urn:bedplate:simline;s=$node.'
    tags:
      state: {address: State}
      speed_setpoint: {address: SpeedSetpoint, write: {range: [0, 100]}}
connectors:
  machines:
    type: machine
    each: {filler: {node: Filler}, capper: {node: Capper}, labeller: {node: Labeller}}
  meter:
    use: modbus
    host: 127.0.0.1
    port: MODBUS
    unit_id: 1
    register_type: holding_register
    data_type: float32
    byte_order: ABCD
    tags: {power: {address: 19026}, voltage: {address: 19000}}
  history: {use: history, deliver: ["**"], folder: data/history}
"""
HUNG = """hung: {use: modbus, host: 127.0.0.1, port: HUNG, unit_id: 1, register_type: coil, data_type: bool,
    request_timeout: 30s, tags: {a: {address: 1}}}"""
PUSHING = """
bedplate: 1
name: pushing
connectors:
  wire: {use: slow, tags: {a: {}, b: {}}}
  asleep:
    {use: modbus, host: 127.0.0.1, port: NOBODY, unit_id: 1, register_type: coil, data_type: bool, expected: never,
     tags: {a: {address: 1}}}
"""
SLOW = '''
"""Answers when its time has come; "late" devices never do. A wire that only pushes."""
import asyncio
from bedplate import Connector
from pydantic import BaseModel

class Slow(Connector):
    class Config(BaseModel):
        seconds: float = 0

    async def open(self):
        await asyncio.sleep(self.config.seconds)

    async def subscribe(self, tags, send):
        await send(tags[0], 1.0)
        await asyncio.Future()
'''


def probe(file: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(BEDPLATE), "probe", str(file), *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=file.parent,
    )


def facts(file: Path, *words: str) -> dict[str, dict[str, Any]]:
    done = probe(file, "--json", *words)
    return {one["component"]: one for one in json.loads(done.stdout)["devices"]}


@pytest.fixture(scope="module")
def line() -> Iterator[dict[str, Any]]:
    with Simulator("both") as simulator:
        said = simulator.ready()
        yield {"opcua": int(said["endpoint"].rpartition(":")[2]), "modbus": said["port"]}


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEDPLATE_HOME", str(tmp_path / "home"))


def plant(folder: Path, text: str, **ports: int) -> Path:
    for name, port in ports.items():
        text = text.replace(name.upper(), str(port))
    file = folder / "plant.yaml"
    file.write_text(text)
    return file


def test_where_everything_answers_there_is_a_line_an_entry_and_exit_code_0(
    tmp_path: Path, line: dict[str, Any]
) -> None:
    done = probe(plant(tmp_path, MACHINES, **line))
    assert done.stdout.splitlines() == [
        "  machines  3 of 3 answered   6 of 6 addresses read",
        "  meter     1 of 1            2 of 2",
        "  history                                             not probed: it would write",
    ]
    assert (done.returncode, done.stderr) == (0, "")
    assert not (tmp_path / "data" / "history").exists()


def test_who_does_not_answer_and_what_is_not_there_is_named_with_the_closest(
    tmp_path: Path, line: dict[str, Any]
) -> None:
    text = MACHINES.replace("Labeller}", "Labeller}, gone: {node: Filler, port: 1}")
    text = text.replace("address: State", "address: Stat").replace(
        "{address: 19000}", "{address: 60000}"
    )
    done = probe(plant(tmp_path, text, **line))
    machines, state, meter, _ = done.stdout.splitlines()
    assert machines.startswith("  machines  3 of 4 answered   3 of 6 addresses read   gone: ")
    assert "127.0.0.1" in machines
    assert state.strip() == "state of filler, capper, labeller: node id unknown; closest is State"
    assert "1 of 1" in meter
    assert "meter/voltage: illegal data address" in meter
    assert done.returncode == 1


def test_nothing_is_written_neither_to_a_plc_nor_to_a_meter(
    tmp_path: Path, line: dict[str, Any]
) -> None:
    with Listening(line["opcua"], "opcua") as plc, Listening(line["modbus"], "modbus") as meter:
        done = probe(plant(tmp_path, MACHINES, opcua=plc.port, modbus=meter.port))
    assert done.returncode == 0, done.stdout
    assert OPCUA_READ in plc.asked
    assert not OPCUA_CHANGES.keys() & set(plc.asked)
    assert set(meter.asked) == {3}  # read holding registers


def test_a_server_that_records_writes_has_none(tmp_path: Path) -> None:
    text = """
bedplate: 1
name: recorded
connectors:
  meter:
    use: modbus
    host: 127.0.0.1
    port: MODBUS
    unit_id: 1
    register_type: holding_register
    data_type: uint16
    tags: {a: {address: 10, write: {range: [0, 9]}}, b: {address: 11}}
"""
    with peer(compiled(tmp_path)) as server:
        read = facts(plant(tmp_path, text, modbus=server.port))
        assert server.heard("function") == []
    assert (read["meter"]["read"], read["meter"]["tags"]) == (2, 2)


def test_a_device_that_never_answers_takes_its_time_and_nobody_elses(
    tmp_path: Path, line: dict[str, Any]
) -> None:
    text = MACHINES.replace("  meter:", f"  {HUNG}\n  meter:")
    with socket.create_server(("127.0.0.1", 0)) as hung:
        began = time.monotonic()
        told = facts(plant(tmp_path, text, hung=hung.getsockname()[1], **line), "--within", "2s")
        took = time.monotonic() - began
    assert told["hung"]["reason"] == "no answer within 2 s"
    assert told["hung"]["seconds"] < 20
    assert all(told[name]["answered"] for name in ("filler", "capper", "labeller", "meter"))
    assert took < 29  # what its own time-out would be


def test_who_only_pushes_is_listened_to_and_what_is_off_is_no_problem(tmp_path: Path) -> None:
    plugin = tmp_path / "slow.py"
    plugin.write_text(SLOW)
    file = plant(tmp_path, PUSHING, nobody=free_port())
    done = probe(file, "--plugin", str(plugin))
    wire, asleep = done.stdout.splitlines()
    assert wire.split() == ["wire", "1", "of", "1", "answered", "1", "of", "2", "tags", "spoke"]
    assert asleep.split(maxsplit=1) == ["asleep", "silent, and never expected"]
    assert done.returncode == 0


def test_a_file_that_is_wrong_is_told_line_by_line_and_contacts_nobody(tmp_path: Path) -> None:
    done = probe(
        plant(
            tmp_path,
            MACHINES.replace("register_type: hold", "register_typ: hold"),
            opcua=1,
            modbus=1,
        )
    )
    assert done.returncode == 2
    assert "plant.yaml:" in done.stderr
    assert done.stdout == ""
