"""A connector inside a plugin: how it serves the asks of its kind."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import inspect
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pydantic import TypeAdapter, ValidationError

from bedplate import strict_json
from bedplate.connector.v1 import connector_pb2
from bedplate.contracts import Aggregate, Connector, Delivery, Query, Tag
from bedplate.errors import Invalid, Refused
from bedplate.model import DataType, TagTable
from bedplate.plugin.v1 import plugin_pb2
from bedplate.record.v1 import record_pb2
from bedplate.remote.columns import batches_of
from bedplate.remote.history_answer import HistoryAnswer
from bedplate.remote.kept import Kept
from bedplate.remote.opening import with_secrets
from bedplate.remote.pages import Turn
from bedplate.remote.sender import BlockingSend, Sender
from bedplate.remote.session import CLOSE_WITHIN, Session
from bedplate.wire import encode_batch, records_of, tag_message, tag_of, twin, value_of

NODES = 5000  # in one page of a browse: a message must stay below 16 MiB


class ConnectorSession(Session):
    """Serves Read, Write, Browse, Subscribe, Deliver, Query and ReadHistory for a Connector."""

    object: Connector
    _tags: dict[int, Tag]
    _sender: Sender | None = None
    _kept: Kept | None = None
    _table: TagTable
    _opened_with = b""
    _names: Mapping[str, int] = MappingProxyType(
        {}
    )  # tag → handle, known before an address is looked at
    _history: HistoryAnswer | None = None
    _found: list[Any] | None = None  # nodes of a browse whose pages are being asked for

    def build(self, cls: type[Connector], open_: Any) -> Connector:
        built = cls()
        built.config = cls.Config.model_validate(
            with_secrets(open_.config_json, dict(open_.secrets))
        )
        self._turns: dict[int, Turn] = {}
        built.component, built.path, built.epoch = self.component, open_.path, open_.epoch
        self._names = {tag.name: tag.handle for tag in open_.tags}
        addresses = TypeAdapter(cls.Address)
        self._tags = {tag.handle: _tag(tag, cls, addresses) for tag in open_.tags}
        built.tags = list(self._tags.values())
        self._table = TagTable(open_.epoch)
        self._linger = (open_.linger_ms or 50) / 1000
        self.outbox.linger = self._linger
        self._credit = open_.credit
        self._opened_with = _fingerprint(open_)
        if self._kept is None or not self.outbox.redials:
            self._kept = Kept(self.component, keeps=self.outbox.redials)
        self._kept.use({tag.handle: tag.name for tag in built.tags})
        return built

    def goes_on(self, open_: Any) -> bool:
        """When it is asked for the same; a reader of the journal only within an epoch, which it was told."""
        reads = type(self.object).deliver is not Connector.deliver
        same_epoch = self.object.epoch == open_.epoch
        return _fingerprint(open_) == self._opened_with and (same_epoch or not reads)

    async def go_on(self, open_: Any, reply: Any) -> None:
        self.object.epoch = open_.epoch
        self._credit = open_.credit
        await self.after_open(None, reply)

    def on_cut(self) -> None:
        if self._sender:
            self._sender.cut()

    async def after_open(self, result: Any, reply: Any) -> None:
        keeps_one = type(self.object).cursor is not Connector.cursor
        reply.open.position = int(await self.call("cursor")) if keeps_one else 0

    async def serve(self, what: str, ask: Any, reply: Any) -> None:
        await getattr(self, f"_{what}")(getattr(ask, what), reply)

    async def _read(self, read: Any, reply: Any) -> None:
        handles = list(read.tags)
        tags = [self._tags[h] for h in handles] if handles else self.object.tags
        batches, reasons = batches_of(tags, await self.call("read", tags))
        reply.read.batches.extend(map(encode_batch, batches))
        for handle, why in reasons.items():
            reply.read.problems.add(tag=handle, text=why)

    async def _write(self, write: Any, reply: Any) -> None:
        await self.call("write", self._tags[write.tag], value_of(write.value))

    async def _browse(self, browse: Any, reply: Any) -> None:
        start = int(browse.page or 0)
        if not start or self._found is None:
            self._found = list(await self.call("browse", browse.below, browse.depth or 1))
        nodes = self._found[start : start + NODES]
        if start + NODES < len(self._found):
            reply.browse.next_page = str(start + NODES).encode()
        else:
            self._found = None
        names = connector_pb2.Node.DESCRIPTOR.fields_by_name
        for node in nodes:
            reply.browse.nodes.add(**{n: getattr(node, n) for n in names if getattr(node, n)})

    async def _subscribe(self, subscribe: Any, reply: Any) -> None:
        """Answered at once: the subscription itself runs beside until it fails or the session ends."""
        if type(self.object).subscribe is Connector.subscribe:
            raise NotImplementedError
        if self._sender:
            self._sender.go_on(self._credit, subscribe.resume_after)
            return
        self._sender = Sender(self.component, self.outbox, self._credit, self._kept)
        self._sender.go_on(self._credit, subscribe.resume_after)
        push: Any = self._sender
        if not inspect.iscoroutinefunction(self.object.subscribe):
            push = BlockingSend(self._sender, asyncio.get_running_loop())
        self.run_beside("subscribe", self.object.tags, push)

    async def _deliver(self, deliver: Any, reply: Any) -> None:
        for table in deliver.tables:
            if table.epoch != self._table.epoch:  # handles mean nothing across epochs
                self._table = TagTable(table.epoch)
            for tag in table.tags:
                self._table.put(tag_of(tag, table.stream))
        records = records_of(deliver.records)
        try:
            delivery = Delivery(records, self._table, deliver.until, deliver.backlog)
            position = await self.call("deliver", delivery)
        except Refused as refused:
            reply.deliver.refused = refused.position
            raise
        reply.deliver.position = int(position or 0)

    async def _query(self, query: Any, reply: Any) -> None:
        """Pages are separate replies with the same id; the last one, without next_page, is sent by the caller."""
        question = Query(
            tuple(query.selectors),
            getattr(query, "from"),
            query.to,
            query.every,
            Aggregate(query.aggregate),
            query.limit,
            query.last_before,
        )
        turn = self._turns[reply.answer.id] = Turn(query.credit)
        try:
            async with contextlib.aclosing(_pages(self.object.query(question))) as pages:
                await self._send_pages(pages, turn, reply)
        finally:
            self._turns.pop(reply.answer.id, None)
        reply.query.progress = 1.0

    async def _read_history(self, asked: Any, reply: Any) -> None:
        """One page per ask; the first ends an answer that is open."""
        if not asked.page:
            await self._end_history()
            tags, times = [self._tags[h] for h in asked.tags], (getattr(asked, "from"), asked.to)
            self._history = HistoryAnswer(self.object.read_history, tags, times)
        history = self._history
        if history is None or (asked.page and asked.page != history.next):
            raise Refused("this page is not open any more: ask for the first")
        try:
            page = await history.page()
        except BaseException:
            await self._end_history()
            raise
        reply.read_history.batches.extend(map(encode_batch, page.batches))
        for handle, why in page.problems.items():
            reply.read_history.problems.add(tag=handle, text=why)
        if page.more:
            reply.read_history.next_page = history.next
        else:
            await self._end_history()

    async def close(self, within: float = CLOSE_WITHIN) -> None:
        await self._end_history()
        await super().close(within)

    async def _end_history(self) -> None:
        history, self._history = self._history, None
        if history:
            await history.close()

    async def _send_pages(self, pages: Any, turn: Turn, reply: Any) -> None:
        async for page in pages:
            if not await turn.next():
                return
            part = self.kind.reply()
            part.answer.id, part.answer.code = reply.answer.id, plugin_pb2.CODE_OK
            part.query.progress = min(page.progress, 1.0)
            part.query.next_page = b"+"
            part.query.tags.extend(_twinned(tag_message(tag)) for tag in page.tags)
            part.query.batches.extend(map(encode_batch, page.batches))
            self.outbox.reply(part, last=False)
            await asyncio.sleep(0)

    def page_credit(self, ask: int, pages: int, *, enough: bool) -> None:
        if turn := getattr(self, "_turns", {}).get(ask):
            turn.grant(pages, enough=enough)

    def receipt(self, receipt: Any) -> None:
        if self._sender:
            self._sender.receipt(receipt.credit, receipt.synced, receipt.refused, receipt.text)

    def on_end(self) -> None:
        if self._sender:
            self.outbox.flush()  # what was handed over leaves before the word that this is the end
            self._sender.end()
            self._sender = None

    def handle(self, tag: str) -> int:
        return self._names.get(tag, 0)


async def _pages(answer: Any) -> Any:
    """Pages of a query, from an async generator, a coroutine, or a plain generator on a thread of its own."""
    if inspect.isasyncgen(answer):
        async with contextlib.aclosing(answer):
            async for page in answer:
                yield page
        return
    if inspect.isawaitable(answer):
        answer = await answer
    pages, end = iter(answer), object()
    try:
        while (page := await asyncio.to_thread(next, pages, end)) is not end:
            yield page
    finally:
        if hasattr(pages, "close"):
            await asyncio.to_thread(pages.close)


def _twinned(message: record_pb2.Tag) -> Any:
    return twin(record_pb2.Tag).FromString(message.SerializeToString())


def _fingerprint(open_: Any) -> bytes:
    """Of what a session is opened with, but for what may differ from one stream to the next."""
    asked = type(open_)()
    asked.CopyFrom(open_)
    asked.epoch = asked.credit = asked.position = 0
    return hashlib.sha256(asked.SerializeToString(deterministic=True)).digest()


def _tag(message: Any, cls: type[Connector], addresses: TypeAdapter[Any]) -> Tag:
    try:
        address = _address(message.address, addresses)
        settings = cls.TagSettings.model_validate(strict_json.loads(message.settings_json or b"{}"))
    except ValidationError as error:
        raise Invalid(f"{message.name}: {error.errors()[0]['msg']}", tag=message.name) from error
    return Tag(
        message.handle,
        message.name,
        address,
        DataType(message.data_type),
        message.unit,
        message.writable,
        settings,
        (message.scan_ms or 1000) / 1000,
    )


def _address(text: str, addresses: TypeAdapter[Any]) -> Any:
    try:
        return addresses.validate_python(text)
    except ValidationError as error:
        try:
            return addresses.validate_json(text)  # a list or an object travels as JSON
        except ValidationError:
            raise error from None  # it was a text, and what is wrong with it is what counts
