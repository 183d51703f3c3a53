"""The Python twin of the contracts: the same wire bytes, with columns and bodies as `bytes`.

A packed `repeated fixed32` and a `bytes` field of the same number have identical bytes on the wire, and so have a
message field and a `bytes` field. The twin classes are derived from the generated descriptors at import, so they can't
drift from protos/. In the twin every packed fixed-width column of a Batch is `bytes`, and every field that holds a
Batch, an Event or a Gap, or the body of a Record, is the serialised message.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message

from bedplate.analytic.v1 import analytic_pb2
from bedplate.api.v1 import api_pb2
from bedplate.connector.v1 import connector_pb2
from bedplate.plugin.v1 import plugin_pb2
from bedplate.record.v1 import record_pb2
from bedplate.security.v1 import security_pb2

FILES = (record_pb2, plugin_pb2, connector_pb2, analytic_pb2, security_pb2, api_pb2)
PREFIX = "twin."
OPAQUE = {f".bedplate.record.v1.{name}" for name in ("Batch", "Event", "Gap")}

_Field = descriptor_pb2.FieldDescriptorProto
FIXED = {_Field.TYPE_FIXED32, _Field.TYPE_FIXED64, _Field.TYPE_SFIXED64, _Field.TYPE_DOUBLE}


def _twin_field(owner: str, field: descriptor_pb2.FieldDescriptorProto) -> None:
    packed = field.label == _Field.LABEL_REPEATED and field.type in FIXED
    if owner == "Batch" and packed:
        field.type, field.label = _Field.TYPE_BYTES, _Field.LABEL_OPTIONAL
    elif field.type_name in OPAQUE or (owner == "Record" and field.HasField("oneof_index")):
        field.type = _Field.TYPE_BYTES
        field.ClearField("type_name")
    elif field.type_name:
        field.type_name = "." + PREFIX + field.type_name[1:]


def _twin_message(message: descriptor_pb2.DescriptorProto) -> None:
    for field in message.field:
        _twin_field(message.name, field)
    for nested in message.nested_type:
        _twin_message(nested)


def _files(roots: Iterable[Any]) -> dict[str, Any]:
    """Name → descriptor of these files and of all that they import, those first."""
    found: dict[str, Any] = {}
    for root in roots:
        found |= _files(root.dependencies) | {root.name: root}
    return found


def _twin_file(descriptor: Any) -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto()
    descriptor.CopyToProto(file)
    file.name, file.package = PREFIX + file.name, PREFIX + file.package
    file.dependency[:] = [PREFIX + name for name in file.dependency]
    file.ClearField("service")
    for message in file.message_type:
        _twin_message(message)
    return file


@cache
def _pool() -> descriptor_pool.DescriptorPool:
    pool = descriptor_pool.DescriptorPool()
    for descriptor in _files(module.DESCRIPTOR for module in FILES).values():
        pool.Add(_twin_file(descriptor))
    return pool


@cache
def twin(message: type[Message]) -> Any:
    """The twin class of a generated message class."""
    full_name = PREFIX + message.DESCRIPTOR.full_name
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(full_name))
