"""Writing one value in the type that the server wants.

Rule: a value is written as it is or not at all: nothing is rounded, cut or turned from a bool into a number.
Only the value is sent; many servers refuse a status or a time with it.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any, Final

from asyncua.ua.uatypes import NodeId

from bedplate import Refused, Tag
from bedplate_opcua.address import parse
from bedplate_opcua.datatypes import RANGES, BuiltIn
from bedplate_opcua.nodes import ARRAY
from bedplate_opcua.session import Session
from bedplate_opcua.stack import answering, code_name, ua

LARGEST_FLOAT: Final = 3.4028234663852886e38
_GUESS: Final[dict[type, int]] = {
    bool: BuiltIn.BOOLEAN,
    int: BuiltIn.INT64,
    float: BuiltIn.DOUBLE,
    str: BuiltIn.STRING,
    bytes: BuiltIn.BYTESTRING,
}


async def write(session: Session, tag: Tag, node_id: NodeId, built_in: int, value: Any) -> None:
    """Writes once. built_in: type of the node, 0: ask the value that is there.

    Raises Refused with the StatusCode's name when the server says no or the value does not fit, ConnectionError or
    TimeoutError when the session is lost; whether the server wrote it is then unknown.
    """
    kind = built_in or await _present_type(session, node_id) or _GUESS.get(type(value), 0)
    if kind == ARRAY:
        raise Refused(f"BadTypeMismatch: {tag.name} is an array; only single values can be written")
    variant = ua.Variant(as_built_in(value, kind), ua.VariantType(kind))
    parameters = ua.WriteParameters()
    one = ua.WriteValue()
    one.NodeId = node_id
    one.AttributeId = ua.AttributeIds.Value
    one.Value = ua.DataValue(variant, StatusCode=None)
    parameters.NodesToWrite.append(one)
    with answering(f"writing {tag.name}"):
        (status,) = await session.client.uaclient.write(parameters)
    if status.value & 0x8000_0000:
        raise Refused(f"the server refuses to write {tag.name}: {code_name(status.value)}")


async def _present_type(session: Session, node_id: NodeId) -> int:
    """The built-in type of the value that is there; 0 when there is none."""
    with answering("reading the type"):
        found = await session.client.uaclient.read_attributes([node_id], ua.AttributeIds.Value)
        present = found[0].Value
        if present is None or present.VariantType is None:
            return 0
        return ARRAY if present.is_array else int(present.VariantType.value)


def as_built_in(value: Any, kind: int) -> Any:
    """The value as asyncua wants it for a built-in type. Raises Refused when it does not fit."""
    if kind == BuiltIn.BOOLEAN:
        return _fit(isinstance(value, bool), value, kind)
    if kind in RANGES:
        return _integer(value, kind)
    if kind in (BuiltIn.FLOAT, BuiltIn.DOUBLE):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        small = (
            kind == BuiltIn.DOUBLE or not number or not LARGEST_FLOAT < abs(value) < float("inf")
        )
        _in_range(small, value, kind)
        return float(_fit(number, value, kind))
    if kind == BuiltIn.BYTESTRING:
        return _fit(isinstance(value, bytes), value, kind)
    _fit(isinstance(value, str), value, kind)
    try:
        return _from_text(value, kind)
    except ValueError as error:
        raise Refused(f"BadTypeMismatch: {value!r:.60} is no {_called(kind)}") from error


def _integer(value: Any, kind: int) -> int:
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    _fit(whole and not isinstance(value, bool), value, kind)
    low, high = RANGES[kind]
    return int(_in_range(low <= value <= high, value, kind))


def _from_text(text: str, kind: int) -> Any:
    match kind:
        case BuiltIn.STRING:
            return text
        case BuiltIn.LOCALIZED_TEXT:
            return ua.LocalizedText(text)
        case BuiltIn.DATETIME:
            moment = datetime.fromisoformat(text)
            return moment if moment.tzinfo is None else moment.astimezone(UTC)
        case BuiltIn.GUID:
            return uuid.UUID(text)
        case BuiltIn.NODE_ID:
            return parse(text).node_id([])
        case BuiltIn.QUALIFIED_NAME:
            return ua.QualifiedName(text)
    raise ValueError(text)


def _fit(fits: bool, value: Any, kind: int) -> Any:
    if not fits:
        raise Refused(f"BadTypeMismatch: {value!r:.60} is no {_called(kind)}")
    return value


def _in_range(within: bool, value: Any, kind: int) -> Any:
    if not within:
        raise Refused(f"BadOutOfRange: {value!r:.60} does not fit into {_called(kind)}")
    return value


def _called(kind: int) -> str:
    try:
        return BuiltIn(kind).name.title().replace("_", "")
    except ValueError:
        return f"value of type {kind}"
