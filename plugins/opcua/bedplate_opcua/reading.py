"""Reading values once: for the kernel's polling, for the first values of a subscription, for a look before a write.

Rule: one answer per tag, whatever happens to its neighbours; an unknown node is Bad with its StatusCode.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from asyncua.ua.uatypes import NodeId

from bedplate import Batch
from bedplate_opcua.answers import read_head, read_length
from bedplate_opcua.limits import Limits
from bedplate_opcua.nodes import BAD_NODE_ID_UNKNOWN, Nodes
from bedplate_opcua.session import Session
from bedplate_opcua.stack import ua
from bedplate_opcua.values import Values


class Reader:
    """Reads the Value attribute of tags' nodes. values: makes a fresh gatherer."""

    def __init__(
        self, session: Session, limits: Limits, nodes: Nodes, values: Callable[[], Values]
    ) -> None:
        self._session = session
        self._limits = limits
        self._nodes = nodes
        self._values = values

    async def read(self, handles: Sequence[int]) -> list[Batch]:
        """One sample per handle. Raises ConnectionError or TimeoutError."""
        values = self._values()
        ids = self._nodes.ids
        known = [(handle, ids[handle]) for handle in handles if handle in ids]

        async def ask(part: Sequence[tuple[int, NodeId]]) -> Sequence[None]:
            request = _request([node_id for _, node_id in part])
            data = read_head(await self._session.send(request))
            count, at = read_length(data, 0)
            if count != len(part):
                raise ValueError(f"{count} values for {len(part)} nodes")
            values.take_values(data, at, [handle for handle, _ in part])
            return [None] * count

        await self._limits.in_parts("read", "reading", known, ask)
        for handle in handles:
            if handle not in ids:
                values.put(handle, BAD_NODE_ID_UNKNOWN)
        return values.batches()


def _request(node_ids: Sequence[NodeId]) -> Any:
    request = ua.ReadRequest()
    request.Parameters.MaxAge = 0
    request.Parameters.TimestampsToReturn = ua.TimestampsToReturn.Both
    for node_id in node_ids:
        one = ua.ReadValueId()
        one.NodeId = node_id
        one.AttributeId = ua.AttributeIds.Value
        request.Parameters.NodesToRead.append(one)
    return request
