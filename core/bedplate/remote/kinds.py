"""The contract of each kind of plugin as values: its service, its messages, the words of its asks, and
how a process says that it can't be served."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bedplate.analytic.v1 import analytic_pb2
from bedplate.connector.v1 import connector_pb2
from bedplate.security.v1 import security_pb2
from bedplate.wire import twin

DO_NOT_RETRY = 78  # exit code, EX_CONFIG of sysexits.h: as things are, another try is of no use


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind: the full name of its service and the twin classes of what travels."""

    name: str
    service: str
    to: Any
    come: Any
    ask: Any
    reply: Any

    @property
    def method(self) -> str:
        return f"/{self.service}/Attach"


def _kind(name: str, pb2: Any) -> Kind:
    word = name.capitalize()
    messages = [getattr(pb2, f"To{word}"), getattr(pb2, f"From{word}"), pb2.Ask, pb2.Reply]
    return Kind(name, f"bedplate.{name}.v1.{word}Host", *map(twin, messages))


KINDS = {
    "connector": _kind("connector", connector_pb2),
    "analytic": _kind("analytic", analytic_pb2),
    "security": _kind("security", security_pb2),
}
