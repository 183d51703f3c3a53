from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListAuditRequest(_message.Message):
    __slots__ = ("to", "who", "action", "last", "after", "raw")
    FROM_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    WHO_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    RAW_FIELD_NUMBER: _ClassVar[int]
    to: int
    who: str
    action: str
    last: int
    after: int
    raw: bool
    def __init__(self, to: _Optional[int] = ..., who: _Optional[str] = ..., action: _Optional[str] = ..., last: _Optional[int] = ..., after: _Optional[int] = ..., raw: _Optional[bool] = ..., **kwargs) -> None: ...

class AuditEntry(_message.Message):
    __slots__ = ("index", "time", "action", "verdict", "who", "method", "peer", "resource", "rule", "text", "credential", "correlation", "hash", "mono", "clock", "line")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    WHO_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CREDENTIAL_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    MONO_FIELD_NUMBER: _ClassVar[int]
    CLOCK_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    index: int
    time: int
    action: str
    verdict: str
    who: str
    method: str
    peer: str
    resource: str
    rule: str
    text: str
    credential: str
    correlation: str
    hash: str
    mono: str
    clock: str
    line: str
    def __init__(self, index: _Optional[int] = ..., time: _Optional[int] = ..., action: _Optional[str] = ..., verdict: _Optional[str] = ..., who: _Optional[str] = ..., method: _Optional[str] = ..., peer: _Optional[str] = ..., resource: _Optional[str] = ..., rule: _Optional[str] = ..., text: _Optional[str] = ..., credential: _Optional[str] = ..., correlation: _Optional[str] = ..., hash: _Optional[str] = ..., mono: _Optional[str] = ..., clock: _Optional[str] = ..., line: _Optional[str] = ...) -> None: ...

class ListAuditResponse(_message.Message):
    __slots__ = ("entries",)
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[AuditEntry]
    def __init__(self, entries: _Optional[_Iterable[_Union[AuditEntry, _Mapping]]] = ...) -> None: ...

class VerifyAuditRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class VerifyAuditResponse(_message.Message):
    __slots__ = ("whole", "entries", "problem", "index", "head", "anchored", "notes", "public_key")
    WHOLE_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    ANCHORED_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    whole: bool
    entries: int
    problem: str
    index: int
    head: str
    anchored: int
    notes: _containers.RepeatedScalarFieldContainer[str]
    public_key: str
    def __init__(self, whole: _Optional[bool] = ..., entries: _Optional[int] = ..., problem: _Optional[str] = ..., index: _Optional[int] = ..., head: _Optional[str] = ..., anchored: _Optional[int] = ..., notes: _Optional[_Iterable[str]] = ..., public_key: _Optional[str] = ...) -> None: ...
