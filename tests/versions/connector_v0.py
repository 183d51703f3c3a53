"""The adapter file of an older major: what the one in the kernel would be, 80 lines.

Messages are made from the descriptor set beside it (`protoc --descriptor_set_out`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.message_factory import GetMessages

from bedplate.errors import ProtocolError
from bedplate.model import Batch, DataType, quality
from bedplate.plugin.v1 import plugin_pb2
from bedplate.remote.kinds import KINDS
from bedplate.remote.majors import Major
from bedplate.wire import encode_batch

SERVICE = "bedplate.connector.v0.Host"
CONNECTOR = KINDS["connector"]
OK, AWAY = plugin_pb2.CODE_OK, plugin_pb2.CODE_UNREACHABLE


def messages() -> dict[str, Any]:
    """name → class, from the descriptor set."""
    content = Path(__file__).with_name("connector_v0.binpb").read_bytes()
    files = descriptor_pb2.FileDescriptorSet.FromString(content).file
    pool = descriptor_pool.DescriptorPool()
    return {name.rpartition(".")[2]: cls for name, cls in GetMessages(files, pool).items()}


V0 = messages()


class ConnectorV0:
    """Row by row and one answer for all; credit belonged to Subscribe; nothing knew UNSUPPORTED."""

    def __init__(self) -> None:
        self._asked: dict[int, str] = {}
        self._credit: dict[str, int] = {}

    def come(self, message: Any) -> Iterator[Any]:
        today = CONNECTOR.come()
        if message.HasField("hello"):
            hello = message.hello
            today.hello.token, today.hello.plugin = hello.token, hello.plugin
            today.hello.version = hello.version
        for answer in message.answers:
            self._answer(answer, today.replies.add())
        for published in message.published:
            today.publications.add(
                component=published.component,
                producer_seq=published.number,
                batch=_batch(published.samples),
            )
        yield today

    def _answer(self, answer: Any, reply: Any) -> None:
        what = self._asked.pop(answer.id, "")
        if not what:
            raise ProtocolError(f"answered ask {answer.id}, which nobody asked")
        reply.answer.id, reply.answer.text = answer.id, answer.text
        reply.answer.code = OK if answer.ok else AWAY
        if what == "read" and answer.ok:
            reply.read.batches.append(_batch(answer.samples))

    def to(self, message: Any) -> Iterator[Any]:
        older = V0["ToPlugin"]()
        for ask in message.asks:
            self._ask(ask, older.asks.add(id=ask.id, component=ask.component))
        for receipt in message.receipts:
            older.receipts.add(component=receipt.component, credit=receipt.credit)
        yield older

    def _ask(self, ask: Any, older: Any) -> None:
        what = ask.WhichOneof("what")
        self._asked[ask.id], older.within_ms = what, ask.within_ms
        if what == "open":
            self._credit[ask.component] = ask.open.credit
            older.open.config_json = ask.open.config_json.decode()
            for tag in ask.open.tags:
                older.open.tags.add(handle=tag.handle, address=tag.address)
        elif what == "read":
            older.read.tags.extend(ask.read.tags)
        elif what == "subscribe":
            older.subscribe.credit = self._credit[ask.component]
        elif what in ("close", "ping", "shutdown"):
            getattr(older, what).SetInParent()
        else:
            raise ProtocolError(f"its contract has no {what}")


def _batch(samples: Any) -> Any:
    bad = [quality.BAD if sample.bad else quality.GOOD for sample in samples]
    tags, values = [sample.tag for sample in samples], [sample.value for sample in samples]
    return encode_batch(Batch.of(tags, [], values, bad, data_type=DataType.FLOAT64))


MAJOR = Major("0.9", SERVICE, CONNECTOR, V0["FromPlugin"], ConnectorV0)
