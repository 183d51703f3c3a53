from bedplate.record.v1 import record_pb2 as _record_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Code(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CODE_UNSPECIFIED: _ClassVar[Code]
    CODE_OK: _ClassVar[Code]
    CODE_INVALID: _ClassVar[Code]
    CODE_UNREACHABLE: _ClassVar[Code]
    CODE_REFUSED: _ClassVar[Code]
    CODE_EXPIRED: _ClassVar[Code]
    CODE_UNSUPPORTED: _ClassVar[Code]
    CODE_FAULT: _ClassVar[Code]
CODE_UNSPECIFIED: Code
CODE_OK: Code
CODE_INVALID: Code
CODE_UNREACHABLE: Code
CODE_REFUSED: Code
CODE_EXPIRED: Code
CODE_UNSUPPORTED: Code
CODE_FAULT: Code

class Hello(_message.Message):
    __slots__ = ("token", "plugin", "version", "features", "runtime", "instance")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    PLUGIN_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    RUNTIME_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    token: str
    plugin: str
    version: str
    features: _containers.RepeatedScalarFieldContainer[str]
    runtime: str
    instance: str
    def __init__(self, token: _Optional[str] = ..., plugin: _Optional[str] = ..., version: _Optional[str] = ..., features: _Optional[_Iterable[str]] = ..., runtime: _Optional[str] = ..., instance: _Optional[str] = ...) -> None: ...

class Open(_message.Message):
    __slots__ = ("use", "config_json", "secrets", "tags", "assets", "states", "position", "epoch", "credit", "linger_ms", "path", "serving")
    class SecretsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: bytes
        def __init__(self, key: _Optional[str] = ..., value: _Optional[bytes] = ...) -> None: ...
    USE_FIELD_NUMBER: _ClassVar[int]
    CONFIG_JSON_FIELD_NUMBER: _ClassVar[int]
    SECRETS_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    ASSETS_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    CREDIT_FIELD_NUMBER: _ClassVar[int]
    LINGER_MS_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    SERVING_FIELD_NUMBER: _ClassVar[int]
    use: str
    config_json: bytes
    secrets: _containers.ScalarMap[str, bytes]
    tags: _containers.RepeatedCompositeFieldContainer[Tag]
    assets: _containers.RepeatedCompositeFieldContainer[Asset]
    states: _containers.RepeatedCompositeFieldContainer[State]
    position: int
    epoch: int
    credit: int
    linger_ms: int
    path: str
    serving: bool
    def __init__(self, use: _Optional[str] = ..., config_json: _Optional[bytes] = ..., secrets: _Optional[_Mapping[str, bytes]] = ..., tags: _Optional[_Iterable[_Union[Tag, _Mapping]]] = ..., assets: _Optional[_Iterable[_Union[Asset, _Mapping]]] = ..., states: _Optional[_Iterable[_Union[State, _Mapping]]] = ..., position: _Optional[int] = ..., epoch: _Optional[int] = ..., credit: _Optional[int] = ..., linger_ms: _Optional[int] = ..., path: _Optional[str] = ..., serving: _Optional[bool] = ...) -> None: ...

class Tag(_message.Message):
    __slots__ = ("handle", "name", "address", "data_type", "writable", "unit", "settings_json", "scan_ms")
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    DATA_TYPE_FIELD_NUMBER: _ClassVar[int]
    WRITABLE_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_JSON_FIELD_NUMBER: _ClassVar[int]
    SCAN_MS_FIELD_NUMBER: _ClassVar[int]
    handle: int
    name: str
    address: str
    data_type: _record_pb2.DataType
    writable: bool
    unit: str
    settings_json: bytes
    scan_ms: int
    def __init__(self, handle: _Optional[int] = ..., name: _Optional[str] = ..., address: _Optional[str] = ..., data_type: _Optional[_Union[_record_pb2.DataType, str]] = ..., writable: _Optional[bool] = ..., unit: _Optional[str] = ..., settings_json: _Optional[bytes] = ..., scan_ms: _Optional[int] = ...) -> None: ...

class Asset(_message.Message):
    __slots__ = ("path", "inputs")
    PATH_FIELD_NUMBER: _ClassVar[int]
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    path: str
    inputs: _containers.RepeatedCompositeFieldContainer[Input]
    def __init__(self, path: _Optional[str] = ..., inputs: _Optional[_Iterable[_Union[Input, _Mapping]]] = ...) -> None: ...

class Input(_message.Message):
    __slots__ = ("name", "path", "tag")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    TAG_FIELD_NUMBER: _ClassVar[int]
    name: str
    path: str
    tag: _record_pb2.Tag
    def __init__(self, name: _Optional[str] = ..., path: _Optional[str] = ..., tag: _Optional[_Union[_record_pb2.Tag, _Mapping]] = ...) -> None: ...

class State(_message.Message):
    __slots__ = ("key", "value")
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    key: str
    value: bytes
    def __init__(self, key: _Optional[str] = ..., value: _Optional[bytes] = ...) -> None: ...

class Close(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Ping(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Shutdown(_message.Message):
    __slots__ = ("grace_ms",)
    GRACE_MS_FIELD_NUMBER: _ClassVar[int]
    grace_ms: int
    def __init__(self, grace_ms: _Optional[int] = ...) -> None: ...

class Problem(_message.Message):
    __slots__ = ("pointer", "tag", "text")
    POINTER_FIELD_NUMBER: _ClassVar[int]
    TAG_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    pointer: str
    tag: int
    text: str
    def __init__(self, pointer: _Optional[str] = ..., tag: _Optional[int] = ..., text: _Optional[str] = ...) -> None: ...

class Answer(_message.Message):
    __slots__ = ("id", "code", "text", "problems", "trace")
    ID_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    TRACE_FIELD_NUMBER: _ClassVar[int]
    id: int
    code: Code
    text: str
    problems: _containers.RepeatedCompositeFieldContainer[Problem]
    trace: str
    def __init__(self, id: _Optional[int] = ..., code: _Optional[_Union[Code, str]] = ..., text: _Optional[str] = ..., problems: _Optional[_Iterable[_Union[Problem, _Mapping]]] = ..., trace: _Optional[str] = ...) -> None: ...

class Note(_message.Message):
    __slots__ = ("component", "lost", "severity", "text", "code", "forget")
    COMPONENT_FIELD_NUMBER: _ClassVar[int]
    LOST_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    FORGET_FIELD_NUMBER: _ClassVar[int]
    component: str
    lost: bool
    severity: int
    text: str
    code: Code
    forget: bool
    def __init__(self, component: _Optional[str] = ..., lost: _Optional[bool] = ..., severity: _Optional[int] = ..., text: _Optional[str] = ..., code: _Optional[_Union[Code, str]] = ..., forget: _Optional[bool] = ...) -> None: ...

class Receipt(_message.Message):
    __slots__ = ("component", "credit", "synced", "refused", "text")
    COMPONENT_FIELD_NUMBER: _ClassVar[int]
    CREDIT_FIELD_NUMBER: _ClassVar[int]
    SYNCED_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    component: str
    credit: int
    synced: int
    refused: int
    text: str
    def __init__(self, component: _Optional[str] = ..., credit: _Optional[int] = ..., synced: _Optional[int] = ..., refused: _Optional[int] = ..., text: _Optional[str] = ...) -> None: ...
