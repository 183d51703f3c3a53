"""What one request to this server may hold: its OperationalLimits (OPC 10000-5 §6.3.11), ours, and what it then says.

Rule: a server that answers "too many" is asked for half as much, and so from then on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

from bedplate_opcua.attributes import read_attributes
from bedplate_opcua.session import Session
from bedplate_opcua.stack import StatusCodeError, answering, code_name, ua

UNKNOWN: Final = {"read": 500, "write": 100, "browse": 100, "monitor": 100, "history": 100}
"""For a server that states no limit. Monitored items are dear to a controller, so fewer of them."""
_NODES: Final = {
    "read": 11705,  # MaxNodesPerRead
    "write": 11707,
    "browse": 11710,
    "monitor": 11714,  # MaxMonitoredItemsPerCall
    "history": 12165,  # MaxNodesPerHistoryReadData
    "subscription": 24104,  # MaxMonitoredItemsPerSubscription
}
"""Numbers of the server's nodes (OPC 10000-6 Annex A); asyncua has no names for them all."""
NAMESPACE_ARRAY: Final = 2255
TOO_MUCH: Final = {
    "BadTooManyOperations",
    "BadEncodingLimitsExceeded",
    "BadResponseTooLarge",
    "BadRequestTooLarge",
    "BadTcpMessageTooLarge",
}
Item = TypeVar("Item")
Result = TypeVar("Result")


class Limits:
    """Items per request by service (read, write, browse, monitor, history). subscription: items in one, 0: no limit."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._sizes = {service: min(most, size) for service, size in UNKNOWN.items()}
        self.subscription = 0

    async def learn(self, session: Session) -> list[str]:
        """Reads the server's limits. Returns its NamespaceArray. Raises ConnectionError or TimeoutError."""
        asked = [(ua.NodeId(number), "Value") for number in (*_NODES.values(), NAMESPACE_ARRAY)]
        with answering("reading the limits"):
            *stated, namespaces = await read_attributes(session, asked)
        for service, limit in zip(_NODES, stated, strict=True):
            if not isinstance(limit, int) or limit <= 0:
                continue
            if service == "subscription":
                self.subscription = limit
            else:
                self._sizes[service] = min(self._most, limit)
        return [str(uri or "") for uri in namespaces] if isinstance(namespaces, list) else [""]

    def size(self, service: str) -> int:
        return self._sizes[service]

    async def in_parts(
        self,
        service: str,
        what: str,
        items: Sequence[Item],
        call: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]],
    ) -> list[Result]:
        """One result for each item, asked for in as few requests as the limits allow, one after the other.

        what: for error texts. Raises ConnectionError or TimeoutError.
        """
        results: list[Result] = []
        while len(results) < len(items):
            part = items[len(results) : len(results) + self._sizes[service]]
            with answering(what):
                try:
                    answer = await call(part)
                except StatusCodeError as error:
                    if len(part) == 1 or code_name(error.code or 0) not in TOO_MUCH:
                        raise
                    self._sizes[service] = len(part) // 2
                    continue
                if len(answer) != len(part):
                    raise ValueError(f"{len(answer)} results for {len(part)} items")
            results.extend(answer)
        return results
