from bedplate.api.v1 import access_pb2 as _access_pb2
from bedplate.api.v1 import audit_pb2 as _audit_pb2
from bedplate.api.v1 import command_pb2 as _command_pb2
from bedplate.api.v1 import deployments_pb2 as _deployments_pb2
from bedplate.api.v1 import gaps_pb2 as _gaps_pb2
from bedplate.api.v1 import maintenance_pb2 as _maintenance_pb2
from bedplate.api.v1 import why_pb2 as _why_pb2
from bedplate.connector.v1 import connector_pb2 as _connector_pb2
from bedplate.plugin.v1 import plugin_pb2 as _plugin_pb2
from bedplate.record.v1 import record_pb2 as _record_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    KIND_UNSPECIFIED: _ClassVar[Kind]
    KIND_CONNECTOR: _ClassVar[Kind]
    KIND_ANALYTIC: _ClassVar[Kind]
    KIND_SECURITY: _ClassVar[Kind]
    KIND_APP: _ClassVar[Kind]
KIND_UNSPECIFIED: Kind
KIND_CONNECTOR: Kind
KIND_ANALYTIC: Kind
KIND_SECURITY: Kind
KIND_APP: Kind

class ListTagsRequest(_message.Message):
    __slots__ = ("selectors", "with_current")
    SELECTORS_FIELD_NUMBER: _ClassVar[int]
    WITH_CURRENT_FIELD_NUMBER: _ClassVar[int]
    selectors: _containers.RepeatedScalarFieldContainer[str]
    with_current: bool
    def __init__(self, selectors: _Optional[_Iterable[str]] = ..., with_current: _Optional[bool] = ...) -> None: ...

class ListTagsResponse(_message.Message):
    __slots__ = ("tags",)
    TAGS_FIELD_NUMBER: _ClassVar[int]
    tags: _containers.RepeatedCompositeFieldContainer[TagInfo]
    def __init__(self, tags: _Optional[_Iterable[_Union[TagInfo, _Mapping]]] = ...) -> None: ...

class TagInfo(_message.Message):
    __slots__ = ("tag", "component", "asset", "type", "current")
    TAG_FIELD_NUMBER: _ClassVar[int]
    COMPONENT_FIELD_NUMBER: _ClassVar[int]
    ASSET_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    CURRENT_FIELD_NUMBER: _ClassVar[int]
    tag: _record_pb2.Tag
    component: str
    asset: str
    type: str
    current: Sample
    def __init__(self, tag: _Optional[_Union[_record_pb2.Tag, _Mapping]] = ..., component: _Optional[str] = ..., asset: _Optional[str] = ..., type: _Optional[str] = ..., current: _Optional[_Union[Sample, _Mapping]] = ...) -> None: ...

class Sample(_message.Message):
    __slots__ = ("value", "time", "quality", "received", "stored")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_FIELD_NUMBER: _ClassVar[int]
    STORED_FIELD_NUMBER: _ClassVar[int]
    value: _record_pb2.Value
    time: int
    quality: int
    received: int
    stored: bool
    def __init__(self, value: _Optional[_Union[_record_pb2.Value, _Mapping]] = ..., time: _Optional[int] = ..., quality: _Optional[int] = ..., received: _Optional[int] = ..., stored: _Optional[bool] = ...) -> None: ...

class ListAssetsRequest(_message.Message):
    __slots__ = ("below",)
    BELOW_FIELD_NUMBER: _ClassVar[int]
    below: str
    def __init__(self, below: _Optional[str] = ...) -> None: ...

class ListAssetsResponse(_message.Message):
    __slots__ = ("assets",)
    ASSETS_FIELD_NUMBER: _ClassVar[int]
    assets: _containers.RepeatedCompositeFieldContainer[Asset]
    def __init__(self, assets: _Optional[_Iterable[_Union[Asset, _Mapping]]] = ...) -> None: ...

class Asset(_message.Message):
    __slots__ = ("path", "type", "components", "tags")
    PATH_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    COMPONENTS_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    path: str
    type: str
    components: _containers.RepeatedScalarFieldContainer[str]
    tags: int
    def __init__(self, path: _Optional[str] = ..., type: _Optional[str] = ..., components: _Optional[_Iterable[str]] = ..., tags: _Optional[int] = ...) -> None: ...

class CurrentRequest(_message.Message):
    __slots__ = ("selectors",)
    SELECTORS_FIELD_NUMBER: _ClassVar[int]
    selectors: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, selectors: _Optional[_Iterable[str]] = ...) -> None: ...

