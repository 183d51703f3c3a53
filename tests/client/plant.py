"""A small Bedplate that is not one: the generated services over a fixed plant, on loopback, for tests of clients.

It shares with the real server only how names are resolved. requests: what was asked; failures: methods that fail.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import grpc
import numpy as np

from bedplate.api.v1 import api_pb2, api_pb2_grpc
from bedplate.errors import CallError
from bedplate.model import (
    Alarm,
    AlarmPriority,
    AlarmState,
    Batch,
    Body,
    DataType,
    Event,
    EventKind,
    Record,
    TagInfo,
)
from bedplate.record.v1 import record_pb2
from bedplate.server.selection import selection
from bedplate.wire import (
    checksum,
    encode_batch,
    encode_event,
    record_message,
    table_message,
    tag_message,
    value_message,
)

TOKEN = "token-of-the-test"
S = 1_000_000_000
NOW = 1_763_516_830 * S  # 2025-11-19 01:47:10 UTC
EPOCH = 7
STATES = {0: "stopped", 1: "running", 2: "idle", 3: "fault"}
TAGS = [
    TagInfo(1, "line1/filler/power", DataType.FLOAT64, "filler/live", "kW"),
    TagInfo(2, "line1/filler/state", DataType.INT64, "filler/live", states=STATES),
    TagInfo(3, "line1/filler/order_id", DataType.TEXT, "filler/live"),
    TagInfo(4, "line1/capper/power", DataType.FLOAT64, "capper/live", "kW"),
    TagInfo(5, "line1/capper/guard_closed", DataType.BOOL, "capper/live"),
    TagInfo(6, "line1/Abfüller/温度", DataType.FLOAT64, "filler/live", "°C"),
]
CURRENT: dict[int, Any] = {1: 12.4, 2: 1, 3: "A-17", 4: 1.1, 5: True, 6: 47.3}
BAD_NODE = 0x80340000


def alarm(
    source: str, state: AlarmState, priority: AlarmPriority, ago: float, **more: Any
) -> Event:
    detail = Alarm(state, priority, active_since=NOW - round(ago * S), **more)
    severity = {AlarmPriority.HIGH: 700, AlarmPriority.MEDIUM: 500}.get(priority, 200)
    return Event(
        source, EventKind.ALARM, NOW - round(ago * S), more.get("condition", ""), severity, detail
    )


ALARMS = [
    alarm(
        "line1/capper/jam",
        AlarmState.UNACKNOWLEDGED,
        AlarmPriority.HIGH,
        38,
        condition="fault_code = 21",
        do="Open the guard and clear the chute",
    ),
    alarm(
        "line1/filler/product-warm",
        AlarmState.ACKNOWLEDGED,
        AlarmPriority.MEDIUM,
        140,
        condition="temperature > 10",
        acknowledged_by="operator-1",
    ),
]


def at(now: int, event: Event) -> Event:
    """An event of the plant's time, moved to another now."""
    assert event.alarm
    moved = replace(event.alarm, active_since=event.alarm.active_since + now - NOW)
    return replace(event, time=event.time + now - NOW, alarm=moved)


def samples(handles: Sequence[int], times: Sequence[int], values: Sequence[Any]) -> Batch:
    return Batch.of(np.array(handles, np.uint32), times, values)


def message(batch: Batch) -> Any:
    return record_pb2.Batch.FromString(encode_batch(batch))


def batch_record(position: int, batch: Batch, stream: str = "filler/live") -> Any:
    payload = encode_batch(batch)
    record = Record(
        position, stream, EPOCH, position, NOW, Body.BATCH, payload, crc=checksum(payload)
    )
    return record_pb2.Record.FromString(record_message(record).SerializeToString())


def event_record(position: int, event: Event) -> Any:
    payload = encode_event(event)
    record = Record(position, "capper/event", EPOCH, position, NOW, Body.EVENT, payload)
    return record_pb2.Record.FromString(record_message(record).SerializeToString())


