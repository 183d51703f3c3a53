"""What the server kept of tags while nobody listened: HistoryRead of raw values (OPC 10000-11 §6.5.3, 10000-4 §5.11.3).

Owns: which nodes keep a history, requests in parts, continuation points and their end.
Rule: a node is asked for history only if it says that it has one (AccessLevel, bit HistoryRead), and once it has said
that it has none, not again in this session. Values go from the answer into columns; no object per value.
"""

from __future__ import annotations

import struct
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import nodeid_from_binary

from bedplate import Bad, Batch, Refused, Tag
from bedplate_opcua import limits
from bedplate_opcua.answers import read_head, read_length
from bedplate_opcua.attributes import read_attributes
from bedplate_opcua.limits import Limits
from bedplate_opcua.nodes import Nodes
from bedplate_opcua.session import Session
from bedplate_opcua.stack import StatusCodeError, answering, code_name, ua
from bedplate_opcua.values import Values

HISTORY_READ: Final = 0x04
"""Of AccessLevel and UserAccessLevel (OPC 10000-3 §8.57)."""
VALUES: Final = 4000
"""Values in one answer, over all its nodes."""
NODES: Final = 20
"""Nodes in one request."""
WITHOUT: Final = {
    "BadHistoryOperationUnsupported",
    "BadHistoryOperationInvalid",
    "BadNotReadable",
    "BadUserAccessDenied",
    "BadNodeIdUnknown",
    "BadNodeIdInvalid",
    "BadNotSupported",
    "BadServiceUnsupported",
    "BadNotImplemented",
}
NOTHING: Final = {
    "BadNoData",
    "GoodNoData",
    "BadNoDataAvailable",
    "BadBoundNotFound",
    "BadNotFound",
}
TOO_MUCH: Final = limits.TOO_MUCH | {"BadNoContinuationPoints"}
POINT_LOST: Final = "BadContinuationPointInvalid"
HISTORY_DATA: Final = ua.ObjectIds.HistoryData_Encoding_DefaultBinary
_U32 = struct.Struct("<I")
TICK: Final = 100  # ns
WITHIN: Final = 20.0
"""Seconds for one answer: an archive may be slow, and nobody waits."""
BEGIN: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Asking:
    """One node of a request. start: ns, rises when a continuation point is lost · newest: source time that came, ns ·
    point: where to go on."""

    tag: Tag
    start: int
    newest: int = 0
    point: bytes | None = None


@dataclass(slots=True)
class Result:
    """What a server says of one node. count: values · at: where they begin in the answer."""

    code: int
    point: bytes | None
    count: int
    at: int