class CurrentResponse(_message.Message):
    __slots__ = ("tags", "batches")
    TAGS_FIELD_NUMBER: _ClassVar[int]
    BATCHES_FIELD_NUMBER: _ClassVar[int]
    tags: _containers.RepeatedCompositeFieldContainer[_record_pb2.Tag]
    batches: _containers.RepeatedCompositeFieldContainer[_record_pb2.Batch]
    def __init__(self, tags: _Optional[_Iterable[_Union[_record_pb2.Tag, _Mapping]]] = ..., batches: _Optional[_Iterable[_Union[_record_pb2.Batch, _Mapping]]] = ...) -> None: ...

class SubscribeRequest(_message.Message):
    __slots__ = ("open", "credit")
    OPEN_FIELD_NUMBER: _ClassVar[int]
    CREDIT_FIELD_NUMBER: _ClassVar[int]
    open: SubscribeOpen
    credit: int
    def __init__(self, open: _Optional[_Union[SubscribeOpen, _Mapping]] = ..., credit: _Optional[int] = ...) -> None: ...

class SubscribeOpen(_message.Message):
    __slots__ = ("selectors", "resume_token", "credit", "events", "current_first")
    SELECTORS_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CREDIT_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    CURRENT_FIRST_FIELD_NUMBER: _ClassVar[int]
    selectors: _containers.RepeatedScalarFieldContainer[str]
    resume_token: bytes
    credit: int
    events: bool
    current_first: bool
    def __init__(self, selectors: _Optional[_Iterable[str]] = ..., resume_token: _Optional[bytes] = ..., credit: _Optional[int] = ..., events: _Optional[bool] = ..., current_first: _Optional[bool] = ...) -> None: ...

class SubscribeResponse(_message.Message):
    __slots__ = ("tables", "records", "resume_token", "lost", "not_stored")
    TABLES_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    LOST_FIELD_NUMBER: _ClassVar[int]
    NOT_STORED_FIELD_NUMBER: _ClassVar[int]
    tables: _containers.RepeatedCompositeFieldContainer[_record_pb2.TagTable]
    records: _containers.RepeatedCompositeFieldContainer[_record_pb2.Record]
    resume_token: bytes
    lost: int
    not_stored: str
    def __init__(self, tables: _Optional[_Iterable[_Union[_record_pb2.TagTable, _Mapping]]] = ..., records: _Optional[_Iterable[_Union[_record_pb2.Record, _Mapping]]] = ..., resume_token: _Optional[bytes] = ..., lost: _Optional[int] = ..., not_stored: _Optional[str] = ...) -> None: ...

class QueryRequest(_message.Message):
    __slots__ = ("selectors", "to", "every", "aggregate", "limit", "last_before", "points")
    SELECTORS_FIELD_NUMBER: _ClassVar[int]
    FROM_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    EVERY_FIELD_NUMBER: _ClassVar[int]
    AGGREGATE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    LAST_BEFORE_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    selectors: _containers.RepeatedScalarFieldContainer[str]
    to: int
    every: int
    aggregate: _connector_pb2.Aggregate
    limit: int
    last_before: bool
    points: int
    def __init__(self, selectors: _Optional[_Iterable[str]] = ..., to: _Optional[int] = ..., every: _Optional[int] = ..., aggregate: _Optional[_Union[_connector_pb2.Aggregate, str]] = ..., limit: _Optional[int] = ..., last_before: _Optional[bool] = ..., points: _Optional[int] = ..., **kwargs) -> None: ...

class QueryResponse(_message.Message):
    __slots__ = ("tags", "batches", "progress", "history")
    TAGS_FIELD_NUMBER: _ClassVar[int]
    BATCHES_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    tags: _containers.RepeatedCompositeFieldContainer[_record_pb2.Tag]
    batches: _containers.RepeatedCompositeFieldContainer[_record_pb2.Batch]
    progress: float
    history: str
    def __init__(self, tags: _Optional[_Iterable[_Union[_record_pb2.Tag, _Mapping]]] = ..., batches: _Optional[_Iterable[_Union[_record_pb2.Batch, _Mapping]]] = ..., progress: _Optional[float] = ..., history: _Optional[str] = ...) -> None: ...

class ListAlarmsRequest(_message.Message):
    __slots__ = ("selectors", "all")
    SELECTORS_FIELD_NUMBER: _ClassVar[int]
    ALL_FIELD_NUMBER: _ClassVar[int]
    selectors: _containers.RepeatedScalarFieldContainer[str]
    all: bool
    def __init__(self, selectors: _Optional[_Iterable[str]] = ..., all: _Optional[bool] = ...) -> None: ...

