"""A real network between the kernel and a plugin elsewhere, taken down in the ways that firewalls, switches and cables
have: what was handed over is there once, in order, and the plugin is back soon after the network is."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.end_to_end.site import RIGS, Site, running, until
from tests.faults.namespace import Namespace, needed
from tests.remote.certificates import Authority
from tests.remote.test_cuts import numbers, whole
from tests.runtime.plant import value

BEDPLATE = Path(sys.executable).with_name("bedplate")
SEED = int(os.environ.get("BEDPLATE_SEED", random.randrange(2**32)))
TEXT = """
bedplate: 1
name: partition
plugins: {listen: "NEAR:0", tls: TLS}
connectors:
  p: {use: counting, placement: remote, process: box, pause: 0.005, tags: {number: {address: a}}}
journal: {folder: journal, sync: 50ms}
"""
FLAPS = 20


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needed()
    monkeypatch.setenv("BEDPLATE_HOME", str(tmp_path / "home"))
    print(f"replay: BEDPLATE_SEED={SEED} make test ARGS=tests/faults/test_partition.py")


@asynccontextmanager
async def apart(folder: Path) -> AsyncIterator[tuple[Site, Namespace]]:
    """A platform here, and `bedplate attach` in a namespace of its own."""
    authority = Authority()
    with Namespace() as there:
        tls = authority.kernel(folder / "tls", address=ipaddress.IPv4Address(there.near))
        place = authority.place(folder / "box", "box")
        text = TEXT.replace("NEAR", there.near).replace("TLS", str(tls))
        async with running(folder, text, plugins=[RIGS]) as site:
            assert site.platform
            program = await asyncio.create_subprocess_exec(
                *there(str(BEDPLATE), "attach", site.platform.kernel.remote_address, "counting"),
                *("--plugin", str(RIGS), "--tls", str(place)),
                stdout=asyncio.subprocess.DEVNULL,
            )
            try:
                await until(lambda: newest(site), within=40)
                yield site, there
            finally:
                program.terminate()
                await program.wait()


def newest(site: Site) -> int:
    assert site.platform
    return int(value(site.platform.kernel, "p/number") or 0)


async def goes_on(site: Site, within: float) -> None:
    """New numbers come."""
    before = newest(site)
    await until(lambda: newest(site) > before, within=within)


@pytest.mark.slow
async def test_dropped_refused_and_unplugged_nothing_handed_over_is_lost_or_doubled(
    tmp_path: Path,
) -> None:
    dice = random.Random(SEED)
    async with apart(tmp_path) as (site, there):
        for trouble in (there.drop, there.refuse, there.unplug):
            await trouble()
            await asyncio.sleep(1)
            before = newest(site)
            await asyncio.sleep(dice.uniform(0.5, 5.0))
            assert newest(site) == before, "the network was not down"
            await there.heal()
            await goes_on(site, within=30)
        for _ in range(FLAPS):
            await dice.choice((there.drop, there.refuse))()
            await asyncio.sleep(dice.uniform(0.0, 0.3))
            await there.heal()
            await asyncio.sleep(dice.uniform(0.0, 0.3))
        await goes_on(site, within=30)
        assert site.platform
        assert whole(await numbers(site.platform.kernel.engine, good=True))
