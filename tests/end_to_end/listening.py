"""A subscriber that speaks bedplate.api.v1 itself, record by record, and gives as much credit as its test wants."""

from __future__ import annotations

from typing import Any, Self

import grpc
import grpc.aio

from bedplate.api.v1 import api_pb2
from bedplate.client import calls
from bedplate.endpoints import find
from bedplate.model import Batch, Body, Record
from bedplate.wire import decode_batch, record_of


class Listening:
    """One Live.Subscribe. paths: of the handles it was told · records: all that came, in order · token: newest one ·
    lost: what the kernel said it had lost."""

    def __init__(self, address: str, *selectors: str, **opening: Any) -> None:
        self._channel = grpc.aio.insecure_channel(address, options=calls.OPTIONS)
        self.call = calls.Calls(self._channel, find(address).token)(calls.SUBSCRIBE, None)
        opened = api_pb2.SubscribeOpen(selectors=selectors, **opening)
        self._opening = api_pb2.SubscribeRequest(open=opened)
        self.paths: dict[tuple[int, int], str] = {}
        self.records: list[Record] = []
        self.token = b""
        self.lost = 0

    async def __aenter__(self) -> Self:
        await self.call.write(self._opening)
        return self

    async def __aexit__(self, *error: object) -> None:
        self.call.cancel()
        await self._channel.close()

    async def grant(self, credit: int) -> None:
        await self.call.write(api_pb2.SubscribeRequest(credit=credit))

    async def take(self) -> Any:
        """The next response. Raises grpc.aio.AioRpcError when the kernel ended the call."""
        response = await self.call.read()
        if response is grpc.aio.EOF:
            raise grpc.aio.AioRpcError(
                await self.call.code(),
                await self.call.initial_metadata(),
                await self.call.trailing_metadata(),
                await self.call.details(),
            )
        for table in response.tables:
            self.paths |= {(table.epoch, tag.handle): tag.path for tag in table.tags}
        self.records += map(record_of, response.records)
        self.token = response.resume_token
        self.lost += response.lost
        return response

    async def take_until(self, count: int) -> None:
        """Takes responses, each with a new credit, until there are so many records."""
        while len(self.records) < count:
            await self.take()
            await self.grant(1)

    def batches(self) -> list[tuple[Record, Batch]]:
        return [(r, decode_batch(r.payload)) for r in self.records if r.kind is Body.BATCH]

    def values(self, tail: str) -> list[Any]:
        """Of the tag whose path ends so, in order of arrival."""
        return [
            value
            for record, batch in self.batches()
            for handle, value in zip(batch.tags().tolist(), batch.value.tolist(), strict=True)
            if self.paths[record.epoch, handle].endswith(tail)
        ]
