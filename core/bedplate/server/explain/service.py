"""The method Explain of the service Admin."""

from __future__ import annotations

from typing import Any

from bedplate.api.v1 import why_pb2
from bedplate.runtime.kernel import Kernel
from bedplate.server.door import Caller, Method
from bedplate.server.explain.case import Case
from bedplate.server.explain.chain import chain
from bedplate.server.explain.effects import also, effects
from bedplate.server.explain.evidence import facts
from bedplate.server.explain.headline import headline
from bedplate.server.explain.losses import lost
from bedplate.server.explain.network_check import NetworkCheck
from bedplate.server.explain.owner import actions, reason, whose
from bedplate.server.explain.subject import Subjects
from bedplate.server.part import Parts

ACTION = "admin.explain"


class ExplainService:
    """Looks at a kernel; the only thing it does is try an address."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel, self._parts = kernel, Parts(kernel)
        self._check = NetworkCheck(self._now)

    def _now(self) -> float:
        return self._kernel.clock.monotonic()

    def methods(self) -> list[Method]:
        service, request = "bedplate.api.v1.Admin", why_pb2.ExplainRequest
        return [Method(service, "Explain", "unary", request, ACTION, self.explain)]

    async def explain(self, request: Any, caller: Caller) -> Any:
        """Raises CallError: NOT_FOUND, INVALID_ARGUMENT."""
        kernel = await self._parts.of(caller, ACTION)
        case = _case(kernel, request.subject)
        links = await chain(case, self._check)
        owner, owner_text = whose(case, links)
        return why_pb2.ExplainResponse(
            subject=case.subject.name,
            headline=headline(case),
            cause=reason(case),
            facts=await facts(case),
            chain=links,
            also=also(case),
            effect=effects(case),
            lost=await lost(case),
            whose=int(owner),  # type: ignore[arg-type]
            whose_text=owner_text,
            actions=actions(case, links),
        )


def _case(kernel: Kernel, text: str) -> Case:
    causes = kernel.causes.now()
    members = kernel.causes.findings.members()
    subject = Subjects(kernel, causes, members).find(text)
    return Case(kernel, subject, causes, members, kernel.clock.time_ns())
