"""Access.CheckAccess: may the caller do this, and by which rules. For the caller alone: nobody asks about others.

Rule: a path that the caller may not see is answered like one that does not exist: as not allowed, by the same words.
"""

from __future__ import annotations

from typing import Any

from bedplate.api.v1 import access_pb2
from bedplate.errors import CallError
from bedplate.gate.policy import ACTIONS, objection
from bedplate.model import tails
from bedplate.runtime.kernel import Kernel
from bedplate.server.concerned import Concerned
from bedplate.server.door import Caller, Method
from bedplate.server.known import KnownTags
from bedplate.server.part import Parts
from bedplate.server.selection import nearest, several

NOTHING = "there is nothing of that name"


class CheckAccessService:
    """Of one kernel. Asks the gate; leaves the line of the question itself in the audit log, and no other."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel, self._known = kernel, KnownTags(kernel)
        self._parts, self._concerned = Parts(kernel), Concerned(kernel)

    def methods(self) -> list[Method]:
        request = access_pb2.CheckAccessRequest
        service, action = "bedplate.api.v1.Access", "access.check"
        return [Method(service, "CheckAccess", "unary", request, action, self.check)]

    async def check(self, request: Any, caller: Caller) -> Any:
        """Raises CallError for an action that there is not, and for a tail that means several."""
        if request.action not in ACTIONS:
            near = nearest(request.action, ACTIONS, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise CallError(f"there is no action {request.action[:80]}{hint}", code="NOT_FOUND")
        gate, subject = caller.door.gate, caller.subject
        if not request.resource or objection(subject, request.action):
            return _answer(await gate.reasons(subject, request.action))
        path = await self._path(request.resource.strip("/"), caller)
        if not path:
            return access_pb2.CheckAccessResponse(allowed=False, rules=[NOTHING])
        return _answer(await gate.reasons(subject, request.action, path))

    async def _path(self, text: str, caller: Caller) -> str:
        """The one that is meant, among those that the caller may see; empty: none."""
        seen = await self._seen(caller)
        found = tails(text, seen)
        if len(found) > 1:
            raise several(text, "things", found)
        return found[0] if found else ""

    async def _seen(self, caller: Caller) -> dict[str, None]:
        """Tags, the assets they hang on, alarms, and what has no tags."""
        tags = await caller.seen("catalog.tags", self._known.tags())
        book = self._kernel.spine.alarms.standing(all_=True)
        alarms = await self._concerned.shown(book, lambda p: caller.seen("alarms.list", p))
        part = await self._parts.of(caller, "admin.status")
        levels = (tag.rsplit("/", n)[0] for tag in tags for n in range(1, tag.count("/") + 1))
        devices = (s.component.path or s.component.id for s in part.components.values())
        return dict.fromkeys([*tags, *levels, *(a.source for a in alarms), *devices])


def _answer(reasons: Any) -> Any:
    return access_pb2.CheckAccessResponse(allowed=reasons.allowed, rules=reasons.rules)
