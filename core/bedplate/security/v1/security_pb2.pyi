from bedplate.plugin.v1 import plugin_pb2 as _plugin_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Verdict(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VERDICT_UNSPECIFIED: _ClassVar[Verdict]
    VERDICT_ALLOW: _ClassVar[Verdict]
    VERDICT_DENY: _ClassVar[Verdict]
    VERDICT_ABSTAIN: _ClassVar[Verdict]
VERDICT_UNSPECIFIED: Verdict
VERDICT_ALLOW: Verdict
VERDICT_DENY: Verdict
VERDICT_ABSTAIN: Verdict

class ToSecurity(_message.Message):
    __slots__ = ("asks",)
    ASKS_FIELD_NUMBER: _ClassVar[int]
    asks: _containers.RepeatedCompositeFieldContainer[Ask]
    def __init__(self, asks: _Optional[_Iterable[_Union[Ask, _Mapping]]] = ...) -> None: ...

class FromSecurity(_message.Message):
    __slots__ = ("hello", "replies", "notes")
    HELLO_FIELD_NUMBER: _ClassVar[int]
    REPLIES_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    hello: _plugin_pb2.Hello
    replies: _containers.RepeatedCompositeFieldContainer[Reply]
    notes: _containers.RepeatedCompositeFieldContainer[_plugin_pb2.Note]
    def __init__(self, hello: _Optional[_Union[_plugin_pb2.Hello, _Mapping]] = ..., replies: _Optional[_Iterable[_Union[Reply, _Mapping]]] = ..., notes: _Optional[_Iterable[_Union[_plugin_pb2.Note, _Mapping]]] = ...) -> None: ...

class Ask(_message.Message):
    __slots__ = ("id", "component", "within_ms", "traceparent", "open", "close", "ping", "shutdown", "authorize", "authenticate")
    ID_FIELD_NUMBER: _ClassVar[int]
    COMPONENT_FIELD_NUMBER: _ClassVar[int]
    WITHIN_MS_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    CLOSE_FIELD_NUMBER: _ClassVar[int]
    PING_FIELD_NUMBER: _ClassVar[int]
    SHUTDOWN_FIELD_NUMBER: _ClassVar[int]
    AUTHORIZE_FIELD_NUMBER: _ClassVar[int]
    AUTHENTICATE_FIELD_NUMBER: _ClassVar[int]
    id: int
    component: str
    within_ms: int
    traceparent: str
    open: _plugin_pb2.Open
    close: _plugin_pb2.Close
    ping: _plugin_pb2.Ping
    shutdown: _plugin_pb2.Shutdown
    authorize: Authorize
    authenticate: Authenticate
    def __init__(self, id: _Optional[int] = ..., component: _Optional[str] = ..., within_ms: _Optional[int] = ..., traceparent: _Optional[str] = ..., open: _Optional[_Union[_plugin_pb2.Open, _Mapping]] = ..., close: _Optional[_Union[_plugin_pb2.Close, _Mapping]] = ..., ping: _Optional[_Union[_plugin_pb2.Ping, _Mapping]] = ..., shutdown: _Optional[_Union[_plugin_pb2.Shutdown, _Mapping]] = ..., authorize: _Optional[_Union[Authorize, _Mapping]] = ..., authenticate: _Optional[_Union[Authenticate, _Mapping]] = ...) -> None: ...

class Reply(_message.Message):
    __slots__ = ("answer", "decisions", "subject", "session")
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    DECISIONS_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    answer: _plugin_pb2.Answer
    decisions: _containers.RepeatedCompositeFieldContainer[Decision]
    subject: Subject
    session: str
    def __init__(self, answer: _Optional[_Union[_plugin_pb2.Answer, _Mapping]] = ..., decisions: _Optional[_Iterable[_Union[Decision, _Mapping]]] = ..., subject: _Optional[_Union[Subject, _Mapping]] = ..., session: _Optional[str] = ...) -> None: ...

class Subject(_message.Message):
    __slots__ = ("id", "roles", "peer", "method", "groups", "credential", "until")
    ID_FIELD_NUMBER: _ClassVar[int]
    ROLES_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    CREDENTIAL_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    id: str
    roles: _containers.RepeatedScalarFieldContainer[str]
    peer: str
    method: str
    groups: _containers.RepeatedScalarFieldContainer[str]
    credential: str
    until: int
    def __init__(self, id: _Optional[str] = ..., roles: _Optional[_Iterable[str]] = ..., peer: _Optional[str] = ..., method: _Optional[str] = ..., groups: _Optional[_Iterable[str]] = ..., credential: _Optional[str] = ..., until: _Optional[int] = ...) -> None: ...

class Authenticate(_message.Message):
    __slots__ = ("token", "password", "certificate", "peer", "bound")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    BOUND_FIELD_NUMBER: _ClassVar[int]
    token: str
    password: Password
    certificate: bytes
    peer: str
    bound: bytes
    def __init__(self, token: _Optional[str] = ..., password: _Optional[_Union[Password, _Mapping]] = ..., certificate: _Optional[bytes] = ..., peer: _Optional[str] = ..., bound: _Optional[bytes] = ...) -> None: ...

class Password(_message.Message):
    __slots__ = ("name", "password")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_FIELD_NUMBER: _ClassVar[int]
    name: str
    password: str
    def __init__(self, name: _Optional[str] = ..., password: _Optional[str] = ...) -> None: ...

class Check(_message.Message):
    __slots__ = ("action", "resource")
    ACTION_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    action: str
    resource: str
    def __init__(self, action: _Optional[str] = ..., resource: _Optional[str] = ...) -> None: ...

class Authorize(_message.Message):
    __slots__ = ("subject", "checks")
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    CHECKS_FIELD_NUMBER: _ClassVar[int]
    subject: Subject
    checks: _containers.RepeatedCompositeFieldContainer[Check]
    def __init__(self, subject: _Optional[_Union[Subject, _Mapping]] = ..., checks: _Optional[_Iterable[_Union[Check, _Mapping]]] = ...) -> None: ...

class Decision(_message.Message):
    __slots__ = ("verdict", "reason", "remember_ms")
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REMEMBER_MS_FIELD_NUMBER: _ClassVar[int]
    verdict: Verdict
    reason: str
    remember_ms: int
    def __init__(self, verdict: _Optional[_Union[Verdict, str]] = ..., reason: _Optional[str] = ..., remember_ms: _Optional[int] = ...) -> None: ...
