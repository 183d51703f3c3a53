"""The OPC UA nodes of the line.

Owns: how a tag of `tags.py` becomes a node: id, type, unit, range, access.
Rule: `filler.speed` is `ns=…;s=Filler.Speed` in namespace `urn:bedplate:simline`, below
Objects/BottlingLine/Filler.
Does not keep the nodes up to date; that is `opcua.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import asyncua.ua
from asyncua.common.node import Node
from asyncua.server.server import Server
from asyncua.ua.uatypes import DataValue, NodeId

from bedplate_simline.tags import PLC_TAGS, Kind, TagSpec, Value

ua: Any = asyncua.ua  # its re-exports are not declared, which strict type checking minds

NAMESPACE: Final = "urn:bedplate:simline"

VARIANTS: Final = {
    Kind.BOOLEAN: ua.VariantType.Boolean,
    Kind.INT32: ua.VariantType.Int32,
    Kind.UINT32: ua.VariantType.UInt32,
    Kind.UINT64: ua.VariantType.UInt64,
    Kind.DOUBLE: ua.VariantType.Double,
    Kind.STRING: ua.VariantType.String,
}
_UNITS: Final = {  # UCUM: UNECE Recommendation 20 code, symbol
    "1/min": ("C94", "1/min"),
    "Cel": ("CEL", "°C"),
    "bar": ("BAR", "bar"),
    "ms": ("C26", "ms"),
}


async def add_nodes(server: Server, values: Mapping[str, Value]) -> dict[NodeId, TagSpec]:
    """Make the nodes of all tags of the PLC, with these values; the tag of each node id."""
    index = await server.register_namespace(NAMESPACE)
    line = await _add_object(server.nodes.objects, index, "BottlingLine")
    owners: dict[str, Node] = {}
    nodes: dict[NodeId, TagSpec] = {}
    for spec in PLC_TAGS:
        owner = spec.node_id.partition(".")[0]
        if owner not in owners:
            owners[owner] = await _add_object(line, index, owner)
        node = await _add_variable(owners[owner], index, spec, values[spec.name])
        nodes[node.nodeid] = spec
    return nodes


def sample(spec: TagSpec, value: Value, now: datetime) -> DataValue:
    """`value` as the node of `spec` shows it, with `now` as source and server time."""
    variant = ua.Variant(value, VARIANTS[spec.kind])
    found: DataValue = ua.DataValue(variant, SourceTimestamp=now, ServerTimestamp=now)
    return found


async def _add_object(parent: Node, index: int, name: str) -> Node:
    return await parent.add_object(ua.NodeId(name, index), ua.QualifiedName(name, index))


async def _add_variable(parent: Node, index: int, spec: TagSpec, value: Value) -> Node:
    name = spec.node_id.partition(".")[2]
    node: Node = await parent.add_variable(
        ua.NodeId(spec.node_id, index),
        ua.QualifiedName(name, index),
        value,
        VARIANTS[spec.kind],
    )
    description = ua.DataValue(ua.Variant(ua.LocalizedText(spec.description)))
    await node.write_attribute(ua.AttributeIds.Description, description)
    if spec.writable:
        await node.set_writable()
    if spec.unit:
        await _describe_analog(node, spec)
    return node


async def _describe_analog(node: Node, spec: TagSpec) -> None:
    """Give the variable its unit and, with a known range, make it an AnalogItem (OPC 10000-8)."""
    code, symbol = _UNITS[spec.unit]
    unit = ua.EUInformation(
        NamespaceUri="http://www.opcfoundation.org/UA/units/un/cefact",
        UnitId=int.from_bytes(code.encode(), "big"),
        DisplayName=ua.LocalizedText(symbol),
    )
    await node.add_property(0, "EngineeringUnits", unit)
    if spec.span is None:
        return
    await node.add_property(0, "EURange", ua.Range(Low=spec.span[0], High=spec.span[1]))
    has_type = ua.ObjectIds.HasTypeDefinition
    await node.delete_reference(
        ua.NodeId(ua.ObjectIds.BaseDataVariableType), has_type, bidirectional=False
    )
    await node.add_reference(ua.NodeId(ua.ObjectIds.AnalogItemType), has_type, bidirectional=False)
