"""Attributes of nodes, read a few at a time for what they tell: types, limits, state. Not for the values of tags."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from asyncua.ua.uatypes import NodeId

from bedplate_opcua.session import Session
from bedplate_opcua.stack import ua


async def read_attributes(session: Session, asked: Sequence[tuple[NodeId, str]]) -> list[Any]:
    """Plain values of (node, name of the attribute); None for what the server does not tell.

    One request. Raises what asyncua raises: for use inside `answering`, or `Limits.in_parts`.
    """
    parameters = ua.ReadParameters()
    parameters.TimestampsToReturn = ua.TimestampsToReturn.Neither
    for node_id, name in asked:
        wish = ua.ReadValueId()
        wish.NodeId = node_id
        wish.AttributeId = getattr(ua.AttributeIds, name)
        parameters.NodesToRead.append(wish)
    return [_plain(answer) for answer in await session.client.uaclient.read(parameters)]


def _plain(answer: Any) -> Any:
    if answer.StatusCode is not None and answer.StatusCode.value & 0x8000_0000:
        return None
    return answer.Value.Value if answer.Value is not None else None
