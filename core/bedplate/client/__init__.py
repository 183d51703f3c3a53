"""The Python client of bedplate.api.v1, what MES, dashboards and notebooks use: `bedplate.connect().history(…)`.

Owns no policy: names, tails and permissions are decided by the kernel. The only other part that knows gRPC.
"""

from __future__ import annotations

from bedplate.client.async_client import AsyncClient
from bedplate.client.catalog import AssetEntry, CurrentSample, PluginEntry, TagEntry
from bedplate.client.client import Client
from bedplate.client.commands import CommandCheck, CommandStatus
from bedplate.client.gaps import Completeness, Gap, GapReport
from bedplate.client.result import Result
from bedplate.client.series import Series
from bedplate.client.status import ComponentStatus, JournalStatus, ProcessStatus, Status
from bedplate.client.subscription import AsyncSubscription, Subscription
from bedplate.client.update import Update
from bedplate.endpoints import find, normalise

__all__ = [
    "AssetEntry",
    "AsyncClient",
    "AsyncSubscription",
    "Client",
    "CommandCheck",
    "CommandStatus",
    "Completeness",
    "ComponentStatus",
    "CurrentSample",
    "Gap",
    "GapReport",
    "JournalStatus",
    "PluginEntry",
    "ProcessStatus",
    "Result",
    "Series",
    "Status",
    "Subscription",
    "TagEntry",
    "Update",
    "connect",
    "connect_async",
]


def connect(endpoint: str | None = None, token: str | None = None) -> Client:
    """A client. endpoint: "host:port", by default the Bedplate of this machine; token: by default the one kept for it.

    Contacts nothing yet. Raises CallError when no Bedplate runs here or endpoint is no address.
    """
    return Client(*_found(endpoint, token))


def connect_async(endpoint: str | None = None, token: str | None = None) -> AsyncClient:
    """The same for asyncio: `async with bedplate.connect_async() as client: await client.history("**/power")`."""
    return AsyncClient(*_found(endpoint, token))


def _found(endpoint: str | None, token: str | None) -> tuple[str, str]:
    if endpoint is not None and token is not None:
        return normalise(endpoint), token
    found = find(endpoint)
    return found.address, found.token if token is None else token
