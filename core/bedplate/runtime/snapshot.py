"""Current values and alarms across a restart: a snapshot in the journal, and the records after it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from bedplate.api.v1 import api_pb2
from bedplate.errors import ProtocolError
from bedplate.journal.engine import Commit
from bedplate.model import Batch, Body, EventKind, TagInfo
from bedplate.runtime.spine import Spine
from bedplate.runtime.subscription import is_past, table_of
from bedplate.wire import (
    decode_batch,
    decode_event,
    encode_batch,
    encode_event,
    tag_message,
    tag_of,
)

READER = "kernel"


class Snapshot:
    """Reads the journal as any reader does, so that nothing is trimmed before its values are kept."""

    def __init__(self, spine: Spine) -> None:
        self._spine = spine
        self.position = 0
        self._tables: dict[int, dict[int, TagInfo]] = {}

    async def restore(self) -> None:
        """Brings back the newest value of every tag of earlier epochs, and the alarms."""
        self.position, states = await self._spine.engine.cursor(READER)
        self._load(states.get("current", b""), states.get("alarms", b""))
        self._load_lapsed(states.get("lapsed", b""))
        while records := await self._spine.engine.read(self.position):
            for record in records:
                if record.kind is Body.EVENT:
                    self._event(record.payload)
                elif record.kind is Body.BATCH and not is_past(record.stream):
                    await self._batch(
                        record.epoch, record.payload, record.received, record.position
                    )
            self.position = records[-1].position
        self._tables.clear()

    async def _batch(self, epoch: int, payload: bytes, received: int, position: int) -> None:
        if epoch not in self._tables:
            table = table_of(await self._spine.engine.tables(epoch), epoch)
            self._tables[epoch] = {tag.handle: tag for tag in table}
        batch = decode_batch(payload)
        tags = self._tables[epoch]
        known = np.array([h in tags for h in batch.tags().tolist()])
        if known.any():
            self._take(batch if known.all() else batch.take(known), tags, received, position)

    def _take(self, batch: Batch, tags: dict[int, TagInfo], received: int, position: int) -> None:
        self._spine.current.update(self._moved(batch, tags), received, position)

    def _moved(self, batch: Batch, tags: dict[int, TagInfo]) -> Batch:
        """In the handles of this epoch."""
        handles = [self._spine.registry.restored(tags[h]).handle for h in batch.tags().tolist()]
        return replace(batch, tag=np.array(handles, np.uint32))

    def _event(self, payload: bytes) -> None:
        event = decode_event(payload)
        if event.kind is EventKind.ALARM:
            self._spine.alarms.take(event)

    def _load(self, current: bytes, alarms: bytes) -> None:
        try:
            values = api_pb2.CurrentResponse.FromString(current)
            listed = api_pb2.ListAlarmsResponse.FromString(alarms)
            tags = {tag.handle: tag_of(tag) for tag in values.tags}
            for message in values.batches:
                batch = decode_batch(message.SerializeToString())
                received = int(batch.times().max())
                self._take(batch, tags, received, 0)
        except (
            ProtocolError,
            ValueError,
        ):  # an unreadable snapshot costs old values, never the start
            return
        for event in listed.alarms:
            self._event(event.SerializeToString())

    def _load_lapsed(self, lapsed: bytes) -> None:
        """What tags said before they stopped being Good; older snapshots have none."""
        try:
            values = api_pb2.CurrentResponse.FromString(lapsed)
            tags = {tag.handle: tag_of(tag) for tag in values.tags}
            for message in values.batches:
                moved = self._moved(decode_batch(message.SerializeToString()), tags)
                self._spine.current.restore_lapsed(moved)
        except (ProtocolError, ValueError, KeyError):
            return

    def save(self) -> None:
        """Keeps what is current now, and lets the journal forget what came before. Raises JournalError."""
        spine = self._spine
        self.position = spine.engine.state().appended
        tags = [
            spine.registry.table[h] for h in spine.registry.newest_handles() if spine.current.has(h)
        ]
        handles = np.array([tag.handle for tag in tags], np.uint32)
        current = _values(tags, spine.current.batches(handles))
        lapsed = [*spine.current.lapsed(handles)]
        mine = {int(h) for batch in lapsed for h in batch.tag}
        before = _values([tag for tag in tags if tag.handle in mine], lapsed)
        alarms = api_pb2.ListAlarmsResponse()
        for event in spine.alarms.standing(all_=True):
            alarms.alarms.add().ParseFromString(encode_event(event))
        states = {"current": current, "lapsed": before, "alarms": alarms.SerializeToString()}
        spine.engine.append((), Commit(READER, self.position, states))


def _values(tags: Iterable[TagInfo], batches: Iterable[Batch]) -> bytes:
    """As a CurrentResponse, put together part by part."""
    whole = api_pb2.CurrentResponse(tags=map(tag_message, tags)).SerializeToString()
    for batch in batches:
        part = api_pb2.CurrentResponse()
        part.batches.add().ParseFromString(encode_batch(batch))
        whole += part.SerializeToString()
    return whole
