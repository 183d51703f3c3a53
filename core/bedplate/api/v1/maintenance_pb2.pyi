from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Maintenance(_message.Message):
    __slots__ = ("component", "path", "since", "until", "by", "reason")
    COMPONENT_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    component: str
    path: str
    since: int
    until: int
    by: str
    reason: str
    def __init__(self, component: _Optional[str] = ..., path: _Optional[str] = ..., since: _Optional[int] = ..., until: _Optional[int] = ..., by: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class SetMaintenanceRequest(_message.Message):
    __slots__ = ("device", "until", "reason")
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    device: str
    until: int
    reason: str
    def __init__(self, device: _Optional[str] = ..., until: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class SetMaintenanceResponse(_message.Message):
    __slots__ = ("maintenance",)
    MAINTENANCE_FIELD_NUMBER: _ClassVar[int]
    maintenance: _containers.RepeatedCompositeFieldContainer[Maintenance]
    def __init__(self, maintenance: _Optional[_Iterable[_Union[Maintenance, _Mapping]]] = ...) -> None: ...

class EndMaintenanceRequest(_message.Message):
    __slots__ = ("device",)
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    device: str
    def __init__(self, device: _Optional[str] = ...) -> None: ...

class EndMaintenanceResponse(_message.Message):
    __slots__ = ("maintenance",)
    MAINTENANCE_FIELD_NUMBER: _ClassVar[int]
    maintenance: _containers.RepeatedCompositeFieldContainer[Maintenance]
    def __init__(self, maintenance: _Optional[_Iterable[_Union[Maintenance, _Mapping]]] = ...) -> None: ...
