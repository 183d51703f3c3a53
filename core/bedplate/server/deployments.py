"""Plan, apply, and the list of what was applied. One change at a time; whoever asked for it may go away meanwhile.

A change is written down before it begins and when it has ended, in the audit log and beside the deployments, so that
the next start can tell of one that was cut off. What is new boots only once it was healthy.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bedplate.admission.candidate import Admission
from bedplate.admission.reading import Written, admit, read_deployment
from bedplate.api.v1 import deployments_pb2 as messages
from bedplate.config import Deployment
from bedplate.contracts import Subject
from bedplate.errors import (
    AdmissionError,
    CallError,
    ConfigError,
    JournalError,
    Problem,
    ReconcileError,
)
from bedplate.gate.audit import Audit, Entry
from bedplate.gate.policy import ENGINEER
from bedplate.model import AlarmState, Event
from bedplate.planning.moves import Moves, replaced
from bedplate.planning.plan import Plan, PlannedStep, Step
from bedplate.planning.store import Applied, StoreError
from bedplate.runtime.kernel import Kernel
from bedplate.runtime.kernel_alarms import STREAM
from bedplate.server.door import Caller, Method
from bedplate.server.installation import Candidate, Installation
from bedplate.server.part import Parts
from bedplate.server.runnable import wrong_to_run
from bedplate.server.surroundings import figures

LARGEST = 4 << 20  # bytes of a file with its tables
HEALTH, LONGEST = 60.0, 3600.0  # s
STEPS: dict[Step, Any] = {step: messages.Step.Value(f"STEP_{step.name}") for step in Step}


@dataclass(frozen=True, slots=True)
class _Refused:
    """Why a deployment can't be had, a line each."""

    problems: tuple[str, ...]


