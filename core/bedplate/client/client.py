"""The client of bedplate.api.v1 for ordinary Python: calls block, streams are iterators. `async_client` is its twin."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import grpc

from bedplate.api.v1 import access_pb2, api_pb2, audit_pb2, command_pb2, maintenance_pb2, why_pb2
from bedplate.client import audit, calls, gaps
from bedplate.client.access import (
    AccessCheck,
    AccessSession,
    Identity,
    Login,
    identity_of,
    login_of,
    session_of,
)
from bedplate.client.audit import AuditEntry, AuditReport
from bedplate.client.catalog import (
    AssetEntry,
    PluginEntry,
    TagEntry,
    asset_entry,
    plugin_entry,
    tag_entry,
)
from bedplate.client.commands import CommandStatus, command_of, submit_request
from bedplate.client.deployments import (
    ApplyProgress,
    DeploymentStatus,
    Plan,
    apply_progress,
    apply_request,
    deployment_of,
    list_request,
    plan_of,
    plan_request,
)
from bedplate.client.failures import failing
from bedplate.client.gaps import GapReport
from bedplate.client.link import Tls, linked
from bedplate.client.progress import progress_of
from bedplate.client.questions import Gathering, HistoryQuestion, Progress, texts
from bedplate.client.result import Result
from bedplate.client.span import Length, Moment, deadline
from bedplate.client.status import Maintenance, Status, maintenance_of, status_of
from bedplate.client.subscription import Subscription
from bedplate.client.update import opening
from bedplate.client.why import Explanation, explanation_of
from bedplate.model import Event
from bedplate.wire import event_of


class Client:
    """A connection to one Bedplate. Nothing is contacted before the first call.

    Selectors are full paths, any unique tail of one (`filler/power`), an asset (`filler`: all below it), or patterns
    (`**/power`, `filler/*`); none mean all. Every method raises CallError when the kernel does not run, does not know a
    name, finds one ambiguous (the text lists the candidates), or refuses. May be used by several threads.
    """

    def __init__(
        self,
        address: str,
        token: str = "",
        *,
        tls: Tls | None = None,
        now: Callable[[], int] = time.time_ns,
    ) -> None:
        self.address = address
        self._now = now
        self._link = linked(address, token, tls)
        self._channel = self._link.channel(grpc)
        self._calls = calls.Calls(self._channel, token)

    def history(  # noqa: PLR0913 - spelt out for those who ask the editor
        self,
        *selectors: str,
        last: Length | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
        every: Length | None = None,
        agg: str | None = None,
        points: int | None = None,
        limit: int | None = None,
        last_before: bool = False,
        progress: Progress | bool | None = None,
    ) -> Result:
        """What was, by source time; without last, start and end the last 10 minutes.

        last: "5min", "2h", a timedelta · start (inclusive), end (exclusive): datetime, ISO text, "06:00" of today, or
        ns since 1970 UTC; without an offset local time · every: width of a window · points: about so many windows
        instead · agg: average (the default with windows), minimum, maximum, first, last, count, sum; without windows
        over the whole range · limit: newest samples per tag · last_before: also the newest sample before start ·
        progress: a callable that is told 0 to 1, or True for a line on stderr. Raises ValueError for what can't be
        asked.
        """
        question = HistoryQuestion(
            selectors, last, start, end, every, agg, points, limit, last_before
        )
        gathering = Gathering(progress_of(progress))
        for response in self._stream(calls.QUERY, question.request(self._now())):
            gathering.take(response)
        return gathering.result()

    def history_pages(
        self, *selectors: str, progress: Progress | None = None, **more: Any
    ) -> Iterator[Result]:
        """The same answer page by page, for what does not fit into memory; each is a Result with its `progress`."""
        request = HistoryQuestion(selectors, **more).request(self._now())
        gathering = Gathering(progress)
        return map(gathering.page, self._stream(calls.QUERY, request))

    def gaps(
        self,
        *selectors: str,
        last: Length | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
    ) -> GapReport:
        """What is missing, why, and how complete each tag is; without last, start and end since the beginning of the
        day in the deployment's time zone. As of `history`; raises ValueError for a range that can't be."""
        request = gaps.request(texts(selectors), self._now(), last, start, end)
        return gaps.report_of(self._unary(calls.LIST_GAPS, request))

    def audit(
        self,
        *,
        since: Moment | Length | None = None,
        until: Moment | None = None,
        who: str = "",
        action: str = "",
        last: int = 0,
        after: int = 0,
        raw: bool = False,
    ) -> Iterator[AuditEntry]:
        """Lines of the audit log, oldest first. since: a moment, or so long before now · action: one, or those below it
        ("command.") · last: so many of the newest · after: only those with a greater index · raw: each line as it
        stands in the log, too. Raises CallError; ValueError for a time that can't be read."""
        request = audit.request(
            self._now(), since, until, who=who, action=action, last=last, after=after, raw=raw
        )
        for response in self._stream(calls.LIST_AUDIT, request):
            yield from map(audit.entry_of, response.entries)

    def verify_audit(self) -> AuditReport:
        """Whether the audit log is what the kernel wrote, as it sees it itself. Raises CallError."""
        return audit.report_of(self._unary(calls.VERIFY_AUDIT, audit_pb2.VerifyAuditRequest()))

    def current(self, *selectors: str) -> Result:
        """The newest sample of each tag."""
        gathering = Gathering()
        request = api_pb2.CurrentRequest(selectors=texts(selectors))
        for response in self._stream(calls.CURRENT, request):
            gathering.take(response)
        return gathering.result()

    def tags(self, *selectors: str, current: bool = False) -> list[TagEntry]:
        """Tags by path; current: with their newest samples."""
        request = api_pb2.ListTagsRequest(selectors=texts(selectors), with_current=current)
        return [tag_entry(one) for r in self._stream(calls.LIST_TAGS, request) for one in r.tags]

    def assets(self, below: str = "") -> list[AssetEntry]:
        """Assets by path, all or those at and below a full path."""
        request = api_pb2.ListAssetsRequest(below=below)
        return [
            asset_entry(one) for r in self._stream(calls.LIST_ASSETS, request) for one in r.assets
        ]

    def subscribe(
        self,
        *selectors: str,
        events: bool = False,
        resume: bytes | None = None,
        current_first: bool = False,
    ) -> Subscription:
        """Samples from now on, or after a resume token, as they come. events: also alarms and changes of state ·
        current_first: begin with the newest sample of each tag."""
        first = opening(selectors, events=events, resume=resume, current_first=current_first)
        return Subscription(self._calls, first, self._link)

    def alarms(self, *selectors: str, all: bool = False) -> list[Event]:
        """Alarms that need a person, the most severe first; all: also those that are normal."""
        request = api_pb2.ListAlarmsRequest(selectors=texts(selectors), all=all)
        return [event_of(one) for one in self._unary(calls.LIST_ALARMS, request).alarms]

    def watch_alarms(self, *selectors: str) -> Iterator[Event]:
        """Alarms as they stand, then every change."""
        request = api_pb2.WatchAlarmsRequest(selectors=texts(selectors))
        for response in self._stream(calls.WATCH_ALARMS, request):
            yield from map(event_of, response.alarms)

    def acknowledge(self, source: str, comment: str = "") -> str:
        """Acknowledges an alarm by its path or any unique tail; once more changes nothing. Returns the full path."""
        request = api_pb2.AcknowledgeRequest(source=source, comment=comment)
        answered: str = self._unary(calls.ACKNOWLEDGE, request).source
        return answered

    def status(self, *, with_output: bool = False) -> Status:
        """How the platform stands. with_output: also the last lines that plugins printed."""
        request = api_pb2.GetStatusRequest(with_output=with_output)
        return status_of(self._unary(calls.GET_STATUS, request))

    def why(self, subject: str) -> Explanation:
        """Why something is as it is: a tag, a device, an asset, a process, a reader, an alarm; or any unique tail of
        a path."""
        request = why_pb2.ExplainRequest(subject=subject)
        return explanation_of(self._unary(calls.EXPLAIN, request))

    def set_maintenance(
        self, device: str, until: Moment | Length, reason: str
    ) -> list[Maintenance]:
        """Sets a device aside while people work on it, or says anew until when and why: its tags are out of service,
        its alarms off, writes to it locked. device: the id of a component, or the path of an asset or any unique tail
        of it · until: "06:00" (the next), "8h", a timedelta, ISO text, datetime, or ns since 1970 UTC. Raises
        ValueError for an until that can't be read."""
        request = maintenance_pb2.SetMaintenanceRequest(
            device=device, until=deadline(until, self._now()), reason=reason
        )
        return maintenance_of(self._unary(calls.SET_MAINTENANCE, request).maintenance)

    def end_maintenance(self, device: str) -> list[Maintenance]:
        """Takes it back into service; returns what was ended, nothing when it was not set aside."""
        request = maintenance_pb2.EndMaintenanceRequest(device=device)
        return maintenance_of(self._unary(calls.END_MAINTENANCE, request).maintenance)

    def write(
        self,
        tag: str,
        value: Any,
        *,
        if_current: Any = None,
        within: Length = "10s",
        dry_run: bool = False,
        reason: str = "",
        command_id: str = "",
    ) -> CommandStatus:
        """Writes one tag, in its unit, once; returns when it has ended or waits for a second person.

        tag: full path or any unique tail · value: bool, int, float, str or bytes; a label of its states · if_current:
        only if the tag has this value · within: never sent later than this after arrival, at most 60 s · dry_run: every
        check and its verdict, nothing is sent · command_id: unique for ever, a UUID by default; the same again gets the
        first answer and is not sent again, so it is the way to ask after a connection that broke off. A command that is
        refused is no error: look at `state`. Raises ValueError for a value that no tag can have.
        """
        request = submit_request(
            tag, value, if_current, within, dry_run=dry_run, reason=reason, command_id=command_id
        )
        return command_of(self._unary(calls.SUBMIT, request).command)

    def approve(self, command_id: str, intent: str) -> CommandStatus:
        """A second person's word for a command that waits; intent: exactly as shown. Returns when it has ended."""
        request = command_pb2.ApproveRequest(command_id=command_id, intent=intent)
        return command_of(self._unary(calls.APPROVE, request).command)

    def cancel(self, command_id: str) -> CommandStatus:
        """Takes a command back that is not on its way yet; as it stands otherwise."""
        request = command_pb2.CancelRequest(command_id=command_id)
        return command_of(self._unary(calls.CANCEL, request).command)

    def commands(
        self, *selectors: str, waiting: bool = False, last: int = 100
    ) -> list[CommandStatus]:
        """Commands, the newest first; waiting: only those that wait for a second person."""
        request = command_pb2.ListCommandsRequest(
            selectors=texts(selectors), waiting=waiting, last=last
        )
        found = self._unary(calls.LIST_COMMANDS, request)
        return [command_of(one) for one in found.commands]

    def plan(self, file: Path | str | None = None, *, number: int = 0) -> Plan:
        """What applying would do; changes nothing and contacts no machine. file: of a deployment, read here with its
        tables; or number: of one that was applied before. Raises CallError NOT_FOUND for neither."""
        return plan_of(self._unary(calls.PLAN, plan_request(file, number)))

    def apply(
        self,
        file: Path | str | None = None,
        *,
        number: int = 0,
        if_deployment: int | None = None,
        health: float = 60.0,
    ) -> Iterator[ApplyProgress]:
        """Applies a file, or a deployment that was applied before, and tells how it goes until it stands; whoever stops
        listening does not stop it. if_deployment: only if this number runs · health: seconds within which what was
        touched has to be as healthy as before. Raises CallError: FAILED_PRECONDITION when it can't be applied, ABORTED
        with the reason when it was undone."""
        request = apply_request(file, number, if_deployment, health)
        yield from map(apply_progress, self._stream(calls.APPLY, request))

    def deployments(self) -> list[DeploymentStatus]:
        """Deployments that were applied and can be gone back to, newest first."""
        response = self._unary(calls.LIST_DEPLOYMENTS, list_request())
        return [deployment_of(one) for one in response.deployments]

    def plugins(self) -> list[PluginEntry]:
        """Every plugin that was found, with what became of it, the refused too."""
        response = self._unary(calls.LIST_PLUGINS, api_pb2.ListPluginsRequest())
        return [plugin_entry(one) for one in response.plugins]

    def whoami(self) -> Identity:
        """Whom the kernel takes this client for."""
        return identity_of(self._unary(calls.WHO_AM_I, access_pb2.WhoAmIRequest()))

    def login(self, name: str, password: str) -> Login:
        """A token for a name and its password, for `connect(token=…)`. Raises CallError: UNAUTHENTICATED for a wrong
        one, RESOURCE_EXHAUSTED after too many tries."""
        request = access_pb2.LoginRequest(name=name, password=password)
        return login_of(self._unary(calls.LOG_IN, request))

    def check_access(self, action: str, resource: str = "") -> AccessCheck:
        """Whether this client may do this, and by which rules. resource: a path or any unique tail of it; empty: the
        platform itself. What may not be seen is answered as what there is not. Raises CallError: NOT_FOUND for an
        action that there is not."""
        request = access_pb2.CheckAccessRequest(action=action, resource=resource)
        found = self._unary(calls.CHECK_ACCESS, request)
        return AccessCheck(found.allowed, tuple(found.rules))

    def sessions(self) -> list[AccessSession]:
        """Who is connected, or was within the last hour, the newest call first."""
        response = self._unary(calls.LIST_SESSIONS, access_pb2.ListSessionsRequest())
        return [session_of(one) for one in response.sessions]

    def close(self) -> None:
        """Ends every call of this client."""
        self._channel.close()

    def _unary(self, method: calls.Method, request: Any) -> Any:
        with failing(self._link):
            return self._calls(method, request)

    def _stream(self, method: calls.Method, request: Any) -> Iterator[Any]:
        """Responses; the call ends with the iterator."""
        with failing(self._link):
            call = self._calls(method, request)
            try:
                yield from call
            finally:
                call.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Client of {self.address}>"
