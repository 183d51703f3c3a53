from bedplate.plugin.v1 import plugin_pb2 as _plugin_pb2
from bedplate.record.v1 import record_pb2 as _record_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ToAnalytic(_message.Message):
    __slots__ = ("asks",)
    ASKS_FIELD_NUMBER: _ClassVar[int]
    asks: _containers.RepeatedCompositeFieldContainer[Ask]
    def __init__(self, asks: _Optional[_Iterable[_Union[Ask, _Mapping]]] = ...) -> None: ...

class FromAnalytic(_message.Message):
    __slots__ = ("hello", "replies", "notes")
    HELLO_FIELD_NUMBER: _ClassVar[int]
    REPLIES_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    hello: _plugin_pb2.Hello
    replies: _containers.RepeatedCompositeFieldContainer[Reply]
    notes: _containers.RepeatedCompositeFieldContainer[_plugin_pb2.Note]
    def __init__(self, hello: _Optional[_Union[_plugin_pb2.Hello, _Mapping]] = ..., replies: _Optional[_Iterable[_Union[Reply, _Mapping]]] = ..., notes: _Optional[_Iterable[_Union[_plugin_pb2.Note, _Mapping]]] = ...) -> None: ...

class Ask(_message.Message):
    __slots__ = ("id", "component", "within_ms", "traceparent", "open", "close", "ping", "shutdown", "process")
    ID_FIELD_NUMBER: _ClassVar[int]
    COMPONENT_FIELD_NUMBER: _ClassVar[int]
    WITHIN_MS_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    CLOSE_FIELD_NUMBER: _ClassVar[int]
    PING_FIELD_NUMBER: _ClassVar[int]
    SHUTDOWN_FIELD_NUMBER: _ClassVar[int]
    PROCESS_FIELD_NUMBER: _ClassVar[int]
    id: int
    component: str
    within_ms: int
    traceparent: str
    open: _plugin_pb2.Open
    close: _plugin_pb2.Close
    ping: _plugin_pb2.Ping
    shutdown: _plugin_pb2.Shutdown
    process: Process
    def __init__(self, id: _Optional[int] = ..., component: _Optional[str] = ..., within_ms: _Optional[int] = ..., traceparent: _Optional[str] = ..., open: _Optional[_Union[_plugin_pb2.Open, _Mapping]] = ..., close: _Optional[_Union[_plugin_pb2.Close, _Mapping]] = ..., ping: _Optional[_Union[_plugin_pb2.Ping, _Mapping]] = ..., shutdown: _Optional[_Union[_plugin_pb2.Shutdown, _Mapping]] = ..., process: _Optional[_Union[Process, _Mapping]] = ...) -> None: ...

class Reply(_message.Message):
    __slots__ = ("answer", "open", "process")
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    PROCESS_FIELD_NUMBER: _ClassVar[int]
    answer: _plugin_pb2.Answer
    open: OpenReply
    process: ProcessReply
    def __init__(self, answer: _Optional[_Union[_plugin_pb2.Answer, _Mapping]] = ..., open: _Optional[_Union[OpenReply, _Mapping]] = ..., process: _Optional[_Union[ProcessReply, _Mapping]] = ...) -> None: ...

class Output(_message.Message):
    __slots__ = ("asset", "name", "data_type", "unit", "description")
    ASSET_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DATA_TYPE_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    asset: int
    name: str
    data_type: _record_pb2.DataType
    unit: str
    description: str
    def __init__(self, asset: _Optional[int] = ..., name: _Optional[str] = ..., data_type: _Optional[_Union[_record_pb2.DataType, str]] = ..., unit: _Optional[str] = ..., description: _Optional[str] = ...) -> None: ...

class OpenReply(_message.Message):
    __slots__ = ("outputs",)
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    outputs: _containers.RepeatedCompositeFieldContainer[Output]
    def __init__(self, outputs: _Optional[_Iterable[_Union[Output, _Mapping]]] = ...) -> None: ...

class Process(_message.Message):
    __slots__ = ("records", "tables", "until", "outputs")
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    TABLES_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    records: _containers.RepeatedCompositeFieldContainer[_record_pb2.Record]
    tables: _containers.RepeatedCompositeFieldContainer[_record_pb2.TagTable]
    until: int
    outputs: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, records: _Optional[_Iterable[_Union[_record_pb2.Record, _Mapping]]] = ..., tables: _Optional[_Iterable[_Union[_record_pb2.TagTable, _Mapping]]] = ..., until: _Optional[int] = ..., outputs: _Optional[_Iterable[int]] = ...) -> None: ...

class ProcessReply(_message.Message):
    __slots__ = ("batches", "events", "states")
    BATCHES_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    batches: _containers.RepeatedCompositeFieldContainer[_record_pb2.Batch]
    events: _containers.RepeatedCompositeFieldContainer[_record_pb2.Event]
    states: _containers.RepeatedCompositeFieldContainer[_plugin_pb2.State]
    def __init__(self, batches: _Optional[_Iterable[_Union[_record_pb2.Batch, _Mapping]]] = ..., events: _Optional[_Iterable[_Union[_record_pb2.Event, _Mapping]]] = ..., states: _Optional[_Iterable[_Union[_plugin_pb2.State, _Mapping]]] = ...) -> None: ...
