"""CPU per register: the connector against pymodbus alone, reading the same blocks from the same server.

    python plugins/modbus/tests/bench_modbus.py

The server is a bare asyncio protocol in a process of its own, so that the client is the limit. Rounds of both are
interleaved; CPU is the client process's own (user and system). Foreign CPU: what neither client nor server used of the
machine meanwhile, in cores.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pymodbus.client import AsyncModbusTcpClient

from bedplate import Tag
from bedplate_modbus import Modbus

ROUNDS = 11
WORDS = b"\x42\xf6\xe9\x79" * 63  # 123.456 as float32 ABCD, again and again

Read = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Case:
    """blocks requests of `span` registers, which hold `span / width` tags of this data type."""

    name: str
    data_type: str
    width: int
    span: int
    blocks: int
    repeat: int


CASES = [
    Case("125 registers, uint16", "uint16", 1, 125, 8, 60),
    Case("124 registers, float32", "float32", 2, 124, 8, 60),
    Case("10 registers, float32", "float32", 2, 10, 8, 120),
    Case("1 register, uint16", "uint16", 1, 1, 8, 120),
]


class Server(asyncio.Protocol):
    """Answers every request for registers with WORDS."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        size = 2 * int.from_bytes(data[10:12])
        head = data[:4] + (size + 3).to_bytes(2) + data[6:8] + bytes([size])
        self.transport.write(head + WORDS[:size])  # type: ignore[attr-defined]


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def server() -> Iterator[tuple[int, int]]:
    """Port and process id."""
    with subprocess.Popen([sys.executable, __file__, "serve"], stdout=subprocess.PIPE) as process:
        assert process.stdout
        try:
            yield int(process.stdout.readline()), process.pid
        finally:
            process.kill()


async def connector(port: int, case: Case) -> Modbus:
    modbus = Modbus()
    modbus.config = Modbus.Config(host="127.0.0.1", port=port, data_type=case.data_type, max_gap=0)  # type: ignore[arg-type]
    starts = [200 * block for block in range(case.blocks)]
    addresses = [a for start in starts for a in range(start, start + case.span, case.width)]
    modbus.tags = [Tag(i, f"t{i}", address) for i, address in enumerate(addresses, 1)]
    await modbus.open()
    return modbus


def alone(client: AsyncModbusTcpClient, case: Case, *, convert: bool) -> Read:
    """pymodbus: the same requests, as registers, or as the values of its own conversion."""
    kind = {"uint16": client.DATATYPE.UINT16, "float32": client.DATATYPE.FLOAT32}[case.data_type]

    async def read() -> object:
        found: list[object] = []
        for block in range(case.blocks):
            answer = await client.read_holding_registers(200 * block, count=case.span)
            registers = answer.registers
            if convert:
                for i in range(0, case.span, case.width):
                    found.append(client.convert_from_registers(registers[i : i + case.width], kind))
            else:
                found.append(registers)
        return found

    return read


def used_by(pid: int) -> float:
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def busy() -> float:
    with open("/proc/stat") as stat:
        fields = [int(field) for field in stat.readline().split()[1:]]
    return (sum(fields[:3]) + sum(fields[5:8])) / os.sysconf("SC_CLK_TCK")


@dataclass
class Figures:
    """us of CPU per register, by contestant, one entry for each round; foreign: cores."""

    cpu: dict[str, list[float]]
    foreign: float


async def measure(case: Case, port: int, pid: int) -> Figures:
    modbus = await connector(port, case)
    client = AsyncModbusTcpClient("127.0.0.1", port=port)
    await client.connect()
    contestants: dict[str, Read] = {
        "pymodbus": alone(client, case, convert=False),
        "bedplate": lambda: modbus.read(modbus.tags),
        "pymodbus, converted": alone(client, case, convert=True),
    }
    cpu: dict[str, list[float]] = {name: [] for name in contestants}
    for read in contestants.values():
        for _ in range(10):
            await read()
    began, before = time.monotonic(), busy() - used_by(pid) - time.process_time()
    for turn in range(ROUNDS):
        order = list(contestants)[turn % 3 :] + list(contestants)[: turn % 3]
        for name in order:
            start = time.process_time()
            for _ in range(case.repeat):
                await contestants[name]()
            registers = case.repeat * case.blocks * case.span
            cpu[name].append((time.process_time() - start) / registers * 1e6)
    foreign = (busy() - used_by(pid) - time.process_time() - before) / (time.monotonic() - began)
    client.close()
    await modbus.close()
    return Figures(cpu, max(0.0, foreign))


def shown(case: Case, figures: Figures) -> str:
    base = statistics.median(figures.cpu["pymodbus"])
    parts = []
    for name, found in figures.cpu.items():
        middle = statistics.median(found)
        spread = (max(found) - min(found)) / middle * 100
        parts.append(f"{name} {middle:7.3f} us ±{spread / 2:3.0f} % = {middle / base:4.2f}x")
    return f"{case.name:24} {'   '.join(parts)}   foreign {figures.foreign:.2f}"


def ratios() -> dict[str, float]:
    """CPU per register over that of pymodbus alone, by case; prints the table on the way."""
    found = {}
    with server() as (port, pid):
        for case in CASES:
            figures = asyncio.run(measure(case, port, pid))
            print(shown(case, figures), flush=True)
            medians = {name: statistics.median(rounds) for name, rounds in figures.cpu.items()}
            found[case.name] = medians["bedplate"] / medians["pymodbus"]
    return found


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        asyncio.run(serve())
    else:
        print(
            f"CPU per register, {ROUNDS} interleaved rounds, medians; wanted: at most 1.3x pymodbus alone"
        )
        raise SystemExit(max(ratios().values()) > 1.3)