class History:
    """Of one session. values: makes a gatherer."""

    def __init__(
        self, session: Session, limits: Limits, nodes: Nodes, values: Callable[[], Values]
    ) -> None:
        self._session = session
        self._limits = limits
        self._nodes = nodes
        self._values = values
        self._keeps: dict[int, bool] = {}  # whether a tag's node has a history, as far as known
        self._most = NODES

    async def read(self, tags: Sequence[Tag], start: int, end: int) -> AsyncGenerator[Any, None]:
        """Batches, and (tag, Bad) for what has no history. start, end: ns. Raises ConnectionError, TimeoutError,
        Refused."""
        await self._learn(tags)
        for tag in tags:
            if not self._keeps[tag.handle]:
                yield tag, Bad("the server keeps no history of its node")
        left = [Asking(tag, start) for tag in tags if self._keeps[tag.handle]]
        while left:
            size = min(self._most, self._limits.size("history"))
            part, left = left[:size], left[size:]
            try:
                async with aclosing(self._part(part, left, end)) as every:
                    async for found in every:
                        yield found
            finally:
                await self._release(part)

    async def _learn(self, tags: Sequence[Tag]) -> None:
        """Asks the nodes that nobody knows of for their access level."""
        ids = self._nodes.ids
        for tag in tags:
            if tag.handle not in ids:
                self._keeps[tag.handle] = False
        fresh = [tag.handle for tag in tags if tag.handle not in self._keeps]
        asked = [(ids[handle], "UserAccessLevel") for handle in fresh]
        levels = await self._limits.in_parts(
            "read", "asking for histories", asked, lambda part: read_attributes(self._session, part)
        )
        for handle, level in zip(fresh, levels, strict=True):
            silent = not isinstance(level, int)  # then its history will say
            self._keeps[handle] = silent or bool(level & HISTORY_READ)

    async def _part(
        self, part: list[Asking], left: list[Asking], end: int
    ) -> AsyncGenerator[Any, None]:
        """All values of some nodes, request by request. left: gets those that must be asked with fewer others."""
        while part:
            results, values = await self._ask(part, end)
            again: list[Asking] = []
            for one, result in zip(list(part), results, strict=True):
                name = code_name(result.code)
                one.point = result.point
                if name in WITHOUT:
                    self._keeps[one.tag.handle] = False
                    yield one.tag, Bad(f"the server has no history of its node: {name}")
                elif name in TOO_MUCH and len(part) > 1:
                    left.append(one)
                    self._most = max(1, len(part) // 2)
                elif self._goes_on(one, result, name):
                    again.append(one)
            for batch in values.batches():
                if len(fresh := _fresh(part, batch)):
                    yield fresh
            part[:] = again

    def _goes_on(self, one: Asking, result: Result, name: str) -> bool:
        """Whether a node has more. Raises Refused for what may go another time."""
        if name == POINT_LOST and one.newest:
            one.point, one.start = None, one.newest + TICK
            return True
        if result.code & 0x8000_0000 and name not in NOTHING:
            raise Refused(f"the server does not read the history of {one.tag.name}: {name}")
        return one.point is not None

    # requests ------------------------------------------------------------------------------------------------------

    async def _ask(self, part: Sequence[Asking], end: int) -> tuple[list[Result], Values]:
        """What the server says of each node, and the values."""
        values = self._values()
        start = min([one.start for one in part if not one.point] or [part[0].start])
        with answering("reading the history"):
            try:
                answer = await self._session.send(self._request(part, start, end), WITHIN)
                data = read_head(answer)
            except StatusCodeError as error:
                if code_name(error.code or 0) not in WITHOUT | TOO_MUCH:
                    raise
                return [Result(error.code, None, 0, 0)] * len(part), values
            results = _results(data, len(part))
            for one, result in zip(part, results, strict=True):
                values.take_values(data, result.at, [one.tag.handle] * result.count)
        return results, values

    def _request(
        self, part: Sequence[Asking], start: int, end: int, *, release: bool = False
    ) -> Any:
        details = ua.ReadRawModifiedDetails()
        details.IsReadModified = details.ReturnBounds = False
        details.StartTime, details.EndTime = _date(start), _date(end + 999)
        details.NumValuesPerNode = max(1, VALUES // len(part))
        request = ua.HistoryReadRequest()
        request.Parameters.HistoryReadDetails = details
        request.Parameters.TimestampsToReturn = ua.TimestampsToReturn.Both
        request.Parameters.ReleaseContinuationPoints = release
        request.Parameters.NodesToRead = [self._node(one) for one in part]
        return request

    def _node(self, one: Asking) -> Any:
        node = ua.HistoryReadValueId()
        node.NodeId = self._nodes.ids[one.tag.handle]
        node.ContinuationPoint = one.point
        return node

    async def _release(self, part: Sequence[Asking]) -> None:
        """Nobody wants more: the server may forget where we were."""
        if held := [one for one in part if one.point]:
            start = held[0].start
            with suppress(OSError), answering("giving back continuation points"):
                await self._session.send(self._request(held, start, start, release=True))


def _fresh(asking: Sequence[Asking], batch: Batch) -> Batch:
    """Without what came already, when a node had to be asked anew; and each of them goes on after it."""
    tags, times = batch.tags(), batch.times()
    wanted = np.ones(len(batch), np.bool_)
    for one in asking:
        mine = tags == one.tag.handle
        if mine.any():
            wanted &= ~mine | (times >= one.start)
            one.newest = max(one.newest, int(times[mine].max()))
    return batch if wanted.all() else batch.take(wanted)


def _date(ns: int) -> datetime:
    """In microseconds, all that the library has."""
    return BEGIN + timedelta(microseconds=ns // 1000)


def _results(data: bytes, nodes: int) -> list[Result]:
    """HistoryReadResults with their HistoryData. Raises ValueError when they are not what was asked for."""
    count, at = read_length(data, 0)
    if count != nodes:
        raise ValueError(f"{count} results for {nodes} nodes")
    results = []
    for _ in range(count):
        (code,) = _U32.unpack_from(data, at)
        size, at = read_length(data, at + 4)
        point, at = data[at : at + size] or None, at + size
        values, first, at = _history_data(data, at)
        results.append(Result(code, point, values, first))
    return results


def _history_data(data: bytes, at: int) -> tuple[int, int, int]:
    """Number of the values of an ExtensionObject, where they begin and where it ends."""
    buffer = Buffer(data, at)
    type_id = nodeid_from_binary(buffer)
    at = buffer.cur_pos
    body, at = data[at], at + 1
    if body == 0:
        return 0, at, at
    length, at = read_length(data, at)
    end = at + length
    if end > len(data):
        raise ValueError("the message ends within a history")
    if type_id.Identifier != HISTORY_DATA:
        return 0, end, end
    count, first = read_length(data, at)
    return count, first, end