class DeploymentService:
    """Serves Admin.Plan, Admin.Apply and Admin.ListDeployments. turned: hears of each deployment that was applied, with
    its plugins · given: plugins named on the command line."""

    def __init__(
        self,
        kernel: Kernel,
        installation: Installation,
        audit: Audit,
        given: Sequence[Path] = (),
        turned: Callable[[Deployment, Admission], None] = lambda deployment, admission: None,
    ) -> None:
        self._kernel, self._installation, self._audit = kernel, installation, audit
        self._given, self._turned, self._parts = given, turned, Parts(kernel)
        self._busy = ""  # who applies what
        self._applying: asyncio.Task[None] | None = None

    def methods(self) -> list[Method]:
        service = "bedplate.api.v1.Admin"
        plan = Method(service, "Plan", "unary", messages.PlanRequest, "admin.plan", self.plan)
        apply = Method(service, "Apply", "stream", messages.ApplyRequest, "admin.apply", self.apply)
        request = messages.ListDeploymentsRequest
        listed = Method(
            service, "ListDeployments", "unary", request, "admin.deployments", self.list
        )
        return [plan, apply, listed]

    @property
    def moves(self) -> Moves:
        """What was moved so far."""
        return self._installation.moves

    def status(self) -> Any:
        """The deployment that runs."""
        return _status(self._installation.running, self._installation.differs())

    async def close(self) -> None:
        """A change under way is given up; the next start tells of it."""
        if self._applying:
            self._applying.cancel()
            await asyncio.wait([self._applying])

    async def list(self, request: Any, caller: Caller) -> Any:
        kept = await asyncio.to_thread(lambda: [*self._installation.store.all()])
        return messages.ListDeploymentsResponse(deployments=map(_status, kept))

    # --- plan ---

    async def plan(self, request: Any, caller: Caller) -> Any:
        await self._parts.whole(caller, "admin.plan")
        candidate = await self._candidate(request)
        if isinstance(candidate, _Refused):
            against = self._installation.running.number
            return messages.PlanResponse(against=against, problems=candidate.problems)
        plan = await self._plan(candidate)
        name = request.file.name if request.HasField("file") else ""
        return messages.PlanResponse(
            against=plan.against,
            steps=map(_step, plan.steps),
            problems=[self._as_named(text, name) for text in plan.problems],
            notices=plan.notices,
            guard=plan.guard,
        )

    async def _plan(self, candidate: Candidate) -> Plan:
        seen = figures(self._kernel)
        return await asyncio.to_thread(self._installation.plan, candidate, seen)

    async def _candidate(self, request: Any) -> Candidate | _Refused:
        written, name = await self._written(request)
        try:
            return await asyncio.to_thread(self._read, written, request.number)
        except ConfigError as error:
            return _Refused(tuple(str(self._named(p, name)) for p in error.problems))
        except AdmissionError as error:
            return _Refused(tuple(str(error).splitlines()))

    async def _written(self, request: Any) -> tuple[Written, str]:
        """What is asked about, and how its file is called there."""
        if request.HasField("file") and request.file.content:
            file = request.file
            tables = dict(file.tables)
            if len(file.content) + sum(map(len, tables.values())) > LARGEST:
                raise CallError("the file is larger than 4 MiB", code="INVALID_ARGUMENT")
            return Written(bytes(file.content), tables), file.name
        if not request.number:
            return self._installation.written, ""
        try:
            kept = await asyncio.to_thread(self._installation.store.load, request.number)
        except StoreError as error:
            raise CallError(str(error), code="NOT_FOUND") from None
        return Written(kept.content, kept.tables), f"deployment {kept.number}"

    def _read(self, written: Written, number: int) -> Candidate:
        """Blocking. Raises ConfigError, AdmissionError."""
        installation = self._installation
        found, deployment = read_deployment(installation.file, self._given, written)
        shown = replace(deployment.source, file=self._kernel.deployment.source.file)
        deployment = replace(deployment, source=shown)
        if wrong := wrong_to_run(deployment, found.offers):
            raise ConfigError(wrong)
        admission = admit(found, deployment)
        if installation.standing is None:
            installation.look_around()
        standing = installation.look(deployment, admission.offers)
        used = {name: written.tables[name] for name in deployment.source.tables}
        written = Written(written.content, used)
        return Candidate(deployment, admission, written, standing, number)

    def _named(self, problem: Problem, name: str) -> Problem:
        """As whoever asks calls the file."""
        ours = problem.file == str(self._installation.file)
        return replace(problem, file=name) if ours and name else problem

    def _as_named(self, text: str, name: str) -> str:
        """With the name that whoever asks has for the file."""
        for ours in (str(self._installation.file), self._kernel.deployment.source.file):
            if name and text.startswith(f"{ours}:"):
                return name + text.removeprefix(ours)
        return text

    # --- apply ---

    async def apply(self, request: Any, caller: Caller) -> AsyncIterator[Any]:
        await self._parts.whole(caller, "admin.plan")
        told = self.change(request, caller.subject)
        async with contextlib.aclosing(told):
            async for message in told:
                yield message

    async def change(self, request: Any, by: Subject) -> AsyncGenerator[Any, None]:
        """The same for whom nobody has to let in. Who is no engineer changes nothing of who may write what."""
        self._check(request)
        self._busy = f"{by.id} is applying another one"
        try:
            candidate, plan = await self._planned(request, by)
        except BaseException as error:
            self._busy = ""
            if isinstance(error, CallError):  # tried is tried
                entry = Entry("admin.apply", "refused", by.id, by.method, by.peer, rule="plan")
                self._audit.add(replace(entry, text=str(error), credential=by.credential))
            raise
        told: asyncio.Queue[Any] = asyncio.Queue()
        change = _Change(candidate, plan, by.id, request.health_seconds or HEALTH, told)
        self._applying = asyncio.create_task(self._apply(change))
        while (message := await told.get()) is not None:
            yield message
        self._applying.result()

    def _check(self, request: Any) -> None:
        """Raises CallError for what can't be done now."""
        running = self._installation.running.number
        if self._busy:
            raise CallError(f"{self._busy}; wait for its end", code="FAILED_PRECONDITION")
        if request.HasField("if_deployment") and request.if_deployment != running:
            text = f"deployment {running} runs, not {request.if_deployment}; plan again"
            raise CallError(text, code="FAILED_PRECONDITION")
        if not request.number and not (request.HasField("file") and request.file.content):
            raise CallError("name a file or a deployment to apply", code="INVALID_ARGUMENT")
        if not 0 <= request.health_seconds <= LONGEST:
            text = f"health_seconds must be between 0 and {LONGEST:.0f}"
            raise CallError(text, code="INVALID_ARGUMENT")

    async def _planned(self, request: Any, subject: Subject) -> tuple[Candidate, Plan]:
        candidate = await self._candidate(request)
        if isinstance(candidate, _Refused):
            raise CallError("\n".join(candidate.problems), code="FAILED_PRECONDITION")
        plan = await self._plan(candidate)
        if plan.problems:
            raise CallError("\n".join(plan.problems), code="FAILED_PRECONDITION")
        if plan.guard and not ENGINEER.intersection(subject.roles):
            text = f"who may write what changes, which an engineer applies: {plan.guard[0]}"
            raise CallError(text, code="FAILED_PRECONDITION")
        return candidate, plan

    async def _apply(self, change: _Change) -> None:
        """Goes on though whoever asked has gone."""
        try:
            await self._do(change)
        finally:
            self._busy = ""
            change.told.put_nowait(None)

    async def _do(self, change: _Change) -> None:
        installation = self._installation
        if installation.same(change.candidate) and not (change.plan.touched or change.plan.guard):
            number = installation.running.number
            change.say("", None, "applied", "it is what runs; nothing was touched", number)
            return
        words = {
            "by": change.by,
            "began": self._kernel.clock.time_ns(),
            "steps": [f"{step.step} {step.component}" for step in change.plan.touched],
        }
        await asyncio.to_thread(installation.store.begin, words)
        alarms = [*self._alarms(change.plan)]
        try:
            await self._reconcile(change)
        except ReconcileError as error:
            await asyncio.to_thread(installation.store.end)
            await self._note(change, "refused", f"undone: {error}")
            raise CallError(f"undone: {error}", code="ABORTED") from None
        await asyncio.to_thread(installation.store.end)
        self._carry(alarms)
        candidate = change.candidate
        self._turned(candidate.deployment, candidate.admission)
        number = installation.running.number
        await self._note(change, "noted", f"deployment {number} runs: {change.words}")
        for text in change.plan.guard:
            await self._audit.write(Entry("command.rules", "noted", change.by, text=text))
        change.say("", None, "applied", f"deployment {number} runs", number)

    async def _reconcile(self, change: _Change) -> None:
        async def keep() -> None:
            candidate, pairs = change.candidate, change.plan.moves
            await asyncio.to_thread(self._installation.keep, candidate, change.by, pairs)

        def told(component: str, step: Step | None, state: str, text: str) -> None:
            if state != "applied":  # the last word is ours
                change.say(component, step, state, text)

        await self._kernel.reconcile(
            change.candidate.deployment,
            change.candidate.offers,
            change.plan,
            told,
            health=change.health,
            keep=keep,
        )

    def _alarms(self, plan: Plan) -> Iterator[tuple[Event, Event]]:
        """As they stand on what is moved, each as it is and with the source that it has after that."""
        for event in self._kernel.spine.alarms.standing(all_=True):
            for was, to in plan.moves:
                if (source := replaced(event.source, was, to)) and event.alarm:
                    tag = replaced(event.alarm.tag, was, to) or event.alarm.tag
                    alarm = replace(event.alarm, tag=tag)
                    yield event, replace(event, source=source, alarm=alarm)

    def _carry(self, alarms: Sequence[tuple[Event, Event]]) -> None:
        """An alarm goes with its machine: it ends where it was, and stands where nothing else was said by now."""
        book, now = self._kernel.spine.alarms, self._kernel.clock.time_ns()
        told = []
        for old, new in alarms:
            assert old.alarm
            over = replace(old.alarm, state=AlarmState.NORMAL, returned_at=now)
            if book.get(old.source) == old and old.alarm.state is not AlarmState.NORMAL:
                told.append(replace(old, time=now, text=f"moved to {new.source}", alarm=over))
            if book.get(new.source) is None:
                told.append(new)
        with contextlib.suppress(JournalError):
            for event in told:
                self._kernel.spine.event(STREAM, event)

    async def _note(self, change: _Change, verdict: str, text: str) -> None:
        await self._audit.write(Entry("admin.apply", verdict, change.by, text=text))


