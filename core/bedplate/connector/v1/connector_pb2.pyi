from bedplate.plugin.v1 import plugin_pb2 as _plugin_pb2
from bedplate.record.v1 import record_pb2 as _record_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Aggregate(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AGGREGATE_UNSPECIFIED: _ClassVar[Aggregate]
    AGGREGATE_AVERAGE: _ClassVar[Aggregate]
    AGGREGATE_MINIMUM: _ClassVar[Aggregate]
    AGGREGATE_MAXIMUM: _ClassVar[Aggregate]
    AGGREGATE_FIRST: _ClassVar[Aggregate]
    AGGREGATE_LAST: _ClassVar[Aggregate]
    AGGREGATE_COUNT: _ClassVar[Aggregate]
    AGGREGATE_SUM: _ClassVar[Aggregate]
AGGREGATE_UNSPECIFIED: Aggregate
AGGREGATE_AVERAGE: Aggregate
AGGREGATE_MINIMUM: Aggregate
AGGREGATE_MAXIMUM: Aggregate
AGGREGATE_FIRST: Aggregate
AGGREGATE_LAST: Aggregate
AGGREGATE_COUNT: Aggregate
AGGREGATE_SUM: Aggregate

class ToConnector(_message.Message):
    __slots__ = ("asks", "receipts", "page_credits")
    ASKS_FIELD_NUMBER: _ClassVar[int]
    RECEIPTS_FIELD_NUMBER: _ClassVar[int]
    PAGE_CREDITS_FIELD_NUMBER: _ClassVar[int]
    asks: _containers.RepeatedCompositeFieldContainer[Ask]
    receipts: _containers.RepeatedCompositeFieldContainer[_plugin_pb2.Receipt]
    page_credits: _containers.RepeatedCompositeFieldContainer[PageCredit]
    def __init__(self, asks: _Optional[_Iterable[_Union[Ask, _Mapping]]] = ..., receipts: _Optional[_Iterable[_Union[_plugin_pb2.Receipt, _Mapping]]] = ..., page_credits: _Optional[_Iterable[_Union[PageCredit, _Mapping]]] = ...) -> None: ...

class PageCredit(_message.Message):
    __slots__ = ("id", "pages", "enough")
    ID_FIELD_NUMBER: _ClassVar[int]
    PAGES_FIELD_NUMBER: _ClassVar[int]
    ENOUGH_FIELD_NUMBER: _ClassVar[int]
    id: int
    pages: int
    enough: bool
    def __init__(self, id: _Optional[int] = ..., pages: _Optional[int] = ..., enough: _Optional[bool] = ...) -> None: ...

class FromConnector(_message.Message):
    __slots__ = ("hello", "replies", "publications", "notes")
    HELLO_FIELD_NUMBER: _ClassVar[int]
    REPLIES_FIELD_NUMBER: _ClassVar[int]
    PUBLICATIONS_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    hello: _plugin_pb2.Hello
    replies: _containers.RepeatedCompositeFieldContainer[Reply]
    publications: _containers.RepeatedCompositeFieldContainer[Publication]
    notes: _containers.RepeatedCompositeFieldContainer[_plugin_pb2.Note]
    def __init__(self, hello: _Optional[_Union[_plugin_pb2.Hello, _Mapping]] = ..., replies: _Optional[_Iterable[_Union[Reply, _Mapping]]] = ..., publications: _Optional[_Iterable[_Union[Publication, _Mapping]]] = ..., notes: _Optional[_Iterable[_Union[_plugin_pb2.Note, _Mapping]]] = ...) -> None: ...

class Ask(_message.Message):
    __slots__ = ("id", "component", "within_ms", "traceparent", "open", "close", "ping", "shutdown", "read", "write", "browse", "subscribe", "deliver", "query", "read_history")
    ID_FIELD_NUMBER: _ClassVar[int]
    COMPONENT_FIELD_NUMBER: _ClassVar[int]
    WITHIN_MS_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    CLOSE_FIELD_NUMBER: _ClassVar[int]
    PING_FIELD_NUMBER: _ClassVar[int]
    SHUTDOWN_FIELD_NUMBER: _ClassVar[int]
    READ_FIELD_NUMBER: _ClassVar[int]
    WRITE_FIELD_NUMBER: _ClassVar[int]
    BROWSE_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIBE_FIELD_NUMBER: _ClassVar[int]
    DELIVER_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    READ_HISTORY_FIELD_NUMBER: _ClassVar[int]
    id: int
    component: str
    within_ms: int
    traceparent: str
    open: _plugin_pb2.Open
    close: _plugin_pb2.Close
    ping: _plugin_pb2.Ping
    shutdown: _plugin_pb2.Shutdown
    read: Read
    write: Write
    browse: Browse
    subscribe: Subscribe
    deliver: Deliver
    query: Query
    read_history: ReadHistory
    def __init__(self, id: _Optional[int] = ..., component: _Optional[str] = ..., within_ms: _Optional[int] = ..., traceparent: _Optional[str] = ..., open: _Optional[_Union[_plugin_pb2.Open, _Mapping]] = ..., close: _Optional[_Union[_plugin_pb2.Close, _Mapping]] = ..., ping: _Optional[_Union[_plugin_pb2.Ping, _Mapping]] = ..., shutdown: _Optional[_Union[_plugin_pb2.Shutdown, _Mapping]] = ..., read: _Optional[_Union[Read, _Mapping]] = ..., write: _Optional[_Union[Write, _Mapping]] = ..., browse: _Optional[_Union[Browse, _Mapping]] = ..., subscribe: _Optional[_Union[Subscribe, _Mapping]] = ..., deliver: _Optional[_Union[Deliver, _Mapping]] = ..., query: _Optional[_Union[Query, _Mapping]] = ..., read_history: _Optional[_Union[ReadHistory, _Mapping]] = ...) -> None: ...

class Reply(_message.Message):
    __slots__ = ("answer", "open", "read", "browse", "deliver", "query", "read_history")
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    READ_FIELD_NUMBER: _ClassVar[int]
    BROWSE_FIELD_NUMBER: _ClassVar[int]
    DELIVER_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    READ_HISTORY_FIELD_NUMBER: _ClassVar[int]
    answer: _plugin_pb2.Answer
    open: OpenReply
    read: ReadReply
    browse: BrowseReply
    deliver: DeliverReply
    query: QueryReply
    read_history: ReadHistoryReply
    def __init__(self, answer: _Optional[_Union[_plugin_pb2.Answer, _Mapping]] = ..., open: _Optional[_Union[OpenReply, _Mapping]] = ..., read: _Optional[_Union[ReadReply, _Mapping]] = ..., browse: _Optional[_Union[BrowseReply, _Mapping]] = ..., deliver: _Optional[_Union[DeliverReply, _Mapping]] = ..., query: _Optional[_Union[QueryReply, _Mapping]] = ..., read_history: _Optional[_Union[ReadHistoryReply, _Mapping]] = ...) -> None: ...

class OpenReply(_message.Message):
    __slots__ = ("position", "epoch", "found")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    FOUND_FIELD_NUMBER: _ClassVar[int]
    position: int
    epoch: int
    found: _containers.RepeatedCompositeFieldContainer[_plugin_pb2.Tag]
    def __init__(self, position: _Optional[int] = ..., epoch: _Optional[int] = ..., found: _Optional[_Iterable[_Union[_plugin_pb2.Tag, _Mapping]]] = ...) -> None: ...

class Read(_message.Message):
    __slots__ = ("tags",)
    TAGS_FIELD_NUMBER: _ClassVar[int]
    tags: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, tags: _Optional[_Iterable[int]] = ...) -> None: ...

