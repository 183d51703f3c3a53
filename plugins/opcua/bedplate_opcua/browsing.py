"""Looking around in a server: nodes below a node, level by level (OPC 10000-4 §5.9.2).

Owns: browsing in as few requests as the server allows, continuation points, what is worth telling of each variable.
Rule: each node is told once, by the first path that leads to it; properties of a variable (its unit, its range) are
told with it, not beside it; the server's own diagnostics only when asked for. It ends at a limit, with a note.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from asyncua.ua.uatypes import NodeId

from bedplate import DataType, Node, Refused
from bedplate_opcua.address import parse, written
from bedplate_opcua.attributes import read_attributes
from bedplate_opcua.datatypes import VALUE_TYPES
from bedplate_opcua.limits import Limits
from bedplate_opcua.naming import Names
from bedplate_opcua.nodes import built_in_types
from bedplate_opcua.odd_values import iso
from bedplate_opcua.session import Session
from bedplate_opcua.stack import ua

MOST_NODES: Final = 50_000
DEEPEST: Final = 32
CURRENT_WRITE: Final = 2
SCALAR: Final = -1
LONGEST_VALUE: Final = 80
Key = tuple[int, Any]


@dataclass(slots=True)
class Found:
    """A node on the way. path: legal segments from the start; units: NodeId of its EngineeringUnits."""

    node_id: NodeId
    name: str
    path: str
    is_variable: bool
    is_property: bool
    children: bool = False
    units: NodeId | None = None
    facts: dict[str, Any] = field(default_factory=dict)


class Browser:
    """One look around."""

    def __init__(
        self,
        session: Session,
        limits: Limits,
        namespaces: Sequence[str],
        note: Callable[[str], None],
    ) -> None:
        self._session = session
        self._limits = limits
        self._namespaces = namespaces
        self._note = note
        self._seen: set[Key] = set()
        self._names = Names()

    async def nodes(self, below: str, depth: int, most: int = MOST_NODES) -> list[Node]:
        """Objects and variables below an address, "" for the Objects folder, at most `depth` levels.

        Raises Refused when the address is none or the server lacks its namespace, else ConnectionError or TimeoutError.
        """
        start = self._start(below)
        found: list[Found] = []
        level = [Found(start, "", "", is_variable=False, is_property=False)]
        self._seen, self._names = {_key(start)}, Names()
        for remaining in range(min(depth, DEEPEST), -1, -1):
            below_level = await self._level(level)
            if not remaining:
                break  # this level only told whether there is more
            found += below_level
            level = [one for one in below_level if not _is_server(one.node_id)]
            if len(found) > most:
                self._note(
                    f"more than {most} nodes below {below or 'the root'}: the rest is left out"
                )
                del found[most:]
                break
            if not level:
                break
        return await self._told(found)

    def _start(self, below: str) -> NodeId:
        try:
            address = parse(below or f"i={ua.ObjectIds.ObjectsFolder}")
        except ValueError as error:
            raise Refused(str(error)) from error
        node_id = address.node_id(self._namespaces)
        if node_id is None:
            raise Refused(f"the server has no namespace {address.namespace!r}")
        return node_id

    # levels --------------------------------------------------------------------------------------------------------

    async def _level(self, parents: Sequence[Found]) -> list[Found]:
        """The children of some nodes, which learn whether they have any, and where their unit is."""
        results = await self._limits.in_parts(
            "browse", "browsing", [parent.node_id for parent in parents], self._browse
        )
        children: list[Found] = []
        for parent, references in zip(parents, results, strict=True):
            for reference in references:
                child = self._child(parent, reference)
                if child is not None:
                    children.append(child)
        return children

    def _child(self, parent: Found, reference: Any) -> Found | None:
        if getattr(reference.NodeId, "ServerIndex", None):
            return None  # a node of another server
        is_property = reference.ReferenceTypeId == ua.NodeId(ua.ObjectIds.HasProperty)
        name = reference.BrowseName.Name or ""
        if parent.is_variable and is_property:
            if name == "EngineeringUnits":
                parent.units = reference.NodeId
            return None
        parent.children = True
        node_id = reference.NodeId
        if _key(node_id) in self._seen:
            return None
        self._seen.add(_key(node_id))
        path = self._names.below(parent.path, name)
        is_variable = reference.NodeClass == ua.NodeClass.Variable
        return Found(node_id, name, path, is_variable, is_property)

    async def _browse(self, node_ids: Sequence[NodeId]) -> list[list[Any]]:
        """References of some nodes, with those that the server gives only when asked again."""
        parameters = ua.BrowseParameters()
        parameters.RequestedMaxReferencesPerNode = 0
        parameters.NodesToBrowse = [_downwards(node_id) for node_id in node_ids]
        results = await self._session.client.uaclient.browse(parameters)
        references = [list(result.References or ()) for result in results]
        points = {i: r.ContinuationPoint for i, r in enumerate(results) if r.ContinuationPoint}
        while points:
            more = ua.BrowseNextParameters()
            more.ReleaseContinuationPoints = False
            more.ContinuationPoints = list(points.values())
            answers = await self._session.client.uaclient.browse_next(more)
            for index, answer in zip(list(points), answers, strict=True):
                references[index] += answer.References or ()
                points[index] = answer.ContinuationPoint
            points = {index: point for index, point in points.items() if point}
        return references

    # what is told --------------------------------------------------------------------------------------------------

    async def _told(self, found: Sequence[Found]) -> list[Node]:
        variables = [one for one in found if one.is_variable]
        await self._read_facts(variables)
        await self._read_units([one for one in variables if one.units is not None])
        types = {t for v in variables if isinstance(t := v.facts.get("DataType"), NodeId)}
        built_in = await built_in_types(self._session, self._limits, types)
        return [self._node(one, built_in) for one in found]

    async def _read_facts(self, variables: Sequence[Found]) -> None:
        wanted = ("DataType", "ValueRank", "UserAccessLevel", "Description", "Value")
        asked = [(one, name) for one in variables for name in wanted]
        answers = await self._read([(one.node_id, name) for one, name in asked])
        for (one, name), answer in zip(asked, answers, strict=True):
            one.facts[name] = answer

    async def _read_units(self, variables: Sequence[Found]) -> None:
        answers = await self._read([(one.units, "Value") for one in variables if one.units])
        for one, answer in zip(variables, answers, strict=True):
            one.facts["unit"] = getattr(getattr(answer, "DisplayName", None), "Text", "") or ""

    async def _read(self, asked: Sequence[tuple[NodeId, str]]) -> list[Any]:
        return await self._limits.in_parts(
            "read",
            "reading what nodes are",
            asked,
            lambda part: read_attributes(self._session, part),
        )

    def _node(self, one: Found, built_in: dict[NodeId, int]) -> Node:
        facts = one.facts
        data_type = DataType.UNSPECIFIED
        if facts.get("ValueRank", SCALAR) == SCALAR and isinstance(facts.get("DataType"), NodeId):
            data_type = VALUE_TYPES.get(built_in[facts["DataType"]], DataType.UNSPECIFIED)
        return Node(
            address=written(one.node_id, self._namespaces),
            name=one.name,
            path=one.path,
            has_children=one.children,
            is_variable=one.is_variable,
            data_type=data_type,
            unit=facts.get("unit", ""),
            description=getattr(facts.get("Description"), "Text", "") or "",
            writable=bool((facts.get("UserAccessLevel") or 0) & CURRENT_WRITE),
            value=_shown(facts.get("Value")),
        )


def _downwards(node_id: NodeId) -> Any:
    description = ua.BrowseDescription()
    description.NodeId = node_id
    description.BrowseDirection = ua.BrowseDirection.Forward
    description.ReferenceTypeId = ua.NodeId(ua.ObjectIds.HierarchicalReferences)
    description.IncludeSubtypes = True
    description.NodeClassMask = ua.NodeClass.Object | ua.NodeClass.Variable
    description.ResultMask = ua.BrowseResultMask.All
    return description


def _key(node_id: NodeId) -> Key:
    return int(node_id.NamespaceIndex), node_id.Identifier


def _is_server(node_id: NodeId) -> bool:
    return _key(node_id) == (0, ua.ObjectIds.Server)


def _shown(value: Any) -> str:
    """A value for people, in one short line."""
    if value is None:
        return ""
    if hasattr(value, "isoformat"):
        return iso(value)
    text = getattr(value, "Text", None) or (repr(value) if isinstance(value, bytes) else str(value))
    line = " ".join(str(text).split())
    return line if len(line) <= LONGEST_VALUE else line[: LONGEST_VALUE - 1] + "…"
