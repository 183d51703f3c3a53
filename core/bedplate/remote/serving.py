"""How a connector, an analytic and a security module inside a plugin serve the asks of their kind."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from bedplate.connector.v1 import connector_pb2
from bedplate.contracts import (
    Aggregate,
    Analytic,
    Asset,
    Check,
    Connector,
    Decision,
    Delivery,
    Query,
    SecurityModule,
    Series,
    Stretch,
    Subject,
    Tag,
    Verdict,
    Written,
)
from bedplate.errors import Invalid
from bedplate.model import Batch, DataType, Event, EventKind, Strings, TagTable
from bedplate.plugin.v1 import plugin_pb2
from bedplate.record.v1 import record_pb2
from bedplate.remote.columns import batches_of
from bedplate.remote.sender import BlockingSend, Sender
from bedplate.remote.session import Session
from bedplate.wire import (
    decode_batch,
    decode_event,
    encode_batch,
    encode_event,
    record_of,
    tag_message,
    tag_of,
    twin,
)
from bedplate.wire import value_of


def with_secrets(config_json: bytes, secrets: Mapping[str, bytes]) -> Any:
    """The settings of a component with its secrets put where their JSON pointers say."""
    config = json.loads(config_json or b"{}")
    for pointer, value in secrets.items():
        *parents, last = [p.replace("~1", "/").replace("~0", "~") for p in pointer.split("/")[1:]]
        place = config
        for parent in parents:
            place = place[int(parent)] if isinstance(place, list) else place[parent]
        place[int(last) if isinstance(place, list) else last] = value.decode()
    return config


class ConnectorSession(Session):
    """Serves Read, Write, Browse, Subscribe, Deliver and Query for a Connector."""

    object: Connector
    _tags: dict[int, Tag]
    _sender: Sender | None = None
    _table: TagTable

    def build(self, cls: type[Connector], open_: Any) -> Connector:
        built = cls()
        built.config = cls.Config.model_validate(
            with_secrets(open_.config_json, dict(open_.secrets))
        )
        built.component, built.path, built.epoch = self.component, open_.path, open_.epoch
        addresses = TypeAdapter(cls.Address)
        self._tags = {tag.handle: _tag(tag, cls, addresses) for tag in open_.tags}
        built.tags = list(self._tags.values())
        self._table = TagTable(open_.epoch)
        self._linger = (open_.linger_ms or 50) / 1000
        self.outbox.linger = self._linger
        self._credit = open_.credit or 8
        self._lists: dict[bytes, list[Tag]] = {}
        return built

    async def after_open(self, result: Any, reply: Any) -> None:
        reply.open.position = (
            int(await self.call("cursor")) if "cursor" in type(self.object).__dict__ else 0
        )

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
        nodes = await self.call("browse", browse.below, browse.depth or 1)
        names = connector_pb2.Node.DESCRIPTOR.fields_by_name
        for node in nodes:
            reply.browse.nodes.add(**{n: getattr(node, n) for n in names if getattr(node, n)})

    async def _subscribe(self, subscribe: Any, reply: Any) -> None:
        """Answered at once: the subscription itself runs beside until it fails or the session ends."""
        self._sender = Sender(self.component, self.outbox, self._credit, self._linger)
        self._start_beside(self._run_subscription(self._sender))

    async def _run_subscription(self, sender: Sender) -> None:
        push: Any = sender
        if not inspect.iscoroutinefunction(self.object.subscribe):
            push = BlockingSend(sender, asyncio.get_running_loop())
        try:
            await self.call("subscribe", self.object.tags, push)
            raise ConnectionError("subscribe returned")
        except asyncio.CancelledError:
            raise
        except Exception as error:
            self.lost(error)

    async def _deliver(self, deliver: Any, reply: Any) -> None:
        for table in deliver.tables:
            for tag in table.tags:
                self._table.put(tag_of(tag, table.stream))
        records = [record_of(message) for message in deliver.records]
        position = await self.call("deliver", Delivery(records, self._table, deliver.until))
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
        async for page in _pages(self.object.query(question)):
            part = self.kind.reply()
            part.answer.id, part.answer.code = reply.answer.id, plugin_pb2.CODE_OK
            part.query.progress = min(page.progress, 1.0)
            part.query.next_page = b"+"
            part.query.tags.extend(_twinned(tag_message(tag)) for tag in page.tags)
            part.query.batches.extend(map(encode_batch, page.batches))
            self.outbox.reply(part)
            await asyncio.sleep(0)
        reply.query.progress = 1.0

    def receipt(self, receipt: Any) -> None:
        if self._sender:
            self._sender.receipt(receipt.credit, receipt.synced, receipt.refused, receipt.text)

    def on_end(self) -> None:
        if self._sender:
            self._sender.end()

    def handle(self, tag: str) -> int:
        return next((t.handle for t in getattr(self, "_tags", {}).values() if t.name == tag), 0)


async def _pages(answer: Any) -> Any:
    """Pages of a query, from an async generator, a coroutine, or a plain generator on a thread of its own."""
    if inspect.isasyncgen(answer):
        async for page in answer:
            yield page
        return
    if inspect.isawaitable(answer):
        answer = await answer
    pages, end = iter(answer), object()
    while (page := await asyncio.to_thread(next, pages, end)) is not end:
        yield page


def _twinned(message: record_pb2.Tag) -> Any:
    return twin(record_pb2.Tag).FromString(message.SerializeToString())


def _tag(message: Any, cls: type[Connector], addresses: TypeAdapter[Any]) -> Tag:
    try:
        address = _address(message.address, addresses)
        settings = cls.TagSettings.model_validate(json.loads(message.settings_json or b"{}"))
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
    except ValidationError:
        return addresses.validate_json(text)  # a list or an object travels as JSON


class AnalyticSession(Session):
    """Serves Process for an Analytic: one object for each asset, one answer for all of them."""

    _objects: list[Analytic]

    def build(self, cls: type[Analytic], open_: Any) -> Any:
        config = cls.Config.model_validate(with_secrets(open_.config_json, dict(open_.secrets)))
        self._objects = [self._analytic(cls, config, asset) for asset in open_.assets]
        self._states = {state.key: state.value for state in open_.states}
        self._paths = [
            {i.path: [n.name for n in asset.inputs if n.path == i.path] for i in asset.inputs}
            for asset in open_.assets
        ]
        self._table = TagTable(open_.epoch)
        return self

    def _analytic(self, cls: type[Analytic], config: Any, asset: Any) -> Analytic:
        one = cls()
        labels = {i.name: dict(i.tag.states) for i in asset.inputs if i.tag.states}
        one.config, one.component, one.note = config, self.component, self._note
        one.asset = Asset(asset.path, {i.name: i.path for i in asset.inputs}, labels)
        return one

    def open(self) -> list[list[Any]]:
        """Opens all objects and gives them back their state; on this component's thread."""
        outputs = [list(one.open()) for one in self._objects]
        for one in self._objects:
            if state := self._states.get(one.asset.path):
                one.restore(state)
        return outputs

    def close_all(self) -> None:
        for one in self._objects:
            one.close()

    async def after_open(self, result: Any, reply: Any) -> None:
        self._outputs: dict[tuple[int, str], tuple[int, DataType]] = {}
        self._declared: list[tuple[int, Any]] = []
        for index, outputs in enumerate(result):
            for output in outputs:
                self._declared.append((index, output))
                reply.open.outputs.add(
                    asset=index,
                    name=output.name,
                    data_type=int(output.data_type),
                    unit=output.unit,
                    description=output.description,
                )
        reply.open.SetInParent()

    async def serve(self, what: str, ask: Any, reply: Any) -> None:
        process = ask.process
        for handle, (index, output) in zip(process.outputs, self._declared, strict=False):
            self._outputs[index, output.name] = (handle, output.data_type)
        for table in process.tables:
            for tag in table.tags:
                self._table.put(tag_of(tag, table.stream))
        await self.call(
            "process_all", [record_of(r) for r in process.records], process.until, reply
        )

    def process_all(self, records: list[Any], until: int, reply: Any) -> None:
        """All objects, one after the other; on this component's thread."""
        series = _series_by_path(records, self._table)
        events = [decode_event(r.payload) for r in records if r.kind == 11]
        written: list[tuple[int, DataType, Written]] = []
        for index, one in enumerate(self._objects):
            inputs = {
                name: series[path]
                for path, names in self._paths[index].items()
                if path in series
                for name in names
            }
            mine = [e for e in events if e.source.startswith(one.asset.path + "/")]
            for result in one.process(Stretch(inputs, mine, until)):
                if isinstance(result, Event):
                    reply.process.events.append(encode_event(result))
                else:
                    handle, data_type = self._outputs[index, result.output]
                    written.append((handle, data_type, result))
            self._keep_state(one, reply)
        reply.process.batches.extend(map(encode_batch, _written_batches(written)))
        reply.process.SetInParent()

    def _keep_state(self, one: Analytic, reply: Any) -> None:
        state = one.state()
        if state != self._states.get(one.asset.path, b""):
            self._states[one.asset.path] = state
            reply.process.states.add(key=one.asset.path, value=state)

    async def call(self, method: str, *arguments: Any) -> Any:
        function: Any = {
            "open": self.open,
            "close": self.close_all,
            "process_all": self.process_all,
        }[method]
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)


