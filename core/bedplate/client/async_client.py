"""The client of bedplate.api.v1 for asyncio: the methods of `Client`, awaited. What they mean is said there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import grpc.aio

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
from bedplate.client.failures import call_error
from bedplate.client.gaps import GapReport
from bedplate.client.link import Tls, linked
from bedplate.client.progress import progress_of
from bedplate.client.questions import Gathering, HistoryQuestion, Progress, texts
from bedplate.client.result import Result
from bedplate.client.span import Length, Moment, deadline
from bedplate.client.status import Maintenance, Status, maintenance_of, status_of
from bedplate.client.subscription import AsyncSubscription
from bedplate.client.update import opening
from bedplate.client.why import Explanation, explanation_of
from bedplate.model import Event
from bedplate.wire import event_of


class AsyncClient:
    """A connection to one Bedplate, for one event loop; see `Client`. A cancelled call ends on both sides."""

    def __init__(
        self,
        address: str,
        token: str = "",
        *,
        tls: Tls | None = None,
        now: Callable[[], int] = time.time_ns,
    ) -> None:
        self.address = address
        self._link = linked(address, token, tls)
        self._token = token
        self._now = now
        self._channel: grpc.aio.Channel | None = None
        self._made: calls.Calls | None = None

    async def history(  # noqa: PLR0913 - spelt out for those who ask the editor
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
        """See `Client.history`."""
        question = HistoryQuestion(
            selectors, last, start, end, every, agg, points, limit, last_before
        )
        gathering = Gathering(progress_of(progress))
        async for response in self._stream(calls.QUERY, question.request(self._now())):
            gathering.take(response)
        return gathering.result()

    async def history_pages(
        self, *selectors: str, progress: Progress | None = None, **more: Any
    ) -> AsyncIterator[Result]:
        """See `Client.history_pages`."""
        request = HistoryQuestion(selectors, **more).request(self._now())
        gathering = Gathering(progress)
        async for response in self._stream(calls.QUERY, request):
            yield gathering.page(response)

    async def gaps(
        self,
        *selectors: str,
        last: Length | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
    ) -> GapReport:
        """See `Client.gaps`."""
        request = gaps.request(texts(selectors), self._now(), last, start, end)
        return gaps.report_of(await self._unary(calls.LIST_GAPS, request))

    async def audit(
        self,
        *,
        since: Moment | Length | None = None,
        until: Moment | None = None,
        who: str = "",
        action: str = "",
        last: int = 0,
        after: int = 0,
        raw: bool = False,
    ) -> list[AuditEntry]:
        """See `Client.audit`."""
        request = audit.request(
            self._now(), since, until, who=who, action=action, last=last, after=after, raw=raw
        )
        return [
            audit.entry_of(one)
            async for response in self._stream(calls.LIST_AUDIT, request)
            for one in response.entries
        ]

    async def verify_audit(self) -> AuditReport:
        """See `Client.verify_audit`."""
        return audit.report_of(
            await self._unary(calls.VERIFY_AUDIT, audit_pb2.VerifyAuditRequest())
        )

    async def current(self, *selectors: str) -> Result:
        """See `Client.current`."""
        gathering = Gathering()
        request = api_pb2.CurrentRequest(selectors=texts(selectors))
        async for response in self._stream(calls.CURRENT, request):
            gathering.take(response)
        return gathering.result()

    async def tags(self, *selectors: str, current: bool = False) -> list[TagEntry]:
        """See `Client.tags`."""
        request = api_pb2.ListTagsRequest(selectors=texts(selectors), with_current=current)
        stream = self._stream(calls.LIST_TAGS, request)
        return [tag_entry(one) async for response in stream for one in response.tags]

    async def assets(self, below: str = "") -> list[AssetEntry]:
        """See `Client.assets`."""
        stream = self._stream(calls.LIST_ASSETS, api_pb2.ListAssetsRequest(below=below))
        return [asset_entry(one) async for response in stream for one in response.assets]

    def subscribe(
        self,
        *selectors: str,
        events: bool = False,
        resume: bytes | None = None,
        current_first: bool = False,
    ) -> AsyncSubscription:
        """See `Client.subscribe`; not awaited itself: `async for update in client.subscribe("**/power")`."""
        first = opening(selectors, events=events, resume=resume, current_first=current_first)
        return AsyncSubscription(self._calls, first, self._link)

    async def alarms(self, *selectors: str, all: bool = False) -> list[Event]:
        """See `Client.alarms`."""
        request = api_pb2.ListAlarmsRequest(selectors=texts(selectors), all=all)
        return [event_of(one) for one in (await self._unary(calls.LIST_ALARMS, request)).alarms]

    async def watch_alarms(self, *selectors: str) -> AsyncIterator[Event]:
        """See `Client.watch_alarms`."""
        request = api_pb2.WatchAlarmsRequest(selectors=texts(selectors))
        async for response in self._stream(calls.WATCH_ALARMS, request):
            for one in response.alarms:
                yield event_of(one)

    async def acknowledge(self, source: str, comment: str = "") -> str:
        """See `Client.acknowledge`."""
        request = api_pb2.AcknowledgeRequest(source=source, comment=comment)
        answered: str = (await self._unary(calls.ACKNOWLEDGE, request)).source
        return answered

    async def status(self, *, with_output: bool = False) -> Status:
        """See `Client.status`."""
        request = api_pb2.GetStatusRequest(with_output=with_output)
        return status_of(await self._unary(calls.GET_STATUS, request))

    async def why(self, subject: str) -> Explanation:
        """Why something is as it is."""
        request = why_pb2.ExplainRequest(subject=subject)
        return explanation_of(await self._unary(calls.EXPLAIN, request))

    async def set_maintenance(
        self, device: str, until: Moment | Length, reason: str
    ) -> list[Maintenance]:
        """See `Client.set_maintenance`."""
        request = maintenance_pb2.SetMaintenanceRequest(
            device=device, until=deadline(until, self._now()), reason=reason
        )
        return maintenance_of((await self._unary(calls.SET_MAINTENANCE, request)).maintenance)

    async def end_maintenance(self, device: str) -> list[Maintenance]:
        """See `Client.end_maintenance`."""
        request = maintenance_pb2.EndMaintenanceRequest(device=device)
        return maintenance_of((await self._unary(calls.END_MAINTENANCE, request)).maintenance)

    async def write(
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
        """See `Client.write`."""
        request = submit_request(
            tag, value, if_current, within, dry_run=dry_run, reason=reason, command_id=command_id
        )
        return command_of((await self._unary(calls.SUBMIT, request)).command)

    async def approve(self, command_id: str, intent: str) -> CommandStatus:
        """See `Client.approve`."""
        request = command_pb2.ApproveRequest(command_id=command_id, intent=intent)
        return command_of((await self._unary(calls.APPROVE, request)).command)

    async def cancel(self, command_id: str) -> CommandStatus:
        """See `Client.cancel`."""
        request = command_pb2.CancelRequest(command_id=command_id)
        return command_of((await self._unary(calls.CANCEL, request)).command)

    async def commands(
        self, *selectors: str, waiting: bool = False, last: int = 100
    ) -> list[CommandStatus]:
        """See `Client.commands`."""
        request = command_pb2.ListCommandsRequest(
            selectors=texts(selectors), waiting=waiting, last=last
        )
        found = await self._unary(calls.LIST_COMMANDS, request)
        return [command_of(one) for one in found.commands]

    async def plan(self, file: Path | str | None = None, *, number: int = 0) -> Plan:
        """See `Client.plan`."""
        return plan_of(await self._unary(calls.PLAN, plan_request(file, number)))

    async def apply(
        self,
        file: Path | str | None = None,
        *,
        number: int = 0,
        if_deployment: int | None = None,
        health: float = 60.0,
    ) -> AsyncIterator[ApplyProgress]:
        """See `Client.apply`."""
        request = apply_request(file, number, if_deployment, health)
        async for response in self._stream(calls.APPLY, request):
            yield apply_progress(response)

    async def deployments(self) -> list[DeploymentStatus]:
        """See `Client.deployments`."""
        response = await self._unary(calls.LIST_DEPLOYMENTS, list_request())
        return [deployment_of(one) for one in response.deployments]

    async def plugins(self) -> list[PluginEntry]:
        """See `Client.plugins`."""
        response = await self._unary(calls.LIST_PLUGINS, api_pb2.ListPluginsRequest())
        return [plugin_entry(one) for one in response.plugins]

    async def whoami(self) -> Identity:
        """See `Client.whoami`."""
        return identity_of(await self._unary(calls.WHO_AM_I, access_pb2.WhoAmIRequest()))

    async def login(self, name: str, password: str) -> Login:
        """See `Client.login`."""
        request = access_pb2.LoginRequest(name=name, password=password)
        return login_of(await self._unary(calls.LOG_IN, request))

    async def check_access(self, action: str, resource: str = "") -> AccessCheck:
        """See `Client.check_access`."""
        request = access_pb2.CheckAccessRequest(action=action, resource=resource)
        found = await self._unary(calls.CHECK_ACCESS, request)
        return AccessCheck(found.allowed, tuple(found.rules))

    async def sessions(self) -> list[AccessSession]:
        """See `Client.sessions`."""
        response = await self._unary(calls.LIST_SESSIONS, access_pb2.ListSessionsRequest())
        return [session_of(one) for one in response.sessions]

    async def close(self) -> None:
        """Ends every call of this client."""
        if self._channel is not None:
            await self._channel.close()

    def _calls(self, method: calls.Method, request: Any) -> Any:
        """Makes the channel with the first call: it belongs to the loop that runs then."""
        if self._made is None:
            self._channel = self._link.channel(grpc.aio)
            self._made = calls.Calls(self._channel, self._token)
        return self._made(method, request)

    async def _unary(self, method: calls.Method, request: Any) -> Any:
        try:
            return await self._calls(method, request)
        except grpc.RpcError as error:
            raise await asyncio.to_thread(call_error, error, self._link) from None

    async def _stream(self, method: calls.Method, request: Any) -> AsyncIterator[Any]:
        call = self._calls(method, request)
        try:
            async for response in call:
                yield response
        except grpc.RpcError as error:
            raise await asyncio.to_thread(call_error, error, self._link) from None
        finally:
            call.cancel()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<AsyncClient of {self.address}>"
