"""A program that leaves its parent, its session and its environment is counted and ended all the same."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.plant import OFFERS, RigOffer, plant, until, value

HIDES = '''import subprocess
import time

from bedplate import Connector

WHERE = "{folder}/pid"
HIDDEN = "import os, time; open('{folder}/pid', 'w').write(str(os.getpid())); time.sleep(3600)"


class Hides(Connector):
    """Starts one that nobody is to find."""

    def open(self):
        words = ["setsid", "--fork", "{python}", "-I", "-S", "-c", HIDDEN]
        subprocess.run(words, env={{}}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, close_fds=True)
        for _ in range(500):
            if (told := open(WHERE).read() if __import__("os").path.exists(WHERE) else ""):
                break
            time.sleep(0.02)
        self.pid = int(told)

    def read(self, tags):
        return [self.pid for _ in tags]
'''
TEXT = "connectors: {h: {use: hides, tags: {pid: {address: a}}}}"


def hiding(folder: Path) -> dict[str, RigOffer]:
    file = folder / "hides.py"
    file.write_text(HIDES.format(folder=folder, python=sys.executable))
    hides = RigOffer("hides", "connector", ("read",), "hides:Hides", plugin="hides.py", file=file)
    return OFFERS | {"hides": hides}


async def counted(kernel: Any) -> int:
    """The number of the hidden one, once the kernel counts it as its plugin's."""
    pid: int = await until(lambda: value(kernel, "h/pid"))
    run = kernel.components["h"].place.run
    async with asyncio.timeout(30):
        while pid not in (await kernel.census.taken(run.pid, run._mark)).pids:
            await asyncio.sleep(0.05)
    return pid


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bedplate.runtime.census.EVERY", 0.1)


@pytest.mark.usefixtures("often")
async def test_who_hides_is_counted_and_ends_with_its_plugin(tmp_path: Path) -> None:
    async with plant(tmp_path, TEXT, offers=hiding(tmp_path)) as kernel:
        pid = await counted(kernel)
        assert not Path(f"/proc/{pid}/environ").read_bytes()
        (tmp_path / "pid").unlink()
        os.kill(kernel.components["h"].place.run.pid, signal.SIGKILL)
        await until(lambda: not alive(pid))
        second = await until(lambda: value(kernel, "h/pid") not in (None, pid) and counted, 30)
        assert second
        last = await counted(kernel)
    await until(lambda: not alive(last))


KILLED = """
import asyncio
from pathlib import Path
from tests.faults.test_hidden import TEXT, counted, hiding
from tests.runtime.plant import plant

async def main():
    folder = Path(FOLDER)
    async with plant(folder, TEXT, offers=hiding(folder)) as kernel:
        print(await counted(kernel), flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_who_hides_does_not_outlive_a_killed_kernel(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED.replace("FOLDER", repr(str(tmp_path))),
        stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert process.stdout
    try:
        pid = int(await asyncio.wait_for(process.stdout.readline(), 40))
        assert alive(pid)
    finally:
        process.kill()
        await process.wait()
    await until(lambda: not alive(pid))
