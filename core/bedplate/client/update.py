"""What a subscription brings, and how responses become it. No gRPC here: sync and async receive alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from bedplate.api.v1 import api_pb2
from bedplate.client.questions import texts
from bedplate.client.result import Result
from bedplate.client.series import Part
from bedplate.model import Body, Event, TagInfo
from bedplate.wire import decode_batch, decode_event, records_of, tag_of

CREDIT = 16  # responses of at most about 1 MiB that may be under way
RETURNED = 8  # so many are granted again at a time


class Update(Result):
    """Samples that arrived together, by path as in `Result`; and with them

    events: alarms and changes of state, when they were asked for · resume_token: go on after this update by
    `subscribe(…, resume=token)` · lost: records that fell out of the journal before this update · not_stored: why what
    comes now is in memory only, "" when all is well.
    """

    def __init__(
        self,
        parts: Iterable[Part],
        events: Sequence[Event],
        resume_token: bytes,
        lost: int,
        not_stored: str = "",
    ) -> None:
        super().__init__((), parts)
        self.events = tuple(events)
        self.resume_token = resume_token
        self.lost = lost
        self.not_stored = not_stored


class Receiver:
    """Explains handles, epoch by epoch, and counts what credit is due."""

    def __init__(self) -> None:
        self._known: dict[int, dict[int, TagInfo]] = {}
        self._owed = 0

    def take(self, response: Any) -> Update:
        """The update in a response. Raises ProtocolError when it breaks the contract."""
        for table in response.tables:
            known = self._known.setdefault(table.epoch, {})
            known.update((tag.handle, tag_of(tag, table.stream)) for tag in table.tags)
        parts: list[Part] = []
        events: list[Event] = []
        for record in records_of(response.records):
            if record.kind is Body.BATCH:
                known = self._known.setdefault(record.epoch, {})
                parts.append((decode_batch(record.payload), known))
            elif record.kind is Body.EVENT:
                events.append(decode_event(record.payload))
        self._owed += 1
        token, lost = response.resume_token, response.lost
        return Update(parts, events, token, lost, response.not_stored)

    def grant(self) -> Any:
        """The request that gives credit back for what was consumed; None while it is too little to say."""
        if self._owed < RETURNED:
            return None
        owed, self._owed = self._owed, 0
        return api_pb2.SubscribeRequest(credit=owed)


def opening(
    selectors: Sequence[str], *, events: bool, resume: bytes | None, current_first: bool
) -> Any:
    """The first request. Raises TypeError or ValueError for selectors that are none."""
    opened = api_pb2.SubscribeOpen(
        selectors=texts(selectors),
        resume_token=resume or b"",
        credit=CREDIT,
        events=events,
        current_first=current_first,
    )
    return api_pb2.SubscribeRequest(open=opened)
