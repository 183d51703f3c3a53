"""The Python client of bedplate.api.v1, what MES, dashboards and notebooks use: `bedplate.connect().history(…)`.

Owns no policy: names, tails and permissions are decided by the kernel. The only other part that knows gRPC.
"""

from __future__ import annotations

import os

from bedplate.client.access import AccessSession, Identity, Login
from bedplate.client.async_client import AsyncClient
from bedplate.client.audit import AuditEntry, AuditReport
from bedplate.client.catalog import AssetEntry, CurrentSample, PluginEntry, TagEntry
from bedplate.client.client import Client
from bedplate.client.commands import CommandCheck, CommandStatus
from bedplate.client.gaps import Completeness, Gap, GapReport
from bedplate.client.link import File, Tls, is_here, tls_of
from bedplate.client.result import Result
from bedplate.client.series import Series
from bedplate.client.status import ComponentStatus, JournalStatus, ProcessStatus, Status
from bedplate.client.subscription import AsyncSubscription, Subscription
from bedplate.client.update import Update
from bedplate.endpoints import find, normalise

__all__ = [
    "AccessSession",
    "AssetEntry",
    "AsyncClient",
    "AsyncSubscription",
    "AuditEntry",
    "AuditReport",
    "Client",
    "CommandCheck",
    "CommandStatus",
    "Completeness",
    "ComponentStatus",
    "CurrentSample",
    "Gap",
    "GapReport",
    "Identity",
    "JournalStatus",
    "Login",
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


def connect(
    endpoint: str | None = None,
    token: str | None = None,
    *,
    ca: File | None = None,
    cert: tuple[File, File] | File | None = None,
) -> Client:
    """A client. endpoint: "host:port", by default the Bedplate of this machine · token: by default the one kept for it
    · ca: PEM file of the CA that made the kernel's certificate · cert: our certificate and key, as two files or one.

    Whatever is not on this machine is reached by TLS only. Contacts nothing yet. Raises CallError when no Bedplate runs
    here, endpoint is no address, or a file can't be read.
    """
    address, known, tls = _found(endpoint, token, tls_of(ca, cert))
    return Client(address, known, tls=tls)


def connect_async(
    endpoint: str | None = None,
    token: str | None = None,
    *,
    ca: File | None = None,
    cert: tuple[File, File] | File | None = None,
) -> AsyncClient:
    """The same for asyncio: `async with bedplate.connect_async() as client: await client.history("**/power")`."""
    address, known, tls = _found(endpoint, token, tls_of(ca, cert))
    return AsyncClient(address, known, tls=tls)


def _found(endpoint: str | None, token: str | None, tls: Tls | None) -> tuple[str, str, Tls | None]:
    if endpoint is not None and token is not None and (tls or is_here(normalise(endpoint))):
        return normalise(endpoint), token, tls
    environ = {**os.environ, **({"BEDPLATE_TOKEN": token} if token else {})}
    if tls:
        environ |= {"BEDPLATE_CA": tls.ca, "BEDPLATE_CERT": tls.cert, "BEDPLATE_KEY": tls.key}
    found = find(endpoint, environ)
    if tls is None and (found.tls or found.proves):
        tls = Tls(found.ca, found.cert, found.key or found.cert)
    return found.address, found.token if token is None else token, tls
