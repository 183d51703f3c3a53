"""CPU per value of our subscription against asyncua alone: python -m plugins.opcua.tests.bench_opcua [rounds] [seconds]

A node-opcua server in a process of its own changes all values at a fixed rate. The client process takes them in turns:
asyncua with a handler that counts; asyncua's low-level callback, which spares it a task per value; our connector with
a `send` that counts. CPU is that of the client process in the window between the first values and the end.
"""

from __future__ import annotations

import asyncio
import logging
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncua
from plugins.opcua.tests.peer import Server, built, done, tags_for

from bedplate import Batch

PUBLISH = 0.1
WARM_UP = 1.5
CASES = ((1_000, 1.0), (1_000, 0.1), (5_000, 1.0), (5_000, 0.2))
"""Monitored items, and seconds between two changes of each."""
ua: Any = asyncua.ua


@dataclass
class Window:
    """values: received in it; cpu, wall: seconds; foreign: share of one core that others used."""

    values: int
    cpu: float
    wall: float
    foreign: float

    @property
    def micro(self) -> float:
        return self.cpu / max(self.values, 1) * 1e6


class Counter:
    """Counts values in the forms in which the three ways deliver them."""

    def __init__(self) -> None:
        self.values = 0

    def datachange_notification(self, node: Any, value: Any, data: Any) -> None:
        self.values += 1

    async def published(self, result: Any) -> None:
        for notification in result.NotificationMessage.NotificationData or ():
            for item in notification.MonitoredItems:
                if item.Value.Value is not None:
                    self.values += 1

    async def batch(self, batch: Batch) -> Awaitable[None]:
        self.values += len(batch)
        return done()


async def window(server: Server, counter: Counter, seconds: float) -> Window:
    await asyncio.sleep(WARM_UP)
    busy, theirs = machine_cpu(), process_cpu(server.process.pid)
    values, cpu, began = counter.values, time.process_time(), time.perf_counter()
    await asyncio.sleep(seconds)
    used, wall = time.process_time() - cpu, time.perf_counter() - began
    foreign = (machine_cpu() - busy) - (process_cpu(server.process.pid) - theirs) - used
    return Window(counter.values - values, used, wall, max(foreign, 0) / wall)


async def asyncua_alone(server: Server, items: int, seconds: float) -> Window:
    counter = Counter()
    async with asyncua.Client(server.url) as client:
        subscription = await client.create_subscription(PUBLISH * 1000, counter)
        nodes = [client.get_node(ua.NodeId(100_000 + i, 1)) for i in range(items)]
        for start in range(0, items, 500):
            await subscription.subscribe_data_change(
                nodes[start : start + 500], queuesize=10, sampling_interval=PUBLISH * 1000
            )
        return await window(server, counter, seconds)


async def asyncua_callback(server: Server, items: int, seconds: float) -> Window:
    counter = Counter()
    async with asyncua.Client(server.url) as client:
        wish = ua.CreateSubscriptionParameters(PUBLISH * 1000, 10_000, 20, 10_000, True, 0)
        created = await client.uaclient.create_subscription(wish, counter.published)
        for start in range(0, items, 500):
            parameters = ua.CreateMonitoredItemsParameters()
            parameters.SubscriptionId = created.SubscriptionId
            parameters.TimestampsToReturn = ua.TimestampsToReturn.Both
            parameters.ItemsToCreate = [_item(i) for i in range(start, min(start + 500, items))]
            await client.uaclient.create_monitored_items(parameters)
        return await window(server, counter, seconds)


def _item(number: int) -> Any:
    item = ua.MonitoredItemCreateRequest()
    item.ItemToMonitor.NodeId = ua.NodeId(100_000 + number, 1)
    item.ItemToMonitor.AttributeId = ua.AttributeIds.Value
    item.MonitoringMode = ua.MonitoringMode.Reporting
    item.RequestedParameters = ua.MonitoringParameters(number, PUBLISH * 1000, None, 10, True)
    return item


async def ours(server: Server, items: int, seconds: float) -> Window:
    counter = Counter()
    tags = tags_for(*(f"ns=1;i={100_000 + i}" for i in range(items)), scan=PUBLISH)
    connector = built(server.url, tags, publishing_interval="100ms")
    await connector.open()
    feed = asyncio.create_task(connector.subscribe(tags, counter))  # type: ignore[arg-type]
    try:
        return await window(server, counter, seconds)
    finally:
        feed.cancel()
        await asyncio.gather(feed, return_exceptions=True)
        await connector.close()


WAYS: dict[str, Callable[[Server, int, float], Awaitable[Window]]] = {
    "asyncua": asyncua_alone,
    "asyncua callback": asyncua_callback,
    "ours": ours,
}


def measure(items: int, period: float, rounds: int, seconds: float) -> dict[str, list[Window]]:
    """Windows of each way, taken in turns."""
    found: dict[str, list[Window]] = {name: [] for name in WAYS}
    with tempfile.TemporaryDirectory() as folder:
        bulk = {"count": items, "period": round(period * 1000)}
        server = Server(Path(folder), bulk=bulk)
        try:
            for turn in range(rounds):
                names = list(WAYS)
                for name in names[turn % len(names) :] + names[: turn % len(names)]:
                    found[name].append(asyncio.run(WAYS[name](server, items, seconds)))
        finally:
            server.kill()
    return found


def machine_cpu() -> float:
    """Busy seconds of all cores since boot."""
    fields = [int(n) for n in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    return (sum(fields) - fields[3] - fields[4]) / 100


def process_cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def row(name: str, windows: list[Window], expected: float, base: list[Window]) -> str:
    micro = [one.micro for one in windows]
    ratios = [mine.micro / other.micro for mine, other in zip(windows, base, strict=True)]
    spread = (max(micro) - min(micro)) / statistics.median(micro)
    rate = statistics.median(one.values / one.wall for one in windows)
    foreign = statistics.median(one.foreign for one in windows)
    ratio = statistics.median(ratios)
    return (
        f"  {name:17} {statistics.median(micro):7.2f} µs/value  spread {spread:4.0%}  ratio {ratio:5.2f}"
        f"  {rate:8.0f} values/s = {rate / expected:4.0%} of sent  foreign CPU {foreign:4.0%}"
    )


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 4.0
    logging.getLogger("asyncua").setLevel(logging.CRITICAL)
    print(f"{rounds} rounds of {seconds:.0f} s, taken in turns; ratio to asyncua, medians")
    for items, period in CASES:
        found = measure(items, period, rounds, seconds)
        print(f"{items} items, each changes every {period * 1000:.0f} ms")
        for name, windows in found.items():
            print(row(name, windows, items / period, found["asyncua"]), flush=True)


if __name__ == "__main__":
    main()
