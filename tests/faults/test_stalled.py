"""R11: subscribers that have all the credit they want and never read. Others are served, and memory is bounded."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from tests.end_to_end.listening import Listening
from tests.end_to_end.program import Program
from tests.end_to_end.site import RIGS, until

from bedplate.client import AsyncClient, connect_async

STALLED = 20
QUESTIONS = 200
SOON = 2.0  # s; printed is what it took
MIB = 1 << 20
PLANT = """
bedplate: 1
name: stalled
connectors:
  push: {use: counting, tags: {number: {address: a}}}
journal: {folder: journal, sync: 20ms}
"""


@pytest.mark.slow
async def test_stalled_subscribers_hold_up_nobody_and_take_little(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BEDPLATE_HOME", str(tmp_path / "home"))
    async with (
        Program(tmp_path, PLANT, plugins=[RIGS]) as program,
        AsyncExitStack() as stalled,
    ):
        await program.start()
        async with connect_async(program.address) as client:
            await until(lambda: samples(client), within=30)
            before = memory(program)
            for _ in range(STALLED):
                subscriber = Listening(program.address, "**", credit=1_000_000)
                await stalled.enter_async_context(subscriber)
            took: list[float] = []
            first = await samples(client)
            for _ in range(QUESTIONS):
                began = time.perf_counter()
                async with asyncio.timeout(SOON):
                    await client.status()
                took.append(time.perf_counter() - began)
                await asyncio.sleep(0.02)
            came = await samples(client) - first
            assert came > 1000, "values go on coming"
        grown = (memory(program) - before) / MIB
    with capsys.disabled():
        last = sorted(took)[int(QUESTIONS * 0.99)] * 1e3
        print(
            f" [a call takes at most {last:.0f} ms (p99), {came} samples, +{grown:.0f} MiB] ",
            end="",
        )
    assert grown < 150


async def samples(client: AsyncClient) -> int:
    return sum(one.samples for one in (await client.status()).components)


def memory(program: Program) -> int:
    """Resident bytes of the kernel."""
    assert program.process
    status = Path(f"/proc/{program.process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024