class ReadReply(_message.Message):
    __slots__ = ("batches", "problems")
    BATCHES_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    batches: _containers.RepeatedCompositeFieldContainer[_record_pb2.Batch]
    problems: _containers.RepeatedCompositeFieldContainer[_plugin_pb2.Problem]
    def __init__(self, batches: _Optional[_Iterable[_Union[_record_pb2.Batch, _Mapping]]] = ..., problems: _Optional[_Iterable[_Union[_plugin_pb2.Problem, _Mapping]]] = ...) -> None: ...

class Write(_message.Message):
    __slots__ = ("command_id", "tag", "value")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    TAG_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    tag: int
    value: _record_pb2.Value
    def __init__(self, command_id: _Optional[str] = ..., tag: _Optional[int] = ..., value: _Optional[_Union[_record_pb2.Value, _Mapping]] = ...) -> None: ...

class Browse(_message.Message):
    __slots__ = ("below", "depth", "page")
    BELOW_FIELD_NUMBER: _ClassVar[int]
    DEPTH_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    below: str
    depth: int
    page: bytes
    def __init__(self, below: _Optional[str] = ..., depth: _Optional[int] = ..., page: _Optional[bytes] = ...) -> None: ...

class BrowseReply(_message.Message):
    __slots__ = ("nodes", "next_page")
    NODES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_FIELD_NUMBER: _ClassVar[int]
    nodes: _containers.RepeatedCompositeFieldContainer[Node]
    next_page: bytes
    def __init__(self, nodes: _Optional[_Iterable[_Union[Node, _Mapping]]] = ..., next_page: _Optional[bytes] = ...) -> None: ...

