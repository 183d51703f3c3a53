"""Simulator processes: ready when they say so, gone when they are told to, never orphans."""

from __future__ import annotations

import asyncio
import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncua.ua
import pytest
from asyncua.client.client import Client
from pymodbus.client import AsyncModbusTcpClient

from bedplate_simline.launch import Simulator

ua: Any = asyncua.ua
Start = Callable[..., Simulator]
COMMANDS = ("opcua", "modbus", "both")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_at_once_and_quietly(
    simulator: Start, command: str, number: signal.Signals
) -> None:
    server = simulator(command)
    server.ready()
    told = time.monotonic()
    server.process.send_signal(number)
    assert exit_code(server) == 0
    assert time.monotonic() - told < 2.0
    assert complaints(server) == ""


@pytest.mark.parametrize("command", COMMANDS)
def test_the_end_of_stdin_ends_it(simulator: Start, command: str) -> None:
    server = simulator(command)
    server.ready()
    server.close_stdin()
    assert exit_code(server) == 0
    assert complaints(server) == ""


@pytest.mark.parametrize("command", COMMANDS)
def test_an_early_signal_leaves_no_traceback(simulator: Start, command: str) -> None:
    server = simulator(command)
    server.process.send_signal(signal.SIGINT)
    exit_code(server)
    assert "Traceback" not in complaints(server)


def test_without_the_option_the_end_of_stdin_means_nothing() -> None:
    command = [sys.executable, "-m", "bedplate_simline", "modbus"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        assert b"port" in server.stdout.readline()
        with pytest.raises(subprocess.TimeoutExpired):
            server.wait(0.5)
        server.kill()


def test_a_simulator_that_does_not_start_is_an_error_not_a_wait(simulator: Start) -> None:
    with pytest.raises(EOFError, match="exit code 2"):
        simulator("opcua", "--shift=never").ready()


def test_both_killed_outright_leaves_no_orphan(simulator: Start) -> None:
    line = simulator("both")
    line.ready()
    children = children_of(line.process.pid)
    assert len(children) == 2
    line.process.kill()
    wait_until(lambda: not any(alive(child) for child in children))


def test_both_ends_when_one_of_its_servers_dies(simulator: Start) -> None:
    line = simulator("both")
    line.ready()
    first, second = children_of(line.process.pid)
    os.kill(first, signal.SIGKILL)
    assert exit_code(line) == 1
    assert "ended by itself" in complaints(line)
    assert not alive(second)


@pytest.mark.asyncio
async def test_both_show_the_same_plant(simulator: Start) -> None:
    """Power belongs to the state, and a setpoint written to the PLC reaches the meters."""
    start_ns = time.time_ns() - 12_000_000_000
    ready = simulator("both", "--start-ns", str(start_ns)).ready()
    meters = AsyncModbusTcpClient(ready["host"], port=ready["port"])
    assert await meters.connect()
    async with Client(ready["endpoint"]) as plc:
        index = await plc.get_namespace_index("urn:bedplate:simline")
        assert await plc.get_node(f"ns={index};s=Filler.State").read_value() == 1
        assert await power(meters) > 8.0
        await plc.get_node(f"ns={index};s=Filler.SpeedSetpoint").write_value(40.0)
        async with asyncio.timeout(10):
            while await power(meters) > 6.5:
                await asyncio.sleep(0.1)
        speed = await plc.get_node(f"ns={index};s=Filler.Speed").read_value()
        assert speed < 60.0
    meters.close()


async def power(meters: AsyncModbusTcpClient) -> float:
    answer = await meters.read_holding_registers(19026, count=2, device_id=1)
    watts: float = struct.unpack(">f", struct.pack(">2H", *answer.registers))[0]
    return watts / 1000


@pytest.mark.parametrize("command", ["opcua", "modbus"])
def test_a_taken_port_is_said_in_one_line(simulator: Start, command: str) -> None:
    ready = simulator("modbus").ready()
    second = simulator(command, "--port", str(ready["port"]))
    assert exit_code(second, 30.0) == 1
    said = complaints(second)
    assert str(ready["port"]) in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["opcua", "--shift", "10 minutes"], "looks like 90s, 10min or 8h"),
        (["modbus", "--shift", "1s"], "a shift lasts from 10s"),
        (["bottle"], "invalid choice"),
        ([], "required"),
    ],
)
def test_wrong_arguments_are_explained(arguments: list[str], said: str) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "bedplate_simline", *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert run.returncode == 2
    assert said in run.stderr
    assert "Traceback" not in run.stderr


def exit_code(simulator: Simulator, within: float = 60.0) -> int:
    return simulator.process.wait(within)


def complaints(simulator: Simulator) -> str:
    """What it wrote on stderr, once it has ended."""
    assert simulator.process.stderr is not None
    return simulator.process.stderr.read().decode()


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def wait_until(condition: Callable[[], bool], within: float = 60.0) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
