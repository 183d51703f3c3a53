"""The parts of the kit that a verdict rests on: the cable, what is seen of a process, the profile, the grade."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from bedplate.errors import BedplateError
from bedplate.testing.conformance import watch
from bedplate.testing.conformance.check import MUST, SHOULD, Check
from bedplate.testing.conformance.profile import read_profile
from bedplate.testing.conformance.proxy import Proxy
from bedplate.testing.conformance.verdict import FAILED, NOT_RUN, PASSED, SKIPPED, Report, Verdict


async def echo() -> tuple[asyncio.Server, int]:
    async def answer(reader: Any, writer: Any) -> None:
        while data := await reader.read(1000):
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1]


async def said(port: int, text: bytes, within: float = 60.0) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(text)
        async with asyncio.timeout(within):
            return await reader.readexactly(len(text))
    finally:
        writer.close()


async def test_the_cable_passes_drips_and_garbles() -> None:
    server, port = await echo()
    cable = Proxy(lambda: port)
    await cable.listen()
    assert await said(cable.port, b"hello") == b"hello"

    cable.mode = "drip"
    assert await said(cable.port, b"slowly") == b"slowly"

    cable.mode = "garbage"
    garbled = await said(cable.port, b"a line\n")
    assert garbled != b"a line\n"
    assert garbled.endswith(b"\n")  # every other piece keeps its line ends
    assert cable.connections == 3
    await cable.close()
    server.close()


async def test_a_cable_that_is_cut_refuses_and_heals_on_the_same_port() -> None:
    server, port = await echo()
    cable = Proxy(lambda: port)
    await cable.listen()
    before = cable.port
    await cable.refuse()
    with pytest.raises(ConnectionRefusedError):
        await said(before, b"hello")

    await cable.heal()

    assert await said(before, b"hello") == b"hello"
    await cable.close()
    server.close()


async def test_a_silent_cable_swallows_what_is_said() -> None:
    server, port = await echo()
    cable = Proxy(lambda: port)
    await cable.listen()
    cable.mode = "silent"
    with pytest.raises(TimeoutError):
        await said(cable.port, b"hello", within=0.3)
    await cable.close()
    server.close()


def test_what_a_process_holds_is_seen_from_outside(tmp_path: Path) -> None:
    file = tmp_path / "written"
    before = watch.held(os.getsid(0))
    mine = os.getsid(0)
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        socket.create_connection(listening.getsockname()),
        file.open("w"),
    ):
        host, port = listening.getsockname()
        assert f"tcp {host}:{port}" in watch.listening(mine)
        assert (host, port) in watch.connected(mine)
        assert str(file) in watch.written(mine)
        assert watch.held(mine).fds >= before.fds + 3
    assert str(file) not in watch.written(mine)


def test_what_is_said_of_one_offer_goes_before_what_is_said_of_all(tmp_path: Path) -> None:
    file = tmp_path / "conformance.toml"
    file.write_text(
        "sim = 'x {port}'\nnetwork = false\n[settings]\na = 1\n[offers.two.settings]\nb = 2\n"
    )
    profile = read_profile(file)

    assert profile.of("one").settings == {"a": 1}
    assert profile.of("two").settings == {"b": 2}
    assert profile.of("two").network is False


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("simulator = 'x'", "simulator: Extra inputs are not permitted"),
        ("settings = 3", "settings: Input should be a valid dictionary"),
        ("= 3", "is no TOML"),
    ],
)
def test_a_wrong_profile_is_told(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "conformance.toml"
    file.write_text(text)
    with pytest.raises(BedplateError, match=told):
        read_profile(file)


async def nothing(bench: Any) -> str:
    return ""


def report(*outcomes: tuple[str, str], places: tuple[str, ...] = ("process", "inline")) -> Report:
    made = Report("x", "connector", "x", "1", "0", places, ("process", "inline"), True)
    for number, (level, outcome) in enumerate(outcomes):
        check = Check(f"X-{number}", "t", "w.", level, "§1", (), "", ("process",), nothing)
        made.verdicts.append(Verdict(check, "g", "process", outcome, 0.0, ""))
    return made


def test_the_grade_is_what_the_checks_add_up_to() -> None:
    assert report((MUST, PASSED), (SHOULD, PASSED), (MUST, SKIPPED)).grade == "Full"
    assert report((MUST, PASSED), (SHOULD, FAILED)).grade == "Basic"
    assert report((MUST, PASSED), (SHOULD, NOT_RUN)).grade == "Basic"
    assert report((MUST, PASSED), places=("process",)).grade == "Basic"
    assert report((MUST, NOT_RUN)).grade == "none"
    assert report((MUST, FAILED), (SHOULD, PASSED)).grade == "none"
    assert report((MUST, PASSED), places=("inline",)).grade == "none"


async def test_a_simulator_is_frozen_stopped_and_started_on_the_same_port() -> None:
    from bedplate.testing.conformance.simulator import Simulator

    program = Path(__file__).parents[1] / "mutants/device.py"
    simulator = Simulator(f"{sys.executable} {program} {{port}}", program.parent)
    await simulator.start()
    port = simulator.port
    await simulator.stop()
    with pytest.raises(ConnectionRefusedError):
        await said(port, b"R 1\n")
    await simulator.start()
    try:
        assert (await said(port, b"R 1\n")).startswith(b"1.")
    finally:
        await simulator.close()