class ListAlarmsResponse(_message.Message):
    __slots__ = ("alarms",)
    ALARMS_FIELD_NUMBER: _ClassVar[int]
    alarms: _containers.RepeatedCompositeFieldContainer[_record_pb2.Event]
    def __init__(self, alarms: _Optional[_Iterable[_Union[_record_pb2.Event, _Mapping]]] = ...) -> None: ...

class WatchAlarmsRequest(_message.Message):
    __slots__ = ("selectors",)
    SELECTORS_FIELD_NUMBER: _ClassVar[int]
    selectors: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, selectors: _Optional[_Iterable[str]] = ...) -> None: ...

class WatchAlarmsResponse(_message.Message):
    __slots__ = ("alarms",)
    ALARMS_FIELD_NUMBER: _ClassVar[int]
    alarms: _containers.RepeatedCompositeFieldContainer[_record_pb2.Event]
    def __init__(self, alarms: _Optional[_Iterable[_Union[_record_pb2.Event, _Mapping]]] = ...) -> None: ...

class AcknowledgeRequest(_message.Message):
    __slots__ = ("source", "comment")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    source: str
    comment: str
    def __init__(self, source: _Optional[str] = ..., comment: _Optional[str] = ...) -> None: ...

class AcknowledgeResponse(_message.Message):
    __slots__ = ("source",)
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    source: str
    def __init__(self, source: _Optional[str] = ...) -> None: ...

class GetStatusRequest(_message.Message):
    __slots__ = ("with_output",)
    WITH_OUTPUT_FIELD_NUMBER: _ClassVar[int]
    with_output: bool
    def __init__(self, with_output: _Optional[bool] = ...) -> None: ...

class GetStatusResponse(_message.Message):
    __slots__ = ("name", "version", "started", "now", "epoch", "components", "journal", "processes", "problems", "cpu_seconds", "memory_bytes", "deployment_file", "path", "notices", "causes", "deployment", "maintenance", "writes", "audit")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STARTED_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    COMPONENTS_FIELD_NUMBER: _ClassVar[int]
    JOURNAL_FIELD_NUMBER: _ClassVar[int]
    PROCESSES_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    CPU_SECONDS_FIELD_NUMBER: _ClassVar[int]
    MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    DEPLOYMENT_FILE_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    NOTICES_FIELD_NUMBER: _ClassVar[int]
    CAUSES_FIELD_NUMBER: _ClassVar[int]
    DEPLOYMENT_FIELD_NUMBER: _ClassVar[int]
    MAINTENANCE_FIELD_NUMBER: _ClassVar[int]
    WRITES_FIELD_NUMBER: _ClassVar[int]
    AUDIT_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    started: int
    now: int
    epoch: int
    components: _containers.RepeatedCompositeFieldContainer[ComponentStatus]
    journal: JournalStatus
    processes: _containers.RepeatedCompositeFieldContainer[ProcessStatus]
    problems: _containers.RepeatedScalarFieldContainer[str]
    cpu_seconds: float
    memory_bytes: int
    deployment_file: str
    path: str
    notices: _containers.RepeatedScalarFieldContainer[str]
    causes: _containers.RepeatedCompositeFieldContainer[_why_pb2.Cause]
    deployment: _deployments_pb2.DeploymentStatus
    maintenance: _containers.RepeatedCompositeFieldContainer[_maintenance_pb2.Maintenance]
    writes: _command_pb2.WritesStatus
    audit: str
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., started: _Optional[int] = ..., now: _Optional[int] = ..., epoch: _Optional[int] = ..., components: _Optional[_Iterable[_Union[ComponentStatus, _Mapping]]] = ..., journal: _Optional[_Union[JournalStatus, _Mapping]] = ..., processes: _Optional[_Iterable[_Union[ProcessStatus, _Mapping]]] = ..., problems: _Optional[_Iterable[str]] = ..., cpu_seconds: _Optional[float] = ..., memory_bytes: _Optional[int] = ..., deployment_file: _Optional[str] = ..., path: _Optional[str] = ..., notices: _Optional[_Iterable[str]] = ..., causes: _Optional[_Iterable[_Union[_why_pb2.Cause, _Mapping]]] = ..., deployment: _Optional[_Union[_deployments_pb2.DeploymentStatus, _Mapping]] = ..., maintenance: _Optional[_Iterable[_Union[_maintenance_pb2.Maintenance, _Mapping]]] = ..., writes: _Optional[_Union[_command_pb2.WritesStatus, _Mapping]] = ..., audit: _Optional[str] = ...) -> None: ...