class Plant(
    api_pb2_grpc.CatalogServicer,
    api_pb2_grpc.LiveServicer,
    api_pb2_grpc.HistoryServicer,
    api_pb2_grpc.AlarmsServicer,
    api_pb2_grpc.AdminServicer,
):
    """Everything at once. updates: what a subscriber gets; it waits for credit before each."""

    def __init__(self, now: int = NOW) -> None:
        self.now = now
        self.requests: list[Any] = []
        self.failures: dict[str, tuple[grpc.StatusCode, str]] = {}
        self.pages: list[api_pb2.QueryResponse] = [history_page(TAGS, 5)]
        self.updates: list[api_pb2.SubscribeResponse] = []
        self.cut: bytes = b""
        self.stuck = False  # history never comes to its end
        self.hold = threading.Event()
        self.status = api_pb2.GetStatusResponse(name="bottling-line", version="0.1.0", now=now)
        self.explained: dict[str, Any] = {}
        self.alarms = [at(now, event) for event in ALARMS]
        self.changes: list[Event] = []
        self.plugins: list[api_pb2.PluginStatus] = []

    def enter(self, name: str, request: Any, context: Any) -> None:
        self.requests.append(request)
        token = dict(context.invocation_metadata()).get("authorization", "")
        if token != f"Bearer {TOKEN}":
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "a valid credential is needed")
        if name in self.failures:
            context.abort(*self.failures[name])

    def wanted(self, selectors: Sequence[str], context: Any) -> list[TagInfo]:
        try:
            chosen = selection(list(selectors), [tag.path for tag in TAGS])
        except CallError as error:
            context.abort(grpc.StatusCode[error.code], str(error))
        return sorted((t for t in TAGS if chosen.matches(t.path)), key=lambda tag: tag.path)

    def ListTags(self, request: Any, context: Any) -> Iterator[Any]:
        self.enter("ListTags", request, context)
        for tag in self.wanted(request.selectors, context):
            info = api_pb2.TagInfo(tag=tag_message(tag), component=tag.stream.split("/")[0])
            info.asset, info.type = tag.path.rpartition("/")[0], "machine"
            if request.with_current:
                info.current.value.CopyFrom(value_message(CURRENT[tag.handle]))
                info.current.time, info.current.received = self.now - S, self.now - S
                info.current.quality = BAD_NODE if tag.handle == 4 else 0
            yield api_pb2.ListTagsResponse(tags=[info])

    def ListAssets(self, request: Any, context: Any) -> Iterator[Any]:
        self.enter("ListAssets", request, context)
        asset = api_pb2.Asset(path="line1/filler", type="machine", components=["filler"], tags=3)
        yield api_pb2.ListAssetsResponse(assets=[asset])

    def Current(self, request: Any, context: Any) -> Iterator[Any]:
        self.enter("Current", request, context)
        for tag in self.wanted(request.selectors, context):
            batch = samples([tag.handle], [self.now], [CURRENT[tag.handle]])
            yield api_pb2.CurrentResponse(tags=[tag_message(tag)], batches=[message(batch)])

    def Query(self, request: Any, context: Any) -> Iterator[Any]:
        self.enter("Query", request, context)
        self.wanted(request.selectors, context)
        yield from self.pages
        while self.stuck and context.is_active():
            time.sleep(0.01)

    def Subscribe(self, requests: Iterator[Any], context: Any) -> Iterator[Any]:
        opened = next(requests).open
        self.enter("Subscribe", opened, context)
        self.wanted(opened.selectors, context)
        credit = opened.credit
        for update in self.updates:
            while credit < 1:
                credit += next(requests).credit
            credit -= 1
            yield update
        if self.cut:
            context.set_trailing_metadata((("bedplate-resume-token-bin", self.cut),))
            context.abort(grpc.StatusCode.ABORTED, "no credit for 30 s; resume with the token")
        if self.hold.is_set():
            for _ in requests:  # until the client goes
                pass

    def ListAlarms(self, request: Any, context: Any) -> Any:
        self.enter("ListAlarms", request, context)
        return api_pb2.ListAlarmsResponse(alarms=map(event_message, self.alarms))

    def WatchAlarms(self, request: Any, context: Any) -> Iterator[Any]:
        self.enter("WatchAlarms", request, context)
        yield api_pb2.WatchAlarmsResponse(alarms=map(event_message, self.alarms))
        for change in self.changes:
            yield api_pb2.WatchAlarmsResponse(alarms=[event_message(change)])

    def Acknowledge(self, request: Any, context: Any) -> Any:
        self.enter("Acknowledge", request, context)
        return api_pb2.AcknowledgeResponse(source="line1/capper/jam")

    def GetStatus(self, request: Any, context: Any) -> Any:
        self.enter("GetStatus", request, context)
        return self.status

    def Explain(self, request: Any, context: Any) -> Any:
        self.enter("Explain", request, context)
        if request.subject not in self.explained:
            context.abort(grpc.StatusCode.NOT_FOUND, f"there is nothing named {request.subject}")
        return self.explained[request.subject]

    def ListPlugins(self, request: Any, context: Any) -> Any:
        self.enter("ListPlugins", request, context)
        return api_pb2.ListPluginsResponse(plugins=self.plugins)


def event_message(event: Event) -> Any:
    return record_pb2.Event.FromString(encode_event(event))


def history_page(
    tags: Sequence[TagInfo], count: int, progress: float = 1.0, start: int = NOW - 600 * S
) -> api_pb2.QueryResponse:
    """count samples of each tag, one a second."""
    response = api_pb2.QueryResponse(progress=progress, history="history")
    response.tags.extend(map(tag_message, tags))
    for tag in tags:
        values = [CURRENT[tag.handle]] * count
        times = [start + i * S for i in range(count)]
        response.batches.append(message(samples([tag.handle] * count, times, values)))
    return response


def table(*handles: int) -> Any:
    return table_message(EPOCH, "filler/live", [t for t in TAGS if t.handle in handles])


class Serving:
    """A plant on a free port of loopback, until `close`."""

    def __init__(self, plant: Plant, address: str = "127.0.0.1:0") -> None:
        self.server = grpc.server(ThreadPoolExecutor(8))
        for name in ("Catalog", "Live", "History", "Alarms", "Admin"):
            getattr(api_pb2_grpc, f"add_{name}Servicer_to_server")(plant, self.server)
        port = self.server.add_insecure_port(address)
        self.address = f"127.0.0.1:{port}"
        self.server.start()

    def close(self) -> None:
        self.server.stop(0).wait(5)
