"""A subscriber in a process of its own: python -m tests.benchmarks.subscriber ADDRESS burst | latency SECONDS.

Takes everything from Live.Subscribe and decodes it to columns. `burst` tells, after each burst of sources.Burst, when
it began, when the source heard that it is on disk and when the last sample was here; `latency` tells every so many
seconds how old the samples of each component were on arrival. One line of JSON each; the first says that it listens.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any

import grpc.aio
import numpy as np
from numpy.typing import NDArray

from bedplate.api.v1 import api_pb2
from bedplate.client.failures import resume_token
from bedplate.endpoints import find
from bedplate.model import Batch
from bedplate.wire import decode_batch, twin

CREDIT, RETURNED = 64, 16
METHOD = "/bedplate.api.v1.Live/Subscribe"
OPTIONS = (("grpc.max_receive_message_length", 64 << 20),)


def say(**fact: Any) -> None:
    print(json.dumps(fact), flush=True)


class Listening:
    """Live.Subscribe. Goes on with the token when it was cut for being too slow; cuts: how often."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._token = b""
        self._paths: dict[int, str] = {}
        self.cuts = 0

    async def updates(self) -> AsyncIterator[tuple[dict[int, str], list[Batch]]]:
        """Paths by handle, and what came with one response."""
        async with grpc.aio.insecure_channel(self._address, options=OPTIONS) as channel:
            while True:
                try:
                    async for update in self._once(channel):
                        yield update
                except grpc.aio.AioRpcError as error:
                    if (token := resume_token(error)) is None:
                        raise
                    self._token = token
                    self.cuts += 1

    async def _once(self, channel: Any) -> AsyncIterator[tuple[dict[int, str], list[Batch]]]:
        call = channel.stream_stream(
            METHOD,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=twin(api_pb2.SubscribeResponse).FromString,
        )(metadata=(("authorization", f"Bearer {find(self._address).token}"),))
        open_ = api_pb2.SubscribeOpen(credit=CREDIT, resume_token=self._token)
        await call.write(api_pb2.SubscribeRequest(open=open_))
        if not self._token:
            say(listens=True)
        taken = 0
        while (response := await call.read()) is not grpc.aio.EOF:
            if response.lost:
                raise ConnectionError(f"{response.lost} records were no longer there")
            for table in response.tables:
                self._paths.update((tag.handle, tag.path) for tag in table.tags)
            yield self._paths, [decode_batch(r.batch) for r in response.records if r.batch]
            taken += 1
            if taken % RETURNED == 0:
                await call.write(api_pb2.SubscribeRequest(credit=RETURNED))
        raise ConnectionError("the kernel ended the subscription")


async def bursts(address: str) -> None:
    samples, newest, marks = 0, 0.0, dict[str, float]()
    listening = Listening(address)
    async for paths, batches in listening.updates():
        for batch in batches:
            name = paths[int(batch.tag[0])].rpartition("/")[2]
            if name in ("began", "synced"):  # both may come as one batch
                names = [paths[handle].rpartition("/")[2] for handle in batch.tags().tolist()]
                marks.update(zip(names, batch.value.tolist(), strict=True))
            else:
                samples += len(batch)
                newest = time.monotonic()
        if "synced" in marks:
            say(samples=samples, here=newest, cuts=listening.cuts, **marks)
            samples, marks = 0, {}


async def latencies(address: str, seconds: float) -> None:
    found: defaultdict[str, list[NDArray[Any]]] = defaultdict(list)
    until = time.monotonic() + seconds
    async for paths, batches in Listening(address).updates():
        now = time.monotonic()
        for batch in batches:
            component = paths[int(batch.tag[0])].split("/")[1]
            found["notified" if component == "notified" else "read"].append(now - batch.value)
        if now >= until:
            say(**{name: summary(np.concatenate(ages)) for name, ages in found.items()})
            found.clear()
            until = now + seconds


def summary(ages: NDArray[Any]) -> dict[str, float]:
    p50, p99 = np.percentile(ages, (50, 99))
    return {"samples": len(ages), "p50": float(p50), "p99": float(p99)}


def main(address: str, mode: str, seconds: str = "") -> None:
    try:
        asyncio.run(bursts(address) if mode == "burst" else latencies(address, float(seconds)))
    except (grpc.aio.AioRpcError, ConnectionError) as error:
        print(error.details() if isinstance(error, grpc.aio.AioRpcError) else error, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
