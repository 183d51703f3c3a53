"""The method Explain of the service Admin."""

from __future__ import annotations

from typing import Any

from bedplate.api.v1 import why_pb2
from bedplate.errors import CallError
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
from bedplate.server.explain.subject import Subject, Subjects


class ExplainService:
    """Looks at a kernel; the only thing it does is try an address."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._check = NetworkCheck(self._now)

    def _now(self) -> float:
        return self._kernel.clock.monotonic()

    def methods(self) -> list[Method]:
        service, request = "bedplate.api.v1.Admin", why_pb2.ExplainRequest
        action = "admin.explain"
        return [Method(service, "Explain", "unary", request, action, self.explain, self._asked)]

    async def explain(self, request: Any, caller: Caller) -> Any:
        """Raises CallError: NOT_FOUND, INVALID_ARGUMENT."""
        case = self._case(request.subject)
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

    def _case(self, text: str) -> Case:
        kernel = self._kernel
        causes = kernel.causes.now()
        members = kernel.causes.findings.members()
        subject = Subjects(kernel, causes, members).find(text)
        return Case(kernel, subject, causes, members, kernel.clock.time_ns())

    def _asked(self, request: Any) -> list[str]:
        """What the gate is asked about: the paths of what is meant; all that it could mean when that is not known."""
        try:
            case = self._case(request.subject)
        except CallError:
            return [f"**/{request.subject}"]
        return _resources(case.subject, case)


def _resources(subject: Subject, case: Case) -> list[str]:
    if subject.tag:
        return [subject.tag]
    return [case.members[c].path for c in subject.components] or [subject.name]
