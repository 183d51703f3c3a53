from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DataType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DATA_TYPE_UNSPECIFIED: _ClassVar[DataType]
    DATA_TYPE_FLOAT64: _ClassVar[DataType]
    DATA_TYPE_INT64: _ClassVar[DataType]
    DATA_TYPE_UINT64: _ClassVar[DataType]
    DATA_TYPE_BOOL: _ClassVar[DataType]
    DATA_TYPE_TEXT: _ClassVar[DataType]
    DATA_TYPE_BLOB: _ClassVar[DataType]

class EventKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EVENT_KIND_UNSPECIFIED: _ClassVar[EventKind]
    EVENT_KIND_ALARM: _ClassVar[EventKind]
    EVENT_KIND_ACKNOWLEDGE: _ClassVar[EventKind]
    EVENT_KIND_STATUS: _ClassVar[EventKind]
    EVENT_KIND_NOTE: _ClassVar[EventKind]

class AlarmState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ALARM_STATE_UNSPECIFIED: _ClassVar[AlarmState]
    ALARM_STATE_NORMAL: _ClassVar[AlarmState]
    ALARM_STATE_UNACKNOWLEDGED: _ClassVar[AlarmState]
    ALARM_STATE_ACKNOWLEDGED: _ClassVar[AlarmState]
    ALARM_STATE_RETURNED_UNACKNOWLEDGED: _ClassVar[AlarmState]
    ALARM_STATE_OUT_OF_SERVICE: _ClassVar[AlarmState]

class AlarmPriority(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ALARM_PRIORITY_UNSPECIFIED: _ClassVar[AlarmPriority]
    ALARM_PRIORITY_LOW: _ClassVar[AlarmPriority]
    ALARM_PRIORITY_MEDIUM: _ClassVar[AlarmPriority]
    ALARM_PRIORITY_HIGH: _ClassVar[AlarmPriority]
    ALARM_PRIORITY_HIGHEST: _ClassVar[AlarmPriority]
DATA_TYPE_UNSPECIFIED: DataType
DATA_TYPE_FLOAT64: DataType
DATA_TYPE_INT64: DataType
DATA_TYPE_UINT64: DataType
DATA_TYPE_BOOL: DataType
DATA_TYPE_TEXT: DataType
DATA_TYPE_BLOB: DataType
EVENT_KIND_UNSPECIFIED: EventKind
EVENT_KIND_ALARM: EventKind
EVENT_KIND_ACKNOWLEDGE: EventKind
EVENT_KIND_STATUS: EventKind
EVENT_KIND_NOTE: EventKind
ALARM_STATE_UNSPECIFIED: AlarmState
ALARM_STATE_NORMAL: AlarmState
ALARM_STATE_UNACKNOWLEDGED: AlarmState
ALARM_STATE_ACKNOWLEDGED: AlarmState
ALARM_STATE_RETURNED_UNACKNOWLEDGED: AlarmState
ALARM_STATE_OUT_OF_SERVICE: AlarmState
ALARM_PRIORITY_UNSPECIFIED: AlarmPriority
ALARM_PRIORITY_LOW: AlarmPriority
ALARM_PRIORITY_MEDIUM: AlarmPriority
ALARM_PRIORITY_HIGH: AlarmPriority
ALARM_PRIORITY_HIGHEST: AlarmPriority

class Value(_message.Message):
    __slots__ = ("float64", "int64", "uint64", "bool", "text", "blob")
    FLOAT64_FIELD_NUMBER: _ClassVar[int]
    INT64_FIELD_NUMBER: _ClassVar[int]
    UINT64_FIELD_NUMBER: _ClassVar[int]
    BOOL_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    BLOB_FIELD_NUMBER: _ClassVar[int]
    float64: float
    int64: int
    uint64: int
    bool: bool
    text: str
    blob: bytes
    def __init__(self, float64: _Optional[float] = ..., int64: _Optional[int] = ..., uint64: _Optional[int] = ..., bool: _Optional[bool] = ..., text: _Optional[str] = ..., blob: _Optional[bytes] = ...) -> None: ...

class Tag(_message.Message):
    __slots__ = ("handle", "path", "data_type", "unit", "description", "address", "writable", "counter", "states")
    class StatesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: str
        def __init__(self, key: _Optional[int] = ..., value: _Optional[str] = ...) -> None: ...
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    DATA_TYPE_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    WRITABLE_FIELD_NUMBER: _ClassVar[int]
    COUNTER_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    handle: int
    path: str
    data_type: DataType
    unit: str
    description: str
    address: str
    writable: bool
    counter: bool
    states: _containers.ScalarMap[int, str]
    def __init__(self, handle: _Optional[int] = ..., path: _Optional[str] = ..., data_type: _Optional[_Union[DataType, str]] = ..., unit: _Optional[str] = ..., description: _Optional[str] = ..., address: _Optional[str] = ..., writable: _Optional[bool] = ..., counter: _Optional[bool] = ..., states: _Optional[_Mapping[int, str]] = ...) -> None: ...

class TagTable(_message.Message):
    __slots__ = ("epoch", "stream", "tags")
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    stream: str
    tags: _containers.RepeatedCompositeFieldContainer[Tag]
    def __init__(self, epoch: _Optional[int] = ..., stream: _Optional[str] = ..., tags: _Optional[_Iterable[_Union[Tag, _Mapping]]] = ...) -> None: ...

class Batch(_message.Message):
    __slots__ = ("count", "tag", "time", "quality", "server_time", "flags", "data_type", "float64", "int64", "uint64", "bool", "text", "blob", "end")
    COUNT_FIELD_NUMBER: _ClassVar[int]
    TAG_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    SERVER_TIME_FIELD_NUMBER: _ClassVar[int]
    FLAGS_FIELD_NUMBER: _ClassVar[int]
    DATA_TYPE_FIELD_NUMBER: _ClassVar[int]
    FLOAT64_FIELD_NUMBER: _ClassVar[int]
    INT64_FIELD_NUMBER: _ClassVar[int]
    UINT64_FIELD_NUMBER: _ClassVar[int]
    BOOL_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    BLOB_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    count: int
    tag: _containers.RepeatedScalarFieldContainer[int]
    time: _containers.RepeatedScalarFieldContainer[int]
    quality: _containers.RepeatedScalarFieldContainer[int]
    server_time: _containers.RepeatedScalarFieldContainer[int]
    flags: int
    data_type: DataType
    float64: _containers.RepeatedScalarFieldContainer[float]
    int64: _containers.RepeatedScalarFieldContainer[int]
    uint64: _containers.RepeatedScalarFieldContainer[int]
    bool: bytes
    text: bytes
    blob: bytes
    end: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, count: _Optional[int] = ..., tag: _Optional[_Iterable[int]] = ..., time: _Optional[_Iterable[int]] = ..., quality: _Optional[_Iterable[int]] = ..., server_time: _Optional[_Iterable[int]] = ..., flags: _Optional[int] = ..., data_type: _Optional[_Union[DataType, str]] = ..., float64: _Optional[_Iterable[float]] = ..., int64: _Optional[_Iterable[int]] = ..., uint64: _Optional[_Iterable[int]] = ..., bool: _Optional[bytes] = ..., text: _Optional[bytes] = ..., blob: _Optional[bytes] = ..., end: _Optional[_Iterable[int]] = ...) -> None: ...