class Node(_message.Message):
    __slots__ = ("address", "name", "path", "has_children", "is_variable", "data_type", "unit", "description", "writable", "value")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    HAS_CHILDREN_FIELD_NUMBER: _ClassVar[int]
    IS_VARIABLE_FIELD_NUMBER: _ClassVar[int]
    DATA_TYPE_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    WRITABLE_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    address: str
    name: str
    path: str
    has_children: bool
    is_variable: bool
    data_type: _record_pb2.DataType
    unit: str
    description: str
    writable: bool
    value: str
    def __init__(self, address: _Optional[str] = ..., name: _Optional[str] = ..., path: _Optional[str] = ..., has_children: _Optional[bool] = ..., is_variable: _Optional[bool] = ..., data_type: _Optional[_Union[_record_pb2.DataType, str]] = ..., unit: _Optional[str] = ..., description: _Optional[str] = ..., writable: _Optional[bool] = ..., value: _Optional[str] = ...) -> None: ...

class Subscribe(_message.Message):
    __slots__ = ("resume_after",)
    RESUME_AFTER_FIELD_NUMBER: _ClassVar[int]
    resume_after: int
    def __init__(self, resume_after: _Optional[int] = ...) -> None: ...

class Publication(_message.Message):
    __slots__ = ("component", "producer_seq", "batch")
    COMPONENT_FIELD_NUMBER: _ClassVar[int]
    PRODUCER_SEQ_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    component: str
    producer_seq: int
    batch: _record_pb2.Batch
    def __init__(self, component: _Optional[str] = ..., producer_seq: _Optional[int] = ..., batch: _Optional[_Union[_record_pb2.Batch, _Mapping]] = ...) -> None: ...

class Deliver(_message.Message):
    __slots__ = ("records", "tables", "until", "backlog")
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    TABLES_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    BACKLOG_FIELD_NUMBER: _ClassVar[int]
    records: _containers.RepeatedCompositeFieldContainer[_record_pb2.Record]
    tables: _containers.RepeatedCompositeFieldContainer[_record_pb2.TagTable]
    until: int
    backlog: bool
    def __init__(self, records: _Optional[_Iterable[_Union[_record_pb2.Record, _Mapping]]] = ..., tables: _Optional[_Iterable[_Union[_record_pb2.TagTable, _Mapping]]] = ..., until: _Optional[int] = ..., backlog: _Optional[bool] = ...) -> None: ...

class DeliverReply(_message.Message):
    __slots__ = ("position", "refused")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    position: int
    refused: int
    def __init__(self, position: _Optional[int] = ..., refused: _Optional[int] = ...) -> None: ...

class Query(_message.Message):
    __slots__ = ("selectors", "to", "every", "aggregate", "limit", "last_before", "page", "credit")
    SELECTORS_FIELD_NUMBER: _ClassVar[int]
    FROM_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    EVERY_FIELD_NUMBER: _ClassVar[int]
    AGGREGATE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    LAST_BEFORE_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    CREDIT_FIELD_NUMBER: _ClassVar[int]
    selectors: _containers.RepeatedScalarFieldContainer[str]
    to: int
    every: int
    aggregate: Aggregate
    limit: int
    last_before: bool
    page: bytes
    credit: int
    def __init__(self, selectors: _Optional[_Iterable[str]] = ..., to: _Optional[int] = ..., every: _Optional[int] = ..., aggregate: _Optional[_Union[Aggregate, str]] = ..., limit: _Optional[int] = ..., last_before: _Optional[bool] = ..., page: _Optional[bytes] = ..., credit: _Optional[int] = ..., **kwargs) -> None: ...

class QueryReply(_message.Message):
    __slots__ = ("tags", "batches", "next_page", "progress")
    TAGS_FIELD_NUMBER: _ClassVar[int]
    BATCHES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    tags: _containers.RepeatedCompositeFieldContainer[_record_pb2.Tag]
    batches: _containers.RepeatedCompositeFieldContainer[_record_pb2.Batch]
    next_page: bytes
    progress: float
    def __init__(self, tags: _Optional[_Iterable[_Union[_record_pb2.Tag, _Mapping]]] = ..., batches: _Optional[_Iterable[_Union[_record_pb2.Batch, _Mapping]]] = ..., next_page: _Optional[bytes] = ..., progress: _Optional[float] = ...) -> None: ...

class ReadHistory(_message.Message):
    __slots__ = ("tags", "to", "page")
    TAGS_FIELD_NUMBER: _ClassVar[int]
    FROM_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    tags: _containers.RepeatedScalarFieldContainer[int]
    to: int
    page: bytes
    def __init__(self, tags: _Optional[_Iterable[int]] = ..., to: _Optional[int] = ..., page: _Optional[bytes] = ..., **kwargs) -> None: ...

class ReadHistoryReply(_message.Message):
    __slots__ = ("batches", "next_page", "problems")
    BATCHES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    batches: _containers.RepeatedCompositeFieldContainer[_record_pb2.Batch]
    next_page: bytes
    problems: _containers.RepeatedCompositeFieldContainer[_plugin_pb2.Problem]
    def __init__(self, batches: _Optional[_Iterable[_Union[_record_pb2.Batch, _Mapping]]] = ..., next_page: _Optional[bytes] = ..., problems: _Optional[_Iterable[_Union[_plugin_pb2.Problem, _Mapping]]] = ...) -> None: ...
