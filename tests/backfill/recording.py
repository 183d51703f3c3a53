"""A plant whose OPC UA server goes on recording while the network to it is cut."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from plugins.opcua.tests.peer import NAMESPACE, Server, free_port
from tests.remote.proxy import Proxy

NAMES = ("Recorded0", "Recorded1")
PLANT = """
bedplate: 1
name: recording
scan_classes: {fast: 100ms}
connectors:
  press:
    use: opcua
    placement: PLACE
    path: hall/press
    endpoint_url: opc.tcp://AT/test
    security_policy: None
    publishing_interval: 100ms
    sampling_interval: 20ms
    queue_size: 100
    request_timeout: 1s
    address_prefix: "nsu=NAMESPACE;s="
    scan: fast
    tags:
      Recorded0: {address: Recorded0}
      Recorded1: {address: Recorded1, scale: {raw: [0, 1000], to: [0, 2000]}}
      spike: {address: Recorded2}
      plain: {address: Oil.Temp}
  history: {use: history, placement: PLACE, deliver: ["**"], folder: history, seal: {rows: 60, age: 1s}}
analytics:
  high:
    use: alarms
    placement: PLACE
    for: press
    limits: {spike: {tag: spike, high: 4000, priority: high, do: nothing}}
journal: {folder: journal, sync: 50ms}
api: {listen: "127.0.0.1:0"}
"""


@asynccontextmanager
async def network(server: Server) -> AsyncIterator[Proxy]:
    proxy = Proxy(f"127.0.0.1:{server.port}")
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.stop()


def cut(proxy: Proxy) -> None:
    proxy.target = f"127.0.0.1:{free_port()}"
    proxy.reset()


def plant(proxy: Proxy) -> str:
    return PLANT.replace("AT", proxy.address, 1).replace("NAMESPACE", NAMESPACE)


def said(server: Server, name: str, after: int = 0) -> list[tuple[int, int]]:
    """(value, source time in ms) of all that the server had."""
    return [(value, at) for value, at, _ in server.do("said", node=name)["said"] if at > after]


async def kept(client: Any, name: str) -> list[tuple[int, int]]:
    """The same, of what the history has: Good values, those that the kernel put in between left out."""
    series = (await client.history(f"hall/press/{name}", last="2h"))[f"hall/press/{name}"]
    rows = zip(
        series.value.tolist(),
        series.time.astype("datetime64[ns]").astype("int64").tolist(),
        series.quality.tolist(),
        strict=True,
    )
    return [(int(value), time // 1_000_000) for value, time, code in rows if code == 0]