@dataclass(frozen=True, slots=True)
class _Change:
    """One change under way. told: what whoever asked gets to hear; None ends it."""

    candidate: Candidate
    plan: Plan
    by: str
    health: float
    told: asyncio.Queue[Any]

    def say(
        self, component: str, step: Step | None, state: str, text: str, number: int = 0
    ) -> None:
        message = messages.ApplyResponse(component=component, state=state, text=text, number=number)
        if step is not None:
            message.step = STEPS[step]
        self.told.put_nowait(message)

    @property
    def words(self) -> str:
        """What is done, in one line."""
        return counted(self.plan) or "nothing touched"


def counted(plan: Plan) -> str:
    """2 create, 1 restart."""
    counts: Mapping[Step, int] = {step: len([*plan.of(step)]) for step in Step}
    return ", ".join(f"{n} {s}" for s, n in counts.items() if n and s is not Step.UNTOUCHED)


def _step(step: PlannedStep) -> Any:
    return messages.PlannedStep(
        component=step.component,
        step=STEPS[step.step],
        why=step.why,
        gap_seconds=step.gap_seconds,
        machines=step.machines,
        process=step.process,
        was=step.was,
    )


def _status(applied: Applied, differs: str = "") -> Any:
    back = f", back to {applied.back_to}" if applied.back_to else ""
    return messages.DeploymentStatus(
        number=applied.number,
        applied=applied.applied,
        by=f"{applied.by}{back}",
        file_differs=differs,
    )
