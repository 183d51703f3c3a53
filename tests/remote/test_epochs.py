"""Handles mean nothing across epochs: a reader that is behind gets each record with the table of its own."""

from __future__ import annotations

import asyncio
from typing import Any

from bedplate import Connector, DataType
from bedplate.contracts import Delivery
from bedplate.model import TagInfo
from bedplate.plugin.v1 import plugin_pb2
from bedplate.record.v1 import record_pb2
from bedplate.remote.kinds import KINDS
from bedplate.remote.side import PluginSide
from bedplate.runtime.requests import Deliver, Open
from bedplate.wire import table_message, twin

KIND = KINDS["connector"]


class Sink(Connector):
    seen: list[str]

    def open(self) -> None:
        self.seen = []

    def deliver(self, delivery: Delivery) -> int:
        paths.append(delivery.table[1].path)
        return delivery.until


paths: list[str] = []


async def test_a_handle_may_mean_another_path_in_the_next_epoch() -> None:
    replies: list[Any] = []
    side = PluginSide(KIND, {"sink": Sink}, lambda message: replies.extend(message.replies))
    side.receive(KIND.to(asks=[KIND.ask(id=1, component="sink", open=Open(use="sink", epoch=2))]))
    for number, (epoch, path) in enumerate([(1, "a/old"), (2, "a/new")], 2):
        table = table_message(epoch, "a/live", [TagInfo(1, path, DataType.FLOAT64)])
        tables = [twin(record_pb2.TagTable).FromString(table.SerializeToString())]
        deliver = Deliver(tables=tables, until=number)
        side.receive(KIND.to(asks=[KIND.ask(id=number, component="sink", deliver=deliver)]))
    async with asyncio.timeout(5):
        while len(replies) < 3:
            await asyncio.sleep(0.01)

    assert [reply.answer.code for reply in replies] == [plugin_pb2.CODE_OK] * 3
    assert paths == ["a/old", "a/new"]
    await side.shutdown()
