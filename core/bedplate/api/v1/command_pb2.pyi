from bedplate.record.v1 import record_pb2 as _record_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CommandState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COMMAND_STATE_UNSPECIFIED: _ClassVar[CommandState]
    COMMAND_STATE_AWAIT_APPROVAL: _ClassVar[CommandState]
    COMMAND_STATE_SENT: _ClassVar[CommandState]
    COMMAND_STATE_VERIFIED: _ClassVar[CommandState]
    COMMAND_STATE_MISMATCH: _ClassVar[CommandState]
    COMMAND_STATE_UNKNOWN: _ClassVar[CommandState]
    COMMAND_STATE_REJECTED: _ClassVar[CommandState]
    COMMAND_STATE_EXPIRED: _ClassVar[CommandState]
    COMMAND_STATE_CANCELLED: _ClassVar[CommandState]
    COMMAND_STATE_DRY_RUN: _ClassVar[CommandState]
COMMAND_STATE_UNSPECIFIED: CommandState
COMMAND_STATE_AWAIT_APPROVAL: CommandState
COMMAND_STATE_SENT: CommandState
COMMAND_STATE_VERIFIED: CommandState
COMMAND_STATE_MISMATCH: CommandState
COMMAND_STATE_UNKNOWN: CommandState
COMMAND_STATE_REJECTED: CommandState
COMMAND_STATE_EXPIRED: CommandState
COMMAND_STATE_CANCELLED: CommandState
COMMAND_STATE_DRY_RUN: CommandState

class SubmitRequest(_message.Message):
    __slots__ = ("command_id", "tag", "value", "if_current", "within_ms", "dry_run", "reason")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    TAG_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    IF_CURRENT_FIELD_NUMBER: _ClassVar[int]
    WITHIN_MS_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    tag: str
    value: _record_pb2.Value
    if_current: _record_pb2.Value
    within_ms: int
    dry_run: bool
    reason: str
    def __init__(self, command_id: _Optional[str] = ..., tag: _Optional[str] = ..., value: _Optional[_Union[_record_pb2.Value, _Mapping]] = ..., if_current: _Optional[_Union[_record_pb2.Value, _Mapping]] = ..., within_ms: _Optional[int] = ..., dry_run: _Optional[bool] = ..., reason: _Optional[str] = ...) -> None: ...

class CommandCheck(_message.Message):
    __slots__ = ("name", "passed", "text")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PASSED_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    name: str
    passed: bool
    text: str
    def __init__(self, name: _Optional[str] = ..., passed: _Optional[bool] = ..., text: _Optional[str] = ...) -> None: ...

class CommandStatus(_message.Message):
    __slots__ = ("command_id", "tag", "value", "old", "read_back", "state", "text", "checks", "by", "approved_by", "rule", "intent", "reason", "submitted", "ended", "unit")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    TAG_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    OLD_FIELD_NUMBER: _ClassVar[int]
    READ_BACK_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CHECKS_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    APPROVED_BY_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    INTENT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    SUBMITTED_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    tag: str
    value: _record_pb2.Value
    old: _record_pb2.Value
    read_back: _record_pb2.Value
    state: CommandState
    text: str
    checks: _containers.RepeatedCompositeFieldContainer[CommandCheck]
    by: str
    approved_by: str
    rule: str
    intent: str
    reason: str
    submitted: int
    ended: int
    unit: str
    def __init__(self, command_id: _Optional[str] = ..., tag: _Optional[str] = ..., value: _Optional[_Union[_record_pb2.Value, _Mapping]] = ..., old: _Optional[_Union[_record_pb2.Value, _Mapping]] = ..., read_back: _Optional[_Union[_record_pb2.Value, _Mapping]] = ..., state: _Optional[_Union[CommandState, str]] = ..., text: _Optional[str] = ..., checks: _Optional[_Iterable[_Union[CommandCheck, _Mapping]]] = ..., by: _Optional[str] = ..., approved_by: _Optional[str] = ..., rule: _Optional[str] = ..., intent: _Optional[str] = ..., reason: _Optional[str] = ..., submitted: _Optional[int] = ..., ended: _Optional[int] = ..., unit: _Optional[str] = ...) -> None: ...

class SubmitResponse(_message.Message):
    __slots__ = ("command",)
    COMMAND_FIELD_NUMBER: _ClassVar[int]
    command: CommandStatus
    def __init__(self, command: _Optional[_Union[CommandStatus, _Mapping]] = ...) -> None: ...

class ApproveRequest(_message.Message):
    __slots__ = ("command_id", "intent")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    INTENT_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    intent: str
    def __init__(self, command_id: _Optional[str] = ..., intent: _Optional[str] = ...) -> None: ...

class ApproveResponse(_message.Message):
    __slots__ = ("command",)
    COMMAND_FIELD_NUMBER: _ClassVar[int]
    command: CommandStatus
    def __init__(self, command: _Optional[_Union[CommandStatus, _Mapping]] = ...) -> None: ...

class CancelRequest(_message.Message):
    __slots__ = ("command_id",)
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    def __init__(self, command_id: _Optional[str] = ...) -> None: ...

class CancelResponse(_message.Message):
    __slots__ = ("command",)
    COMMAND_FIELD_NUMBER: _ClassVar[int]
    command: CommandStatus
    def __init__(self, command: _Optional[_Union[CommandStatus, _Mapping]] = ...) -> None: ...

class ListCommandsRequest(_message.Message):
    __slots__ = ("selectors", "waiting", "last")
    SELECTORS_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    selectors: _containers.RepeatedScalarFieldContainer[str]
    waiting: bool
    last: int
    def __init__(self, selectors: _Optional[_Iterable[str]] = ..., waiting: _Optional[bool] = ..., last: _Optional[int] = ...) -> None: ...

class ListCommandsResponse(_message.Message):
    __slots__ = ("commands",)
    COMMANDS_FIELD_NUMBER: _ClassVar[int]
    commands: _containers.RepeatedCompositeFieldContainer[CommandStatus]
    def __init__(self, commands: _Optional[_Iterable[_Union[CommandStatus, _Mapping]]] = ...) -> None: ...

class WritesStatus(_message.Message):
    __slots__ = ("enabled", "off", "waiting", "since", "sent", "verified", "mismatch", "unknown", "refused")
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    OFF_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    SENT_FIELD_NUMBER: _ClassVar[int]
    VERIFIED_FIELD_NUMBER: _ClassVar[int]
    MISMATCH_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    enabled: bool
    off: str
    waiting: int
    since: int
    sent: int
    verified: int
    mismatch: int
    unknown: int
    refused: int
    def __init__(self, enabled: _Optional[bool] = ..., off: _Optional[str] = ..., waiting: _Optional[int] = ..., since: _Optional[int] = ..., sent: _Optional[int] = ..., verified: _Optional[int] = ..., mismatch: _Optional[int] = ..., unknown: _Optional[int] = ..., refused: _Optional[int] = ...) -> None: ...