def _series_by_path(records: Iterable[Any], table: TagTable) -> dict[str, Series]:
    """New samples of each tag over all records, in order."""
    parts: dict[str, list[tuple[Any, Any, Any]]] = {}
    for record in records:
        if record.kind != 10:
            continue
        batch = decode_batch(record.payload)
        tags, times, codes = batch.tags(), batch.times(), batch.qualities()
        for handle in np.unique(tags) if len(tags) > 1 else tags:
            mask = np.flatnonzero(tags == handle)
            value = (
                batch.value.take(mask) if isinstance(batch.value, Strings) else batch.value[mask]
            )
            parts.setdefault(table[int(handle)].path, []).append((times[mask], value, codes[mask]))
    return {path: _joined(pieces) for path, pieces in parts.items()}


def _joined(pieces: list[tuple[Any, Any, Any]]) -> Series:
    if len(pieces) == 1:
        return Series(*pieces[0])
    times, values, codes = zip(*pieces, strict=True)
    if any(isinstance(v, Strings) for v in values):
        value: Any = Strings.of([x for v in values for x in v.tolist()])
    else:
        value = np.concatenate(values)
    return Series(np.concatenate(times), value, np.concatenate(codes))


def _written_batches(written: list[tuple[int, DataType, Written]]) -> Iterator[Batch]:
    """One batch per value type, in the order of writing."""
    groups: dict[DataType, list[tuple[Any, Any, Any, Any]]] = {}
    for handle, data_type, one in written:
        times = np.atleast_1d(np.asarray(one.time, np.int64))
        values = [one.value] if np.ndim(one.value) == 0 else list(one.value)
        codes = (
            np.zeros(len(values), np.uint32)
            if one.quality is None
            else np.broadcast_to(one.quality, len(values))
        )
        groups.setdefault(data_type, []).append((handle, times, values, codes))
    for data_type, rows in groups.items():
        handles = np.concatenate([np.full(len(v), h, np.uint32) for h, _, v, _ in rows])
        values = [x for _, _, v, _ in rows for x in v]
        codes = np.concatenate([c for *_, c in rows]).astype(np.uint32)
        stamps = np.concatenate([np.broadcast_to(t, len(v)) for _, t, v, _ in rows])
        yield Batch.of(handles, stamps, values, codes if codes.any() else None, data_type=data_type)


class SecuritySession(Session):
    """Serves Authorize for a SecurityModule; asks may overlap."""

    object: SecurityModule

    def build(self, cls: type[SecurityModule], open_: Any) -> SecurityModule:
        built = cls()
        built.config = cls.Config.model_validate(
            with_secrets(open_.config_json, dict(open_.secrets))
        )
        built.component = self.component
        return built

    async def serve(self, what: str, ask: Any, reply: Any) -> None:
        who = ask.authorize.subject
        subject = Subject(who.id, tuple(who.roles), who.peer, who.method)
        checks = [Check(c.action, c.resource) for c in ask.authorize.checks]
        for decision in await self.call("authorize", subject, checks):
            known = isinstance(decision, Decision)
            verdict = decision.verdict if known else Verdict.DENY
            reply.decisions.add(
                verdict=int(verdict), reason=decision.reason if known else "no decision"
            )


SESSIONS = {"connector": ConnectorSession, "analytic": AnalyticSession, "security": SecuritySession}
__all__ = ["SESSIONS", "EventKind", "with_secrets"]
