"""The nodes behind the tags: their NodeIds on this server, and the types of their values.

Owns: which tag is which node, what type it has, which tags the server does not know today.
Rule: an address that can't be right is Invalid; a node that is not there is the tag's own trouble, asked for again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from asyncua.ua.uatypes import NodeId

from bedplate import DataType, Invalid, Tag
from bedplate_opcua.address import NodeAddress, parse
from bedplate_opcua.attributes import read_attributes
from bedplate_opcua.datatypes import VALUE_TYPES, BuiltIn
from bedplate_opcua.limits import Limits
from bedplate_opcua.session import Session
from bedplate_opcua.stack import ua

ARRAY: Final = 25
"""In place of a built-in type, for a node whose ValueRank says that it holds an array."""
DEEPEST_TYPE: Final = 12
BAD_NODE_ID_UNKNOWN: Final = 0x8034_0000
ABSTRACT: Final = {24, 26, 27, 28}
"""BaseDataType, Number, Integer, UInteger: the value says what it is."""


class Nodes:
    """Tags by handle. `ids`: NodeIds, without those whose namespace the server lacks · `types`: value types known ·
    `built_in`: built-in types of the values, for writing."""

    def __init__(self, tags: Iterable[Tag], prefix: str) -> None:
        """Raises Invalid for an address that is none."""
        self.tags = {tag.handle: tag for tag in tags}
        self.ids: dict[int, NodeId] = {}
        self.types: dict[int, DataType] = {}
        self.built_in: dict[int, int] = {}
        self._addresses = {tag.handle: _parse(tag, prefix) for tag in self.tags.values()}

    def resolve(self, namespaces: Sequence[str]) -> None:
        """Finds the NodeIds for a NamespaceArray."""
        self.ids = {}
        for handle, address in self._addresses.items():
            node_id = address.node_id(namespaces)
            if node_id is not None:
                self.ids[handle] = node_id
        self.types.update({t.handle: t.data_type for t in self.tags.values() if t.data_type})

    async def learn_types(self, session: Session, limits: Limits, handles: Iterable[int]) -> None:
        """Asks for DataType and ValueRank of tags whose type nobody knows, and of those that may be written.

        Raises ConnectionError or TimeoutError.
        """
        unknown = [h for h in handles if h in self.ids and self._wants_type(h)]
        asked = [(self.ids[h], name) for h in unknown for name in ("DataType", "ValueRank")]
        told = await limits.in_parts(
            "read", "reading the types", asked, lambda part: read_attributes(session, part)
        )
        named = {h: t for h, t in zip(unknown, told[::2], strict=True) if isinstance(t, NodeId)}
        ranks = dict(zip(unknown, told[1::2], strict=True))
        built_in = await built_in_types(session, limits, set(named.values()))
        for handle, type_id in named.items():
            rank = ranks[handle]
            number = ARRAY if isinstance(rank, int) and rank >= 0 else built_in[type_id]
            self.built_in[handle] = number
            if number in VALUE_TYPES:
                self.types.setdefault(handle, VALUE_TYPES[number])

    def _wants_type(self, handle: int) -> bool:
        if handle in self.built_in:
            return False
        return handle not in self.types or self.tags[handle].writable


async def built_in_types(session: Session, limits: Limits, types: set[NodeId]) -> dict[NodeId, int]:
    """The built-in type that each DataType is derived from; 0 where the server does not say or any will do.

    One request per level of the hierarchy for all of them. Raises ConnectionError or TimeoutError.
    """
    found: dict[NodeId, int] = {}
    above = {type_id: type_id for type_id in types}  # type → as far up as we are
    for _ in range(DEEPEST_TYPE):
        for type_id, top in list(above.items()):
            number = _number(top)
            if number is not None:
                found[type_id] = number
                del above[type_id]
        if not above:
            break
        tops = list(set(above.values()))
        parents = await _parents(session, limits, tops)
        above = {t: parents[top] for t, top in above.items() if parents.get(top) is not None}  # type: ignore[misc]
    return {type_id: found.get(type_id, 0) for type_id in types}


def _number(type_id: NodeId) -> int | None:
    """The built-in type that a DataType node is, 0 for one that leaves it open, None for one derived from others."""
    number = type_id.Identifier
    if type_id.NamespaceIndex != 0 or not isinstance(number, int):
        return None
    if number in ABSTRACT:
        return 0
    if number == ua.ObjectIds.Enumeration:
        return BuiltIn.INT32
    return number if 0 < number <= BuiltIn.EXTENSION_OBJECT else None


async def _parents(
    session: Session, limits: Limits, types: Sequence[NodeId]
) -> dict[NodeId, NodeId | None]:
    async def ask(part: Sequence[NodeId]) -> Any:
        parameters = ua.BrowseParameters()
        parameters.NodesToBrowse = [_upwards(type_id) for type_id in part]
        return await session.client.uaclient.browse(parameters)

    results = await limits.in_parts("browse", "asking for the types", types, ask)
    return {
        type_id: result.References[0].NodeId if result.References else None
        for type_id, result in zip(types, results, strict=True)
    }


def _upwards(type_id: NodeId) -> Any:
    description = ua.BrowseDescription()
    description.NodeId = type_id
    description.BrowseDirection = ua.BrowseDirection.Inverse
    description.ReferenceTypeId = ua.NodeId(ua.ObjectIds.HasSubtype)
    description.IncludeSubtypes = False
    description.NodeClassMask = ua.NodeClass.DataType
    description.ResultMask = 0
    return description


def _parse(tag: Tag, prefix: str) -> NodeAddress:
    try:
        return parse(str(tag.address), prefix)
    except ValueError as error:
        raise Invalid(str(error), tag=tag.name) from error
