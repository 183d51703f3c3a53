"""Alarms: list, watch, acknowledge."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

from bedplate.api.v1 import api_pb2
from bedplate.errors import CallError
from bedplate.model import AlarmState, Event, tails
from bedplate.record.v1 import record_pb2
from bedplate.runtime.kernel import Kernel
from bedplate.server.concerned import Concerned
from bedplate.server.door import Caller, Method
from bedplate.server.selection import selection, several
from bedplate.wire import encode_event


class AlarmService:
    """Serves the alarm book."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel, self._concerned = kernel, Concerned(kernel)

    def methods(self) -> list[Method]:
        service = "bedplate.api.v1.Alarms"
        return [
            Method(
                service,
                "ListAlarms",
                "unary",
                api_pb2.ListAlarmsRequest,
                "alarms.list",
                self.list,
            ),
            Method(
                service,
                "WatchAlarms",
                "stream",
                api_pb2.WatchAlarmsRequest,
                "alarms.watch",
                self.watch,
            ),
            Method(
                service,
                "Acknowledge",
                "unary",
                api_pb2.AcknowledgeRequest,
                "alarms.acknowledge",
                self.acknowledge,
                self._named,
            ),
        ]

    async def list(self, request: Any, caller: Caller) -> Any:
        shown = await self._seen(caller, "alarms.list")
        wanted = selection(request.selectors, shown, "alarm")
        events = self._kernel.spine.alarms.standing(all_=request.all)
        return api_pb2.ListAlarmsResponse(
            alarms=self._messages(
                e for e in events if e.source in shown and wanted.matches(e.source)
            )
        )

    async def _seen(self, caller: Caller, action: str) -> dict[str, Event]:
        """Alarms by source, those that the caller may see."""
        every = self._kernel.spine.alarms.standing(all_=True)
        shown = await self._concerned.shown(every, lambda paths: caller.seen(action, paths))
        return {event.source: event for event in shown}

    async def watch(self, request: Any, caller: Caller) -> AsyncIterator[Any]:
        book, sight = self._kernel.spine.alarms, caller.sight("alarms.watch")
        queue = book.watch()
        try:
            shown = await self._seen(caller, "alarms.watch")
            wanted = selection(request.selectors, shown, "alarm")
            standing = [
                e for e in book.standing() if e.source in shown and wanted.matches(e.source)
            ]
            yield api_pb2.WatchAlarmsResponse(alarms=self._messages(standing))
            while True:
                event = await queue.get()
                if event is None:
                    raise CallError("this client is too slow; watch again", code="ABORTED")
                mine = [event] if wanted.matches(event.source) else []
                if events := await self._concerned.shown(mine, sight.among):
                    yield api_pb2.WatchAlarmsResponse(alarms=self._messages(events))
        finally:
            book.unwatch(queue)

    async def acknowledge(self, request: Any, caller: Caller) -> Any:
        (source,) = await self._named(request, caller)
        self._kernel.acknowledge(source, caller.subject.id, request.comment[:1000])
        await self._kernel.engine.synced(self._kernel.engine.state().appended)
        return api_pb2.AcknowledgeResponse(source=source)

    async def _named(self, request: Any, caller: Caller) -> Sequence[str]:
        """The one alarm that is meant, among those that the caller may see. Raises CallError."""
        text = request.source
        found = tails(text, await self._seen(caller, "alarms.list"))
        if len(found) == 1:
            return found
        if not found:
            raise CallError(f"no alarm named {text}", code="NOT_FOUND")
        raise several(text, "alarms", found)

    def _messages(self, events: Iterable[Event]) -> Sequence[record_pb2.Event]:
        """As people see them: those of what is set aside are out of service, and come last."""
        shown = sorted(map(self._kernel.maintenance.shown, events), key=_rests)
        return [record_pb2.Event.FromString(encode_event(event)) for event in shown]


def _rests(event: Event) -> bool:
    return event.alarm is not None and event.alarm.state is AlarmState.OUT_OF_SERVICE
