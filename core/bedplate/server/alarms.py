"""Alarms: list, watch, acknowledge."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

from bedplate.api.v1 import api_pb2
from bedplate.errors import CallError
from bedplate.model import AlarmState, Event, tails
from bedplate.record.v1 import record_pb2
from bedplate.runtime.kernel import Kernel
from bedplate.server.door import Caller, Method
from bedplate.server.selection import asked, selection
from bedplate.wire import encode_event


class AlarmService:
    """Serves the alarm book."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def methods(self) -> list[Method]:
        service = "bedplate.api.v1.Alarms"
        selectors = lambda request: asked(  # noqa: E731
            request.selectors, self._kernel.spine.alarms.sources(), "alarm"
        )
        source = lambda request: [self._source(request.source)]  # noqa: E731
        return [
            Method(
                service,
                "ListAlarms",
                "unary",
                api_pb2.ListAlarmsRequest,
                "alarms.list",
                self.list,
                selectors,
            ),
            Method(
                service,
                "WatchAlarms",
                "stream",
                api_pb2.WatchAlarmsRequest,
                "alarms.watch",
                self.watch,
                selectors,
            ),
            Method(
                service,
                "Acknowledge",
                "unary",
                api_pb2.AcknowledgeRequest,
                "alarms.acknowledge",
                self.acknowledge,
                source,
            ),
        ]

    async def list(self, request: Any, caller: Caller) -> Any:
        wanted = selection(request.selectors, self._kernel.spine.alarms.sources(), "alarm")
        events = self._kernel.spine.alarms.standing(all_=request.all)
        return api_pb2.ListAlarmsResponse(
            alarms=self._messages(e for e in events if wanted.matches(e.source))
        )

    async def watch(self, request: Any, caller: Caller) -> AsyncIterator[Any]:
        book = self._kernel.spine.alarms
        wanted = selection(request.selectors, book.sources(), "alarm")
        queue = book.watch()
        try:
            standing = [e for e in book.standing() if wanted.matches(e.source)]
            yield api_pb2.WatchAlarmsResponse(alarms=self._messages(standing))
            while True:
                event = await queue.get()
                if event is None:
                    raise CallError("this client is too slow; watch again", code="ABORTED")
                if wanted.matches(event.source):
                    yield api_pb2.WatchAlarmsResponse(alarms=self._messages([event]))
        finally:
            book.unwatch(queue)

    async def acknowledge(self, request: Any, caller: Caller) -> Any:
        source = self._source(request.source)
        self._kernel.acknowledge(source, caller.subject.id, request.comment[:1000])
        await self._kernel.engine.synced(self._kernel.engine.state().appended)
        return api_pb2.AcknowledgeResponse(source=source)

    def _source(self, text: str) -> str:
        found = tails(text, self._kernel.spine.alarms.sources())
        if len(found) == 1:
            return found[0]
        if not found:
            raise CallError(f"no alarm named {text}", code="NOT_FOUND")
        listed = "\n".join(f"  {path}" for path in sorted(found)[:20])
        raise CallError(f"{text} names {len(found)} alarms:\n{listed}", code="INVALID_ARGUMENT")

    def _messages(self, events: Iterable[Event]) -> Sequence[record_pb2.Event]:
        """As people see them: those of what is set aside are out of service, and come last."""
        shown = sorted(map(self._kernel.maintenance.shown, events), key=_rests)
        return [record_pb2.Event.FromString(encode_event(event)) for event in shown]


def _rests(event: Event) -> bool:
    return event.alarm is not None and event.alarm.state is AlarmState.OUT_OF_SERVICE
