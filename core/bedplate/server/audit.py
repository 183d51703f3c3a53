"""Admin.ListAudit and Admin.VerifyAudit: the audit log, read. No call changes it, puts files aside or removes them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from bedplate.api.v1 import audit_pb2 as messages
from bedplate.audit.chain import Link
from bedplate.audit.entry import time_ns_of
from bedplate.audit.feed import PAGE, Feed, backwards
from bedplate.errors import CallError, Invalid
from bedplate.server.auditing import Auditing
from bedplate.server.door import Caller, Method

FIELDS = (
    *("action", "verdict", "who", "method", "peer", "resource", "rule", "text"),
    *("credential", "correlation", "hash", "mono", "clock"),
)
MOST = 100_000  # of `last`
Line = tuple[Link, bytes]


class AuditService:
    """Reads the files, on a thread."""

    def __init__(self, auditing: Auditing) -> None:
        self._auditing = auditing

    def methods(self) -> list[Method]:
        service, action = "bedplate.api.v1.Admin", "admin.audit"
        return [
            Method(service, "ListAudit", "stream", messages.ListAuditRequest, action, self.entries),
            Method(
                service, "VerifyAudit", "unary", messages.VerifyAuditRequest, action, self.verify
            ),
        ]

    async def entries(self, request: Any, caller: Caller) -> AsyncIterator[Any]:
        start, end = getattr(request, "from"), request.to
        if start < 0 or end < 0 or (end and end < start):
            raise Invalid("from and to: ns since 1970, and from comes first")
        wanted = _filter(request)
        try:
            if request.last:
                most = min(request.last, MOST)
                found = await asyncio.to_thread(self._newest, wanted, most, request.after)
                for at in range(0, len(found), PAGE):
                    yield _page(found[at : at + PAGE], raw=request.raw)
                return
            async for page in self._pages(request.after):
                if chosen := [line for line in page if wanted(line[0])]:
                    yield _page(chosen, raw=request.raw)
        except OSError as error:
            raise _unreadable(error) from None

    async def _pages(self, after: int) -> AsyncIterator[list[Line]]:
        feed = Feed(self._auditing.folder, after)
        try:
            while page := await asyncio.to_thread(feed.read):
                yield page
        finally:
            feed.close()

    def _newest(self, wanted: Callable[[Link], bool], most: int, after: int) -> list[Line]:
        return list(_last(backwards(self._auditing.folder), wanted, most, after))[::-1]

    async def verify(self, request: Any, caller: Caller) -> Any:
        auditing = self._auditing
        try:
            found = await auditing.verify()
        except OSError as error:
            raise _unreadable(error) from None
        response = messages.VerifyAuditResponse(
            whole=found.whole,
            entries=found.entries,
            problem=str(found.problem or ""),
            index=found.problem.index if found.problem else 0,
            head=found.head,
            notes=found.notes,
            public_key=auditing.signer.public if auditing.signer else "",
        )
        response.anchored = auditing.anchoring.newest_ns()
        return response


def _unreadable(error: OSError) -> CallError:
    text = f"the audit log can't be read: {error.strerror or error}"
    return CallError(text, code="UNAVAILABLE")


def _last(
    lines: Iterator[Line], wanted: Callable[[Link], bool], most: int, after: int
) -> Iterator[Line]:
    for one, line in lines:
        if one.index <= after or not most:
            return
        if wanted(one):
            most -= 1
            yield one, line


def _filter(request: Any) -> Callable[[Link], bool]:
    start, end, who, action = getattr(request, "from"), request.to, request.who, request.action

    def wanted(one: Link) -> bool:
        if not (start or end or who or action):
            return True
        fields = one.fields()
        if (start or end) and not start <= time_ns_of(fields["time"]) < (end or 1 << 62):
            return False
        return (not who or fields["who"] == who) and _below(fields["action"], action)

    return wanted


def _below(action: str, asked: str) -> bool:
    return action.startswith(asked) if asked.endswith(".") else asked in ("", action)


def _page(lines: list[Line], *, raw: bool) -> Any:
    return messages.ListAuditResponse(entries=[_entry(*line, raw=raw) for line in lines])


def _entry(one: Link, line: bytes, *, raw: bool) -> Any:
    fields = one.fields()
    told = {name: str(fields.get(name, "")) for name in FIELDS}
    made = messages.AuditEntry(index=one.index, time=time_ns_of(fields["time"]), **told)
    if raw:
        made.line = line.decode("ascii")
    return made