class ComponentStatus(_message.Message):
    __slots__ = ("id", "kind", "use", "type", "path", "state", "reason", "since", "process", "tags", "tags_good", "samples", "samples_per_second", "quietest_seconds", "restarts", "reader", "history", "dropped", "placement", "support", "group", "detail", "completeness")
    ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    USE_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    PROCESS_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    TAGS_GOOD_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    QUIETEST_SECONDS_FIELD_NUMBER: _ClassVar[int]
    RESTARTS_FIELD_NUMBER: _ClassVar[int]
    READER_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    PLACEMENT_FIELD_NUMBER: _ClassVar[int]
    SUPPORT_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    COMPLETENESS_FIELD_NUMBER: _ClassVar[int]
    id: str
    kind: Kind
    use: str
    type: str
    path: str
    state: str
    reason: str
    since: int
    process: str
    tags: int
    tags_good: int
    samples: int
    samples_per_second: float
    quietest_seconds: float
    restarts: int
    reader: ReaderStatus
    history: _containers.RepeatedCompositeFieldContainer[Transition]
    dropped: int
    placement: str
    support: str
    group: str
    detail: str
    completeness: _gaps_pb2.Completeness
    def __init__(self, id: _Optional[str] = ..., kind: _Optional[_Union[Kind, str]] = ..., use: _Optional[str] = ..., type: _Optional[str] = ..., path: _Optional[str] = ..., state: _Optional[str] = ..., reason: _Optional[str] = ..., since: _Optional[int] = ..., process: _Optional[str] = ..., tags: _Optional[int] = ..., tags_good: _Optional[int] = ..., samples: _Optional[int] = ..., samples_per_second: _Optional[float] = ..., quietest_seconds: _Optional[float] = ..., restarts: _Optional[int] = ..., reader: _Optional[_Union[ReaderStatus, _Mapping]] = ..., history: _Optional[_Iterable[_Union[Transition, _Mapping]]] = ..., dropped: _Optional[int] = ..., placement: _Optional[str] = ..., support: _Optional[str] = ..., group: _Optional[str] = ..., detail: _Optional[str] = ..., completeness: _Optional[_Union[_gaps_pb2.Completeness, _Mapping]] = ...) -> None: ...