class Alarm(_message.Message):
    __slots__ = ("state", "priority", "tag", "condition", "do", "value", "active_since", "returned_at", "acknowledged_by", "acknowledged_at", "comment", "out_of_service")
    STATE_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    TAG_FIELD_NUMBER: _ClassVar[int]
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    DO_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_SINCE_FIELD_NUMBER: _ClassVar[int]
    RETURNED_AT_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGED_BY_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGED_AT_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    OUT_OF_SERVICE_FIELD_NUMBER: _ClassVar[int]
    state: AlarmState
    priority: AlarmPriority
    tag: str
    condition: str
    do: str
    value: Value
    active_since: int
    returned_at: int
    acknowledged_by: str
    acknowledged_at: int
    comment: str
    out_of_service: str
    def __init__(self, state: _Optional[_Union[AlarmState, str]] = ..., priority: _Optional[_Union[AlarmPriority, str]] = ..., tag: _Optional[str] = ..., condition: _Optional[str] = ..., do: _Optional[str] = ..., value: _Optional[_Union[Value, _Mapping]] = ..., active_since: _Optional[int] = ..., returned_at: _Optional[int] = ..., acknowledged_by: _Optional[str] = ..., acknowledged_at: _Optional[int] = ..., comment: _Optional[str] = ..., out_of_service: _Optional[str] = ...) -> None: ...

class Event(_message.Message):
    __slots__ = ("source", "kind", "time", "severity", "text", "alarm", "by", "component", "detail_json")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    ALARM_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    COMPONENT_FIELD_NUMBER: _ClassVar[int]
    DETAIL_JSON_FIELD_NUMBER: _ClassVar[int]
    source: str
    kind: EventKind
    time: int
    severity: int
    text: str
    alarm: Alarm
    by: str
    component: str
    detail_json: bytes
    def __init__(self, source: _Optional[str] = ..., kind: _Optional[_Union[EventKind, str]] = ..., time: _Optional[int] = ..., severity: _Optional[int] = ..., text: _Optional[str] = ..., alarm: _Optional[_Union[Alarm, _Mapping]] = ..., by: _Optional[str] = ..., component: _Optional[str] = ..., detail_json: _Optional[bytes] = ...) -> None: ...

class Gap(_message.Message):
    __slots__ = ("stream", "first_seq", "last_seq", "samples", "to", "reason")
    STREAM_FIELD_NUMBER: _ClassVar[int]
    FIRST_SEQ_FIELD_NUMBER: _ClassVar[int]
    LAST_SEQ_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    FROM_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    stream: str
    first_seq: int
    last_seq: int
    samples: int
    to: int
    reason: str
    def __init__(self, stream: _Optional[str] = ..., first_seq: _Optional[int] = ..., last_seq: _Optional[int] = ..., samples: _Optional[int] = ..., to: _Optional[int] = ..., reason: _Optional[str] = ..., **kwargs) -> None: ...

class Record(_message.Message):
    __slots__ = ("position", "stream", "epoch", "seq", "received", "producer_seq", "crc", "batch", "event", "gap", "tags")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_FIELD_NUMBER: _ClassVar[int]
    PRODUCER_SEQ_FIELD_NUMBER: _ClassVar[int]
    CRC_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    GAP_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    position: int
    stream: str
    epoch: int
    seq: int
    received: int
    producer_seq: int
    crc: int
    batch: Batch
    event: Event
    gap: Gap
    tags: TagTable
    def __init__(self, position: _Optional[int] = ..., stream: _Optional[str] = ..., epoch: _Optional[int] = ..., seq: _Optional[int] = ..., received: _Optional[int] = ..., producer_seq: _Optional[int] = ..., crc: _Optional[int] = ..., batch: _Optional[_Union[Batch, _Mapping]] = ..., event: _Optional[_Union[Event, _Mapping]] = ..., gap: _Optional[_Union[Gap, _Mapping]] = ..., tags: _Optional[_Union[TagTable, _Mapping]] = ...) -> None: ...
