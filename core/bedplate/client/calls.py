"""The methods of bedplate.api.v1, bound to a channel of either kind. Columns arrive as bytes, through the twin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bedplate.api.v1 import (
    access_pb2,
    api_pb2,
    audit_pb2,
    command_pb2,
    deployments_pb2,
    gaps_pb2,
    maintenance_pb2,
    why_pb2,
)
from bedplate.wire import twin

UNARY_WITHIN = 10.0  # s; streams have no deadline
OPTIONS = (
    ("grpc.max_receive_message_length", 32 << 20),  # the kernel sends at most 16 MiB
    ("grpc.enable_http_proxy", 0),  # of the environment: gRPC would ask it for 127.0.0.1 too
    ("grpc.primary_user_agent", "bedplate-python"),
)


@dataclass(frozen=True, slots=True)
class Method:
    """One RPC. shape: name of the factory on a channel · within: s, of a unary one."""

    service: str
    name: str
    shape: str
    response: Any
    within: float = UNARY_WITHIN

    @property
    def path(self) -> str:
        return f"/bedplate.api.v1.{self.service}/{self.name}"


UNARY, STREAM, BOTH = "unary_unary", "unary_stream", "stream_stream"
LIST_TAGS = Method("Catalog", "ListTags", STREAM, api_pb2.ListTagsResponse)
LIST_ASSETS = Method("Catalog", "ListAssets", STREAM, api_pb2.ListAssetsResponse)
CURRENT = Method("Live", "Current", STREAM, twin(api_pb2.CurrentResponse))
SUBSCRIBE = Method("Live", "Subscribe", BOTH, twin(api_pb2.SubscribeResponse))
LIST_GAPS = Method("History", "ListGaps", UNARY, gaps_pb2.ListGapsResponse)
QUERY = Method("History", "Query", STREAM, twin(api_pb2.QueryResponse))
LIST_ALARMS = Method("Alarms", "ListAlarms", UNARY, api_pb2.ListAlarmsResponse)
WATCH_ALARMS = Method("Alarms", "WatchAlarms", STREAM, api_pb2.WatchAlarmsResponse)
ACKNOWLEDGE = Method("Alarms", "Acknowledge", UNARY, api_pb2.AcknowledgeResponse)
GET_STATUS = Method("Admin", "GetStatus", UNARY, api_pb2.GetStatusResponse)
SET_MAINTENANCE = Method("Admin", "SetMaintenance", UNARY, maintenance_pb2.SetMaintenanceResponse)
END_MAINTENANCE = Method("Admin", "EndMaintenance", UNARY, maintenance_pb2.EndMaintenanceResponse)
PLAN = Method("Admin", "Plan", UNARY, deployments_pb2.PlanResponse)
APPLY = Method("Admin", "Apply", STREAM, deployments_pb2.ApplyResponse)
LIST_DEPLOYMENTS = Method(
    "Admin", "ListDeployments", UNARY, deployments_pb2.ListDeploymentsResponse
)
COMMAND_WITHIN = 150.0  # s: a command may wait for its turn, and is read back
SUBMIT = Method("Command", "Submit", UNARY, command_pb2.SubmitResponse, COMMAND_WITHIN)
APPROVE = Method("Command", "Approve", UNARY, command_pb2.ApproveResponse, COMMAND_WITHIN)
CANCEL = Method("Command", "Cancel", UNARY, command_pb2.CancelResponse)
LIST_COMMANDS = Method("Command", "ListCommands", UNARY, command_pb2.ListCommandsResponse)
EXPLAIN = Method("Admin", "Explain", UNARY, why_pb2.ExplainResponse)
WHO_AM_I = Method("Access", "WhoAmI", UNARY, access_pb2.WhoAmIResponse)
LOG_IN = Method("Access", "Login", UNARY, access_pb2.LoginResponse)
CHECK_ACCESS = Method("Access", "CheckAccess", UNARY, access_pb2.CheckAccessResponse)
LIST_SESSIONS = Method("Access", "ListSessions", UNARY, access_pb2.ListSessionsResponse)
LIST_AUDIT = Method("Admin", "ListAudit", STREAM, audit_pb2.ListAuditResponse)
VERIFY_AUDIT = Method("Admin", "VerifyAudit", UNARY, audit_pb2.VerifyAuditResponse)
LIST_PLUGINS = Method("Admin", "ListPlugins", UNARY, api_pb2.ListPluginsResponse)


Starter = Callable[[Method, Any], Any]


class Calls:
    """Starts calls on one channel, with identity and deadline."""

    def __init__(self, channel: Any, token: str) -> None:
        self._channel = channel
        self._metadata = (("authorization", f"Bearer {token}"),) if token else ()
        self._made: dict[Method, Callable[..., Any]] = {}

    def __call__(self, method: Method, request: Any) -> Any:
        """The call, begun. request: a message, or for both sides streaming an iterator of them, or None."""
        if method not in self._made:
            self._made[method] = getattr(self._channel, method.shape)(
                method.path,
                request_serializer=_serialized,
                response_deserializer=method.response.FromString,
            )
        within = method.within if method.shape == UNARY else None
        return self._made[method](request, metadata=self._metadata, timeout=within)


def _serialized(message: Any) -> bytes:
    encoded: bytes = message.SerializeToString()
    return encoded
