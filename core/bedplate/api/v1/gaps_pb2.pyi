from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GapReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    GAP_REASON_UNSPECIFIED: _ClassVar[GapReason]
    GAP_REASON_UNREACHABLE: _ClassVar[GapReason]
    GAP_REASON_BAD_QUALITY: _ClassVar[GapReason]
    GAP_REASON_MISSING: _ClassVar[GapReason]
    GAP_REASON_THROTTLED: _ClassVar[GapReason]
    GAP_REASON_OVERFLOW: _ClassVar[GapReason]
    GAP_REASON_RESTART: _ClassVar[GapReason]
    GAP_REASON_LOST: _ClassVar[GapReason]
    GAP_REASON_LATE: _ClassVar[GapReason]
    GAP_REASON_OFF: _ClassVar[GapReason]
    GAP_REASON_MAINTENANCE: _ClassVar[GapReason]
GAP_REASON_UNSPECIFIED: GapReason
GAP_REASON_UNREACHABLE: GapReason
GAP_REASON_BAD_QUALITY: GapReason
GAP_REASON_MISSING: GapReason
GAP_REASON_THROTTLED: GapReason
GAP_REASON_OVERFLOW: GapReason
GAP_REASON_RESTART: GapReason
GAP_REASON_LOST: GapReason
GAP_REASON_LATE: GapReason
GAP_REASON_OFF: GapReason
GAP_REASON_MAINTENANCE: GapReason

class Gap(_message.Message):
    __slots__ = ("component", "path", "tags", "to", "reason", "text", "missing", "filled")
    COMPONENT_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    FROM_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    FILLED_FIELD_NUMBER: _ClassVar[int]
    component: str
    path: str
    tags: int
    to: int
    reason: GapReason
    text: str
    missing: int
    filled: int
    def __init__(self, component: _Optional[str] = ..., path: _Optional[str] = ..., tags: _Optional[int] = ..., to: _Optional[int] = ..., reason: _Optional[_Union[GapReason, str]] = ..., text: _Optional[str] = ..., missing: _Optional[int] = ..., filled: _Optional[int] = ..., **kwargs) -> None: ...

class Completeness(_message.Message):
    __slots__ = ("path", "expected", "received", "ratio", "component")
    PATH_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_FIELD_NUMBER: _ClassVar[int]
    RATIO_FIELD_NUMBER: _ClassVar[int]
    COMPONENT_FIELD_NUMBER: _ClassVar[int]
    path: str
    expected: int
    received: int
    ratio: float
    component: str
    def __init__(self, path: _Optional[str] = ..., expected: _Optional[int] = ..., received: _Optional[int] = ..., ratio: _Optional[float] = ..., component: _Optional[str] = ...) -> None: ...

class ListGapsRequest(_message.Message):
    __slots__ = ("selectors", "to")
    SELECTORS_FIELD_NUMBER: _ClassVar[int]
    FROM_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    selectors: _containers.RepeatedScalarFieldContainer[str]
    to: int
    def __init__(self, selectors: _Optional[_Iterable[str]] = ..., to: _Optional[int] = ..., **kwargs) -> None: ...

class ListGapsResponse(_message.Message):
    __slots__ = ("gaps", "completeness", "omitted", "to")
    GAPS_FIELD_NUMBER: _ClassVar[int]
    COMPLETENESS_FIELD_NUMBER: _ClassVar[int]
    OMITTED_FIELD_NUMBER: _ClassVar[int]
    FROM_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    gaps: _containers.RepeatedCompositeFieldContainer[Gap]
    completeness: _containers.RepeatedCompositeFieldContainer[Completeness]
    omitted: int
    to: int
    def __init__(self, gaps: _Optional[_Iterable[_Union[Gap, _Mapping]]] = ..., completeness: _Optional[_Iterable[_Union[Completeness, _Mapping]]] = ..., omitted: _Optional[int] = ..., to: _Optional[int] = ..., **kwargs) -> None: ...