class Transition(_message.Message):
    __slots__ = ("at", "state", "reason")
    AT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    at: int
    state: str
    reason: str
    def __init__(self, at: _Optional[int] = ..., state: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class ReaderStatus(_message.Message):
    __slots__ = ("behind_records", "behind_seconds", "position")
    BEHIND_RECORDS_FIELD_NUMBER: _ClassVar[int]
    BEHIND_SECONDS_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    behind_records: int
    behind_seconds: float
    position: int
    def __init__(self, behind_records: _Optional[int] = ..., behind_seconds: _Optional[float] = ..., position: _Optional[int] = ...) -> None: ...

class JournalStatus(_message.Message):
    __slots__ = ("engine", "bytes", "first", "appended", "synced", "oldest_seconds", "state", "syncs", "bytes_written", "limit_bytes", "room_bytes", "room_seconds", "bytes_written_yearly", "full", "gaps", "damaged", "unstored_samples")
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    FIRST_FIELD_NUMBER: _ClassVar[int]
    APPENDED_FIELD_NUMBER: _ClassVar[int]
    SYNCED_FIELD_NUMBER: _ClassVar[int]
    OLDEST_SECONDS_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SYNCS_FIELD_NUMBER: _ClassVar[int]
    BYTES_WRITTEN_FIELD_NUMBER: _ClassVar[int]
    LIMIT_BYTES_FIELD_NUMBER: _ClassVar[int]
    ROOM_BYTES_FIELD_NUMBER: _ClassVar[int]
    ROOM_SECONDS_FIELD_NUMBER: _ClassVar[int]
    BYTES_WRITTEN_YEARLY_FIELD_NUMBER: _ClassVar[int]
    FULL_FIELD_NUMBER: _ClassVar[int]
    GAPS_FIELD_NUMBER: _ClassVar[int]
    DAMAGED_FIELD_NUMBER: _ClassVar[int]
    UNSTORED_SAMPLES_FIELD_NUMBER: _ClassVar[int]
    engine: str
    bytes: int
    first: int
    appended: int
    synced: int
    oldest_seconds: float
    state: str
    syncs: int
    bytes_written: int
    limit_bytes: int
    room_bytes: int
    room_seconds: float
    bytes_written_yearly: float
    full: str
    gaps: int
    damaged: int
    unstored_samples: int
    def __init__(self, engine: _Optional[str] = ..., bytes: _Optional[int] = ..., first: _Optional[int] = ..., appended: _Optional[int] = ..., synced: _Optional[int] = ..., oldest_seconds: _Optional[float] = ..., state: _Optional[str] = ..., syncs: _Optional[int] = ..., bytes_written: _Optional[int] = ..., limit_bytes: _Optional[int] = ..., room_bytes: _Optional[int] = ..., room_seconds: _Optional[float] = ..., bytes_written_yearly: _Optional[float] = ..., full: _Optional[str] = ..., gaps: _Optional[int] = ..., damaged: _Optional[int] = ..., unstored_samples: _Optional[int] = ...) -> None: ...

class ProcessStatus(_message.Message):
    __slots__ = ("name", "pid", "started", "restarts", "cpu_seconds", "memory_bytes", "ping_seconds", "components", "plugin", "isolation", "isolation_notes", "output", "placement", "peer")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PID_FIELD_NUMBER: _ClassVar[int]
    STARTED_FIELD_NUMBER: _ClassVar[int]
    RESTARTS_FIELD_NUMBER: _ClassVar[int]
    CPU_SECONDS_FIELD_NUMBER: _ClassVar[int]
    MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    PING_SECONDS_FIELD_NUMBER: _ClassVar[int]
    COMPONENTS_FIELD_NUMBER: _ClassVar[int]
    PLUGIN_FIELD_NUMBER: _ClassVar[int]
    ISOLATION_FIELD_NUMBER: _ClassVar[int]
    ISOLATION_NOTES_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    PLACEMENT_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    name: str
    pid: int
    started: int
    restarts: int
    cpu_seconds: float
    memory_bytes: int
    ping_seconds: float
    components: _containers.RepeatedScalarFieldContainer[str]
    plugin: str
    isolation: str
    isolation_notes: _containers.RepeatedScalarFieldContainer[str]
    output: _containers.RepeatedScalarFieldContainer[str]
    placement: str
    peer: str
    def __init__(self, name: _Optional[str] = ..., pid: _Optional[int] = ..., started: _Optional[int] = ..., restarts: _Optional[int] = ..., cpu_seconds: _Optional[float] = ..., memory_bytes: _Optional[int] = ..., ping_seconds: _Optional[float] = ..., components: _Optional[_Iterable[str]] = ..., plugin: _Optional[str] = ..., isolation: _Optional[str] = ..., isolation_notes: _Optional[_Iterable[str]] = ..., output: _Optional[_Iterable[str]] = ..., placement: _Optional[str] = ..., peer: _Optional[str] = ...) -> None: ...

class ListPluginsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListPluginsResponse(_message.Message):
    __slots__ = ("plugins",)
    PLUGINS_FIELD_NUMBER: _ClassVar[int]
    plugins: _containers.RepeatedCompositeFieldContainer[PluginStatus]
    def __init__(self, plugins: _Optional[_Iterable[_Union[PluginStatus, _Mapping]]] = ...) -> None: ...

class PluginStatus(_message.Message):
    __slots__ = ("name", "distribution", "version", "verdict", "reason", "offers", "requires_api", "support", "permissions", "capabilities", "code")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DISTRIBUTION_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    OFFERS_FIELD_NUMBER: _ClassVar[int]
    REQUIRES_API_FIELD_NUMBER: _ClassVar[int]
    SUPPORT_FIELD_NUMBER: _ClassVar[int]
    PERMISSIONS_FIELD_NUMBER: _ClassVar[int]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    name: str
    distribution: str
    version: str
    verdict: str
    reason: str
    offers: _containers.RepeatedScalarFieldContainer[str]
    requires_api: str
    support: str
    permissions: _containers.RepeatedScalarFieldContainer[str]
    capabilities: _containers.RepeatedScalarFieldContainer[str]
    code: _plugin_pb2.Code
    def __init__(self, name: _Optional[str] = ..., distribution: _Optional[str] = ..., version: _Optional[str] = ..., verdict: _Optional[str] = ..., reason: _Optional[str] = ..., offers: _Optional[_Iterable[str]] = ..., requires_api: _Optional[str] = ..., support: _Optional[str] = ..., permissions: _Optional[_Iterable[str]] = ..., capabilities: _Optional[_Iterable[str]] = ..., code: _Optional[_Union[_plugin_pb2.Code, str]] = ...) -> None: ...
