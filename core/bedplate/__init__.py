"""Bedplate: the industrial internet platform as a microkernel. Public: these names and `bedplate.testing`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bedplate.version import API, __version__

if TYPE_CHECKING:
    from bedplate.client import AsyncClient, Client, connect, connect_async
    from bedplate.contracts import (
        Aggregate,
        Analytic,
        Asset,
        Bad,
        Check,
        Connector,
        Credential,
        Decision,
        Delivery,
        LoggedIn,
        Node,
        Output,
        Page,
        Query,
        Sample,
        SecurityModule,
        Send,
        Series,
        Stretch,
        Subject,
        Tag,
        Verdict,
        Written,
    )
    from bedplate.errors import BedplateError, CallError, Invalid, Refused
    from bedplate.model import Batch, DataType, Event, Record

# Resolved on first use, so that `bedplate --help` imports neither numpy nor pydantic nor gRPC.
_HOMES = {
    "bedplate.client": ("AsyncClient", "Client", "connect", "connect_async"),
    "bedplate.contracts": (
        "Aggregate", "Analytic", "Asset", "Bad", "Check", "Connector", "Credential", "Decision", "Delivery",
        "LoggedIn", "Node", "Output", "Page", "Query", "Sample", "SecurityModule", "Send", "Series",
        "Stretch", "Subject", "Tag", "Verdict", "Written",
    ),
    "bedplate.errors": ("BedplateError", "CallError", "Invalid", "Refused"),
    "bedplate.model": ("Batch", "DataType", "Event", "Record"),
}  # fmt: skip
_HOME = {name: module for module, names in _HOMES.items() for name in names}
# Spelt out once more: type checkers take only a list of literals for public.
__all__ = [
    "API",
    "Aggregate",
    "Analytic",
    "Asset",
    "AsyncClient",
    "Bad",
    "Batch",
    "BedplateError",
    "CallError",
    "Check",
    "Client",
    "Connector",
    "Credential",
    "DataType",
    "Decision",
    "Delivery",
    "Event",
    "Invalid",
    "LoggedIn",
    "Node",
    "Output",
    "Page",
    "Query",
    "Record",
    "Refused",
    "Sample",
    "SecurityModule",
    "Send",
    "Series",
    "Stretch",
    "Subject",
    "Tag",
    "Verdict",
    "Written",
    "__version__",
    "connect",
    "connect_async",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'bedplate' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOME[name]), name)
