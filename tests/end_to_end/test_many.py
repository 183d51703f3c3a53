"""Two hundred devices in one process: they start, deliver, share out the second, and a slow one slows itself alone."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import numpy as np
import pytest
import pytest_asyncio
from tests.end_to_end.listening import Listening
from tests.end_to_end.site import RIGS, Site, running, until

pytestmark = pytest.mark.asyncio(loop_scope="module")
DEVICES = 200
SCAN = 1.0  # s
ROWS = ", ".join(f"d{number:03}: {{}}" for number in range(DEVICES))
PLANT = f"""
bedplate: 1
name: many
path: plant
scan_classes: {{normal: 1s, hasty: 200ms}}
types: {{device: {{use: counter, tags: {{one: {{address: r1}}, two: {{address: r2}}}}}}}}
connectors:
  devices: {{type: device, each: {{{ROWS}}}}}
  slow: {{use: slow, tags: {{count: {{address: r, scan: hasty}}}}}}
journal: {{folder: journal}}
"""
SLOW = '''import asyncio

from bedplate import Connector


class Slow(Connector):
    """Takes 0.7 s for a read, and notices when a second one begins meanwhile."""

    async def open(self):
        self.count, self.inside = 0, 0

    async def read(self, tags):
        self.inside += 1
        await asyncio.sleep(0.7)
        self.count += 1
        together, self.inside = self.inside, self.inside - 1
        return [self.count if together == 1 else -1 for _ in tags]
'''


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def started(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Site, float]]:
    """The site, and how long it took until every device had delivered (s)."""
    folder = tmp_path_factory.mktemp("plant")
    (folder / "slow.py").write_text(SLOW)
    began = time.monotonic()
    async with running(folder, PLANT, plugins=[RIGS, folder / "slow.py"]) as site:

        async def delivered() -> bool:
            return (await site.client.current("d*/**")).samples == 2 * DEVICES

        await until(delivered, 60)
        yield site, time.monotonic() - began


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def seconds(started: tuple[Site, float]) -> dict[str, list[tuple[float, int]]]:
    """Of some seconds, by stream: when each sample was received (s), and its number."""
    found: dict[str, list[tuple[float, int]]] = {}
    async with Listening(started[0].address, "d*/one", "slow/**", credit=1000) as listening:
        end = time.time() + 4.2
        while not listening.records or listening.records[-1].received < end * 1e9:
            await listening.take()
        for record, batch in listening.batches():
            kept = found.setdefault(record.stream, [])
            kept += [(record.received / 1e9, value) for value in batch.value.tolist()]
    return found


async def test_two_hundred_components_of_one_process_deliver_within_10_s(
    started: tuple[Site, float],
) -> None:
    site, took = started
    assert took < 10
    status = await site.client.status()
    (process,) = [one for one in status.processes if "d000" in one.components]
    assert len(process.components) == DEVICES
    assert {one.state for one in status.components} == {"up"}
    assert process.restarts == 0


async def test_devices_share_out_the_second(seconds: dict[str, list[tuple[float, int]]]) -> None:
    """Each at its own phase, and at the same one each time."""
    phases: list[float] = []
    for stream, came in seconds.items():
        if stream == "slow/live":
            continue
        numbers = [number for _, number in came]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), "none is left out"
        assert len(came) in {3, 4, 5, 6}, "once a second, as far as a busy machine lets it"
        turn = [at % 1 * 2 * np.pi for at, _ in came]
        phases.append(float(np.angle(np.exp(1j * np.array(turn)).mean()) / 2 / np.pi % 1))
    assert len(phases) == DEVICES
    tenths, _ = np.histogram(phases, 10, (0, 1))
    # all at the full second would be 200 in one tenth; a busy machine bunches what is due while it is away
    assert tenths.max() < DEVICES / 10 * 4


async def test_a_slow_device_is_skipped_and_never_asked_twice_at_once(
    started: tuple[Site, float], seconds: dict[str, list[tuple[float, int]]]
) -> None:
    times = [at for at, _ in seconds["slow/live"]]
    numbers = [number for _, number in seconds["slow/live"]]
    assert -1 not in numbers
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert np.diff(times).min() > 0.6
    before = skipped(started[0])
    await until(lambda: skipped(started[0])["slow"] >= before["slow"] + 6)
    after = skipped(started[0])
    neighbours = [after[name] - before[name] for name in after if name != "slow"]
    assert sum(neighbours) <= DEVICES * 0.02, "they are asked when they are due"


def skipped(site: Site) -> dict[str, int]:
    """Scans that were left out, by component."""
    assert site.platform
    components = site.platform.kernel.components
    return {name: one.role.figures.skipped for name, one in components.items()}
